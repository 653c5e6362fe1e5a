//! Changes and deletes what was laid out, by statements over whole batches, and verifies it before anything is committed.

use sqlx::sqlite::SqliteConnection;

use super::anonymise;
use super::connection::{self, count, fetch, value};
use super::stage::{Layout, fate};
use super::text::{qualified, quote, refers_to_one_of};
use crate::config::Rule;
use crate::source::SourceError;
use crate::source::error::{is_about_a_row, is_constraint};
use crate::source::mapping::{Direction, Fate, Mapping, Node};
use crate::source::rows::Applied;

const VERIFYING: &str = "verify a batch";

/// Applies a batch that was laid out on this connection, and verifies it.
pub(super) async fn apply(connection: &mut SqliteConnection, layout: Layout<'_>) -> Result<Applied, SourceError> {
    let mapping = layout.mapping;
    let layout = layout.as_surveyed(connection).await?;
    let mut batch = Batch { connection, mapping, layout, applied: Applied::default() };
    let grown = batch.growing().await?;
    for place in 0..mapping.nodes.len() {
        batch.cut_owned(place).await?;
        batch.change(place).await?;
    }
    for place in batch.deletion_order() {
        batch.delete(place).await?;
    }
    // What the application's triggers have written meanwhile holds what was just removed.
    for (place, node) in mapping.nodes.iter().enumerate().filter(|(_, node)| node.written_by_triggers) {
        batch.sweep(place, node).await?;
    }
    batch.verify_not_grown(grown).await?;
    batch.verify().await?;
    Ok(batch.applied)
}

pub(super) struct Batch<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    pub(super) mapping: &'c Mapping,
    pub(super) layout: Layout<'c>,
    applied: Applied,
}

