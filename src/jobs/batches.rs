//! Batch after batch of one category: how large each is, when it begins, and what is done between two of them.

use std::time::Duration;

use super::brake::Leave;
use super::erase::claim;
use super::journal::StoreJournal;
use super::run::{PROGRESS_EVERY, Progress, Stop, note_progress};
use super::{JobError, Workshop, store};
use crate::clock::Stopwatch;
use crate::config::SourceSettings;
use crate::erasure::{BatchReport, Claim, Engine, Pace};
use crate::proposal::{BatchId, ProposalId};
use crate::record::RecordRef;
use crate::source::{Mapping, Reader, SourceError, Surveyed, Writer};
use crate::store::{Proposal, RunId, WriteTurn};

/// Records of the first batch; later ones follow the time that it held the lock.
const BATCH_RECORDS_FIRST: u32 = 200;
/// A batch is never smaller than this.
const BATCH_RECORDS_MIN: u32 = 10;
/// Nor larger, however short its lock: what it comes to is one change of the state.
const BATCH_RECORDS_MAX: u32 = 2_000;
/// Records for which a dependent without an index is looked through at once.
const SURVEYED_RECORDS_MAX: u32 = 50_000;
/// For fewer a pass is not worth while.
const SURVEYED_RECORDS_MIN: u32 = 1_000;
/// To read which records come next takes about so long. It is done while the source is left alone.
const READING: Duration = Duration::from_millis(10);

/// The batches of one category in one run.
pub(super) struct Batches<'a, 'w> {
    pub(super) workshop: &'a Workshop,
    pub(super) described: &'a SourceSettings,
    pub(super) mapping: &'a Mapping,
    pub(super) run: RunId,
    pub(super) reader: &'a mut Reader,
    pub(super) writer: Writer,
    pub(super) progress: &'a mut Progress<'w>,
    pub(super) stop: Stop<'a>,
    pub(super) last_committed: Option<BatchId>,
    /// Which of the confirmed may be erased, and how many.
    pub(super) leave: &'a mut Leave,
    pub(super) next: Next,
}

/// What is known about the batch that comes next.
pub(super) struct Next {
    pace: Pace,
    size: u32,
    /// It begins behind this proposal.
    after: Option<ProposalId>,
    /// The last of those for whom the source was surveyed.
    surveyed: Option<ProposalId>,
    /// For how many it is to be surveyed; fewer where too much refers to them.
    survey: u32,
    /// For how long the last one held the source, and since when it has not.
    last: Option<(Duration, Stopwatch)>,
    observed: Stopwatch,
    told: Stopwatch,
}

impl Next {
    pub(super) fn first(max_lock: Duration, after: Option<ProposalId>) -> Self {
        Self {
            pace: Pace::new(max_lock),
            size: BATCH_RECORDS_FIRST,
            after,
            surveyed: None,
            survey: SURVEYED_RECORDS_MAX,
            last: None,
            observed: Stopwatch::start(),
            told: Stopwatch::start(),
        }
    }

    /// How much longer the source is to be left alone.
    fn rest_of_gap(&self) -> Duration {
        self.last.as_ref().map_or(Duration::ZERO, |(held, since)| self.pace.gap(*held).saturating_sub(since.elapsed()))
    }
}

impl Batches<'_, '_> {
    fn failed(&self, source: SourceError) -> JobError {
        JobError::Source { name: self.described.name.to_string(), source }
    }

    async fn confirmed(&self, limit: u32) -> Result<Vec<Proposal>, JobError> {
        let category = &self.mapping.category;
        self.workshop.store.confirmed(category, self.leave.ripe, self.next.after, limit).await.map_err(store)
    }

    /// Leaves nothing in the write-ahead log for the application to move, and closes the connection. Gives the last
    /// proposal that has been dealt with.
    pub(super) async fn close(mut self) -> Option<ProposalId> {
        if let Err(error) = self.writer.checkpoint(0).await {
            tracing::warn!(error = %crate::config::causes(&error), "changes are left in the write-ahead log");
        }
        self.writer.close().await;
        self.next.after
    }

    /// Whether anything more may be begun at this time of day. Asked as late as can be, and only where something is left.
    fn may_begin(&mut self) -> bool {
        self.progress.may_begin(self.workshop, self.described, Some(self.run))
    }

    /// Erases until nothing is left, or until it is to stop.
    pub(super) async fn erase(&mut self) -> Result<(), JobError> {
        self.survey().await?;
        while self.batch().await? {
            if self.next.told.elapsed() >= PROGRESS_EVERY {
                note_progress(self.workshop, self.run, self.progress).await.map_err(store)?;
                self.next.told = Stopwatch::start();
            }
            if self.progress.hears(self.stop) {
                break;
            }
            self.survey().await?;
            tokio::time::sleep(self.next.rest_of_gap().saturating_sub(READING)).await;
        }
        Ok(())
    }

