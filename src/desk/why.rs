//! Why a record that nobody has proposed is not erased: what its rules and its holds say of it now.

use super::show::{held, not_due_of};
use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::erasure::{Examined, Verdict};
use crate::record::RecordRef;

impl Desk {
    /// Why there is no proposal for the record, where there is such a record and the asker may see it; otherwise it does not
    /// exist for them, nor where its source cannot be read.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub(super) async fn why_not(&self, leave: &Authorised, record: &RecordRef) -> Result<DeskError, DeskError> {
        let none = DeskError::NoSuchRecord(record.clone());
        let scope = leave.scope();
        // Of one that was proposed as somebody else's, nobody learns more by asking.
        let is_known = self.store.proposal(record).await.map_err(DeskError::Store)?.is_some();
        if is_known || !scope.sees(&record.category) {
            return Ok(none);
        }
        let Ok(Examined::Found { fingerprint, unit, verdict, identity_is_blank, .. }) = self.look_for(record).await
        else {
            return Ok(none);
        };
        if !scope.covers(record, unit.as_deref(), &fingerprint.digest) {
            return Ok(none);
        }
        let glass = self.glass();
        let holds = self.holds_on(record).await?;
        let mut why: Vec<String> = holds.iter().map(|hold| held(&glass, hold, Some(&fingerprint)).reason).collect();
        why.push(match verdict {
            _ if identity_is_blank => "nothing stands in the columns that make it the same person".to_owned(),
            Verdict::NotDue(reason) => not_due_of(&reason).reason,
            Verdict::Due(_) => "it is due, and the next run of prepare proposes it".to_owned(),
        });
        Ok(DeskError::Unproposed { record: record.clone(), why: why.join("; ") })
    }
}
