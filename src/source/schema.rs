//! What an application's database is made of, in no dialect.

/// The tables, triggers and views of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Tables, views and virtual tables.
    pub tables: Vec<Table>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
}

/// What kind of table it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// A table that holds its rows itself.
    Ordinary,
    /// A view.
    View,
    /// A virtual table of this module (`fts5`).
    Virtual {
        /// The module.
        module: String,
        /// Whether its rows cannot be deleted one by one (an FTS index without contents).
        contentless: bool,
        /// Whether it holds its contents itself, instead of reading them from another table.
        has_own_content: bool,
        /// The table or view that it reads its contents from, and the column that numbers the rows there.
        content: Option<(String, Option<String>)>,
        /// Whether it only marks what is deleted, until it is written anew.
        deletes_by_mark: bool,
    },
    /// A table in which a virtual table keeps its data.
    Shadow,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name as the schema writes it.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// Its columns, generated ones among them.
    pub columns: Vec<TableColumn>,
    /// Columns of the primary key, in its order; empty where there is none.
    pub primary_key: Vec<String>,
    /// How a row is named for good during one transaction.
    pub row_id: Option<RowId>,
    /// What it refers to.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its UNIQUE constraints and indexes without a condition; the primary key among them.
    pub unique_keys: Vec<Vec<String>>,
    /// Columns of each index, in its order; the primary key's among them.
    pub indexes: Vec<Vec<String>>,
    /// Whether types are enforced.
    pub strict: bool,
    /// The statements that make the table and its unique indexes.
    pub definition: Vec<String>,
}

/// How a row is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowId {
    /// By a name of the hidden row number that no column hides.
    Hidden(&'static str),
    /// By these columns, none of which is ever NULL.
    Columns(Vec<String>),
}

impl RowId {
    /// The names to select, each to be quoted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Hidden(name) => vec![name],
            Self::Columns(columns) => columns.iter().map(String::as_str).collect(),
        }
    }
}

/// What a column makes of the values put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// Everything becomes text.
    Text,
    /// What looks like a number becomes one.
    Numeric,
    /// Whole numbers.
    Integer,
    /// Floating-point numbers.
    Real,
    /// Values stay as they are.
    Blob,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name as the schema writes it.
    pub name: String,
    /// The declared type, as written.
    pub declared_type: String,
    /// What it makes of values.
    pub affinity: Affinity,
    /// How its text compares, where a unique key says so and it is not byte by byte.
    pub collation: Option<String>,
    /// How its text compares, as far as its own declaration says so.
    pub declared_collation: Option<String>,
    /// The expression that the database computes it by, word by word.
    pub expression: Option<String>,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Whether the database computes it.
    pub generated: bool,
    /// Whether it is hidden (a virtual table's own).
    pub hidden: bool,
}

/// What becomes of a referring row where what it refers to is deleted and foreign keys act by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// Nothing, or the deletion is refused.
    Nothing,
    /// It is deleted too.
    Cascade,
    /// It lets go.
    SetNull,
}

/// A declared reference from one table to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub parent: String,
    /// Its columns, in the same order.
    pub parent_columns: Vec<String>,
    /// What the application means to happen with the row; erasing does not go by it.
    pub on_delete: OnDelete,
}

/// What a trigger waits for, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerEvent {
    /// Rows come.
    Insert,
    /// Rows change.
    Update,
    /// Rows go.
    Delete,
}

/// Code of the application that runs when rows change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The table or view it waits on.
    pub table: String,
    /// What it waits for.
    pub event: TriggerEvent,
    /// The columns it waits for; empty: any.
    pub update_of: Vec<String>,
    /// The tables that its statements change, and how.
    pub writes: Vec<(TriggerEvent, String)>,
    /// The statement that makes it.
    pub definition: String,
}

impl Schema {
    /// The table of this name; letters count alike in both cases, as in SQL.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// Whether an index for full-text search has to be made anew after the whole file was: it goes by row numbers that are
    /// no column.
    #[must_use]
    pub fn goes_by_hidden_numbers(&self, index: &Table) -> bool {
        let TableKind::Virtual { content: Some((content, row_id)), .. } = &index.kind else {
            return false;
        };
        let table = self.table(content).filter(|table| table.kind == TableKind::Ordinary);
        let is_column = |table: &Table| row_id.as_ref().is_some_and(|name| table.column(name).is_some());
        table.is_none_or(|table| !is_column(table) && !table.numbers_its_rows())
    }

    /// Every declared reference to the table of this name, with the table it comes from.
    pub fn references_to<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Table, &'a ForeignKey)> {
        self.tables.iter().flat_map(move |table| {
            table
                .foreign_keys
                .iter()
                .filter(move |key| key.parent.eq_ignore_ascii_case(name))
                .map(move |key| (table, key))
        })
    }
}

impl Table {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Whether an index begins with these columns, in any order.
    #[must_use]
    pub fn has_index_on(&self, columns: &[String]) -> bool {
        let integer_key = self.primary_key.len() == 1 && same_columns(&self.primary_key, columns);
        integer_key
            || self
                .indexes
                .iter()
                .any(|index| index.len() >= columns.len() && same_columns(&index[..columns.len()], columns))
    }

    /// Whether its row numbers are a column of its own, and so stay what they are when the whole file is written anew.
    #[must_use]
    pub fn numbers_its_rows(&self) -> bool {
        let is_integer = |name: &String| {
            self.column(name).is_some_and(|column| column.declared_type.eq_ignore_ascii_case("INTEGER"))
        };
        match &self.row_id {
            Some(RowId::Columns(_)) => true,
            _ => self.primary_key.len() == 1 && self.primary_key.iter().all(is_integer),
        }
    }

    /// Whether it is an index for full-text search.
    #[must_use]
    pub fn is_full_text(&self) -> bool {
        matches!(&self.kind, TableKind::Virtual { module, .. } if ["fts3", "fts4", "fts5"].contains(&module.as_str()))
    }

    /// Whether these columns together name one row at most.
    #[must_use]
    pub fn is_unique(&self, columns: &[String]) -> bool {
        self.unique_keys.iter().any(|key| !key.is_empty() && key.iter().all(|column| holds(columns, column)))
    }
}

/// Whether `columns` has `name`.
#[must_use]
pub fn holds(columns: &[String], name: &str) -> bool {
    columns.iter().any(|column| column.eq_ignore_ascii_case(name))
}

/// Whether both have the same columns, in any order.
#[must_use]
pub fn same_columns(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|column| holds(other, column))
}
