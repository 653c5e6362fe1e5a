//! A schema, its rows and the rules over them, as plain values.

use erasured::config::Rule;
use jiff::civil::Date;

/// A value as SQLite holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

impl Cell {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// Whether both are the same where letters count alike in both cases, if they do.
    pub fn is_same(&self, other: &Self, nocase: bool) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) if nocase => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        }
    }

    /// As dumps show it.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Integer(integer) => integer.to_string(),
            Self::Text(text) => format!("'{text}'"),
        }
    }

    /// As SQL writes it.
    pub fn sql(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            // The least integer cannot be written: its digits alone are too many.
            Self::Integer(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
            Self::Integer(integer) => integer.to_string(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
        }
    }
}

/// How the rows of a table are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `INTEGER PRIMARY KEY`.
    RowNumber,
    /// `TEXT PRIMARY KEY`, which may be NULL in a table with row numbers.
    Text,
    /// Text and number.
    Pair,
    /// `INT PRIMARY KEY`, which is no row number.
    Int,
    /// No primary key: a UNIQUE column.
    Unique,
    /// A column without a type, with numbers and text in it.
    Untyped,
    /// The reference to the parent, and a number.
    BelowParent,
}

/// What a column is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Key,
    /// A reference, or a part of one.
    Reference,
    /// Personal: replaced where the row stays and is scrubbed.
    Personal(Replacement),
    /// The date that periods run from.
    Since,
    /// A small number that conditions ask for.
    Status,
    /// Nothing of interest.
    Plain,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replacement {
    Null,
    Value(Cell),
    /// `erased-{key}`.
    Template,
    /// `truncate = "year"`.
    Year,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// As it is declared: `TEXT`, `INTEGER` or nothing.
    pub declared: &'static str,
    pub not_null: bool,
    pub unique: bool,
    /// Whether its text compares without regard to case.
    pub nocase: bool,
    pub role: Role,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub kind: KeyKind,
    pub without_row_id: bool,
    pub columns: Vec<Column>,
    /// Places of the key's columns.
    pub key: Vec<usize>,
    /// The other category whose records its rows are.
    pub is_other_category: bool,
}

/// Columns of one table that refer to another's key.
#[derive(Debug, Clone)]
pub struct Reference {
    pub table: usize,
    pub columns: Vec<usize>,
    pub parent: usize,
    pub declared: bool,
    pub indexed: bool,
    /// What the application's schema wants to happen by itself.
    pub action: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The dependent refers to its parent.
    Child,
    /// The parent refers to the dependent.
    Owned,
}

#[derive(Debug, Clone, Copy)]
pub struct Retention {
    pub years: i32,
    pub year_end: bool,
}

/// A dependent; the first node stands for the records and has no meaningful link.
#[derive(Debug, Clone)]
pub struct Node {
    pub table: usize,
    pub parent: usize,
    pub depth: usize,
    pub side: Side,
    /// Its place among [`World::references`].
    pub reference: usize,
    pub rule: Rule,
    /// Whether rows that stay lose their personal values.
    pub scrubs: bool,
    pub retention: Option<Retention>,
}

#[derive(Debug, Clone)]
pub struct Criterion {
    pub years: Option<i32>,
    pub year_end: bool,
    /// The least status that a record must have.
    pub status: Option<i64>,
    /// Whether the SQL names the column in quotes, where a bare name would do.
    pub quoted: bool,
}

#[derive(Debug, Clone)]
pub struct World {
    pub tables: Vec<Table>,
    pub references: Vec<Reference>,
    pub nodes: Vec<Node>,
    pub criteria: Vec<Criterion>,
    /// Columns of the records' table.
    pub identity: Vec<usize>,
    /// A record that triggers of the application neither let go nor change.
    pub stubborn: Option<usize>,
    /// Whether the triggers silently undo what was done, rather than refuse it.
    pub undoes: bool,
    pub wal: bool,
}

/// Rows by table; one that has gone leaves its place empty.
pub type Rows = Vec<Vec<Option<Vec<Cell>>>>;

impl Table {
    /// The place of the first column of a role.
    pub fn column(&self, role: &Role) -> Option<usize> {
        self.columns.iter().position(|column| column.role == *role)
    }

    pub fn names(&self, columns: &[usize]) -> Vec<String> {
        columns.iter().map(|column| self.columns[*column].name.clone()).collect()
    }
}

impl World {
    /// Whether the node's rows are records of a category themselves.
    pub fn are_records(&self, node: &Node) -> bool {
        node.table == 0 || self.tables[node.table].is_other_category
    }
}

/// What stands in date columns, with the day that it is in Vienna: written down by hand, not worked out.
pub const DATES: [(Option<&str>, Option<&str>); 16] = [
    (Some("2015-03-01"), Some("2015-03-01")),
    (Some("2023-11-19"), Some("2023-11-19")),
    (Some("2023-11-20"), Some("2023-11-20")),
    (Some("2023-11-21"), Some("2023-11-21")),
    (Some("2020-02-29"), Some("2020-02-29")),
    (Some("2022-12-31"), Some("2022-12-31")),
    (Some("2023-01-01"), Some("2023-01-01")),
    (Some("2026-11-21"), Some("2026-11-21")),
    (Some("2031-01-01"), Some("2031-01-01")),
    (Some("2019-05-05 23:59:59.123"), Some("2019-05-05")),
    (Some("2022-12-31T23:30:00Z"), Some("2023-01-01")),
    (None, None),
    (Some(""), None),
    (Some("0000-00-00"), None),
    (Some("2023-02-30"), None),
    (Some("unknown"), None),
];

/// The day that a date column's value names.
pub fn day(value: &Cell) -> Option<Date> {
    let Cell::Text(text) = value else { return None };
    let (_, day) = DATES.iter().find(|(written, _)| *written == Some(text.as_str()))?;
    day.and_then(|day| day.parse().ok())
}
