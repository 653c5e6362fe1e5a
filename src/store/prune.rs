//! Pruning: what is older than keys may be kept goes, up to a checkpoint.
//!
//! First the trail is cut, in one change with its entry and a checkpoint over that: from then on it begins with the entry
//! over which the checkpoint was signed, for whoever reads it. Then what lies before is swept away, a little at a time; a
//! sweep that is cut short goes on with the next one. May be relied on: nothing before the cut is told to anybody; what
//! stands today stays whole – holds, open proposals, access –, with who and when of the entries that it points to; the
//! newest checkpoint is never before the cut; a checkpoint that hands over to another key stays, with the entry that it is
//! signed over, which names nobody: without it, whoever trusts a key before could verify no more.

use jiff::{SignedDuration, Timestamp};

use super::error::failed;
use super::{Change, Store, StoreError, rows};
use crate::audit::{By, CheckpointKey, Counts, Kind};
use crate::proposal::StateName;

/// Rows that one change sweeps away.
const SWEPT_ROWS: u32 = 1_000;
/// Entries that one change sweeps away: each may name thousands of records.
const SWEPT_ENTRIES: u32 = 100;
/// The trail is cut no more often: each cut goes once through all that is on record.
const BETWEEN_CUTS: SignedDuration = SignedDuration::from_hours(7 * 24);

const DOING: &str = "prune what is on record";

/// Where the trail was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The entry that it begins with.
    pub first: u64,
    /// How many entries came before.
    pub entries: u64,
    /// How much else goes with them.
    pub counts: Counts,
    /// The checkpoint over the entry that tells of it: what nobody has signed, anybody may have written.
    pub note: String,
}

/// What goes with the entries before a cut: how it is counted, what is swept, and which rows that are. `?1` is the entry
/// with which the trail begins, `?2` when the checkpoint over it was signed.
struct Part {
    name: &'static str,
    table: &'static str,
    /// Names its rows.
    id: &'static str,
    rows: &'static str,
    at_once: u32,
}

/// Proposals that go. They are no part: sums and decisions hang on them.
const CLOSED: &str = "SELECT id FROM proposal WHERE state IN ('erased', 'withdrawn') AND changed_at <= ?2 \
     AND proposed_at <= ?2";

/// In this order, after the proposals. Rows that have a number go in its order, up to the first that is too young: a clock
/// that was wrong for a while makes nothing old.
const PARTS: [Part; 8] = [
    Part {
        name: "erasures",
        table: "ledger",
        id: "id",
        rows: "SELECT id FROM ledger WHERE id < coalesce((SELECT id FROM ledger WHERE erased_at > ?2 ORDER BY id LIMIT 1), \
               9223372036854775807)",
        at_once: SWEPT_ROWS,
    },
    Part {
        name: "holds",
        table: "hold",
        id: "id",
        rows: "SELECT id FROM hold WHERE released_seq < ?1",
        at_once: SWEPT_ROWS,
    },
    Part {
        name: "access",
        table: "access",
        id: "seq",
        rows: "SELECT seq FROM access WHERE ended < ?1",
        at_once: SWEPT_ROWS,
    },
    Part {
        name: "batches",
        table: "batch",
        id: "id",
        rows: "SELECT id FROM batch WHERE closed_at <= ?2 AND opened_at <= ?2",
        at_once: SWEPT_ROWS,
    },
    Part {
        name: "runs",
        table: "run",
        id: "id",
        rows: "SELECT id FROM run WHERE id < coalesce((SELECT id FROM run WHERE finished_at IS NULL OR finished_at > ?2 \
               ORDER BY id LIMIT 1), 9223372036854775807) AND id NOT IN (SELECT max(id) FROM run GROUP BY job)",
        at_once: SWEPT_ROWS,
    },
    Part {
        name: "texts",
        table: "audit_text",
        id: "seq",
        rows: "SELECT seq FROM audit_text WHERE seq < ?1 AND seq NOT IN (SELECT seq FROM kept)",
        at_once: SWEPT_ROWS,
    },
    Part {
        name: "checkpoints",
        table: "checkpoint",
        id: "entries",
        rows: "SELECT entries FROM checkpoint WHERE entries < ?1 AND instr(note, char(10) || 'key after: ') = 0",
        at_once: SWEPT_ROWS,
    },
    Part {
        name: "entries",
        table: "audit",
        id: "seq",
        rows: "SELECT seq FROM audit WHERE seq < ?1 AND seq NOT IN (SELECT entries FROM checkpoint)",
        at_once: SWEPT_ENTRIES,
    },
];

