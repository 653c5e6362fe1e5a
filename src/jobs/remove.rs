//! Removal: what was erased from a source's tables goes from its files too.
//!
//! Every batch's outcome writes down which steps are owed; the final job does them at its end, and the job `remove` does
//! again what could not be done then. This is the one place where they are done. A step is settled only when it is known
//! to be done; until then it is owed, told of and tried again. None changes what any table holds, so that each can be cut
//! short anywhere and begun anew, but for one: writing the whole file anew may number rows anew, and until the full-text
//! indexes over them are made anew searches find somebody else. So these are owed before it begins, follow it at once whatever
//! else is wanted, and come before everything else where they did not. The last step is the proof: nothing counts as removed
//! before it was looked for in vain.

mod overdue;
mod proven;
mod vacuum;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use self::overdue::{Late, late, queue_owed};
use super::proof::tables;
use super::run::{Progress, Stop};
use super::{JobError, Workshop, store};
use crate::clock::Stopwatch;
use crate::config::{FullText, Hours, SourceSettings, causes};
use crate::erasure::{Pace, is_wanted, pass};
use crate::proposal::RemovalStep;
use crate::source::{Emptied, FullTextIndex, Gathered, Remover, Source, SourceError};
use crate::store::{Doing, Owed, Remaining, RunId, StepEnd, StoreError};

/// The steps, as they are done: what searches go wrong without comes first.
const ORDER: [RemovalStep; 6] = [
    RemovalStep::Rebuild,
    RemovalStep::FullText,
    RemovalStep::Statistics,
    RemovalStep::Vacuum,
    RemovalStep::Checkpoint,
    RemovalStep::Proof,
];
/// What could not be done is tried again after so long, and after twice as long each time.
const AGAIN_FIRST: SignedDuration = SignedDuration::from_mins(15);
/// But never later than this.
const AGAIN_MAX: SignedDuration = SignedDuration::from_hours(2);
/// The proof reads the whole file: where it has found something, it is not repeated as often.
const PROOF_AGAIN_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Pages of an index that are written anew first; later ones follow the time that it took.
const PAGES_FIRST: u32 = 32;
/// The bounds of that.
const PAGES: RangeInclusive<u32> = 8..=4_096;
/// How often one index is written on at most: more than the largest has pages for.
const MERGES_MAX: u32 = 1_000_000;
/// What searches need is tried again much sooner, and more often.
const REBUILD_AGAIN_FIRST: SignedDuration = SignedDuration::from_mins(1);
/// But never later than this.
const REBUILD_AGAIN_MAX: SignedDuration = SignedDuration::from_mins(15);
/// How often the log is tried to be emptied in one run: nearly always somebody reads for a moment only.
const EMPTYINGS: u32 = 10;

/// Does what the sources owe. Without a run on record it only tells what that is: a dry run.
pub(super) async fn remove(
    workshop: &Workshop,
    run: Option<RunId>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let owed = workshop.store.owed().await.map_err(store)?;
    for described in workshop.settings.sources.values() {
        let own: Vec<&Owed> = owed.iter().filter(|owed| owed.source == described.name).collect();
        if own.is_empty() {
            continue;
        }
        if progress.hears(stop) {
            break;
        }
        let ends = match run {
            Some(run) => {
                progress.is_at(workshop, Some(run), Doing::Removing, &described.name).await?;
                pass("removal-begun");
                let ends = ends_of(workshop, run, described, &own, progress, stop).await?;
                settle(workshop, run, described, &ends).await.map_err(store)?;
                ends
            }
            None => foreseen(described, &own),
        };
        note(progress, described, &ends);
    }
    Ok(())
}

/// The job that tries again: what is still owed then is what it could not do.
pub(super) async fn try_again(
    workshop: &Workshop,
    run: Option<RunId>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    if run.is_some() {
        settle_batches(workshop, progress).await?;
    }
    remove(workshop, run, progress, stop).await?;
    if run.is_some() {
        let left = progress.report.removal.iter().flat_map(|(source, removed)| removed.left(source));
        left.collect::<Vec<_>>().into_iter().for_each(|what| progress.trouble(what));
    }
    Ok(())
}

