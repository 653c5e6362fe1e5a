//! The final job: erases what is confirmed, batch by batch.

mod foreseen;

use std::collections::{BTreeMap, BTreeSet};

use super::batches::{Batches, Next};
use super::brake::{Leave, Looking};
use super::patience::Patience;
use super::remove::remove;
use super::run::{Progress, Stop};
use super::samples::Samples;
use super::settle::{self, is_open, told_closed};
use super::together::Together;
use super::{Future, JobError, Workshop, store};
use crate::config::{Category, SourceSettings};
use crate::erasure::{Claim, Open, Ruling, pass};
use crate::proposal::{BatchId, Origin, ProposalId, ReturnReason, StateName};
use crate::record::CategoryName;
use crate::source::Mapping;
use crate::store::{Counts, Doing, Proposal, RunId, add_reasons};

/// Erases every category. Without a run on record nothing is erased: a dry run.
pub(super) async fn erase(
    workshop: &Workshop,
    run: Option<RunId>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let waiting = confirmed(workshop).await?;
    progress.report.waiting = Some(waiting);
    if run.is_some() {
        progress.samples = Samples::over(waiting);
    }
    for described in workshop.settings.sources.values() {
        erase_patiently(workshop, run, described, progress, stop).await?;
        if progress.is_stopped {
            break;
        }
    }
    if let Some(run) = run
        && !progress.is_stopped
    {
        remove(workshop, Some(run), progress, stop).await?;
    }
    count_left(workshop, run.is_none(), progress).await
}

/// How many records wait for the final job.
async fn confirmed(workshop: &Workshop) -> Result<u64, JobError> {
    let standing = workshop.store.counts().await.map_err(store)?;
    Ok(standing.values().filter_map(|counts| counts.get(&StateName::Confirmed)).sum())
}

/// Counts what is confirmed and still to be erased: in categories that were not reached, or could not be, as well.
async fn count_left(workshop: &Workshop, is_dry: bool, progress: &mut Progress<'_>) -> Result<(), JobError> {
    let standing = workshop.store.counts().await.map_err(store)?;
    for category in workshop.settings.categories.keys() {
        let confirmed = standing.get(category).and_then(|counts| counts.get(&StateName::Confirmed)).copied();
        let is_known = progress.report.categories.contains_key(category.as_str());
        let confirmed = match confirmed {
            None if !is_known => continue,
            confirmed => confirmed.unwrap_or(0),
        };
        let counts = progress.report.category(category);
        // After a dry run all that it has foreseen is still confirmed, but for the shells that the run would confirm itself.
        let foreseen = counts.deleted + counts.anonymised + counts.returned + counts.withdrawn;
        counts.left = (confirmed + counts.left).saturating_sub(if is_dry { foreseen } else { 0 });
        if let Some(ripe_before) = workshop.ripe_before(category) {
            let cooling_off = workshop.store.confirmed_since(category, ripe_before).await.map_err(store)?;
            counts.left = counts.left.saturating_sub(cooling_off);
            counts.cooling_off += cooling_off;
        }
    }
    Ok(())
}

/// How far a run has come with a source: where the application was in the way, it goes on from there.
#[derive(Default)]
struct Reached {
    /// The last of the groups that have been dealt with.
    groups: Option<ProposalId>,
    /// The last proposal of each category that has been dealt with.
    proposals: BTreeMap<CategoryName, ProposalId>,
    /// Categories with which it is done, or that are left out for a reason of their own.
    over: BTreeSet<CategoryName>,
    /// What of each category may be erased; nothing of those that the brake stops. Known before anything is.
    leaves: BTreeMap<CategoryName, Option<Leave>>,
    /// What has been told of the source and its categories already.
    told: BTreeSet<String>,
}

impl Reached {
    /// Tells what is wrong with a part of the source; the same once, however often the source is tried.
    fn tell(&mut self, progress: &mut Progress<'_>, what: String) {
        if self.told.insert(what.clone()) {
            progress.trouble(what);
        }
    }

    /// What had stopped a category was over when the source was tried again: it is told of no longer.
    fn goes_on(&mut self, progress: &mut Progress<'_>, category: &CategoryName) {
        if let Some(reason) = progress.report.stopped.remove(category.as_str()) {
            let told = format!("{category}: {reason}");
            self.told.remove(&told);
            progress.troubles.retain(|trouble| *trouble != told);
        }
    }
}

