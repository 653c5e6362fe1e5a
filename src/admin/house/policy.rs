//! The rules in force.

use crate::api::{CategoryPolicy, CriterionPolicy, DependentPolicy, Policy};
use crate::desk::Rules;

/// The rules in words of the socket.
pub(super) fn policy(rules: Vec<Rules>) -> Policy {
    Policy { categories: rules.into_iter().map(category).collect() }
}

fn category(rules: Rules) -> CategoryPolicy {
    let criteria = rules.criteria.into_iter();
    let dependents = rules.dependents.into_iter();
    CategoryPolicy {
        category: rules.category.to_string(),
        source: rules.source.to_string(),
        table: rules.table,
        criteria: criteria.map(|c| CriterionPolicy { name: c.name, words: c.words, reason: c.reason }).collect(),
        erasure: rules.erasure,
        dependents: dependents.map(|d| DependentPolicy { table: d.table, words: d.words }).collect(),
        problem: rules.problem,
    }
}
