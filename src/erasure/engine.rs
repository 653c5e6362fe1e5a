//! Erases one batch, exactly once on the record.
//!
//! The four steps of a batch: *claim and plan* under the source's lock, *intent* in the journal, *apply* and verify in the
//! open transaction of the source, *outcome* in the journal. What an error behind the intent means is decided by
//! [`settlement`] alone, from the commit marker, here as at every start.
//!
//! Two databases are at work, so what does not wait for one another is done at the same time: the second look at the
//! records and the layout, the intent and the changes. The source commits only when the intent is known to be durable.

mod joint;

use std::collections::HashSet;
use std::time::Duration;

pub use self::joint::{Joined, JointReport, in_order};
use super::journal::{Intent, Journal, JournalError};
use super::plan::{BatchPlan, Claim, Fresh, RuledOut, Ruling, planned, rulings};
use super::point::pass;
use super::select::Day;
use super::settlement::{Settlement, settlement};
use crate::clock::Stopwatch;
use crate::proposal::{BatchId, DependentCounts, Origin, Outcome, ProposalId, WithdrawReason};
use crate::record::{FingerprintKey, RecordKey};
use crate::source::{Mapping, Reader, SourceError, Staged, Writer};

/// Why a batch stopped the run. What a single record does wrong is no such reason: the record goes back to the clerk.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The source is in the way.
    #[error("cannot erase in the source")]
    Source(#[source] SourceError),
    /// The journal is.
    #[error("cannot go on without the journal")]
    Journal(#[source] JournalError),
    /// The source is in the way of finding out what has become of a batch. Nothing more may be begun in it before that is
    /// settled.
    #[error("cannot find out what has become of a batch")]
    Unsettled(#[source] SourceError),
    /// The marker carries neither this batch nor the one before.
    #[error("the source's commit marker is from elsewhere: the source or the state has been restored")]
    Foreign,
    /// There were no random bytes for the batch's id.
    #[error("cannot make an id for a batch")]
    Entropy(#[source] getrandom::Error),
}

/// What a batch has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchReport {
    /// Records deleted.
    pub deleted: u64,
    /// Records anonymised.
    pub anonymised: u64,
    /// How many of those deleted were anonymised before.
    pub shells: u64,
    /// Records that went back to the clerk.
    pub returned: u64,
    /// Records withdrawn.
    pub withdrawn: u64,
    /// Records left out because they were held when the intent was to be written.
    pub held: u64,
    /// What happened to dependents.
    pub dependents: DependentCounts,
    /// The longest time for which the source's lock was held.
    pub longest_lock: Duration,
}

/// Erases batches of one category in one source.
pub struct Engine<'a> {
    /// Reads by the settings' SQL, while the writer holds the lock.
    pub reader: &'a mut Reader,
    /// Erases.
    pub writer: &'a mut Writer,
    /// The category.
    pub mapping: &'a Mapping,
    /// The day that verdicts are given for.
    pub day: &'a Day,
    /// The key of fingerprints.
    pub key: &'a FingerprintKey,
    /// This installation, for the commit marker.
    pub installation: &'a str,
    /// The last batch that has committed in this source.
    pub last_committed: Option<BatchId>,
    /// A write-ahead log of more pages than this is moved to the main file after the batch.
    pub log_pages_max: u64,
    /// For how long the source is left alone before a batch that was refused is tried again in halves.
    pub gap: Duration,
    /// Since when the source's lock has been free again; `None` before the first batch.
    pub released: Option<Stopwatch>,
}

/// What one attempt has come to.
enum Attempt {
    Done(BatchReport),
    /// Some of the records are held by now; nothing has happened.
    Held {
        /// For how long the lock was held all the same.
        held: Duration,
        /// Those that are not, to be tried again.
        claims: Vec<Claim>,
        /// How many are.
        left_out: u64,
    },
    /// A record of the batch is in the way; nothing has happened.
    Refused {
        /// For how long the lock was held all the same.
        held: Duration,
        /// With what they are now, as far as that was seen.
        claims: Vec<(Claim, Option<Fresh>)>,
        error: SourceError,
    },
}

/// Why there is no plan for a batch.
struct Unplanned {
    /// Those that were to be erased, with what they are now, as far as that was seen.
    claims: Vec<(Claim, Option<Fresh>)>,
    /// Those that were ruled out by then.
    ruled_out: Vec<RuledOut>,
    error: SourceError,
}

impl Engine<'_> {
    /// Erases these records. Where the database refuses a batch it is halved, until the record that is in the way
    /// stands alone and goes back to the clerk. Between two attempts the journal gives way, and may end it.
    ///
    /// # Errors
    /// When source or journal are in the way. Nothing is half done then, and what is still open is for settlement.
    pub async fn erase<J: Journal>(&mut self, journal: &mut J, claims: Vec<Claim>) -> Result<BatchReport, EngineError> {
        let mut report = BatchReport::default();
        self.erase_into(journal, claims, &mut report).await?;
        Ok(report)
    }

    /// The same; what was done before an error is in the report.
    ///
    /// # Errors
    /// As [`erase`](Self::erase).
    pub async fn erase_into<J: Journal>(
        &mut self,
        journal: &mut J,
        claims: Vec<Claim>,
        report: &mut BatchReport,
    ) -> Result<(), EngineError> {
        let mut waiting = vec![claims];
        while let Some(mut claims) = waiting.pop() {
            if self.released.is_some() {
                let of: Vec<ProposalId> = claims.iter().map(|claim| claim.proposal).collect();
                let standing = journal.give_way(&of, self.gap).await.map_err(EngineError::Journal)?;
                let Some(standing) = standing else { return Ok(()) };
                claims.retain(|claim| standing.contains(&claim.proposal));
            }
            if claims.is_empty() {
                continue;
            }
            match self.attempt(journal, claims, report).await? {
                Attempt::Done(done) => *report += done,
                Attempt::Held { held, claims, left_out } => {
                    *report += BatchReport { longest_lock: held, held: left_out, ..BatchReport::default() };
                    waiting.push(claims);
                }
                Attempt::Refused { held, claims, error } if claims.len() == 1 => {
                    *report += BatchReport { longest_lock: held, ..BatchReport::default() };
                    journal.refused(&claims, error.to_string()).await.map_err(EngineError::Journal)?;
                    report.returned += 1;
                }
                Attempt::Refused { held, claims, .. } => {
                    *report += BatchReport { longest_lock: held, ..BatchReport::default() };
                    let mut claims: Vec<Claim> = claims.into_iter().map(|(claim, _)| claim).collect();
                    let second = claims.split_off(claims.len() / 2);
                    waiting.push(second);
                    waiting.push(claims);
                }
            }
        }
        Ok(())
    }

    /// Who was ruled out is in the report as soon as the journal has it, whatever becomes of the batch.
    async fn attempt<J: Journal>(
        &mut self,
        journal: &mut J,
        claims: Vec<Claim>,
        report: &mut BatchReport,
    ) -> Result<Attempt, EngineError> {
        let batch = BatchId::generate().map_err(EngineError::Entropy)?;
        self.writer.begin(self.mapping, self.reader).await.map_err(EngineError::Source)?;
        let locked = Stopwatch::start();
        pass("batch-locked");
        if let Err(error) = self.is_where_it_was_left().await {
            return self.give_up(error).await;
        }
        let (plan, fresh) = match self.plan(batch, claims).await {
            Ok(planned) => planned,
            Err(unplanned) => return self.without_plan(journal, batch, unplanned, &locked, report).await,
        };
        pass("batch-planned");
        if plan.records.is_empty() {
            self.writer.roll_back().await.map_err(EngineError::Source)?;
            let held = locked.elapsed();
            self.released = Some(Stopwatch::start());
            journal.intent(&plan).await.map_err(EngineError::Journal)?;
            *report += ruled_out(&plan);
            return Ok(Attempt::Done(erased(&plan, held)));
        }
        let (intent, applied) = tokio::join!(intent(journal, &plan), self.writer.apply(self.mapping));
        match intent {
            Ok(Intent::Written) => *report += ruled_out(&plan),
            Ok(Intent::Held(held)) => return self.leave_out(&held, plan, fresh, &locked).await,
            Err(error) => {
                // Whether the intent stands is not known: the marker will say that nothing came of it.
                self.take_back().await;
                return Err(EngineError::Journal(error));
            }
        }
        let committed = match applied {
            Ok(_) => self.commit(plan.batch).await,
            Err(error) => Err(error),
        };
        let held = locked.elapsed();
        self.released = Some(Stopwatch::start());
        match committed {
            Ok(()) => self.conclude(journal, &plan, held).await,
            Err(error) => self.settle(journal, &plan, fresh, error, held).await,
        }
    }

    /// Takes the changes back: the batch is to be made without those that are held by now. Those that were ruled out are
    /// looked at again with the rest, for nothing was written about them either.
    async fn leave_out(
        &mut self,
        held: &[ProposalId],
        plan: BatchPlan,
        fresh: Vec<(Claim, Fresh)>,
        locked: &Stopwatch,
    ) -> Result<Attempt, EngineError> {
        self.writer.roll_back().await.map_err(EngineError::Source)?;
        self.released = Some(Stopwatch::start());
        let ruled_out = plan.ruled_out.into_iter().map(|out| out.claim);
        let mut claims: Vec<Claim> = fresh.into_iter().map(|(claim, _)| claim).chain(ruled_out).collect();
        claims.retain(|claim| !held.contains(&claim.proposal));
        Ok(Attempt::Held { held: locked.elapsed(), claims, left_out: held.len() as u64 })
    }

    /// Takes the changes back where the journal has failed. That is what stops the run, whatever the source says to it:
    /// what is not taken back now is when the connection is closed.
    async fn take_back(&mut self) {
        if let Err(error) = self.writer.roll_back().await {
            tracing::warn!(error = %crate::config::causes(&error), "cannot roll a batch back that has no intent");
        }
    }

    /// Nothing was changed yet. Where it is a record that is in the way, those that were ruled out are dealt with all the
    /// same, as they are by an intent.
    async fn without_plan<J: Journal>(
        &mut self,
        journal: &mut J,
        batch: BatchId,
        unplanned: Unplanned,
        locked: &Stopwatch,
        report: &mut BatchReport,
    ) -> Result<Attempt, EngineError> {
        let Unplanned { claims, ruled_out: out, error } = unplanned;
        if error.is_about_the_database() {
            return self.give_up(EngineError::Source(error)).await;
        }
        self.writer.roll_back().await.map_err(EngineError::Source)?;
        let held = locked.elapsed();
        self.released = Some(Stopwatch::start());
        let plan = BatchPlan { batch, records: Vec::new(), proposals: Vec::new(), shells: 0, ruled_out: out };
        if !plan.ruled_out.is_empty() {
            journal.intent(&plan).await.map_err(EngineError::Journal)?;
            *report += ruled_out(&plan);
        }
        Ok(Attempt::Refused { held, claims, error })
    }

    async fn give_up<T>(&mut self, error: EngineError) -> Result<T, EngineError> {
        self.writer.roll_back().await.map_err(EngineError::Source)?;
        Err(error)
    }

    /// Whether the source, under its lock, is the one that the last batch was committed in: an older copy may have been
    /// written back into the same file.
    async fn is_where_it_was_left(&mut self) -> Result<(), EngineError> {
        let marker = self.writer.marker(self.installation).await.map_err(EngineError::Source)?;
        let last = self.last_committed.map(|last| last.to_string());
        if marker == last { Ok(()) } else { Err(EngineError::Foreign) }
    }

    /// Step 1: reads the records again and lays out what is to happen.
    async fn plan(
        &mut self,
        batch: BatchId,
        claims: Vec<Claim>,
    ) -> Result<(BatchPlan, Vec<(Claim, Fresh)>), Unplanned> {
        let keys: Vec<RecordKey> = claims.iter().map(|claim| claim.key.clone()).collect();
        let second_look = rulings(self.reader, self.mapping, self.day, self.key, &claims);
        let (ruled, staged) = if self.writer.is_surveyed() || self.mapping.surveyed().next().is_none() {
            // Hardly ever is anybody ruled out: the layout for all of them is then the one that is needed.
            let (ruled, staged) = tokio::join!(second_look, self.writer.stage(self.mapping, &keys));
            (ruled, Some(staged))
        } else {
            // Each layout is a pass through a table: better one of them than two.
            (second_look.await, None)
        };
        let ruled = match ruled {
            Ok(ruled) => ruled,
            Err(error) => {
                let claims = claims.into_iter().map(|claim| (claim, None)).collect();
                return Err(Unplanned { claims, ruled_out: Vec::new(), error });
            }
        };
        let mut erased: Vec<(Claim, Fresh)> = Vec::new();
        let mut ruled_out = Vec::new();
        for (claim, ruling) in claims.into_iter().zip(ruled) {
            match ruling {
                Ruling::Erase(fresh) => erased.push((claim, fresh)),
                ruling => ruled_out.push(RuledOut { claim, ruling }),
            }
        }
        let staged = match self.lay_out(&mut erased, &mut ruled_out, staged).await {
            Ok(staged) => staged,
            Err(error) => return Err(Unplanned { claims: seen(erased), ruled_out, error }),
        };
        let records = staged.records.iter().map(|record| planned(self.mapping, self.key, record)).collect();
        let shells = erased.iter().filter(|(claim, _)| claim.origin == Origin::Shell).count() as u64;
        let proposals = erased.iter().map(|(claim, _)| claim.proposal).collect();
        Ok((BatchPlan { batch, records, proposals, shells, ruled_out }, erased))
    }

    /// The layout for those that are erased: `staged` where that is for them all. Whoever is to be kept after all is ruled
    /// out.
    async fn lay_out(
        &mut self,
        erased: &mut Vec<(Claim, Fresh)>,
        ruled_out: &mut Vec<RuledOut>,
        staged: Option<Result<Staged, SourceError>>,
    ) -> Result<Staged, SourceError> {
        let mut staged = match staged {
            Some(staged) if ruled_out.is_empty() => staged?,
            _ => self.stage(erased).await?,
        };
        // Without one, another may be kept that would have gone with it.
        loop {
            let kept_again = kept_shells(erased, &staged);
            if kept_again.is_empty() {
                break;
            }
            let is_kept = |(claim, _): &mut (Claim, Fresh)| kept_again.contains(&claim.key);
            let kept = erased.extract_if(.., is_kept);
            ruled_out
                .extend(kept.map(|(claim, _)| RuledOut { claim, ruling: Ruling::Withdraw(WithdrawReason::KeptAgain) }));
            staged = self.stage(erased).await?;
        }
        // Both looks were taken under the lock: a record that only one of them finds is not erased by guessing.
        if !staged.is_of(erased.iter().map(|(claim, _)| &claim.key)) {
            let (planned, changed) = (erased.len() as u64, staged.records.len() as u64);
            let table = self.mapping.table().to_owned();
            return Err(SourceError::Miscounted { doing: "lay out", table, planned, changed });
        }
        Ok(staged)
    }

    /// The layout for those that are erased, and nobody else.
    async fn stage(&mut self, erased: &[(Claim, Fresh)]) -> Result<Staged, SourceError> {
        if erased.is_empty() {
            return Ok(Staged::default());
        }
        let keys: Vec<RecordKey> = erased.iter().map(|(claim, _)| claim.key.clone()).collect();
        self.writer.stage(self.mapping, &keys).await
    }

    /// The rest of step 3, when the changes are made and verified and the intent is durable.
    async fn commit(&mut self, batch: BatchId) -> Result<(), SourceError> {
        pass("batch-changed");
        self.writer.mark(self.installation, &batch.to_string()).await?;
        pass("batch-marked");
        self.writer.commit().await?;
        pass("batch-committed");
        Ok(())
    }

    /// Step 4: the batch has committed. The lock is free, so this is also the time for a checkpoint.
    async fn conclude<J: Journal>(
        &mut self,
        journal: &mut J,
        plan: &BatchPlan,
        held: Duration,
    ) -> Result<Attempt, EngineError> {
        self.last_committed = Some(plan.batch);
        let (told, moved) = tokio::join!(journal.outcome(plan.batch), self.writer.checkpoint(self.log_pages_max));
        told.map_err(EngineError::Journal)?;
        pass("outcome-written");
        if let Err(error) = moved {
            // The batch stands, and so does what tells of it. The next checkpoint moves more.
            tracing::warn!(error = %crate::config::causes(&error), "changes are left in the write-ahead log");
        }
        Ok(Attempt::Done(erased(plan, held)))
    }

    /// Something went wrong behind the intent: the marker says what has come of it.
    async fn settle<J: Journal>(
        &mut self,
        journal: &mut J,
        plan: &BatchPlan,
        claims: Vec<(Claim, Fresh)>,
        error: SourceError,
        held: Duration,
    ) -> Result<Attempt, EngineError> {
        self.writer.roll_back().await.map_err(EngineError::Unsettled)?;
        let marker = self.writer.marker(self.installation).await.map_err(EngineError::Unsettled)?;
        match settlement(marker.as_deref(), plan.batch, self.last_committed) {
            Settlement::Committed => self.conclude(journal, plan, held).await,
            Settlement::Foreign => Err(EngineError::Foreign),
            Settlement::RolledBack => {
                journal.rolled_back(plan.batch).await.map_err(EngineError::Journal)?;
                if error.is_about_the_database() {
                    Err(EngineError::Source(error))
                } else {
                    Ok(Attempt::Refused { held, claims: seen(claims), error })
                }
            }
        }
    }
}

