//! What sources owe to what was erased in them: steps that remove the bytes, and that are not done yet.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{Change, JobKind, OpenBatch, RunId, RunTrigger, Store, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{By, Kind, Removal};
use crate::proposal::RemovalStep;
use crate::record::SourceName;

/// A step that a source owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The source.
    pub source: SourceName,
    /// The step.
    pub step: RemovalStep,
    /// Since when.
    pub since: Timestamp,
    /// The run that owed it first.
    pub run: RunId,
    /// The oldest confirmation of what was erased.
    pub confirmed_at: Timestamp,
    /// How many batches owe it.
    pub batches: u64,
    /// How many records.
    pub records: u64,
    /// How often it was tried in vain.
    pub tries: u32,
    /// When last.
    pub tried_at: Option<Timestamp>,
    /// Why in vain.
    pub why: Option<String>,
    /// When it is tried next.
    pub next_at: Timestamp,
}

/// What has become of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnd {
    /// It is done.
    Done,
    /// The settings do not ask for it.
    NotWanted,
    /// It is tried again.
    Pending(Remaining),
}

/// A step that could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    /// Why.
    pub why: String,
    /// When it is tried next.
    pub next_at: Timestamp,
}

/// What is left of the erased in a source.
#[derive(Debug, Clone)]
pub struct Left {
    /// The steps that are owed, in their order.
    pub owed: Vec<Owed>,
    /// The oldest confirmation of what is not known to be gone: erased and owed, or not even erased.
    pub oldest: Option<Timestamp>,
}

const OWED: &str = "SELECT source, step, since, run, confirmed_at, batches, records, tries, tried_at, why, next_at \
                    FROM removal ORDER BY source, step";

/// A step that was tried further ahead than this was tried by a clock that has been set back since.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);

impl Store {
    /// What the sources owe, in the order of the steps.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn owed(&self) -> Result<Vec<Owed>, StoreError> {
        let found = sqlx::query(OWED).fetch_all(&self.readers).await.map_err(failed("read what is to be removed"))?;
        let mut owed = found.iter().map(owed).collect::<Result<Vec<_>, _>>()?;
        owed.sort_by(|one, other| (&one.source, one.step).cmp(&(&other.source, other.step)));
        Ok(owed)
    }

    /// What is left of the erased in one source, as far as its settings want steps done.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn left_in(
        &self,
        source: &SourceName,
        is_wanted: impl Fn(RemovalStep) -> bool,
    ) -> Result<Left, StoreError> {
        let mut owed = self.owed().await?;
        owed.retain(|owed| owed.source == *source && is_wanted(owed.step));
        let waiting = self.oldest_confirmation(source).await?;
        let oldest = owed.iter().map(|owed| owed.confirmed_at).chain(waiting).min();
        Ok(Left { owed, oldest })
    }

    /// The oldest confirmation among what is confirmed in a source and not erased, though nothing holds it.
    ///
    /// # Errors
    /// When it could not be read.
    async fn oldest_confirmation(&self, source: &SourceName) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT min(p.confirmed_at) AS at FROM proposal p WHERE p.state IN ('confirmed', 'erasing') AND p.source = ?1 \
             AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.category = p.category AND h.key = p.key AND h.released_seq IS NULL)",
        )
        .bind(source.as_str())
        .fetch_one(&self.readers)
        .await
        .map_err(failed("read what has been confirmed for longest"))?;
        rows::optional(&row, "at")
    }
}

fn owed(row: &SqliteRow) -> Result<Owed, StoreError> {
    Ok(Owed {
        source: rows::parsed(row, "source")?,
        step: rows::parsed(row, "step")?,
        since: rows::parsed(row, "since")?,
        run: RunId(rows::get(row, "run")?),
        confirmed_at: rows::parsed(row, "confirmed_at")?,
        batches: rows::count(row, "batches")?,
        records: rows::count(row, "records")?,
        tries: u32::try_from(rows::count(row, "tries")?).unwrap_or(u32::MAX),
        tried_at: rows::optional(row, "tried_at")?,
        why: rows::get(row, "why")?,
        next_at: rows::parsed(row, "next_at")?,
    })
}

