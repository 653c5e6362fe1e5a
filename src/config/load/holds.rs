//! `[holds]`: how legal holds end.

use super::section::Section;
use super::{rule, shape};
use crate::config::Holds;

/// The section; without one a single person releases a hold, at once.
pub fn read(top: &Section<'_>) -> Option<Holds> {
    if top.get("holds").is_none() {
        return Some(Holds::default());
    }
    let section = top.section("holds", &shape::HOLDS)?;
    let needs_two = section.boolean("release_needs_two", false);
    let after = match section.get("release_after") {
        None => Some(None),
        Some(_) => rule::period_of(&section, "release_after").map(Some),
    };
    if let Some(place) = section.key_place("release_after").filter(|_| needs_two == Some(false)) {
        let message = "`release_after` says nothing where one person releases a hold alone";
        section.fault("rule", &place, message, "add release_needs_two = true, or leave `release_after` out");
        return None;
    }
    Some(Holds { release_needs_two: needs_two?, release_after: after? })
}
