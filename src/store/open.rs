//! Making and opening the state file.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr as _, SqliteConnection};

use super::error::{failed, not_migrated};
use super::hold::Announced;
use super::newest::Newest;
use super::owned::{folder_of, make_file};
use super::place::Place;
use super::time::Times;
use super::veil::Veil;
use super::{Store, StoreError, turn};
use crate::audit::{By, Kind};
use crate::clock::SharedClock;
use crate::record::{hex, random_bytes};

/// `PRAGMA application_id` of a state file: the letters `Eras`.
const APPLICATION_ID: i32 = 0x4572_6173;
/// What every SQLite file begins with.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The header of an SQLite file, and where in it the application's id stands.
const SQLITE_HEAD_BYTES: u64 = 100;
const APPLICATION_ID_PLACE: std::ops::Range<usize> = 68..72;
/// How long a connection waits for another one's lock. Only this process uses the file, so this is never needed for long.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that read at the same time.
const READERS_MAX: u32 = 4;
/// What one of them keeps of the file, as SQLite counts it: negative, in KiB. The system keeps the rest.
const READER_CACHE: &str = "-512";
/// What the connection that writes keeps of it.
const WRITER_CACHE: &str = "-8192";
/// Pages in the WAL that are worth moving to the file: a large batch changes most of them more than once.
const CHECKPOINT_PAGES: &str = "16000";
/// How long one of them stays open that nobody needs.
const READER_IDLE: Duration = Duration::from_secs(120);

/// The versions of the state, each with what leads to it.
fn migrator() -> Migrator {
    let step = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![step(1, "state", include_str!("migrations/0001_state.sql"))])
}

impl Store {
    /// Opens the state at `path`, brings it to this version, and checks the end of its trail. Takes as long however much
    /// history there is; [`check_whole`](Self::check_whole) is what takes longer.
    ///
    /// # Errors
    /// When there is none, when it is something else, newer, damaged, an older copy, or its trail has been changed. Nothing
    /// is ever overwritten.
    pub async fn open(path: &Path, clock: SharedClock) -> Result<Self, StoreError> {
        check_is_state(path)?;
        let place = Place::of(path)?;
        let mut writer = writing(path, false).connect().await.map_err(failed("open the state"))?;
        check_version(path, &mut writer).await?;
        migrate(&mut writer).await?;
        super::trail::check_tail(&mut writer).await?;
        Newest::beside(path).check(path, &mut writer).await?;
        // A kill may have come between a removal and the emptying of the log.
        turn::empty_log(&mut writer).await?;
        let installation: String = sqlx::query_scalar("SELECT installation FROM meta")
            .fetch_one(&mut writer)
            .await
            .map_err(failed("read which installation the state is of"))?;
        let times = Times::read(&mut writer, Arc::clone(&clock)).await?;
        let veil = super::personal::remembered(&mut writer).await?.into();
        let readers = reading(path).await?;
        place.check()?;
        let (writer, announced) = (tokio::sync::Mutex::new(writer), Announced::default());
        Ok(Self {
            path: path.to_owned(),
            writer,
            readers,
            clock,
            times,
            place,
            installation,
            announced,
            veil,
            covering: tokio::sync::RwLock::default(),
        })
    }

    /// Opens the state at `path` for looking only, beside a daemon or without one. Nothing can be changed through it.
    ///
    /// # Errors
    /// When there is none, or it is something else, or of another version.
    pub async fn look(path: &Path, clock: SharedClock) -> Result<Self, StoreError> {
        check_is_state(path)?;
        let place = Place::of(path)?;
        let mut writer = reader(path).connect().await.map_err(failed("open the state"))?;
        check_version(path, &mut writer).await?;
        let installation: String = sqlx::query_scalar("SELECT installation FROM meta")
            .fetch_one(&mut writer)
            .await
            .map_err(failed("read which installation the state is of"))?;
        let times = Times::read(&mut writer, Arc::clone(&clock)).await?;
        let veil = super::personal::remembered(&mut writer).await?.into();
        let readers = reading(path).await?;
        place.check()?;
        let (writer, announced) = (tokio::sync::Mutex::new(writer), Announced::default());
        Ok(Self {
            path: path.to_owned(),
            writer,
            readers,
            clock,
            times,
            place,
            installation,
            announced,
            veil,
            covering: tokio::sync::RwLock::default(),
        })
    }

