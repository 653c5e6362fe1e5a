//! A single value that was typed without a file around it, read as if it stood in one.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::brake;
use super::category::{decisions, label};
use super::document::{Faults, File};
use super::reasons;
use super::rule;
use super::section::{Section, entries};
use super::shape::{self, Shape};
use crate::config::change::{Kind, RuleValue};
use crate::config::{Finding, Place, Starts, Wording};

/// What stands for a key that is left out, where that means something.
pub const NONE: &str = "none";

/// Reads the value of the rule `key`; what is wrong with it is told with `place`.
pub fn value(kind: Kind, key: &'static str, text: &str, place: &Place) -> Result<RuleValue, Finding> {
    if kind == Kind::CoolingOff && text.trim() == NONE {
        return Ok(RuleValue::CoolingOff(None));
    }
    let (shape, is_text) = form(kind);
    let key = key_in_files(kind).unwrap_or(key);
    let (file, faults) = (File::new(&place.file, ""), Faults::default());
    let mut table = DeTable::new();
    table.insert(Spanned::new(0..0, Cow::Borrowed(key)), Spanned::new(0..0, typed(text, is_text)));
    let section = Section::open(&file, &faults, shape, &table, file.start());
    let read = read(kind, &section, place);
    settled(read, faults, place)
}

/// Reads what the reason `name` says, as text or by language, or nothing where it is left out.
pub fn wording(name: &str, text: &str, place: &Place) -> Result<Option<Wording>, Finding> {
    let trimmed = text.trim();
    if trimmed == NONE {
        return Ok(None);
    }
    let as_toml = || DeValue::parse(trimmed).ok().map(Spanned::into_inner);
    let value = match trimmed.chars().next() {
        // A slip in one of its texts must not be offered to clerks as a text.
        Some('{') => as_toml().ok_or_else(|| reasons::no_wording(name, place))?,
        Some('"') => as_toml().unwrap_or_else(|| typed(text, true)),
        _ => typed(text, true),
    };
    let (file, faults) = (File::new(&place.file, ""), Faults::default());
    let (mut table, empty) = (DeTable::new(), DeTable::new());
    table.insert(Spanned::new(0..0, Cow::Borrowed(name)), Spanned::new(0..0, value));
    let section = Section::open(&file, &faults, &shape::REASONS, &empty, file.start());
    let read = entries(&file, &table).first().and_then(|entry| reasons::standard(&section, entry));
    settled(read.map(|reason| Some(reason.wording)), faults, place)
}

/// How that is typed: without quotes wherever it is not mistaken for something else.
pub fn typed_wording(wording: &Wording) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    if !wording.by_language.is_empty() {
        let texts = wording.by_language.iter().map(|(language, text)| format!("{language} = {}", quoted(text)));
        return format!("{{ {} }}", texts.collect::<Vec<_>>().join(", "));
    }
    let text = &wording.plain;
    if text == NONE || text.starts_with(['{', '"']) { quoted(text) } else { text.clone() }
}

fn settled<T>(read: Option<T>, faults: Faults, place: &Place) -> Result<T, Finding> {
    let fault = faults.into_sorted().into_iter().find(Finding::is_error);
    match (read, fault) {
        (Some(value), None) => Ok(value),
        (_, Some(fault)) => Err(Finding { place: Some(place.clone()), ..fault }),
        (None, None) => Err(Finding::error("refused", place, "the value cannot be read")),
    }
}

/// The section that the key stands in, and whether its value is text there.
const fn form(kind: Kind) -> (&'static Shape, bool) {
    match kind {
        Kind::Period => (&shape::CRITERION, true),
        Kind::Enabled => (&shape::CRITERION, false),
        Kind::AutoConfirm => (&shape::MANUAL, false),
        Kind::FreeText => (&shape::REASONS, false),
        Kind::Decisions => (&shape::CATEGORY, false),
        Kind::CoolingOff | Kind::Label => (&shape::CATEGORY, true),
        Kind::BrakeCount => (&shape::BRAKE, false),
        Kind::BrakeShare => (&shape::BRAKE, true),
    }
}

/// The key as the files have it, where the rule is called otherwise.
const fn key_in_files(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::BrakeCount => Some("count"),
        Kind::BrakeShare => Some("share"),
        _ => None,
    }
}

/// Text needs no quotes here. What is none is read as TOML, and what TOML does not know is text after all.
fn typed(text: &str, is_text: bool) -> DeValue<'_> {
    let plain = || DeValue::String(Cow::Borrowed(text));
    if is_text { plain() } else { DeValue::parse(text.trim()).map_or_else(|_| plain(), Spanned::into_inner) }
}

fn read(kind: Kind, section: &Section<'_>, place: &Place) -> Option<RuleValue> {
    let here = |mut located: crate::config::Located<_>| {
        located.place = place.clone();
        located
    };
    Some(match kind {
        Kind::Period => RuleValue::Period(here(rule::period_of(section, "period")?), Starts::AtDate),
        Kind::CoolingOff => RuleValue::CoolingOff(Some(here(rule::cooling_off(section)?))),
        Kind::Enabled => RuleValue::Switch(section.boolean("enabled", true)?),
        Kind::AutoConfirm => RuleValue::Switch(section.boolean("auto_confirm", false)?),
        Kind::FreeText => RuleValue::FreeText(section.boolean(reasons::FREE_TEXT, true)?),
        Kind::Decisions => RuleValue::Decisions(decisions(section)?),
        Kind::BrakeCount => RuleValue::BrakeCount(brake::count(section)?),
        Kind::BrakeShare => RuleValue::BrakeShare(brake::share(section)?),
        Kind::Label => {
            let mut label = label(section)??;
            label.place = place.clone();
            RuleValue::Label(Some(label))
        }
    })
}
