//! `[source.NAME.removal]`: how what was erased is removed from the source's files.

use super::section::Section;
use super::{hours, rule, shape};
use crate::config::{FullText, Hours, Located, Removal};

/// The section; without one everything is done that locks nobody out. `source_hours` are those of the source.
pub fn read(source: &Section<'_>, source_hours: Option<&Located<Hours>>) -> Option<Removal> {
    if source.get("removal").is_none() {
        return Some(Removal::default());
    }
    let section = source.section("removal", &shape::REMOVAL)?;
    let full_text = match section.get("full_text") {
        None => Some(FullText::Optimise),
        Some(_) => section.choice("full_text", &FullText::WORDS).map(|word| word.value),
    };
    let (statistics, checkpoint) = (section.boolean("statistics", true), section.boolean("checkpoint", true));
    let vacuum = hours::read(&section, "vacuum", "then it never runs");
    let within = match section.get("within") {
        None => Some(None),
        Some(_) => rule::period_of(&section, "within").map(Some),
    };
    let vacuum = vacuum?;
    if let (Some(vacuum), Some(hours)) = (&vacuum, source_hours)
        && !vacuum.value.meet(hours.value)
    {
        let message = format!("`vacuum` is never within `hours`, {}: it would never run", hours.value);
        section.fault("rule", &vacuum.place, message, "write hours of which some are within `hours`");
        return None;
    }
    Some(Removal { full_text: full_text?, statistics: statistics?, checkpoint: checkpoint?, vacuum, within: within? })
}
