//! What was confirmed together: groups of linked records, erased in one source transaction each, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::brake::Leave;
use super::erase::{claim, last_committed, ruled_out};
use super::journal::{StoreJournal, Tally};
use super::run::{Progress, Stop, note_progress};
use super::{Foreseen, Future, JobError, Workshop, store};
use crate::clock::Stopwatch;
use crate::config::SourceSettings;
use crate::erasure::{
    BatchReport, Claim, Engine, EngineError, Joined, JointReport, Open, Pace, Ruling, in_order, preview_joint, rulings,
};
use crate::proposal::{BatchId, Origin, Outcome, Parted, ProposalId, ReturnReason};
use crate::record::{CategoryName, RecordKey, RecordRef};
use crate::source::{Mapping, SourceError, Writer};
use crate::store::{Doing, Proposal, RunId, count_erased};

/// Groups of the first batch; later ones follow the time that it held the lock.
const GROUPS_FIRST: u32 = 20;
/// The bounds of that.
const GROUPS: RangeInclusive<u32> = 1..=100;

/// Groups of one source in one run.
pub(super) struct Together<'a, 'w> {
    pub(super) workshop: &'a Workshop,
    pub(super) described: &'a SourceSettings,
    pub(super) mappings: &'a BTreeMap<CategoryName, Mapping>,
    /// What of each category may be erased; none of those that are not among them.
    pub(super) leaves: &'a mut BTreeMap<CategoryName, Option<Leave>>,
    pub(super) open: &'a mut Open,
    pub(super) progress: &'a mut Progress<'w>,
    pub(super) stop: Stop<'a>,
    /// The last of the groups that have been dealt with.
    pub(super) after: &'a mut Option<ProposalId>,
}

/// What is known about the batch that comes next.
struct Next {
    pace: Pace,
    groups: u32,
    last_committed: Option<BatchId>,
}

impl Together<'_, '_> {
    fn failed(&self, source: SourceError) -> JobError {
        JobError::Source { name: self.described.name.to_string(), source }
    }

    /// The next groups, and where those after them begin; none when there are no more. A group with a record whose category
    /// is stopped, or that was confirmed too short a time ago, or that nobody has looked at, is left as it is.
    async fn groups(
        &self,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Option<(Vec<Vec<Proposal>>, Option<ProposalId>)>, JobError> {
        let found = self.workshop.store.confirmed_together(&self.described.name, after, limit).await.map_err(store)?;
        let Some(last) = found.last().and_then(|group| group.first()).and_then(|proposal| proposal.together) else {
            return Ok(None);
        };
        let may_go = |proposal: &Proposal| {
            let category = &proposal.record.category;
            let is_ripe = |leave: &Leave| leave.ripe.before.is_none_or(|before| proposal.confirmed_at <= Some(before));
            let leave = self.leaves.get(category).and_then(Option::as_ref);
            // A category may have been stopped since it was looked at.
            self.mappings.contains_key(category) && leave.is_some_and(is_ripe)
        };
        Ok(Some((found.into_iter().filter(|group| group.iter().all(may_go)).collect(), Some(last))))
    }

    /// Those of the groups of which no record is held. The others are counted and told of, and stay as they are.
    async fn free(&mut self, groups: Vec<Vec<Proposal>>) -> Result<Vec<Vec<Proposal>>, JobError> {
        let workshop = self.workshop;
        let records: Vec<&RecordRef> = groups.iter().flatten().map(|proposal| &proposal.record).collect();
        let held = workshop.store.held_among(&records).await.map_err(store)?;
        let held: BTreeSet<RecordRef> = held.into_iter().cloned().collect();
        let is_held = |group: &Vec<Proposal>| group.iter().any(|proposal| held.contains(&proposal.record));
        let (out, free): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_held);
        for proposal in out.into_iter().flatten() {
            self.progress.report.category(&proposal.record.category).held += 1;
            self.tell(proposal.record, Future::Held);
        }
        Ok(free)
    }

    /// Erases all groups; without a run on record it only looks.
    pub(super) async fn erase(&mut self, run: Option<RunId>) -> Result<(), JobError> {
        if self.groups(*self.after, 1).await?.is_none() {
            // Nearly always: not even a connection is opened.
            return Ok(());
        }
        let Some(run) = run else {
            return self.foresee().await;
        };
        self.progress.is_at(self.workshop, Some(run), Doing::Together, &self.described.name).await?;
        let mut writer = self.open.source.writer().await.map_err(|error| self.failed(error))?;
        let done = self.erase_with(run, &mut writer).await;
        if let Err(error) = writer.checkpoint(0).await {
            tracing::warn!(error = %crate::config::causes(&error), "changes are left in the write-ahead log");
        }
        writer.close().await;
        done
    }

