//! The brake: looks at all that a run would propose or erase before it does, and closes where that is far more than
//! expected.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::run::{Progress, Stop};
use super::shells::{Shell, Shells};
use super::{JobError, Workshop, store};
use crate::config::{Brake, Category, SourceSettings};
use crate::erasure::Selection;
use crate::proposal::{Origin, ProposalId, StateName};
use crate::record::{CategoryName, Fingerprint, RecordKey, RecordRef, hex};
use crate::source::{Mapping, Reader, SourceError};
use crate::store::{ClosedBrake, JobKind, Ripe, RunId, Spread, SpreadPart};

/// Records that are kept in memory until it is known whether the brake closes; of more the table is read a second time.
pub(super) const KEPT_RECORDS_MAX: usize = 10_000;
/// Names that records are told apart by; those of further ones are not told apart. It bounds memory.
const NAMES_MAX: usize = 1_000;
/// Names that are told.
const NAMES_TOLD: usize = 12;
/// How much of the hash is written: 128 bits, of which nobody finds a second set.
const HASH_BYTES: usize = 16;

/// A record that is looked at.
pub(super) struct Seen<'r> {
    pub(super) key: &'r RecordKey,
    pub(super) fingerprint: &'r Fingerprint,
    pub(super) origin: &'r Origin,
    pub(super) unit: Option<&'r str>,
    /// Whether nobody will be asked about it any more.
    pub(super) is_confirmed: bool,
}

/// What has been looked at: numbers, and what stands for the set. Takes the same memory for a million records as for a
/// thousand.
pub(super) struct Look {
    pub(super) records: u64,
    hash: Sha256,
    criteria: Spreading,
    units: Spreading,
    due_years: Spreading,
}

impl Look {
    pub(super) fn at(job: JobKind, category: &CategoryName) -> Self {
        let spreading = Spreading::default;
        let (criteria, units, due_years) = (spreading(), spreading(), spreading());
        let mut look = Self { records: 0, hash: Sha256::new(), criteria, units, due_years };
        // A set of one job or category is none of another.
        ["erasured-brake-1", job.as_str(), category.as_str()].iter().for_each(|what| look.feed(what.as_bytes()));
        look
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        self.records += 1;
        self.feed(seen.key.as_str().as_bytes());
        self.feed(&seen.fingerprint.digest);
        self.feed(seen.origin.code().as_bytes());
        self.feed(seen.origin.criterion().unwrap_or_default().as_bytes());
        self.feed(seen.origin.version().unwrap_or_default().as_bytes());
        self.feed(&[u8::from(seen.is_confirmed)]);
        self.criteria.add(Some(asked_by(seen.origin)));
        self.units.add(seen.unit);
        self.due_years.add(seen.origin.due_on().map(|day| day.year().to_string()).as_deref());
    }

    /// With its length before it, so that two different records never feed the same bytes.
    fn feed(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    fn closed(self, limits: &Brake, rows: u64) -> ClosedBrake {
        ClosedBrake {
            records: self.records,
            rows,
            count: limits.count,
            share: limits.share.to_string(),
            digest: hex(&self.hash.finalize()[..HASH_BYTES]),
            criteria: self.criteria.told(),
            units: self.units.told(),
            due_years: self.due_years.told(),
        }
    }
}

/// No name of a criterion has a blank in it.
fn asked_by(origin: &Origin) -> &str {
    match origin {
        Origin::Criterion { name, .. } => name,
        Origin::Application { .. } => "marked by the application",
        Origin::Clerk => "marked by clerks",
        Origin::Shell => "anonymised before",
    }
}

/// Counts by name.
#[derive(Default)]
struct Spreading {
    named: BTreeMap<Option<String>, u64>,
    others: u64,
}

impl Spreading {
    fn add(&mut self, name: Option<&str>) {
        let name = name.map(str::to_owned);
        if let Some(records) = self.named.get_mut(&name) {
            *records += 1;
        } else if self.named.len() < NAMES_MAX {
            self.named.insert(name, 1);
        } else {
            self.others += 1;
        }
    }

