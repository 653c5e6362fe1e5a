//! What can go wrong with the state.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;

use crate::proposal::BatchId;
use crate::record::{FingerprintKeyId, SourceName};

/// The cause below a failure of the state, whatever library it comes from.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the state cannot be opened, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no state where one should be.
    #[error("cannot open the state: there is no {0}")]
    Missing(PathBuf),
    /// There is a file where a new state was to be made.
    #[error("cannot make a new state: there is a {0} already")]
    Exists(PathBuf),
    /// The file is something else.
    #[error("cannot open the state: {path} {what}")]
    NotAState {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// A later version of the daemon has written it.
    #[error("cannot open the state: {path} is of version {found}, and this program knows versions up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it is of.
        found: i64,
        /// The latest version known here.
        known: i64,
    },
    /// The file is damaged.
    #[error("cannot open the state: {path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found first.
        what: String,
    },
    /// Somebody has put another file in its place while it was open.
    #[error("the state {path} was replaced by another file while it was open", path = .path.display())]
    Replaced {
        /// Where it was.
        path: PathBuf,
    },
    /// Somebody has removed it while it was open.
    #[error("the state {path} was removed while it was open", path = .path.display())]
    Removed {
        /// Where it was.
        path: PathBuf,
    },
    /// More has been written than is in it: it was put back from a copy.
    #[error("cannot open the state: {path} is an older copy, or another: entry {entry} of the trail, which {noted} names, is not in it", path = .path.display(), noted = .noted.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// The newest entry that was noted.
        entry: i64,
        /// Where that is noted.
        noted: PathBuf,
    },
    /// The trail is not as it was written.
    #[error("the audit trail has been changed: entry {seq}: {what}")]
    BrokenChain {
        /// The entry.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The trail was pruned while somebody was reading it.
    #[error("cannot read on: the audit trail has been pruned meanwhile and begins with entry {first}")]
    PrunedMeanwhile {
        /// The entry that it begins with.
        first: u64,
    },
    /// A file or a directory could not be worked with.
    #[error("cannot {doing} {path}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The database under the state refused something.
    #[error("cannot {doing}")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        #[source]
        source: Cause,
    },
    /// A row holds something that this version cannot have written.
    #[error("cannot read the state: {what}")]
    Unreadable {
        /// Where, and what.
        what: String,
    },
    /// The operating system has no random bytes.
    #[error("cannot get random bytes")]
    Random(#[source] Cause),
    /// The batch that was to be ended is not open.
    #[error("cannot end batch {0}: it is not open")]
    BatchNotOpen(BatchId),
    /// A fingerprint key was to take the place of one that it is not made from.
    #[error("the fingerprint key {to} is not what one exchange has made of {from}")]
    NotExchanged {
        /// The key in force.
        from: FingerprintKeyId,
        /// The other.
        to: FingerprintKeyId,
    },
    /// A batch was to be begun before the last was settled.
    #[error("cannot begin a batch of {source_name}: batch {open} is not settled")]
    BatchOpen {
        /// The source.
        source_name: SourceName,
        /// The batch that is open.
        open: BatchId,
    },
    /// A batch was to be begun in a source that is closed.
    #[error("cannot begin a batch of {source_name}: the source is closed: {reason}")]
    SourceClosed {
        /// The source.
        source_name: SourceName,
        /// Why.
        reason: String,
    },
    /// There is no such run, or it is not in the state that was expected.
    #[error("cannot {doing} run {run}: there is none that {expected}")]
    NoSuchRun {
        /// What was tried.
        doing: &'static str,
        /// The run's number.
        run: i64,
        /// What it should be.
        expected: &'static str,
    },
    /// A statement has changed more or fewer rows than it should have.
    #[error("the state contradicts itself: {found} rows instead of {expected} changed while trying to {doing}")]
    RowsChanged {
        /// What was tried.
        doing: &'static str,
        /// Rows that should have changed.
        expected: u64,
        /// Rows that did.
        found: u64,
    },
}

impl StoreError {
    /// What to do about a state that cannot be opened.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => Some("a first start makes it; if there was one, restore it from a backup"),
            Self::NotAState { .. } => Some("nothing has been changed; put the right file in its place"),
            Self::Newer { .. } => Some("start the program that wrote it, or a later one"),
            Self::Damaged { .. } => Some("restore it from a backup"),
            Self::Older { .. } => Some(
                "restore the newest copy of its folder, whole; to go on without the holds and decisions since this one, move state.db.newest away",
            ),
            Self::BrokenChain { .. } => Some("compare it with an exported trail and the checkpoints in the log"),
            Self::Replaced { .. } | Self::Removed { .. } => {
                Some("what is there now, or the newest backup, holds from the next start on; start the daemon again")
            }
            Self::Database { source, .. } => source.downcast_ref::<StateFault>().map(|fault| fault.hint()),
            _ => None,
        }
    }
}

/// What SQLite says of the state's file, by primary result code, whatever was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum StateFault {
    /// BUSY (5) and LOCKED (6).
    #[error("another program keeps it locked")]
    Locked,
    /// READONLY (8).
    #[error("it, its folder or the disk is read-only")]
    ReadOnly,
    /// IOERR (10).
    #[error("the disk fails")]
    Disk,
    /// CORRUPT (11).
    #[error("it is damaged")]
    Damaged,
    /// FULL (13), and no room for the index of the write-ahead log.
    #[error("the disk is full")]
    Full,
    /// CANTOPEN (14).
    #[error("it, or a file beside it, cannot be opened")]
    Closed,
    /// NOTADB (26).
    #[error("it is no SQLite database")]
    NotADatabase,
}

impl StateFault {
    fn of(error: &sqlx::Error) -> Option<Self> {
        /// Extended code `IOERR_SHMSIZE`.
        const SHM_SIZE: i32 = 4_874;
        let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
        Some(match code & 0xff {
            5 | 6 => Self::Locked,
            8 => Self::ReadOnly,
            10 if code == SHM_SIZE => Self::Full,
            10 => Self::Disk,
            11 => Self::Damaged,
            13 => Self::Full,
            14 => Self::Closed,
            26 => Self::NotADatabase,
            _ => return None,
        })
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Locked => "nobody but the daemon may have the state open; end the other program",
            Self::ReadOnly | Self::Closed => "let the daemon's user write to the state's folder; nothing was changed",
            Self::Disk => {
                "see what the system's log says of the disk; restore the state from a backup if it is damaged"
            }
            Self::Damaged | Self::NotADatabase => "restore it from a backup",
            Self::Full => "make room on the disk of the state; nothing was changed, and the next start goes on",
        }
    }
}

/// Wraps what the database library says.
pub(super) fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| {
        let source: Cause = match (StateFault::of(&error), error) {
            (Some(fault), _) => Box::new(fault),
            // What is around it says the same once more.
            (None, sqlx::Error::Database(error)) => error,
            (None, error) => Box::new(error),
        };
        StoreError::Database { doing, source }
    }
}

/// Wraps what is said of a step to this version.
pub(super) fn not_migrated(error: MigrateError) -> StoreError {
    const DOING: &str = "bring the state to this version";
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(DOING)(error),
        error => StoreError::Database { doing: DOING, source: Box::new(error) },
    }
}

/// Refuses a statement that has not changed exactly as many rows as it should.
pub(super) fn expect_rows(doing: &'static str, expected: usize, found: u64) -> Result<(), StoreError> {
    let expected = expected as u64;
    if expected == found { Ok(()) } else { Err(StoreError::RowsChanged { doing, expected, found }) }
}
