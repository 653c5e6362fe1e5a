//! What a run is accounted for by: category by category, by the reasons for which records were due, and in the trail.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EraseCounts, Origin, PrepareCounts};

/// What became of one category in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunCategory {
    /// The category.
    pub category: String,
    /// What a prepare run did; null for another, and where the asker does not see the category whole.
    pub prepared: Option<PrepareCounts>,
    /// What a final run did; null for another, and where the asker does not see the category whole.
    pub erased: Option<EraseCounts>,
    /// The same by the reason for which records are due.
    pub reasons: Vec<RunReason>,
    /// Why it was left out; null where it was not.
    pub stopped: Option<String>,
}

/// What became, in a run, of the records of a category that are due for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunReason {
    /// Why they are due at all.
    pub origin: Origin,
    /// The criterion, where it is one.
    pub criterion: Option<String>,
    /// Records newly proposed.
    pub proposed: u64,
    /// Records deleted.
    pub deleted: u64,
    /// Records anonymised.
    pub anonymised: u64,
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Looks again at what is open already, and then at what is due.
    Looking,
    /// Counts what it would erase, for the brake.
    Counting,
    /// Erases what was confirmed together, whatever category it is of.
    Together,
    /// Erases.
    Erasing,
    /// Removes what was erased from the files.
    Removing,
    /// Looks for what was erased.
    Proving,
}

/// How far a run is that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunProgress {
    /// What it is at.
    pub doing: Doing,
    /// With which category, or with which source.
    pub of: String,
    /// How many rows of the category's table it has looked at.
    pub rows: u64,
    /// How many records waited to be erased when it began; null where the asker does not see all of them.
    pub waiting: Option<u64>,
}

/// What the trail has of a run. Entries that were pruned are null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunTrail {
    /// The entry in which it was asked for.
    pub queued_entry: Option<u64>,
    /// The entry with the reason why it goes on over a closed brake.
    pub override_entry: Option<u64>,
    /// The entry with which it began.
    pub first_entry: Option<u64>,
    /// The entry with which it ended.
    pub last_entry: Option<u64>,
    /// The first checkpoint that is signed over all of them; null as long as there is none.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// A checkpoint of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedCheckpoint {
    /// It is signed over the entries up to this one.
    pub entries: u64,
    /// When it was signed.
    pub at: String,
    /// As it was signed; null for who does not see every record.
    pub note: Option<String>,
}
