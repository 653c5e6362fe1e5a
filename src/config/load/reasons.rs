//! `[reasons]`, and `[reasons.erase]`, `[reasons.postpone]`, `[reasons.hold]` below it: what people choose from.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::section::{Entry, Section, entries};
use super::shape;
use crate::config::{Choice, Finding, Place, ReasonKind, Reasons, StandardReason, Wording};

/// Reasons of one kind: more, and nobody reads the list.
const REASONS_MAX: usize = 50;
/// Longest name, in characters.
const NAME_MAX_CHARACTERS: usize = 40;
/// Longest wording, in characters: one line.
const WORDING_MAX_CHARACTERS: usize = 200;
/// The key that is no reason.
pub const FREE_TEXT: &str = "free_text";
/// The languages that clerks read.
const LANGUAGES: [&str; 2] = ["en", "de"];

/// What is wrong with the reasons of a kind together, although each is right in itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Two of them read the same.
    Same(String, String),
    /// There are so many of them.
    TooMany(usize),
    /// There are none, and nothing else may be said.
    Nothing,
}

impl Flaw {
    /// The first of them.
    pub fn of(choice: &Choice) -> Option<Self> {
        let standard = &choice.standard;
        if standard.len() > REASONS_MAX {
            return Some(Self::TooMany(standard.len()));
        }
        if standard.is_empty() && !choice.free_text {
            return Some(Self::Nothing);
        }
        standard.iter().enumerate().find_map(|(place, reason)| Self::same(reason, standard.iter().take(place)))
    }

    fn same<'a>(reason: &StandardReason, mut others: impl Iterator<Item = &'a StandardReason>) -> Option<Self> {
        let other = others.find(|other| other.wording.reads_like(&reason.wording))?;
        Some(Self::Same(reason.name.clone(), other.name.clone()))
    }

    /// What the operator is told.
    pub fn told(&self, kind: ReasonKind, place: &Place) -> Finding {
        let key = kind.as_str();
        match self {
            Self::Same(one, other) => {
                Finding::error("name-twice", place, format!("the reasons {one:?} and {other:?} read the same"))
                    .hint("leave one of the two out, or word it otherwise")
            }
            Self::TooMany(count) => {
                let message = format!("there are {count} reasons in [reasons.{key}], more than {REASONS_MAX}");
                Finding::error("limit", place, message).hint("nobody reads a list so long; leave some out")
            }
            Self::Nothing => {
                let message = format!("without free text and without reasons in [reasons.{key}] nobody could give any");
                let hint = format!("add [reasons.{key}] with lawsuit = \"a lawsuit is pending\", or free_text = true");
                Finding::error("empty", place, message).hint(hint)
            }
        }
    }
}

/// The section; without one nothing is offered, and everything may be written.
pub fn read(top: &Section<'_>) -> Option<Reasons> {
    if top.get("reasons").is_none() {
        return Some(Reasons::default());
    }
    let section = top.section("reasons", &shape::REASONS)?;
    let free_text = section.boolean(FREE_TEXT, true);
    let choice = |kind: ReasonKind| choice(&section, kind, free_text.unwrap_or(true));
    let (erase, postpone, hold) = (choice(ReasonKind::Erase), choice(ReasonKind::Postpone), choice(ReasonKind::Hold));
    free_text?;
    Some(Reasons { erase: erase?, postpone: postpone?, hold: hold? })
}

fn choice(section: &Section<'_>, kind: ReasonKind, free_text: bool) -> Option<Choice> {
    let written = section.get(kind.as_str());
    let (Some(entry), key) = (&written, kind.as_str()) else { return of_nothing(section, kind, free_text) };
    let Some(table) = entry.value.as_table() else {
        section.fault(
            "wrong-type",
            &entry.place,
            format!("`reasons.{key}` must be a section"),
            format!("write [reasons.{key}], and below it lawsuit = \"a lawsuit is pending\""),
        );
        return None;
    };
    let mut choice = Choice { standard: Vec::new(), free_text };
    let mut all_well = true;
    for entry in entries(section.file, table) {
        if entry.key == FREE_TEXT {
            match entry.value.as_bool() {
                Some(free_text) => choice.free_text = free_text,
                None => {
                    section.note_kind(&entry, "true or false");
                    all_well = false;
                }
            }
            continue;
        }
        let Some(reason) = standard(section, &entry) else {
            all_well = false;
            continue;
        };
        if let Some(flaw) = Flaw::same(&reason, choice.standard.iter()) {
            section.faults.add(flaw.told(kind, &entry.place));
            all_well = false;
            continue;
        }
        choice.standard.push(reason);
    }
    if choice.standard.len() > REASONS_MAX {
        section.faults.add(Flaw::TooMany(choice.standard.len()).told(kind, &entry.place));
        return None;
    }
    if all_well && choice.standard.is_empty() && !choice.free_text {
        return nothing_to_say(section, kind, entry);
    }
    all_well.then_some(choice)
}

