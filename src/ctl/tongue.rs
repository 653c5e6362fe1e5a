//! The language that the reader is told everything in.
//!
//! It holds for a whole call of the program, wherever in it something is told. What is put together is put together in English
//! and translated once, where it leaves: in tables, in lines of talk, in help.

use std::collections::HashMap;
use std::ffi::OsString;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::client::Client;
use crate::api::ReasonList;
use crate::language::{Beside, Language};

/// The option that names the language.
const OPTION: &str = "--lang";

/// How the program speaks.
pub(super) struct Tongue {
    pub(super) language: Language,
    /// What the installation's standard reasons are in this language.
    reasons: Mutex<HashMap<String, String>>,
    /// Where sentences go that the catalogue does not know.
    misses: Option<Arc<Mutex<Vec<String>>>>,
}

impl Tongue {
    pub(super) fn new(language: Language, misses: Option<Arc<Mutex<Vec<String>>>>) -> Self {
        Self { language, reasons: Mutex::default(), misses }
    }
}

tokio::task_local! {
    static TONGUE: Tongue;
}

/// Does `work`, speaking so.
pub(super) async fn speaking<T>(tongue: Tongue, work: impl Future<Output = T>) -> T {
    TONGUE.scope(tongue, work).await
}

/// The sentence in the reader's language.
pub(super) fn told(text: &str) -> String {
    let told = TONGUE.try_with(|Tongue { language, reasons, misses }| {
        let mut note = |miss: &str| {
            if let Some(misses) = misses {
                misses.lock().unwrap_or_else(PoisonError::into_inner).push(miss.to_owned());
            }
        };
        let reasons = reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |text: &str| reasons.get(text).cloned();
        language.tell_beside(text, &mut Beside { own: &own, missed: &mut note }).into_owned()
    });
    told.unwrap_or_else(|_| text.to_owned())
}

/// Learns what the installation's standard reasons are in the language that is spoken: they stand in its settings, not in the
/// catalogue. Where that cannot be found out they are told as the daemon words them.
pub(super) async fn learn(client: &Client) {
    let language = language();
    if language == Language::English {
        return;
    }
    let Ok(got) = client.get::<ReasonList>("/v1/reasons", &()).await else { return };
    let known = got.value.kinds.into_iter().flat_map(|choice| choice.reasons);
    let worded = known.filter_map(|mut reason| Some((reason.text, reason.texts.remove(language.as_str())?)));
    // Outside of a call nobody is told anything.
    let _ = TONGUE.try_with(|tongue| {
        tongue.reasons.lock().unwrap_or_else(PoisonError::into_inner).extend(worded);
    });
}

/// The language that is spoken.
pub(super) fn language() -> Language {
    TONGUE.try_with(|tongue| tongue.language).unwrap_or_default()
}

/// The language that these arguments ask for, or else the environment. They are looked through before they are read, so that
/// it is known in which language to say what is wrong with them.
pub(super) fn of(arguments: &[OsString]) -> Language {
    let mut words = arguments.iter().skip(1).map(|word| word.to_string_lossy()).take_while(|word| word != "--");
    let mut named = None;
    while let Some(word) = words.next() {
        let value = match word.strip_prefix(OPTION) {
            Some("") => words.next().map(Into::into),
            Some(value) => value.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        named = value.and_then(|value: String| Language::of_word(&value)).or(named);
    }
    named.unwrap_or_else(|| Language::of_environment(|name| std::env::var(name).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_known_before_anything_is_read() {
        let of = |words: &[&str]| of(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["erasurectl", "--lang", "de", "lsit"]), Language::German);
        assert_eq!(of(&["erasurectl", "list", "--lang=de"]), Language::German);
        assert_eq!(of(&["erasurectl", "--lang", "en", "--lang=de", "--lang", "xy"]), Language::German);
        assert_eq!(of(&["erasurectl", "--lang=en", "--", "--lang=de"]), Language::English);
        assert_eq!(of(&["erasurectl", "--lang"]), of(&["erasurectl"]));
    }
}
