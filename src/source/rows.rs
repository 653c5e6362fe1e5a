//! What is read from a source and what is planned there.

use std::fmt;

use crate::record::{KeyError, RecordKey, Value};

/// A record as it stands in its table. It holds personal values, so its `Debug` shows the key alone.
#[derive(Clone)]
pub struct Row {
    /// Its key.
    pub key: Result<RecordKey, KeyProblem>,
    /// The values of the identity columns.
    pub identity: Vec<Value>,
    /// The unit it belongs to.
    pub unit: Option<String>,
    /// Whether the application has marked it.
    pub is_marked: bool,
    /// What each criterion finds, in the order of the settings.
    pub criteria: Vec<Finding>,
}

/// What one criterion finds in one record.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Whether the condition holds; true where there is none.
    pub holds: bool,
    /// The raw start date; NULL where the criterion has none.
    pub since: Value,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({:?})", self.key)
    }
}

/// Why a row cannot be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProblem {
    /// A part of the key is NULL.
    Null,
    /// A part is a fraction, or text that is not UTF-8 or has a NUL in it.
    Unusable,
    /// A part could not be told from another row's.
    Unclear(KeyError),
}

/// Where a scan goes on.
#[derive(Clone, PartialEq)]
pub struct Cursor(pub(super) Vec<Value>);

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor")
    }
}

/// What has come of a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surveyed {
    /// It holds until somebody else changes the source.
    Holds,
    /// Somebody has changed the source meanwhile.
    Disturbed,
    /// Too many rows refer to these records to be remembered.
    TooMany,
}

/// A stretch of a category's table.
#[derive(Debug)]
pub struct Page {
    /// The rows of the stretch that may be due, or whose dates cannot be read.
    pub rows: Vec<Row>,
    /// Rows in the stretch.
    pub scanned: u64,
    /// Where the next stretch begins; `None` at the table's end.
    pub next: Option<Cursor>,
}

/// A dependent's row with a period of its own.
#[derive(Debug, Clone)]
pub struct Retained {
    /// Which of the records asked for, by position.
    pub record: usize,
    /// The dependent's place among the mapping's nodes.
    pub node: usize,
    /// The raw start date.
    pub since: Value,
}

/// What a clerk knows a record by. It is personal: it can be shown to somebody entitled, and neither printed nor stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Label(pub(super) String);

impl Label {
    /// The text, for somebody entitled to see it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Label(hidden)")
    }
}

/// What erasing a record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The row goes.
    Delete,
    /// The row stays without personal values.
    Anonymise,
}

/// What is planned for the records of a batch.
#[derive(Debug, Clone, Default)]
pub struct Staged {
    /// Each record that was found, in the order of the keys asked for.
    pub records: Vec<StagedRecord>,
}

impl Staged {
    /// Whether it is of these records, in this order, and of no others.
    #[must_use]
    pub fn is_of<'k>(&self, keys: impl IntoIterator<Item = &'k RecordKey>) -> bool {
        self.records.iter().map(|record| &record.key).eq(keys)
    }
}

/// What is planned for one record.
#[derive(Clone)]
pub struct StagedRecord {
    /// Its key.
    pub key: RecordKey,
    /// What happens to its row.
    pub outcome: Outcome,
    /// What happens to rows of each dependent that has any, with its place among the mapping's nodes.
    pub dependents: Vec<DependentCount>,
    /// The identity values after anonymising; `None` where the row goes.
    pub identity_after: Option<Vec<Value>>,
}

impl fmt::Debug for StagedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StagedRecord({}, {:?}, {:?})", self.key, self.outcome, self.dependents)
    }
}

/// Rows of one dependent and what happens to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DependentCount {
    /// The dependent's place among the mapping's nodes.
    pub node: usize,
    /// Rows that go.
    pub deleted: u64,
    /// Rows that stay and are changed.
    pub changed: u64,
    /// Rows that stay as they are: there is nothing to change in them, or they are records themselves.
    pub left: u64,
    /// Rows that stay as they are because something else refers to them.
    pub shared: u64,
}

/// What a batch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows deleted, the records' own among them.
    pub deleted: u64,
    /// Rows changed.
    pub changed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_of_the_records_that_were_asked_for_and_of_no_others() {
        let keys = |texts: &[&str]| texts.iter().map(|text| RecordKey::from_text(text)).collect::<Vec<_>>();
        let record = |key| StagedRecord { key, outcome: Outcome::Delete, dependents: Vec::new(), identity_after: None };
        let staged = Staged { records: keys(&["1", "2", "3"]).into_iter().map(record).collect() };
        assert!(staged.is_of(&keys(&["1", "2", "3"])));
        for other in [&["1", "2"][..], &["1", "2", "3", "4"], &["1", "2", "4"], &["1", "3", "2"], &[]] {
            assert!(!staged.is_of(&keys(other)), "{other:?}");
        }
        assert!(Staged::default().is_of(&[]));
    }
}
