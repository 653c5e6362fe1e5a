//! A dry run of the final job: what erasing would do now.

use std::collections::{BTreeMap, BTreeSet};

use super::{Erase, claim, ruled_out};
use crate::erasure::{Claim, Preview, Ruling, preview, rulings};
use crate::jobs::shells::{Shell, Shells};
use crate::jobs::{Foreseen, Future, JobError, store};
use crate::proposal::{Origin, Outcome, WithdrawReason};
use crate::record::{RecordKey, RecordRef};
use crate::store::{BATCH_MAX_RECORDS, Proposal, count_erased};

impl Erase<'_, '_> {
    /// What erasing would do now, shells first.
    pub(super) async fn foresee(&mut self) -> Result<(), JobError> {
        let mut shells = Shells::of(self.workshop, self.mapping);
        let must_wait = self.workshop.ripe_before(&self.mapping.category).is_some();
        while let Some(found) = shells.next(&mut self.open.reader).await.map_err(|error| error.named(self.described))? {
            for Shell { key, preview, .. } in found {
                let counts = self.progress.report.category(&self.mapping.category);
                if must_wait {
                    counts.cooling_off += 1;
                    continue;
                }
                counts.left += 1;
                counts.deleted += 1;
                counts.shells += 1;
                counts.dependents += preview.planned.counts();
                self.count_by_reason(&Origin::Shell, Outcome::Deleted);
                self.tell(&key, Future::Shell(preview));
            }
        }
        self.foresee_confirmed().await
    }

    /// What erasing would do now: the same second look and the same layout as in a batch, on a connection that only reads.
    async fn foresee_confirmed(&mut self) -> Result<(), JobError> {
        let day = self.workshop.day();
        let mut after = None;
        loop {
            let proposals = self.confirmed(after, BATCH_MAX_RECORDS).await?;
            let Some(last) = proposals.last() else {
                return Ok(());
            };
            after = Some(last.id);
            let claims = self.foresee_free(&proposals).await?;
            let key = &self.workshop.keys.fingerprint;
            let ruled = rulings(&mut self.open.reader, self.mapping, &day, key, &claims).await;
            let ruled = ruled.map_err(|error| self.failed(error))?;
            let mut erased = Vec::new();
            for (claim, ruling) in claims.into_iter().zip(ruled) {
                match ruling {
                    Ruling::Erase(_) => erased.push(claim),
                    ruling => self.foresee_ruled_out(&claim.key, ruling),
                }
            }
            self.foresee_erased(erased).await?;
        }
    }

    /// The claims on those that are not held; the others are told of and counted.
    async fn foresee_free(&mut self, proposals: &[Proposal]) -> Result<Vec<Claim>, JobError> {
        let records: Vec<&RecordRef> = proposals.iter().map(|proposal| &proposal.record).collect();
        let held = self.workshop.store.held_among(&records).await.map_err(store)?;
        for record in records.iter().filter(|record| held.contains(*record)) {
            self.progress.report.category(&self.mapping.category).held += 1;
            self.tell(&record.key, Future::Held);
        }
        Ok(proposals
            .iter()
            .filter(|proposal| !held.contains(&proposal.record))
            .map(|proposal| claim(self.workshop, proposal))
            .collect())
    }

    fn foresee_ruled_out(&mut self, key: &RecordKey, ruling: Ruling) {
        let counts = self.progress.report.category(&self.mapping.category);
        if let Some(future) = ruled_out(counts, ruling) {
            self.tell(key, future);
        }
    }

    async fn foresee_erased(&mut self, mut claims: Vec<Claim>) -> Result<(), JobError> {
        let is_shell = |claim: &Claim| claim.origin == Origin::Shell;
        let shells: BTreeSet<RecordKey> = claims.iter().filter(|c| is_shell(c)).map(|c| c.key.clone()).collect();
        let origins: BTreeMap<RecordKey, Origin> =
            claims.iter().map(|claim| (claim.key.clone(), claim.origin.clone())).collect();
        let mut previews = self.preview(&claims).await?;
        // As in a batch: what was to go because nothing keeps it, and is kept again, is left out, and the rest looked at again.
        loop {
            let kept = previews.iter().map(|preview| &preview.planned);
            let kept = kept.filter(|planned| planned.outcome == Outcome::Anonymised && shells.contains(&planned.key));
            let kept: BTreeSet<RecordKey> = kept.map(|planned| planned.key.clone()).collect();
            if kept.is_empty() {
                break;
            }
            let again = || Ruling::Withdraw(WithdrawReason::KeptAgain);
            kept.iter().for_each(|key| self.foresee_ruled_out(key, again()));
            claims.retain(|claim| !kept.contains(&claim.key));
            previews = self.preview(&claims).await?;
        }
        for preview in previews {
            let counts = self.progress.report.category(&self.mapping.category);
            match preview.planned.outcome {
                Outcome::Deleted => counts.deleted += 1,
                Outcome::Anonymised => counts.anonymised += 1,
            }
            counts.dependents += preview.planned.counts();
            let key = preview.planned.key.clone();
            let is_shell = shells.contains(&key);
            counts.shells += u64::from(is_shell);
            if let Some(origin) = origins.get(&key) {
                self.count_by_reason(origin, preview.planned.outcome);
            }
            self.tell(&key, if is_shell { Future::Shell(preview) } else { Future::Erased(preview) });
        }
        Ok(())
    }

    /// Counts one that would be erased by the reason for which it is due.
    fn count_by_reason(&mut self, origin: &Origin, outcome: Outcome) {
        count_erased(&mut self.progress.report.reasons, &self.mapping.category, origin, outcome);
    }

    async fn preview(&mut self, claims: &[Claim]) -> Result<Vec<Preview>, JobError> {
        let keys: Vec<RecordKey> = claims.iter().map(|claim| claim.key.clone()).collect();
        let foreseen = preview(&mut self.open.reader, self.mapping, &self.workshop.keys.fingerprint, &keys).await;
        foreseen.map_err(|error| self.failed(error))
    }

    /// Tells whoever watches a dry run.
    fn tell(&mut self, key: &RecordKey, future: Future) {
        if let Some(watcher) = self.progress.watcher.as_mut() {
            let record = RecordRef { category: self.mapping.category.clone(), key: key.clone() };
            watcher(Foreseen { record, future });
        }
    }
}
