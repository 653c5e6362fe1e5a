//! The same person's records in several categories.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Outcome, State};

/// What is to be said of a record and of those that it is linked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkedVerdict {
    /// In words: what blocks any of them, or that nothing does.
    pub verdict: String,
    /// Whether nothing blocks any of them.
    pub is_clear: bool,
    /// The records, the one asked about first.
    pub records: Vec<LinkedRecord>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkedRecord {
    /// `category/key`; null where the asker may not see the record: of such a one only `standing` is told.
    pub record: Option<String>,
    /// Who it is about.
    pub label: Option<String>,
    /// Where its proposal stands; null where it was never proposed.
    pub state: Option<State>,
    /// The version of its proposal.
    pub version: Option<u64>,
    /// Whether it is due, blocked, free or erased.
    pub standing: LinkedStanding,
    /// What is due, what blocks, or why it is not due, in words.
    pub reason: Option<String>,
    /// The first day on which what blocks no longer does; null where there is no end date.
    pub until: Option<String>,
    /// What erasing it alone would do now.
    pub outcome: Option<Outcome>,
    /// What erasing it together with all due records of its source would do now; null where it is not among those.
    pub outcome_together: Option<Outcome>,
    /// Whether it is in the same source as the record asked about. Where it is not, it is erased alone.
    pub same_source: bool,
    /// Whether it was confirmed together with others: it is erased with them, or not at all.
    pub confirmed_together: bool,
}

/// How a linked record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkedStanding {
    /// It is due, or marked.
    Due,
    /// It may not be erased.
    Blocked,
    /// It is not due, and nothing else speaks against erasing it.
    Free,
    /// It was erased.
    Erased,
    /// It cannot be told.
    Unknown,
}
