//! Runs: queued, going on, over.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{Change, Page, RunId, RunReport, Store, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{By, Kind, Trigger, actor_to_json};
use crate::proposal::UnknownWord;

/// What a run is a run of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Finds due records and proposes them.
    Prepare,
    /// The final job: erases what is confirmed.
    Erase,
}

impl JobKind {
    /// Every job.
    pub const ALL: [Self; 2] = [Self::Prepare, Self::Erase];

    /// The word in the state, the trail, and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Erase => "erase",
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|job| job.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Why there is a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunTrigger {
    /// The schedule asked for it.
    Schedule {
        /// For this instant.
        slot: Timestamp,
    },
    /// Somebody asked for it.
    Manual {
        /// Who.
        actor: Actor,
        /// By which request; none once it has been stored: the trail knows it.
        request: Option<String>,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunOutcome {
    /// All of it was done.
    Done,
    /// Some of it could not be done: a source, a category or a record failed.
    Partly,
    /// Nothing could be done, or something failed that nothing may follow.
    Failed,
    /// It was stopped, or the daemon ended in the middle of it. What it had done holds.
    Stopped,
}

impl RunOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Done, Self::Partly, Self::Failed, Self::Stopped];

    /// The word in the state, the trail, and on the socket.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for RunOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RunOutcome {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It waits for its turn.
    Queued,
    /// It goes on.
    Running {
        /// Since when.
        started_at: Timestamp,
    },
    /// It is over.
    Finished {
        /// Since when it went on; none when it never did.
        started_at: Option<Timestamp>,
        /// Since when it is over.
        finished_at: Timestamp,
        /// How it ended.
        outcome: RunOutcome,
        /// Why so, where there is something to say.
        reason: Option<String>,
    },
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What it is a run of.
    pub job: JobKind,
    /// Why there is one.
    pub trigger: RunTrigger,
    /// Whether it only looks.
    pub dry_run: bool,
    /// Since when it has been asked for.
    pub queued_at: Timestamp,
    /// Where it stands.
    pub state: RunState,
    /// What it has done so far.
    pub report: RunReport,
}

/// The columns of a run.
macro_rules! run_columns {
    () => {
        "id, job, slot, actor, dry_run, state, queued_at, started_at, finished_at, report, reason"
    };
}

fn read(row: &SqliteRow) -> Result<Run, StoreError> {
    let unreadable = |what: String| StoreError::Unreadable { what };
    let trigger = match (rows::optional(row, "slot")?, rows::actor(row, "actor")?) {
        (Some(slot), None) => RunTrigger::Schedule { slot },
        (None, Some(actor)) => RunTrigger::Manual { actor, request: None },
        _ => return Err(unreadable("a run that nobody, or everybody, asked for".into())),
    };
    let state = match rows::get::<&str>(row, "state")? {
        "queued" => RunState::Queued,
        "running" => RunState::Running { started_at: rows::parsed(row, "started_at")? },
        _ => RunState::Finished {
            started_at: rows::optional(row, "started_at")?,
            finished_at: rows::parsed(row, "finished_at")?,
            outcome: rows::parsed(row, "state")?,
            reason: rows::get(row, "reason")?,
        },
    };
    let report = serde_json::from_str(rows::get(row, "report")?)
        .map_err(|error| unreadable(format!("the report of a run: {error}")))?;
    Ok(Run {
        id: RunId(rows::get(row, "id")?),
        job: rows::parsed(row, "job")?,
        trigger,
        dry_run: rows::get(row, "dry_run")?,
        queued_at: rows::parsed(row, "queued_at")?,
        state,
        report,
    })
}

impl Store {
    /// The run with this number.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        let row = sqlx::query(concat!("SELECT ", run_columns!(), " FROM run WHERE id = ?1"))
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a run"))?;
        row.as_ref().map(read).transpose()
    }

    /// Runs, the latest first, at most `limit` of those before `before`.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn runs(&self, before: Option<RunId>, limit: u32) -> Result<Page<Run, RunId>, StoreError> {
        let doing = "read runs";
        let mut items: Vec<Run> =
            sqlx::query(concat!("SELECT ", run_columns!(), " FROM run WHERE id < ?1 ORDER BY id DESC LIMIT ?2"))
                .bind(before.map_or(i64::MAX, |id| id.0))
                .bind(i64::from(limit) + 1)
                .fetch_all(&self.readers)
                .await
                .map_err(failed(doing))?
                .iter()
                .map(read)
                .collect::<Result<_, _>>()?;
        let total: i64 =
            sqlx::query_scalar("SELECT count(*) FROM run").fetch_one(&self.readers).await.map_err(failed(doing))?;
        let next = super::list::cut(&mut items, limit).map(|run| run.id);
        Ok(Page { items, total: total.cast_unsigned(), next })
    }

    /// Runs that wait for their turn, the first first.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn queued_runs(&self) -> Result<Vec<Run>, StoreError> {
        sqlx::query(concat!("SELECT ", run_columns!(), " FROM run WHERE state = 'queued' ORDER BY id"))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read which runs are queued"))?
            .iter()
            .map(read)
            .collect()
    }

    /// The latest instant for which the schedule has asked for a run of this job, or from which its slots count.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn last_slot(&self, job: JobKind) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT counts_from FROM schedule WHERE job = ?1")
            .bind(job.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read when a job was last due"))?;
        row.map_or(Ok(None), |row| rows::optional(&row, "counts_from"))
    }
}

impl Change<'_> {
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

    /// The schedule asks for a run of this job. Where one waits already, that one will do; either way the slot has been
    /// dealt with.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn queue_slot(&mut self, job: JobKind, slot: Timestamp) -> Result<(), StoreError> {
        self.count_slots_from(job, slot).await?;
        let waiting: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM run WHERE job = ?1 AND state = 'queued' AND NOT dry_run)")
                .bind(job.as_str())
                .fetch_one(&mut *self.transaction)
                .await
                .map_err(failed("read which runs are queued"))?;
        if !waiting {
            self.queue_run(job, &RunTrigger::Schedule { slot }, false).await?;
        }
        Ok(())
    }

    /// From now on slots of the job count that lie after `at`.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn count_slots_from(&mut self, job: JobKind, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO schedule (job, counts_from) VALUES (?1, ?2) \
             ON CONFLICT (job) DO UPDATE SET counts_from = excluded.counts_from",
        )
        .bind(job.as_str())
        .bind(rows::instant(at))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write when a job was last due"))?;
        Ok(())
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
        let job: Option<String> = sqlx::query_scalar(
            "UPDATE run SET state = ?2, finished_at = ?3, report = ?4, reason = ?5 \
             WHERE id = ?1 AND (state = 'running' OR (state = 'queued' AND ?2 = 'stopped')) RETURNING job",
        )
        .bind(run.0)
        .bind(outcome.as_str())
        .bind(rows::instant(self.now))
        .bind(rows::json(report)?)
        .bind(reason)
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(failed("finish a run"))?;
        let job = job.ok_or(StoreError::NoSuchRun { doing: "finish", run: run.0, expected: "goes on" })?;
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
