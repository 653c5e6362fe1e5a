//! Prepare: looks again at what is open, then finds what is due and proposes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ahead::Ahead;
use super::patience::Patience;
use super::run::{Progress, Stop};
use super::{Foreseen, Future, JobError, Workshop, store};
use crate::config::{Category, SourceSettings};
use crate::erasure::{Candidate, Examined, Selection, Tally, Verdict, examine, no_longer_due, pass, preview};
use crate::proposal::{Origin, Outcome, ProposalId, State, WithdrawReason};
use crate::record::{CategoryName, RecordKey, RecordRef};
use crate::source::{Mapping, Reader, SourceError};
use crate::store::{BATCH_MAX_RECORDS, Counts, LedgerEntry, NewProposal, Proposal, RunId};

/// Proposals that are written by one change of the state, with one entry in the trail.
const PROPOSALS_PER_CHANGE: usize = 5_000;

/// Prepares every category. Without a run on record nothing is written: a dry run.
pub(super) async fn prepare(
    workshop: &Workshop,
    run: Option<RunId>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    for described in workshop.settings.sources.values() {
        if !progress.may_begin(workshop, described, run) {
            continue;
        }
        prepare_patiently(workshop, run, described, progress, stop).await?;
        if progress.is_stopped {
            break;
        }
    }
    Ok(())
}

/// Prepares one source; where the application keeps it locked, gives way and tries again what is left.
async fn prepare_patiently(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let (mut patience, mut over) = (Patience::with(described), BTreeMap::new());
    loop {
        match prepare_source(workshop, run, described, &mut over, progress, stop).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) if error.is_schema_changed() && patience.lays_anew(described) => {}
            Err(error) if error.is_passing() && run.is_some() => {
                tracing::debug!(source = %described.name, "the application has the source, giving way");
                if !patience.give_way(stop).await {
                    progress.is_stopped |= stop();
                    progress.note_locked(described);
                    return Ok(());
                }
            }
            Err(error) => {
                progress.trouble(error.told());
                return Ok(());
            }
        }
    }
}

/// Goes through the categories that are not over yet; `over` holds how many were proposed of the others so far. Gives the
/// error that ends it for the whole source, or that the application kept it locked somewhere.
async fn prepare_source(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    over: &mut BTreeMap<CategoryName, Option<u64>>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let open = workshop.open(&described.name).await?;
    for stopped in &open.stopped {
        over.insert(stopped.category.clone(), None);
        let told = format!("{}: {}", stopped.category, stopped.reason);
        // However often the source is opened.
        if !progress.troubles.contains(&told) {
            progress.trouble(told);
        }
    }
    let (mut reader, mut left) = (open.reader, None);
    for (name, mapping) in &open.mappings {
        let proposed_before = match over.get(name) {
            Some(None) => continue,
            Some(Some(proposed)) => *proposed,
            None => 0,
        };
        let counted = *progress.report.category(name);
        let mut category =
            Prepare { workshop, run, described, mapping, progress, stop, would_be_withdrawn: BTreeSet::new() };
        let done;
        (reader, done) = category.prepare(reader).await;
        let counts = progress.report.category(name);
        // What this run has proposed before the application was in the way is found again.
        counts.already_open = counts.already_open.saturating_sub(proposed_before);
        match done {
            Ok(()) => _ = over.insert(name.clone(), None),
            Err(error) if error.is_passing() && run.is_some() => {
                // What was only seen is seen once more; what was written is not.
                let Counts { proposed, withdrawn, postponed_returned, .. } = *counts;
                over.insert(name.clone(), Some(proposed));
                *counts = Counts { proposed, withdrawn, postponed_returned, ..counted };
                left = Some(error);
            }
            Err(error) if error.is_fatal() || error.is_about_the_source() => {
                reader.close().await;
                return Err(error);
            }
            Err(error) if error.is_schema_changed() => {
                over.insert(name.clone(), None);
                progress.trouble(format!(
                    "{name}: the schema of {} has changed while its records were looked at; what is left is done by the next run",
                    described.name
                ));
                reader.close().await;
                return Err(error);
            }
            Err(error) => {
                over.insert(name.clone(), None);
                progress.trouble(error.told());
            }
        }
        if progress.is_stopped {
            break;
        }
    }
    reader.close().await;
    left.map_or(Ok(()), Err)
}

struct Prepare<'a, 'w> {
    workshop: &'a Workshop,
    run: Option<RunId>,
    described: &'a SourceSettings,
    mapping: &'a Mapping,
    progress: &'a mut Progress<'w>,
    stop: Stop<'a>,
    /// In a dry run: what looking again would have withdrawn.
    would_be_withdrawn: BTreeSet<RecordKey>,
}

