//! Whether the clock can be believed: against what is on record, and against a clock that nobody sets.
//!
//! The state knows the newest time that it was written at. A clock that is behind it by more than a little has been set
//! back; one that has moved on faster than time passes was set ahead. Neither is believed, and while it is not, the newest
//! time stays as it was. What it is compared with is written down: a daemon that is started again doubts as before, also
//! after the machine was, until the clock is right or an operator takes its word. A daemon that starts later than it ended
//! was off, which nobody need explain, unless for longer than [`OFF_MAX`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{Change, ClockDoubt, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::clock::{Anchor, Clock, SharedClock};

/// A clock may be so much behind the newest time: they are corrected all the time.
const BACK_MAX: SignedDuration = SignedDuration::from_mins(5);
/// And run ahead of the time that has passed by so much, while the machine is up.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);
/// For longer than this no daemon is off: then somebody has to say that the clock is right.
const OFF_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The newest time is written down so often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What is known of the time.
#[derive(Debug, Clone)]
pub(super) struct Times {
    clock: SharedClock,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The newest time at which the state was written while the clock was believed.
    newest: Option<Timestamp>,
    /// Whether the daemon was off for longer than anybody would believe.
    is_long_ago: bool,
    /// Where the clock stood when it was believed first since the machine was started; none until it is.
    anchor: Option<Anchor>,
    /// What it showed last when it was ahead; none once it is believed again.
    ahead: Option<Timestamp>,
}

impl Known {
    fn read(row: &SqliteRow, clock: &dyn Clock) -> Result<Self, StoreError> {
        let newest = rows::parsed(row, "newest_at")?;
        let stored = (rows::optional(row, "anchor_at")?, rows::get::<Option<i64>>(row, "passed_ms")?);
        let anchor = match stored {
            (Some(at), Some(passed)) => {
                let steady = Duration::from_millis(passed.unsigned_abs());
                Some(Anchor { at, steady, began: rows::get(row, "began")? }).filter(|anchor| anchor.serves(clock))
            }
            _ => None,
        };
        let is_long_ago = clock.now().duration_since(newest) > OFF_MAX;
        Ok(Self { newest: Some(newest), is_long_ago, anchor, ahead: rows::optional(row, "ahead_at")? })
    }

    /// The clock is taken at its word.
    fn believing(clock: &dyn Clock) -> Self {
        Self { newest: Some(clock.now()), anchor: Some(Anchor::of(clock)), ..Self::default() }
    }

    /// Why the clock is not believed when it shows `now`.
    fn doubt(&mut self, now: Timestamp, clock: &dyn Clock) -> Option<ClockDoubt> {
        let newest = self.newest?;
        if newest.duration_since(now) > BACK_MAX {
            return Some(ClockDoubt::Back { now, newest });
        }
        if self.is_long_ago && now.duration_since(newest) > OFF_MAX {
            return Some(ClockDoubt::Off { now, newest });
        }
        let Some(anchor) = &self.anchor else {
            // The machine was started anew. Only a clock that shows less than when it was ahead was set right meanwhile.
            if self.ahead.is_some_and(|ahead| ahead.duration_since(now) <= BACK_MAX) {
                return Some(ClockDoubt::Ahead { now, expected: newest });
            }
            self.anchor = Some(Anchor { at: now, ..Anchor::of(clock) });
            return None;
        };
        let expected = anchor.expected(clock);
        (now.duration_since(expected) > AHEAD_MAX).then_some(ClockDoubt::Ahead { now, expected })
    }

    /// What is to be known from a change on that ends when the clock shows `now`, where it is something that counts.
    fn after(&mut self, now: Timestamp, clock: &dyn Clock) -> Option<Self> {
        let is_over = |since: Option<Timestamp>| since.is_none_or(|since| now.duration_since(since) >= NOTED_EVERY);
        match self.doubt(now, clock) {
            None if is_over(self.newest) || self.ahead.is_some() => {
                Some(Self { newest: self.newest.max(Some(now)), is_long_ago: false, ahead: None, ..self.clone() })
            }
            Some(ClockDoubt::Ahead { .. } | ClockDoubt::Off { .. }) if is_over(self.ahead) => {
                Some(Self { ahead: Some(now), ..self.clone() })
            }
            _ => None,
        }
    }
}