    fn told(self) -> Spread {
        let mut most: Vec<SpreadPart> =
            self.named.into_iter().map(|(name, records)| SpreadPart { name, records }).collect();
        most.sort_by_key(|part| std::cmp::Reverse(part.records));
        let rest = most.split_off(most.len().min(NAMES_TOLD));
        Spread { most, others: self.others + rest.iter().map(|part| part.records).sum::<u64>() }
    }
}

impl Progress<'_> {
    /// Tells, once, that more of a category can be erased by now than the brake allows.
    pub(super) fn note_more_than_counted(&mut self, category: &CategoryName) {
        self.trouble_once(format!(
            "{category}: more can be erased since it was counted than the brake allows; the rest waits for the next run"
        ));
    }

    /// The largest number of records that may be proposed or erased of what was looked at; `None`: the brake has closed,
    /// and that is told.
    pub(super) fn brake(
        &mut self,
        (job, is_dry): (JobKind, bool),
        category: &Category,
        look: Look,
        rows: u64,
    ) -> Option<u64> {
        let most = category.brake.most_of(rows);
        if look.records <= most {
            return Some(most);
        }
        let closed = look.closed(&category.brake, rows);
        let ClosedBrake { records, rows, count, share, digest, .. } = &closed;
        let looked_at = self.overrides.get(category.name.as_str());
        if looked_at == Some(digest) {
            tracing::warn!(category = %category.name, records, rows, limit = count, share, digest, "the brake is overridden");
            return Some(*records);
        }
        let (category, stopped) = (&category.name, if is_dry { "would stop it" } else { "stopped it" });
        let what = match job {
            JobKind::Prepare => "proposed",
            // A run that removes what is erased already looks at no records.
            JobKind::Erase | JobKind::Remove => "erased",
        };
        tracing::warn!(%category, records, rows, limit = count, share, digest, "the brake has closed");
        if looked_at.is_some() {
            self.trouble(format!("{category}: it is another set by now than the one that somebody has looked at"));
        }
        self.trouble(format!(
            "{category}: the brake {stopped}: {records} of {rows} records would be {what} (limits {count} and {share})"
        ));
        self.report.brakes.insert(category.as_str().to_owned(), closed);
        None
    }
}

/// What the final job may erase of one category in one run.
#[derive(Clone, Copy)]
pub(super) struct Leave {
    /// Which of the confirmed.
    pub(super) ripe: Ripe,
    /// The largest number that may still be erased, whatever becomes free to be erased meanwhile.
    pub(super) records_max: u64,
}

/// Looks at what the final job would erase of a category.
pub(super) struct Looking<'a, 'w> {
    pub(super) workshop: &'a Workshop,
    pub(super) described: &'a SourceSettings,
    pub(super) run: Option<RunId>,
    pub(super) reader: &'a mut Reader,
    pub(super) progress: &'a mut Progress<'w>,
    pub(super) stop: Stop<'a>,
}

impl Looking<'_, '_> {
    fn failed(&self, source: SourceError) -> JobError {
        JobError::Source { name: self.described.name.to_string(), source }
    }

    /// Whether the look goes on. Where it does not, nothing more is begun on the source in this run.
    fn may_go_on(&mut self) -> bool {
        !self.progress.hears(self.stop) && self.progress.may_begin(self.workshop, self.described, self.run)
    }

