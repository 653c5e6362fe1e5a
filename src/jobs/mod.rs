//! The jobs: prepare, erase, remove, and settlement before them.
//!
//! One file for each job, which tells it as a reader would. May be relied on: a dry run goes through the same code as a
//! run, up to where it would be written down; a run is closed with what it did, however it ends; what is wrong with one
//! source or category stops that one by name, and the others go on; outside a source's hours nothing is begun there. Never
//! erases what the engine has not planned under the source's lock.

mod ahead;
mod back;
mod batches;
mod brake;
mod erase;
mod foresee;
mod gate;
mod journal;
mod patience;
mod prepare;
mod proof;
mod prune;
mod remove;
mod run;
mod samples;
mod settle;
mod shells;
mod together;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

pub use self::foresee::{Foreseen, Future, foresee};
pub use self::proof::{look_through, look_through_state};
pub use self::remove::{Late, late, queue_owed};
pub use self::run::{Stop, begin, perform, queue_rest};
pub use self::settle::{SettleError, reopen, settle};
use crate::audit::CheckpointKey;
use crate::clock::SharedClock;
use crate::config::{Settings, SourceSettings, causes};
use crate::erasure::{Day, EngineError, JournalError, OpenError};
use crate::record::{CategoryName, FingerprintKey};
use crate::source::SourceError;
use crate::store::{ClockDoubt, Store, StoreError};

/// The keys that the daemon signs and recognises by.
#[derive(Debug, Clone)]
pub struct Keys {
    /// For fingerprints.
    pub fingerprint: FingerprintKey,
    /// For checkpoints.
    pub checkpoint: Arc<CheckpointKey>,
}

/// What every job works with.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// The state.
    pub store: Arc<Store>,
    /// The settings in force when the job began.
    pub settings: Arc<Settings>,
    /// The keys.
    pub keys: Keys,
    /// The time.
    pub clock: SharedClock,
}

impl Workshop {
    /// The day that verdicts are given for.
    #[must_use]
    pub fn day(&self) -> Day {
        Day { today: self.today(), zone: self.settings.time_zone.clone() }
    }

    /// What tells, whenever it is asked, whether jobs may work on the source at that time of day.
    fn hours_of(&self, described: &SourceSettings) -> impl Fn() -> bool + Send + Sync + use<> {
        let (hours, clock, zone) = (described.hours, Arc::clone(&self.clock), self.settings.time_zone.clone());
        move || hours.is_none_or(|hours| hours.hold_at(clock.now(), &zone))
    }

    /// What tells whether a walk through the source may go on: its hours hold, and the clock is believed.
    fn may_go_on(&self, described: &SourceSettings) -> impl Fn() -> bool + Send + Sync + use<> {
        let (hours_hold, state) = (self.hours_of(described), Arc::clone(&self.store));
        move || hours_hold() && state.clock_doubt().is_none()
    }

    /// What tells whether anything more may be begun on the source in a run.
    fn may_begin_more<'a>(
        &self,
        described: &SourceSettings,
        stop: Stop<'a>,
    ) -> impl Fn() -> bool + Send + Sync + use<'a> {
        let may_go_on = self.may_go_on(described);
        move || !stop() && may_go_on()
    }

    /// Before which instant a confirmation of the category must have been given, so that it may be acted on now; `None`: any
    /// will do.
    fn ripe_before(&self, category: &CategoryName) -> Option<Timestamp> {
        let cooling_off = self.settings.categories.get(category)?.cooling_off.as_ref()?;
        let now = self.clock.now().to_zoned(self.settings.time_zone.clone());
        // Before the calendar's beginning nothing was confirmed.
        Some(cooling_off.value.before(&now).unwrap_or(Timestamp::MIN))
    }

    /// The calendar day in the settings' zone.
    #[must_use]
    pub fn today(&self) -> Date {
        self.clock.today(&self.settings.time_zone)
    }
}

/// Why a job stopped, or a part of it.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A source is in the way.
    #[error("cannot use the source {name}")]
    Source {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// A source cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// The state is in the way.
    #[error("cannot use the state")]
    Store(#[source] StoreError),
    /// The clock is not believed.
    #[error("{0}")]
    Clock(ClockDoubt),
    /// A batch could not be carried out.
    #[error("cannot erase {category}")]
    Engine {
        /// The category.
        category: String,
        /// Why.
        #[source]
        source: EngineError,
    },
}

impl JobError {
    /// What of it lies with the source, where anything does.
    fn of_source(&self) -> Option<&SourceError> {
        match self {
            Self::Source { source, .. }
            | Self::Open(OpenError::Source { source, .. })
            | Self::Engine { source: EngineError::Source(source) | EngineError::Unsettled(source), .. } => Some(source),
            Self::Open(OpenError::Unknown(_)) | Self::Store(_) | Self::Clock(_) | Self::Engine { .. } => None,
        }
    }

    /// Whether the application keeps the source locked, and nothing else is wrong.
    fn is_passing(&self) -> bool {
        self.of_source().is_some_and(SourceError::is_passing)
    }

    /// Whether nothing more should be tried with the source in this run.
    fn is_about_the_source(&self) -> bool {
        matches!(self, Self::Engine { source: EngineError::Foreign | EngineError::Unsettled(_), .. })
            || self.of_source().is_some_and(SourceError::is_about_the_file)
    }

    /// What somebody is told of it, with what to do where there is something.
    fn told(&self) -> String {
        let told = causes(self);
        match self.of_source().and_then(SourceError::hint) {
            Some(hint) => format!("{told} ({hint})"),
            None => told,
        }
    }

    /// Whether nothing may follow: the state itself is in the way.
    fn is_fatal(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Engine { source: EngineError::Journal(_), .. })
    }

    /// Whether the application has changed its schema meanwhile: the settings are to be laid over it anew.
    fn is_schema_changed(&self) -> bool {
        matches!(
            self,
            Self::Source { source: SourceError::SchemaChanged, .. }
                | Self::Engine { source: EngineError::Source(SourceError::SchemaChanged), .. }
        )
    }
}

fn store(error: StoreError) -> JobError {
    JobError::Store(error)
}

fn journal(error: StoreError) -> JournalError {
    JournalError(Box::new(error))
}
