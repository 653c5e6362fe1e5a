//! Removal: what was erased from a source's tables goes from its files too.
//!
//! Every batch's outcome writes down which steps are owed; the final job does them at its end, and the job `remove` does
//! again what could not be done then. This is the one place where they are done. A step is settled only when it is known
//! to be done; until then it is owed, told of and tried again. None changes what any table holds, so that each can be cut
//! short anywhere and begun anew. The last is the proof: nothing counts as removed before it was looked for in vain.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::proof::{prove, tables};
use super::run::{Progress, Stop};
use super::{JobError, Workshop, store};
use crate::clock::Stopwatch;
use crate::config::{FullText, Hours, Settings, SourceSettings, causes};
use crate::erasure::{Pace, is_overdue, is_wanted, pass};
use crate::proof::ProofReport;
use crate::proposal::RemovalStep;
use crate::record::SourceName;
use crate::source::{Emptied, FullTextIndex, Gathered, Remover, Source, SourceError};
use crate::store::{Owed, Remaining, RunId, StepEnd, Store, StoreError};

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
        if stop() {
            progress.is_stopped = true;
            break;
        }
        let ends = match run {
            Some(run) => {
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
    remove(workshop, run, progress, stop).await?;
    if run.is_some() {
        let left = progress.report.removal.iter().flat_map(|(source, removed)| removed.left(source));
        left.collect::<Vec<_>>().into_iter().for_each(|what| progress.trouble(what));
    }
    Ok(())
}

/// Queues the run that tries again what is owed, where its time has come.
///
/// # Errors
/// When the state cannot be read or written.
pub async fn queue_owed(store: &Store, settings: &Settings) -> Result<(), StoreError> {
    // Nearly always nothing is owed: nobody is to wait for the write turn then.
    if store.owed().await?.is_empty() {
        return Ok(());
    }
    let mut turn = store.turn().await;
    let mut change = turn.begin().await?;
    change.queue_owed(&settings.sources.keys().collect::<BTreeSet<_>>()).await?;
    change.commit().await
}

/// A source with something that was confirmed longer ago than it may be, and that is not known to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The source.
    pub source: SourceName,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// How long it may be.
    pub within: String,
}

