//! The rules in force, in words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rules in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// The categories that the asker may see.
    pub categories: Vec<CategoryPolicy>,
    /// Every rule of theirs that can be changed while the daemon runs.
    pub rules: Vec<RuleStanding>,
}

/// The rules of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryPolicy {
    /// Which.
    pub category: String,
    /// The application's database that it lies in.
    pub source: String,
    /// The table that it lies in.
    pub table: String,
    /// When a record becomes due: under any one of these.
    pub criteria: Vec<CriterionPolicy>,
    /// What erasing one of these records means, in a sentence or two.
    pub erasure: String,
    /// Which records the application marks, and what becomes of marks.
    pub marks: String,
    /// How many people confirm, and how long a confirmation waits.
    pub decisions: String,
    /// How much of it a run may propose or erase before somebody has to look.
    pub brake: String,
    /// What happens to rows of other tables.
    pub dependents: Vec<DependentPolicy>,
    /// What stops the category now; null when nothing does.
    pub problem: Option<String>,
}

/// One criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CriterionPolicy {
    /// Its name.
    pub name: String,
    /// Which records are due, in words.
    pub words: String,
    /// Why, as the settings give it.
    pub reason: Option<String>,
    /// Whether it makes any record due; one that does not stays in the settings.
    pub enabled: bool,
    /// Stands for its wording: a proposal carries the version that it was made under.
    pub version: String,
}

/// What happens to the rows of one other table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependentPolicy {
    /// The table.
    pub table: String,
    /// What happens to its rows, in words.
    pub words: String,
}

/// How a rule stands that can be changed while the daemon runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleStanding {
    /// Its name: `prospect.inactive.period`.
    pub name: String,
    /// The value in force; null where the files no longer have such a rule.
    pub value: Option<String>,
    /// What the file says.
    pub file: Option<String>,
    /// How it was set while the daemon ran; null where the file's value holds.
    pub set: Option<RuleSet>,
    /// What waits for a second person.
    pub waiting: Option<RuleWaiting>,
}

/// A rule that was set while the daemon ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleSet {
    /// The value that it was given.
    pub value: String,
    /// Names the change: the number of its entry in the audit trail.
    pub change: u64,
    /// By whom.
    pub by: String,
    /// When.
    pub at: String,
    /// The second person who has approved it; null where none was needed.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<String>,
    /// Why the file's value holds all the same; null where this one does.
    pub aside: Option<String>,
    /// Whether it would hold if a second person approved it.
    pub waits: bool,
}

/// A change that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleWaiting {
    /// The value that the rule is to have; null: the file's again.
    pub value: Option<String>,
    /// Names the change: the number of its entry in the audit trail.
    pub change: u64,
    /// Who has asked for it.
    pub by: String,
    /// When.
    pub at: String,
}

/// A rule is to have this value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSetRequest {
    /// Which.
    pub name: String,
    /// The value, as the files write it, without quotes.
    pub value: String,
}

/// A rule is to be as in its file again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleUnsetRequest {
    /// Which.
    pub name: String,
}

/// What another person has asked for is approved, or rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleDecisionRequest {
    /// Which rule.
    pub name: String,
    /// The change that was seen; when it is given and another waits, the answer is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// It holds from now on.
    Holds,
    /// It waits for a second person.
    Waits,
    /// What waited is dropped.
    Dropped,
}

/// What became of a change, and how the rule stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleAnswer {
    /// What became of it.
    pub outcome: RuleOutcome,
    /// How the rule stands.
    pub rule: RuleStanding,
}
