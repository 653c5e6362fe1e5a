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

/// In which order proposals are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// By category and key.
    Record,
    /// By the day since when they are due; those without one come last.
    Due,
    /// In the order in which they were proposed: what has waited longest comes first.
    Proposed,
}

/// Which proposals are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProposalSet {
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
    /// Only records of this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Only what has been waiting for at least so many days since it was proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u32>,
    /// Only what is due since this day or a later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_from: Option<String>,
    /// Only what is due since this day or an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_to: Option<String>,
    /// Only what this user has decided about last, by login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
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
    /// Only records of this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Only what has been waiting for at least so many days since it was proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u32>,
    /// Only what is due since this day or a later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_from: Option<String>,
    /// Only what is due since this day or an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_to: Option<String>,
    /// Only what this user has decided about last, by login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// Only those with this text in their label, in capitals or not. Labels are read from the source for each request,
    /// so a page may hold fewer than there are, or none, and still not be the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// In this order; by record if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<Sort>,
    /// The last first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descending: Option<bool>,
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
    /// How many different people have to, by the rule in force; 0 where it is over.
    #[serde(default)]
    pub confirmations_needed: u32,
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
    /// Since when it is proposed.
    pub proposed_at: String,
    /// The first day on which it may be proposed again.
    pub postponed_until: Option<String>,
    /// How often it was postponed.
    pub postponed_count: u32,
    /// Why it stands where it stands: the postponement's reason, or why it came back to the clerk or was withdrawn.
    pub reason: Option<String>,
    /// What keeps the daemon from saying more about it: its source cannot be read, its row is gone.
    pub problem: Option<String>,
    /// The day since which a legal hold keeps it from being erased.
    pub held_since: Option<String>,
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
    /// Where a text was looked for: at how many labels this page has looked. `total` does not know of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched: Option<u64>,
}

/// How many proposals there are, by category and state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalTotals {
    /// How many there are in all.
    pub total: u64,
    /// How many there are of each category that has any.
    pub categories: Vec<CategoryTotal>,
}

/// How many proposals there are of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryTotal {
    /// Which.
    pub category: String,
    /// How many there are in all.
    pub total: u64,
    /// How many are proposed.
    pub proposed: u64,
    /// How many are confirmed.
    pub confirmed: u64,
    /// How many are postponed.
    pub postponed: u64,
    /// How many are being erased.
    pub erasing: u64,
    /// How many are erased.
    pub erased: u64,
    /// How many are withdrawn.
    pub withdrawn: u64,
}

/// What stands for a set of proposals in the very condition in which they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetDigest {
    /// The digest. It begins with the number of the trail's newest entry and the number of the records.
    pub digest: String,
    /// How many records are in the set.
    pub records: u64,
    /// How many of them wait for a decision. If not all of them do, the set cannot be confirmed as it is.
    pub proposed: u64,
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