/// The sources whose longest time from confirmation to verified removal is exceeded.
///
/// # Errors
/// When the state cannot be read.
pub async fn late(store: &Store, settings: &Settings, now: Timestamp) -> Result<Vec<Late>, StoreError> {
    let now = now.to_zoned(settings.time_zone.clone());
    let mut found = Vec::new();
    for described in settings.sources.values() {
        let Some(within) = &described.removal.within else { continue };
        let wanted = |step| is_wanted(step, &described.removal);
        let oldest = store.left_in(&described.name, wanted).await?.oldest;
        if let Some(confirmed_at) = oldest.filter(|_| is_overdue(&described.removal, oldest, &now)) {
            found.push(Late { source: described.name.clone(), confirmed_at, within: within.value.to_string() });
        }
    }
    Ok(found)
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
    if let Some((why, next_at)) = outside_hours(workshop, described) {
        return Ok(put_off(&why, next_at));
    }
    let known = workshop.store.sources().await.map_err(store)?;
    if known.iter().any(|state| state.source == described.name && state.closed.is_some()) {
        return Ok(put_off("the source is closed until an operator decides", None));
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
    let max = if step == RemovalStep::Proof { PROOF_AGAIN_MAX } else { AGAIN_MAX };
    let doubled = AGAIN_FIRST.checked_mul(1_i32.checked_shl(tries.min(8)).unwrap_or(1)).unwrap_or(max);
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
            self.owe_what_goes_with(RemovalStep::Proof, &mut owed).await.map_err(store)?;
        }
        let mut ends = Ends::new();
        for step in RemovalStep::ALL {
            if !owed.contains(&step) {
                continue;
            }
            if !is_wanted(step, &self.described.removal) {
                ends.push((step, StepEnd::NotWanted));
                continue;
            }
            if (self.stop)() {
                progress.is_stopped = true;
                break;
            }
            self.owe_what_goes_with(step, &mut owed).await.map_err(store)?;
            let end = self.step(step, &ends, progress).await?;
            ends.push((step, end));
            pass("removal-step-done");
            tokio::time::sleep(self.pace.gap(self.pace.allowed())).await;
        }
        Ok(ends)
    }

    /// What a step writes passes through the log, and writing the file anew may number rows anew: that the rest is owed then
    /// has to be on record before. What is in the log when it is looked through must have come since it was emptied.
    async fn owe_what_goes_with(&self, step: RemovalStep, owed: &mut BTreeSet<RemovalStep>) -> Result<(), StoreError> {
        let mut others = BTreeSet::from([RemovalStep::Checkpoint]);
        if step == RemovalStep::Vacuum && !self.remover.rebuilt().is_empty() && self.vacuum_hours().is_none() {
            others.insert(RemovalStep::Rebuild);
        }
        others.retain(|step| !owed.contains(step));
        if others.is_empty() {
            return Ok(());
        }
        owed.extend(&others);
        self.owe(others).await
    }

    async fn owe(&self, steps: BTreeSet<RemovalStep>) -> Result<(), StoreError> {
        let mut turn = self.workshop.store.turn().await;
        let mut change = turn.begin().await?;
        for step in steps {
            change.owe_step(&self.described.name, step).await?;
        }
        change.commit().await
    }

    async fn step(&mut self, step: RemovalStep, ends: &Ends, progress: &mut Progress<'_>) -> Result<StepEnd, JobError> {
        let done = match step {
            RemovalStep::FullText => self.full_text().await,
            RemovalStep::Statistics => self.statistics().await,
            RemovalStep::Vacuum => self.vacuum().await,
            RemovalStep::Rebuild => self.rebuild().await,
            RemovalStep::Checkpoint => self.empty().await,
            RemovalStep::Proof => return self.prove(ends, progress).await,
        };
        Ok(done.unwrap_or_else(|error| self.later(step, causes(&error), None)))
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
            if self.remover.takes_out(index).await? {
                return Ok(None);
            }
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

    /// Why the whole file may not be written anew at this time of day, and when it may.
    fn vacuum_hours(&self) -> Option<(String, Option<Timestamp>)> {
        let hours = self.described.removal.vacuum.as_ref()?.value;
        let (now, zone) = (self.workshop.clock.now(), &self.workshop.settings.time_zone);
        (!hours.hold_at(now, zone)).then(|| (format!("outside its hours, {hours}"), next_start(self.workshop, hours)))
    }

    async fn vacuum(&mut self) -> Result<StepEnd, SourceError> {
        if let Some((why, next_at)) = self.vacuum_hours() {
            return Ok(self.later(RemovalStep::Vacuum, why, next_at));
        }
        if let Some(fault) = self.remover.vacuum_fault().await? {
            return Ok(self.later(RemovalStep::Vacuum, format!("it would fail: {fault}"), None));
        }
        let (needed, free) = self.remover.room().await?;
        if needed > free {
            let why = format!("it needs {needed} bytes of room beside the file, and there are {free}");
            return Ok(self.later(RemovalStep::Vacuum, why, None));
        }
        let Some(hours) = self.described.removal.vacuum.as_ref().map(|hours| hours.value) else {
            return Ok(StepEnd::NotWanted);
        };
        let of_source = self.workshop.hours_of(self.described);
        let (clock, zone) = (self.workshop.clock.clone(), self.workshop.settings.time_zone.clone());
        self.remover.vacuum(move || hours.hold_at(clock.now(), &zone) && of_source()).await?;
        Ok(StepEnd::Done)
    }

    async fn rebuild(&mut self) -> Result<StepEnd, SourceError> {
        for index in self.remover.rebuilt() {
            let watch = Stopwatch::start();
            self.remover.rebuild(&index).await?;
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

    /// Looks whether it is gone: by values in the run that has erased, whatever could not be done; later by structure alone,
    /// when all else is done.
    async fn prove(&mut self, ends: &Ends, progress: &mut Progress<'_>) -> Result<StepEnd, JobError> {
        let sample = progress.samples.of(&self.described.name);
        let pending = ends.iter().filter_map(|(_, end)| match end {
            StepEnd::Pending(Remaining { next_at, .. }) => Some(*next_at),
            StepEnd::Done | StepEnd::NotWanted => None,
        });
        let next_at = pending.min();
        if sample.is_none() && next_at.is_some() {
            return Ok(self.later(RemovalStep::Proof, "the rest has to be done first".to_owned(), next_at));
        }
        let is_emptied = ends.contains(&(RemovalStep::Checkpoint, StepEnd::Done));
        let report =
            prove(self.workshop, self.run, self.described, sample, is_emptied, self.stop).await.map_err(store)?;
        let unknown = report.trouble().or_else(|| self.outside_sample(&report, progress));
        let unknown = unknown.map(|why| self.with_remedy(why, &report));
        let next_at = match outside_hours(self.workshop, self.described) {
            _ if (self.stop)() => Some(self.workshop.clock.now()),
            Some((_, begin)) => begin,
            None => next_at,
        };
        let is_rewritten = ends.iter().any(|(step, _)| *step == RemovalStep::Vacuum);
        if report.nonzero() > 0 && unknown.is_some() && !is_rewritten && self.described.removal.vacuum.is_some() {
            // Nothing else removes what lies between the rows of a page.
            self.owe(BTreeSet::from([RemovalStep::Vacuum])).await.map_err(store)?;
        }
        progress.is_stopped |= unknown.is_some() && (self.stop)();
        progress.report.proofs.insert(self.described.name.to_string(), report);
        Ok(unknown.map_or(StepEnd::Done, |why| self.later(RemovalStep::Proof, why, next_at)))
    }

    /// What lies between the rows of a page stays there until the whole file is written anew.
    fn with_remedy(&self, why: String, report: &ProofReport) -> String {
        let name = &self.described.name;
        let is_of_structure = report.values.is_none() || report.is_clean();
        if is_of_structure && report.nonzero_ours() > 0 && self.described.removal.vacuum.is_none() {
            return format!("{why}; goes only with VACUUM ([source.{name}.removal] vacuum)");
        }
        why
    }

    /// The values that were looked for say nothing of whom earlier runs have erased: for these the structure has to be clean.
    fn outside_sample(&self, report: &ProofReport, progress: &Progress<'_>) -> Option<String> {
        let of_source = self.workshop.settings.categories.values();
        let of_source = of_source.filter(|category| category.source.value == self.described.name);
        let counts = of_source.filter_map(|category| progress.report.categories.get(category.name.as_str()));
        let erased: u64 = counts.map(|counts| counts.deleted + counts.anonymised).sum();
        let earlier = self.owed(RemovalStep::Proof).map_or(0, |owed| owed.records).saturating_sub(erased);
        let nonzero = report.nonzero_ours();
        (report.values.is_some() && earlier > 0 && nonzero > 0).then(|| {
            format!("values of {earlier} records that earlier runs have erased are not known any more, and {nonzero} bytes are not zero")
        })
    }
}
