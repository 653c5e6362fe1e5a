//! The engine's journal, kept in the state.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::journal as failed;
use crate::erasure::{BatchPlan, Claim, Fresh, Intent, Journal, JournalError, Ruling};
use crate::proposal::{BatchId, ProposalId, ReturnReason, WithdrawReason};
use crate::record::{CategoryName, RecordRef, SourceName};
use crate::store::{
    self, Change, Intended, PlannedErasure, Proposal, Reasons, Refusals, RunId, RunReport, Store, WriteTurn,
    add_reasons, add_refusals, count_erased,
};

/// Writes one run's batches down, under a write turn that is held from before the source's lock is taken, and given up
/// between two attempts at a batch.
pub(super) struct StoreJournal<'a> {
    store: &'a Store,
    turn: Option<WriteTurn<'a>>,
    run: RunId,
    source: &'a SourceName,
    /// The claims of the batch, with the fingerprints that were decided about, for the ledger.
    claims: HashMap<ProposalId, Claimed>,
    may_go_on: MayGoOn<'a>,
    /// What the open intent is to erase, by the reason for which it is due.
    planned: Reasons,
    /// What is to be counted of the batch beside what the engine counts.
    pub(super) tally: Tally,
    /// Whether something of the batch is left because it was not to go on.
    pub(super) is_left_off: bool,
}

/// What has become of records, by the reasons for it.
#[derive(Default)]
pub(super) struct Tally {
    erased: Reasons,
    refused: Refusals,
}

impl Tally {
    pub(super) fn add_to(&self, report: &mut RunReport) {
        add_reasons(&mut report.reasons, &self.erased);
        add_refusals(&mut report.refused, &self.refused);
    }
}

/// Whether anything more may be begun. Asked between two attempts at a batch.
pub(super) type MayGoOn<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// A claim as the batch was begun with it.
struct Claimed {
    category: CategoryName,
    claim: Claim,
    confirmed_at: Option<Timestamp>,
}

impl<'a> StoreJournal<'a> {
    /// For a batch of what was read within `turn`: these proposals, with the claims on them.
    pub(super) fn new<'p>(
        (store, turn): (&'a Store, WriteTurn<'a>),
        (run, source): (RunId, &'a SourceName),
        batch: impl IntoIterator<Item = (&'p Proposal, &'p Claim)>,
        may_go_on: MayGoOn<'a>,
    ) -> Self {
        let of = |(proposal, claim): (&Proposal, &Claim)| {
            let (category, confirmed_at) = (proposal.record.category.clone(), proposal.confirmed_at);
            (proposal.id, Claimed { category, claim: claim.clone(), confirmed_at })
        };
        let claims = batch.into_iter().map(of).collect();
        let (planned, tally) = (Reasons::new(), Tally::default());
        Self { store, turn: Some(turn), run, source, claims, may_go_on, planned, tally, is_left_off: false }
    }

    async fn change(&mut self) -> Result<Change<'_>, JournalError> {
        let turn = match self.turn.take() {
            Some(turn) => turn,
            None => self.store.turn().await,
        };
        self.turn.insert(turn).begin().await.map_err(failed)
    }

    fn planned(&self, plan: &BatchPlan) -> Vec<PlannedErasure> {
        plan.proposals
            .iter()
            .zip(&plan.records)
            .filter_map(|(proposal, record)| {
                let claimed = self.claims.get(proposal).filter(|claimed| claimed.claim.key == record.key)?;
                let Claimed { category, claim, .. } = claimed;
                Some(PlannedErasure {
                    proposal: *proposal,
                    record: RecordRef { category: category.clone(), key: claim.key.clone() },
                    outcome: record.outcome,
                    dependents: record.counts(),
                    before: claim.fingerprint.clone(),
                    after: record.after.clone(),
                })
            })
            .collect()
    }
}

impl StoreJournal<'_> {
    /// How many of these are due for which reason.
    fn by_reason(&self, planned: &[PlannedErasure]) -> Reasons {
        let mut reasons = Reasons::new();
        for one in planned {
            if let Some(Claimed { category, claim, .. }) = self.claims.get(&one.proposal) {
                count_erased(&mut reasons, category, &claim.origin, one.outcome);
            }
        }
        reasons
    }
}