    /// Erases the next batch; false when there is none, or the source is to be left alone at this time of day.
    async fn batch(&mut self) -> Result<bool, JobError> {
        let workshop = self.workshop;
        let turn = workshop.store.turn().await;
        // Within the turn: rules are changed in theirs.
        if self.progress.hears(self.stop) {
            return Ok(false);
        }
        let proposals = self.confirmed(self.next.size).await?;
        let Some(last) = proposals.last() else {
            return Ok(false);
        };
        tokio::time::sleep(self.next.rest_of_gap()).await;
        if !self.may_begin() {
            return Ok(false);
        }
        self.observe().await?;
        let after = Some(last.id);
        let (batch, left_out) = self.free(&proposals).await?;
        let records = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        if u64::from(records) > self.leave.records_max {
            self.progress.note_more_than_counted(&self.mapping.category);
            return Ok(false);
        }
        let keys = batch.iter().map(|(_, claim)| &claim.key);
        self.progress.samples.take(&self.described.name, self.reader, self.mapping, keys).await;
        let mut report = BatchReport::default();
        let done = if batch.is_empty() { Ok(false) } else { self.attempt(turn, batch, &mut report).await };
        if done.is_err() {
            // They stay as they are: whoever tries again finds them held, and counts them then.
            report.held = 0;
        }
        self.count(&report);
        let is_left_off = done?;
        self.progress.report.category(&self.mapping.category).held += left_out;
        if is_left_off {
            self.progress.note_left_off(self.workshop, self.described, self.run, self.stop);
            return Ok(false);
        }
        self.next.after = after;
        if records == 0 {
            return Ok(true);
        }
        let (held, is_active) = (report.longest_lock, self.next.pace.is_active());
        tracing::debug!(records, lock_us = u64::try_from(held.as_micros()).unwrap_or(u64::MAX), is_active, "batch");
        self.next.size = self.next.pace.fitting(records, held, &(BATCH_RECORDS_MIN..=BATCH_RECORDS_MAX));
        Ok(true)
    }

    fn count(&mut self, report: &BatchReport) {
        let erased = report.deleted + report.anonymised;
        self.leave.records_max = self.leave.records_max.saturating_sub(erased);
        self.progress.report.note_lock(report.longest_lock);
        let counts = self.progress.report.category(&self.mapping.category);
        counts.deleted += report.deleted;
        counts.anonymised += report.anonymised;
        counts.shells += report.shells;
        counts.returned += report.returned;
        counts.withdrawn += report.withdrawn;
        counts.held += report.held;
        counts.dependents += report.dependents;
    }

    /// Those that are not held, with the claims on them, and how many are; they stay as they are.
    async fn free<'p>(&self, proposals: &'p [Proposal]) -> Result<(Vec<(&'p Proposal, Claim)>, u64), JobError> {
        let records: Vec<&RecordRef> = proposals.iter().map(|proposal| &proposal.record).collect();
        let held = self.workshop.store.held_among(&records).await.map_err(store)?;
        let free = proposals.iter().filter(|proposal| !held.contains(&proposal.record));
        Ok((free.map(|proposal| (proposal, claim(self.workshop, proposal))).collect(), held.len() as u64))
    }

    /// Looks whether the application was active while the source was left alone.
    async fn observe(&mut self) -> Result<(), JobError> {
        let has_changed = self.writer.others_have_changed_it().await.map_err(|error| self.failed(error))?;
        self.next.pace.observe(has_changed, self.next.observed.elapsed());
        self.next.observed = Stopwatch::start();
        Ok(())
    }

    /// Gives whether it was left off in its middle, because nothing more was to be begun.
    async fn attempt(
        &mut self,
        turn: WriteTurn<'_>,
        batch: Vec<(&Proposal, Claim)>,
        report: &mut BatchReport,
    ) -> Result<bool, JobError> {
        let may_go_on = self.workshop.may_begin_more(self.described, self.stop);
        let claimed = batch.iter().map(|(proposal, claim)| (*proposal, claim));
        let of = (self.run, &self.described.name);
        let mut journal = StoreJournal::new((&self.workshop.store, turn), of, claimed, &may_go_on);
        let claims = batch.into_iter().map(|(_, claim)| claim).collect();
        let mut engine = Engine {
            reader: self.reader,
            writer: &mut self.writer,
            mapping: self.mapping,
            day: &self.workshop.day(),
            key: &self.workshop.keys.fingerprint,
            installation: self.workshop.store.installation(),
            last_committed: self.last_committed,
            log_pages_max: self.next.pace.log_pages_max(),
            gap: self.next.pace.gap(self.next.pace.allowed()),
            released: None,
        };
        let done = engine.erase_into(&mut journal, claims, report).await;
        journal.tally.add_to(&mut self.progress.report);
        self.last_committed = engine.last_committed;
        let released = engine.released.take();
        done.map_err(|source| JobError::Engine { category: self.mapping.category.to_string(), source })?;
        self.next.last = released.map(|since| (report.longest_lock, since));
        Ok(journal.is_left_off)
    }

    /// Where a dependent has no index, looks for the rows of many batches in one pass. Not again while the application
    /// changes things: what it changes would have to be looked for once more.
    async fn survey(&mut self) -> Result<(), JobError> {
        let is_needed = self.next.survey >= SURVEYED_RECORDS_MIN && self.mapping.surveyed().next().is_some();
        let holds = self.writer.is_surveyed() && self.next.after < self.next.surveyed;
        let is_in_vain = self.next.after.is_some() && self.next.pace.is_active();
        if !is_needed || holds || is_in_vain {
            return Ok(());
        }
        let (category, after) = (&self.mapping.category, self.next.after);
        let found = self.workshop.store.confirmed_keys(category, self.leave.ripe, after, self.next.survey).await;
        let (keys, last) = found.map_err(store)?;
        if keys.is_empty() || !self.may_begin() {
            return Ok(());
        }
        self.next.surveyed = last;
        let found = self.writer.survey(self.mapping, &keys, self.reader).await.map_err(|error| self.failed(error))?;
        if found == Surveyed::TooMany {
            self.next.survey /= 8;
        }
        Ok(())
    }
}