impl Change<'_> {
    /// A batch has erased these proposals' records: every step is owed from now on. Written with the batch's outcome, so
    /// that nothing that happens in between can lose it.
    pub(super) async fn owe_removal(&mut self, batch: &OpenBatch, proposals: &[i64]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO removal (source, step, since, run, confirmed_at, batches, records, tries, next_at) \
             SELECT ?1, s.value, ?2, ?3, e.confirmed_at, 1, e.records, 0, ?2 \
             FROM (SELECT min(p.confirmed_at) AS confirmed_at, count(*) AS records \
                   FROM json_each(?5) j CROSS JOIN proposal p ON p.id = j.value) e CROSS JOIN json_each(?4) s \
             WHERE e.records > 0 \
             ON CONFLICT (source, step) DO UPDATE SET batches = batches + 1, records = records + excluded.records, \
             confirmed_at = min(confirmed_at, excluded.confirmed_at), next_at = min(next_at, excluded.next_at)",
        )
        .bind(batch.source.as_str())
        .bind(rows::instant(self.now))
        .bind(batch.run.0)
        .bind(rows::json(&RemovalStep::OWED.map(RemovalStep::as_str))?)
        .bind(rows::json(&proposals)?)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write what is to be removed"))?;
        Ok(())
    }

    /// A source that owes something owes this step too: what was just done, or is about to be, makes it necessary.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn owe_step(&mut self, source: &SourceName, step: RemovalStep) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO removal (source, step, since, run, confirmed_at, batches, records, tries, next_at) \
             SELECT source, ?2, min(since), min(run), min(confirmed_at), max(batches), max(records), 0, ?3 FROM removal \
             WHERE source = ?1 GROUP BY source ON CONFLICT (source, step) DO NOTHING",
        )
        .bind(source.as_str())
        .bind(step.as_str())
        .bind(rows::instant(self.now))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write what is to be removed"))?;
        Ok(())
    }

    /// What has become of a source's steps in this run.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn steps_ended(
        &mut self,
        run: RunId,
        source: &SourceName,
        ends: &[(RemovalStep, StepEnd)],
    ) -> Result<(), StoreError> {
        const DOING: &str = "write what was removed";
        let row = sqlx::query(
            "SELECT coalesce(max(batches), 0) AS batches, coalesce(max(records), 0) AS records FROM removal WHERE source = ?1",
        )
        .bind(source.as_str())
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        let (batches, records) = (rows::count(&row, "batches")?, rows::count(&row, "records")?);
        for (step, end) in ends {
            match end {
                StepEnd::Done | StepEnd::NotWanted => self.settle_step(source, *step).await?,
                StepEnd::Pending(remaining) => self.put_off(source, *step, remaining).await?,
            }
        }
        let named = |wanted: fn(&StepEnd) -> bool| -> Vec<String> {
            ends.iter().filter(|(_, end)| wanted(end)).map(|(step, _)| step.to_string()).collect()
        };
        let (done, pending) = (named(|end| *end == StepEnd::Done), named(|end| matches!(end, StepEnd::Pending(_))));
        let is_over = pending.is_empty();
        let of = Removal { source: source.to_string(), batches, records, done, pending };
        let kind = if is_over { Kind::RemovalDone(of) } else { Kind::RemovalPending(of) };
        self.append(&By::run(run.0), &kind).await?;
        Ok(())
    }

    /// The source owes this step no longer.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn settle_step(&mut self, source: &SourceName, step: RemovalStep) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM removal WHERE source = ?1 AND step = ?2")
            .bind(source.as_str())
            .bind(step.as_str())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write what was removed"))?;
        Ok(())
    }

    async fn put_off(
        &mut self,
        source: &SourceName,
        step: RemovalStep,
        remaining: &Remaining,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE removal SET tries = tries + 1, tried_at = ?3, why = ?4, next_at = ?5 WHERE source = ?1 AND step = ?2",
        )
        .bind(source.as_str())
        .bind(step.as_str())
        .bind(rows::instant(self.now))
        .bind(&remaining.why)
        .bind(rows::instant(remaining.next_at))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write what could not be removed"))?;
        Ok(())
    }

    /// Queues a run that tries again, where one of these sources owes something whose time has come and no run is queued or
    /// goes on that would do it anyway.
    ///
    /// # Errors
    /// When it could not be read or written.
    pub async fn queue_owed(&mut self, sources: &BTreeSet<&SourceName>) -> Result<Option<RunId>, StoreError> {
        let sources: Vec<&str> = sources.iter().map(|source| source.as_str()).collect();
        let is_due: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM removal WHERE source IN (SELECT value FROM json_each(?1)) \
             AND (next_at <= ?2 OR tried_at > ?3)) AND NOT EXISTS (SELECT 1 FROM run \
             WHERE job IN ('erase', 'remove') AND dry_run = 0 \
             AND (state = 'running' OR (state = 'queued' AND (not_before IS NULL OR not_before <= ?2))))",
        )
        .bind(rows::json(&sources)?)
        .bind(rows::instant(self.now))
        .bind(rows::instant(self.now.saturating_add(AHEAD_MAX).unwrap_or(Timestamp::MAX)))
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed("read what is to be removed"))?;
        if !is_due {
            return Ok(None);
        }
        let trigger = RunTrigger::Manual { actor: Actor::Daemon, request: None };
        self.queue_run(JobKind::Remove, &trigger, false).await.map(Some)
    }
}