/// They are known as they are now.
fn seen(claims: Vec<(Claim, Fresh)>) -> Vec<(Claim, Option<Fresh>)> {
    claims.into_iter().map(|(claim, fresh)| (claim, Some(fresh))).collect()
}

/// Those that were to be deleted because nothing keeps them any more, and that something keeps after all.
fn kept_shells(erased: &[(Claim, Fresh)], staged: &Staged) -> HashSet<RecordKey> {
    let shells = erased.iter().filter(|(claim, _)| claim.origin == Origin::Shell);
    let shells: HashSet<&RecordKey> = shells.map(|(claim, _)| &claim.key).collect();
    let stays = staged.records.iter().filter(|record| record.outcome == crate::source::Outcome::Anonymise);
    stays.map(|record| &record.key).filter(|key| shells.contains(key)).cloned().collect()
}

/// Step 2: writes down what is about to be done.
async fn intent<J: Journal>(journal: &mut J, plan: &BatchPlan) -> Result<Intent, JournalError> {
    let intent = journal.intent(plan).await?;
    if intent == Intent::Written {
        pass("intent-written");
    }
    Ok(intent)
}

/// What a batch that has committed has done.
fn erased(plan: &BatchPlan, held: Duration) -> BatchReport {
    let mut report = BatchReport { longest_lock: held, shells: plan.shells, ..BatchReport::default() };
    for record in &plan.records {
        match record.outcome {
            Outcome::Deleted => report.deleted += 1,
            Outcome::Anonymised => report.anonymised += 1,
        }
        report.dependents += record.counts();
    }
    report
}

/// What has become of those who are not erased.
fn ruled_out(plan: &BatchPlan) -> BatchReport {
    let mut report = BatchReport::default();
    for ruled_out in &plan.ruled_out {
        match ruled_out.ruling {
            Ruling::Withdraw(_) => report.withdrawn += 1,
            Ruling::Return(..) | Ruling::Erase(_) => report.returned += 1,
        }
    }
    report
}

impl std::ops::AddAssign for BatchReport {
    fn add_assign(&mut self, other: Self) {
        self.deleted += other.deleted;
        self.anonymised += other.anonymised;
        self.shells += other.shells;
        self.returned += other.returned;
        self.withdrawn += other.withdrawn;
        self.held += other.held;
        self.dependents += other.dependents;
        self.longest_lock = self.longest_lock.max(other.longest_lock);
    }
}
