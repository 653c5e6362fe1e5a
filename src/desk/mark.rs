//! A clerk asks for the erasure of one record, whatever the criteria say.

use super::show::{not_due_of, too_young};
use super::{Blocked, Desk, DeskError};
use crate::actor::Authorised;
use crate::config::Category;
use crate::erasure::Examined;
use crate::proposal::{Origin, Outcome, Reason, StateName};
use crate::record::RecordRef;
use crate::store::{Decided, LedgerEntry, MarkError, NewProposal};

/// A record that was marked.
#[derive(Debug)]
pub struct Marked {
    /// Where it stands.
    pub decided: Decided,
    /// What keeps it from being erased all the same.
    pub blocked: Vec<Blocked>,
}

impl Desk {
    /// Marks a record: it is proposed, or confirmed at once where its category says so.
    ///
    /// # Errors
    /// When the record is not there or not within the asker's scope, which is told alike; when nobody could be told apart by
    /// its identity; when it has an open proposal, or is what was anonymised before; when source or state cannot be used.
    pub async fn mark(
        &self,
        leave: &Authorised,
        request: &str,
        record: &RecordRef,
        reason: &Reason,
    ) -> Result<Marked, DeskError> {
        let none = || DeskError::NoSuchRecord(record.clone());
        let settings = self.settings();
        let category = settings.categories.get(&record.category).filter(|category| leave.scope().sees(&category.name));
        let category = category.ok_or_else(none)?;
        let Examined::Found { fingerprint, identity_is_blank, unit, retained, .. } = self.look_for(record).await?
        else {
            return Err(none());
        };
        if !leave.scope().covers(record, unit.as_deref(), &fingerprint.digest) {
            return Err(none());
        }
        let ledger = self.store.ledger(&record.category, std::slice::from_ref(&record.key)).await;
        let erased = ledger.map_err(DeskError::Store)?.remove(&record.key);
        let cannot = |why: &str| Err(DeskError::CannotMark { record: record.clone(), why: why.to_owned() });
        let is_shell =
            |entry: LedgerEntry| entry.outcome == Outcome::Anonymised && entry.after == Some(fingerprint.clone());
        if erased.is_some_and(is_shell) {
            return cannot("it is anonymised already");
        }
        if identity_is_blank {
            return cannot("nothing stands in the columns that make it the same person");
        }
        let mut turn = self.store.turn().await;
        // Asked for when it is our turn, as what the asker may do.
        let is_confirmed = self.settings().categories.get(&record.category).is_some_and(Category::confirms_marks);
        let new = NewProposal {
            record: record.clone(),
            source: category.source.value.clone(),
            unit,
            origin: Origin::Clerk,
            fingerprint,
            is_confirmed,
        };
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        let decided = change.mark(leave.actor(), request, &new, reason).await.map_err(|error| match error {
            MarkError::IsOpen(state) => DeskError::CannotMark {
                record: record.clone(),
                why: format!("there is a proposal for it already: {state}"),
            },
            MarkError::Store(error) => DeskError::Store(error),
        })?;
        change.commit().await.map_err(DeskError::Store)?;
        let glass = self.glass();
        let is_confirmed = decided.state == StateName::Confirmed;
        let young = is_confirmed.then(|| too_young(&glass, &record.category, glass.now)).flatten();
        Ok(Marked { decided, blocked: young.into_iter().chain(retained.as_ref().map(not_due_of)).collect() })
    }
}
