//! How the daemon is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ClosedGate, Job, RemovalStep, Run};

/// How the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Of the daemon.
    pub version: String,
    /// Since when it is up.
    pub started_at: String,
    /// Which day it is for the daemon.
    pub today: String,
    /// In which zone, by its IANA name.
    pub time_zone: String,
    /// Why the clock is not believed, and jobs wait; null while it is.
    pub clock_problem: Option<String>,
    /// Whether it is well, in short.
    pub health: Health,
    /// What waits for a decision.
    pub decisions: DecisionStatus,
    /// Its jobs.
    pub jobs: Vec<JobStatus>,
    /// The applications' databases.
    pub sources: Vec<SourceStatus>,
    /// The categories that the asker may see, with their open proposals.
    pub categories: Vec<CategoryStatus>,
    /// The trail.
    pub audit: AuditStatus,
}

/// Whether the daemon is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// In a word.
    pub state: HealthState,
    /// What is not well, the worst first. No sentence names a person or a record.
    pub complaints: Vec<Complaint>,
}

/// Whether the daemon is well, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HealthState {
    /// It is.
    Ok,
    /// A part is not done, or not in time.
    Warning,
    /// Everything, or a whole source, stands still until somebody does something.
    Critical,
}

/// Something that is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Complaint {
    /// How bad it is.
    pub severity: HealthState,
    /// What it is: a word that does not change.
    pub code: String,
    /// The same in a sentence.
    pub message: String,
}

/// What waits for a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionStatus {
    /// How many records.
    pub waiting: u64,
    /// When the one was proposed that has waited longest.
    pub oldest_at: Option<String>,
    /// For how many whole days it has waited.
    pub oldest_days: Option<u64>,
    /// For how long one may wait; null where it is not watched.
    pub after: Option<String>,
    /// Whether that is exceeded.
    pub overdue: bool,
}

/// One job and its schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobStatus {
    /// Which.
    pub job: Job,
    /// Its cron expression; null where it runs by hand only, or when something is owed.
    pub schedule: Option<String>,
    /// When it is due next.
    pub next_at: Option<String>,
    /// Its newest run.
    pub last_run: Option<Run>,
}

/// One application's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceStatus {
    /// Its name in the settings.
    pub source: String,
    /// Why nothing is prepared or erased in it; null when it is open.
    pub problem: Option<String>,
    /// Whether it is closed until an operator decides.
    pub closed: bool,
    /// How far what was erased is removed from its files.
    pub removal: RemovalStatus,
}

/// How far what was erased in a source is removed from its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovalStatus {
    /// What is still to be done, and tried again.
    pub pending: Vec<PendingStep>,
    /// The oldest confirmation of what is not known to be gone: erased and still to be removed, or not even erased.
    pub oldest_confirmed_at: Option<String>,
    /// The longest time from a confirmation to the verified removal; null where it is not watched.
    pub within: Option<String>,
    /// Whether it is exceeded.
    pub overdue: bool,
    /// The hours in which the whole file may be written anew, which locks the application out; null: never.
    pub vacuum: Option<String>,
}

/// A step that is still to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingStep {
    /// Which.
    pub step: RemovalStep,
    /// Since when.
    pub since: String,
    /// How many erased records it concerns.
    pub records: u64,
    /// When it was tried last; null when it was not.
    pub tried_at: Option<String>,
    /// Why in vain.
    pub why: Option<String>,
    /// When it is tried next.
    pub next_at: String,
}

/// The open proposals of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryStatus {
    /// Which.
    pub category: String,
    /// Waiting for a decision.
    pub proposed: u64,
    /// Waiting for the final job.
    pub confirmed: u64,
    /// Waiting for a date.
    pub postponed: u64,
    /// In a batch that is being applied, or that has to be settled.
    pub erasing: u64,
    /// Why the category is stopped; null when it is not.
    pub problem: Option<String>,
    /// What closes its schema gate; null where that is open, or cannot be looked at.
    pub gate: Option<ClosedGate>,
    /// Whether the brake has stopped it in the newest run of a job.
    pub braked: bool,
}

/// The trail in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditStatus {
    /// How many entries there are.
    pub entries: u64,
    /// How many of them the newest checkpoint signs.
    pub signed: u64,
    /// When it was signed; null without any.
    pub signed_at: Option<String>,
}
