//! Proposals: the list, and one record in full.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::LinkedVerdict;

/// Most items on one page, and how many there are when the request does not say.
pub const PAGE_MAX_ITEMS: u32 = 1000;

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waiting for a decision.
    Proposed,
    /// To be erased by the next final job.
    Confirmed,
    /// Not to be proposed before a date.
    Postponed,
    /// In a batch that is being applied.
    Erasing,
    /// Deleted or anonymised.
    Erased,
    /// No longer due, gone, or taken back.
    Withdrawn,
}

/// Why a record is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A criterion of its category is met.
    Criterion,
    /// The application has marked it.
    Application,
    /// A clerk has marked it.
    Clerk,
    /// It was anonymised before, and nothing keeps its row any more.
    Shell,
}

/// What the final job does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The row goes.
    Delete,
    /// The row stays without what is personal, because dependents that stay refer to it.
    Anonymise,
}

/// Which proposals to list, and from where on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only this state; without it, the open ones: proposed, confirmed, postponed and erasing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<State>,
    /// Only those that are due under this criterion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// At most so many, up to 1000, which is also the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// `category/key`.
    pub record: String,
    /// Where it stands.
    pub state: State,
    /// Why it is proposed.
    pub origin: Origin,
    /// The criterion that it is due under; null for a mark.
    pub criterion: Option<String>,
    /// Stands for the wording of the rule that it was proposed under; null where there is no rule.
    pub rule_version: Option<String>,
    /// How many people have confirmed it so far, where it is still to be erased.
    pub confirmations: u32,
    /// Who decided about it last.
    pub decided_by: Option<String>,
    /// Who it is about, read from the source for this answer; null where it cannot be read or the record is gone.
    pub label: Option<String>,
    /// Since when it is due; null where the criterion has no start date.
    pub due_on: Option<String>,
    /// What the final job would do to it now, or did; null where that cannot be said.
    pub outcome: Option<Outcome>,
    /// Counts the moves of this proposal. A decision that names it is refused when it has changed.
    pub version: u64,
    /// The unit that the record belongs to.
    pub unit: Option<String>,
    /// The first day on which it may be proposed again.
    pub postponed_until: Option<String>,
    /// How often it was postponed.
    pub postponed_count: u32,
    /// Why it stands where it stands: the postponement's reason, or why it came back to the clerk or was withdrawn.
    pub reason: Option<String>,
    /// What keeps the daemon from saying more about it: its source cannot be read, its row is gone.
    pub problem: Option<String>,
}

/// A page of proposals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalPage {
    /// How many there are in all under these filters.
    pub total: u64,
    /// Those of this page.
    pub items: Vec<Proposal>,
    /// Where the next page begins; null on the last.
    pub next: Option<String>,
}

/// One record in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// What the list says of it.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// Why it would be deleted or anonymised, in one sentence.
    pub outcome_reason: Option<String>,
    /// What happens to rows of other tables.
    pub dependents: Vec<DependentCount>,
    /// What keeps it from being erased now.
    pub blocked: Vec<Blocked>,
    /// The same person's records in other categories; null where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<LinkedVerdict>,
    /// Every move so far, the oldest first.
    pub history: Vec<Move>,
}

/// What a rule does to dependent rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DependentRule {
    /// They stay, without what is personal.
    Keep,
    /// They go.
    Delete,
    /// Their reference becomes NULL.
    Unlink,
}

/// Rows of one other table that hang on the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependentCount {
    /// The table.
    pub table: String,
    /// What happens to them.
    pub rule: DependentRule,
    /// How many there are.
    pub rows: u64,
}

/// Something that keeps a record from being erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blocked {
    /// The first day on which it no longer does; null where there is no end date.
    pub until: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// One move of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Move {
    /// When.
    pub at: String,
    /// From where; null for the first.
    pub from: Option<State>,
    /// To where.
    pub to: State,
    /// Who: a user's name, or `erasured` for the daemon itself.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The run that made it.
    pub run: Option<u64>,
}
