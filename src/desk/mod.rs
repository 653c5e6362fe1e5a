//! What people see and decide: lists with labels, verdicts, decisions, the rules in words.
//!
//! The one place where a decision is made, whoever asks for it. May be relied on: nothing is shown or decided without the
//! permission in hand ([`Authorised`]), and what is outside its scope does not exist for whoever asks. Labels are read
//! from the source for the answer and kept nowhere.

mod decide;
mod list;
mod policy;
mod show;

use std::sync::Arc;

use tokio::sync::watch;

pub use self::decide::Wish;
pub use self::list::{Item, Listing};
pub use self::policy::{CriterionRule, DependentRule, Rules};
pub use self::show::{Blocked, Card};
use crate::actor::Authorised;
use crate::clock::SharedClock;
use crate::config::Settings;
use crate::erasure::Day;
use crate::record::{CategoryName, FingerprintKey, RecordRef};
use crate::store::{DecisionFailure, Store, StoreError};

/// Where people look and decide.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Arc<Store>,
    settings: watch::Receiver<Arc<Settings>>,
    key: FingerprintKey,
    clock: SharedClock,
}

/// The settings, the day and the key with which a source is looked at.
struct Glass<'d> {
    settings: Arc<Settings>,
    day: Day,
    key: &'d FingerprintKey,
}

/// Why somebody gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no proposal for the record, or none that the asker may see.
    #[error("there is no proposal for {0}")]
    NoSuchRecord(RecordRef),
    /// There is no such category, or none that the asker may see.
    #[error("there is no category {0}")]
    NoSuchCategory(CategoryName),
    /// It cannot be decided so; nothing was.
    #[error("{} of the records cannot be decided about so, and nothing was decided", .0.len())]
    Refused(Vec<DecisionFailure>),
    /// The state is in the way.
    #[error("cannot use the state")]
    Store(#[source] StoreError),
}

impl Desk {
    /// A desk over the state, with the settings as they change.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        settings: watch::Receiver<Arc<Settings>>,
        key: FingerprintKey,
        clock: SharedClock,
    ) -> Self {
        Self { store, settings, key, clock }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.borrow())
    }

    /// What somebody who looks now looks with.
    fn glass(&self) -> Glass<'_> {
        let settings = self.settings();
        let zone = settings.time_zone.clone();
        Glass { day: Day { today: self.clock.today(&zone), zone }, settings, key: &self.key }
    }

    /// The state, for what needs no looking: runs, the trail.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The record, where the asker may see it.
    fn within(leave: &Authorised, record: &RecordRef) -> Result<(), DeskError> {
        if leave.scope().covers(&record.category) { Ok(()) } else { Err(DeskError::NoSuchRecord(record.clone())) }
    }
}
