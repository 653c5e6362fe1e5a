//! Removes from the files what was erased from the tables.
//!
//! Each step is a short transaction of its own where SQLite lets it be, on a connection that overwrites what it deletes.
//! None changes what any table holds, so each can be done again at any time.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use super::catalogue::{self, MARKER_TABLE};
use super::connection::{self, beside, count, execute, fetch, file, value};
use super::place::Place;
use super::text::{literal, quote};
use super::{Activity, SourceError, SqliteReader};
use crate::source::removal::{Emptied, FullTextIndex, Gathered, Samples};
use crate::source::schema::{Schema, Table, TableKind};

const FULL_TEXT: &str = "take the words of erased rows out of an index for full-text search";
const STATISTICS: &str = "gather statistics anew";
const VACUUM: &str = "write the whole file anew";
const EMPTYING: &str = "empty the write-ahead log";

/// Tables of statistics that hold values of rows.
const SAMPLE_TABLES: [&str; 2] = ["sqlite_stat3", "sqlite_stat4"];

/// The number of a row that comes and goes in one transaction, such as no application gives; and the word in it.
const PASSING_ROW: i64 = -(1 << 62);
const PASSING_WORD: &str = "erasured";

/// A connection on which what was erased is removed.
pub(in crate::source) struct SqliteRemover {
    connection: SqliteConnection,
    place: Place,
    schema: Schema,
    lock_wait: Duration,
    activity: Activity,
}

impl SqliteRemover {
    pub(super) async fn open(path: &Path, lock_wait: Duration) -> Result<Self, SourceError> {
        let place = Place::of(path)?;
        let mut connection = connection::writing(path, lock_wait).await?;
        place.check()?;
        let schema = catalogue::read(&mut connection).await?;
        Ok(Self { connection, place, schema, lock_wait, activity: Activity::default() })
    }

    pub(in crate::source) fn full_text(&self) -> Vec<FullTextIndex> {
        self.schema.tables.iter().filter_map(full_text_index).collect()
    }

    /// One statement in a transaction of its own.
    async fn write(&mut self, doing: &'static str, sql: String) -> Result<(), SourceError> {
        self.write_all(doing, vec![sql]).await
    }

    /// Statements in one transaction.
    async fn write_all(&mut self, doing: &'static str, statements: Vec<String>) -> Result<(), SourceError> {
        execute(&mut self.connection, doing, "BEGIN IMMEDIATE".to_owned(), Vec::new()).await?;
        let mut done = Ok(0);
        for sql in statements.into_iter().chain(["COMMIT".to_owned()]) {
            if done.is_ok() {
                done = execute(&mut self.connection, doing, sql, Vec::new()).await;
            }
        }
        let done = done.map(drop);
        if done.is_err() {
            self.roll_back(doing).await?;
        }
        done
    }

