//! Which proposals somebody asks for, as conditions of a query.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::veil::Veil;
use super::{StoreError, rows, scope};
use crate::actor::Scope;
use crate::proposal::{StateName, UnknownWord};
use crate::record::CategoryName;

/// Which proposals to list, to count, or to decide about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalFilter {
    /// Of this category alone.
    pub category: Option<CategoryName>,
    /// Proposed under this criterion alone.
    pub criterion: Option<String>,
    /// In one of these states; empty: in any.
    pub states: Vec<StateName>,
    /// Of this unit alone.
    pub unit: Option<String>,
    /// Proposed before this instant.
    pub proposed_before: Option<Timestamp>,
    /// Due since this day or a later one; what has no such day is left out.
    pub due_from: Option<Date>,
    /// Due since this day or an earlier one; what has no such day is left out.
    pub due_to: Option<Date>,
    /// Last decided about by the user of this login name.
    pub decided_by: Option<String>,
    /// Within this.
    pub scope: Scope,
}

/// In which order proposals are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListSort {
    /// By category and key.
    #[default]
    Record,
    /// By the day since when they are due; what has none comes behind those that have one.
    Due,
    /// In the order in which they were proposed: what has waited longest comes first.
    Proposed,
}

impl ListSort {
    /// Every order there is.
    pub const ALL: [Self; 3] = [Self::Record, Self::Due, Self::Proposed];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Due => "due",
            Self::Proposed => "proposed",
        }
    }
}

/// An order, and whether it is turned round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListOrder {
    /// By what.
    pub sort: ListSort,
    /// Whether the last comes first.
    pub descending: bool,
}

impl fmt::Display for ListOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.sort.as_str())
    }
}

impl FromStr for ListOrder {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
        let sort = ListSort::ALL.into_iter().find(|sort| sort.as_str() == word);
        sort.map(|sort| Self { sort, descending }).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl ProposalFilter {
    /// Everything that is open.
    #[must_use]
    pub fn open() -> Self {
        let states = StateName::ALL.into_iter().filter(|state| state.is_open()).collect();
        Self { states, ..Self::everything() }
    }

    /// Everything there is and was.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            category: None,
            criterion: None,
            states: Vec::new(),
            unit: None,
            proposed_before: None,
            due_from: None,
            due_to: None,
            decided_by: None,
            scope: Scope::everything(),
        }
    }

    /// The states that are asked for, of those that are open or of those that are closed.
    pub(super) fn states_of(&self, open: bool) -> Vec<StateName> {
        let asked = |state: &StateName| self.states.is_empty() || self.states.contains(state);
        StateName::ALL.into_iter().filter(|state| state.is_open() == open && asked(state)).collect()
    }

    /// The categories that are asked for and of which something is within the scope; `None`: all.
    pub(super) fn categories(&self) -> Option<BTreeSet<&str>> {
        if let Some(category) = &self.category {
            return Some(self.scope.sees(category).then(|| category.as_str()).into_iter().collect());
        }
        let limits: Option<Vec<_>> = self.scope.reaches.iter().map(|reach| reach.categories.as_ref()).collect();
        let reached = limits?.into_iter().flatten().map(CategoryName::as_str);
        let given = self.scope.records.iter().map(|single| single.record.category.as_str());
        Some(reached.chain(given).collect())
    }

    /// Whether the sums that are kept know all that is asked for but the scope.
    pub(super) fn is_summed(&self) -> bool {
        let Self { proposed_before, due_from, due_to, decided_by, .. } = self;
        proposed_before.is_none() && due_from.is_none() && due_to.is_none() && decided_by.is_none()
    }

    /// What the sums know of a proposal: its category, criterion, unit and state. `of` is the row that has them.
    pub(super) fn summed(&self, of: &str, values: &mut Values) -> Vec<String> {
        let mut conditions = Vec::new();
        if !self.states.is_empty() {
            // Words of the daemon's own: as constants they are compared soonest.
            let states: Vec<_> = self.states.iter().map(|state| format!("'{}'", state.as_str())).collect();
            conditions.push(format!("+{of}.state IN ({})", states.join(", ")));
        }
        if let Some(criterion) = &self.criterion {
            conditions.push(format!("{of}.criterion = {}", values.text(criterion)));
        }
        if let Some(unit) = &self.unit {
            conditions.push(format!("{of}.unit = {}", values.text(unit)));
        }
        if let Some(category) = &self.category {
            conditions.push(format!("+{of}.category = {}", values.text(category.as_str())));
        }
        conditions
    }

    /// All that is asked for of a proposal `p` but the scope.
    pub(super) fn asked(&self, values: &mut Values) -> Vec<String> {
        let mut conditions = self.summed("p", values);
        if let Some(before) = self.proposed_before {
            conditions.push(format!("p.proposed_at < {}", values.text(rows::instant(before))));
        }
        if let Some(from) = self.due_from {
            conditions.push(format!("p.due_on >= {}", values.text(from.to_string())));
        }
        if let Some(to) = self.due_to {
            conditions.push(format!("p.due_on <= {}", values.text(to.to_string())));
        }
        if let Some(user) = &self.decided_by {
            conditions.push(format!("p.decided_by = {}", values.text(user)));
        }
        conditions
    }

    /// All that is asked for of a proposal `p`, as one condition.
    pub(super) fn condition(&self, veil: &Veil, values: &mut Values) -> Result<String, StoreError> {
        let mut conditions = self.asked(values);
        conditions.extend(scope::condition(&self.scope, veil, values)?);
        Ok(all_of(&conditions))
    }
}

/// That all of the conditions hold.
pub(super) fn all_of(conditions: &[String]) -> String {
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

/// The values of a statement that is put together, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<Value>);

#[derive(Debug)]
enum Value {
    Text(String),
    Number(i64),
}

impl Values {
    /// Adds a text; gives what stands for it in the statement.
    pub(super) fn text(&mut self, text: impl Into<String>) -> String {
        self.add(Value::Text(text.into()))
    }

    /// Adds a number; gives what stands for it in the statement.
    pub(super) fn number(&mut self, number: i64) -> String {
        self.add(Value::Number(number))
    }

    /// Adds what `json_each` reads; gives what stands for it in the statement.
    pub(super) fn json(&mut self, values: &impl Serialize) -> Result<String, StoreError> {
        Ok(self.text(rows::json(values)?))
    }

    fn add(&mut self, value: Value) -> String {
        self.0.push(value);
        format!("?{}", self.0.len())
    }

    /// The statement with its values. What is put together for one question is not kept.
    pub(super) fn query(self, sql: String) -> rows::Query<'static> {
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        self.0.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }
}