    async fn erase_with(&mut self, run: RunId, writer: &mut Writer) -> Result<(), JobError> {
        let mut next = Next {
            pace: Pace::new(self.described.max_lock),
            groups: GROUPS_FIRST,
            last_committed: last_committed(self.workshop, self.described).await?,
        };
        let mut observed = Stopwatch::start();
        while self.batch(run, writer, &mut next).await? {
            note_progress(self.workshop, run, self.progress).await.map_err(store)?;
            if self.progress.hears(self.stop) {
                break;
            }
            tokio::time::sleep(next.pace.gap(next.pace.allowed())).await;
            let has_changed = writer.others_have_changed_it().await.map_err(|error| self.failed(error))?;
            next.pace.observe(has_changed, observed.elapsed());
            observed = Stopwatch::start();
        }
        Ok(())
    }

    /// Erases the next groups; false when there are none, or the source is to be left alone at this time of day.
    async fn batch(&mut self, run: RunId, writer: &mut Writer, next: &mut Next) -> Result<bool, JobError> {
        let workshop = self.workshop;
        let turn = workshop.store.turn().await;
        // Within the turn: rules are changed in theirs.
        if self.progress.hears(self.stop) {
            return Ok(false);
        }
        let Some((groups, last)) = self.groups(*self.after, next.groups).await? else {
            return Ok(false);
        };
        // Those that are held are counted once, however often the application is in the way.
        let counted = self.progress.report.clone();
        let groups = self.free(groups).await?;
        if groups.is_empty() {
            *self.after = last;
            return Ok(true);
        }
        if !self.progress.may_begin(workshop, self.described, Some(run)) {
            return Ok(false);
        }
        if !self.may_all_go(&groups) {
            self.progress.report = counted;
            return Ok(false);
        }
        let claim_all = |group: &Vec<Proposal>| group.iter().map(|one| joined(workshop, one)).collect();
        let joined: Vec<Vec<Joined>> = groups.iter().map(claim_all).collect();
        self.sample(&joined).await;
        let may_go_on = workshop.may_begin_more(self.described, self.stop);
        let claimed = groups.iter().flatten().zip(joined.iter().flatten().map(|one| &one.claim));
        let mut journal = StoreJournal::new((&workshop.store, turn), (run, &self.described.name), claimed, &may_go_on);
        let mappings = in_order(self.mappings.values());
        let Some(first) = mappings.first() else { return Ok(false) };
        let mut engine = Engine {
            reader: &mut self.open.reader,
            writer,
            mapping: first,
            day: &workshop.day(),
            key: &workshop.keys.fingerprint,
            installation: workshop.store.installation(),
            last_committed: next.last_committed,
            log_pages_max: next.pace.log_pages_max(),
            gap: next.pace.gap(next.pace.allowed()),
            released: None,
        };
        let mut report = JointReport::default();
        let done = engine.erase_joint_into(&mut journal, &mappings, joined, &mut report).await;
        next.last_committed = engine.last_committed;
        let (tally, is_left_off) = (std::mem::take(&mut journal.tally), journal.is_left_off);
        if let Err(source) = done {
            self.progress.report = counted;
            return Err(self.ended_by(source, report, &tally));
        }
        let count = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        next.groups = next.pace.fitting(count, report.longest_lock, &GROUPS);
        self.add(report, &tally);
        if is_left_off {
            self.progress.note_left_off(workshop, self.described, run, self.stop);
            return Ok(false);
        }
        *self.after = last;
        Ok(true)
    }

    /// Counts what was done before this error. Those who are held are found again by whoever tries again.
    fn ended_by(&mut self, source: EngineError, mut report: JointReport, tally: &Tally) -> JobError {
        report.categories.values_mut().for_each(|of| of.held = 0);
        self.add(report, tally);
        JobError::Engine { category: format!("linked records of {}", self.described.name), source }
    }

    async fn sample(&mut self, joined: &[Vec<Joined>]) {
        for mapping in self.mappings.values() {
            let own = joined.iter().flatten().filter(|one| one.category == mapping.category);
            let keys = own.map(|one| &one.claim.key);
            self.progress.samples.take(&self.described.name, &mut self.open.reader, mapping, keys).await;
        }
    }

    /// Whether so many may be erased; told where that is more than was counted.
    fn may_all_go(&mut self, groups: &[Vec<Proposal>]) -> bool {
        let mut records: BTreeMap<&CategoryName, u64> = BTreeMap::new();
        groups.iter().flatten().for_each(|proposal| *records.entry(&proposal.record.category).or_default() += 1);
        let left = |category| self.leaves.get(category).and_then(Option::as_ref).map_or(0, |leave| leave.records_max);
        let too_many: Vec<_> = records.into_iter().filter(|(category, count)| *count > left(category)).collect();
        too_many.iter().for_each(|(category, _)| self.progress.note_more_than_counted(category));
        too_many.is_empty()
    }

