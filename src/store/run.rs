//! Runs: queued, going on, over.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{Page, RunId, RunReport, Store, StoreError, rows};
use crate::actor::Actor;
use crate::proposal::UnknownWord;

/// What a run is a run of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Finds due records and proposes them.
    Prepare,
    /// The final job: erases what is confirmed.
    Erase,
    /// Tries again to remove what was erased from the sources' files.
    Remove,
}

impl JobKind {
    /// Every job.
    pub const ALL: [Self; 3] = [Self::Prepare, Self::Erase, Self::Remove];

    /// The word in the state, the trail, and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Erase => "erase",
            Self::Remove => "remove",
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
    /// From when on it may begin, where it tries again what another has left undone.
    pub not_before: Option<Timestamp>,
    /// How often that has been tried, this run included.
    pub tries: u32,
    /// What it has done so far.
    pub report: RunReport,
}

impl Run {
    /// When it ended, if it has.
    #[must_use]
    pub const fn finished_at(&self) -> Option<Timestamp> {
        match self.state {
            RunState::Finished { finished_at, .. } => Some(finished_at),
            RunState::Queued | RunState::Running { .. } => None,
        }
    }
}

/// The columns of a run.
macro_rules! run_columns {
    () => {
        "id, job, slot, actor, dry_run, state, queued_at, started_at, finished_at, report, reason, not_before, tries"
    };
}
pub(super) use run_columns;

pub(super) fn read(row: &SqliteRow) -> Result<Run, StoreError> {
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
        not_before: rows::optional(row, "not_before")?,
        tries: rows::get(row, "tries")?,
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

    /// Runs of prepare that have ended after this instant and were no dry runs, the first first, at most so many.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn prepared_after(&self, at: Timestamp, limit: u32) -> Result<Vec<Run>, StoreError> {
        sqlx::query(concat!(
            "SELECT ",
            run_columns!(),
            " FROM run WHERE job = 'prepare' AND dry_run = 0 AND finished_at > ?1 ORDER BY finished_at, id LIMIT ?2"
        ))
        .bind(rows::instant(at))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read which runs have ended"))?
        .iter()
        .map(read)
        .collect()
    }

    /// The newest run of this job.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn newest_run(&self, job: JobKind) -> Result<Option<Run>, StoreError> {
        let row = sqlx::query(concat!("SELECT ", run_columns!(), " FROM run WHERE job = ?1 ORDER BY id DESC LIMIT 1"))
            .bind(job.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read the newest run of a job"))?;
        row.as_ref().map(read).transpose()
    }

    /// The run whose turn it is: the first of those that are queued and need not wait any longer.
    ///
    /// # Errors
    /// When it could not be read, or is not where it was opened any more.
    pub async fn next_run(&self) -> Result<Option<Run>, StoreError> {
        // Asked every minute: nobody goes on for long with a state that is not there any more.
        self.place.check()?;
        let row = sqlx::query(concat!(
            "SELECT ",
            run_columns!(),
            " FROM run WHERE state = 'queued' AND (not_before IS NULL OR not_before <= ?1) ORDER BY id LIMIT 1"
        ))
        .bind(rows::instant(self.clock.now()))
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("read which run is next"))?;
        row.as_ref().map(read).transpose()
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

    /// The instant after which slots of this job count: its last slot; none before the first.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn last_slot(&self, job: JobKind) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT last_slot FROM schedule WHERE job = ?1")
            .bind(job.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read when a job was last due"))?;
        row.map(|row| rows::parsed(&row, "last_slot")).transpose()
    }
}