/// Erases in one source; where the application keeps it locked, gives way and tries again what is left. A dry run would
/// count twice what it has seen already, and tries once.
async fn erase_patiently(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let (mut patience, mut reached) = (Patience::with(described), Reached::default());
    loop {
        match erase_source(workshop, run, described, &mut reached, progress, stop).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_fatal() => return Err(error),
            // Nothing of the batch that has met the change was done: what still fits is gone on with.
            Err(error) if error.is_schema_changed() && run.is_some() && patience.lays_anew(described) => {}
            Err(error) if error.is_passing() && run.is_some() => {
                tracing::debug!(source = %described.name, "the application has the source, giving way");
                if !patience.give_way(stop).await {
                    if !progress.hears(stop) {
                        progress.note_locked(described);
                    }
                    return Ok(());
                }
            }
            Err(error) => {
                reached.tell(progress, error.told());
                return Ok(());
            }
        }
    }
}

async fn erase_source(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    reached: &mut Reached,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    if !progress.may_begin(workshop, described, run) {
        return Ok(());
    }
    let is_open = match run {
        Some(run) => settle_and_count(workshop, run, described, reached, progress).await?,
        None => is_open(workshop, None, &described.name).await?,
    };
    if !is_open {
        reached.tell(progress, told_closed(&described.name));
        return Ok(());
    }
    let mut open = workshop.open(&described.name, run).await?;
    for stopped in &open.stopped {
        progress.note_stopped(&stopped.category, &stopped.reason);
        reached.tell(progress, format!("{}: {}", stopped.category, stopped.reason));
    }
    open.mappings.keys().for_each(|category| reached.goes_on(progress, category));
    let done = erase_open(workshop, run, described, &mut open, reached, progress, stop).await;
    open.reader.close().await;
    if let Some(run) = run
        && done.as_ref().is_err_and(JobError::is_about_the_source)
    {
        // Whatever has happened to the file: where its marker is from elsewhere, the source is closed here and now.
        settle_and_count(workshop, run, described, reached, progress).await?;
    }
    done
}

/// Settles the source; what a batch of this very run has come to, of which it was not known, is in its report from then on.
/// Gives whether the source is open.
async fn settle_and_count(
    workshop: &Workshop,
    run: RunId,
    described: &SourceSettings,
    reached: &mut Reached,
    progress: &mut Progress<'_>,
) -> Result<bool, JobError> {
    let (is_open, settled) = settle::settle_and_count(workshop, &described.name).await?;
    let Some(settled) = settled.filter(|settled| settled.run == run) else {
        return Ok(is_open);
    };
    add_reasons(&mut progress.report.reasons, &settled.reasons);
    for (category, counts) in settled.categories {
        if let Some(Some(leave)) = reached.leaves.get_mut(&category) {
            leave.records_max = leave.records_max.saturating_sub(counts.deleted + counts.anonymised);
        }
        *progress.report.category(&category) += counts;
    }
    Ok(is_open)
}

/// Goes through what was confirmed together, and then through the categories. Gives the error that ends it for the whole
/// source, or that the application kept it locked somewhere.
async fn erase_open(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    open: &mut Open,
    reached: &mut Reached,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let mappings = std::mem::take(&mut open.mappings);
    let looking = Looking { workshop, described, run, reader: &mut open.reader, progress, stop };
    look(looking, &mappings, reached).await?;
    if progress.is_stopped || !progress.may_begin(workshop, described, run) {
        return Ok(());
    }
    let (leaves, after) = (&mut reached.leaves, &mut reached.groups);
    let mut together = Together { workshop, described, mappings: &mappings, leaves, open, progress, stop, after };
    let mut left = sort_out(together.erase(run).await, reached, progress)?;
    for mapping in mappings.values().filter(|mapping| !reached.over.contains(&mapping.category)).collect::<Vec<_>>() {
        if progress.is_stopped || !progress.may_begin(workshop, described, run) {
            // Not even to open a connection that writes.
            break;
        }
        let category = &mapping.category;
        let after = reached.proposals.get(category).copied();
        if reached.leaves.get(category).is_some_and(Option::is_some) {
            progress.is_at(workshop, run, Doing::Erasing, category).await?;
        }
        let Some(Some(leave)) = reached.leaves.get_mut(category) else { continue };
        let mut of_category = Erase { workshop, described, mapping, leave, open, progress, stop, after };
        let done = match run {
            Some(run) => of_category.erase(run).await,
            None => of_category.foresee().await,
        };
        let after = of_category.after;
        reached.proposals.extend(after.map(|after| (category.clone(), after)));
        match sort_out(done, reached, progress)? {
            Some(locked) => left = Some(locked),
            None => _ = reached.over.insert(category.clone()),
        }
    }
    left.map_or(Ok(()), Err)
}