/// The parts that an entry tells the numbers of; how many texts go depends on what stands when they are swept.
const COUNTED: [&str; 6] = ["erasures", "holds", "access", "batches", "runs", "checkpoints"];

/// Entries that something points to which stays.
macro_rules! needed {
    () => {
        "SELECT set_seq FROM hold UNION SELECT asked_seq FROM hold WHERE asked_seq IS NOT NULL \
         UNION SELECT seq FROM access UNION SELECT seq FROM decision WHERE seq < ?1"
    };
}

/// The first of the parts before which is looked what of the trail is still needed.
const NEEDED_FROM: usize = 5;

/// How far a sweep is.
struct Sweep {
    /// Behind which proposal it goes on; none: they are behind it.
    proposals_after: Option<i64>,
    /// The part that it is at.
    part: usize,
}

/// Where the trail begins, in its row.
struct Begin {
    first: i64,
    at: String,
    is_done: bool,
}

impl Store {
    /// When the newest of the checkpoints was signed that were signed at this instant or earlier.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn signed_by(&self, instant: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT max(at) AS at FROM checkpoint WHERE at <= ?1")
            .bind(rows::instant(instant))
            .fetch_one(&self.readers)
            .await
            .map_err(failed("read when the trail was signed"))?;
        rows::optional(&row, "at")
    }

    /// How many entries have been pruned from the beginning of the trail.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn pruned_entries(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT coalesce((SELECT entries FROM cut), 1) - 1 AS entries")
            .fetch_one(&self.readers)
            .await
            .map_err(failed("read where the audit trail begins"))?;
        rows::count(&row, "entries")
    }

    /// Removes what lies before the cut, a little at a time, until nothing is left or it is unwanted. Gives whether nothing
    /// is left.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn sweep(&self, is_unwanted: &(dyn Fn() -> bool + Send + Sync)) -> Result<bool, StoreError> {
        let mut sweep = Sweep { proposals_after: Some(0), part: 0 };
        loop {
            let mut turn = self.turn().await;
            let mut change = turn.begin().await?;
            let is_over = change.sweep_some(&mut sweep).await?;
            change.commit().await?;
            if is_over {
                turn.forget_log().await?;
                return Ok(true);
            }
            if is_unwanted() {
                return Ok(false);
            }
        }
    }
}

