//! `[brake]`: how much a run may propose or erase before somebody has to look.

use super::section::Section;
use super::shape;
use crate::config::{Brake, Share};

/// The section of a category; without one, or without one of its keys, the defaults hold.
pub fn read(top: &Section<'_>) -> Option<Brake> {
    let default = Brake::default();
    if top.get("brake").is_none() {
        return Some(default);
    }
    let section = top.section("brake", &shape::BRAKE)?;
    let count = if section.get("count").is_none() { Some(default.count) } else { count(&section) };
    let share = if section.get("share").is_none() { Some(default.share) } else { share(&section) };
    Some(Brake { count: count?, share: share? })
}

/// How many records.
pub fn count(section: &Section<'_>) -> Option<u64> {
    let entry = section.get("count")?;
    let Some(integer) = entry.value.as_integer() else {
        section.note_kind(&entry, "a whole number");
        return None;
    };
    let count = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
    if count.is_none() {
        let message = format!("`count` is {}, which is no number of records", integer.as_str());
        section.fault("limit", &entry.place, message, "write count = 100, or 0 where the share alone is to decide");
    }
    count
}

/// How large a part of the table.
pub fn share(section: &Section<'_>) -> Option<Share> {
    let text = section.text("share")?;
    let share = text.value.parse();
    if share.is_err() {
        let message =
            format!("{:?} is no percentage from 0 to 100 with at most two digits behind the point", text.value);
        section.fault("limit", &text.place, message, "write it like share = \"5 %\" or share = \"0.5 %\"");
    }
    share.ok()
}
