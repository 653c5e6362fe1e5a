//! A category laid over the live schema: every name resolved, every rule of the settings found to fit.
//!
//! Only `check` makes one, so whoever holds a [`Mapping`] holds settings that were checked.

use super::schema::{ForeignKey, RowId};
use crate::config::{Anonymise, Criterion, LabelTemplate, Mark, Retention, Rule};
use crate::record::{CategoryName, IdentityVersion, KeyType};

/// A category and the tables it reaches.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The category.
    pub category: CategoryName,
    /// Columns of the record's key.
    pub key: Vec<String>,
    /// What they make of digits.
    pub key_types: Vec<KeyType>,
    /// Whether the key itself tells whom a record is about.
    pub key_is_personal: bool,
    /// Columns that make it the same person. Never empty.
    pub identity: Vec<String>,
    /// Stands for these columns.
    pub identity_version: IdentityVersion,
    /// What a record is called; `None`: its key alone.
    pub label: Option<LabelTemplate>,
    /// SQL expression of the unit.
    pub unit: Option<String>,
    /// The rules by which a record becomes due, without those that are switched off.
    pub criteria: Vec<Criterion>,
    /// The application's own delete mark.
    pub mark: Option<Mark>,
    /// The category's table, then its dependents, each after its parent.
    pub nodes: Vec<Node>,
    /// Every reference, declared or set, that leads to a node's table.
    pub references: Vec<Reference>,
    /// What ties its records to those of other categories, where that is held in this source's table or beside it.
    pub ties: Vec<Tie>,
}

/// Rows that hold the keys of two records, which are the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// The other category.
    pub other: CategoryName,
    /// The table: the category's own, or one between the two.
    pub table: String,
    /// Its columns with the key of this category's record.
    pub own: Vec<String>,
    /// Its columns with the key of the other's.
    pub theirs: Vec<String>,
}

/// A table that erasing a record reaches.
#[derive(Debug, Clone)]
pub struct Node {
    /// What the settings call it.
    pub name: String,
    /// Its table, as the schema writes it.
    pub table: String,
    /// How its rows are named.
    pub row_id: RowId,
    /// Its own key, for `{key}` in templates.
    pub own_key: Vec<String>,
    /// Columns whose text does not compare byte by byte, with how it compares.
    pub collations: Vec<(String, String)>,
    /// What it hangs on; `None` for the category's own table.
    pub link: Option<NodeLink>,
    /// What becomes of its rows.
    pub fate: Fate,
    /// What the columns of rows that stay are changed to. References to be cut are not in it.
    pub changes: Vec<Change>,
    /// Declared references of which a column is replaced by a value: it must be one that exists.
    pub replaced_references: Vec<ForeignKey>,
    /// While one of its rows is within this period, the record is not due.
    pub retention: Option<Retention>,
    /// Whether a trigger of the application changes the table's rows while we change others.
    pub written_by_triggers: bool,
    /// Whether a trigger of the application adds rows to the table while we change others.
    pub grown_by_triggers: bool,
}

/// What becomes of a node's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They are the records: deleted, or anonymised while something that stays refers to them.
    Record,
    /// They follow the rule of a dependent.
    Dependent(Rule),
    /// They are records of a category, this one or another: while they stay, they keep what they refer to, and they
    /// are not changed themselves.
    OtherRecord,
}

/// How a dependent hangs on its parent.
#[derive(Debug, Clone)]
pub struct NodeLink {
    /// The parent's place in [`Mapping::nodes`].
    pub parent: usize,
    /// Which side refers to which.
    pub direction: Direction,
    /// Columns of the dependent's table.
    pub columns: Vec<String>,
    /// Columns of the parent's table, in the same order.
    pub parent_columns: Vec<String>,
    /// Whether an index of the dependent's table begins with its columns.
    pub is_indexed: bool,
}

/// Which side of a link refers to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The dependent refers to its parent.
    Child,
    /// The parent refers to the dependent, which it owns.
    Owned,
}

/// What a column is changed to.
#[derive(Debug, Clone)]
pub struct Change {
    /// The column.
    pub column: String,
    /// What its value is replaced by.
    pub anonymise: Anonymise,
}

/// A reference that leads to a node's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table that refers.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// How its rows are named.
    pub row_id: RowId,
    /// Whether an index begins with the columns.
    pub is_indexed: bool,
    /// The table referred to.
    pub parent: String,
    /// Its columns, in the same order.
    pub parent_columns: Vec<String>,
}

impl Node {
    /// How text of this column compares; `None`: byte by byte.
    #[must_use]
    pub fn collation(&self, column: &str) -> Option<&str> {
        self.collations.iter().find(|(own, _)| own == column).map(|(_, collation)| collation.as_str())
    }
}

impl Mapping {
    /// The category's own table.
    #[must_use]
    pub fn table(&self) -> &str {
        self.nodes.first().map_or("", |node| &node.table)
    }

    /// The references to records that a survey can follow, with their places: those that have no index, and that come
    /// about by the application alone, neither by its triggers nor by what we change columns to.
    pub fn surveyed(&self) -> impl Iterator<Item = (usize, &Reference)> {
        let record_is_ours_alone =
            self.nodes.first().is_some_and(|node| !node.written_by_triggers && !node.grown_by_triggers);
        self.references.iter().enumerate().filter(move |(_, reference)| {
            let mut nodes = self.nodes.iter().filter(|node| node.table == reference.table).peekable();
            let is_known = nodes.peek().is_some();
            let is_the_applications_alone = nodes.all(|node| {
                let changes_it = node.changes.iter().any(|change| reference.columns.contains(&change.column));
                !node.written_by_triggers && !node.grown_by_triggers && !changes_it
            });
            record_is_ours_alone
                && !reference.is_indexed
                && reference.parent == self.table()
                && reference.table != reference.parent
                && is_known
                && is_the_applications_alone
        })
    }

    /// The nodes that hang on this one, with their places.
    pub fn children(&self, parent: usize) -> impl Iterator<Item = (usize, &Node, &NodeLink)> {
        self.nodes.iter().enumerate().filter_map(move |(place, node)| {
            node.link.as_ref().filter(|link| link.parent == parent).map(|link| (place, node, link))
        })
    }

    /// The nodes from the category's table down to this one.
    #[must_use]
    pub fn path(&self, mut place: usize) -> Vec<usize> {
        let mut path = vec![place];
        while let Some(link) = self.nodes.get(place).and_then(|node| node.link.as_ref()) {
            place = link.parent;
            path.push(place);
        }
        path.reverse();
        path
    }
}
