//! Tells the time.
//!
//! The only room that reads the time of day. Everything else is handed a [`Clock`], so that a test decides what day it
//! is. May be relied on: [`Clock::today`] is the calendar day in the zone that is asked for. Never sleeps.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use nix::time::{ClockId, clock_gettime};

/// Something that tells the time of day.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// How much time has passed since some moment: whoever sets the clock does not move it, and while the machine sleeps
    /// it goes on.
    fn steady(&self) -> Duration;

    /// Names that moment: with another name, `steady` counts from another. Empty where it is not known.
    fn began(&self) -> String;

    /// The calendar day that it is now in `zone`.
    fn today(&self, zone: &TimeZone) -> Date {
        self.now().to_zoned(zone.clone()).date()
    }
}

/// A clock that many tasks hold.
pub type SharedClock = Arc<dyn Clock>;

/// Another text whenever the machine is started.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time of day")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn steady(&self) -> Duration {
        // No kernel that systemd runs on lacks it; without it time would seem to stand still, and the clock not be believed.
        clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
    }

    fn began(&self) -> String {
        std::fs::read_to_string(BOOT_ID).map(|id| id.trim().to_owned()).unwrap_or_default()
    }
}

/// A clock that stands where it was put, for tests and for the demo's journey through time.
#[derive(Debug)]
pub struct SetClock {
    standing: Mutex<(Timestamp, Duration)>,
    /// No other clock has the same.
    number: u64,
}

impl SetClock {
    /// A clock that stands at `at`, of a machine that has just been started.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        Self { standing: Mutex::new((at, Duration::ZERO)), number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }

    fn standing(&self) -> MutexGuard<'_, (Timestamp, Duration)> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the clock to `at`, forwards or back, as somebody who sets it does: no time passes.
    pub fn set(&self, at: Timestamp) {
        self.standing().0 = at;
    }

    /// Lets time pass by `span`; a move beyond the end of the calendar stays where it was. No time passes backwards: then
    /// the clock is set.
    pub fn advance(&self, span: SignedDuration) {
        let mut standing = self.standing();
        standing.0 = standing.0.checked_add(span).unwrap_or(standing.0);
        standing.1 += Duration::try_from(span).unwrap_or_default();
    }

    /// Lets time pass until it is `at`.
    pub fn advance_to(&self, at: Timestamp) {
        self.advance(at.duration_since(self.now()));
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.standing().0
    }

    fn steady(&self) -> Duration {
        self.standing().1
    }

    fn began(&self) -> String {
        format!("set clock {}", self.number)
    }
}

/// A moment at which somebody has looked at a clock, to say later what it should show. It can be written down and read
/// again, and serves until the machine is started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// What the clock showed.
    pub at: Timestamp,
    /// What [`Clock::steady`] gave.
    pub steady: Duration,
    /// And since when it counted.
    pub began: String,
}

impl Anchor {
    /// The present moment.
    #[must_use]
    pub fn of(clock: &dyn Clock) -> Self {
        Self { at: clock.now(), steady: clock.steady(), began: clock.began() }
    }

    /// Whether it serves for this clock: its steady time still counts from the same moment.
    #[must_use]
    pub fn serves(&self, clock: &dyn Clock) -> bool {
        !self.began.is_empty() && self.began == clock.began() && self.steady <= clock.steady()
    }

    /// What the clock would show now if nobody had set it since.
    #[must_use]
    pub fn expected(&self, clock: &dyn Clock) -> Timestamp {
        let passed = clock.steady().saturating_sub(self.steady);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.at.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}

/// Measures how long something takes; tells nothing about the time of day.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_depends_on_the_zone() {
        let clock = SetClock::new("2026-12-31T23:30:00Z".parse().unwrap());
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        assert_eq!(clock.today(&vienna).to_string(), "2027-01-01");
        assert_eq!(clock.today(&TimeZone::UTC).to_string(), "2026-12-31");
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(clock.today(&TimeZone::UTC).to_string(), "2027-01-01");
    }

    #[test]
    fn a_clock_that_was_set_does_not_show_what_it_should() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let clock = SetClock::new(at("2026-12-31T23:30:00Z"));
        let anchor = Anchor::of(&clock);
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(anchor.expected(&clock), clock.now());
        clock.set(at("2031-01-01T00:00:00Z"));
        assert_eq!(anchor.expected(&clock), at("2027-01-01T00:30:00Z"));
        assert!(anchor.serves(&clock) && !anchor.serves(&SetClock::new(clock.now())));
        assert!(SystemClock.steady() > Duration::ZERO && Anchor::of(&SystemClock).serves(&SystemClock));
    }
}