/// Looks, before anything is erased, at what of each category that would be; at each once, however often the source is
/// tried. Those that the brake stops are left out, and so are those that cannot be looked at.
async fn look(
    mut looking: Looking<'_, '_>,
    mappings: &BTreeMap<CategoryName, Mapping>,
    reached: &mut Reached,
) -> Result<(), JobError> {
    for (name, mapping) in mappings {
        let category = looking.workshop.settings.categories.get(name);
        let (false, Some(category)) = (reached.leaves.contains_key(name), category) else {
            continue;
        };
        looking.progress.is_at(looking.workshop, looking.run, Doing::Counting, name).await?;
        let leave = match looking.look(category, mapping).await {
            Ok(leave) => leave,
            Err(error) => match sort_out(Err(error), reached, looking.progress)? {
                Some(locked) => return Err(locked),
                None => None,
            },
        };
        reached.leaves.insert(name.clone(), leave);
    }
    pass("brake-looked");
    Ok(())
}

/// What is wrong with a part of the run is told, and the run goes on without it; unless the state itself is in the way, or
/// the whole source, or the source has another schema by now. Gives back what may just have come at the wrong moment.
fn sort_out(
    done: Result<(), JobError>,
    reached: &mut Reached,
    progress: &mut Progress<'_>,
) -> Result<Option<JobError>, JobError> {
    match done {
        Ok(()) => Ok(None),
        Err(error) if error.is_fatal() || error.is_about_the_source() || error.is_schema_changed() => Err(error),
        Err(error) if error.is_passing() => Ok(Some(error)),
        Err(error) => {
            reached.tell(progress, error.told());
            Ok(None)
        }
    }
}

struct Erase<'a, 'w> {
    workshop: &'a Workshop,
    described: &'a SourceSettings,
    mapping: &'a Mapping,
    leave: &'a mut Leave,
    open: &'a mut Open,
    progress: &'a mut Progress<'w>,
    stop: Stop<'a>,
    /// The last proposal that has been dealt with.
    after: Option<ProposalId>,
}

impl Erase<'_, '_> {
    fn failed(&self, source: crate::source::SourceError) -> JobError {
        JobError::Source { name: self.described.name.to_string(), source }
    }

    async fn confirmed(&self, after: Option<ProposalId>, limit: u32) -> Result<Vec<Proposal>, JobError> {
        self.workshop.store.confirmed(&self.mapping.category, self.leave.ripe, after, limit).await.map_err(store)
    }

    async fn erase(&mut self, run: RunId) -> Result<(), JobError> {
        let writer = self.open.source.writer().await.map_err(|error| self.failed(error))?;
        let last_committed = last_committed(self.workshop, self.described).await?;
        let mut batches = Batches {
            workshop: self.workshop,
            described: self.described,
            mapping: self.mapping,
            run,
            reader: &mut self.open.reader,
            writer,
            progress: self.progress,
            stop: self.stop,
            last_committed,
            leave: self.leave,
            next: Next::first(self.described.max_lock, self.after),
        };
        let done = match batches.confirm_shells().await {
            Ok(()) => batches.erase().await,
            Err(error) => Err(error),
        };
        self.after = batches.close().await;
        done
    }
}

pub(super) async fn last_committed(
    workshop: &Workshop,
    described: &SourceSettings,
) -> Result<Option<BatchId>, JobError> {
    let known = workshop.store.sources().await.map_err(store)?;
    Ok(known.into_iter().find(|state| state.source == described.name).and_then(|state| state.last_batch))
}

/// The claim that the final job has on a confirmed proposal.
pub(super) fn claim(workshop: &Workshop, proposal: &Proposal) -> Claim {
    let category = workshop.settings.categories.get(&proposal.record.category);
    let (is_by_rule, is_shell) = (proposal.is_confirmed_by_rule(), proposal.origin == Origin::Shell);
    let has = |wanted: fn(&Category) -> bool| category.is_some_and(wanted);
    let lacks = if is_shell {
        None
    } else if is_by_rule && !has(Category::confirms_marks) {
        Some(ReturnReason::NeedsPerson)
    } else {
        (has(|category| category.decisions > 1) && !proposal.has_two).then_some(ReturnReason::NeedsSecond)
    };
    let is_unwanted = is_shell && is_by_rule && !has(|category| category.remove_shells);
    Claim {
        proposal: proposal.id,
        key: proposal.record.key.clone(),
        origin: proposal.origin.clone(),
        lacks,
        unwanted: is_unwanted.then_some("its category does not have anonymised records removed any more"),
        fingerprint: proposal.fingerprint.clone(),
    }
}

/// Counts what would become of a record instead of being erased; `None` for one that is.
pub(super) fn ruled_out(counts: &mut Counts, ruling: Ruling) -> Option<Future> {
    match ruling {
        Ruling::Withdraw(reason) => {
            counts.withdrawn += 1;
            Some(Future::Withdrawn(reason))
        }
        Ruling::Return(reason, _) => {
            counts.returned += 1;
            Some(Future::Returned(reason))
        }
        Ruling::Erase(_) => None,
    }
}
