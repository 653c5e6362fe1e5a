//! What can go wrong with a source.

use std::path::{Path, PathBuf};

/// An operation on an application's database has failed. No variant holds a value of a row.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be opened.
    #[error("cannot open the database {path}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no file.
    #[error("there is no database at {path}", path = .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Its bytes cannot be looked through.
    #[error("cannot look through {path}: {what}", path = .path.display())]
    Bytes {
        /// The file.
        path: PathBuf,
        /// Why not.
        what: String,
    },
    /// There is a file, and nothing in it.
    #[error("there is nothing in the database {path}: the file is empty", path = .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The application kept its lock for longer than we wait.
    #[error("the application keeps the database locked")]
    Locked,
    /// The file or the disk is in the way.
    #[error(transparent)]
    Fault(FileFault),
    /// There is another file now where the database was opened: what is written goes into one that nobody sees any more.
    #[error("the database {path} was replaced by another file while it was open", path = .path.display())]
    Replaced {
        /// Where it was opened.
        path: PathBuf,
    },
    /// A statement of ours has failed.
    #[error("cannot {doing}")]
    Query {
        /// What was to be done.
        doing: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A constraint or a trigger of the application has refused a change.
    #[error("cannot {doing} {table}: {message}")]
    Refused {
        /// What was to be done.
        doing: &'static str,
        /// The table.
        table: String,
        /// The database's own message, where it is fixed text.
        message: String,
    },
    /// Fewer or more rows changed than were planned.
    #[error("{doing} {table} was to change {planned} rows and changed {changed}")]
    Miscounted {
        /// What was to be done.
        doing: &'static str,
        /// The table.
        table: String,
        /// Rows planned.
        planned: u64,
        /// Rows changed.
        changed: u64,
    },
    /// Verification found that a batch would not have done what it says.
    #[error("{count} rows of {table} {fault}")]
    Unverified {
        /// The table.
        table: String,
        /// Rows.
        count: u64,
        /// What is wrong with them.
        fault: String,
    },
    /// An expression of the settings cannot be used.
    #[error("{where_written}: {reason}")]
    Expression {
        /// Where it was written.
        where_written: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The application has changed its schema since the settings were laid over it.
    #[error("the schema has changed since the settings were laid over it")]
    SchemaChanged,
    /// The connection could not be guarded, so nothing is run on it.
    #[error("cannot put the guard on a connection for the settings' SQL")]
    Unguarded,
}

/// What SQLite says of the file itself, by its result code, whatever was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// READONLY (8).
    #[error("the database cannot be written: it, its folder or the disk is read-only")]
    ReadOnly,
    /// `READONLY_ROLLBACK` (776): a journal lies beside the file that only who may write can roll back.
    #[error("a crash of the application has left a change half written in the database")]
    HalfWritten,
    /// IOERR (10).
    #[error("the disk of the database fails")]
    Disk,
    /// CORRUPT (11).
    #[error("the database is damaged")]
    Damaged,
    /// FULL (13).
    #[error("the disk of the database is full")]
    Full,
    /// CANTOPEN (14).
    #[error("the database or a file beside it cannot be opened")]
    Closed,
    /// NOTADB (26).
    #[error("the file is no SQLite database")]
    NotADatabase,
}

impl FileFault {
    fn of(error: &sqlx::Error) -> Option<Self> {
        /// Extended code `IOERR_SHMSIZE`: there is no room for the file that the write-ahead log's readers share.
        const SHM_SIZE: i32 = 4_874;
        const READONLY_ROLLBACK: i32 = 776;
        match extended_code(error) {
            Some(SHM_SIZE) => return Some(Self::Full),
            Some(READONLY_ROLLBACK) => return Some(Self::HalfWritten),
            _ => {}
        }
        Some(match primary_code(error)? {
            8 => Self::ReadOnly,
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
            Self::ReadOnly => {
                "let the daemon's user write to the file, and to the folder that its journals are made in"
            }
            Self::HalfWritten => {
                "whoever may write to the file and its folder takes it back by opening it, as the application does"
            }
            Self::Disk => {
                "see what the system's log says of the disk, then check the database with PRAGMA integrity_check"
            }
            Self::Damaged => "check it with PRAGMA integrity_check, and repair it or restore a backup",
            Self::Full => "make room on the disk; nothing was changed, and the next run goes on",
            Self::Closed => "see that the folder is there and that the daemon's user may write to it",
            Self::NotADatabase => "check the url in erasured.toml, and what lies at that path",
        }
    }
}

impl SourceError {
    pub(super) fn query(doing: &'static str, source: sqlx::Error) -> Self {
        if is_busy(&source) {
            return Self::Locked;
        }
        FileFault::of(&source).map_or(Self::Query { doing, source }, Self::Fault)
    }

