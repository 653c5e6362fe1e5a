//! Opens connections, each for one purpose, and reads values off rows.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteQueryResult, SqliteRow, SqliteSynchronous, SqliteValueRef,
};
use sqlx::{AssertSqlSafe, Connection, Decode, Row, Sqlite, TypeInfo, ValueRef};

use super::{failing, guard};
use crate::clock::Stopwatch;
use crate::record::Value;
use crate::source::SourceError;

/// Statements of the settings look at the clock after so many steps of SQLite's machine.
const STEPS_BETWEEN_LOOKS: i32 = 100_000;

/// Rows that wait to be taken: the fewer, the oftener two threads wait for each other.
const ROWS_BUFFERED: usize = 1_000;

/// Pages kept in memory by the connection that writes, as SQLite writes it: -KiB.
const WRITING_CACHE: &str = "-12288";

/// What every connection of ours to a source has in common: nothing cascades that we have not planned, nothing of
/// ours is written to temporary files, and what we delete is overwritten.
fn options(path: &Path, lock_wait: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(false)
        .synchronous(SqliteSynchronous::Extra)
        .busy_timeout(lock_wait)
        .row_buffer_size(ROWS_BUFFERED)
        .pragma("recursive_triggers", "OFF")
        .pragma("secure_delete", "ON")
        .pragma("cache_spill", "OFF")
        .pragma("temp_store", "MEMORY")
}

async fn open(path: &Path, options: SqliteConnectOptions) -> Result<SqliteConnection, SourceError> {
    if !path.exists() {
        return Err(SourceError::Missing { path: path.to_owned() });
    }
    // To SQLite that is a new database, and to the application it is everything that it had.
    if path.metadata().is_ok_and(|found| found.len() == 0) {
        return Err(SourceError::Empty { path: path.to_owned() });
    }
    let opened = |source| SourceError::opening(path, source);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(opened)?;
    // SQLite opens anything; only reading shows whether it is a database.
    let query = sqlx::query("SELECT count(*) FROM sqlite_schema");
    run(&mut connection, "open the database", query).await.map_err(opened)?;
    Ok(connection)
}

/// A connection that writes. Pages that a batch has looked at are still there when it changes them; checkpoints are made
/// between batches, when nobody waits for the lock.
pub(super) async fn writing(path: &Path, lock_wait: Duration) -> Result<SqliteConnection, SourceError> {
    let options = options(path, lock_wait).pragma("cache_size", WRITING_CACHE).pragma("wal_autocheckpoint", "0");
    let mut connection = open(path, options).await?;
    if has_wal(&mut connection).await? {
        // What does not fit into the cache can go to the WAL before the commit without anybody's being locked out.
        execute(&mut connection, "limit the memory of a batch", "PRAGMA cache_spill = ON".to_owned(), Vec::new())
            .await?;
    }
    Ok(connection)
}

/// Whether the database has a write-ahead log.
pub(super) async fn has_wal(connection: &mut SqliteConnection) -> Result<bool, SourceError> {
    let found = fetch(connection, "read the journal mode", "PRAGMA journal_mode".to_owned(), Vec::new()).await?;
    let mode = found.first().map(|row| value(row, 0)).transpose()?;
    Ok(mode.is_some_and(|mode| mode.as_str() == Some("wal")))
}

/// The main file, as SQLite has resolved its name: beside it lie its logs, wherever links lead to it from.
pub(super) async fn file(connection: &mut SqliteConnection) -> Result<PathBuf, SourceError> {
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'".to_owned();
    let found = fetch(connection, "find the database's file", sql, Vec::new()).await?;
    Ok(match found.first().map(|row| value(row, 0)).transpose()? {
        Some(Value::Text(name)) => PathBuf::from(OsString::from_vec(name)),
        _ => PathBuf::new(),
    })
}

/// The path of a file beside the database's.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A connection that reads, for our own statements. What a crash of the application has left half written is rolled back
/// before, as by anybody else who opens the file, on a connection that may.
pub(super) async fn reading(path: &Path, lock_wait: Duration) -> Result<SqliteConnection, SourceError> {
    let reads = || open(path, options(path, lock_wait).read_only(true));
    match reads().await {
        Err(error) if error.is_half_written() => {
            writing(path, lock_wait).await?.close().await.map_err(|error| SourceError::opening(path, error))?;
            reads().await
        }
        opened => opened,
    }
}

/// A connection that reads, for the settings' SQL: guarded, and interrupted after `limit` per statement.
pub(super) async fn guarded(path: &Path, lock_wait: Duration) -> Result<SqliteConnection, SourceError> {
    let mut connection = reading(path, lock_wait).await?;
    let mut handle = connection.lock_handle().await.map_err(|error| SourceError::query("lock a connection", error))?;
    let is_guarded = guard::install(&mut handle);
    drop(handle);
    if is_guarded { Ok(connection) } else { Err(SourceError::Unguarded) }
}

/// Interrupts whatever statement of `connection` still runs when `limit` has passed from now.
pub(super) async fn limit(connection: &mut SqliteConnection, limit: Duration) -> Result<(), SourceError> {
    let mut handle = connection.lock_handle().await.map_err(|error| SourceError::query("lock a connection", error))?;
    let watch = Stopwatch::start();
    handle.set_progress_handler(STEPS_BETWEEN_LOOKS, move || watch.elapsed() < limit);
    Ok(())
}

