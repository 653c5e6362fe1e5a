//! Whole sets of proposals: how many they are, what stands for them, and confirming all of one.

use super::show::too_young;
use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::proposal::StateName;
use crate::store::{AllError, ProposalFilter, SeenSet, SetDigest, StateCounts};

/// A set of which all were confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedSet {
    /// How many records that are.
    pub records: u64,
    /// How many of them still wait for the confirmation of another person.
    pub await_second: u64,
    /// How many of them are confirmed, and not to be erased before their cooling-off is over.
    pub cooling_off: u64,
}

impl Desk {
    /// How many of the proposals within the asker's scope are of each category and in each state.
    ///
    /// # Errors
    /// When the category is none that the asker may see, or the state cannot be read.
    pub async fn totals(&self, leave: &Authorised, filter: ProposalFilter) -> Result<StateCounts, DeskError> {
        let filter = self.within_scope(leave, filter)?;
        self.store.totals(&filter).await.map_err(DeskError::Store)
    }

    /// What stands for all proposals of a set that are within the asker's scope, as they are at this moment.
    ///
    /// # Errors
    /// When the category is none that the asker may see, or the state cannot be read.
    pub async fn seen(&self, leave: &Authorised, filter: ProposalFilter) -> Result<SeenSet, DeskError> {
        let filter = self.within_scope(leave, filter)?;
        self.store.seen(&filter).await.map_err(DeskError::Store)
    }

    /// Confirms all of a set, if it is what the digest stands for, or nothing; gives how many records that were, and how
    /// many of them wait for something yet. What is outside the asker's scope is not in the set.
    ///
    /// # Errors
    /// [`DeskError::Different`] with what has changed, [`DeskError::NotProposed`], [`DeskError::NothingThere`] or
    /// [`DeskError::Refused`] with why it cannot be confirmed. Nothing has been decided then.
    pub async fn confirm_all(
        &self,
        leave: &Authorised,
        request: &str,
        filter: ProposalFilter,
        digest: &SetDigest,
    ) -> Result<ConfirmedSet, DeskError> {
        let filter = self.within_scope(leave, filter)?;
        let mut turn = self.store.turn().await;
        // Asked for when it is our turn: the one before may have taken long, and may have changed a rule.
        let (today, need_two) = (self.today(), self.need_two());
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        // Without a commit nothing has happened.
        match change.confirm_all(leave.actor(), request, &need_two, (&filter, digest), today).await {
            Ok(counts) => {
                change.commit().await.map_err(DeskError::Store)?;
                Ok(self.confirmed_set(&counts))
            }
            Err(AllError::Different(difference)) => Err(DeskError::Different(difference)),
            Err(AllError::Empty) => Err(DeskError::NothingThere),
            Err(AllError::NotProposed { records, proposed }) => Err(DeskError::NotProposed { records, proposed }),
            Err(AllError::Refused(failures)) => Err(DeskError::Refused(failures)),
            Err(AllError::Store(error)) => Err(DeskError::Store(error)),
        }
    }

    /// What has become of a set of which so many are in each state, now that all of it was confirmed.
    fn confirmed_set(&self, counts: &StateCounts) -> ConfirmedSet {
        let glass = self.glass();
        let mut set = ConfirmedSet { records: 0, await_second: 0, cooling_off: 0 };
        for (category, counts) in counts {
            let of = |state| counts.get(&state).copied().unwrap_or(0);
            set.records += counts.values().sum::<u64>();
            set.await_second += of(StateName::Proposed);
            if too_young(&glass, category, glass.now).is_some() {
                set.cooling_off += of(StateName::Confirmed);
            }
        }
        set
    }

    /// The filter within the asker's scope.
    pub(super) fn within_scope(
        &self,
        leave: &Authorised,
        mut filter: ProposalFilter,
    ) -> Result<ProposalFilter, DeskError> {
        let settings = self.settings();
        let is_configured = |category| settings.categories.contains_key(category);
        match &filter.category {
            Some(category) if !(leave.scope().sees(category) && is_configured(category)) => {
                Err(DeskError::NoSuchCategory(category.clone()))
            }
            _ => {
                filter.scope = leave.scope().clone();
                Ok(filter)
            }
        }
    }
}
