//! `[manual]`: records that are asked for whatever the criteria say.

use super::section::Section;
use super::{rule, shape};
use crate::config::{Manual, Mark};

/// The section of a category; without one nothing is marked but by clerks, and every mark waits for a decision.
pub fn read(top: &Section<'_>) -> Option<Manual> {
    if top.get("manual").is_none() {
        return Some(Manual::default());
    }
    let section = top.section("manual", &shape::MANUAL)?;
    let condition = if section.get("where").is_none() { Some(None) } else { section.text("where").map(Some) };
    let auto_confirm = section.boolean("auto_confirm", false);
    let mark = condition?.map(|condition| Mark { version: rule::version(None, Some(&condition)), condition });
    Some(Manual { mark, auto_confirm: auto_confirm? })
}
