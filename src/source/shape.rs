//! What a category relies on in a schema, as it was when somebody last looked, and what has changed since.
//!
//! Whether everything is classified is for [`check`](super::check) to say, from the schema as it is now. It cannot see that
//! a type, a view's text or a trigger's body is another one than before: that takes something to compare with. May be
//! relied on: what is new is no difference here, and neither is what the settings no longer rely on.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::schema::{Schema, TableColumn};
use crate::record::hex;

/// How much of a digest is kept: 128 bits.
const DIGEST_BYTES: usize = 16;

/// Tables, views and triggers by name, each in what matters of it. Of what the application has written into its schema only
/// digests are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The tables that a record reaches, whole, and of those that its SQL reads the columns that it names.
    pub(super) tables: BTreeMap<String, BTreeMap<String, Column>>,
    /// The views that its SQL reads, directly or through others, with digests of their texts.
    pub(super) views: BTreeMap<String, String>,
    /// The triggers that its file names, with digests of their texts.
    pub(super) triggers: BTreeMap<String, String>,
    /// The key of its table, where the file leaves it to the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Key>,
    /// The references of its dependents that the file leaves to the schema to lead somewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<Reference>,
}

/// What names the records of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

/// Where a reference leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reference {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) parent: String,
    pub(super) parent_columns: Vec<String>,
}

/// What matters of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    #[serde(rename = "type")]
    declared_type: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_null: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collation: Option<String>,
    /// Stands for the expression that computes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    computed: Option<String>,
}

impl Column {
    pub(super) fn of(column: &TableColumn) -> Self {
        Self {
            declared_type: column.declared_type.to_uppercase(),
            not_null: column.not_null,
            collation: column.declared_collation.as_ref().map(|name| name.to_uppercase()),
            computed: column.expression.as_deref().map(digest),
        }
    }
}

/// Stands for a text of the schema.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..DIGEST_BYTES])
}

