//! How long a source is held at a time, and how long it is then left alone. Pure.
//!
//! SQLite's locks are not fair: whoever takes one again at once keeps the others out. So there is a gap after every batch
//! that is long enough for whoever waits to find the lock free. While the application writes, the source is held for a
//! small part of the time only; while it does not, for most of it.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The application counts as active for so long after it has changed something.
const ACTIVE_FOR: Duration = Duration::from_millis(250);
/// Left alone after a batch while the application is quiet. Whoever began to wait meanwhile looks every 25 ms or oftener.
const GAP_QUIET: Duration = Duration::from_millis(25);
/// Left alone, at least, while the application is active: most of what it does then meets nobody.
const GAP_ACTIVE_MIN: Duration = Duration::from_millis(100);
/// And so many times as long as it was held before.
const GAP_ACTIVE_SHARE: u32 = 4;
/// While the application is active the source is held for this part of what is allowed.
const ACTIVE_SHARE: u32 = 4;

/// Pages of the write-ahead log after which a checkpoint is worth while, as long as the application is quiet: what many
/// batches change is then moved once. (Were more left, an application that wakes up would move them in its first commit.)
const LOG_PAGES_QUIET: u64 = 32_000;

/// What is known about the application's being active.
#[derive(Debug, Clone)]
pub struct Pace {
    max_lock: Duration,
    quiet_for: Duration,
}

impl Pace {
    /// For a source that may be held for `max_lock`. The application counts as active until it is seen to be quiet.
    #[must_use]
    pub fn new(max_lock: Duration) -> Self {
        Self { max_lock, quiet_for: Duration::ZERO }
    }

    /// Tells whether the application has changed anything in the time that has `passed`.
    pub fn observe(&mut self, has_changed: bool, passed: Duration) {
        self.quiet_for = if has_changed { Duration::ZERO } else { self.quiet_for.saturating_add(passed) };
    }

    /// Whether the application changes things.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.quiet_for < ACTIVE_FOR
    }

    /// For how long the source may be held now.
    #[must_use]
    pub fn allowed(&self) -> Duration {
        if self.is_active() { self.max_lock / ACTIVE_SHARE } else { self.max_lock }
    }

    /// For how long it is to be left alone after it was held for `held`.
    #[must_use]
    pub fn gap(&self, held: Duration) -> Duration {
        if self.is_active() { GAP_ACTIVE_MIN.max(held * GAP_ACTIVE_SHARE) } else { GAP_QUIET }
    }

    /// How many pages of the write-ahead log may be left to be moved later.
    #[must_use]
    pub fn log_pages_max(&self) -> u64 {
        if self.is_active() { 0 } else { LOG_PAGES_QUIET }
    }

    /// How many can be dealt with at a time, after so many took so long: never more than doubled at once.
    #[must_use]
    pub fn fitting(&self, count: u32, took: Duration, within: &RangeInclusive<u32>) -> u32 {
        let fitting = u128::from(count) * self.allowed().as_micros() / took.as_micros().max(1);
        u32::try_from(fitting).unwrap_or(u32::MAX).min(count.saturating_mul(2)).clamp(*within.start(), *within.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: Duration = Duration::from_millis(100);

    fn quiet() -> Pace {
        let mut pace = Pace::new(LOCK);
        pace.observe(false, Duration::from_secs(1));
        pace
    }

    #[test]
    fn it_is_slow_until_the_application_is_seen_to_be_quiet() {
        let mut pace = Pace::new(LOCK);
        for _ in 0..2 {
            assert!(pace.is_active());
            assert_eq!((pace.allowed(), pace.gap(LOCK / 5)), (LOCK / 4, Duration::from_millis(100)));
            pace.observe(false, Duration::from_millis(125));
        }
        assert_eq!((pace.is_active(), pace.allowed(), pace.gap(LOCK)), (false, LOCK, Duration::from_millis(25)));
        assert_eq!(pace.log_pages_max(), 32_000);
        pace.observe(true, LOCK);
        assert!(pace.is_active());
        assert_eq!(pace.log_pages_max(), 0, "what it would have to move in its own commit");
    }

    #[test]
    fn a_long_batch_is_followed_by_a_long_gap() {
        assert_eq!(Pace::new(LOCK).gap(Duration::from_secs(1)), Duration::from_secs(4));
    }

    #[test]
    fn what_comes_next_follows_the_time_that_the_last_took() {
        let fitting = |count, took| quiet().fitting(count, took, &(100..=50_000));
        assert_eq!(fitting(2_000, Duration::from_millis(1)), 4_000);
        assert_eq!(fitting(2_000, Duration::from_millis(100)), 2_000);
        assert_eq!(fitting(2_000, Duration::from_millis(400)), 500);
        assert_eq!(fitting(2_000, Duration::from_secs(60)), 100);
        assert_eq!(fitting(50_000, Duration::ZERO), 50_000);
        assert_eq!(Pace::new(LOCK).fitting(2_000, Duration::from_millis(100), &(100..=50_000)), 500);
    }
}
