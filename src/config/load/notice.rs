//! `[notice]`: what the operator wants to be told of.

use super::section::Section;
use super::{rule, shape};
use crate::config::Notice;

/// The section; without one nobody is told that a decision waits for long.
pub fn read(top: &Section<'_>) -> Option<Notice> {
    if top.get("notice").is_none() {
        return Some(Notice::default());
    }
    let section = top.section("notice", &shape::NOTICE)?;
    let decisions_after = match section.get("decisions_after") {
        None => None,
        Some(_) => Some(rule::period_of(&section, "decisions_after")?),
    };
    Some(Notice { decisions_after })
}
