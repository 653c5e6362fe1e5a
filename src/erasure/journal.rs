//! Where the engine writes down what it is about to do and what it has done.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use super::plan::{BatchPlan, Claim, Fresh};
use crate::proposal::{BatchId, ProposalId};

/// The journal could not be written. The engine stops; what it means for a batch is found out by settlement.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the journal")]
pub struct JournalError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// What came of writing an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// It stands.
    Written,
    /// It does not, and nothing else was written: these records of the plan are held.
    Held(Vec<ProposalId>),
}

/// Writes down intents and outcomes, durably. Each call is one transaction: it has happened whole when it answers `Ok`,
/// and after an error it may or may not have.
pub trait Journal: Send {
    /// The batch is about to be applied. Whoever was ruled out is dealt with in the same transaction; a plan without
    /// records is about those alone. Where one of the records is held by now, nothing is written.
    fn intent(&mut self, plan: &BatchPlan) -> impl Future<Output = Result<Intent, JournalError>> + Send;

    /// The batch has committed.
    fn outcome(&mut self, batch: BatchId) -> impl Future<Output = Result<(), JournalError>> + Send;

    /// The batch has not committed and never will.
    fn rolled_back(&mut self, batch: BatchId) -> impl Future<Output = Result<(), JournalError>> + Send;

    /// These records cannot be erased, one alone or several that were to be erased together: they go back to the clerk
    /// with the database's message, and with what they are now where that was seen.
    fn refused(
        &mut self,
        claims: &[(Claim, Option<Fresh>)],
        message: String,
    ) -> impl Future<Output = Result<(), JournalError>> + Send;

    /// Between two attempts at a batch: leaves the source alone for `gap`, lets whoever waits for the journal have it
    /// meanwhile, and gives those of the proposals that stand as they did; `None`: nothing more is to be begun. One that
    /// nobody waits for is as it was.
    fn give_way(
        &mut self,
        of: &[ProposalId],
        gap: Duration,
    ) -> impl Future<Output = Result<Option<HashSet<ProposalId>>, JournalError>> + Send {
        let of = of.iter().copied().collect();
        async move {
            tokio::time::sleep(gap).await;
            Ok(Some(of))
        }
    }
}
