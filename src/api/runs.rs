//! Runs of jobs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Problem, Proof, RunCategory, RunProgress, RunTrail};

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// Finds due records and proposes them.
    Prepare,
    /// Erases what is confirmed.
    Erase,
    /// Tries again to remove what was erased from the sources' files.
    Remove,
}

/// A run is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Which job.
    pub job: Job,
    /// Whether it only counts what it would do.
    #[serde(default)]
    pub dry_run: bool,
}

/// Of which job what the brake has stopped is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BrakeQuery {
    /// Which job.
    pub job: Job,
}

/// What the brake has stopped in the newest run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedBrakes {
    /// The run.
    pub run: u64,
    /// Its job.
    pub job: Job,
    /// How many records would have been proposed or erased, in all the categories together.
    pub records: u64,
    /// Stands for all of them.
    pub digest: String,
    /// The categories.
    pub brakes: Vec<ClosedBrake>,
}

/// A run is to go on over what the brake has stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideRequest {
    /// Which job.
    pub job: Job,
    /// What stands for all that was looked at.
    pub digest: String,
    /// Why.
    pub reason: String,
}

/// How long to wait for a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Answer when the run has ended, or after so many seconds, up to 60, whichever comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u32>,
}

/// Which runs to list, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// At most so many, up to 1000, which is also the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Goes on.
    Running,
    /// Has ended, and did what it was to do.
    Done,
    /// Has ended, and could not do all of it; the problem says what not.
    Partly,
    /// Has ended with a problem.
    Failed,
    /// Was stopped between two batches, with the daemon.
    Stopped,
}

/// What began a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Its time had come.
    Schedule,
    /// Its time had come while the daemon was off.
    CatchUp,
    /// Somebody asked for it.
    Request,
}

/// One execution of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// Whether it only counts what it would do.
    pub dry_run: bool,
    /// Where it stands.
    pub state: RunState,
    /// What began it.
    pub trigger: Trigger,
    /// Who: a user's name, or `erasured` for the schedule.
    pub by: String,
    /// When it was queued.
    pub queued_at: String,
    /// From when on it may begin, where it waits to try again what was left.
    pub not_before: Option<String>,
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How long it went on, in milliseconds; null until it has ended.
    pub duration_ms: Option<u64>,
    /// The longest time for which one of its batches held a source's lock, in microseconds; null where none did, and for who
    /// does not see every record.
    pub longest_lock_us: Option<u64>,
    /// How often what an application's lock has left undone was tried, this run included; 0 where it does not try again.
    pub tries: u32,
    /// How far it is; null unless it goes on.
    pub progress: Option<RunProgress>,
    /// The job, and what it has done so far, or would have.
    #[serde(flatten)]
    pub work: Work,
    /// The run over whose closed brakes this one goes on; null for one that nobody has let go on.
    pub overrides: Option<u64>,
    /// What became of each category.
    pub categories: Vec<RunCategory>,
    /// The brakes that have closed: nothing of these categories was proposed or erased.
    pub brakes: Vec<ClosedBrake>,
    /// What somebody should know: dates that cannot be read, what could not be verified.
    pub notes: Vec<String>,
    /// How far what was erased is removed from the sources' files, for whoever may see every record.
    pub removal: Vec<SourceRemoval>,
    /// Why it failed, or did only a part.
    pub problem: Option<Problem>,
    /// What was found of the erased afterwards, by the source's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proofs: BTreeMap<String, Proof>,
    /// What the trail has of it; null in a list.
    pub trail: Option<RunTrail>,
}

/// A brake that has stopped a category, and what it was stopped over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedBrake {
    /// The category.
    pub category: String,
    /// Records that would have been proposed or erased.
    pub records: u64,
    /// Rows of the category's table.
    pub rows: u64,
    /// The limit in records.
    pub count: u64,
    /// The limit as a part of the table, as settings write it. Both had to be exceeded.
    pub share: String,
    /// Stands for the set of these records.
    pub digest: String,
    /// By the criterion under which they are due, or by who has asked for them.
    pub criteria: Spread,
    /// By unit.
    pub units: Spread,
    /// By the year since when they are due.
    pub due_years: Spread,
}

