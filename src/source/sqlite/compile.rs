//! Compiles what would be run, without running it, and reports what the database says.

use sqlx::sqlite::SqliteConnection;

use super::connection::{count, fetch, value};
use super::expression::{self, Days};
use super::text::quote;
use super::{SqliteReader, guard};
use crate::record::Value;
use crate::source::SourceError;

/// Rows of a table looked at when copies of personal values are searched for.
const COPY_ROWS_MAX: u32 = 20_000;

/// Rows of a table whose texts are searched for personal values, which costs more.
const TEXT_ROWS_MAX: u32 = 500;

/// One in so many of the sampled values must stand in texts of the column.
const TEXT_SHARE: u32 = 4;

/// How far into a text is looked.
const TEXT_CHARACTERS_MAX: u32 = 4_000;

/// Personal values taken as a sample of one column.
const COPY_SAMPLE_VALUES: u32 = 50;

/// The shortest value that is taken to be distinctive, in characters.
const COPY_VALUE_CHARACTERS_MIN: u32 = 6;

/// How much of a text is read to see what kind of text it is.
const BEGINNING_CHARACTERS: u32 = 100;

/// Why an expression of the settings is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExpressionFault {
    /// It is refused before the database sees it.
    Rule(String),
    /// The database cannot compile it: its own message.
    Compile(String),
    /// It compiles alone but not between parentheses, or the other way round: it would escape.
    Escapes,
    /// It is more than one statement.
    Many,
}

async fn shape(connection: &mut SqliteConnection, sql: &str) -> Result<Result<guard::Shape, String>, SourceError> {
    let mut handle = connection.lock_handle().await.map_err(|error| SourceError::query("lock a connection", error))?;
    Ok(guard::shape(&mut handle, sql))
}

impl SqliteReader {
    /// Whether an expression over `table` keeps the rules: it compiles bare and in parentheses, as one statement that
    /// only reads, without aggregates, parameters of its own or the time of day.
    pub(crate) async fn expression_fault(
        &mut self,
        table: &str,
        sql: &str,
        has_cutoff: bool,
    ) -> Result<Option<ExpressionFault>, SourceError> {
        // Any day serves: nothing is run.
        let day = jiff::civil::date(2000, 1, 1);
        let days = Days { today: day, cutoff: has_cutoff.then_some(day) };
        let bare = match expression::fill_in(sql, days) {
            Ok(bare) => bare,
            Err(refusal) => return Ok(Some(ExpressionFault::Rule(refusal.to_string()))),
        };
        let table = quote(table);
        // In WHERE, because there aggregates and window functions are refused.
        let alone = shape(&mut self.guarded, &format!("SELECT 1 FROM {table} WHERE \n{bare}\n")).await?;
        let enclosed = shape(&mut self.guarded, &format!("SELECT 1 FROM {table} WHERE (\n{bare}\n)")).await?;
        Ok(match (alone, enclosed) {
            (Ok(alone), Ok(enclosed)) if alone.has_tail || enclosed.has_tail => Some(ExpressionFault::Many),
            (Ok(alone), Ok(enclosed)) if !alone.reads_only || !enclosed.reads_only => Some(ExpressionFault::Escapes),
            (Ok(_), Ok(_)) => None,
            (Err(message), Err(_)) => Some(ExpressionFault::Compile(message)),
            (Ok(alone), Err(_)) if alone.has_tail => Some(ExpressionFault::Many),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => Some(ExpressionFault::Escapes),
        })
    }

