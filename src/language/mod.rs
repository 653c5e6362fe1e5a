//! German and English for what people read.
//!
//! The code speaks English. The catalogue knows each sentence that a clerk can read, as it stands in the source, and says it
//! in German; [`Language::tell`] finds which of them a finished sentence is, and says it anew with what stood in its places.
//! A place that holds such a sentence in turn is translated, too; names, keys and dates stay as they are.
//!
//! May be relied on: nothing is ever lost. What no template knows stays English, word for word. Pure: reads no environment,
//! and nothing of the house.

mod catalogue;
mod matching;
mod template;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use self::matching::Beside;

/// What people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// As the source has it.
    #[default]
    English,
    /// As the catalogue has it.
    German,
}

/// The variables of the environment that say which language to speak, the strongest first (POSIX.1-2017, section 8.2).
pub const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The word that stands for it, on the command line as in the names of locales.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == word)
    }

    /// The language that the environment asks for. A variable that is empty is as one that is not set; a locale that is not
    /// known, and those named C and POSIX, mean English.
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = VARIABLES.into_iter().filter_map(variable).find(|value| !value.is_empty());
        let locale = locale.unwrap_or_default();
        let word = locale.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        Self::of_word(&word.to_ascii_lowercase()).unwrap_or_default()
    }

    /// The sentence in this language.
    #[must_use]
    pub fn tell<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.tell_beside(text, &mut Beside { own: &|_| None, missed: &mut |_| () })
    }

    /// The same with sentences of the installation's own, telling of every one that nobody knows.
    pub fn tell_beside<'t>(&self, text: &'t str, beside: &mut Beside<'_>) -> Cow<'t, str> {
        match self {
            Self::English => Cow::Borrowed(text),
            Self::German => matching::tell(text, beside),
        }
    }

    /// A word of the catalogue in this language; `None` where it is written in it, or in none.
    #[must_use]
    pub fn word(&self, text: &str) -> Option<&'static str> {
        match self {
            Self::English => None,
            Self::German => matching::word_of(text),
        }
    }
}

/// Every sentence of the catalogue as it stands in the source, with its German.
pub fn sentences() -> impl Iterator<Item = (&'static str, &'static str)> {
    catalogue::ALL.iter().flat_map(|part| part.iter().copied())
}
