//! Whoever a restored backup has brought back, and no rule would propose: they were erased because a clerk had asked, or
//! under a rule that is another one by now. Looked for once after a source was opened again, by the ledger, page by page.

use std::collections::BTreeMap;

use super::run::{Progress, Stop};
use super::{JobError, Workshop, store};
use crate::config::SourceSettings;
use crate::erasure::{Examined, Verdict, examine};
use crate::record::{CategoryName, Fingerprint, RecordKey, RecordRef};
use crate::source::{Mapping, Reader};
use crate::store::{BATCH_MAX_RECORDS, RunId};

/// Counts and names them, where the source was opened again since the last look. It is one look over the whole source: as
/// long as a category of it is stopped it waits, and one that is broken off names nobody, so that nobody is named twice.
pub(super) async fn look_who_came_back(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let known = workshop.store.sources().await.map_err(store)?;
    if progress.is_stopped || !known.iter().any(|state| state.source == described.name && state.is_reopened) {
        return Ok(());
    }
    let mut open = workshop.open(&described.name, run).await?;
    if !open.stopped.is_empty() {
        open.reader.close().await;
        let source = &described.name;
        progress
            .trouble_once(format!("{source}: who came back with a backup is looked for once no category is stopped"));
        return Ok(());
    }
    let mut look = Back { workshop, run, described, reader: &mut open.reader, progress, stop, found: Found::default() };
    let looked = look.look_through_all(open.mappings.values()).await;
    let found = look.found;
    open.reader.close().await;
    if looked? { tell(workshop, run, described, progress, &found).await } else { Ok(()) }
}

/// What a look has found.
#[derive(Default)]
struct Found {
    /// Who is there again, page by page of the ledger.
    back: Vec<Vec<RecordRef>>,
    /// How many there are of whom that cannot be told.
    unsure: BTreeMap<CategoryName, u64>,
}

/// A look through the ledger for those who are in the source again.
struct Back<'a, 'w> {
    workshop: &'a Workshop,
    run: Option<RunId>,
    described: &'a SourceSettings,
    reader: &'a mut Reader,
    progress: &'a mut Progress<'w>,
    stop: Stop<'a>,
    found: Found,
}

impl Back<'_, '_> {
    /// Goes through all of the categories; false where it had to stop before the end.
    async fn look_through_all(&mut self, mappings: impl Iterator<Item = &Mapping>) -> Result<bool, JobError> {
        for mapping in mappings {
            if !self.look_through(mapping).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes through what was erased of a category; false where it had to stop before the end.
    async fn look_through(&mut self, mapping: &Mapping) -> Result<bool, JobError> {
        let mut after: Option<RecordKey> = None;
        loop {
            let page = self.workshop.store.erased(&mapping.category, after.as_ref(), BATCH_MAX_RECORDS).await;
            let page = page.map_err(store)?;
            let Some((last, _)) = page.last() else {
                return Ok(true);
            };
            if self.progress.hears(self.stop) || !self.progress.may_begin(self.workshop, self.described, self.run) {
                return Ok(false);
            }
            after = Some(last.clone());
            self.look_at(mapping, page).await?;
        }
    }

    /// Finds those of the page who are there again, the very same, and not due. Whoever is due is proposed and counted as
    /// such. Where the fingerprint's key or its columns are others by now, nobody can say whether it is the same person.
    async fn look_at(&mut self, mapping: &Mapping, page: Vec<(RecordKey, Fingerprint)>) -> Result<(), JobError> {
        let (day, key) = (self.workshop.day(), &self.workshop.keys.fingerprint);
        let keys: Vec<RecordKey> = page.iter().map(|(key, _)| key.clone()).collect();
        let now = examine(self.reader, mapping, &day, key, &keys).await;
        let failed = |source| JobError::Source { name: self.described.name.to_string(), source };
        let now = self.reader.under_one_schema(now).await.map_err(failed)?;
        let (mut back, category) = (Vec::new(), &mapping.category);
        for ((key, before), now) in page.into_iter().zip(now) {
            let Examined::Found { fingerprint, verdict: Verdict::NotDue(_), .. } = now else { continue };
            if fingerprint == before {
                back.push(RecordRef { category: category.clone(), key });
            } else if !fingerprint.is_comparable(&before) {
                *self.found.unsure.entry(category.clone()).or_default() += 1;
            }
        }
        self.found.back.extend((!back.is_empty()).then_some(back));
        Ok(())
    }
}

/// Counts what a whole look has found, and names them in the very change that ends the look.
async fn tell(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    progress: &mut Progress<'_>,
    found: &Found,
) -> Result<(), JobError> {
    for record in found.back.iter().flatten() {
        progress.report.category(&record.category).back_undue += 1;
    }
    for (category, records) in &found.unsure {
        progress.report.category(category).back_unsure += records;
    }
    let Some(run) = run else { return Ok(()) };
    let mut turn = workshop.store.turn().await;
    let mut change = turn.begin().await.map_err(store)?;
    for back in &found.back {
        change.tell_came_back(run, back).await.map_err(store)?;
    }
    change.looked_who_came_back(&described.name).await.map_err(store)?;
    change.commit().await.map_err(store)
}
