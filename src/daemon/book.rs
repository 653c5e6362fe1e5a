//! The scheduler's run book, kept in the state, and the jobs that carry its runs out.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::clock::SharedClock;
use crate::config::Settings;
use crate::jobs::{self, JobError, Keys, Workshop};
use crate::scheduler::{Performer, RunBook, StopSignal};
use crate::store::{JobKind, Run, Store, StoreError};

/// Runs as the state holds them.
#[derive(Debug)]
pub(super) struct Book(pub(super) Arc<Store>);

impl RunBook for Book {
    type Run = Run;
    type Error = StoreError;

    async fn last_slot(&self, job: JobKind) -> Result<Option<Timestamp>, StoreError> {
        self.0.last_slot(job).await
    }

    async fn count_from(&self, job: JobKind, at: Timestamp) -> Result<(), StoreError> {
        let mut turn = self.0.turn().await;
        let mut change = turn.begin().await?;
        change.count_from(job, at).await?;
        change.commit().await
    }

    async fn enqueue(&self, job: JobKind, slot: Timestamp) -> Result<(), StoreError> {
        if let Some(doubt) = self.0.clock_doubt() {
            // The slot is not used up: it is due when the clock is right.
            tracing::warn!(job = job.as_str(), %slot, why = %doubt, "nothing is queued by a clock that is not believed");
            return Ok(());
        }
        let mut turn = self.0.turn().await;
        let mut change = turn.begin().await?;
        change.enqueue_slot(job, slot).await?;
        change.commit().await
    }

    async fn take(&self) -> Result<Option<Run>, StoreError> {
        self.0.next_run().await
    }
}

/// Carries runs out, and tells whoever waits for one.
pub(super) struct Runner {
    pub(super) store: Arc<Store>,
    pub(super) settings: watch::Receiver<Arc<Settings>>,
    pub(super) keys: Keys,
    pub(super) clock: SharedClock,
    /// Changes whenever a run has ended.
    pub(super) ended: watch::Sender<u64>,
}

impl Runner {
    async fn start(&self, run: &Run) -> Result<(), StoreError> {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await?;
        jobs::begin(&mut change, run).await?;
        change.commit().await
    }
}

impl Performer<Run> for Runner {
    type Error = JobError;

    async fn perform(&self, run: Run, stop: StopSignal) -> Result<(), JobError> {
        if *stop.borrow() {
            // Not begun: it stays queued and is carried out after the next start.
            return Ok(());
        }
        self.start(&run).await.map_err(JobError::Store)?;
        let workshop = Workshop {
            store: Arc::clone(&self.store),
            settings: Arc::clone(&self.settings.borrow()),
            keys: self.keys.clone(),
            clock: Arc::clone(&self.clock),
        };
        let done = jobs::perform(&workshop, &run, &move || *stop.borrow()).await;
        self.ended.send_modify(|count| *count += 1);
        done
    }
}
