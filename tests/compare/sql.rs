//! A connection to a database, through the same SQLite library as the daemon's, for code that does one thing at a time.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, Sqlite};
use tokio::runtime::Runtime;

use crate::fault::{Doing as _, Outcome};

/// How long a connection waits for another's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A value for a statement.
#[derive(Debug, Clone, Copy)]
pub enum Bind<'a> {
    /// A number.
    Number(i64),
    /// A text.
    Text(&'a str),
}

/// A connection.
pub struct Sql {
    runtime: Runtime,
    connection: SqliteConnection,
}

impl Sql {
    /// To a source as a careful hand opens it, and as the daemon does: durable, no cascades, deleted bytes overwritten.
    pub fn source(path: &Path) -> Outcome<Self> {
        let options = writing(path).synchronous(SqliteSynchronous::Extra).pragma("secure_delete", "ON");
        Self::open(path, options.pragma("temp_store", "MEMORY"))
    }

    /// To a file of proposals, made where it is not there, that is kept as the daemon keeps its state.
    pub fn state_like(path: &Path) -> Outcome<Self> {
        let options = writing(path).create_if_missing(true).pragma("journal_mode", "WAL");
        Self::open(path, options.synchronous(SqliteSynchronous::Full).pragma("secure_delete", "ON"))
    }

    /// As an application opens its database: with SQLite's defaults.
    pub fn application(path: &Path) -> Outcome<Self> {
        Self::open(path, writing(path))
    }

    /// To a new file that is filled fast and not safely.
    pub fn making(path: &Path) -> Outcome<Self> {
        let options = writing(path).create_if_missing(true).pragma("journal_mode", "OFF");
        Self::open(path, options.synchronous(SqliteSynchronous::Off).pragma("cache_size", "-262144"))
    }

    /// Only to look.
    pub fn reading(path: &Path) -> Outcome<Self> {
        Self::open(path, writing(path).read_only(true))
    }

    fn open(path: &Path, options: SqliteConnectOptions) -> Outcome<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().doing("begin")?;
        let connection = runtime.block_on(SqliteConnection::connect_with(&options));
        let connection = connection.doing(format_args!("open {}", path.display()))?;
        Ok(Self { runtime, connection })
    }

    /// Runs one statement; gives how many rows it has changed.
    pub fn run(&mut self, sql: &str, binds: &[Bind<'_>]) -> Outcome<u64> {
        let done = self.runtime.block_on(bound(sql, binds).execute(&mut self.connection));
        Ok(done.doing(format_args!("run {sql:?}"))?.rows_affected())
    }

    /// Runs several statements.
    pub fn script(&mut self, sql: &str) -> Outcome<()> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        self.runtime.block_on(query.execute(&mut self.connection)).doing(format_args!("run {sql:?}"))?;
        Ok(())
    }

    /// Reads one row that is not looked at; gives whether there was one.
    pub fn touch(&mut self, sql: &str, binds: &[Bind<'_>]) -> Outcome<bool> {
        let row = self.runtime.block_on(bound(sql, binds).fetch_all(&mut self.connection));
        Ok(!row.doing(format_args!("read {sql:?}"))?.is_empty())
    }

    /// The first column of every row.
    pub fn column<T>(&mut self, sql: &str, binds: &[Bind<'_>]) -> Outcome<Vec<T>>
    where
        T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + Send + Unpin,
    {
        let rows = self.runtime.block_on(bound(sql, binds).fetch_all(&mut self.connection));
        let rows = rows.doing(format_args!("read {sql:?}"))?;
        let values: Result<_, _> = rows.iter().map(|row| sqlx::Row::try_get(row, 0)).collect();
        values.doing(format_args!("read {sql:?}"))
    }

    /// What one row and column holds as a JSON array: far quicker than as many rows.
    pub fn list<T: DeserializeOwned>(&mut self, sql: &str, binds: &[Bind<'_>]) -> Outcome<Vec<T>> {
        let texts: Vec<String> = self.column(sql, binds)?;
        serde_json::from_str(texts.first().map_or("[]", String::as_str)).doing(format_args!("read {sql:?}"))
    }

    /// The number that one row and column holds.
    pub fn number(&mut self, sql: &str) -> Outcome<i64> {
        Ok(self.column(sql, &[])?.first().copied().unwrap_or_default())
    }

    /// Closes, which leaves nothing in a log where nobody else has the database open.
    pub fn close(self) -> Outcome<()> {
        self.runtime.block_on(self.connection.close()).doing("close a database")
    }
}

fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).foreign_keys(false).busy_timeout(BUSY_TIMEOUT)
}

fn bound<'q>(sql: &str, binds: &[Bind<'_>]) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    binds.iter().fold(query, |query, bind| match bind {
        Bind::Number(number) => query.bind(*number),
        Bind::Text(text) => query.bind((*text).to_owned()),
    })
}
