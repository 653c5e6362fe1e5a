//! Keeping time, and running the queue.
//!
//! Two tasks share a [`Scheduler`]. One asks at every beat what is due and writes it into the run book. The other takes
//! runs from the book, scheduled and manual ones alike, one after the other. Between them there is nothing but the book:
//! what is in it survives the daemon.

use std::collections::BTreeSet;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, Notify, watch};

use super::{Beat, Slot, TimerError, Timetable};
use crate::clock::SharedClock;
use crate::store::JobKind;

/// Becomes true when the daemon is to stop. A sender that is gone means the same.
pub type StopSignal = watch::Receiver<bool>;

/// How far a slot may lie ahead of the clock before somebody should know: more than any change of zones.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(26);

/// Where runs are written down: the daemon's own database.
pub trait RunBook: Send + Sync {
    /// A run that was taken from the queue.
    type Run: Send;
    /// Why the book cannot be read or written.
    type Error: Error + Send + Sync + 'static;

    /// The slot of `job` last enqueued or counted from; `None` before the first start.
    fn last_slot(&self, job: JobKind) -> impl Future<Output = Result<Option<Timestamp>, Self::Error>> + Send;

    /// From now on slots of `job` count after `at`. Replaces what [`last_slot`](Self::last_slot) gives.
    fn count_from(&self, job: JobKind, at: Timestamp) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Queues a run of `job` for the slot at `slot` and makes it the last slot, in one transaction. Where a run of the job
    /// is queued already and has not begun, that one will do.
    fn enqueue(&self, job: JobKind, slot: Timestamp) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Looks after what is owed beside the schedules, and queues what its time has come for.
    fn look_after(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Takes the oldest queued run and writes down that it is running; `None` when nothing is queued.
    fn take(&self) -> impl Future<Output = Result<Option<Self::Run>, Self::Error>> + Send;
}

/// Who carries runs out.
pub trait Performer<Run>: Send + Sync {
    /// Why the daemon cannot go on. A run that merely failed is written down as failed, and is no such error.
    type Error: Error + Send + Sync + 'static;

    /// Carries `run` out to its end, or to the end of the batch in which `stop` becomes true.
    fn perform(&self, run: Run, stop: StopSignal) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Why schedules are no longer kept or runs no longer carried out. Each stops the daemon.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The run book failed.
    #[error("cannot {action} in the run book")]
    Book {
        /// What was tried.
        action: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The timer is dead.
    #[error("cannot keep the schedules")]
    Timer(#[source] TimerError),
    /// A run ended in a way that leaves the daemon unfit to go on.
    #[error("cannot carry out a run")]
    Perform(#[source] Box<dyn Error + Send + Sync>),
}

fn book<E: Error + Send + Sync + 'static>(action: &'static str) -> impl FnOnce(E) -> SchedulerError {
    move |source| SchedulerError::Book { action, source: Box::new(source) }
}

/// Says which runs there are to be, and carries them out one at a time.
#[derive(Debug)]
pub struct Scheduler<B> {
    book: Arc<B>,
    clock: SharedClock,
    bell: Notify,
    turn: Mutex<()>,
}

impl<B: RunBook> Scheduler<B> {
    /// A scheduler over `book`.
    #[must_use]
    pub fn new(book: Arc<B>, clock: SharedClock) -> Self {
        Self { book, clock, bell: Notify::new(), turn: Mutex::new(()) }
    }

    /// Tells the runner that something was queued. A ring that nobody hears yet is kept.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Enqueues what becomes due, until `stop`: at once, then at every beat. A timetable that is exchanged counts from the
    /// exchange: a schedule that somebody has just written never makes yesterday's slots due.
    ///
    /// # Errors
    /// When the timer is dead or the book fails.
    pub async fn keep_time(
        &self,
        beat: &mut impl Beat,
        mut timetable: watch::Receiver<Arc<Timetable>>,
        mut stop: StopSignal,
    ) -> Result<(), SchedulerError> {
        let mut warned = BTreeSet::new();
        let mut current = timetable.borrow_and_update().clone();
        loop {
            self.enqueue_due(&current, &mut warned).await?;
            self.ring();
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return Ok(()),
                Ok(()) = timetable.changed() => {
                    let next = timetable.borrow_and_update().clone();
                    // What fell due under the old timetable since the last beat is still owed.
                    self.enqueue_due(&current, &mut warned).await?;
                    self.count_anew(&current, &next).await?;
                    current = next;
                }
                beaten = beat.next() => beaten.map_err(SchedulerError::Timer)?,
            }
        }
    }

    /// Carries out queued runs, oldest first, one at a time, until `stop`. What is queued then stays queued. A second call
    /// waits until the first has returned.
    ///
    /// # Errors
    /// When the book fails or a run leaves the daemon unfit to go on.
    pub async fn run_queue(
        &self,
        performer: &impl Performer<B::Run>,
        mut stop: StopSignal,
    ) -> Result<(), SchedulerError> {
        let _turn = self.turn.lock().await;
        loop {
            if *stop.borrow() {
                return Ok(());
            }
            if let Some(run) = self.book.take().await.map_err(book("take a run"))? {
                let performed = performer.perform(run, stop.clone()).await;
                performed.map_err(|error| SchedulerError::Perform(Box::new(error)))?;
                continue;
            }
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return Ok(()),
                () = self.bell.notified() => {}
            }
        }
    }

    async fn enqueue_due(&self, timetable: &Timetable, warned: &mut BTreeSet<JobKind>) -> Result<(), SchedulerError> {
        self.book.look_after().await.map_err(book("look after what is owed"))?;
        let now = self.clock.now();
        for (job, _) in timetable.crons() {
            let Some(last) = self.last_slot(job).await? else {
                self.book.count_from(job, now).await.map_err(book("begin counting slots"))?;
                continue;
            };
            if last.duration_since(now) > AHEAD_MAX && warned.insert(job) {
                warn_of_clock(job, last, now);
            }
            if let Some(slot) = timetable.due(job, Some(last), now) {
                self.enqueue(job, slot).await?;
            }
        }
        Ok(())
    }

    async fn enqueue(&self, job: JobKind, slot: Slot) -> Result<(), SchedulerError> {
        tracing::info!(job = job.as_str(), slot = %slot.at, late = slot.is_late, "a run is due");
        self.book.enqueue(job, slot.at).await.map_err(book("queue a run"))
    }

    async fn count_anew(&self, old: &Timetable, new: &Timetable) -> Result<(), SchedulerError> {
        let now = self.clock.now();
        for (job, _) in new.crons() {
            if !new.agrees_on(job, old) {
                let from = self.last_slot(job).await?.map_or(now, |last| last.max(now));
                self.book.count_from(job, from).await.map_err(book("begin counting slots"))?;
            }
        }
        Ok(())
    }

    async fn last_slot(&self, job: JobKind) -> Result<Option<Timestamp>, SchedulerError> {
        self.book.last_slot(job).await.map_err(book("look up the last slot"))
    }
}

fn warn_of_clock(job: JobKind, last_slot: Timestamp, now: Timestamp) {
    tracing::warn!(
        job = job.as_str(), %last_slot, %now,
        "the clock was set back: the job runs by itself again only after its last slot"
    );
}

async fn stopped(stop: &mut StopSignal) {
    // An error says that the sender is gone, which means stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests;