impl Times {
    /// Reads from the state when it was written last.
    pub(super) async fn read(connection: &mut SqliteConnection, clock: SharedClock) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT newest_at, anchor_at, passed_ms, began, ahead_at FROM clock")
            .fetch_optional(connection)
            .await
            .map_err(failed("read when the state was written last"))?;
        let known = row.as_ref().map(|row| Known::read(row, &*clock)).transpose()?;
        let times = Self { known: Arc::new(Mutex::new(known.unwrap_or_default())), clock };
        // From now on it is known where the clock stands, where it is believed.
        times.doubt();
        Ok(times)
    }

    /// For a state that has never been written.
    pub(super) fn new(clock: SharedClock) -> Self {
        let known = Known { newest: None, ..Known::believing(&*clock) };
        Self { known: Arc::new(Mutex::new(known)), clock }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doubt(&self) -> Option<ClockDoubt> {
        let mut known = self.known();
        known.doubt(self.clock().now(), self.clock())
    }
}

impl Store {
    /// Why the clock is not to be believed, where it is not: nothing that depends on the day may be done then.
    #[must_use]
    pub fn clock_doubt(&self) -> Option<ClockDoubt> {
        self.times.doubt()
    }

    /// Writes down that the clock is not believed: whoever opens the state next, does not believe it either.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn note_clock_doubt(&self) -> Result<(), StoreError> {
        // Every change says how late it is.
        self.turn().await.begin().await?.commit().await
    }
}

impl Change<'_> {
    /// Writes down how late it is, as part of the change; gives what is to be remembered once it holds.
    pub(super) async fn write_time(&mut self) -> Result<Option<Known>, StoreError> {
        // The clock may have been set since the change began: what is kept of it is what is judged.
        let (known, was_ahead, now) = {
            let mut known = self.times.known();
            let now = self.times.clock().now();
            (known.after(now, self.times.clock()), known.ahead.is_some(), now)
        };
        if let Some(known) = &known {
            self.write_known(known).await?;
            if was_ahead && known.ahead.is_none() {
                self.date_waits(now).await?;
            }
        }
        Ok(known)
    }

    async fn write_known(&mut self, known: &Known) -> Result<(), StoreError> {
        let anchor = known.anchor.as_ref();
        let passed = anchor.map(|anchor| i64::try_from(anchor.steady.as_millis()).unwrap_or(i64::MAX));
        sqlx::query(
            "INSERT OR REPLACE INTO clock (one, newest_at, anchor_at, passed_ms, began, ahead_at) \
             VALUES (1, ?1, ?2, ?3, ?4, ?5)",
        )
        .bind(known.newest.map(rows::instant))
        .bind(anchor.map(|anchor| rows::instant(anchor.at)))
        .bind(passed)
        .bind(anchor.map(|anchor| anchor.began.as_str()))
        .bind(known.ahead.map(rows::instant))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write how late it is"))?;
        Ok(())
    }

    /// What was confirmed, or whose release was asked for, while the clock was ahead would wait until then: it counts from
    /// now, for nobody knows when it was, and no wait becomes shorter by it.
    async fn date_waits(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let now = rows::instant(now);
        let done = sqlx::query("UPDATE proposal SET confirmed_at = ?1 WHERE state = 'confirmed' AND confirmed_at > ?1")
            .bind(&now)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write when proposals were confirmed"))?;
        let records = done.rows_affected();
        if records > 0 {
            tracing::warn!(records, "confirmed while the clock was ahead: they count as confirmed now");
        }
        let done = sqlx::query("UPDATE hold SET asked_at = ?1 WHERE released_seq IS NULL AND asked_at > ?1")
            .bind(&now)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write when releases were asked for"))?;
        let holds = done.rows_affected();
        if holds > 0 {
            tracing::warn!(holds, "their release was asked for while the clock was ahead: it counts as asked for now");
        }
        Ok(())
    }

    pub(super) fn remember(times: &Times, known: Option<Known>) {
        known.into_iter().for_each(|known| *times.known() = known);
    }

    /// Takes the clock's word, whatever it has shown before. Gives what it had shown, where it is not believed.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn accept_clock(&mut self, by: &By) -> Result<Option<Timestamp>, StoreError> {
        let newest = self.times.known().newest;
        let Some(newest) = newest.filter(|_| self.times.doubt().is_some()) else {
            return Ok(None);
        };
        let known = Known::believing(self.times.clock());
        self.write_known(&known).await?;
        self.date_waits(self.times.clock().now()).await?;
        self.append(by, &Kind::ClockAccepted { newest: rows::instant(newest) }).await?;
        // Now, for this very change says how late it is.
        *self.times.known() = known;
        Ok(Some(newest))
    }
}
