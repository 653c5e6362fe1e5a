//! The walk through a category's table: to know whether the brake closes, and to propose what is due.

use std::collections::{BTreeSet, HashMap};

use super::super::ahead::Ahead;
use super::super::brake::{Look, Seen, keep};
use super::super::{Foreseen, Future, JobError, store};
use super::Prepare;
use super::rules::{foreseen_reasons, is_anonymised, is_back, proposal};
use crate::config::Category;
use crate::erasure::{Candidate, Preview, Tally, pass, preview};
use crate::record::{RecordKey, RecordRef};
use crate::source::{Reader, Source};
use crate::store::{JobKind, NewProposal, Proposed, RunId, add_reasons};

/// Proposals that are written by one change of the state, with one entry in the trail.
const PROPOSALS_PER_CHANGE: usize = 5_000;

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

impl Prepare<'_, '_> {
    /// Proposes what is due, or in a dry run tells of it. Where the brake can close, nothing is before all of it has been
    /// looked at: what is not too much is kept in memory meanwhile, and otherwise the table is read once more.
    pub(super) async fn propose(&mut self, category: &Category, reader: Reader) -> (Reader, Result<(), JobError>) {
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