    async fn roll_back(&mut self, doing: &'static str) -> Result<(), SourceError> {
        match execute(&mut self.connection, doing, "ROLLBACK".to_owned(), Vec::new()).await {
            Err(SourceError::Query { source, .. }) if super::is_no_transaction(&source) => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn number(&mut self, doing: &'static str, sql: &str) -> Result<u64, SourceError> {
        let found = fetch(&mut self.connection, doing, sql.to_owned(), Vec::new()).await?;
        found.first().map_or(Ok(0), |row| count(row, 0))
    }

    pub(in crate::source) async fn take_out(&mut self, index: &FullTextIndex) -> Result<(), SourceError> {
        let Some(table) = self.schema.table(&index.name) else { return Ok(()) };
        let has_own_content = matches!(table.kind, TableKind::Virtual { has_own_content: true, .. });
        let columns = table.columns.iter().filter(|column| !column.hidden).map(|column| quote(&column.name));
        let columns: Vec<String> = columns.collect();
        let words = vec![literal(PASSING_WORD); columns.len()].join(", ");
        let (name, columns) = (quote(&index.name), columns.join(", "));
        let takes_out = |is: u8| format!("INSERT INTO {name} ({name}, rank) VALUES ('secure-delete', {is})");
        let goes = if has_own_content {
            format!("DELETE FROM {name} WHERE rowid = {PASSING_ROW}")
        } else {
            format!("INSERT INTO {name} ({name}, rowid, {columns}) VALUES ('delete', {PASSING_ROW}, {words})")
        };
        // Where words are taken out of a block, those that tell it from the one before stay, and an index in one piece is never
        // written anew: a row that comes and goes makes it two.
        let comes = format!("INSERT INTO {name} (rowid, {columns}) VALUES ({PASSING_ROW}, {words})");
        self.write_all(FULL_TEXT, vec![takes_out(0), comes, goes, takes_out(1)]).await
    }

    pub(in crate::source) async fn write_anew(
        &mut self,
        index: &FullTextIndex,
        pages: u32,
        is_first: bool,
    ) -> Result<bool, SourceError> {
        let name = quote(&index.name);
        if !index.goes_in_steps {
            self.write(FULL_TEXT, format!("INSERT INTO {name} ({name}) VALUES ('optimize')")).await?;
            return Ok(false);
        }
        // A negative number first makes one merge of all that is there; positive ones go on with it.
        let sign = if is_first { "-" } else { "" };
        let before = self.number(FULL_TEXT, "SELECT total_changes()").await?;
        self.write(FULL_TEXT, format!("INSERT INTO {name} ({name}, rank) VALUES ('merge', {sign}{pages})")).await?;
        let after = self.number(FULL_TEXT, "SELECT total_changes()").await?;
        // The command itself counts as one row, as the documentation of the module has it.
        Ok(after.saturating_sub(before) >= 2)
    }

    async fn has_table(&mut self, name: &str) -> Result<bool, SourceError> {
        let sql = format!("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = {}", literal(name));
        Ok(self.number(STATISTICS, &sql).await? > 0)
    }

    pub(in crate::source) async fn samples(&mut self, tables: &BTreeSet<String>) -> Result<Vec<Samples>, SourceError> {
        let shadows = self.schema.tables.iter().filter(|table| table.kind == TableKind::Shadow);
        let shadows: BTreeSet<String> = shadows.map(|table| table.name.clone()).collect();
        let is_meant = |name: &str| tables.iter().chain(&shadows).any(|table| table.eq_ignore_ascii_case(name));
        let mut samples: Vec<Samples> = Vec::new();
        for from in SAMPLE_TABLES {
            if !self.has_table(from).await? {
                continue;
            }
            let sql = format!("SELECT DISTINCT tbl, idx FROM {from} WHERE typeof(tbl) = 'text' ORDER BY tbl, idx");
            for row in fetch(&mut self.connection, STATISTICS, sql, Vec::new()).await? {
                let (table, index) = (value(&row, 0)?, value(&row, 1)?);
                let (Some(table), Some(index)) = (table.as_str(), index.as_str().or(table.as_str())) else { continue };
                let found = Samples { table: table.to_owned(), index: index.to_owned() };
                if is_meant(table) && !samples.contains(&found) {
                    samples.push(found);
                }
            }
        }
        Ok(samples)
    }

    pub(in crate::source) async fn gather(
        &mut self,
        samples: &Samples,
        limit: Duration,
    ) -> Result<Gathered, SourceError> {
        // Gathering makes the tables that it finds missing, and one of them would then hold values.
        let makes_none = self.has_table("sqlite_stat1").await? && self.has_table("sqlite_stat4").await?;
        if makes_none && !self.has_table("sqlite_stat3").await? {
            match self.analyse(samples, limit).await {
                Ok(()) => return Ok(Gathered::Anew),
                Err(SourceError::Locked) => return Err(SourceError::Locked),
                // It took too long, or the index is not there any more.
                Err(error) => tracing::debug!(error = %crate::config::causes(&error), "samples are dropped"),
            }
        }
        for from in SAMPLE_TABLES {
            if self.has_table(from).await? {
                let of = format!("tbl = {} AND idx IS {}", literal(&samples.table), literal(&samples.index));
                self.write(STATISTICS, format!("DELETE FROM {from} WHERE {of}")).await?;
            }
        }
        Ok(Gathered::Dropped)
    }

    async fn analyse(&mut self, samples: &Samples, limit: Duration) -> Result<(), SourceError> {
        execute(&mut self.connection, STATISTICS, "BEGIN IMMEDIATE".to_owned(), Vec::new()).await?;
        connection::limit(&mut self.connection, limit).await?;
        let sql = format!("ANALYZE main.{}", quote(&samples.index));
        let done = execute(&mut self.connection, STATISTICS, sql, Vec::new()).await;
        connection::unlimited(&mut self.connection).await?;
        let done = match done {
            Ok(_) => execute(&mut self.connection, STATISTICS, "COMMIT".to_owned(), Vec::new()).await.map(drop),
            Err(error) => Err(error),
        };
        if done.is_err() {
            self.roll_back(STATISTICS).await?;
        }
        done
    }

    pub(in crate::source) async fn room(&mut self) -> Result<(u64, u64), SourceError> {
        room(&mut self.connection).await
    }

    pub(in crate::source) async fn vacuum_fault(&mut self) -> Result<Option<String>, SourceError> {
        vacuum_fault(&mut self.connection, &self.schema).await
    }

    pub(in crate::source) async fn vacuum(
        &mut self,
        may: impl Fn() -> bool + Send + 'static,
    ) -> Result<(), SourceError> {
        // It makes a second database, which is too large for memory.
        execute(&mut self.connection, VACUUM, "PRAGMA temp_store = FILE".to_owned(), Vec::new()).await?;
        connection::only_while(&mut self.connection, may).await?;
        let done = execute(&mut self.connection, VACUUM, "VACUUM".to_owned(), Vec::new()).await;
        connection::unlimited(&mut self.connection).await?;
        execute(&mut self.connection, VACUUM, "PRAGMA temp_store = MEMORY".to_owned(), Vec::new()).await?;
        done.map(drop)
    }

    pub(in crate::source) async fn schema_changes(&mut self) -> Result<u64, SourceError> {
        self.number(VACUUM, "PRAGMA schema_version").await
    }

    pub(in crate::source) fn rebuilt(&self) -> Vec<FullTextIndex> {
        let found = self.schema.tables.iter().filter(|table| self.schema.goes_by_hidden_numbers(table));
        found.filter_map(full_text_index).collect()
    }

    pub(in crate::source) async fn rebuild(&mut self, index: &FullTextIndex) -> Result<(), SourceError> {
        let name = quote(&index.name);
        self.write("make an index for full-text search anew", format!("INSERT INTO {name} ({name}) VALUES ('rebuild')"))
            .await
    }

    pub(in crate::source) async fn empty(&mut self, wait: Duration) -> Result<Emptied, SourceError> {
        // The last of the steps: all of them were done in the file that is there.
        self.place.check()?;
        if connection::has_wal(&mut self.connection).await? {
            return self.empty_log(wait).await;
        }
        let journal = beside(&file(&mut self.connection).await?, "-journal");
        let is_kept = std::fs::metadata(&journal).is_ok_and(|found| found.len() > 0);
        if is_kept && self.has_table(MARKER_TABLE).await? {
            // The application keeps its journal. Ours are deleted with the commit, and so is one that it has left there.
            self.write("remove the rollback journal", format!("UPDATE {MARKER_TABLE} SET batch = batch")).await?;
        }
        Ok(Emptied::Nothing)
    }

    /// Most of the log is moved without anybody's waiting; what is left takes the lock, and no longer than this.
    async fn empty_log(&mut self, wait: Duration) -> Result<Emptied, SourceError> {
        let sql = "PRAGMA wal_checkpoint(PASSIVE)".to_owned();
        fetch(&mut self.connection, EMPTYING, sql, Vec::new()).await?;
        self.wait_for_locks(wait).await?;
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)".to_owned();
        let done = fetch(&mut self.connection, EMPTYING, sql, Vec::new()).await;
        self.wait_for_locks(self.lock_wait).await?;
        let done = done?;
        let is_busy = done.first().map_or(Ok(1), |row| count(row, 0))? > 0;
        let pages = done.first().map_or(Ok(0), |row| count(row, 1))?;
        Ok(if is_busy { Emptied::Held(pages) } else { Emptied::Nothing })
    }

    async fn wait_for_locks(&mut self, wait: Duration) -> Result<(), SourceError> {
        let sql = format!("PRAGMA busy_timeout = {}", wait.as_millis());
        fetch(&mut self.connection, EMPTYING, sql, Vec::new()).await.map(drop)
    }

    pub(in crate::source) async fn others_have_changed_it(&mut self) -> Result<bool, SourceError> {
        self.activity.has_changed(&mut self.connection).await
    }

    pub(in crate::source) async fn close(self) {
        // Closing tidies up; a failure leaves nothing undone.
        let _ = self.connection.close().await;
    }
}

fn full_text_index(table: &Table) -> Option<FullTextIndex> {
    let TableKind::Virtual { module, deletes_by_mark, .. } = &table.kind else {
        return None;
    };
    let goes_in_steps = module == "fts5";
    let can_take_out = goes_in_steps && !deletes_by_mark;
    table.is_full_text().then(|| FullTextIndex { name: table.name.clone(), goes_in_steps, can_take_out })
}

/// The room that writing the whole file anew takes beside it, and the room that there is, in bytes.
async fn room(connection: &mut SqliteConnection) -> Result<(u64, u64), SourceError> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size".to_owned();
    let found = fetch(connection, VACUUM, sql, Vec::new()).await?;
    let size = found.first().map_or(Ok(0), |row| count(row, 0))?;
    let file = file(connection).await?;
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let free = nix::sys::statvfs::statvfs(folder)
        .map(|found| found.blocks_available().saturating_mul(found.fragment_size()))
        // What cannot be asked does not stand in the way: SQLite itself says when there is no room.
        .unwrap_or(u64::MAX);
    Ok((size.saturating_mul(2), free))
}

