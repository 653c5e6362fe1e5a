//! What belongs to kinds of entry: parts that stand in the details of one or several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by name; what is zero is left out.
pub type Counts = BTreeMap<String, u64>;

/// Records of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordGroup {
    /// The category.
    pub category: String,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category that are proposed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedGroup {
    /// The category.
    pub category: String,
    /// `criterion`, `application` for the application's own mark, or `shell`.
    pub origin: String,
    /// The criterion's name, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// Stands for the rule's wording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the rule confirms them too, without asking anybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category to which the same happened for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonedGroup {
    /// The category.
    pub category: String,
    /// The reason's word.
    pub reason: String,
    /// What belongs to the word, in the daemon's or the database's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category that are to end alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The category.
    pub category: String,
    /// `deleted` or `anonymised`.
    pub outcome: String,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Records of one category that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedGroup {
    /// The category.
    pub category: String,
    /// `deleted` or `anonymised`.
    pub outcome: String,
    /// What happened to the dependents of each of them.
    pub dependents: Counts,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Why somebody did something: a standard reason of the settings, by its name, or words of their own, for which a digest
/// stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Because {
    /// The name of a standard reason.
    #[serde(rename = "reason")]
    Standard(String),
    /// Stands for a text that lies beside the chain.
    #[serde(rename = "reason_digest")]
    Typed(String),
}

/// A legal hold that was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldSet {
    /// Its number.
    pub hold: i64,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
    /// Stands for the reference, which lies beside the chain.
    pub reference_digest: String,
    /// The record.
    pub records: Vec<RecordGroup>,
}

/// A step towards the end of a legal hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRelease {
    /// Its number.
    pub hold: i64,
    /// Why, where something was said.
    #[serde(flatten)]
    pub because: Option<Because>,
    /// The record.
    pub records: Vec<RecordGroup>,
}

/// What a clerk said about a postponement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponement {
    /// The first day on which they may be proposed again.
    pub until: String,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
    /// The records.
    pub records: Vec<RecordGroup>,
}

/// A batch about to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batched {
    /// The batch's id, in hexadecimal.
    pub batch: String,
    /// The source.
    pub source: String,
    /// What is to happen to which records.
    pub records: Vec<Planned>,
}

/// A rule that is changed while the daemon runs. Values of rules are no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChanged {
    /// The rule's name.
    pub rule: String,
    /// The value before.
    pub old: String,
    /// The value that holds, or is to hold.
    pub new: String,
    /// Whether that is what the file says.
    pub from_file: bool,
    /// The number of the entry that asked for it, where a second person has approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
}

/// How far what was erased is removed from a source's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The source.
    pub source: String,
    /// How many batches it is about.
    pub batches: u64,
    /// How many records.
    pub records: u64,
    /// The steps that were done now.
    pub done: Vec<String>,
    /// The steps that are still owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<String>,
}

/// How a batch was settled that had no outcome on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The source had not committed it: its records are confirmed as before.
    RolledBack,
    /// The source had committed it: its records are erased.
    Committed,
}

/// What is assigned to somebody, or denied, while the daemon runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Access {
    /// The records of a unit.
    Unit {
        /// To whom, by login name.
        user: String,
        /// Which.
        unit: String,
    },
    /// Single records.
    Record {
        /// To whom.
        user: String,
        /// Which.
        records: Vec<RecordGroup>,
    },
    /// Single records, denied whatever else is granted.
    Deny {
        /// To whom.
        user: String,
        /// Which.
        records: Vec<RecordGroup>,
        /// Stands for who asked for it and why, which lies beside the chain with the entry that denies.
        #[serde(flatten)]
        because: Option<Because>,
    },
    /// Taking somebody's place for a time.
    StandIn {
        /// Who takes it.
        user: String,
        /// Whose.
        represents: String,
        /// The last day.
        until: String,
    },
}

/// The end of what an entry has assigned or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEnd {
    /// The number of that entry.
    pub entry: u64,
    /// What it was.
    #[serde(flatten)]
    pub access: Access,
}

/// A category that the brake has stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakedCategory {
    /// The category.
    pub category: String,
    /// Records that would have been proposed or erased, rows of the table, and the limit in records.
    pub counts: Counts,
    /// The limit as a part of the table.
    pub share: String,
    /// Stands for the set of these records.
    pub digest: String,
}

/// Why a run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The schedule, for this instant.
    Schedule(String),
    /// Somebody: the entry's actor.
    Manual,
}

/// Something that is not well and that somebody was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldComplaint {
    /// What, with its stable word in front.
    pub what: String,
    /// When.
    pub told_at: String,
}