/// Finds out what has become of batches without an outcome: what they have erased is owed, too.
async fn settle_batches(workshop: &Workshop, progress: &mut Progress<'_>) -> Result<(), JobError> {
    let open = workshop.store.open_batches().await.map_err(store)?;
    for described in workshop.settings.sources.values() {
        let is_open = open.iter().any(|batch| batch.source == described.name);
        if !is_open || outside_hours(workshop, described).is_some() {
            continue;
        }
        match super::settle::settle(workshop, &described.name).await.map_err(JobError::from) {
            Ok(_) => {}
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => progress.trouble(error.told()),
        }
    }
    Ok(())
}

type Ends = Vec<(RemovalStep, StepEnd)>;

/// What a dry run tells: all that is owed is still to be done.
fn foreseen(described: &SourceSettings, owed: &[&Owed]) -> Ends {
    let wanted = owed.iter().filter(|owed| is_wanted(owed.step, &described.removal));
    let why = |owed: &Owed| owed.why.clone().unwrap_or_else(|| "it was not tried yet".to_owned());
    wanted.map(|owed| (owed.step, StepEnd::Pending(Remaining { why: why(owed), next_at: owed.next_at }))).collect()
}

/// Writes down what has become of the steps.
async fn settle(workshop: &Workshop, run: RunId, described: &SourceSettings, ends: &Ends) -> Result<(), StoreError> {
    if ends.is_empty() {
        return Ok(());
    }
    let mut turn = workshop.store.turn().await;
    let mut change = turn.begin().await?;
    change.steps_ended(run, &described.name, ends).await?;
    change.commit().await
}

/// Puts it into the run's report and the log.
fn note(progress: &mut Progress<'_>, described: &SourceSettings, ends: &Ends) {
    let removed = progress.report.removal.entry(described.name.to_string()).or_default();
    for (step, end) in ends {
        match end {
            StepEnd::Done => removed.done.push(step.to_string()),
            StepEnd::NotWanted => removed.not_wanted.push(step.to_string()),
            StepEnd::Pending(Remaining { why, next_at }) => {
                tracing::warn!(source = %described.name, %step, %why, %next_at, "what was erased may still be in the files");
                removed.pending.insert(step.to_string(), why.clone());
            }
        }
    }
    if removed.pending.is_empty() {
        tracing::info!(source = %described.name, done = removed.done.join(", "), "what was erased is removed from the files");
    }
}

/// Does what a source owes. What the source itself is in the way of is no error, but owed for longer.
async fn ends_of(
    workshop: &Workshop,
    run: RunId,
    described: &SourceSettings,
    owed: &[&Owed],
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<Ends, JobError> {
    let put_off = |why: &str, next_at: Option<Timestamp>| -> Ends {
        let end = |owed: &&Owed| {
            let next_at = next_at.unwrap_or_else(|| again(workshop, owed.step, owed.tries));
            let end = if is_wanted(owed.step, &described.removal) {
                StepEnd::Pending(Remaining { why: why.to_owned(), next_at })
            } else {
                StepEnd::NotWanted
            };
            (owed.step, end)
        };
        owed.iter().map(end).collect()
    };
    if let Some((why, next_at)) = outside_hours(workshop, described)
        && !owed.iter().any(|owed| owed.step == RemovalStep::Rebuild)
    {
        return Ok(put_off(&why, next_at));
    }
    let known = workshop.store.sources().await.map_err(store)?;
    if known.iter().any(|state| state.source == described.name && state.closed.is_some()) {
        return Ok(put_off("the source is closed until an operator decides", None));
    }
    let open = workshop.store.open_batches().await.map_err(store)?;
    if open.iter().any(|batch| batch.source == described.name) {
        // What it has erased is not known yet: nothing of it would be looked for.
        return Ok(put_off("its last batch is not settled yet", None));
    }
    let remover = match Source::of(described).remover().await {
        Ok(remover) => remover,
        Err(error) => return Ok(put_off(&causes(&error), None)),
    };
    let pace = Pace::new(described.max_lock);
    let mut removal = Removal { workshop, run, described, owed, stop, remover, pace, observed: Stopwatch::start() };
    let done = removal.steps(progress).await;
    removal.remover.close().await;
    done
}

/// Why nothing may be begun on a source at this time of day, and when it may be again; `None` where it may.
fn outside_hours(workshop: &Workshop, described: &SourceSettings) -> Option<(String, Option<Timestamp>)> {
    let hours = described.hours.filter(|_| !workshop.hours_of(described)())?;
    Some((format!("outside its hours, {hours}"), next_start(workshop, hours)))
}

fn next_start(workshop: &Workshop, hours: Hours) -> Option<Timestamp> {
    hours.next_start(workshop.clock.now(), &workshop.settings.time_zone)
}

/// When what was tried in vain so often is tried again.
fn again(workshop: &Workshop, step: RemovalStep, tries: u32) -> Timestamp {
    let (first, max) = match step {
        RemovalStep::Proof => (AGAIN_FIRST, PROOF_AGAIN_MAX),
        RemovalStep::Rebuild => (REBUILD_AGAIN_FIRST, REBUILD_AGAIN_MAX),
        _ => (AGAIN_FIRST, AGAIN_MAX),
    };
    let doubled = first.checked_mul(1_i32.checked_shl(tries.min(8)).unwrap_or(1)).unwrap_or(max);
    workshop.clock.now().saturating_add(doubled.min(max)).unwrap_or(Timestamp::MAX)
}

/// The steps of one source.
struct Removal<'a> {
    workshop: &'a Workshop,
    run: RunId,
    described: &'a SourceSettings,
    owed: &'a [&'a Owed],
    stop: Stop<'a>,
    remover: Remover,
    pace: Pace,
    observed: Stopwatch,
}

