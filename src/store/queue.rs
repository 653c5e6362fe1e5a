//! Queueing runs, and what becomes of them.

use jiff::Timestamp;

use super::error::failed;
use super::run::{read, run_columns};
use super::{Change, JobKind, Run, RunId, RunOutcome, RunReport, RunTrigger, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{By, Kind, Trigger, actor_to_json};

impl Change<'_> {
    /// From now on slots of this job count after `at`. No entry in the trail: nothing has happened to any record.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn count_from(&mut self, job: JobKind, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO schedule (job, last_slot) VALUES (?1, ?2) \
             ON CONFLICT (job) DO UPDATE SET last_slot = excluded.last_slot",
        )
        .bind(job.as_str())
        .bind(rows::instant(at))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write from when on a job's slots count"))?;
        Ok(())
    }

    /// Queues a run for a slot of the schedule, and counts from that slot. Where a run of the job is queued already and has
    /// not begun, or the slot has had its run, there is no other; gives the run that was queued.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn enqueue_slot(&mut self, job: JobKind, slot: Timestamp) -> Result<Option<RunId>, StoreError> {
        self.count_from(job, slot).await?;
        let is_there: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM run WHERE job = ?1 AND state = 'queued' AND dry_run = 0 AND not_before IS NULL) \
             OR EXISTS (SELECT 1 FROM run WHERE job = ?1 AND slot = ?2)",
        )
        .bind(job.as_str())
        .bind(rows::instant(slot))
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed("read which runs are queued"))?;
        if is_there {
            return Ok(None);
        }
        self.queue_run(job, &RunTrigger::Schedule { slot }, false).await.map(Some)
    }

    /// Queues a run. A slot of the schedule can be queued once.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn queue_run(&mut self, job: JobKind, trigger: &RunTrigger, dry_run: bool) -> Result<RunId, StoreError> {
        let (slot, actor, request) = match trigger {
            RunTrigger::Schedule { slot } => (Some(rows::instant(*slot)), Actor::Daemon, None),
            RunTrigger::Manual { actor, request } => (None, actor.clone(), request.clone()),
        };
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO run (job, slot, actor, dry_run, state, queued_at, report) \
             VALUES (?1, ?2, ?3, ?4, 'queued', ?5, '{}') RETURNING id",
        )
        .bind(job.as_str())
        .bind(slot.as_deref())
        .bind(slot.is_none().then(|| actor_to_json(&actor).to_string()))
        .bind(dry_run)
        .bind(rows::instant(self.now))
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed("queue a run"))?;
        let trigger = slot.map_or(Trigger::Manual, Trigger::Schedule);
        let by = By { actor, run: Some(id), request };
        self.append(&by, &Kind::RunQueued { job: job.as_str().to_owned(), trigger, dry_run }).await?;
        Ok(RunId(id))
    }

    /// Queues a run of the daemon's own that tries again, from an instant on, what others have left undone.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn queue_again_at(&mut self, job: JobKind, at: Timestamp, tries: u32) -> Result<RunId, StoreError> {
        let trigger = RunTrigger::Manual { actor: Actor::Daemon, request: None };
        let run = self.queue_run(job, &trigger, false).await?;
        sqlx::query("UPDATE run SET not_before = ?2, tries = ?3 WHERE id = ?1")
            .bind(run.0)
            .bind(rows::instant(at))
            .bind(tries)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write from when on a run may begin"))?;
        Ok(run)
    }

    /// Ends, before they have begun, other runs of the job that were to try again what was left undone; gives them.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn call_off(&mut self, job: JobKind, but: RunId, reason: &str) -> Result<Vec<RunId>, StoreError> {
        let waiting: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM run WHERE job = ?1 AND id <> ?2 AND state = 'queued' AND not_before IS NOT NULL ORDER BY id",
        )
        .bind(job.as_str())
        .bind(but.0)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("read which runs are queued"))?;
        let waiting: Vec<RunId> = waiting.into_iter().map(RunId).collect();
        for run in &waiting {
            self.finish_run(*run, RunOutcome::Stopped, &RunReport::default(), Some(reason)).await?;
        }
        Ok(waiting)
    }

    /// A queued run begins.
    ///
    /// # Errors
    /// When it is not queued, or another run of its job goes on.
    pub async fn start_run(&mut self, run: RunId) -> Result<(), StoreError> {
        let doing = "start";
        let job: Option<String> = sqlx::query_scalar(
            "UPDATE run SET state = 'running', started_at = ?2 WHERE id = ?1 AND state = 'queued' RETURNING job",
        )
        .bind(run.0)
        .bind(rows::instant(self.now))
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(failed("start a run"))?;
        let job = job.ok_or(StoreError::NoSuchRun { doing, run: run.0, expected: "is queued" })?;
        self.append(&By::run(run.0), &Kind::RunStarted { job }).await?;
        Ok(())
    }

    /// Writes what a run has done so far. The only change without an entry in the trail: what was done has its own.
    ///
    /// # Errors
    /// When it does not go on, or it could not be written.
    pub async fn run_progress(&mut self, run: RunId, report: &RunReport) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE run SET report = ?2 WHERE id = ?1 AND state = 'running'")
            .bind(run.0)
            .bind(rows::json(report)?)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write the progress of a run"))?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(StoreError::NoSuchRun { doing: "write the progress of", run: run.0, expected: "goes on" })
    }

    /// A run is over; a queued one can only be stopped. The reason stays out of the trail, its counts do not.
    ///
    /// # Errors
    /// When it is over already, or it could not be written.
    pub async fn finish_run(
        &mut self,
        run: RunId,
        outcome: RunOutcome,
        report: &RunReport,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let ended: Option<(String, bool)> = sqlx::query_as(
            "UPDATE run SET state = ?2, finished_at = ?3, report = ?4, reason = ?5 \
             WHERE id = ?1 AND (state = 'running' OR (state = 'queued' AND ?2 = 'stopped')) RETURNING job, dry_run",
        )
        .bind(run.0)
        .bind(outcome.as_str())
        .bind(rows::instant(self.now))
        .bind(rows::json(report)?)
        .bind(reason)
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(failed("finish a run"))?;
        let (job, is_dry) = ended.ok_or(StoreError::NoSuchRun { doing: "finish", run: run.0, expected: "goes on" })?;
        if !is_dry {
            self.tell_brakes(run, &job, report).await?;
        }
        let counts = report.total().named().collect();
        let kind = Kind::RunFinished { job, outcome: outcome.as_str().to_owned(), counts };
        self.append(&By::run(run.0), &kind).await?;
        Ok(())
    }

    /// Closes as stopped what went on when the daemon last ended; gives those runs. What was queued stays queued.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn stop_interrupted_runs(&mut self, reason: &str) -> Result<Vec<RunId>, StoreError> {
        let runs: Vec<Run> =
            sqlx::query(concat!("SELECT ", run_columns!(), " FROM run WHERE state = 'running' ORDER BY id"))
                .fetch_all(&mut *self.transaction)
                .await
                .map_err(failed("read which runs were interrupted"))?
                .iter()
                .map(read)
                .collect::<Result<_, _>>()?;
        for run in &runs {
            self.finish_run(run.id, RunOutcome::Stopped, &run.report, Some(reason)).await?;
        }
        Ok(runs.into_iter().map(|run| run.id).collect())
    }
}