    /// Makes a new state at `path` and opens it. The file appears there only when it is complete.
    ///
    /// # Errors
    /// When there is a file already, or a new one cannot be made.
    pub async fn create(path: &Path, clock: SharedClock) -> Result<Self, StoreError> {
        if path.symlink_metadata().is_ok() {
            return Err(StoreError::Exists(path.to_owned()));
        }
        let unfinished = unfinished_path(path);
        // What an earlier start could not finish holds nothing.
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(suffixed(&unfinished, suffix));
        }
        let file = |doing| move |source| StoreError::File { doing, path: path.to_owned(), source };
        make_file(&unfinished).map_err(file("make"))?;
        fill(&unfinished, &clock).await?;
        // A hard link refuses to replace what has appeared in the meantime; a rename would not.
        std::fs::hard_link(&unfinished, path).map_err(file("make"))?;
        std::fs::remove_file(&unfinished).map_err(file("finish making"))?;
        sync_directory(path).map_err(file("sync the directory of"))?;
        Self::open(path, clock).await
    }

    /// Closes every connection; what is in the write-ahead log goes to the file.
    pub async fn close(self) {
        self.readers.close().await;
        // The last connection that closes writes the log back; it has nobody to tell of a failure, and loses nothing by it.
        let _ = self.writer.into_inner().close().await;
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn unfinished_path(path: &Path) -> PathBuf {
    suffixed(path, ".unfinished")
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Makes the tables and the first entry of the trail.
async fn fill(path: &Path, clock: &SharedClock) -> Result<(), StoreError> {
    let installation: [u8; 16] = random_bytes().map_err(|error| StoreError::Random(Box::new(error)))?;
    let installation = hex(&installation);
    let mut writer = writing(path, false).connect().await.map_err(failed("make the state"))?;
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}")))
        .execute(&mut writer)
        .await
        .map_err(failed("make the state"))?;
    migrate(&mut writer).await?;
    let (times, announced, veil) = (Times::new(Arc::clone(clock)), Announced::default(), Veil::default());
    let mut change = turn::Change::begin(&mut writer, clock.now(), times, announced, veil).await?;
    change.describe(&installation).await?;
    change.append(&By::daemon(), &Kind::StateCreated { installation }).await?;
    change.commit().await?;
    writer.close().await.map_err(failed("make the state"))
}

pub(super) fn writing(path: &Path, create: bool) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Texts that people typed go one day, and then their bytes are to go too.
        .pragma("secure_delete", "ON")
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
}

pub(super) fn reader(path: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    options.busy_timeout(BUSY_TIMEOUT).pragma("cache_size", READER_CACHE)
}

async fn reading(path: &Path) -> Result<SqlitePool, StoreError> {
    SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .idle_timeout(READER_IDLE)
        .max_lifetime(None)
        // A file does not hang up: to ask each time would be another hand-over between threads.
        .test_before_acquire(false)
        .connect_with(reader(path))
        .await
        .map_err(failed("open the state for reading"))
}

/// Before SQLite sees the file: it would take an empty one for a new database, and put a log beside one of somebody else.
fn check_is_state(path: &Path) -> Result<(), StoreError> {
    let file = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
        _ => StoreError::File { doing: "read", path: path.to_owned(), source },
    };
    let mut head = Vec::new();
    File::open(path).map_err(file)?.take(SQLITE_HEAD_BYTES).read_to_end(&mut head).map_err(file)?;
    let what = if head.is_empty() {
        "is empty"
    } else if !head.starts_with(SQLITE_MAGIC) {
        "is not an SQLite database"
    } else if head.get(APPLICATION_ID_PLACE) != Some(&APPLICATION_ID.to_be_bytes()) {
        "is a database of something else"
    } else {
        return Ok(());
    };
    Err(StoreError::NotAState { path: path.to_owned(), what: what.to_owned() })
}

async fn check_version(path: &Path, writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let known = migrator().iter().map(|step| step.version).max().unwrap_or(0);
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(writer)
        .await
        .map_err(failed("read the version of the state"))?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(())
}

async fn migrate(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    migrator().run(writer).await.map_err(not_migrated)
}