/// What stands under a name; letters count alike in both cases, as in SQL.
fn under<'m, T>(map: &'m BTreeMap<String, T>, name: &str) -> Option<&'m T> {
    map.get(name).or_else(|| map.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// As JSON, which is what is kept of it.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Maps with text for names and texts for values cannot fail to become JSON.
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl Shape {
    /// Stands for the change from this shape to the one that it is `now`.
    #[must_use]
    pub fn change_digest(&self, now: &Self) -> String {
        digest(&format!("{self}\0{now}"))
    }

    /// What has changed from this shape to the one that it is `now`, in sentences. What is new is none of it; nor is what
    /// the settings no longer rely on, which is in the schema or not.
    #[must_use]
    pub fn differences(&self, now: &Self, schema: &Schema) -> Vec<String> {
        let mut found = Vec::new();
        for (table, columns) in &self.tables {
            if under(&now.views, table).is_some() {
                found.push(format!("{table} was a table and is a view"));
                continue;
            }
            let Some(now) = under(&now.tables, table) else { continue };
            for (name, column) in columns {
                match under(now, name) {
                    Some(now) => column_differences(table, name, column, now, &mut found),
                    None if schema.table(table).is_some_and(|table| table.column(name).is_some()) => {}
                    None => found.push(format!("the column {name} of {table} is gone")),
                }
            }
        }
        for (view, text) in &self.views {
            match under(&now.views, view) {
                Some(now) if now != text => found.push(format!("the view {view} does not read what it did")),
                None if under(&now.tables, view).is_some() => found.push(format!("{view} was a view and is a table")),
                Some(_) | None => {}
            }
        }
        for (trigger, text) in &self.triggers {
            if under(&now.triggers, trigger).is_some_and(|now| now != text) {
                found.push(format!("the trigger {trigger} does not do what it did"));
            }
        }
        self.key_difference(now, &mut found);
        self.reference_differences(now, schema, &mut found);
        found
    }

    /// Another key means other rows by the same names.
    fn key_difference(&self, now: &Self, found: &mut Vec<String>) {
        let (Some(then), Some(now)) = (&self.key, &now.key) else { return };
        if is_same(&now.table, &then.table) && !are_same(&now.columns, &then.columns) {
            let (table, prior, new) = (&now.table, then.columns.join(", "), now.columns.join(", "));
            let value = format!("{:?}", then.columns);
            found.push(format!("the key of {table} was {prior} and is {new}; with key = {value} it stays the same"));
        }
    }

    /// A reference that leads elsewhere brings other rows to a record.
    fn reference_differences(&self, now: &Self, schema: &Schema, found: &mut Vec<String>) {
        for then in &self.references {
            let leads_elsewhere = |now: &&Reference| {
                is_same(&now.table, &then.table)
                    && are_same(&now.columns, &then.columns)
                    && is_same(&now.parent, &then.parent)
                    && !are_same(&now.parent_columns, &then.parent_columns)
            };
            let Some(now) = now.references.iter().find(leads_elsewhere) else { continue };
            let (name, table, parent) = (now.columns.join(", "), &now.table, &now.parent);
            let (prior, new) = (then.parent_columns.join(", "), now.parent_columns.join(", "));
            let moved = format!("{name} of {table} referred to {prior} of {parent} and refers to {new}");
            let declared = schema.table(table).into_iter().flat_map(|table| &table.foreign_keys);
            // What the schema declares is not for the file to say otherwise.
            let is_declared = declared.into_iter().any(|key| are_same(&key.columns, &now.columns));
            let value = format!("{:?}", then.parent_columns);
            found.push(if is_declared {
                moved
            } else {
                format!("{moved}; with references = {value} it stays the same")
            });
        }
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn are_same(ones: &[String], others: &[String]) -> bool {
    ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| is_same(one, other))
}

fn column_differences(table: &str, name: &str, then: &Column, now: &Column, found: &mut Vec<String>) {
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    if then.declared_type != now.declared_type {
        let (then, now) = (or_none(&then.declared_type), or_none(&now.declared_type));
        found.push(format!("the type of {name} of {table} was {then} and is {now}"));
    }
    if then.collation != now.collation {
        let of = |column: &Column| column.collation.clone().unwrap_or_else(|| "BINARY".to_owned());
        found.push(format!("the collation of {name} of {table} was {} and is {}", of(then), of(now)));
    }
    match (then.not_null, now.not_null) {
        (true, false) => found.push(format!("{name} of {table} refused NULL and takes it")),
        (false, true) => found.push(format!("{name} of {table} took NULL and refuses it")),
        (true, true) | (false, false) => {}
    }
    if then.computed != now.computed {
        found.push(match (&then.computed, &now.computed) {
            (Some(_), Some(_)) => format!("{name} of {table} is computed by another expression"),
            (Some(_), None) => format!("{name} of {table} was computed and is not"),
            (None, _) => format!("{name} of {table} was not computed and is"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(json: &str) -> Shape {
        serde_json::from_str(json).unwrap()
    }

    fn differences(then: &str, now: &str) -> Vec<String> {
        shape(then).differences(&shape(now), &Schema::default())
    }

    #[test]
    fn every_change_is_told_by_name() {
        let then = r#"{"tables":{"t":{"a":{"type":"TEXT"},"b":{"type":"","not_null":true},"c":{"type":"","computed":"1"},"d":{"type":""}},
                      "v":{}},"views":{"w":"1","x":"1"},"triggers":{"y":"1"}}"#;
        let now = r#"{"tables":{"T":{"A":{"type":"INTEGER","collation":"NOCASE"},"b":{"type":"","computed":"2"},"c":{"type":"","computed":"2"}},
                     "x":{}},"views":{"v":"1","w":"2"},"triggers":{"y":"2"}}"#;
        assert_eq!(
            differences(then, now),
            [
                "the type of a of t was TEXT and is INTEGER",
                "the collation of a of t was BINARY and is NOCASE",
                "b of t refused NULL and takes it",
                "b of t was not computed and is",
                "c of t is computed by another expression",
                "the column d of t is gone",
                "v was a table and is a view",
                "the view w does not read what it did",
                "x was a view and is a table",
                "the trigger y does not do what it did",
            ]
        );
        assert_eq!(differences(then, then), [""; 0]);
    }

    #[test]
    fn what_is_new_or_no_longer_relied_on_is_no_difference() {
        let one = r#"{"tables":{"t":{"a":{"type":"TEXT"}}},"views":{},"triggers":{}}"#;
        let more = r#"{"tables":{"t":{"a":{"type":"TEXT"},"b":{"type":"TEXT"}},"u":{}},"views":{"v":"1"},"triggers":{"y":"1"}}"#;
        assert_eq!(differences(one, more), [""; 0]);
        let nothing = r#"{"tables":{},"views":{},"triggers":{}}"#;
        assert_eq!(differences(more, nothing), [""; 0]);
    }
}