    fn add(&mut self, report: JointReport, tally: &Tally) {
        tally.add_to(&mut self.progress.report);
        self.progress.report.note_lock(report.longest_lock);
        for (category, of) in report.categories {
            let BatchReport { deleted, anonymised, returned, withdrawn, held, dependents, .. } = of;
            if let Some(Some(leave)) = self.leaves.get_mut(&category) {
                leave.records_max = leave.records_max.saturating_sub(deleted + anonymised);
            }
            let counts = self.progress.report.category(&category);
            counts.deleted += deleted;
            counts.anonymised += anonymised;
            counts.returned += returned;
            counts.withdrawn += withdrawn;
            counts.held += held;
            counts.dependents += dependents;
        }
    }

    /// What erasing them would do now: the same second look, and the same layout one category after the other.
    async fn foresee(&mut self) -> Result<(), JobError> {
        let mut after = None;
        while let Some((groups, last)) = self.groups(after, *GROUPS.end()).await? {
            after = last;
            for group in self.free(groups).await? {
                self.foresee_group(&group).await?;
            }
        }
        Ok(())
    }

    async fn foresee_group(&mut self, group: &[Proposal]) -> Result<(), JobError> {
        let day = self.workshop.day();
        let mappings = in_order(self.mappings.values());
        let mut ruled: Vec<(RecordRef, Ruling)> = Vec::new();
        let mut erased: Vec<(&Mapping, Vec<RecordKey>)> = Vec::new();
        for mapping in mappings {
            let own: Vec<&Proposal> = group.iter().filter(|one| one.record.category == mapping.category).collect();
            if own.is_empty() {
                continue;
            }
            let claims: Vec<Claim> = own.iter().map(|proposal| claim(self.workshop, proposal)).collect();
            let key = &self.workshop.keys.fingerprint;
            let now = rulings(&mut self.open.reader, mapping, &day, key, &claims).await;
            let now = now.map_err(|error| self.failed(error))?;
            ruled.extend(own.iter().map(|one| one.record.clone()).zip(now));
            erased.push((mapping, claims.into_iter().map(|claim| claim.key).collect()));
        }
        let origins = group.iter().map(|one| ((&one.record.category, &one.record.key), &one.origin)).collect();
        let is_there = |wanted: fn(&Ruling) -> bool| ruled.iter().any(|(_, ruling)| wanted(ruling));
        let cause = if is_there(|ruling| matches!(ruling, Ruling::Withdraw(_))) {
            Some(Parted::Withdrawn)
        } else {
            is_there(|ruling| matches!(ruling, Ruling::Return(..))).then_some(Parted::Returned)
        };
        match cause {
            None => self.foresee_erased(&erased, &origins).await?,
            Some(cause) => ruled.into_iter().for_each(|(record, ruling)| self.foresee_ruled_out(record, ruling, cause)),
        }
        Ok(())
    }

    fn foresee_ruled_out(&mut self, record: RecordRef, ruling: Ruling, cause: Parted) {
        let counts = self.progress.report.category(&record.category);
        let future = ruled_out(counts, ruling).unwrap_or_else(|| {
            counts.returned += 1;
            Future::Returned(ReturnReason::Together(cause))
        });
        self.tell(record, future);
    }

    async fn foresee_erased(
        &mut self,
        records: &[(&Mapping, Vec<RecordKey>)],
        origins: &BTreeMap<(&CategoryName, &RecordKey), &Origin>,
    ) -> Result<(), JobError> {
        let foreseen = preview_joint(&mut self.open.reader, records, &self.workshop.keys.fingerprint).await;
        for ((mapping, _), previews) in records.iter().zip(foreseen.map_err(|error| self.failed(error))?) {
            for preview in previews {
                let counts = self.progress.report.category(&mapping.category);
                match preview.planned.outcome {
                    Outcome::Deleted => counts.deleted += 1,
                    Outcome::Anonymised => counts.anonymised += 1,
                }
                counts.dependents += preview.planned.counts();
                if let Some(origin) = origins.get(&(&mapping.category, &preview.planned.key)) {
                    let outcome = preview.planned.outcome;
                    count_erased(&mut self.progress.report.reasons, &mapping.category, origin, outcome);
                }
                let record = RecordRef { category: mapping.category.clone(), key: preview.planned.key.clone() };
                self.tell(record, Future::Erased(preview));
            }
        }
        Ok(())
    }

    fn tell(&mut self, record: RecordRef, future: Future) {
        if let Some(watcher) = self.progress.watcher.as_mut() {
            watcher(Foreseen { record, future });
        }
    }
}

fn joined(workshop: &Workshop, proposal: &Proposal) -> Joined {
    Joined { category: proposal.record.category.clone(), claim: claim(workshop, proposal) }
}