/// How records are spread over something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Spread {
    /// What has the most of them, the most first.
    pub most: Vec<SpreadPart>,
    /// How many belong to all else.
    pub others: u64,
}

/// How many records belong to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpreadPart {
    /// The thing's name; null for those that belong to none.
    pub name: Option<String>,
    /// Records.
    pub records: u64,
}

/// One of the things that remove what was erased from a source's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalStep {
    /// Writing indexes for full-text search anew.
    FullText,
    /// Gathering statistics anew.
    Statistics,
    /// Writing the whole file anew.
    Vacuum,
    /// Making indexes for full-text search anew that go by row numbers which that may have changed.
    Rebuild,
    /// Emptying the write-ahead log, or a rollback journal that is kept.
    Checkpoint,
    /// Looking through the files for what was erased, and finding nothing.
    Proof,
}

/// What a run has removed from a source's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceRemoval {
    /// The source.
    pub source: String,
    /// What was done.
    pub done: Vec<RemovalStep>,
    /// What is still to be done.
    pub pending: Vec<StepLeft>,
    /// What the settings do not ask for.
    pub not_wanted: Vec<RemovalStep>,
}

/// A step that could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepLeft {
    /// Which.
    pub step: RemovalStep,
    /// Why.
    pub why: String,
}

/// A job with its counts, which stand at the top level of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Work {
    /// Of a prepare run.
    Prepare(PrepareCounts),
    /// Of a final run.
    Erase(EraseCounts),
    /// Of a run that tries again to remove what was erased.
    Remove(RemoveCounts),
}

/// What a run did that tries again to remove what was erased, in steps of all sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RemoveCounts {
    /// Done.
    pub steps_done: u64,
    /// Still to be done.
    pub steps_pending: u64,
}

/// What a prepare run did, in records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PrepareCounts {
    /// Newly proposed.
    pub proposed: u64,
    /// Proposed again after their postponement had ended.
    pub resumed: u64,
    /// No longer due, or gone.
    pub withdrawn: u64,
    /// Looked at, and proposed already.
    pub unchanged: u64,
    /// Due, and erased before: a backup has brought them back.
    pub came_back: u64,
    /// Would be due, but rows of other tables are within their period.
    pub retained: u64,
    /// Passed over: without a start date.
    pub no_start_date: u64,
    /// Passed over: with a start date that cannot be read.
    pub unreadable_date: u64,
    /// Passed over: with a key that is NULL, or a part of it.
    pub null_key: u64,
    /// Passed over: with a key that could not be told from another.
    pub unusable_key: u64,
    /// Passed over: with nothing in the columns that make it the same person.
    pub empty_identity: u64,
    /// Passed over: anonymised before, and still the anonymised one.
    pub already_anonymised: u64,
}

/// What a final run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EraseCounts {
    /// Records deleted.
    pub deleted: u64,
    /// Records anonymised.
    pub anonymised: u64,
    /// Records back with the clerk: changed since they were confirmed, or the database refused them.
    pub returned: u64,
    /// Records no longer due, or gone.
    pub withdrawn: u64,
    /// How many of those deleted were anonymised before: nothing kept their rows any more.
    pub shells: u64,
    /// Records whose confirmation has not waited for long enough: they stay confirmed.
    pub cooling_off: u64,
    /// Records under a legal hold: they stay confirmed.
    pub held: u64,
    /// Records that are confirmed and still to be erased, when the run has ended.
    pub left: u64,
    /// Rows of other tables that were changed with them: deleted, anonymised or unlinked.
    pub dependents: u64,
    /// The rows of other tables by what happened to them.
    pub dependent_rows: DependentRows,
}

/// Rows of other tables by what happened to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DependentRows {
    /// Deleted with the record.
    pub deleted: u64,
    /// Kept, with their personal columns anonymised.
    pub anonymised: u64,
    /// Kept, with their reference to the record set to NULL.
    pub unlinked: u64,
    /// Kept as they were.
    pub kept: u64,
    /// Left alone because something else refers to them too.
    pub shared_kept: u64,
}

/// A page of runs, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunPage {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub items: Vec<Run>,
    /// Where the next page begins; null on the last.
    pub next: Option<String>,
}
