//! The audit trail, as it is shown and verified. Its export is a format of its own: one JSON object a line.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which entries to list, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only those about this record, `category/key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Only those that this run made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// At most so many, up to 1000, which is also the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// When.
    pub at: String,
    /// Who: a user's name, or `erasured` for the daemon itself.
    pub actor: String,
    /// What happened: `confirmed`, `run_finished`, …
    pub kind: String,
    /// To which record, `category/key`; null where it is about none, or about many.
    pub record: Option<String>,
    /// By which run.
    pub run: Option<u64>,
    /// The entry in words.
    pub summary: String,
    /// Its hash, which the next entry's hash covers.
    pub hash: String,
}

/// A page of the trail, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// How many there are in all under these filters.
    pub total: u64,
    /// Those of this page.
    pub items: Vec<AuditEntry>,
    /// Where the next page begins; null on the last.
    pub next: Option<String>,
}

/// Whether the trail holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerifyReport {
    /// Whether nothing is wrong with it.
    pub intact: bool,
    /// How many entries were checked.
    pub entries: u64,
    /// How many came before them and were pruned, because they were older than keys may be kept.
    #[serde(default)]
    pub pruned: u64,
    /// How many checkpoints it was held against.
    pub checkpoints: u64,
    /// Up to which entry the trail is proved to be what was signed.
    pub signed: u64,
    /// How many entries follow: tied to each other, and signed by nobody yet.
    pub unsigned: u64,
    /// The first thing that is wrong, which makes everything after it doubtful; null when the trail holds.
    pub fault: Option<VerifyFault>,
}

/// One thing that is wrong with the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerifyFault {
    /// The entry at which it shows; null where it is a checkpoint that cannot be trusted.
    pub seq: Option<u64>,
    /// What is wrong, in one sentence.
    pub detail: String,
}

/// What an auditor needs beside the exported trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkpoints {
    /// The key that the checkpoints are signed with, in the form that `audit verify --public-key` reads.
    pub public_key: String,
    /// The signed notes, the oldest first.
    pub checkpoints: Vec<String>,
}
