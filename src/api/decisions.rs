//! What clerks decide, and what became of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Blocked, Problem, ProposalSet, State};

/// Most records in one request.
pub const RECORDS_MAX: usize = 10_000;

/// A record that is decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAt {
    /// `category/key`.
    pub record: String,
    /// The version that the clerk has seen; when it is given and has changed since, the answer is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// These may be erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// Which; none where `all` says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordAt>,
    /// Records that the only one in `records` is linked to: they are confirmed together with it, all or none, and those
    /// of one source are erased together, or not at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<RecordAt>,
    /// The same with all that each of `records` is linked to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_linked: bool,
    /// All of this set, as long as it is what `digest` stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<ProposalSet>,
    /// What `GET /v1/proposals/digest` gave for the set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// These may not be erased before a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostponeRequest {
    /// Which.
    pub records: Vec<RecordAt>,
    /// The first day on which they may be proposed again.
    pub until: String,
    /// Why: the number or the name of a standard reason, or a text where that is allowed.
    pub reason: String,
}

/// The confirmation of these is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// Which.
    pub records: Vec<RecordAt>,
}

/// This record is to be erased, whatever the criteria say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRequest {
    /// `category/key`.
    pub record: String,
    /// Why.
    pub reason: String,
}

/// A record was marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarkAnswer {
    /// `category/key`.
    pub record: String,
    /// Where it stands: proposed, or confirmed where its category confirms marks at once.
    pub state: State,
    /// Its version.
    pub version: u64,
    /// What keeps it from being erased all the same.
    pub blocked: Vec<Blocked>,
}

/// What became of a decision. It holds for all records of the request, or for none: half of what a clerk meant is not
/// what the clerk meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionAnswers {
    /// How many were moved: all of them, or 0.
    pub done: u64,
    /// How many stood in the way.
    pub refused: u64,
    /// How many of those that were moved still wait for the confirmation of another person.
    #[serde(default)]
    pub await_second: u64,
    /// How many of them are confirmed, and not to be erased before their cooling-off is over.
    #[serde(default)]
    pub cooling_off: u64,
    /// One for each record that was moved, in the order of the request; or one for each that stood in the way. None for
    /// those of a set that was confirmed as a whole.
    pub answers: Vec<DecisionAnswer>,
    /// How a set differs from what its digest stands for; nothing was decided then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<SetDifference>,
}

/// How a set of proposals differs from what it was, as the trail tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetDifference {
    /// How many records the set had when the digest was made.
    pub then: u64,
    /// How many it has now.
    pub now: u64,
    /// What is in the set now and was not.
    pub new: SetPart,
    /// What was in the set and is no longer.
    pub gone: SetPart,
    /// What was and is in the set, and has been decided about in the meantime or is due for another reason.
    pub changed: SetPart,
    /// Whether more has happened since then than was looked at.
    pub more: bool,
    /// What went wrong, in one sentence.
    pub problem: Problem,
}

/// Some records of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetPart {
    /// How many there are.
    pub count: u64,
    /// The first of them, each `category/key`.
    pub records: Vec<String>,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionAnswer {
    /// `category/key`.
    pub record: String,
    /// Where it stands now; null where it is not known.
    pub state: Option<State>,
    /// Its version now.
    pub version: Option<u64>,
    /// Why it could not be moved; null when it was.
    pub problem: Option<Problem>,
    /// What a record that was just confirmed still waits for: another person, or the end of its cooling-off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Blocked>,
    /// What is to be said of it and of the records that it is linked to, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<String>,
}
