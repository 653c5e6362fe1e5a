//! Finds due records, looks at known ones again, and foresees what erasing them would do.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::pace::Pace;
use super::verdict::{Due, NotDue, Verdict, longest_retention, verdict};
use super::{DependentPlan, PlannedRecord, plan};
use crate::clock::Stopwatch;
use crate::record::{Fingerprint, FingerprintKey, RecordKey};
use crate::source::{Cursor, KeyProblem, Mapping, Reader, Retained, Row, SourceError};

/// Rows of the first stretch; later ones follow the time that it took.
const STRETCH_ROWS_FIRST: u32 = 2_000;
/// A stretch is never shorter than the first, however slow the source is, nor longer than the second, however fast: it is
/// held in memory.
const STRETCH_ROWS: RangeInclusive<u32> = 100..=10_000;
/// Records whose dependents are looked at together.
const RETAINED_RECORDS_MAX: usize = 1_000;

/// The day that verdicts are given for.
#[derive(Debug, Clone)]
pub struct Day {
    /// The day.
    pub today: Date,
    /// The zone that it is a day of.
    pub zone: TimeZone,
}

/// A due record.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its key.
    pub key: RecordKey,
    /// Digest of the person that it is about.
    pub fingerprint: Fingerprint,
    /// Whether every identity value is blank: nobody could be told apart by them.
    pub identity_is_blank: bool,
    /// The unit it belongs to.
    pub unit: Option<String>,
    /// Why it is due.
    pub due: Due,
}

/// Rows that selection has passed over, and why. Rows that simply are not due are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// A criterion's condition holds, and there is no start date.
    pub no_start_date: u64,
    /// A criterion's condition holds, and its start date cannot be read.
    pub unreadable_date: u64,
    /// The key is NULL, or a part of it.
    pub null_key: u64,
    /// The key is no integer, text or bytes, or could not be told from another.
    pub unusable_key: u64,
    /// Due but for a dependent's own period.
    pub retained: u64,
}

/// What a stretch of the table has given.
#[derive(Debug, Default)]
pub struct Stretch {
    /// How many rows it has.
    pub rows: u64,
    /// The due records, in the table's order.
    pub candidates: Vec<Candidate>,
    /// What was passed over.
    pub tally: Tally,
}

/// A walk through a category's table, in stretches that none is longer than the source's `max_lock` if it can be helped.
pub struct Selection<'a> {
    mapping: &'a Mapping,
    day: &'a Day,
    key: &'a FingerprintKey,
    pace: Pace,
    since_last: Stopwatch,
    rows: u32,
    after: Option<Cursor>,
    is_over: bool,
}

impl<'a> Selection<'a> {
    /// A walk from the table's beginning.
    #[must_use]
    pub fn new(mapping: &'a Mapping, day: &'a Day, key: &'a FingerprintKey, max_lock: Duration) -> Self {
        let (pace, since_last) = (Pace::new(max_lock), Stopwatch::start());
        Self { mapping, day, key, pace, since_last, rows: STRETCH_ROWS_FIRST, after: None, is_over: false }
    }

    /// Whether the table's end was in the last stretch: the next would read nothing.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The next stretch; `None` when the table is at its end.
    ///
    /// # Errors
    /// When the source cannot be read, or its schema has changed meanwhile: nothing that was read under another one counts.
    pub async fn next(&mut self, reader: &mut Reader) -> Result<Option<Stretch>, SourceError> {
        if self.is_over {
            return Ok(None);
        }
        let read = self.read(reader).await;
        reader.under_one_schema(read).await.map(Some)
    }