/// What looking again at an open proposal has come to.
enum Again {
    Stays,
    IsBack,
    Withdrawn(WithdrawReason),
}

impl Prepare<'_, '_> {
    fn category(&self) -> &CategoryName {
        &self.mapping.category
    }

    fn failed(&self, source: SourceError) -> JobError {
        JobError::Source { name: self.described.name.to_string(), source }
    }

    async fn prepare(&mut self, mut reader: Reader) -> (Reader, Result<(), JobError>) {
        if let Err(error) = self.look_again(&mut reader).await {
            return (reader, Err(error));
        }
        let has_rules = self.mapping.mark.is_some() || !self.mapping.criteria.is_empty();
        if self.progress.is_stopped || !has_rules {
            return (reader, Ok(()));
        }
        match self.run {
            Some(run) => self.propose(run, reader).await,
            None => {
                let done = self.foresee(&mut reader).await;
                (reader, done)
            }
        }
    }

    /// Whether more of the source may be read at this time of day.
    fn may_begin(&mut self) -> bool {
        self.progress.may_begin(self.workshop, self.described, self.run)
    }

    fn is_stopped(&mut self) -> bool {
        self.progress.is_stopped |= (self.stop)();
        self.progress.is_stopped
    }

    /// Withdraws open proposals that are no longer due or gone, and proposes again what was postponed until today.
    async fn look_again(&mut self, reader: &mut Reader) -> Result<(), JobError> {
        let day = self.workshop.day();
        let mut after: Option<RecordKey> = None;
        loop {
            let page = self
                .workshop
                .store
                .open_proposals(&self.mapping.category, after.as_ref(), BATCH_MAX_RECORDS)
                .await
                .map_err(store)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            if !self.may_begin() {
                return Ok(());
            }
            after = Some(last.record.key.clone());
            let keys: Vec<RecordKey> = page.iter().map(|proposal| proposal.record.key.clone()).collect();
            let key = &self.workshop.keys.fingerprint;
            let now = examine(reader, self.mapping, &day, key, &keys).await;
            let now = reader.under_one_schema(now).await.map_err(|error| self.failed(error))?;
            let mut withdrawn = Vec::new();
            let mut back = Vec::new();
            for (proposal, now) in page.iter().zip(&now) {
                match again(proposal, now, day.today) {
                    Again::Stays => {}
                    Again::IsBack => back.push(proposal.id),
                    Again::Withdrawn(reason) => {
                        if self.run.is_none() {
                            self.would_be_withdrawn.insert(proposal.record.key.clone());
                        }
                        withdrawn.push((proposal.id, reason));
                    }
                }
            }
            self.tell_again(&page, &withdrawn, &back);
            self.write_again(&withdrawn, &back).await?;
            if self.is_stopped() {
                return Ok(());
            }
        }
    }

    /// Tells whoever watches a dry run.
    fn tell_again(&mut self, page: &[Proposal], withdrawn: &[(ProposalId, WithdrawReason)], back: &[ProposalId]) {
        let Some(watcher) = self.progress.watcher.as_mut() else {
            return;
        };
        for proposal in page {
            let record = proposal.record.clone();
            if let Some((_, reason)) = withdrawn.iter().find(|(id, _)| *id == proposal.id) {
                watcher(Foreseen { record, future: Future::Withdrawn(reason.clone()) });
            } else if back.contains(&proposal.id) {
                watcher(Foreseen { record, future: Future::BackFromPostponement });
            }
        }
    }

    async fn write_again(
        &mut self,
        withdrawn: &[(ProposalId, WithdrawReason)],
        back: &[ProposalId],
    ) -> Result<(), JobError> {
        let (mut withdrawn_count, mut back_count) = (withdrawn.len(), back.len());
        if let Some(run) = self.run
            && withdrawn_count + back_count > 0
        {
            let mut turn = self.workshop.store.turn().await;
            let mut change = turn.begin().await.map_err(store)?;
            withdrawn_count = change.withdraw(run, withdrawn).await.map_err(store)?.len();
            let today = self.workshop.today();
            back_count = change.return_postponed(run, back, today).await.map_err(store)?.len();
            change.commit().await.map_err(store)?;
        }
        let category = self.category().clone();
        let counts = self.progress.report.category(&category);
        counts.withdrawn += withdrawn_count as u64;
        counts.postponed_returned += back_count as u64;
        Ok(())
    }

