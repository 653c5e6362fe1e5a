//! Prepare: looks again at what is open, then finds what is due and proposes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ahead::Ahead;
use super::back::look_who_came_back;
use super::brake::{Look, Seen, keep};
use super::patience::Patience;
use super::run::{Progress, Stop};
use super::settle::{is_open, told_closed};
use super::{Foreseen, Future, JobError, Workshop, store};
use crate::config::{Category, SourceSettings};
use crate::erasure::{Candidate, Examined, Open, Preview, Tally, Verdict, examine, no_longer_due, pass, preview};
use crate::proposal::{Origin, Outcome, ProposalId, State, WithdrawReason};
use crate::record::{CategoryName, RecordKey, RecordRef};
use crate::source::{Mapping, Reader, Source, SourceError};
use crate::store::{
    BATCH_MAX_RECORDS, Counts, Doing, JobKind, LedgerEntry, NewProposal, Proposal, Proposed, Reasons, RunId,
    add_reasons, reason_name,
};

/// Proposals that are written by one change of the state, with one entry in the trail.
const PROPOSALS_PER_CHANGE: usize = 5_000;

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

/// What a walk through the table is for.
enum To<'l> {
    /// To know whether the brake closes.
    Look(&'l mut Looked),
    /// To propose what is due; at most so many.
    Propose { most: Option<u64> },
}

/// What a walk has come to.
struct Looked {
    look: Look,
    /// Rows of the table.
    rows: u64,
    /// What would be proposed newly, as long as it is not too much.
    kept: Option<Vec<Candidate>>,
}

/// What looking again at an open proposal has come to.
enum Again {
    Stays,
    IsBack,
    Withdrawn(WithdrawReason),
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

    /// Proposes what is due, or in a dry run tells of it. Where the brake can close, nothing is before all of it has been
    /// looked at: what is not too much is kept in memory meanwhile, and otherwise the table is read once more.
    async fn propose(&mut self, category: &Category, reader: Reader) -> (Reader, Result<(), JobError>) {
        if !category.brake.can_close() {
            return self.walk(reader, &mut To::Propose { most: None }).await;
        }
        let before = *self.progress.report.category(&category.name);
        let mut looked = Looked { look: Look::at(JobKind::Prepare, &category.name), rows: 0, kept: Some(Vec::new()) };
        let (reader, done) = self.walk(reader, &mut To::Look(&mut looked)).await;
        let Looked { look, rows, kept } = looked;
        if done.is_err() || self.progress.is_stopped || self.is_left_off {
            return (reader, done);
        }
        let Some(most) = self.progress.brake((JobKind::Prepare, self.run.is_none()), category, look, rows) else {
            return (reader, done);
        };
        pass("brake-looked");
        match kept {
            Some(kept) => {
                let done = self.propose_kept(kept, most).await;
                (reader, done)
            }
            None => {
                // All of it is counted anew.
                *self.progress.report.category(&category.name) = before;
                self.walk(reader, &mut To::Propose { most: Some(most) }).await
            }
        }
    }

    /// Walks through the table, for as long as the source's hours hold.
    async fn walk(&mut self, reader: Reader, to: &mut To<'_>) -> (Reader, Result<(), JobError>) {
        let (day, key) = (self.workshop.day(), self.workshop.keys.fingerprint.clone());
        let (is_dry, may_go_on_now) = (self.run.is_none(), self.workshop.may_go_on(self.described));
        // A dry run changes nothing, and may look at any time.
        let may_go_on = move || is_dry || may_go_on_now();
        let mut ahead = Ahead::read(reader, self.mapping.clone(), day, key, self.described.max_lock, may_go_on);
        let done = self.take_what_comes(&mut ahead, to).await;
        let (reader, is_left_off) = ahead.end().await;
        if is_left_off {
            self.is_left_off = true;
            if let To::Look(_) = to {
                let category = self.category().clone();
                self.progress.trouble(format!(
                    "{category}: not all that is due was counted, and nothing was proposed: the brake would not have known"
                ));
            }
            if !self.progress.note_doubt(self.workshop) {
                self.progress.note_outside_hours(self.described);
            }
        }
        (reader, done)
    }