impl Batch<'_> {
    /// Children before what they refer to, then the records, then what the records and their dependents owned.
    fn deletion_order(&self) -> Vec<usize> {
        let of = |wanted: Direction| {
            move |(place, node): (usize, &Node)| {
                node.link.as_ref().filter(|link| link.direction == wanted).map(|_| place)
            }
        };
        let nodes = || self.mapping.nodes.iter().enumerate();
        let mut order: Vec<usize> = nodes().filter_map(of(Direction::Child)).collect();
        order.reverse();
        order.push(0);
        order.extend(nodes().filter_map(of(Direction::Owned)));
        order
    }

    async fn run(&mut self, doing: &'static str, table: &str, sql: String) -> Result<u64, SourceError> {
        match connection::run(self.connection, doing, sqlx::query(sqlx::AssertSqlSafe(sql))).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) if is_about_a_row(&error) => {
                Err(SourceError::Refused { doing, table: table.to_owned(), message: self.message(&error).await? })
            }
            Err(error) => Err(SourceError::query(doing, error)),
        }
    }

    /// The database's message, unless it could hold values of the row: one that a trigger has put together, or that a
    /// function has about its arguments.
    async fn message(&mut self, cause: &sqlx::Error) -> Result<String, SourceError> {
        /// What the functions of SQLite say of a row, without saying what is in it.
        const FIXED_MESSAGES: [&str; 4] =
            ["malformed JSON", "integer overflow", "datatype mismatch", "string or blob too big"];
        /// Extended result code CONSTRAINT_TRIGGER.
        const CONSTRAINT_TRIGGER: &str = "1811";
        let Some(error) = cause.as_database_error() else {
            return Ok("a constraint failed".to_owned());
        };
        let message = error.message().to_owned();
        let is_known = FIXED_MESSAGES.contains(&message.as_str());
        if is_known || (is_constraint(cause) && error.code().is_none_or(|code| code != CONSTRAINT_TRIGGER)) {
            return Ok(message);
        }
        let sql =
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND instr(sql, replace(?1, '''', '''''')) > 0";
        let bindings = vec![crate::record::Value::text(&message)];
        let found = fetch(self.connection, "read the schema", sql.to_owned(), bindings).await?;
        let is_fixed_text = found.first().map(|row| count(row, 0)).transpose()?.unwrap_or(0) > 0;
        Ok(if is_fixed_text {
            message
        } else {
            "code of the application failed on it, for a reason not shown here".to_owned()
        })
    }

    pub(super) async fn count(&mut self, sql: String) -> Result<u64, SourceError> {
        let found = fetch(self.connection, VERIFYING, sql, Vec::new()).await?;
        found.first().map_or(Ok(0), |row| count(row, 0))
    }

    async fn run_planned(
        &mut self,
        doing: &'static str,
        node: &Node,
        sql: String,
        rows: &str,
    ) -> Result<u64, SourceError> {
        let planned = self.count(format!("SELECT count(*) FROM (SELECT DISTINCT * FROM ({rows}))")).await?;
        if planned == 0 {
            return Ok(0);
        }
        let changed = self.run(doing, &node.table, sql).await?;
        if changed == planned {
            Ok(changed)
        } else {
            Err(SourceError::Miscounted { doing, table: node.table.clone(), planned, changed })
        }
    }

    /// Cuts the references of rows that stay to rows that they own and that go.
    async fn cut_owned(&mut self, place: usize) -> Result<(), SourceError> {
        let Some(parent) = self.mapping.nodes.get(place) else {
            return Ok(());
        };
        for cut in self.layout.cuts(place, &parent.table) {
            let rows = in_rows(parent, &Layout::rows(place, parent, &[fate::STAYS]));
            let sql = format!("UPDATE {} SET {} WHERE {rows} AND {}", quote(&parent.table), cut.set, cut.condition);
            self.run("cut references of", &parent.table, sql).await?;
        }
        Ok(())
    }

    /// Changes the rows of a node that stay.
    async fn change(&mut self, place: usize) -> Result<(), SourceError> {
        let Some(node) = self.mapping.nodes.get(place) else {
            return Ok(());
        };
        let assignments = assignments(node);
        if assignments.is_empty() {
            return Ok(());
        }
        let rows = Layout::rows(place, node, &[fate::STAYS]);
        let sql = format!("UPDATE {} SET {} WHERE {}", quote(&node.table), set(&assignments), in_rows(node, &rows));
        self.applied.changed += self.run_planned("change", node, sql, &rows).await?;
        Ok(())
    }

    /// Deletes the rows of a node that go.
    async fn delete(&mut self, place: usize) -> Result<(), SourceError> {
        let Some(node) = self.mapping.nodes.get(place) else {
            return Ok(());
        };
        let rows = Layout::rows(place, node, &[fate::GOES]);
        let sql = format!("DELETE FROM {} WHERE {}", quote(&node.table), in_rows(node, &rows));
        self.applied.deleted += self.run_planned("delete from", node, sql, &rows).await?;
        Ok(())
    }

    /// Deals once more with a table into which triggers write, by the values that refer to the batch's rows.
    async fn sweep(&mut self, place: usize, node: &Node) -> Result<(), SourceError> {
        let Some((_, link, parent)) = self.layout.linked(place) else {
            return Ok(());
        };
        let Fate::Dependent(rule) = node.fate else {
            return Ok(());
        };
        if link.direction == Direction::Owned {
            return Ok(());
        }
        let columns: Vec<String> = link.columns.iter().map(|column| quote(column)).collect();
        let stored = self.layout.stored(parent, &link.parent_columns).join(", ");
        let query = format!("SELECT {stored} FROM {} WHERE fate <> {}", Layout::table(link.parent), fate::SHARED);
        let collations: Vec<Option<&str>> = link.parent_columns.iter().map(|column| parent.collation(column)).collect();
        let referring = refers_to_one_of(&columns, &query, &collations);
        let assignments = assignments(node);
        let table = quote(&node.table);
        match rule {
            Rule::Delete => {
                let sql = format!("DELETE FROM {table} WHERE {referring}");
                self.applied.deleted += self.run("delete from", &node.table, sql).await?;
            }
            Rule::Keep | Rule::Unlink if !assignments.is_empty() => {
                let sql = format!("UPDATE {table} SET {} WHERE {referring}", set(&assignments));
                self.applied.changed += self.run("change", &node.table, sql).await?;
            }
            Rule::Keep | Rule::Unlink => {}
        }
        Ok(())
    }
}

/// The columns of a node's rows that stay, quoted, with the expressions they are set to.
pub(super) fn assignments(node: &Node) -> Vec<(String, String)> {
    if node.fate == Fate::OtherRecord {
        return Vec::new();
    }
    let mut found: Vec<(String, String)> = Vec::new();
    if let (Fate::Dependent(Rule::Unlink), Some(link)) = (node.fate, &node.link)
        && link.direction == Direction::Child
    {
        found.extend(link.columns.iter().map(|column| (quote(column), "NULL".to_owned())));
    }
    for change in &node.changes {
        found.push((quote(&change.column), anonymise::expression(node, change, &node.table)));
    }
    found
}

pub(super) fn set(assignments: &[(String, String)]) -> String {
    let parts: Vec<String> =
        assignments.iter().map(|(column, expression)| format!("{column} = {expression}")).collect();
    parts.join(", ")
}

/// SQL: the row is one of `rows`.
pub(super) fn in_rows(node: &Node, rows: &str) -> String {
    in_rows_as(node, &node.table, rows)
}

pub(super) fn in_rows_as(node: &Node, alias: &str, rows: &str) -> String {
    let row_id: Vec<String> = node.row_id.names().into_iter().map(|name| qualified(alias, name)).collect();
    format!("({}) IN ({rows})", row_id.join(", "))
}

const READING_MARKER: &str = "read the commit marker";

/// The batch that the marker carries for this installation; `None` when it carries none.
pub(super) async fn marker(
    connection: &mut SqliteConnection,
    installation: &str,
) -> Result<Option<String>, SourceError> {
    if !has_marker(connection).await? {
        return Ok(None);
    }
    let sql = "SELECT batch FROM erasured_commit WHERE installation = ?1".to_owned();
    let found = fetch(connection, READING_MARKER, sql, vec![crate::record::Value::text(installation)]).await?;
    let batch = found.first().map(|row| value(row, 0)).transpose()?;
    Ok(batch.and_then(|batch| batch.as_str().map(str::to_owned)))
}

async fn has_marker(connection: &mut SqliteConnection) -> Result<bool, SourceError> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'erasured_commit'".to_owned();
    Ok(!fetch(connection, READING_MARKER, exists, Vec::new()).await?.is_empty())
}

/// How many installations but this one the marker knows.
pub(super) async fn other_installations(
    connection: &mut SqliteConnection,
    installation: &str,
) -> Result<u64, SourceError> {
    if !has_marker(connection).await? {
        return Ok(0);
    }
    let sql = "SELECT count(*) FROM erasured_commit WHERE installation <> ?1".to_owned();
    let found = fetch(connection, READING_MARKER, sql, vec![crate::record::Value::text(installation)]).await?;
    found.first().map_or(Ok(0), |row| count(row, 0))
}

/// Writes the batch's id to the marker, inside the batch's own transaction.
pub(super) async fn mark(
    connection: &mut SqliteConnection,
    installation: &str,
    batch: &str,
) -> Result<(), SourceError> {
    let doing = "write the commit marker";
    let make = "CREATE TABLE IF NOT EXISTS erasured_commit \
                (installation TEXT NOT NULL PRIMARY KEY, batch TEXT NOT NULL) WITHOUT ROWID"
        .to_owned();
    connection::execute(connection, doing, make, Vec::new()).await?;
    let write = "INSERT INTO erasured_commit (installation, batch) VALUES (?1, ?2) \
                 ON CONFLICT (installation) DO UPDATE SET batch = excluded.batch"
        .to_owned();
    let bindings = vec![crate::record::Value::text(installation), crate::record::Value::text(batch)];
    connection::execute(connection, doing, write, bindings).await.map(drop)
}
