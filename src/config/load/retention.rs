//! `[retention]`: how long the daemon keeps what it has on record.

use super::section::Section;
use super::{rule, shape};
use crate::config::{Keeping, Period, Starts};

/// A slip of the pen must not prune away what was done last week.
const KEYS_LEAST: Period = Period::of_years(1);

/// The section; without one keys are kept for ten years.
pub fn read(top: &Section<'_>) -> Option<Keeping> {
    let default = Keeping::default();
    if top.get("retention").is_none() {
        return Some(default);
    }
    let section = top.section("retention", &shape::RETENTION)?;
    if section.get("keys").is_none() {
        return Some(default);
    }
    let keys = rule::period_of(&section, "keys")?;
    if keys.value.can_end_before(KEYS_LEAST, Starts::default()) {
        let message = format!("`keys` is {}, and may not be less than {KEYS_LEAST}", keys.value);
        let hint = format!("write keys = \"{}\", the default, or leave it out", default.keys);
        section.fault("limit", &keys.place, message, hint);
        return None;
    }
    Some(Keeping { keys: keys.value })
}