    /// The database's message when it cannot compile a change of this table (`columns`) or a deletion from it: its
    /// triggers, checks or indexes need something that only the application has.
    pub(crate) async fn write_fault(
        &mut self,
        table: &str,
        columns: &[String],
        deletes: bool,
    ) -> Result<Option<String>, SourceError> {
        let table = quote(table);
        let mut statements = Vec::new();
        if !columns.is_empty() {
            let set: Vec<String> = columns.iter().map(|column| format!("{0} = {0}", quote(column))).collect();
            statements.push(format!("EXPLAIN UPDATE {table} SET {}", set.join(", ")));
        }
        if deletes {
            statements.push(format!("EXPLAIN DELETE FROM {table}"));
        }
        for statement in statements {
            if let Err(message) = shape(&mut self.reading, &statement).await? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// The first values of a column that are not NULL.
    pub(crate) async fn values(&mut self, table: &str, column: &str, max: u32) -> Result<Vec<Value>, SourceError> {
        let (table, column) = (quote(table), quote(column));
        let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {max}");
        let rows = fetch(&mut self.reading, "read values", sql, Vec::new()).await?;
        rows.iter().map(|row| value(row, 0)).collect()
    }

    /// How the first texts of a column begin.
    pub(crate) async fn beginnings(&mut self, table: &str, column: &str, max: u32) -> Result<Vec<String>, SourceError> {
        let (table, column) = (quote(table), quote(column));
        let sql = format!(
            "SELECT substr({column}, 1, {BEGINNING_CHARACTERS}) FROM {table} \
             WHERE typeof({column}) = 'text' LIMIT {max}"
        );
        let rows = fetch(&mut self.reading, "read values", sql, Vec::new()).await?;
        let values = rows.iter().map(|row| value(row, 0)).collect::<Result<Vec<_>, _>>()?;
        Ok(values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
    }

    /// How many of the first values of a column there are, and how many of them are keys of `parent`.
    pub(crate) async fn led_to(
        &mut self,
        (table, column): (&str, &str),
        (parent, key): (&str, &str),
        max: u32,
    ) -> Result<(u64, u64), SourceError> {
        let (table, column, parent, key) = (quote(table), quote(column), quote(parent), quote(key));
        let sql = format!(
            "SELECT count(*), count(*) FILTER (WHERE v IN (SELECT {key} FROM {parent})) \
             FROM (SELECT {column} AS v FROM {table} WHERE {column} IS NOT NULL LIMIT {max})"
        );
        let found = fetch(&mut self.reading, "look for references", sql, Vec::new()).await?;
        found.first().map_or(Ok((0, 0)), |row| Ok((count(row, 0)?, count(row, 1)?)))
    }

    /// Distinctive values of a personal column, as a sample, in the form that [`copies`](Self::copies) takes.
    pub(crate) async fn sample(&mut self, table: &str, column: &str) -> Result<Value, SourceError> {
        let (table, column) = (quote(table), quote(column));
        let sql = format!(
            "SELECT json_group_array(v) FROM (SELECT DISTINCT {column} AS v FROM {table} \
             WHERE typeof({column}) = 'text' AND length({column}) >= {COPY_VALUE_CHARACTERS_MIN} \
             LIMIT {COPY_SAMPLE_VALUES})"
        );
        let found = fetch(&mut self.reading, "look for copies", sql, Vec::new()).await?;
        found.first().map_or(Ok(Value::text("[]")), |row| value(row, 0))
    }

    /// How many of the sampled values stand in this column.
    pub(crate) async fn copies(&mut self, table: &str, column: &str, sample: &Value) -> Result<u64, SourceError> {
        let (table, column) = (quote(table), quote(column));
        let sql = format!(
            "SELECT count(DISTINCT v) FROM (SELECT {column} AS v FROM {table} LIMIT {COPY_ROWS_MAX}) \
             WHERE v IN (SELECT value FROM json_each(?1))"
        );
        let found = fetch(&mut self.reading, "look for copies", sql, vec![sample.clone()]).await?;
        found.first().map_or(Ok(0), |row| count(row, 0))
    }

    /// How many of the sampled values stand somewhere within the texts of this column: mails, logs, documents. A single
    /// word is not looked for: a first name stands in many texts, and is many people's; and where fewer than one in
    /// [`TEXT_SHARE`] values is found, chance may have done it: people share their whole names too.
    pub(crate) async fn texts_with_copies(
        &mut self,
        table: &str,
        column: &str,
        sample: &Value,
    ) -> Result<u64, SourceError> {
        let (table, column) = (quote(table), quote(column));
        let sql = format!(
            "SELECT iif(sum(found) * {TEXT_SHARE} >= count(*), sum(found), 0) FROM (SELECT EXISTS (SELECT 1 FROM \
             (SELECT substr({column}, 1, {TEXT_CHARACTERS_MAX}) AS v FROM {table} LIMIT {TEXT_ROWS_MAX}) \
             WHERE instr(v, s.value) > 0) AS found FROM json_each(?1) s WHERE s.value GLOB '*[ @0-9]*')"
        );
        let found = fetch(&mut self.reading, "look for copies", sql, vec![sample.clone()]).await?;
        found.first().map_or(Ok(0), |row| count(row, 0))
    }
}