    /// Why the database at `path` could not be opened.
    pub(super) fn opening(path: &Path, source: sqlx::Error) -> Self {
        if is_busy(&source) {
            return Self::Locked;
        }
        let source: Box<dyn std::error::Error + Send + Sync> = match FileFault::of(&source) {
            Some(fault) => Box::new(fault),
            None => Box::new(source),
        };
        Self::Open { path: path.to_owned(), source }
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Fault(fault) => Some(fault.hint()),
            Self::Open { source, .. } => source.downcast_ref::<FileFault>().map(|fault| fault.hint()),
            Self::Missing { .. } | Self::Empty { .. } => {
                Some("put it back, or check the url in erasured.toml; no new one is made")
            }
            Self::Replaced { .. } => Some("nothing more was written; the next run opens the file that is there now"),
            _ => None,
        }
    }

    /// Whether a crash of the application has left a change that is to be rolled back.
    pub(super) fn is_half_written(&self) -> bool {
        matches!(self, Self::Open { source, .. } if source.downcast_ref() == Some(&FileFault::HalfWritten))
    }

    /// Whether the application may just be at work: trying again later is all that it takes.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Locked)
    }

    /// Whether nothing more should be tried with the same file before somebody has looked, whichever category it is about.
    #[must_use]
    pub const fn is_about_the_file(&self) -> bool {
        match self {
            Self::Fault(_)
            | Self::Open { .. }
            | Self::Missing { .. }
            | Self::Empty { .. }
            | Self::Bytes { .. }
            | Self::Replaced { .. } => true,
            Self::Locked
            | Self::SchemaChanged
            | Self::Unguarded
            | Self::Expression { .. }
            | Self::Query { .. }
            | Self::Refused { .. }
            | Self::Miscounted { .. }
            | Self::Unverified { .. } => false,
        }
    }

    /// Whether the application or the machine is in the way, rather than a record: trying again later may help, and
    /// trying with fewer records does not.
    #[must_use]
    pub fn is_about_the_database(&self) -> bool {
        match self {
            Self::Open { .. }
            | Self::Missing { .. }
            | Self::Empty { .. }
            | Self::Bytes { .. }
            | Self::Locked
            | Self::Fault(_)
            | Self::Replaced { .. }
            | Self::SchemaChanged
            | Self::Unguarded
            | Self::Expression { .. } => true,
            Self::Query { source, .. } => !is_constraint(source),
            Self::Refused { .. } | Self::Miscounted { .. } | Self::Unverified { .. } => false,
        }
    }
}

/// SQLite's primary result codes BUSY (5) and LOCKED (6) are in the low byte of the extended ones.
fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error).is_some_and(|code| code == 5 || code == 6)
}

fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    extended_code(error).map(|code| code & 0xff)
}

/// Whether a row is in the way: a constraint (19), or code of the application in the schema that fails on it – ERROR (1),
/// TOOBIG (18), MISMATCH (20). That the code compiles has been seen by `check`.
pub(super) fn is_about_a_row(error: &sqlx::Error) -> bool {
    // A table or column that is missing all of a sudden is nothing that another record could do better.
    let is_missing = error.as_database_error().is_some_and(|error| error.message().starts_with("no such "));
    !is_missing && primary_code(error).is_some_and(|code| matches!(code, 1 | 18 | 19 | 20))
}

/// Result code CONSTRAINT (19).
pub(super) fn is_constraint(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(19)
}