    async fn take_what_comes(&mut self, ahead: &mut Ahead, to: &mut To<'_>) -> Result<(), JobError> {
        while let Some(stretch) = ahead.next().await {
            let stretch = stretch.map_err(|error| self.failed(error))?;
            self.count(&stretch.tally);
            self.progress.has_seen(self.workshop, self.run, stretch.rows).await?;
            if let To::Look(looked) = to {
                looked.rows += stretch.rows;
            }
            let mut rest = stretch.candidates.into_iter().peekable();
            while rest.peek().is_some() {
                let candidates = self.sort_out(rest.by_ref().take(PROPOSALS_PER_CHANGE).collect()).await?;
                match to {
                    To::Look(looked) => self.look_at(candidates, looked).await?,
                    To::Propose { most } => {
                        if !self.propose_these(&candidates, *most).await? {
                            return Ok(());
                        }
                    }
                }
            }
            if self.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    /// Looks at what would be proposed newly; what is open already is told of at once.
    async fn look_at(&mut self, candidates: Vec<Candidate>, looked: &mut Looked) -> Result<(), JobError> {
        let open = self.open_among(&candidates).await?;
        let (old, new): (Vec<Candidate>, _) = candidates.into_iter().partition(|one| open.contains(&one.key));
        self.add(0, old.len() as u64);
        self.tell_due(&old, &open).await?;
        self.is_open_told = true;
        for candidate in new {
            let Some(proposal) = self.proposals(std::slice::from_ref(&candidate)).pop() else { continue };
            looked.look.add(&Seen {
                key: &candidate.key,
                fingerprint: &candidate.fingerprint,
                origin: &proposal.origin,
                unit: candidate.unit.as_deref(),
                is_confirmed: proposal.is_confirmed,
            });
            keep(&mut looked.kept, candidate);
        }
        Ok(())
    }

    async fn propose_kept(&mut self, kept: Vec<Candidate>, most: u64) -> Result<(), JobError> {
        for candidates in kept.chunks(PROPOSALS_PER_CHANGE) {
            if !self.propose_these(candidates, Some(most)).await? || self.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    /// Proposes these, or in a dry run tells and counts what would be; false where that would be more than is allowed: then
    /// nothing more is proposed.
    async fn propose_these(&mut self, candidates: &[Candidate], most: Option<u64>) -> Result<bool, JobError> {
        let left = most.map_or(u64::MAX, |most| most.saturating_sub(self.proposed));
        let proposed = match self.run {
            Some(run) => self.write_proposals(run, &self.proposals(candidates), left).await?,
            None => self.foresee_proposals(candidates, left).await?,
        };
        let Some(Proposed { proposed, .. }) = proposed else {
            let category = self.category().clone();
            self.progress.trouble(format!(
                "{category}: more has become due since it was counted than the brake allows; the rest waits for the next run"
            ));
            return Ok(false);
        };
        self.proposed += proposed;
        Ok(true)
    }

    /// Those of the records that have an open proposal. What this run would have withdrawn before is not in the way.
    async fn open_among(&self, candidates: &[Candidate]) -> Result<BTreeSet<RecordKey>, JobError> {
        let keys: Vec<RecordKey> = candidates.iter().map(|candidate| candidate.key.clone()).collect();
        let mut open = self.workshop.store.open_among(self.category(), &keys).await.map_err(store)?;
        open.retain(|key| !self.would_be_withdrawn.contains(key));
        Ok(open)
    }

    fn proposals(&self, candidates: &[Candidate]) -> Vec<NewProposal> {
        // A mapping is made of a category that is in the settings.
        let category = self.workshop.settings.categories.get(self.category());
        let proposal = |candidate| category.map(|category| proposal(category, candidate));
        candidates.iter().filter_map(proposal).collect()
    }

    fn count(&mut self, tally: &Tally) {
        let category = self.category().clone();
        let counts = self.progress.report.category(&category);
        counts.retained += tally.retained;
        let unreadable = &mut counts.unreadable;
        unreadable.no_start_date += tally.no_start_date;
        unreadable.unreadable_date += tally.unreadable_date;
        unreadable.null_key += tally.null_key;
        unreadable.unusable_key += tally.unusable_key;
    }

    /// Counts what is due, and gives what of it can be proposed.
    async fn sort_out(&mut self, mut candidates: Vec<Candidate>) -> Result<Vec<Candidate>, JobError> {
        let keys: Vec<RecordKey> = candidates.iter().map(|candidate| candidate.key.clone()).collect();
        let ledger = self.workshop.store.ledger(&self.mapping.category, &keys).await.map_err(store)?;
        let counts = self.progress.report.category(&self.mapping.category);
        candidates.retain(|candidate| {
            if is_anonymised(candidate, &ledger) {
                counts.unreadable.already_anonymised += 1;
            } else if candidate.identity_is_blank {
                counts.unreadable.empty_identity += 1;
            } else {
                counts.due += 1;
                counts.came_back += u64::from(is_back(candidate, &ledger));
                return true;
            }
            false
        });
        Ok(candidates)
    }

    /// Tells whoever watches a dry run what erasing these records would do.
    async fn tell_due(&mut self, candidates: &[Candidate], open: &BTreeSet<RecordKey>) -> Result<(), JobError> {
        if self.progress.watcher.is_none() || candidates.is_empty() {
            return Ok(());
        }
        let new = self.proposals(candidates);
        let restored = self.workshop.store.restored_marks(&new).await.map_err(store)?;
        let confirmed = new.iter().filter(|new| new.is_confirmed && !restored.contains(&new.record));
        let confirmed: BTreeSet<&RecordKey> = confirmed.map(|new| &new.record.key).collect();
        let keys: Vec<RecordKey> = candidates.iter().map(|candidate| candidate.key.clone()).collect();
        let previews = self.previews(&keys).await?;
        let candidates: HashMap<&RecordKey, &Candidate> = candidates.iter().map(|one| (&one.key, one)).collect();
        for preview in previews {
            let Some(candidate) = candidates.get(&preview.planned.key) else {
                continue;
            };
            let record = RecordRef { category: self.mapping.category.clone(), key: candidate.key.clone() };
            let (is_open, is_confirmed) = (open.contains(&candidate.key), confirmed.contains(&candidate.key));
            let future = Future::Proposed { due: candidate.due.clone(), is_open, is_confirmed, preview };
            if let Some(watcher) = self.progress.watcher.as_mut() {
                watcher(Foreseen { record, future });
            }
        }
        Ok(())
    }

    /// What erasing these records would do, on a connection of its own: the other one reads ahead.
    async fn previews(&mut self, keys: &[RecordKey]) -> Result<Vec<Preview>, JobError> {
        let mut glass = match self.glass.take() {
            Some(glass) => glass,
            None => Source::of(self.described).reader().await.map_err(|error| self.failed(error))?,
        };
        let previews = preview(&mut glass, self.mapping, &self.workshop.keys.fingerprint, keys).await;
        let previews = glass.under_one_schema(previews).await;
        self.glass = Some(glass);
        previews.map_err(|error| self.failed(error))
    }

    /// Proposes these; none where they are more than are left of what is allowed: then nothing is written.
    async fn write_proposals(
        &mut self,
        run: RunId,
        new: &[NewProposal],
        left: u64,
    ) -> Result<Option<Proposed>, JobError> {
        if new.is_empty() {
            return Ok(Some(Proposed::default()));
        }
        let mut turn = self.workshop.store.turn().await;
        let mut change = turn.begin().await.map_err(store)?;
        let proposed = change.propose(run, new).await.map_err(store)?;
        if proposed.proposed > left {
            return Ok(None);
        }
        self.add(proposed.proposed, proposed.already_open);
        add_reasons(&mut self.progress.report.reasons, &proposed.reasons);
        change.run_progress(run, &self.progress.report).await.map_err(store)?;
        change.commit().await.map_err(store)?;
        pass("prepare-proposed");
        Ok(Some(proposed))
    }

    /// Tells and counts what would be written.
    async fn foresee_proposals(&mut self, candidates: &[Candidate], left: u64) -> Result<Option<Proposed>, JobError> {
        let open = self.open_among(candidates).await?;
        let already_open = open.len() as u64;
        let proposed = candidates.len() as u64 - already_open;
        if proposed > left {
            return Ok(None);
        }
        self.add(proposed, already_open);
        let new: Vec<Candidate> = candidates.iter().filter(|one| !open.contains(&one.key)).cloned().collect();
        let reasons = foreseen_reasons(&self.proposals(&new));
        add_reasons(&mut self.progress.report.reasons, &reasons);
        let told: Vec<Candidate> =
            candidates.iter().filter(|one| !self.is_open_told || !open.contains(&one.key)).cloned().collect();
        self.tell_due(&told, &open).await?;
        Ok(Some(Proposed { proposed, already_open, reasons }))
    }

    fn add(&mut self, proposed: u64, already_open: u64) {
        let counts = self.progress.report.category(&self.mapping.category);
        counts.proposed += proposed;
        counts.already_open += already_open;
    }
}

/// What becomes of an open proposal whose record is now so. A confirmed one that is still due is for the final job.
fn again(proposal: &Proposal, now: &Examined, today: jiff::civil::Date) -> Again {
    let Examined::Found { fingerprint, verdict, .. } = now else {
        return Again::Withdrawn(WithdrawReason::Gone);
    };
    let (state, origin) = (proposal.life.state(), &proposal.origin);
    // Where people are told apart otherwise by now, nobody can tell whether it is the same: neither a person's request nor
    // a postponement is lost by that. Before anything is erased, it goes back to a clerk.
    let is_unclear = !fingerprint.is_comparable(&proposal.fingerprint)
        && (*origin == Origin::Clerk || matches!(state, State::Postponed { .. }));
    let is_same = is_unclear || *fingerprint == proposal.fingerprint;
    match (verdict, state) {
        (Verdict::NotDue(_), _) | (_, State::Proposed { .. } | State::Postponed { .. }) if !is_same => {
            return Again::Withdrawn(WithdrawReason::AnotherPerson);
        }
        // What was asked for by hand is due because it was asked for.
        (Verdict::NotDue(reason), _) if !origin.is_own() => return Again::Withdrawn(no_longer_due(origin, reason)),
        (Verdict::Due(due), State::Proposed { .. }) if due.still(origin).is_err() => {
            let why = match origin.criterion() {
                Some(name) => format!("{name} is not met any more as it was worded"),
                None => "the application's mark is not there any more as it was worded".to_owned(),
            };
            return Again::Withdrawn(WithdrawReason::NoLongerDue { why });
        }
        _ => {}
    }
    match state {
        State::Postponed { until } if *until <= today => Again::IsBack,
        _ => Again::Stays,
    }
}

/// Whether the row is one that was anonymised, and not somebody new under its key. Where the fingerprints were taken over
/// other columns, or with another key, nobody can tell: it is then taken for the anonymised one, and counted.
fn is_anonymised(candidate: &Candidate, ledger: &HashMap<RecordKey, LedgerEntry>) -> bool {
    ledger.get(&candidate.key).is_some_and(|entry| {
        entry.outcome == Outcome::Anonymised
            && entry
                .after
                .as_ref()
                .is_none_or(|after| !after.is_comparable(&candidate.fingerprint) || *after == candidate.fingerprint)
    })
}

/// Whether this very person was erased before, under the same key: a backup has brought them back.
fn is_back(candidate: &Candidate, ledger: &HashMap<RecordKey, LedgerEntry>) -> bool {
    ledger.get(&candidate.key).is_some_and(|entry| entry.before == candidate.fingerprint)
}

/// How many would be proposed for which reason.
fn foreseen_reasons(new: &[NewProposal]) -> Reasons {
    let mut reasons = Reasons::new();
    for NewProposal { record, origin, .. } in new {
        let of_category = reasons.entry(record.category.as_str().to_owned()).or_default();
        of_category.entry(reason_name(origin.code(), origin.criterion())).or_default().proposed += 1;
    }
    reasons
}

fn proposal(category: &Category, candidate: &Candidate) -> NewProposal {
    let origin = candidate.due.origin();
    NewProposal {
        record: RecordRef { category: category.name.clone(), key: candidate.key.clone() },
        source: category.source.value.clone(),
        unit: candidate.unit.clone(),
        is_confirmed: category.confirms_marks() && matches!(origin, Origin::Application { .. }),
        origin,
        fingerprint: candidate.fingerprint.clone(),
    }
}
