//! Decisions of clerks: all records of a request, or none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::show::too_young;
use super::{Blocked, Desk, DeskError};
use crate::actor::Authorised;
use crate::proposal::{Reason, StateName};
use crate::record::{CategoryName, RecordRef};
use crate::store::{Decided, Decision, DecisionError, DecisionFailure, DecisionFault, Target};

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
    /// Decides about records; gives those that were moved, as they are now.
    ///
    /// # Errors
    /// [`DeskError::Refused`] with every record about which it cannot be decided so; one that the asker may not see is
    /// told of like one that was never proposed. Nothing has been decided then.
    pub async fn decide(
        &self,
        leave: &Authorised,
        request: &str,
        wish: Wish,
        targets: &[Target],
    ) -> Result<Vec<Decided>, DeskError> {
        let mut turn = self.store.turn().await;
        // Asked for when it is our turn: the one before may have taken long, and may have changed a rule.
        let decision = match wish {
            Wish::Confirm => Decision::Confirm { need_two: self.need_two() },
            Wish::Postpone { until, reason } => Decision::Postpone { until, reason },
            Wish::Restore => Decision::Restore,
        };
        let today = self.today();
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        // In the change that decides: what is in scope now, and not what was when the clerk looked.
        let records = targets.iter().map(|target| &target.record);
        let reachable = change.within(leave.scope(), records).await.map_err(DeskError::Store)?;
        let within: Vec<Target> = targets.iter().filter(|target| reachable.contains(&target.record)).cloned().collect();
        match change.decide(leave.actor(), request, &decision, &within, today).await {
            // Without a commit nothing has happened.
            Ok(_) if within.len() < targets.len() => Err(refused(targets, &within, Vec::new())),
            Ok(decided) => {
                change.commit().await.map_err(DeskError::Store)?;
                Ok(decided)
            }
            Err(DecisionError::Refused(failures)) => Err(refused(targets, &within, failures)),
            Err(DecisionError::Store(error)) => Err(DeskError::Store(error)),
        }
    }

    /// What each of the records that were just confirmed still waits for before it can be erased.
    #[must_use]
    pub fn still_waits(&self, confirmed: &[Decided]) -> Vec<Option<Blocked>> {
        let glass = self.glass();
        let waits = |of: &Decided| match of.state {
            StateName::Proposed => Some(Blocked {
                until: None,
                reason: "first of two confirmations: another person has to confirm it too".to_owned(),
            }),
            StateName::Confirmed => too_young(&glass, &of.record.category, glass.now),
            _ => None,
        };
        confirmed.iter().map(waits).collect()
    }

    /// The categories in which two different people have to confirm.
    pub(super) fn need_two(&self) -> BTreeSet<CategoryName> {
        let settings = self.settings();
        let two = settings.categories.values().filter(|category| category.decisions > 1);
        two.map(|category| category.name.clone()).collect()
    }
}

/// Every record that stands in the way, in the order of the request. Those that are not within reach are among them.
pub(super) fn refused(targets: &[Target], within: &[Target], failures: Vec<DecisionFailure>) -> DeskError {
    let mut faults: BTreeMap<RecordRef, DecisionFault> =
        failures.into_iter().map(|failure| (failure.record, failure.fault)).collect();
    let reachable: BTreeSet<&RecordRef> = within.iter().map(|target| &target.record).collect();
    let unreachable = targets.iter().map(|target| &target.record).filter(|record| !reachable.contains(record));
    faults.extend(unreachable.map(|record| (record.clone(), DecisionFault::NotProposed)));
    let in_order = |target: &Target| {
        let fault = faults.remove(&target.record)?;
        Some(DecisionFailure { record: target.record.clone(), fault })
    };
    DeskError::Refused(targets.iter().filter_map(in_order).collect())
}
