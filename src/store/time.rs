//! Whether the clock can be believed: against what is on record, and against a clock that nobody sets.
//!
//! The state knows the newest time that it was written at. A clock that is behind it by more than a little has been set
//! back; one that has moved on faster than time passes was set ahead. Neither is believed, and while it is not, the newest
//! time stays as it was. A daemon that starts later than it ended was off, which nobody need explain, unless for longer
//! than [`OFF_MAX`].

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::error::failed;
use super::{Change, ClockDoubt, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::clock::{Anchor, Clock, SharedClock};

/// A clock may be so much behind the newest time: they are corrected all the time.
const BACK_MAX: SignedDuration = SignedDuration::from_mins(5);
/// And run ahead of the time that has passed by so much, while the daemon is up.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);
/// For longer than this no daemon is off: then somebody has to say that the clock is right.
const OFF_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The newest time is written down so often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What is known of the time.
#[derive(Debug, Clone)]
pub(super) struct Times {
    clock: SharedClock,
    /// Where the clock stood when the state was opened.
    anchor: Anchor,
    newest: Arc<Mutex<Newest>>,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    at: Option<Timestamp>,
    /// Whether the daemon was off for longer than anybody would believe.
    is_long_ago: bool,
}

impl Times {
    /// Reads from the state when it was written last.
    pub(super) async fn read(connection: &mut SqliteConnection, clock: SharedClock) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT newest_at FROM clock")
            .fetch_optional(connection)
            .await
            .map_err(failed("read when the state was written last"))?;
        let at: Option<Timestamp> = row.as_ref().map(|row| rows::parsed(row, "newest_at")).transpose()?;
        let is_long_ago = at.is_some_and(|at| clock.now().duration_since(at) > OFF_MAX);
        Ok(Self::from(clock, Newest { at, is_long_ago }))
    }

    /// For a state that has never been written.
    pub(super) fn new(clock: SharedClock) -> Self {
        Self::from(clock, Newest { at: None, is_long_ago: false })
    }

    fn from(clock: SharedClock, newest: Newest) -> Self {
        Self { anchor: Anchor::of(&*clock), clock, newest: Arc::new(Mutex::new(newest)) }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn newest(&self) -> Newest {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doubt(&self) -> Option<ClockDoubt> {
        let (now, known) = (self.clock.now(), self.newest());
        let newest = known.at?;
        let expected = self.anchor.expected(self.clock());
        if newest.duration_since(now) > BACK_MAX {
            Some(ClockDoubt::Back { now, newest })
        } else if known.is_long_ago && now.duration_since(newest) > OFF_MAX {
            Some(ClockDoubt::Off { now, newest })
        } else if now.duration_since(expected) > AHEAD_MAX {
            Some(ClockDoubt::Ahead { now, expected })
        } else {
            None
        }
    }

    /// The time to be written down with a change at `now`, where it is one that counts.
    fn to_be_noted(&self, now: Timestamp) -> Option<Timestamp> {
        let is_due = self.newest().at.is_none_or(|newest| now.duration_since(newest) >= NOTED_EVERY);
        (is_due && self.doubt().is_none()).then_some(now)
    }

    fn note(&self, at: Timestamp) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Newest { at: Some(at), is_long_ago: false };
    }
}

impl Store {
    /// Why the clock is not to be believed, where it is not: nothing that depends on the day may be done then.
    #[must_use]
    pub fn clock_doubt(&self) -> Option<ClockDoubt> {
        self.times.doubt()
    }
}

impl Change<'_> {
    /// Writes down how late it is, as part of the change; gives what is to be remembered once it holds.
    pub(super) async fn write_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let at = self.times.to_be_noted(self.now);
        if let Some(at) = at {
            self.write_newest(at).await?;
        }
        Ok(at)
    }

    async fn write_newest(&mut self, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO clock (one, newest_at) VALUES (1, ?1) \
             ON CONFLICT (one) DO UPDATE SET newest_at = excluded.newest_at",
        )
        .bind(rows::instant(at))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write how late it is"))?;
        Ok(())
    }

    pub(super) fn remember(times: &Times, noted: Option<Timestamp>) {
        noted.into_iter().for_each(|at| times.note(at));
    }

    /// Takes the clock's word, whatever it has shown before. Gives what it had shown, where it is not believed.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn accept_clock(&mut self, by: &By) -> Result<Option<Timestamp>, StoreError> {
        let (now, newest) = (self.times.clock().now(), self.times.newest().at);
        let Some(newest) = newest.filter(|_| self.times.doubt().is_some()) else {
            return Ok(None);
        };
        self.write_newest(now).await?;
        self.append(by, &Kind::ClockAccepted { newest: rows::instant(newest) }).await?;
        Ok(Some(newest))
    }
}
