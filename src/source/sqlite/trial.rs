//! Tries anonymising on a copy in memory: a few rows of the table, with the table's own constraints.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use super::apply::{assignments, set};
use super::connection::{execute, fetch, value};
use super::text::quote;
use super::{SourceError, SqliteReader};
use crate::source::mapping::Node;
use crate::source::schema::Table;

/// Rows that are tried.
const TRIAL_ROWS_MAX: u32 = 200;

/// What a trial has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TrialFault {
    /// The copy cannot be made: the database's message.
    NoCopy(String),
    /// A constraint refuses what rows would be changed to: the database's message.
    Refused(String),
}

impl SqliteReader {
    /// Changes a copy of some rows of the node's table as anonymising would, all of them at once.
    pub(crate) async fn trial(&mut self, table: &Table, node: &Node) -> Result<Option<TrialFault>, SourceError> {
        let assignments = assignments(node);
        if assignments.is_empty() {
            return Ok(None);
        }
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(false);
        let mut copy = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| SourceError::query("open a copy in memory", error))?;
        for statement in &table.definition {
            if let Err(error) = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut copy).await {
                return Ok(Some(TrialFault::NoCopy(message(&error))));
            }
        }
        self.fill(&mut copy, table).await?;
        let sql = format!("UPDATE {} SET {}", quote(&table.name), set(&assignments));
        let answer = sqlx::query(AssertSqlSafe(sql)).execute(&mut copy).await;
        // Closing tidies up; the copy is gone in any case.
        let _ = copy.close().await;
        Ok(answer.err().map(|error| TrialFault::Refused(message(&error))))
    }

    async fn fill(&mut self, copy: &mut SqliteConnection, table: &Table) -> Result<(), SourceError> {
        let columns: Vec<String> =
            table.columns.iter().filter(|column| !column.generated).map(|column| quote(&column.name)).collect();
        let name = quote(&table.name);
        let select = format!("SELECT {} FROM {name} LIMIT {TRIAL_ROWS_MAX}", columns.join(", "));
        let places: Vec<String> = (1..=columns.len()).map(|i| format!("?{i}")).collect();
        let insert = format!("INSERT OR IGNORE INTO {name} ({}) VALUES ({})", columns.join(", "), places.join(", "));
        for row in fetch(&mut self.reading, "read rows to try on", select, Vec::new()).await? {
            let values = (0..columns.len()).map(|column| value(&row, column)).collect::<Result<Vec<_>, _>>()?;
            execute(copy, "fill a copy in memory", insert.clone(), values).await?;
        }
        Ok(())
    }
}

fn message(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}