/// Interrupts whatever statement of `connection` runs as soon as it may not.
pub(super) async fn only_while(
    connection: &mut SqliteConnection,
    may: impl Fn() -> bool + Send + 'static,
) -> Result<(), SourceError> {
    let mut handle = connection.lock_handle().await.map_err(|error| SourceError::query("lock a connection", error))?;
    handle.set_progress_handler(STEPS_BETWEEN_LOOKS, may);
    Ok(())
}

/// Nothing of `connection` is interrupted any more.
pub(super) async fn unlimited(connection: &mut SqliteConnection) -> Result<(), SourceError> {
    let mut handle = connection.lock_handle().await.map_err(|error| SourceError::query("lock a connection", error))?;
    handle.remove_progress_handler();
    Ok(())
}

/// All rows of one statement of ours.
pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    doing: &'static str,
    sql: String,
    bindings: Vec<Value>,
) -> Result<Vec<SqliteRow>, SourceError> {
    let query = bindings.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), bind);
    let failed = |error| SourceError::query(doing, error);
    failing::pass(failing::BEFORE, doing).map_err(failed)?;
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    failing::pass(failing::AFTER, doing).map_err(failed)?;
    Ok(rows)
}

/// What `read` makes of each row of one statement. A row is let go of as soon as it is read.
pub(super) async fn fetch_each<T>(
    connection: &mut SqliteConnection,
    doing: &'static str,
    sql: String,
    bindings: Vec<Value>,
    mut read: impl FnMut(&SqliteRow) -> Result<T, SourceError>,
) -> Result<Vec<T>, SourceError> {
    let query = bindings.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), bind);
    let failed = |error| SourceError::query(doing, error);
    failing::pass(failing::BEFORE, doing).map_err(failed)?;
    let mut rows = query.fetch(connection);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        found.push(read(&row)?);
    }
    failing::pass(failing::AFTER, doing).map_err(failed)?;
    Ok(found)
}

/// Runs one statement of ours and tells how many rows it changed.
pub(super) async fn execute(
    connection: &mut SqliteConnection,
    doing: &'static str,
    sql: String,
    bindings: Vec<Value>,
) -> Result<u64, SourceError> {
    let query = bindings.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), bind);
    let done = run(connection, doing, query).await.map_err(|error| SourceError::query(doing, error))?;
    Ok(done.rows_affected())
}

/// The same, where it fails with SQLite's own answer.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    doing: &'static str,
    query: Query<'_>,
) -> Result<SqliteQueryResult, sqlx::Error> {
    failing::pass(failing::BEFORE, doing)?;
    let done = query.execute(connection).await?;
    failing::pass(failing::AFTER, doing)?;
    Ok(done)
}

/// A statement with what is bound in it.
pub(super) type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

fn bind(query: Query<'_>, value: Value) -> Query<'_> {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Integer(integer) => query.bind(integer),
        Value::Real(real) => query.bind(real),
        Value::Text(bytes) => match String::from_utf8(bytes) {
            Ok(text) => query.bind(text),
            Err(error) => query.bind(error.into_bytes()),
        },
        Value::Blob(bytes) => query.bind(bytes),
    }
}

/// The value in this column, with the type it is stored as, whatever the column's declared type.
pub(super) fn value(row: &SqliteRow, column: usize) -> Result<Value, SourceError> {
    let read = |error| SourceError::query("read a value", error);
    let raw: SqliteValueRef<'_> = row.try_get_raw(column).map_err(read)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let decode = |error| SourceError::query("read a value", sqlx::Error::Decode(error));
    let kind = raw.type_info().into_owned();
    Ok(match kind.name() {
        "INTEGER" => Value::Integer(<i64 as Decode<Sqlite>>::decode(raw).map_err(decode)?),
        "REAL" => Value::Real(<f64 as Decode<Sqlite>>::decode(raw).map_err(decode)?),
        "TEXT" => Value::Text(<Vec<u8> as Decode<Sqlite>>::decode(raw).map_err(decode)?),
        "BLOB" => Value::Blob(<Vec<u8> as Decode<Sqlite>>::decode(raw).map_err(decode)?),
        _ => Value::Null,
    })
}

/// The whole number in this column; 0 for anything else.
pub(super) fn count(row: &SqliteRow, column: usize) -> Result<u64, SourceError> {
    match value(row, column)? {
        Value::Integer(integer) => Ok(u64::try_from(integer).unwrap_or(0)),
        _ => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_we_delete_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.db");
        let made = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut made = SqliteConnection::connect_with(&made).await.unwrap();
        sqlx::query("CREATE TABLE person (id)").execute(&mut made).await.unwrap();
        // Whoever writes, and whoever removes, does so on such a connection.
        let mut connection = writing(&path, Duration::from_secs(1)).await.unwrap();
        let found = fetch(&mut connection, "test", "PRAGMA secure_delete".to_owned(), Vec::new()).await.unwrap();
        assert_eq!(count(&found[0], 0).unwrap(), 1);
    }
}