    async fn read(&mut self, reader: &mut Reader) -> Result<Stretch, SourceError> {
        let watch = Stopwatch::start();
        let page = reader.page(self.mapping, self.day.today, self.after.as_ref(), self.rows).await?;
        self.give_way(reader, watch.elapsed()).await?;
        self.is_over = page.next.is_none();
        self.after = page.next;
        let mut stretch = Stretch { rows: page.scanned, ..Stretch::default() };
        let mut found: Vec<(Row, Candidate)> = Vec::new();
        for mut row in page.rows {
            match verdict(self.mapping, &row, &[], self.day.today, &self.day.zone) {
                Verdict::NotDue(reason) => stretch.tally.reason(&reason),
                Verdict::Due(due) => match &row.key {
                    Err(problem) => stretch.tally.key(*problem),
                    Ok(key) => {
                        let fingerprint = fingerprint(self.mapping, self.key, key, &row);
                        let (key, identity_is_blank) = (key.clone(), is_blank(&row));
                        let candidate = Candidate { key, fingerprint, identity_is_blank, unit: row.unit.take(), due };
                        found.push((row, candidate));
                    }
                },
            }
        }
        if !self.mapping.nodes.iter().any(|node| node.retention.is_some()) {
            stretch.candidates = found.into_iter().map(|(_, candidate)| candidate).collect();
            return Ok(stretch);
        }
        let mut found = found.into_iter().peekable();
        while found.peek().is_some() {
            let together = found.by_ref().take(RETAINED_RECORDS_MAX).collect();
            self.add_unretained(reader, together, &mut stretch).await?;
        }
        Ok(stretch)
    }

    /// How many rows the next stretch has, which is passed over; `None` when the table is at its end.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn skip(&mut self, reader: &mut Reader) -> Result<Option<u64>, SourceError> {
        if self.is_over {
            return Ok(None);
        }
        let watch = Stopwatch::start();
        let counted = reader.rows_of_stretch(self.mapping, self.after.as_ref(), self.rows).await;
        let (rows, next) = reader.under_one_schema(counted).await?;
        self.give_way(reader, watch.elapsed()).await?;
        self.is_over = next.is_none();
        self.after = next;
        Ok(Some(rows))
    }

    /// Where reading keeps the application from writing, leaves it time when it does write.
    async fn give_way(&mut self, reader: &mut Reader, held: Duration) -> Result<(), SourceError> {
        let is_in_the_way = reader.keeps_writers_out();
        let has_changed = is_in_the_way && reader.others_have_changed_it().await?;
        self.pace.observe(has_changed, self.since_last.elapsed());
        // From here on, for what is left to the application is time in which it may be seen to be quiet.
        self.since_last = Stopwatch::start();
        if is_in_the_way && self.pace.is_active() {
            tokio::time::sleep(self.pace.gap(held)).await;
        }
        self.rows = self.pace.fitting(self.rows, held, &STRETCH_ROWS);
        Ok(())
    }

    /// Adds those that no dependent's own period keeps.
    async fn add_unretained(
        &self,
        reader: &mut Reader,
        found: Vec<(Row, Candidate)>,
        stretch: &mut Stretch,
    ) -> Result<(), SourceError> {
        let keys: Vec<RecordKey> = found.iter().map(|(_, candidate)| candidate.key.clone()).collect();
        let retained = by_record(reader.retained(self.mapping, self.day.today, &keys).await?, keys.len());
        for ((row, candidate), retained) in found.into_iter().zip(retained) {
            match verdict(self.mapping, &row, &retained, self.day.today, &self.day.zone) {
                Verdict::Due(due) => stretch.candidates.push(Candidate { due, ..candidate }),
                Verdict::NotDue(reason) => stretch.tally.reason(&reason),
            }
        }
        Ok(())
    }
}

impl Tally {
    fn key(&mut self, problem: KeyProblem) {
        match problem {
            KeyProblem::Null => self.null_key += 1,
            KeyProblem::Unusable | KeyProblem::Unclear(_) => self.unusable_key += 1,
        }
    }

    fn reason(&mut self, reason: &NotDue) {
        match reason {
            NotDue::NoStartDate { .. } => self.no_start_date += 1,
            NotDue::UnreadableDate { .. } => self.unreadable_date += 1,
            NotDue::Retained { .. } => self.retained += 1,
            NotDue::NoCondition | NotDue::Running { .. } => {}
        }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.no_start_date += other.no_start_date;
        self.unreadable_date += other.unreadable_date;
        self.null_key += other.null_key;
        self.unusable_key += other.unusable_key;
        self.retained += other.retained;
    }
}

/// A record looked at again.
#[derive(Debug, Clone)]
pub enum Examined {
    /// There is no such record.
    Gone,
    /// It is there.
    Found {
        /// Digest of the person that it is about now.
        fingerprint: Fingerprint,
        /// Whether every identity value is blank.
        identity_is_blank: bool,
        /// The unit it belongs to.
        unit: Option<String>,
        /// Whether it is due.
        verdict: Verdict,
        /// What keeps it, whatever asks for it: a dependent's own period.
        retained: Option<NotDue>,
    },
}

