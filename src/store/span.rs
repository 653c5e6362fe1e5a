//! What the trail has of a run: its first entry and its last, and the checkpoint that is signed over them.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{RunId, Store, StoreError, rows};

/// The entries of a run. None of those that were pruned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEntries {
    /// The one that somebody asked for it in, or the schedule.
    pub queued: Option<u64>,
    /// The one with the reason why it goes on over a closed brake.
    pub overridden: Option<u64>,
    /// The one with which it began.
    pub first: Option<u64>,
    /// The one with which it ended; a batch that was settled after that is part of it.
    pub last: Option<u64>,
    /// The first checkpoint that is signed over all of them.
    pub signed: Option<Signed>,
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// How many entries it is signed over: up to the one of this number.
    pub entries: u64,
    /// When.
    pub at: Timestamp,
    /// As it was signed.
    pub note: String,
}

/// Each kind is found by its index. A batch that is settled as erased has that in the very next entry.
const ENTRIES: &str = "SELECT \
     (SELECT min(seq) FROM audit WHERE kind = 'run_queued' AND run = ?1) AS queued, \
     (SELECT min(seq) FROM audit WHERE kind = 'brake_overridden' AND run = ?1) AS overridden, \
     (SELECT min(seq) FROM audit WHERE kind = 'run_started' AND run = ?1) AS first, \
     (SELECT max(seq) FROM (SELECT seq FROM audit WHERE kind = 'run_finished' AND run = ?1 \
     UNION ALL SELECT seq FROM audit WHERE kind = 'batch_settled' AND run = ?1 \
     UNION ALL SELECT e.seq FROM audit s JOIN audit e ON e.seq = s.seq + 1 AND e.kind = 'erased' AND e.run = ?1 \
     WHERE s.kind = 'batch_settled' AND s.run = ?1)) AS last";

fn signed(row: &SqliteRow) -> Result<Signed, StoreError> {
    Ok(Signed { entries: rows::count(row, "entries")?, at: rows::parsed(row, "at")?, note: rows::get(row, "note")? })
}

fn entry(row: &SqliteRow, column: &'static str) -> Result<Option<u64>, StoreError> {
    Ok(rows::get::<Option<i64>>(row, column)?.map(i64::unsigned_abs))
}

impl Store {
    /// What the trail has of a run.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn run_entries(&self, run: RunId) -> Result<RunEntries, StoreError> {
        const DOING: &str = "read which entries a run has made";
        let row = sqlx::query(ENTRIES).bind(run.0).fetch_one(&self.readers).await.map_err(failed(DOING))?;
        let last = entry(&row, "last")?;
        let signed = match last {
            Some(last) => {
                let sql = "SELECT entries, at, note FROM checkpoint WHERE entries >= ?1 ORDER BY entries LIMIT 1";
                let row = sqlx::query(sql).bind(last.cast_signed()).fetch_optional(&self.readers).await;
                row.map_err(failed(DOING))?.as_ref().map(signed).transpose()?
            }
            None => None,
        };
        let [queued, overridden, first] = ["queued", "overridden", "first"].map(|column| entry(&row, column));
        Ok(RunEntries { queued: queued?, overridden: overridden?, first: first?, last, signed })
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn newest_checkpoint(&self) -> Result<Option<Signed>, StoreError> {
        let row = sqlx::query("SELECT entries, at, note FROM checkpoint ORDER BY entries DESC LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read the newest checkpoint"))?;
        row.as_ref().map(signed).transpose()
    }
}
