//! The scheduler's run book, kept in the state, and the jobs that carry its runs out.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::{Mutex, watch};

use super::liveness::Pulse;
use crate::clock::SharedClock;
use crate::config::{Settings, causes};
use crate::jobs::{self, JobError, Keys, Workshop};
use crate::record::SourceName;
use crate::scheduler::{Performer, RunBook, StopSignal};
use crate::store::{JobKind, Run, Store, StoreError};

/// Runs as the state holds them.
#[derive(Debug)]
pub(super) struct Book {
    store: Arc<Store>,
    settings: watch::Receiver<Arc<Settings>>,
    clock: SharedClock,
    pulse: Arc<Pulse>,
    watch: Mutex<Watch>,
}

/// What was looked at and told of, so that it is not at every beat.
#[derive(Debug, Default)]
struct Watch {
    /// The hour in which it was looked last whether removal takes too long.
    hour: Option<i64>,
    /// The day on which it was last told of a source that it does.
    told: BTreeMap<SourceName, Date>,
}

impl Book {
    pub(super) fn new(
        store: Arc<Store>,
        settings: watch::Receiver<Arc<Settings>>,
        clock: SharedClock,
        pulse: Arc<Pulse>,
    ) -> Self {
        Self { store, settings, clock, pulse, watch: Mutex::default() }
    }

    async fn look_after_removal(&self) -> Result<(), StoreError> {
        if self.store.clock_doubt().is_some() {
            // What is owed stays owed until the clock is right.
            if let Err(error) = self.store.note_clock_doubt().await {
                // People can look all the same.
                tracing::error!(error = %causes(&error), "that the clock is not believed could not be written down");
            }
            return Ok(());
        }
        let settings = Arc::clone(&self.settings.borrow());
        jobs::queue_owed(&self.store, &settings).await?;
        self.tell_late(&settings).await
    }

    /// Tells once a day of each source where what was confirmed is not known to be gone for longer than it may take.
    async fn tell_late(&self, settings: &Settings) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut watch = self.watch.lock().await;
        if watch.hour.replace(now.as_second() / 3_600) == Some(now.as_second() / 3_600) {
            return Ok(());
        }
        let today = self.clock.today(&settings.time_zone);
        for late in jobs::late(&self.store, settings, now).await? {
            if watch.told.insert(late.source.clone(), today) != Some(today) {
                tracing::error!(
                    source = %late.source, confirmed_at = %late.confirmed_at, within = late.within,
                    "what was confirmed is not known to be gone for longer than it may take"
                );
            }
        }
        Ok(())
    }
}

impl RunBook for Book {
    type Run = Run;
    type Error = StoreError;

    async fn last_slot(&self, job: JobKind) -> Result<Option<Timestamp>, StoreError> {
        self.store.last_slot(job).await
    }

    async fn count_from(&self, job: JobKind, at: Timestamp) -> Result<(), StoreError> {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await?;
        change.count_from(job, at).await?;
        change.commit().await
    }

    async fn enqueue(&self, job: JobKind, slot: Timestamp) -> Result<(), StoreError> {
        if let Some(doubt) = self.store.clock_doubt() {
            // The slot is not used up: it is due when the clock is right.
            tracing::warn!(job = job.as_str(), %slot, why = %doubt, "nothing is queued by a clock that is not believed");
            return Ok(());
        }
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await?;
        change.enqueue_slot(job, slot).await?;
        change.commit().await
    }

    async fn look_after(&self) -> Result<(), StoreError> {
        self.look_after_removal().await?;
        self.pulse.timer_came_round();
        Ok(())
    }

    async fn take(&self) -> Result<Option<Run>, StoreError> {
        let run = self.store.next_run().await?;
        self.pulse.queue_came_round(run.is_some());
        Ok(run)
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
        let settings = Arc::clone(&self.settings.borrow());
        let workshop = Workshop {
            store: Arc::clone(&self.store),
            settings: Arc::clone(&settings),
            keys: self.keys.clone(),
            clock: Arc::clone(&self.clock),
        };
        // What tightens a rule holds at once: the run ends, and another goes on by the settings in force. A dry run does no
        // harm by older ones.
        let are_older = || {
            let now = self.settings.borrow();
            !run.dry_run && !Arc::ptr_eq(&settings, &now) && !settings.rules_are(&now)
        };
        let done = jobs::perform(&workshop, &run, &|| *stop.borrow() || are_older()).await;
        if are_older() {
            tracing::info!(run = run.id.0, "other settings are in force by now");
        }
        self.ended.send_modify(|count| *count += 1);
        done
    }
}
