//! Why a record that nobody has proposed is not erased: what its rules and its holds say of it now.

use super::show::{held, not_due_of};
use super::{Desk, DeskError};
use crate::actor::Authorised;
use crate::erasure::{Examined, Verdict};
use crate::record::{CategoryName, Fingerprint, RecordRef};
use crate::store::JobKind;

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
            _ if self.is_anonymised(record, &fingerprint).await? => {
                "it was anonymised before, and prepare passes over it".to_owned()
            }
            _ if identity_is_blank => "nothing stands in the columns that make it the same person".to_owned(),
            Verdict::NotDue(reason) => not_due_of(&reason).reason,
            Verdict::Due(_) => self.why_not_yet(&record.category).await?,
        });
        Ok(DeskError::Unproposed { record: record.clone(), why: why.join("; ") })
    }

    /// Whether it is what was left of a record that was anonymised: as prepare sees it, which leaves it out.
    async fn is_anonymised(&self, record: &RecordRef, now: &Fingerprint) -> Result<bool, DeskError> {
        let keys = std::slice::from_ref(&record.key);
        let ledger = self.store.ledger(&record.category, keys).await.map_err(DeskError::Store)?;
        Ok(ledger.get(&record.key).is_some_and(|entry| entry.is_left_in(now)))
    }

    /// Why nobody has proposed what is due in a category: what keeps prepare from it, or that it has not run since.
    async fn why_not_yet(&self, category: &CategoryName) -> Result<String, DeskError> {
        if self.store.clock_doubt().is_some() {
            return Ok("it is due, but no job runs while the clock is not believed".to_owned());
        }
        let settings = self.settings();
        let source = settings.categories.get(category).map(|category| &category.source.value);
        let known = self.store.sources().await.map_err(DeskError::Store)?;
        if let Some(closed) = known.iter().find(|state| Some(&state.source) == source && state.closed.is_some()) {
            return Ok(format!("it is due, but {} is closed until an operator decides", closed.source));
        }
        let newest = self.store.newest_ended(JobKind::Prepare).await.map_err(DeskError::Store)?;
        Ok(match newest.filter(|run| run.report.brakes.contains_key(category.as_str())) {
            Some(run) => format!("it is due, but the brake stopped prepare in run {}", run.id),
            None => "it is due, and the next run of prepare proposes it".to_owned(),
        })
    }
}
