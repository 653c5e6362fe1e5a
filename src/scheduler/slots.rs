//! Slots: the instants at which a schedule wants a job to run.
//!
//! The expression names wall times. A wall time that the zone skips stands for the first instant after the gap; one that
//! the zone has twice stands for the first of the two. Several wall times may so stand for one slot, which runs once.

use jiff::civil::DateTime as WallTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::Cron;

/// How late a run may begin and still count as on time, in minutes: a heartbeat comes once a minute, and a restart of the
/// daemon must not lose the slot that fell into it.
pub const ON_TIME_MAX_MINUTES: i64 = 5;

/// How many wall times are looked at for one slot: those of two doubled hours, if every minute is named.
const WALL_TIMES_MAX: usize = 240;

/// A slot that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When the job should have begun.
    pub at: Timestamp,
    /// Whether it was missed, and is being caught up on.
    pub is_late: bool,
}

/// The slot that is due now: the latest one after `last_slot`, up to and with `now`.
///
/// `last_slot` is the slot last enqueued or, before the first, the instant from which slots count; without one nothing is
/// due. However many slots were missed, one is due: the latest. Without `catch_up` it is due only while it is on time. A
/// clock that went back to before `last_slot` makes nothing due.
#[must_use]
pub fn due_slot(
    cron: &Cron,
    zone: &TimeZone,
    last_slot: Option<Timestamp>,
    now: Timestamp,
    catch_up: bool,
) -> Option<Slot> {
    let last_slot = last_slot?;
    let at = latest_slot(cron, zone, now)?;
    let is_late = now.duration_since(at) > SignedDuration::from_mins(ON_TIME_MAX_MINUTES);
    (at > last_slot && (catch_up || !is_late)).then_some(Slot { at, is_late })
}

/// The first slot that is still to come: after `now`, and after `last_slot` where a clock went back. `None` at the end of
/// the calendar.
#[must_use]
pub fn next_slot(cron: &Cron, zone: &TimeZone, last_slot: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let after = last_slot.map_or(now, |last| last.max(now));
    let mut wall = zone.to_datetime(after);
    for _ in 0..WALL_TIMES_MAX {
        wall = cron.next_wall_time(wall)?;
        let at = instant(zone, wall)?;
        if at > after {
            return Some(at);
        }
    }
    None
}

fn latest_slot(cron: &Cron, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let mut wall = latest_wall_time(zone, now);
    for _ in 0..WALL_TIMES_MAX {
        let named = cron.previous_wall_time(wall)?;
        let at = instant(zone, named)?;
        if at <= now {
            return Some(at);
        }
        wall = named.checked_sub(SignedDuration::from_secs(1)).ok()?;
    }
    None
}

/// The latest wall time that has been shown by `now`. In the second pass through a doubled hour the clock on the wall
/// shows less than it has shown already.
fn latest_wall_time(zone: &TimeZone, now: Timestamp) -> WallTime {
    let wall = zone.to_datetime(now);
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Fold { before, .. } if before.to_timestamp(wall).is_ok_and(|first| first < now) => {
            before.to_datetime(now)
        }
        _ => wall,
    }
}

/// The instant that a wall time stands for.
fn instant(zone: &TimeZone, wall: WallTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the offset that holds after the gap, the wall time lies before it; the next transition is its end.
            let early = after.to_timestamp(wall).ok()?;
            zone.following(early).next().map(|transition| transition.timestamp())
        }
    }
}

#[cfg(test)]
mod tests;
