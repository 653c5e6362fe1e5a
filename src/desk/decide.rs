//! Decisions of clerks: all records of a request, or none.

use jiff::civil::Date;

use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::proposal::Reason;
use crate::record::RecordRef;
use crate::store::{Decision, DecisionError, Target};

/// What a clerk wishes for some records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// They may be erased.
    Confirm,
    /// They are to be proposed again on that day, for that reason.
    Postpone {
        /// The first day on which they may be.
        until: Date,
        /// Why.
        reason: Reason,
    },
    /// They were confirmed by mistake.
    Restore,
}

impl Desk {
    /// Decides about records; gives those that were moved.
    ///
    /// # Errors
    /// [`DeskError::Refused`] with every record about which it cannot be decided so. Nothing has been decided then.
    pub async fn decide(
        &self,
        leave: &Authorised,
        request: &str,
        wish: Wish,
        targets: &[Target],
    ) -> Result<Vec<RecordRef>, DeskError> {
        for target in targets {
            Self::within(leave, &target.record)?;
        }
        let decision = match wish {
            Wish::Confirm => Decision::Confirm,
            Wish::Postpone { until, reason } => Decision::Postpone { until, reason },
            Wish::Restore => Decision::Restore,
        };
        let today = self.glass().day.today;
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        let decided = change.decide(leave.actor(), request, &decision, targets, today).await;
        let decided = decided.map_err(|error| match error {
            DecisionError::Refused(failures) => DeskError::Refused(failures),
            DecisionError::Store(error) => DeskError::Store(error),
        })?;
        change.commit().await.map_err(DeskError::Store)?;
        Ok(decided)
    }
}