impl Removal<'_> {
    fn later(&self, step: RemovalStep, why: String, next_at: Option<Timestamp>) -> StepEnd {
        let tries = self.owed(step).map_or(0, |owed| owed.tries);
        StepEnd::Pending(Remaining { why, next_at: next_at.unwrap_or_else(|| again(self.workshop, step, tries)) })
    }

    fn owed(&self, step: RemovalStep) -> Option<&Owed> {
        self.owed.iter().copied().find(|owed| owed.step == step)
    }

    async fn steps(&mut self, progress: &mut Progress<'_>) -> Result<Ends, JobError> {
        let mut owed: BTreeSet<RemovalStep> = self.owed.iter().map(|owed| owed.step).collect();
        if owed.contains(&RemovalStep::Proof) {
            self.owe_emptying(&mut owed).await.map_err(store)?;
        }
        let mut ends = Ends::new();
        for step in ORDER {
            if !owed.contains(&step) {
                continue;
            }
            if !is_wanted(step, &self.described.removal) {
                ends.push((step, StepEnd::NotWanted));
                continue;
            }
            if let Some((why, next_at)) = self.not_now(step, progress) {
                ends.push((step, self.later(step, why, next_at)));
                continue;
            }
            if progress.is_stopped {
                break;
            }
            self.owe_emptying(&mut owed).await.map_err(store)?;
            self.step(step, &mut ends, progress).await?;
            pass("removal-step-done");
            tokio::time::sleep(self.pace.gap(self.pace.allowed())).await;
        }
        Ok(ends)
    }

    /// Why a step is put off; notes that the run is to stop. What should have followed VACUUM at once waits for nothing.
    fn not_now(&self, step: RemovalStep, progress: &mut Progress<'_>) -> Option<(String, Option<Timestamp>)> {
        if step == RemovalStep::Rebuild {
            return None;
        }
        if progress.hears(self.stop) { None } else { outside_hours(self.workshop, self.described) }
    }

    /// What a step writes passes through the log: that this is to be emptied then has to be on record before. What is in it when
    /// it is looked through must have come since it was emptied.
    async fn owe_emptying(&self, owed: &mut BTreeSet<RemovalStep>) -> Result<(), StoreError> {
        if owed.insert(RemovalStep::Checkpoint) { self.owe(RemovalStep::Checkpoint).await } else { Ok(()) }
    }

    async fn owe(&self, step: RemovalStep) -> Result<(), StoreError> {
        let mut turn = self.workshop.store.turn().await;
        let mut change = turn.begin().await?;
        change.owe_step(&self.described.name, step).await?;
        change.commit().await
    }

    async fn step(&mut self, step: RemovalStep, ends: &mut Ends, progress: &mut Progress<'_>) -> Result<(), JobError> {
        let done = match step {
            RemovalStep::FullText => self.full_text().await,
            RemovalStep::Statistics => self.statistics().await,
            RemovalStep::Vacuum => return self.vacuum(ends).await,
            RemovalStep::Rebuild => Ok(self.rebuild().await),
            RemovalStep::Checkpoint => self.empty().await,
            RemovalStep::Proof => Ok(self.prove(ends, progress).await?),
        };
        ends.push((step, done.unwrap_or_else(|error| self.later(step, causes(&error), None))));
        Ok(())
    }

    async fn owe_no_longer(&self, step: RemovalStep) -> Result<(), StoreError> {
        let mut turn = self.workshop.store.turn().await;
        let mut change = turn.begin().await?;
        change.settle_step(&self.described.name, step).await?;
        change.commit().await
    }

    /// Leaves the source alone after it was held for so long, and looks whether the application was active meanwhile.
    async fn rest(&mut self, held: Duration) -> Result<(), SourceError> {
        tokio::time::sleep(self.pace.gap(held)).await;
        let has_changed = self.remover.others_have_changed_it().await?;
        self.pace.observe(has_changed, self.observed.elapsed());
        self.observed = Stopwatch::start();
        Ok(())
    }

    async fn full_text(&mut self) -> Result<StepEnd, SourceError> {
        let mut whys = Vec::new();
        for index in self.remover.full_text() {
            match self.index(&index).await {
                Ok(None) => {}
                Ok(Some((why, next_at))) => return Ok(self.later(RemovalStep::FullText, why, next_at)),
                Err(SourceError::Locked) => return Err(SourceError::Locked),
                // One that only the application can write to is no reason to leave the others as they are.
                Err(error) => whys.push(format!("{}: {}", index.name, causes(&error))),
            }
        }
        if whys.is_empty() {
            return Ok(StepEnd::Done);
        }
        Ok(self.later(RemovalStep::FullText, whys.join("; "), None))
    }

    /// Removes the words of erased rows from one index; gives why it was left off, and when it is gone on with.
    async fn index(&mut self, index: &FullTextIndex) -> Result<Option<(String, Option<Timestamp>)>, SourceError> {
        if self.described.removal.full_text == FullText::SecureDelete && index.can_take_out {
            self.remover.take_out(index).await?;
        }
        let mut pages = PAGES_FIRST;
        for time in 0..MERGES_MAX {
            if let Some(outside) = outside_hours(self.workshop, self.described) {
                return Ok(Some(outside));
            }
            if (self.stop)() {
                return Ok(Some(("the daemon was stopped".to_owned(), Some(self.workshop.clock.now()))));
            }
            let watch = Stopwatch::start();
            if !self.remover.write_anew(index, pages, time == 0).await? {
                break;
            }
            let held = watch.elapsed();
            pages = self.pace.fitting(pages, held, &PAGES);
            self.rest(held).await?;
        }
        Ok(None)
    }

    async fn statistics(&mut self) -> Result<StepEnd, SourceError> {
        let tables: BTreeSet<String> = tables(&self.workshop.settings, self.described).map(str::to_owned).collect();
        for samples in self.remover.samples(&tables).await? {
            let watch = Stopwatch::start();
            if self.remover.gather(&samples, self.described.max_lock).await? == Gathered::Dropped {
                tracing::info!(
                    table = samples.table,
                    index = samples.index,
                    "samples in the planner's statistics were dropped; the application may gather them with ANALYZE"
                );
            }
            self.rest(watch.elapsed()).await?;
        }
        Ok(StepEnd::Done)
    }

    async fn empty(&mut self) -> Result<StepEnd, SourceError> {
        let mut left = 0;
        for _ in 0..EMPTYINGS {
            let watch = Stopwatch::start();
            match self.remover.empty(self.described.max_lock).await? {
                Emptied::Nothing => return Ok(StepEnd::Done),
                Emptied::Held(pages) => left = pages,
            }
            self.rest(watch.elapsed()).await?;
        }
        let why = format!("somebody reads or writes by it, and {left} pages of it cannot be let go of");
        Ok(self.later(RemovalStep::Checkpoint, why, None))
    }
}
