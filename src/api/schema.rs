//! The schema gates.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the gates of the categories stand that the asker may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaGates {
    /// One for each category.
    pub categories: Vec<SchemaStanding>,
}

/// How the gate of one category stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaStanding {
    /// The category.
    pub category: String,
    /// The application's database that it is in.
    pub source: String,
    /// Why it is stopped; null where it is not.
    pub problem: Option<String>,
    /// What closes its gate; null where that is open, or cannot be looked at.
    pub gate: Option<ClosedGate>,
}

/// A closed gate: the application has changed its schema, and nothing is proposed or erased in the category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedGate {
    /// Since when a run has known of it; null where none has met it yet.
    pub since: Option<String>,
    /// All that is wrong.
    pub findings: Vec<SchemaFinding>,
    /// Stands for what has changed, to accept it by; null where the settings do not fit the schema.
    pub digest: Option<String>,
}

/// Something that closes a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchemaFinding {
    /// What is wrong.
    pub message: String,
    /// The settings file to write in; null where nothing has to be written.
    pub file: Option<String>,
    /// What to write or do.
    pub hint: Option<String>,
}

/// What has changed in a schema is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaAcceptRequest {
    /// The category.
    pub category: String,
    /// The digest of the change that was looked at; when it is another by now, the answer is a conflict.
    pub digest: String,
}
