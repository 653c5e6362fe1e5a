//! What can go wrong with a source.

use std::path::PathBuf;

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
        source: sqlx::Error,
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
    /// The application kept its lock for longer than we wait.
    #[error("the application keeps the database locked")]
    Locked,
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
    #[error("the database refused to {doing} {table}: {message}")]
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
    /// The connection could not be guarded, so nothing is run on it.
    #[error("cannot put the guard on a connection for the settings' SQL")]
    Unguarded,
}

impl SourceError {
    pub(super) fn query(doing: &'static str, source: sqlx::Error) -> Self {
        if is_busy(&source) { Self::Locked } else { Self::Query { doing, source } }
    }

    /// Whether the application or the machine is in the way, rather than a record: trying again later may help, and
    /// trying with fewer records does not.
    #[must_use]
    pub fn is_about_the_database(&self) -> bool {
        match self {
            Self::Open { .. }
            | Self::Missing { .. }
            | Self::Bytes { .. }
            | Self::Locked
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

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
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
