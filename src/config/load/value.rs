//! A single value that was typed without a file around it, read as if it stood in one.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::category::{decisions, label};
use super::document::{Faults, File};
use super::rule;
use super::section::Section;
use super::shape::{self, Shape};
use crate::config::change::{Kind, RuleValue};
use crate::config::{Finding, Place, Starts};

/// What stands for a key that is left out, where that means something.
const NONE: &str = "none";

/// Reads the value of `key`; what is wrong with it is told with `place`.
pub fn value(kind: Kind, key: &'static str, text: &str, place: &Place) -> Result<RuleValue, Finding> {
    if kind == Kind::CoolingOff && text.trim() == NONE {
        return Ok(RuleValue::CoolingOff(None));
    }
    let (shape, is_text) = form(kind);
    let (file, faults) = (File::new(&place.file, ""), Faults::default());
    let mut table = DeTable::new();
    table.insert(Spanned::new(0..0, Cow::Borrowed(key)), Spanned::new(0..0, typed(text, is_text)));
    let section = Section::open(&file, &faults, shape, &table, file.start());
    let read = read(kind, &section, place);
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
        Kind::Decisions => (&shape::CATEGORY, false),
        Kind::CoolingOff | Kind::Label => (&shape::CATEGORY, true),
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
        Kind::Decisions => RuleValue::Decisions(decisions(section)?),
        Kind::Label => {
            let mut label = label(section)??;
            label.place = place.clone();
            RuleValue::Label(Some(label))
        }
    })
}
