//! Which sentence of the catalogue a text is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::sentences;
use super::template::{Holds, Template};

/// What goes along with the catalogue.
pub struct Beside<'b> {
    /// Sentences of this installation, as they stand in its settings.
    pub own: &'b dyn Fn(&str) -> Option<String>,
    /// Hears of every sentence that nobody knows.
    pub missed: &'b mut dyn FnMut(&str),
}

/// How deep sentences may stand in one another: more than any does.
const DEPTH_MAX: usize = 8;
/// What stands before a sentence for whoever reads the line.
const PREFIXES: [&str; 2] = ["error: ", "hint: "];
/// What joins sentences, the loosest first, with its German.
const JOINTS: [(&str, &str); 5] = [("; ", "; "), (": ", ": "), (", ", ", "), (" (", " ("), (" and ", " und ")];

struct Sentence {
    english: Template,
    german: Template,
    weight: (bool, usize, usize),
}

/// The catalogue, ready to look things up in.
struct Catalogue {
    /// Those without places.
    plain: HashMap<String, &'static str>,
    /// The others, those that say most first.
    open: Vec<Sentence>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let (mut plain, mut open) = (HashMap::new(), Vec::new());
    for (english, german) in sentences() {
        let (english, german_template) = (Template::new(english), Template::new(german));
        if english.places().next().is_none() {
            plain.insert(english.say(|_| None), german);
        } else {
            open.push(Sentence { weight: english.weight(), english, german: german_template });
        }
    }
    open.sort_by_key(|sentence| std::cmp::Reverse(sentence.weight));
    Catalogue { plain, open }
});

/// The German of a word or a sentence without places.
pub(super) fn word_of(text: &str) -> Option<&'static str> {
    CATALOGUE.plain.get(text).copied()
}

/// The text in German, as far as the catalogue knows it.
pub(super) fn tell<'t>(text: &'t str, beside: &mut Beside<'_>) -> Cow<'t, str> {
    let inner = text.trim();
    if inner.is_empty() {
        return Cow::Borrowed(text);
    }
    let (before, after) = text.split_once(inner).unwrap_or_default();
    for prefix in PREFIXES {
        if let Some(rest) = inner.strip_prefix(prefix) {
            let word = prefix.trim_end_matches(": ");
            let word = known(word, 0, beside).unwrap_or_else(|| word.to_owned());
            return Cow::Owned(format!("{before}{word}: {}{after}", part(rest, 0, beside)));
        }
    }
    Cow::Owned(format!("{before}{}{after}", part(inner, 0, beside)))
}

/// The text in German where it is known as a whole or in parts, and as it is otherwise.
fn part(text: &str, depth: usize, beside: &mut Beside<'_>) -> String {
    if let Some(german) = known(text, depth, beside).or_else(|| joined(text, depth, beside)) {
        return german;
    }
    if is_sentence(text) {
        (beside.missed)(text);
    }
    text.to_owned()
}

/// The text in German where it is a sentence of the catalogue, or a number and one.
fn known(text: &str, depth: usize, beside: &mut Beside<'_>) -> Option<String> {
    if depth > DEPTH_MAX {
        return None;
    }
    if let Some(german) = (beside.own)(text) {
        return Some(german);
    }
    if let Some(german) = CATALOGUE.plain.get(text) {
        return Some(Template::new(german).say(|_| None));
    }
    // Of those that fit, the one that leaves least unknown; of these, the one that reads no record doubtfully; of these, the
    // one that says most.
    let mut best: Option<((usize, bool), String, Vec<String>)> = None;
    for sentence in &CATALOGUE.open {
        let Some(inside) = sentence.english.read(text) else { continue };
        let (german, missed) = say(sentence, &inside, depth, beside.own);
        let doubts = (missed.len(), sentence.english.is_doubtful(&inside));
        if best.as_ref().is_none_or(|(least, ..)| doubts < *least) {
            best = Some((doubts, german, missed));
        }
        if doubts == (0, false) {
            break;
        }
    }
    if let Some((_, german, missed)) = best {
        missed.iter().for_each(|missed| (beside.missed)(missed));
        return Some(german);
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((number, what)) = text.split_once(' ').filter(|(number, _)| is_number(number)) {
        if let Some(german) = known(what, depth + 1, beside) {
            return Some(format!("{number} {german}"));
        }
        // A period: "1 year 6 months".
        let (word, rest) = what.split_once(' ')?;
        return Some(format!("{number} {} {}", word_of(word)?, known(rest, depth + 1, beside)?));
    }
    let (what, number) = text.rsplit_once(' ').filter(|(_, number)| is_number(number))?;
    Some(format!("{} {number}", known(what, depth + 1, beside)?))
}

/// The sentence in German with `inside` in its places, and what nobody knows of that.
fn say(
    sentence: &Sentence,
    inside: &[&str],
    depth: usize,
    own: &dyn Fn(&str) -> Option<String>,
) -> (String, Vec<String>) {
    let mut missed = Vec::new();
    let mut said = Vec::new();
    for (place, inside) in sentence.english.places().zip(inside) {
        let inside = match place.holds {
            Holds::Text => {
                let mut note = |text: &str| missed.push(text.to_owned());
                part(inside, depth + 1, &mut Beside { own, missed: &mut note })
            }
            // What an installation has as its own is known; and where nothing was typed, a word of ours stands there.
            Holds::Typed => own(inside).unwrap_or_else(|| {
                let ours = inside.contains(' ').then(|| word_of(inside)).flatten();
                ours.unwrap_or(inside).to_owned()
            }),
            _ => (*inside).to_owned(),
        };
        said.push((place.name.as_str(), inside));
    }
    let of = |name: &str| said.iter().find(|(known, _)| *known == name).map(|(_, said)| said.as_str());
    (sentence.german.say(of), missed)
}

/// The text in German where a part of it is known: sentences that are joined.
fn joined(text: &str, depth: usize, beside: &mut Beside<'_>) -> Option<String> {
    if depth > DEPTH_MAX {
        return None;
    }
    for (joint, und) in JOINTS {
        let mut at = 0;
        while let Some(found) = text[at..].find(joint) {
            let (left, right) = (&text[..at + found], &text[at + found + joint.len()..]);
            at += found + joint.len();
            let (right, end) = match right.strip_suffix(')').filter(|_| joint == " (") {
                Some(inside) => (inside, ")"),
                None => (right, ""),
            };
            if let Some(german) = known(left, depth + 1, beside) {
                return Some(format!("{german}{und}{}{end}", part(right, depth + 1, beside)));
            }
            if let Some(german) = known(right, depth + 1, beside) {
                return Some(format!("{}{und}{german}{end}", part(left, depth + 1, beside)));
            }
        }
    }
    None
}

/// Whether somebody would have to understand it: names, keys and dates are not sentences.
fn is_sentence(text: &str) -> bool {
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase()) && word.len() > 1;
    text.contains(' ') && text.split([' ', ',', ':', ';']).any(|word| is_word(&word))
}
