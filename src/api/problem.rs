//! What went wrong, in the form of RFC 9457 (`application/problem+json`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request, or one record of it, was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A name for this kind of problem, as a URI: `urn:erasured:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words; the same whenever the code is.
    pub title: String,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// A stable name for programs.
    pub code: Code,
    /// What happened, in one sentence: `cannot <verb> <thing>: …`.
    pub detail: String,
    /// What the reader can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The kinds of problem there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request cannot be read: its JSON, a query parameter, a record's form.
    Malformed,
    /// The request can be read, and asks for something that makes no sense: a date in the past, an empty reason.
    Invalid,
    /// It cannot be found out who is asking.
    UnknownPeer,
    /// No grant gives the permission that this needs.
    NotPermitted,
    /// There is no such path.
    NoSuchRoute,
    /// The path is there, the verb is not.
    MethodNotAllowed,
    /// There is no proposal for this record.
    NoSuchRecord,
    /// There is no such category in the settings.
    NoSuchCategory,
    /// There is no run of this number.
    NoSuchRun,
    /// The state has changed, or does not allow this move.
    Conflict,
    /// The request did not arrive in time.
    RequestTimeout,
    /// The request is larger than the daemon takes.
    TooLarge,
    /// A source cannot be read.
    SourceUnavailable,
    /// The work was begun and did not end in time.
    TimedOut,
    /// The daemon is stopping.
    Stopping,
    /// A run could not do all that it was to do.
    RunIncomplete,
    /// The daemon failed.
    Internal,
    /// A code of a later version.
    #[serde(other)]
    Unknown,
}
