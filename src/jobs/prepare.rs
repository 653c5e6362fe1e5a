//! Prepare: looks again at what is open, then finds what is due and proposes it.

mod propose;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use self::rules::{Again, again};
use super::back::look_who_came_back;
use super::patience::Patience;
use super::run::{Progress, Stop};
use super::settle::{is_open, told_closed};
use super::{Foreseen, Future, JobError, Workshop, store};
use crate::config::SourceSettings;
use crate::erasure::{Open, examine};
use crate::proposal::{ProposalId, WithdrawReason};
use crate::record::{CategoryName, RecordKey};
use crate::source::{Mapping, Reader, SourceError};
use crate::store::{BATCH_MAX_RECORDS, Counts, Doing, Proposal, RunId};

/// Prepares every category. Without a run on record nothing is written: a dry run.
pub(super) async fn prepare(
    workshop: &Workshop,
    run: Option<RunId>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    for described in workshop.settings.sources.values() {
        if !progress.may_begin(workshop, described, run) {
            continue;
        }
        prepare_patiently(workshop, run, described, progress, stop).await?;
        if progress.is_stopped {
            break;
        }
    }
    Ok(())
}

/// Prepares one source; where the application keeps it locked, gives way and tries again what is left.
async fn prepare_patiently(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let (mut patience, mut over) = (Patience::with(described), BTreeMap::new());
    loop {
        match prepare_source(workshop, run, described, &mut over, progress, stop).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) if error.is_schema_changed() && patience.lays_anew(described) => {}
            Err(error) if error.is_passing() && run.is_some() => {
                tracing::debug!(source = %described.name, "the application has the source, giving way");
                if !patience.give_way(stop).await {
                    if !progress.hears(stop) {
                        progress.note_locked(described);
                    }
                    return Ok(());
                }
            }
            Err(error) => {
                progress.trouble(error.told());
                return Ok(());
            }
        }
    }
}

/// Prepares one source, unless it is closed: what is decided about one from elsewhere is left as it is.
async fn prepare_source(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    over: &mut BTreeMap<CategoryName, Option<u64>>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    if !is_open(workshop, run, &described.name).await? {
        progress.trouble_once(told_closed(&described.name));
        return Ok(());
    }
    prepare_open(workshop, run, described, over, progress, stop).await?;
    look_who_came_back(workshop, run, described, progress, stop).await
}

/// Goes through the categories that are not over yet; `over` holds how many were proposed of the others so far. Gives the
/// error that ends it for the whole source, or that the application kept it locked somewhere.
async fn prepare_open(
    workshop: &Workshop,
    run: Option<RunId>,
    described: &SourceSettings,
    over: &mut BTreeMap<CategoryName, Option<u64>>,
    progress: &mut Progress<'_>,
    stop: Stop<'_>,
) -> Result<(), JobError> {
    let open = workshop.open(&described.name, run).await?;
    tell_stopped(&open, over, progress);
    let (mut reader, mut left) = (open.reader, None);
    for (name, mapping) in &open.mappings {
        let proposed_before = match over.get(name) {
            Some(None) => continue,
            Some(Some(proposed)) => *proposed,
            None => 0,
        };
        let counted = *progress.report.category(name);
        let category = Prepare {
            workshop,
            run,
            described,
            mapping,
            progress,
            stop,
            would_be_withdrawn: BTreeSet::new(),
            glass: None,
            is_open_told: false,
            is_left_off: false,
            proposed: proposed_before,
        };
        let done;
        (reader, done) = category.carry_out(reader).await;
        let counts = progress.report.category(name);
        match done {
            Ok(()) => _ = over.insert(name.clone(), None),
            Err(error) if error.is_passing() && run.is_some() => {
                // What was only seen is seen once more; what was written is not.
                let Counts { proposed, withdrawn, postponed_returned, .. } = *counts;
                over.insert(name.clone(), Some(proposed));
                *counts = Counts { proposed, withdrawn, postponed_returned, ..counted };
                left = Some(error);
            }
            Err(error) if error.is_fatal() || error.is_about_the_source() => {
                reader.close().await;
                return Err(error);
            }
            Err(error) if error.is_schema_changed() => {
                over.insert(name.clone(), None);
                progress.trouble(format!(
                    "{name}: the schema of {} has changed while its records were looked at; what is left is done by the next run",
                    described.name
                ));
                reader.close().await;
                return Err(error);
            }
            Err(error) => {
                over.insert(name.clone(), None);
                progress.trouble(error.told());
            }
        }
        if progress.is_stopped {
            break;
        }
    }
    reader.close().await;
    left.map_or(Ok(()), Err)
}

/// Tells, once, which categories are stopped; they are over with that.
fn tell_stopped(open: &Open, over: &mut BTreeMap<CategoryName, Option<u64>>, progress: &mut Progress<'_>) {
    for stopped in &open.stopped {
        over.insert(stopped.category.clone(), None);
        progress.note_stopped(&stopped.category, &stopped.reason);
        progress.trouble_once(format!("{}: {}", stopped.category, stopped.reason));
    }
}

