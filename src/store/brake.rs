//! Brakes that have closed: what a run would have proposed or erased, in numbers. No key is kept of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use sha2::{Digest as _, Sha256};

use super::digest::{HASH_BYTES, digits};
use super::error::{expect_rows, failed};
use super::run::{read, run_columns};
use super::{Change, JobKind, Run, RunId, RunReport, RunTrigger, Store, StoreError, rows};
use crate::audit::{BrakedCategory, By, Kind};
use crate::proposal::Reason;

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

/// What somebody has looked at, and lets a run go on over: the brakes that closed in an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The run that was stopped.
    pub of: i64,
    /// What stands for each of the sets, by the category's name.
    pub digests: BTreeMap<String, String>,
}

impl RunReport {
    /// What stands for all the sets that the brake has stopped in this run: how many records that are, and a hash; `None`
    /// where it has stopped none.
    #[must_use]
    pub fn brake_digest(&self) -> Option<String> {
        let records: u64 = self.brakes.values().map(|brake| brake.records).sum();
        let sets: Vec<(&String, &String)> = self.brakes.iter().map(|(name, brake)| (name, &brake.digest)).collect();
        let mut hash = Sha256::new_with_prefix("erasured closed brakes, version 1\n");
        for (category, digest) in &sets {
            hash.update(format!("{category} {digest}\n"));
        }
        (!sets.is_empty()).then(|| format!("{records}-{}", digits(&hash.finalize()[..HASH_BYTES])))
    }
}

impl Store {
    /// The newest run of a job that has ended, dry runs aside.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn newest_ended(&self, job: JobKind) -> Result<Option<Run>, StoreError> {
        let row = sqlx::query(NEWEST_ENDED).bind(job.as_str()).fetch_optional(&self.readers).await;
        row.map_err(failed("read the newest run of a job"))?.as_ref().map(read).transpose()
    }

    /// What a run goes on over in spite of the brake; `None`: over nothing.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn override_of(&self, run: RunId) -> Result<Option<Override>, StoreError> {
        let written: Option<Option<String>> = sqlx::query_scalar("SELECT override FROM run WHERE id = ?1")
            .bind(run.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read what a run may go on over"))?;
        let unreadable = |error| StoreError::Unreadable { what: format!("what run {run} may go on over: {error}") };
        written.flatten().map(|written| serde_json::from_str(&written).map_err(unreadable)).transpose()
    }
}

/// See [`Store::newest_ended`].
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

    /// Queues a run that goes on over what the brake has stopped in the newest run of the job, if that is what this digest
    /// stands for; `None`, with nothing written, where it is not, or where it has stopped nothing.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn override_brake(
        &mut self,
        by: &By,
        job: JobKind,
        digest: &str,
        reason: &Reason,
    ) -> Result<Option<RunId>, StoreError> {
        const DOING: &str = "write what a run may go on over";
        let found = sqlx::query(NEWEST_ENDED).bind(job.as_str()).fetch_optional(&mut *self.transaction).await;
        let Some(row) = found.map_err(failed(DOING))? else { return Ok(None) };
        let stopped = read(&row)?;
        if stopped.report.brake_digest().as_deref() != Some(digest) {
            return Ok(None);
        }
        let trigger = RunTrigger::Manual { actor: by.actor.clone(), request: by.request.clone() };
        let run = self.queue_run(job, &trigger, false).await?;
        let digests = stopped.report.brakes.into_iter().map(|(category, brake)| (category, brake.digest)).collect();
        let done = sqlx::query("UPDATE run SET override = ?2 WHERE id = ?1")
            .bind(run.0)
            .bind(rows::json(&Override { of: stopped.id.0, digests })?)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        expect_rows(DOING, 1, done.rows_affected())?;
        let by = By { run: Some(run.0), ..by.clone() };
        let kind = |because| Kind::BrakeOverridden {
            job: job.as_str().to_owned(),
            stopped: stopped.id.0,
            digest: digest.to_owned(),
            because,
        };
        self.append_with_text(&by, reason, kind).await?;
        Ok(Some(run))
    }
}
