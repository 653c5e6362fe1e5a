//! Carries out a run: begins it on the record, does it, closes it, signs the trail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::patience::{TRIES, again_in};
use super::samples::Samples;
use super::{Foreseen, JobError, Workshop, erase, prepare, prune, remove, store};
use crate::actor::Actor;
use crate::audit::By;
use crate::clock::Stopwatch;
use crate::config::SourceSettings;
use crate::erasure::pass;
use crate::record::{CategoryName, SourceName};
use crate::store::{Change, Doing, JobKind, Run, RunId, RunOutcome, RunReport, RunTrigger, Stage, Store, StoreError};

/// What a run has come to so far.
#[derive(Default)]
pub(super) struct Progress<'w> {
    /// What was done.
    pub(super) report: RunReport,
    /// Who wants to be told of every record that a dry run looks at.
    pub(super) watcher: Option<&'w mut (dyn FnMut(Foreseen) + Send + Sync)>,
    /// What could not be done, in sentences.
    pub(super) troubles: Vec<String>,
    /// Whether it was stopped before its end.
    pub(super) is_stopped: bool,
    /// What stands for the sets over which the run goes on in spite of the brake, by category.
    pub(super) overrides: BTreeMap<String, String>,
    /// Values of some of those who are erased, to be looked for afterwards.
    pub(super) samples: Samples,
    /// Sources whose hours were over; each was told of once.
    pub(super) outside_hours: BTreeSet<SourceName>,
    /// Whether the clock was not believed at some moment.
    pub(super) is_doubtful: bool,
    /// Sources that the application kept locked to the end.
    pub(super) locked: BTreeSet<SourceName>,
    /// Since how far it is was written down.
    pub(super) noted: Option<Stopwatch>,
}

impl Progress<'_> {
    /// Notes what is wrong with a source or a category; the run goes on without it.
    pub(super) fn trouble(&mut self, what: String) {
        tracing::warn!(trouble = %what, "a part of the run is left out");
        self.troubles.push(what);
    }

    /// Notes what is wrong; the same once, however often it is found.
    pub(super) fn trouble_once(&mut self, what: String) {
        if !self.troubles.contains(&what) {
            self.trouble(what);
        }
    }

    /// Whether anything may be begun on the source. From the first time that it is asked for outside its hours, nothing is
    /// in this run, even if they begin meanwhile: otherwise a category would be left out between two that were not. A dry
    /// run changes nothing, and may look at any time.
    pub(super) fn may_begin(&mut self, workshop: &Workshop, described: &SourceSettings, run: Option<RunId>) -> bool {
        if run.is_none() {
            return true;
        }
        if self.note_doubt(workshop) {
            return false;
        }
        if !self.outside_hours.contains(&described.name) && workshop.hours_of(described)() {
            return true;
        }
        self.note_outside_hours(described);
        false
    }

    /// Whether the run is to stop, or was: then it stays so.
    pub(super) fn hears(&mut self, stop: Stop<'_>) -> bool {
        self.is_stopped = self.is_stopped || stop();
        self.is_stopped
    }

    /// Notes why a batch was left off in its middle.
    pub(super) fn note_left_off(
        &mut self,
        workshop: &Workshop,
        described: &SourceSettings,
        run: RunId,
        stop: Stop<'_>,
    ) {
        self.hears(stop);
        self.may_begin(workshop, described, Some(run));
    }

    /// Notes, once, that the clock is not believed any more; from then on nothing is begun in this run. Gives whether so.
    pub(super) fn note_doubt(&mut self, workshop: &Workshop) -> bool {
        if let Some(doubt) = workshop.store.clock_doubt()
            && !std::mem::replace(&mut self.is_doubtful, true)
        {
            self.trouble(doubt.to_string());
        }
        self.is_doubtful
    }

    /// Notes, once, that a source is left alone for the rest of the run.
    pub(super) fn note_outside_hours(&mut self, described: &SourceSettings) {
        let name = &described.name;
        if let Some(hours) = described.hours
            && self.outside_hours.insert(name.clone())
        {
            self.trouble(format!("{name}: outside its hours, {hours}; what is left is done by the next run"));
        }
    }

    /// Notes that the application has kept a source locked, however often it was tried.
    pub(super) fn note_locked(&mut self, described: &SourceSettings) {
        let (name, span) = (&described.name, format!("{:?}", described.lock_wait));
        if self.locked.insert(name.clone()) {
            self.trouble(format!(
                "{name}: the application kept the database locked, {TRIES} times for {span}; something of it is left"
            ));
        }
    }

    /// Notes that a category is left out, and why.
    pub(super) fn note_stopped(&mut self, category: &CategoryName, reason: &str) {
        self.report.stopped.insert(category.as_str().to_owned(), reason.to_owned());
    }

    /// Notes what the run is at, where it is on record.
    pub(super) async fn is_at(
        &mut self,
        workshop: &Workshop,
        run: Option<RunId>,
        doing: Doing,
        of: &impl ToString,
    ) -> Result<(), JobError> {
        self.report.stage = Some(Stage { doing, of: of.to_string(), rows: 0 });
        match run {
            Some(run) => self.note(workshop, run).await,
            None => Ok(()),
        }
    }

    /// Notes how many more rows were looked at.
    pub(super) async fn has_seen(
        &mut self,
        workshop: &Workshop,
        run: Option<RunId>,
        rows: u64,
    ) -> Result<(), JobError> {
        if let Some(stage) = &mut self.report.stage {
            stage.rows += rows;
        }
        match run {
            Some(run) if self.noted.as_ref().is_none_or(|noted| noted.elapsed() >= PROGRESS_EVERY) => {
                self.note(workshop, run).await
            }
            _ => Ok(()),
        }
    }

    async fn note(&mut self, workshop: &Workshop, run: RunId) -> Result<(), JobError> {
        note_progress(workshop, run, self).await.map_err(store)?;
        self.noted = Some(Stopwatch::start());
        Ok(())
    }

    fn outcome(&self) -> RunOutcome {
        if self.is_stopped {
            RunOutcome::Stopped
        } else if self.troubles.is_empty() {
            RunOutcome::Done
        } else {
            RunOutcome::Partly
        }
    }

    fn reason(&self) -> Option<String> {
        (!self.troubles.is_empty()).then(|| self.troubles.join("; "))
    }
}

