//! The rules in force, in words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rules in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// The categories that the asker may see.
    pub categories: Vec<CategoryPolicy>,
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
}

/// What happens to the rows of one other table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependentPolicy {
    /// The table.
    pub table: String,
    /// What happens to its rows, in words.
    pub words: String,
}
