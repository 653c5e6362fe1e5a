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
use crate::jobs::{JobError, Keys, Workshop};
use crate::record::{CategoryName, RecordRef};
use crate::store::{DecisionFailure, Store, StoreError};

/// Where people look and decide.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Arc<Store>,
    settings: watch::Receiver<Arc<Settings>>,
    keys: Keys,
    clock: SharedClock,
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
    /// A source is in the way.
    #[error("cannot look")]
    Job(#[source] JobError),
}

impl Desk {
    /// A desk over the state, with the settings as they change.
    #[must_use]
    pub fn new(store: Arc<Store>, settings: watch::Receiver<Arc<Settings>>, keys: Keys, clock: SharedClock) -> Self {
        Self { store, settings, keys, clock }
    }

    /// What the jobs would work with now.
    #[must_use]
    pub fn workshop(&self) -> Workshop {
        Workshop {
            store: Arc::clone(&self.store),
            settings: Arc::clone(&self.settings.borrow()),
            keys: self.keys.clone(),
            clock: Arc::clone(&self.clock),
        }
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