/// Whether a run is wanted no longer. Asked between batches.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// How far a run is is written down so often.
pub(super) const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Between two looks whether something long is wanted no longer.
const STOP_LOOKS: Duration = Duration::from_millis(50);

/// Waits for work that asks `is_stopped` whether it is to be broken off, and lets it hear of `stop`.
pub(super) async fn hearing<T>(stop: Stop<'_>, is_stopped: &AtomicBool, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(STOP_LOOKS) => {
                if stop() {
                    is_stopped.store(true, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Carries out a run that has begun on the record, to its end or to the end of the batch in which `stop` becomes true.
///
/// # Errors
/// When the state cannot be written: the daemon then cannot know what it does, and must not go on.
#[tracing::instrument(skip_all, fields(run = run.id.0, job = %run.job, dry_run = run.dry_run))]
pub async fn perform(workshop: &Workshop, run: &Run, stop: Stop<'_>) -> Result<(), JobError> {
    tracing::info!("the run begins");
    let mut progress = Progress::default();
    if let Some(over) = workshop.store.override_of(run.id).await.map_err(store)? {
        progress.report.overrides = Some(over.of);
        progress.overrides = over.digests;
    }
    let record = (!run.dry_run).then_some(run.id);
    let done = match workshop.store.clock_doubt().filter(|_| record.is_some()) {
        None => dispatch(workshop, run.job, record, &mut progress, stop).await,
        Some(doubt) => Err(JobError::Clock(doubt)),
    };
    progress.report.stage = None;
    pass("run-finishing");
    let outcome = match &done {
        Ok(()) => progress.outcome(),
        Err(error) => {
            progress.troubles.push(error.told());
            RunOutcome::Failed
        }
    };
    finish(workshop, run, outcome, &mut progress).await.map_err(store)?;
    tracing::info!(outcome = outcome.as_str(), "the run is over");
    match done {
        Err(error) if error.is_fatal() => Err(error),
        _ => Ok(()),
    }
}

pub(super) async fn dispatch(
    workshop: &Workshop,
    job: JobKind,
    record: Option<RunId>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    match job {
        JobKind::Prepare => {
            prepare::prepare(workshop, record, progress, stop).await?;
            match record {
                Some(run) if !progress.is_stopped => prune::prune(workshop, run, progress, stop).await,
                _ => Ok(()),
            }
        }
        JobKind::Erase => erase::erase(workshop, record, progress, stop).await,
        JobKind::Remove => remove::try_again(workshop, record, progress, stop).await,
    }
}

async fn finish(
    workshop: &Workshop,
    run: &Run,
    outcome: RunOutcome,
    progress: &mut Progress<'_>,
) -> Result<(), StoreError> {
    let mut turn = workshop.store.turn().await;
    let mut change = turn.begin().await?;
    if outcome == RunOutcome::Partly && !run.dry_run && !progress.locked.is_empty() {
        try_again(workshop, &mut change, run, progress).await?;
    }
    change.finish_run(run.id, outcome, &progress.report, progress.reason().as_deref()).await?;
    if outcome == RunOutcome::Stopped && !run.dry_run {
        queue_again(&mut change, run.job).await?;
    }
    let note = change.add_checkpoint(&By::run(run.id.0), &workshop.keys.checkpoint).await?;
    change.commit().await?;
    // Into the log too: whoever rewrites the state contradicts it.
    tracing::info!(checkpoint = %note, "the trail is signed");
    Ok(())
}

/// What was left because the application kept its lock is tried again by itself, later and not for ever.
async fn try_again(
    workshop: &Workshop,
    change: &mut Change<'_>,
    run: &Run,
    progress: &mut Progress<'_>,
) -> Result<(), StoreError> {
    let at = again_in(run.tries).and_then(|span| workshop.clock.now().checked_add(span).ok());
    let Some(at) = at else {
        progress.troubles.push("what is left is done by the next run".to_owned());
        return Ok(());
    };
    let id = change.queue_again_at(run.job, at, run.tries + 1).await?;
    progress.troubles.push(format!("run {id} tries again what is left, from {at:.0} on"));
    Ok(())
}

/// A queued run begins. What another was to try again later is this one's business now.
///
/// # Errors
/// When the state cannot be written.
pub async fn begin(change: &mut Change<'_>, run: &Run) -> Result<(), StoreError> {
    change.start_run(run.id).await?;
    if !run.dry_run {
        let id = run.id;
        change.call_off(run.job, id, &format!("run {id} has begun before it and does what was left")).await?;
    }
    Ok(())
}

/// What a run has left undone is done by another, after the next start: a weekly slot would come a week later.
async fn queue_again(change: &mut Change<'_>, job: JobKind) -> Result<(), StoreError> {
    let trigger = RunTrigger::Manual { actor: Actor::Daemon, request: None };
    change.queue_run(job, &trigger, false).await.map(drop)
}

/// Queues a run for what was left undone by one that the daemon's end has cut short. A dry run leaves nothing undone.
/// In the very change that closes the one cut short: a kill between the two would lose the rest.
///
/// # Errors
/// When the state cannot be read or written.
pub async fn queue_rest(store: &Store, change: &mut Change<'_>, run: RunId) -> Result<(), StoreError> {
    let Some(run) = store.run(run).await?.filter(|run| !run.dry_run) else {
        return Ok(());
    };
    let is_queued = store
        .queued_runs()
        .await?
        .iter()
        .any(|queued| queued.job == run.job && !queued.dry_run && queued.not_before.is_none());
    if is_queued {
        return Ok(());
    }
    queue_again(change, run.job).await
}

/// Writes down how far a run is.
pub(super) async fn note_progress(workshop: &Workshop, run: RunId, progress: &Progress<'_>) -> Result<(), StoreError> {
    let mut turn = workshop.store.turn().await;
    let mut change = turn.begin().await?;
    change.run_progress(run, &progress.report).await?;
    change.commit().await
}
