//! The engine's journal, kept in the state.

use std::collections::HashMap;

use super::journal as failed;
use crate::erasure::{BatchPlan, Claim, Fresh, Intent, Journal, JournalError, PlannedRecord, Ruling};
use crate::proposal::{BatchId, ProposalId, ReturnReason, WithdrawReason};
use crate::record::{CategoryName, RecordKey, RecordRef, SourceName};
use crate::store::{self, Intended, PlannedErasure, RunId, WriteTurn};

/// Writes one run's batches down, under a write turn that is held from before the source's lock is taken.
pub(super) struct StoreJournal<'t, 's> {
    pub(super) turn: &'t mut WriteTurn<'s>,
    pub(super) run: RunId,
    pub(super) source: &'t SourceName,
    pub(super) category: &'t CategoryName,
    /// The fingerprints that were decided about, for the ledger.
    pub(super) claims: Vec<Claim>,
}

impl StoreJournal<'_, '_> {
    fn planned(&self, plan: &BatchPlan) -> Vec<PlannedErasure> {
        let claims: HashMap<ProposalId, &Claim> = self.claims.iter().map(|claim| (claim.proposal, claim)).collect();
        let records: HashMap<&RecordKey, &PlannedRecord> = plan.records.iter().map(|one| (&one.key, one)).collect();
        plan.proposals
            .iter()
            .filter_map(|proposal| {
                let claim = claims.get(proposal)?;
                let record = records.get(&claim.key)?;
                Some(PlannedErasure {
                    proposal: *proposal,
                    record: RecordRef { category: self.category.clone(), key: claim.key.clone() },
                    outcome: record.outcome,
                    dependents: record.counts(),
                    before: claim.fingerprint.clone(),
                    after: record.after.clone(),
                })
            })
            .collect()
    }
}

impl Journal for StoreJournal<'_, '_> {
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
        let mut change = self.turn.begin().await.map_err(failed)?;
        if !withdrawn.is_empty() {
            change.withdraw(self.run, &withdrawn).await.map_err(failed)?;
        }
        if !returned.is_empty() {
            change.return_to_clerk(self.run, &returned).await.map_err(failed)?;
        }
        if !planned.is_empty() {
            let Intended { taken, held } =
                change.intent(self.run, plan.batch, self.source, &planned).await.map_err(failed)?;
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
        Ok(Intent::Written)
    }

    async fn outcome(&mut self, batch: BatchId) -> Result<(), JournalError> {
        let mut change = self.turn.begin().await.map_err(failed)?;
        change.outcome(batch).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }

    async fn rolled_back(&mut self, batch: BatchId) -> Result<(), JournalError> {
        let mut change = self.turn.begin().await.map_err(failed)?;
        change.settle_rolled_back(batch).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }

    async fn refused(&mut self, claim: &Claim, fresh: Fresh, message: String) -> Result<(), JournalError> {
        let reason = ReturnReason::BatchFailed { error: message };
        let mut change = self.turn.begin().await.map_err(failed)?;
        change.return_to_clerk(self.run, &[(claim.proposal, reason, Some(stored(fresh)))]).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }
}

fn stored(fresh: Fresh) -> store::Fresh {
    store::Fresh { origin: fresh.origin, fingerprint: fresh.fingerprint, unit: fresh.unit }
}
