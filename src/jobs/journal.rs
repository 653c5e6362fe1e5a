//! The engine's journal, kept in the state.

use std::collections::HashMap;

use super::journal as failed;
use crate::erasure::{BatchPlan, Claim, Fresh, Intent, Journal, JournalError, Ruling};
use crate::proposal::{BatchId, ProposalId, ReturnReason, WithdrawReason};
use crate::record::{CategoryName, RecordRef, SourceName};
use crate::store::{self, Intended, PlannedErasure, RunId, WriteTurn};

/// Writes one run's batches down, under a write turn that is held from before the source's lock is taken.
pub(super) struct StoreJournal<'t, 's> {
    pub(super) turn: &'t mut WriteTurn<'s>,
    pub(super) run: RunId,
    pub(super) source: &'t SourceName,
    /// The claims of the batch, with the fingerprints that were decided about, for the ledger.
    pub(super) claims: HashMap<ProposalId, (CategoryName, Claim)>,
}

impl StoreJournal<'_, '_> {
    fn planned(&self, plan: &BatchPlan) -> Vec<PlannedErasure> {
        plan.proposals
            .iter()
            .zip(&plan.records)
            .filter_map(|(proposal, record)| {
                let (category, claim) = self.claims.get(proposal).filter(|(_, claim)| claim.key == record.key)?;
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

    async fn refused(&mut self, claims: &[(Claim, Fresh)], message: String) -> Result<(), JournalError> {
        let reason = ReturnReason::BatchFailed { error: message };
        let back = |(claim, fresh): &(Claim, Fresh)| (claim.proposal, reason.clone(), Some(stored(fresh.clone())));
        let back: Vec<_> = claims.iter().map(back).collect();
        let mut change = self.turn.begin().await.map_err(failed)?;
        change.return_to_clerk(self.run, &back).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }
}

fn stored(fresh: Fresh) -> store::Fresh {
    store::Fresh { origin: fresh.origin, fingerprint: fresh.fingerprint, unit: fresh.unit }
}