struct Prepare<'a, 'w> {
    workshop: &'a Workshop,
    run: Option<RunId>,
    described: &'a SourceSettings,
    mapping: &'a Mapping,
    progress: &'a mut Progress<'w>,
    stop: Stop<'a>,
    /// In a dry run: what looking again would have withdrawn.
    would_be_withdrawn: BTreeSet<RecordKey>,
    /// In a dry run that somebody watches: what is looked at through, record by record.
    glass: Option<Reader>,
    /// In such a dry run: whether what is open already has been told of.
    is_open_told: bool,
    /// Whether a walk has ended before the table did, because the source's hours were over.
    is_left_off: bool,
    /// Proposed so far, newly.
    proposed: u64,
}

impl Prepare<'_, '_> {
    fn category(&self) -> &CategoryName {
        &self.mapping.category
    }

    fn failed(&self, source: SourceError) -> JobError {
        JobError::Source { name: self.described.name.to_string(), source }
    }

    /// Prepares the category, and closes what was opened for it.
    async fn carry_out(mut self, reader: Reader) -> (Reader, Result<(), JobError>) {
        let proposed_before = self.proposed;
        let done = self.prepare(reader).await;
        if let Some(glass) = self.glass {
            glass.close().await;
        }
        // What this run has proposed before the application was in the way is found again.
        let counts = self.progress.report.category(&self.mapping.category);
        counts.already_open = counts.already_open.saturating_sub(proposed_before);
        done
    }

    async fn prepare(&mut self, mut reader: Reader) -> (Reader, Result<(), JobError>) {
        let begun = self.progress.is_at(self.workshop, self.run, Doing::Looking, &self.mapping.category).await;
        let seen = match begun {
            Ok(()) => self.look_again(&mut reader).await,
            Err(error) => Err(error),
        };
        if let Err(error) = seen {
            return (reader, Err(error));
        }
        let has_rules = self.mapping.mark.is_some() || !self.mapping.criteria.is_empty();
        if self.progress.is_stopped || !has_rules || !self.may_begin() {
            return (reader, Ok(()));
        }
        // A mapping is made of a category that is in the settings.
        match self.workshop.settings.categories.get(self.category()) {
            Some(category) => self.propose(category, reader).await,
            None => (reader, Ok(())),
        }
    }

    /// Whether more of the source may be read at this time of day.
    fn may_begin(&mut self) -> bool {
        self.progress.may_begin(self.workshop, self.described, self.run)
    }

    fn is_stopped(&mut self) -> bool {
        self.progress.hears(self.stop)
    }

    /// Withdraws open proposals that are no longer due or gone, and proposes again what was postponed until today.
    async fn look_again(&mut self, reader: &mut Reader) -> Result<(), JobError> {
        let day = self.workshop.day();
        let mut after: Option<RecordKey> = None;
        loop {
            let page = self
                .workshop
                .store
                .open_proposals(&self.mapping.category, after.as_ref(), BATCH_MAX_RECORDS)
                .await
                .map_err(store)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            if !self.may_begin() {
                return Ok(());
            }
            after = Some(last.record.key.clone());
            let keys: Vec<RecordKey> = page.iter().map(|proposal| proposal.record.key.clone()).collect();
            let key = &self.workshop.keys.fingerprint;
            let now = examine(reader, self.mapping, &day, key, &keys).await;
            let now = reader.under_one_schema(now).await.map_err(|error| self.failed(error))?;
            let mut withdrawn = Vec::new();
            let mut back = Vec::new();
            for (proposal, now) in page.iter().zip(&now) {
                match again(proposal, now, day.today) {
                    Again::Stays => {}
                    Again::IsBack => back.push(proposal.id),
                    Again::Withdrawn(reason) => {
                        if self.run.is_none() {
                            self.would_be_withdrawn.insert(proposal.record.key.clone());
                        }
                        withdrawn.push((proposal.id, reason));
                    }
                }
            }
            self.tell_again(&page, &withdrawn, &back);
            self.write_again(&withdrawn, &back).await?;
            if self.is_stopped() {
                return Ok(());
            }
        }
    }

    /// Tells whoever watches a dry run.
    fn tell_again(&mut self, page: &[Proposal], withdrawn: &[(ProposalId, WithdrawReason)], back: &[ProposalId]) {
        let Some(watcher) = self.progress.watcher.as_mut() else {
            return;
        };
        for proposal in page {
            let record = proposal.record.clone();
            if let Some((_, reason)) = withdrawn.iter().find(|(id, _)| *id == proposal.id) {
                watcher(Foreseen { record, future: Future::Withdrawn(reason.clone()) });
            } else if back.contains(&proposal.id) {
                watcher(Foreseen { record, future: Future::BackFromPostponement });
            }
        }
    }

    async fn write_again(
        &mut self,
        withdrawn: &[(ProposalId, WithdrawReason)],
        back: &[ProposalId],
    ) -> Result<(), JobError> {
        let (mut withdrawn_count, mut back_count) = (withdrawn.len(), back.len());
        if let Some(run) = self.run
            && withdrawn_count + back_count > 0
        {
            let mut turn = self.workshop.store.turn().await;
            let mut change = turn.begin().await.map_err(store)?;
            withdrawn_count = change.withdraw(run, withdrawn).await.map_err(store)?.len();
            let today = self.workshop.today();
            back_count = change.return_postponed(run, back, today).await.map_err(store)?.len();
            change.commit().await.map_err(store)?;
        }
        let category = self.category().clone();
        let counts = self.progress.report.category(&category);
        counts.withdrawn += withdrawn_count as u64;
        counts.postponed_returned += back_count as u64;
        Ok(())
    }
}