/// No section of this kind: then something else must be allowed.
fn of_nothing(section: &Section<'_>, kind: ReasonKind, free_text: bool) -> Option<Choice> {
    match section.get(FREE_TEXT).filter(|_| !free_text) {
        Some(entry) => nothing_to_say(section, kind, &entry),
        None => Some(Choice { standard: Vec::new(), free_text }),
    }
}

fn nothing_to_say(section: &Section<'_>, kind: ReasonKind, entry: &Entry<'_>) -> Option<Choice> {
    section.faults.add(Flaw::Nothing.told(kind, &entry.place));
    None
}

/// One reason.
pub fn standard(section: &Section<'_>, entry: &Entry<'_>) -> Option<StandardReason> {
    if let Err(finding) = check_name(entry.key, &entry.key_place) {
        section.faults.add(finding);
        return None;
    }
    Some(StandardReason { name: entry.key.to_owned(), wording: wording(section, entry)? })
}

/// Whether a reason may be called so. The name stands in state and trail for ever.
pub fn check_name(name: &str, place: &Place) -> Result<(), Finding> {
    let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let is_number = name.chars().all(|c| c.is_ascii_digit());
    if name.chars().all(is_legal) && !is_number && name.len() <= NAME_MAX_CHARACTERS {
        return Ok(());
    }
    let hint =
        "use lower-case letters, digits, - and _: lawsuit = \"a lawsuit is pending\"; numbers are given by the order";
    Err(Finding::error("name", place, format!("{name:?} is not the name of a reason")).hint(hint))
}

fn wording(section: &Section<'_>, entry: &Entry<'_>) -> Option<Wording> {
    match entry.value {
        DeValue::String(text) => Some(Wording { plain: line(section, entry, text)?, by_language: BTreeMap::new() }),
        DeValue::Table(table) => by_language(section, entry, table),
        _ => {
            section.faults.add(no_wording(entry.key, &entry.place));
            None
        }
    }
}

/// What stands there is neither text nor text by language.
pub fn no_wording(name: &str, place: &Place) -> Finding {
    let message = format!("the reason {name:?} must be text, or text by language");
    Finding::error("wrong-type", place, message).hint(example(name))
}

fn by_language(section: &Section<'_>, of: &Entry<'_>, table: &DeTable<'_>) -> Option<Wording> {
    let mut by_language = BTreeMap::new();
    let mut all_well = true;
    for entry in entries(section.file, table) {
        let Some(language) = LANGUAGES.into_iter().find(|language| *language == entry.key) else {
            let message = format!("{:?} is no language that clerks are spoken to in", entry.key);
            section.fault("unknown-key", &entry.key_place, message, "the languages are en and de");
            all_well = false;
            continue;
        };
        let Some(text) = entry.value.as_str() else {
            let message = format!("the reason {:?} must be text in each language", of.key);
            section.fault("wrong-type", &entry.place, message, example(of.key));
            all_well = false;
            continue;
        };
        match line(section, &entry, text) {
            Some(text) => drop(by_language.insert(language, text)),
            None => all_well = false,
        }
    }
    let plain = LANGUAGES.iter().find_map(|language| by_language.get(language).cloned());
    if all_well && plain.is_none() {
        section.fault("empty", &of.place, format!("the reason {:?} says nothing", of.key), example(of.key));
    }
    Some(Wording { plain: plain.filter(|_| all_well)?, by_language })
}

fn example(name: &str) -> String {
    format!("write {name} = \"a lawsuit is pending\", or {name} = {{ en = \"…\", de = \"…\" }}")
}

/// One line of text, neither empty nor very long.
fn line(section: &Section<'_>, entry: &Entry<'_>, text: &str) -> Option<String> {
    let text = text.trim();
    let message = if text.is_empty() {
        "the text of a reason is empty".to_owned()
    } else if text.chars().any(char::is_control) {
        "the text of a reason is one line".to_owned()
    } else if text.chars().count() > WORDING_MAX_CHARACTERS {
        format!("the text of a reason has at most {WORDING_MAX_CHARACTERS} characters")
    } else {
        return Some(text.to_owned());
    };
    section.fault("wording", &entry.place, message, "write it like \"a lawsuit is pending\"");
    None
}
