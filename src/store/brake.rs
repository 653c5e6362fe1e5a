//! Brakes that have closed: what a run would have proposed or erased, in numbers. No key is kept of it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::failed;
use super::run::{read, run_columns};
use super::{BATCH_MAX_RECORDS, Change, JobKind, Proposal, Run, RunId, RunReport, Store, StoreError, rows};
use crate::audit::{BrakedCategory, By, Kind};
use crate::proposal::ProposalId;
use crate::record::CategoryName;

/// A brake that has stopped a category, with what it was stopped over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClosedBrake {
    /// Records that would have been proposed or erased.
    pub records: u64,
    /// Rows of the category's table.
    pub rows: u64,
    /// The limit in records.
    pub count: u64,
    /// The limit as a part of the table, as settings write it.
    pub share: String,
    /// Stands for the set of these records: the same records of the same persons for the same reasons.
    pub digest: String,
    /// By the criterion under which they are due, or by who has asked for them.
    pub criteria: Spread,
    /// By unit.
    pub units: Spread,
    /// By the year since when they are due.
    pub due_years: Spread,
}

/// How records are spread over something, the most first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spread {
    /// What has the most of them, and how many.
    pub most: Vec<SpreadPart>,
    /// How many belong to all else.
    pub others: u64,
}

/// In one line.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &SpreadPart| format!("{} {}", part.name.as_deref().unwrap_or("none"), part.records);
        let others = (self.others > 0).then(|| format!("others {}", self.others));
        f.write_str(&self.most.iter().map(part).chain(others).collect::<Vec<_>>().join(", "))
    }
}

/// How many records belong to one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpreadPart {
    /// The thing's name; none for those that belong to none.
    pub name: Option<String>,
    /// Records.
    pub records: u64,
}

/// What of the confirmed may be erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ripe {
    /// What was confirmed at this instant or before; `None`: whenever it was.
    pub before: Option<Timestamp>,
    /// And what this run has confirmed itself.
    pub or_by: Option<RunId>,
}

/// Confirmed proposals of a category by their ids, those among them that were confirmed together.
pub(super) const RIPE: &str = concat!(
    "SELECT ",
    rows::proposal_columns!(),
    " FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
     WHERE p.state = 'confirmed' AND p.category = ?1 AND p.id > ?2 AND (?4 IS NULL OR p.confirmed_at <= ?4) \
     ORDER BY p.id LIMIT ?3"
);

impl Store {
    /// The next page of all confirmed proposals of a category that were confirmed at this instant or before, by their ids;
    /// those that were confirmed together are among them.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn ripe(
        &self,
        category: &CategoryName,
        before: Option<Timestamp>,
        after: Option<ProposalId>,
    ) -> Result<Vec<Proposal>, StoreError> {
        let found = sqlx::query(RIPE)
            .bind(category.as_str())
            .bind(after.map_or(0, |id| id.0))
            .bind(BATCH_MAX_RECORDS)
            .bind(before.map(rows::instant))
            .fetch_all(&self.readers)
            .await;
        found.map_err(failed("read what is confirmed"))?.iter().map(rows::proposal).collect()
    }

    /// The newest run of a job that has ended, dry runs aside.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn newest_ended(&self, job: JobKind) -> Result<Option<Run>, StoreError> {
        let row = sqlx::query(NEWEST_ENDED).bind(job.as_str()).fetch_optional(&self.readers).await;
        row.map_err(failed("read the newest run of a job"))?.as_ref().map(read).transpose()
    }
}

const NEWEST_ENDED: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM run WHERE job = ?1 AND dry_run = 0 AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1"
);

impl Change<'_> {
    /// Tells the trail of the brakes that have closed in a run.
    pub(super) async fn tell_brakes(&mut self, run: RunId, job: &str, report: &RunReport) -> Result<(), StoreError> {
        if report.brakes.is_empty() {
            return Ok(());
        }
        let told = |(category, brake): (&String, &ClosedBrake)| BrakedCategory {
            category: category.clone(),
            counts: BTreeMap::from([
                ("records".to_owned(), brake.records),
                ("rows".to_owned(), brake.rows),
                ("limit".to_owned(), brake.count),
            ]),
            share: brake.share.clone(),
            digest: brake.digest.clone(),
        };
        let categories = report.brakes.iter().map(told).collect();
        self.append(&By::run(run.0), &Kind::BrakeClosed { job: job.to_owned(), categories }).await.map(drop)
    }
}