    /// Walks through the table and proposes what is due, for as long as the source's hours hold.
    async fn propose(&mut self, run: RunId, reader: Reader) -> (Reader, Result<(), JobError>) {
        if !self.may_begin() {
            return (reader, Ok(()));
        }
        let (day, key) = (self.workshop.day(), self.workshop.keys.fingerprint.clone());
        let hours_hold = self.workshop.hours_of(self.described);
        let mut ahead = Ahead::read(reader, self.mapping.clone(), day, key, self.described.max_lock, hours_hold);
        let done = self.propose_what_comes(run, &mut ahead).await;
        let (reader, is_left_off) = ahead.end().await;
        if is_left_off {
            self.progress.note_outside_hours(self.described);
        }
        (reader, done)
    }

    async fn propose_what_comes(&mut self, run: RunId, ahead: &mut Ahead) -> Result<(), JobError> {
        while let Some(stretch) = ahead.next().await {
            let stretch = stretch.map_err(|error| self.failed(error))?;
            self.count(&stretch.tally);
            for candidates in stretch.candidates.chunks(PROPOSALS_PER_CHANGE) {
                let new = self.sort_out(candidates).await?;
                self.write_proposals(run, &new).await?;
            }
            if self.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    /// Does what [`propose`](Self::propose) does, except that it writes nothing.
    async fn foresee(&mut self, reader: &mut Reader) -> Result<(), JobError> {
        let day = self.workshop.day();
        let key = self.workshop.keys.fingerprint.clone();
        let mut selection = Selection::new(self.mapping, &day, &key, self.described.max_lock);
        while let Some(stretch) = selection.next(reader).await.map_err(|error| self.failed(error))? {
            self.count(&stretch.tally);
            for candidates in stretch.candidates.chunks(PROPOSALS_PER_CHANGE) {
                let new = self.sort_out(candidates).await?;
                self.tell_due(reader, candidates, &new).await?;
                self.count_proposals(&new).await?;
            }
            if self.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    fn count(&mut self, tally: &Tally) {
        let category = self.category().clone();
        let counts = self.progress.report.category(&category);
        counts.retained += tally.retained;
        let unreadable = &mut counts.unreadable;
        unreadable.no_start_date += tally.no_start_date;
        unreadable.unreadable_date += tally.unreadable_date;
        unreadable.null_key += tally.null_key;
        unreadable.unusable_key += tally.unusable_key;
    }

    /// Counts what is due, and gives what of it can be proposed.
    async fn sort_out(&mut self, candidates: &[Candidate]) -> Result<Vec<NewProposal>, JobError> {
        let keys: Vec<RecordKey> = candidates.iter().map(|candidate| candidate.key.clone()).collect();
        let ledger = self.workshop.store.ledger(&self.mapping.category, &keys).await.map_err(store)?;
        let mut new: Vec<NewProposal> = Vec::with_capacity(candidates.len());
        let Some(settings) = self.workshop.settings.categories.get(self.category()) else {
            // A mapping is made of a category that is in the settings.
            return Ok(new);
        };
        let category = self.category().clone();
        let counts = self.progress.report.category(&category);
        for candidate in candidates {
            if is_anonymised(candidate, &ledger) {
                counts.unreadable.already_anonymised += 1;
            } else if candidate.identity_is_blank {
                counts.unreadable.empty_identity += 1;
            } else {
                counts.due += 1;
                new.push(proposal(settings, candidate));
            }
        }
        Ok(new)
    }

    /// Tells whoever watches a dry run what erasing these records would do.
    async fn tell_due(
        &mut self,
        reader: &mut Reader,
        candidates: &[Candidate],
        new: &[NewProposal],
    ) -> Result<(), JobError> {
        if self.progress.watcher.is_none() {
            return Ok(());
        }
        let keys: Vec<RecordKey> = new.iter().map(|new| new.record.key.clone()).collect();
        let open = self.workshop.store.open_among(self.category(), &keys).await.map_err(store)?;
        let restored = self.workshop.store.restored_marks(new).await.map_err(store)?;
        let key = &self.workshop.keys.fingerprint;
        let previews = preview(reader, self.mapping, key, &keys).await;
        let confirmed = new.iter().filter(|new| new.is_confirmed && !restored.contains(&new.record));
        let confirmed: BTreeSet<&RecordKey> = confirmed.map(|new| &new.record.key).collect();
        let candidates: HashMap<&RecordKey, &Candidate> = candidates.iter().map(|one| (&one.key, one)).collect();
        for preview in previews.map_err(|error| self.failed(error))? {
            let Some(candidate) = candidates.get(&preview.planned.key) else {
                continue;
            };
            let record = RecordRef { category: self.mapping.category.clone(), key: candidate.key.clone() };
            let is_open = open.contains(&candidate.key) && !self.would_be_withdrawn.contains(&candidate.key);
            let is_confirmed = confirmed.contains(&candidate.key);
            let future = Future::Proposed { due: candidate.due.clone(), is_open, is_confirmed, preview };
            if let Some(watcher) = self.progress.watcher.as_mut() {
                watcher(Foreseen { record, future });
            }
        }
        Ok(())
    }

    async fn write_proposals(&mut self, run: RunId, new: &[NewProposal]) -> Result<(), JobError> {
        if new.is_empty() {
            return Ok(());
        }
        let mut turn = self.workshop.store.turn().await;
        let mut change = turn.begin().await.map_err(store)?;
        let proposed = change.propose(run, new).await.map_err(store)?;
        self.add(proposed.proposed, proposed.already_open);
        change.run_progress(run, &self.progress.report).await.map_err(store)?;
        change.commit().await.map_err(store)?;
        pass("prepare-proposed");
        Ok(())
    }

    /// Counts what would be written. What this run would have withdrawn before is not in the way.
    async fn count_proposals(&mut self, new: &[NewProposal]) -> Result<(), JobError> {
        let keys: Vec<RecordKey> = new.iter().map(|new| new.record.key.clone()).collect();
        let open = self.workshop.store.open_among(self.category(), &keys).await.map_err(store)?;
        let already_open = open.difference(&self.would_be_withdrawn).count() as u64;
        self.add(keys.len() as u64 - already_open, already_open);
        Ok(())
    }

    fn add(&mut self, proposed: u64, already_open: u64) {
        let counts = self.progress.report.category(&self.mapping.category);
        counts.proposed += proposed;
        counts.already_open += already_open;
    }
}

/// What becomes of an open proposal whose record is now so. A confirmed one that is still due is for the final job.
fn again(proposal: &Proposal, now: &Examined, today: jiff::civil::Date) -> Again {
    let Examined::Found { fingerprint, verdict, .. } = now else {
        return Again::Withdrawn(WithdrawReason::Gone);
    };
    let (state, origin) = (proposal.life.state(), &proposal.origin);
    // Where people are told apart otherwise by now, nobody can tell whether it is the same: neither a person's request nor
    // a postponement is lost by that. Before anything is erased, it goes back to a clerk.
    let is_unclear = !fingerprint.is_comparable(&proposal.fingerprint)
        && (*origin == Origin::Clerk || matches!(state, State::Postponed { .. }));
    let is_same = is_unclear || *fingerprint == proposal.fingerprint;
    match (verdict, state) {
        (Verdict::NotDue(_), _) | (_, State::Proposed { .. } | State::Postponed { .. }) if !is_same => {
            return Again::Withdrawn(WithdrawReason::AnotherPerson);
        }
        // What was asked for by hand is due because it was asked for.
        (Verdict::NotDue(reason), _) if !origin.is_own() => return Again::Withdrawn(no_longer_due(origin, reason)),
        (Verdict::Due(due), State::Proposed { .. }) if due.still(origin).is_err() => {
            let why = match origin.criterion() {
                Some(name) => format!("{name} is not met any more as it was worded"),
                None => "the application's mark is not there any more as it was worded".to_owned(),
            };
            return Again::Withdrawn(WithdrawReason::NoLongerDue { why });
        }
        _ => {}
    }
    match state {
        State::Postponed { until } if *until <= today => Again::IsBack,
        _ => Again::Stays,
    }
}

/// Whether the row is one that was anonymised, and not somebody new under its key. Where the fingerprints were taken over
/// other columns, or with another key, nobody can tell: it is then taken for the anonymised one, and counted.
fn is_anonymised(candidate: &Candidate, ledger: &HashMap<RecordKey, LedgerEntry>) -> bool {
    ledger.get(&candidate.key).is_some_and(|entry| {
        entry.outcome == Outcome::Anonymised
            && entry
                .after
                .as_ref()
                .is_none_or(|after| !after.is_comparable(&candidate.fingerprint) || *after == candidate.fingerprint)
    })
}

fn proposal(category: &Category, candidate: &Candidate) -> NewProposal {
    let origin = candidate.due.origin();
    NewProposal {
        record: RecordRef { category: category.name.clone(), key: candidate.key.clone() },
        source: category.source.value.clone(),
        unit: candidate.unit.clone(),
        is_confirmed: category.confirms_marks() && matches!(origin, Origin::Application { .. }),
        origin,
        fingerprint: candidate.fingerprint.clone(),
    }
}
