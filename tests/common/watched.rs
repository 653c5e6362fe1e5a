//! A journal that is watched: what is done when an intent is to be written, and between two attempts at a batch.

use std::collections::HashSet;
use std::time::Duration;

use erasured::erasure::{BatchPlan, Claim, Fresh, Intent, Journal, JournalError};
use erasured::proposal::{BatchId, ProposalId};

use super::MemoryJournal;

/// Between two attempts: is given those that are left, and gives those that stand, or nothing where no more is to be begun.
type Between<'a> = Box<dyn FnMut(&[ProposalId]) -> Option<HashSet<ProposalId>> + Send + 'a>;

pub struct Watched<'a> {
    pub journal: MemoryJournal,
    /// Found held by the first intent.
    pub held: Vec<ProposalId>,
    /// For how long the first intent takes.
    pub takes: Duration,
    /// What is done while it is written.
    pub meanwhile: Option<Box<dyn FnOnce() + Send + 'a>>,
    /// The intents that were to be written, whatever came of them.
    pub intents: Vec<BatchPlan>,
    /// Those that were left at each gap between two attempts, sorted.
    pub gaps: Vec<Vec<ProposalId>>,
    pub between: Between<'a>,
}

impl<'a> Watched<'a> {
    /// Everything stands, whatever is done `between`.
    pub fn new(mut between: impl FnMut() + Send + 'a) -> Self {
        Self {
            journal: MemoryJournal::default(),
            held: Vec::new(),
            takes: Duration::ZERO,
            meanwhile: None,
            intents: Vec::new(),
            gaps: Vec::new(),
            between: Box::new(move |left| {
                between();
                Some(left.iter().copied().collect())
            }),
        }
    }
}

impl Journal for Watched<'_> {
    async fn intent(&mut self, plan: &BatchPlan) -> Result<Intent, JournalError> {
        self.intents.push(plan.clone());
        // It is the first that takes so long: what it comes to must not be lost behind the others.
        std::thread::sleep(std::mem::take(&mut self.takes));
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
        if self.held.is_empty() {
            return self.journal.intent(plan).await;
        }
        Ok(Intent::Held(std::mem::take(&mut self.held)))
    }

    async fn outcome(&mut self, batch: BatchId) -> Result<(), JournalError> {
        self.journal.outcome(batch).await
    }

    async fn rolled_back(&mut self, batch: BatchId) -> Result<(), JournalError> {
        self.journal.rolled_back(batch).await
    }

    async fn refused(&mut self, claims: &[(Claim, Option<Fresh>)], message: String) -> Result<(), JournalError> {
        self.journal.refused(claims, message).await
    }

    async fn give_way(&mut self, of: &[ProposalId], _: Duration) -> Result<Option<HashSet<ProposalId>>, JournalError> {
        let mut left = of.to_vec();
        left.sort();
        self.gaps.push(left);
        Ok((self.between)(of))
    }
}