impl Change<'_> {
    /// Cuts the trail at the newest checkpoint up to which everything was written at this instant or earlier. None, with
    /// nothing written, where there is none, or none much newer than where the trail begins now.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn cut_trail(
        &mut self,
        by: &By,
        before: Timestamp,
        key: &CheckpointKey,
    ) -> Result<Option<Cut>, StoreError> {
        let begin = self.begin_of_trail().await?;
        let now: Option<Timestamp> = begin.as_ref().and_then(|begin| begin.at.parse().ok());
        let not_before = now.and_then(|now| now.checked_add(BETWEEN_CUTS).ok()).map(rows::instant);
        // Where nothing is younger nothing is cut: the end of a trail is not its beginning.
        let found = sqlx::query(
            "SELECT entries, at FROM checkpoint WHERE entries < (SELECT seq FROM audit WHERE at > ?1 AND seq >= ?2 \
             ORDER BY seq LIMIT 1) AND entries > ?2 AND at >= ?3 ORDER BY entries DESC LIMIT 1",
        )
        .bind(rows::instant(before))
        .bind(begin.as_ref().map_or(1, |begin| begin.first))
        .bind(not_before.unwrap_or_default())
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        let Some(row) = found else { return Ok(None) };
        let (first, at): (i64, String) = (rows::get(&row, "entries")?, rows::get(&row, "at")?);
        let counts = self.count_before(first, &at).await?;
        let entries = (first - begin.map_or(1, |begin| begin.first)).unsigned_abs();
        let first_entry = first.unsigned_abs();
        self.append(by, &Kind::Pruned { first: first_entry, entries, counts: counts.clone() }).await?;
        let note = self.add_checkpoint(by, key).await?;
        sqlx::query(
            "INSERT INTO cut (one, entries, at, done) VALUES (1, ?1, ?2, 0) \
             ON CONFLICT (one) DO UPDATE SET entries = excluded.entries, at = excluded.at, done = 0",
        )
        .bind(first)
        .bind(at)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        Ok(Some(Cut { first: first_entry, entries, counts, note }))
    }

    async fn begin_of_trail(&mut self) -> Result<Option<Begin>, StoreError> {
        let row = sqlx::query("SELECT entries, at, done FROM cut")
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(failed("read where the audit trail begins"))?;
        let read = |row| {
            Ok(Begin { first: rows::get(row, "entries")?, at: rows::get(row, "at")?, is_done: rows::get(row, "done")? })
        };
        row.as_ref().map(read).transpose()
    }

    async fn count_before(&mut self, first: i64, at: &str) -> Result<Counts, StoreError> {
        let mut counts = Counts::new();
        let parts = PARTS.iter().filter(|part| COUNTED.contains(&part.name)).map(|part| (part.name, part.rows));
        for (name, found) in parts.chain([("proposals", CLOSED)]) {
            let sql = format!("SELECT count(*) AS count FROM ({found})");
            let row = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(first)
                .bind(at)
                .fetch_one(&mut *self.transaction)
                .await
                .map_err(failed(DOING))?;
            let count = rows::count(&row, "count")?;
            if count > 0 {
                counts.insert(name.to_owned(), count);
            }
        }
        Ok(counts)
    }

    /// Removes some of what lies before the cut; gives whether nothing is left. No entry in the trail: the cut has its own.
    async fn sweep_some(&mut self, sweep: &mut Sweep) -> Result<bool, StoreError> {
        let Some(Begin { first, at, is_done: false }) = self.begin_of_trail().await? else { return Ok(true) };
        if let Some(after) = sweep.proposals_after {
            sweep.proposals_after = self.sweep_proposals(&at, after).await?;
            return Ok(false);
        }
        let Some(Part { table, id, rows, at_once, .. }) = PARTS.get(sweep.part) else {
            sqlx::query("UPDATE cut SET done = 1").execute(&mut *self.transaction).await.map_err(failed(DOING))?;
            return Ok(true);
        };
        if sweep.part == NEEDED_FROM {
            self.keep_needed(first).await?;
        }
        let sql = format!("DELETE FROM {table} WHERE {id} IN ({rows} LIMIT ?3)");
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(first)
            .bind(&at)
            .bind(at_once)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        sweep.part += usize::from(done.rows_affected() == 0);
        Ok(false)
    }

    /// Closed proposals with what happened to them, behind this one. Gives the last; none where there was none.
    async fn sweep_proposals(&mut self, at: &str, after: i64) -> Result<Option<i64>, StoreError> {
        let sql = format!("{CLOSED} AND id > ?1 ORDER BY id LIMIT ?3");
        let ids: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(after)
            .bind(at)
            .bind(SWEPT_ROWS)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        let Some(last) = ids.last().copied() else { return Ok(None) };
        let ids = rows::json(&ids)?;
        let gone = sqlx::query(
            "SELECT category, coalesce(criterion, '') AS criterion, unit, state, count(*) AS count FROM proposal \
             WHERE id IN (SELECT value FROM json_each(?1)) GROUP BY 1, 2, 3, 4",
        )
        .bind(&ids)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        for row in &gone {
            let (criterion, count): (&str, i64) = (rows::get(row, "criterion")?, rows::get(row, "count")?);
            let unit: Option<&str> = rows::get(row, "unit")?;
            let state: StateName = rows::parsed(row, "state")?;
            self.totals.add(&rows::parsed(row, "category")?, criterion, unit, state, -count);
        }
        for sql in [
            "DELETE FROM decision WHERE proposal IN (SELECT value FROM json_each(?1))",
            "DELETE FROM proposal WHERE id IN (SELECT value FROM json_each(?1))",
        ] {
            sqlx::query(sql).bind(&ids).execute(&mut *self.transaction).await.map_err(failed(DOING))?;
        }
        Ok(Some(last))
    }

    /// Copies who and when of entries before the cut to which something points that stays, and forgets the others.
    async fn keep_needed(&mut self, first: i64) -> Result<(), StoreError> {
        for sql in [
            concat!(
                "INSERT OR IGNORE INTO kept (seq, at, actor, run, request) SELECT seq, at, actor, run, request FROM audit \
                 WHERE seq < ?1 AND seq IN (",
                needed!(),
                ")"
            ),
            concat!("DELETE FROM kept WHERE seq < ?1 AND seq NOT IN (", needed!(), ")"),
        ] {
            sqlx::query(sql).bind(first).execute(&mut *self.transaction).await.map_err(failed(DOING))?;
        }
        Ok(())
    }
}