/// Looks at the records with these keys as they are now, each in its place.
///
/// # Errors
/// When the source cannot be read.
pub async fn examine(
    reader: &mut Reader,
    mapping: &Mapping,
    day: &Day,
    key: &FingerprintKey,
    keys: &[RecordKey],
) -> Result<Vec<Examined>, SourceError> {
    let rows = reader.by_key(mapping, day.today, keys).await?;
    let retained = by_record(reader.retained(mapping, day.today, keys).await?, keys.len());
    Ok(rows
        .into_iter()
        .zip(retained)
        .zip(keys)
        .map(|((row, retained), record)| match row {
            None => Examined::Gone,
            Some(row) => Examined::Found {
                fingerprint: fingerprint(mapping, key, record, &row),
                identity_is_blank: is_blank(&row),
                unit: row.unit.clone(),
                verdict: verdict(mapping, &row, &retained, day.today, &day.zone),
                retained: longest_retention(mapping, &retained, day.today, &day.zone),
            },
        })
        .collect())
}

/// Whom the records with these keys are about now, each in its place; `None` where there is none.
///
/// # Errors
/// When the source cannot be read.
pub async fn persons(
    reader: &mut Reader,
    mapping: &Mapping,
    day: &Day,
    key: &FingerprintKey,
    keys: &[RecordKey],
) -> Result<Vec<Option<Fingerprint>>, SourceError> {
    let rows = reader.by_key(mapping, day.today, keys).await?.into_iter();
    Ok(rows.zip(keys).map(|(row, record)| Some(fingerprint(mapping, key, record, &row?))).collect())
}

/// What erasing a record would do now.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The record and what is planned for it.
    pub planned: PlannedRecord,
    /// The dependents that keep the record's row, with how many rows they have.
    pub kept_by: Vec<(String, u64)>,
}

/// What erasing the records with these keys, all together, would do now; records that are not there are missing.
///
/// # Errors
/// When the source cannot be read.
pub async fn preview(
    reader: &mut Reader,
    mapping: &Mapping,
    key: &FingerprintKey,
    keys: &[RecordKey],
) -> Result<Vec<Preview>, SourceError> {
    let staged = reader.stage(mapping, keys).await?;
    Ok(previews(mapping, key, &staged))
}

/// What erasing records of several categories of one source together would do now, one batch of them all. The mappings
/// stand in the order in which they are erased.
///
/// # Errors
/// When the source cannot be read.
pub async fn preview_joint(
    reader: &mut Reader,
    records: &[(&Mapping, Vec<RecordKey>)],
    key: &FingerprintKey,
) -> Result<Vec<Vec<Preview>>, SourceError> {
    let mut gone: Vec<(&Mapping, Vec<RecordKey>)> = Vec::new();
    let mut found = Vec::new();
    for (mapping, keys) in records {
        let staged = reader.stage_after(mapping, keys, &gone).await?;
        let deleted = staged.records.iter().filter(|record| record.outcome == crate::source::Outcome::Delete);
        gone.push((mapping, deleted.map(|record| record.key.clone()).collect()));
        found.push(previews(mapping, key, &staged));
    }
    Ok(found)
}

fn previews(mapping: &Mapping, key: &FingerprintKey, staged: &crate::source::Staged) -> Vec<Preview> {
    staged
        .records
        .iter()
        .map(|record| {
            let planned = plan::planned(mapping, key, record);
            let kept_by = planned
                .dependents
                .iter()
                .filter(|dependent| dependent.keeps)
                .map(|dependent: &DependentPlan| (dependent.name.clone(), dependent.changed + dependent.left))
                .collect();
            Preview { planned, kept_by }
        })
        .collect()
}

fn fingerprint(mapping: &Mapping, key: &FingerprintKey, record: &RecordKey, row: &Row) -> Fingerprint {
    key.fingerprint(&mapping.category, record, &mapping.identity_version, &row.identity)
}

fn is_blank(row: &Row) -> bool {
    row.identity.iter().all(crate::record::Value::is_blank)
}

fn by_record(retained: Vec<Retained>, records: usize) -> Vec<Vec<Retained>> {
    let mut sorted: Vec<Vec<Retained>> = vec![Vec::new(); records];
    for row in retained {
        if let Some(list) = sorted.get_mut(row.record) {
            list.push(row);
        }
    }
    sorted
}