impl Journal for StoreJournal<'_> {
    async fn intent(&mut self, plan: &BatchPlan) -> Result<Intent, JournalError> {
        let planned = self.planned(plan);
        if planned.len() != plan.records.len() {
            return Err(JournalError("a record of the batch has no proposal".into()));
        }
        let mut withdrawn: Vec<(ProposalId, WithdrawReason)> = Vec::new();
        let mut returned = Vec::new();
        for out in &plan.ruled_out {
            match &out.ruling {
                Ruling::Withdraw(reason) => withdrawn.push((out.claim.proposal, reason.clone())),
                Ruling::Return(reason, fresh) => {
                    returned.push((out.claim.proposal, reason.clone(), Some(stored(fresh.clone()))));
                }
                Ruling::Erase(_) => return Err(JournalError("a record that is erased was ruled out".into())),
            }
        }
        let (run, source) = (self.run, self.source);
        let mut change = self.change().await?;
        change.rule_out(run, &withdrawn, &returned).await.map_err(failed)?;
        if !planned.is_empty() {
            let Intended { taken, held } = change.intent(run, plan.batch, source, &planned).await.map_err(failed)?;
            if !held.is_empty() {
                // What is planned in the source is for all of them: the change is dropped, and the rest planned again.
                return Ok(Intent::Held(held));
            }
            // The write turn has been ours since the claims were read; whoever is missing now was never claimed.
            if taken.len() != planned.len() {
                return Err(JournalError("a record of the batch is no longer confirmed".into()));
            }
        }
        change.commit().await.map_err(failed)?;
        self.planned = self.by_reason(&planned);
        Ok(Intent::Written)
    }

    async fn outcome(&mut self, batch: BatchId) -> Result<(), JournalError> {
        let mut change = self.change().await?;
        change.outcome(batch).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        add_reasons(&mut self.tally.erased, &std::mem::take(&mut self.planned));
        Ok(())
    }

    async fn rolled_back(&mut self, batch: BatchId) -> Result<(), JournalError> {
        let mut change = self.change().await?;
        change.settle_rolled_back(batch).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }

    async fn refused(&mut self, claims: &[(Claim, Option<Fresh>)], message: String) -> Result<(), JournalError> {
        tracing::warn!(records = claims.len(), why = %message, "the database refused to erase");
        let mut refused = Refusals::new();
        for category in claims.iter().filter_map(|(claim, _)| Some(&self.claims.get(&claim.proposal)?.category)) {
            *refused.entry(category.to_string()).or_default().entry(message.clone()).or_default() += 1;
        }
        let reason = ReturnReason::BatchFailed { error: message };
        let back =
            |(claim, fresh): &(Claim, Option<Fresh>)| (claim.proposal, reason.clone(), fresh.clone().map(stored));
        let back: Vec<_> = claims.iter().map(back).collect();
        let run = self.run;
        let mut change = self.change().await?;
        change.return_to_clerk(run, &back).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        add_refusals(&mut self.tally.refused, &refused);
        Ok(())
    }

    /// Holds and decisions that have waited come first; what they are about is left out by what is read here, and by the
    /// intent.
    async fn give_way(
        &mut self,
        of: &[ProposalId],
        gap: Duration,
    ) -> Result<Option<HashSet<ProposalId>>, JournalError> {
        self.turn = None;
        if (self.may_go_on)() {
            tokio::time::sleep(gap).await;
            self.turn = Some(self.store.turn().await);
            if (self.may_go_on)() {
                let since = |id| (id, self.claims.get(&id).and_then(|claimed| claimed.confirmed_at));
                let since: Vec<_> = of.iter().copied().map(since).collect();
                return self.store.still_confirmed(&since).await.map(Some).map_err(failed);
            }
        }
        self.is_left_off = true;
        Ok(None)
    }
}

fn stored(fresh: Fresh) -> store::Fresh {
    store::Fresh { origin: fresh.origin, fingerprint: fresh.fingerprint, unit: fresh.unit }
}