impl SqliteReader {
    /// The database's message when it cannot open an index for full-text search.
    pub(in crate::source) async fn full_text_fault(&mut self, name: &str) -> Result<Option<String>, SourceError> {
        full_text_fault(&mut self.reading, name).await
    }

    /// Whether the database keeps statistics that hold values of rows.
    pub(in crate::source) async fn has_value_statistics(&mut self) -> Result<bool, SourceError> {
        let names: Vec<String> = SAMPLE_TABLES.into_iter().map(literal).collect();
        let sql = format!("SELECT count(*) FROM sqlite_schema WHERE name IN ({})", names.join(", "));
        let found = fetch(&mut self.reading, STATISTICS, sql, Vec::new()).await?;
        Ok(found.first().map_or(Ok(0), |row| count(row, 0))? > 0)
    }

    pub(in crate::source) async fn vacuum_fault(&mut self) -> Result<Option<String>, SourceError> {
        let schema = self.schema().clone();
        vacuum_fault(&mut self.reading, &schema).await
    }

    pub(in crate::source) async fn room(&mut self) -> Result<(u64, u64), SourceError> {
        room(&mut self.reading).await
    }
}

async fn full_text_fault(connection: &mut SqliteConnection, name: &str) -> Result<Option<String>, SourceError> {
    let sql = format!("SELECT 1 FROM {} LIMIT 0", quote(name));
    match fetch(connection, FULL_TEXT, sql, Vec::new()).await {
        Ok(_) => Ok(None),
        Err(SourceError::Query { source, .. }) => {
            Ok(source.as_database_error().map(|error| error.message().to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// Why VACUUM would fail, or do harm that cannot be undone; `None` where it would not.
async fn vacuum_fault(connection: &mut SqliteConnection, schema: &Schema) -> Result<Option<String>, SourceError> {
    let contentless = schema.tables.iter().find(|table| {
        let has_content = |content: &Option<(String, Option<String>)>, own: bool| own || content.is_some();
        matches!(&table.kind, TableKind::Virtual { content, has_own_content, .. }
            if table.is_full_text() && !has_content(content, *has_own_content))
    });
    let is_ordinary = |table: &&Table| table.kind == TableKind::Ordinary;
    let renumbered = schema.tables.iter().filter(is_ordinary).find(|table| !table.numbers_its_rows());
    if let (Some(index), Some(table)) = (contentless, renumbered) {
        return Ok(Some(format!(
            "it may number the rows of {} anew, and {} has no contents to be made anew from",
            table.name, index.name
        )));
    }
    for index in schema.tables.iter().filter(|table| schema.goes_by_hidden_numbers(table)) {
        if let Some(fault) = full_text_fault(connection, &index.name).await? {
            let name = &index.name;
            return Ok(Some(format!("it may number rows anew, and {name} cannot be made anew after it: {fault}")));
        }
    }
    // What VACUUM begins with, tried in memory: every table and index is made by its own statement.
    let sql = "SELECT sql FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL AND rootpage > 0 \
               AND name NOT GLOB 'sqlite_*' ORDER BY type DESC, rowid";
    let made = fetch(connection, VACUUM, sql.to_owned(), Vec::new()).await?;
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(false);
    let open = |error| SourceError::query("open a copy in memory", error);
    let mut copy = SqliteConnection::connect_with(&options).await.map_err(open)?;
    let mut fault = None;
    for row in &made {
        let statement = value(row, 0)?;
        let statement = statement.as_str().unwrap_or_default().to_owned();
        if let Err(error) = sqlx::query(AssertSqlSafe(statement)).execute(&mut copy).await {
            let message = error.as_database_error().map_or_else(|| error.to_string(), |e| e.message().to_owned());
            fault = Some(message);
            break;
        }
    }
    // Closing tidies up; the copy is gone in any case.
    let _ = copy.close().await;
    Ok(fault)
}