    /// What may be erased of the category; `None`: the brake has closed, or the look was not to go on. What is confirmed
    /// from now on waits for the next run: nobody has looked at it.
    pub(super) async fn look(&mut self, category: &Category, mapping: &Mapping) -> Result<Option<Leave>, JobError> {
        let cooled = self.workshop.ripe_before(&category.name);
        if !category.brake.can_close() {
            let ripe = Ripe { before: cooled, or_by: None };
            return Ok(Some(Leave { ripe, records_max: u64::MAX }));
        }
        let now = self.workshop.clock.now();
        let before = cooled.map_or(now, |cooled| cooled.min(now));
        // What this run confirms itself has to cool off as well.
        let ripe = Ripe { before: Some(before), or_by: self.run.filter(|_| cooled.is_none()) };
        let mut look = Look::at(JobKind::Erase, &category.name);
        // What has to cool off first is not erased in this run.
        if cooled.is_none() && !self.look_at_shells(mapping, &mut look).await? {
            return Ok(None);
        }
        let leave = |records_max| Some(Leave { ripe, records_max });
        let standing = self.workshop.store.counts().await.map_err(store)?;
        let confirmed = standing.get(&category.name).and_then(|counts| counts.get(&StateName::Confirmed));
        if look.records + confirmed.copied().unwrap_or(0) <= category.brake.count {
            return Ok(leave(category.brake.count));
        }
        if !self.look_at_confirmed(&category.name, before, &mut look).await? {
            return Ok(None);
        }
        if look.records <= category.brake.count {
            return Ok(leave(category.brake.count));
        }
        let Some(rows) = self.rows(mapping).await? else { return Ok(None) };
        let most = self.progress.brake((JobKind::Erase, self.run.is_none()), category, look, rows);
        Ok(most.and_then(leave))
    }

    /// Looks at anonymised records whose row nothing keeps any more; false where it was not to go on.
    async fn look_at_shells(&mut self, mapping: &Mapping, look: &mut Look) -> Result<bool, JobError> {
        let mut walk = Shells::of(self.workshop, mapping);
        while let Some(found) = walk.next(self.reader).await.map_err(|error| error.named(self.described))? {
            let record = |shell: &Shell| RecordRef { category: mapping.category.clone(), key: shell.key.clone() };
            let records: Vec<RecordRef> = found.iter().map(record).collect();
            let records: Vec<&RecordRef> = records.iter().collect();
            let held = self.workshop.store.held_among(&records).await.map_err(store)?;
            for (shell, _) in found.iter().zip(&records).filter(|(_, record)| !held.contains(*record)) {
                look.add(&shell.seen());
            }
            if !self.may_go_on() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Looks at what is confirmed; false where it was not to go on.
    async fn look_at_confirmed(
        &mut self,
        category: &CategoryName,
        before: Timestamp,
        look: &mut Look,
    ) -> Result<bool, JobError> {
        let mut after: Option<ProposalId> = None;
        loop {
            let page = self.workshop.store.ripe(category, Some(before), after).await.map_err(store)?;
            let Some(last) = page.last() else { return Ok(true) };
            after = Some(last.id);
            let records: Vec<&RecordRef> = page.iter().map(|proposal| &proposal.record).collect();
            let held = self.workshop.store.held_among(&records).await.map_err(store)?;
            for proposal in page.iter().filter(|proposal| !held.contains(&proposal.record)) {
                look.add(&Seen {
                    key: &proposal.record.key,
                    fingerprint: &proposal.fingerprint,
                    origin: &proposal.origin,
                    unit: proposal.unit.as_deref(),
                    is_confirmed: true,
                });
            }
            if !self.may_go_on() {
                return Ok(false);
            }
        }
    }

    /// How many rows the table has: read in stretches, none of which holds the source for long. `None`: it was not to go on.
    async fn rows(&mut self, mapping: &Mapping) -> Result<Option<u64>, JobError> {
        let (day, key) = (self.workshop.day(), &self.workshop.keys.fingerprint);
        let mut walk = Selection::new(mapping, &day, key, self.described.max_lock);
        let mut rows = 0;
        while let Some(more) = walk.skip(self.reader).await.map_err(|error| self.failed(error))? {
            rows += more;
            if !self.may_go_on() {
                return Ok(None);
            }
        }
        Ok(Some(rows))
    }
}

/// Keeps one more, or none at all once there are too many.
pub(super) fn keep<T>(kept: &mut Option<Vec<T>>, one: T) {
    match kept {
        Some(all) if all.len() < KEPT_RECORDS_MAX => all.push(one),
        _ => *kept = None,
    }
}
