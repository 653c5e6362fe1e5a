//! The guard: SQL from the settings runs only where it cannot do harm.
//!
//! The only module with `unsafe`, with [`file`] below it. On a guarded connection SQLite's authorizer, asked when a statement is compiled, lets
//! through reading and plain functions and nothing else: no writing, no PRAGMA, no ATTACH, no transaction, no function
//! that tells the time of day or is random. It cannot be switched off by SQL. [`shape`] compiles one statement without
//! running it and says what is in it.

pub(super) mod file;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use libsqlite3_sys as ffi;
use sqlx::sqlite::LockedSqliteHandle;

/// Functions that would make the same state give another set, or reach beyond the database.
const FORBIDDEN_FUNCTIONS: [&str; 9] = [
    "load_extension",
    "random",
    "randomblob",
    "current_date",
    "current_time",
    "current_timestamp",
    "writefile",
    "edit",
    "fts3_tokenizer",
];

/// What is in one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether text follows the first statement.
    pub(super) has_tail: bool,
    /// How many columns it answers with; 0 when it is no query.
    pub(super) columns: c_int,
    /// Whether it leaves the database as it is.
    pub(super) reads_only: bool,
}

/// Puts the guard on a connection, for as long as the connection lives.
pub(super) fn install(handle: &mut LockedSqliteHandle<'_>) -> bool {
    names_are_no_text(handle) && authorize_by_guard(handle)
}

/// A name in double quotes that is no column is an error: to SQLite it would otherwise be text, and a misspelt
/// `"stauts" <> 'customer'` would be true of everybody.
fn names_are_no_text(handle: &mut LockedSqliteHandle<'_>) -> bool {
    let database = handle.as_raw_handle().as_ptr();
    let off: c_int = 0;
    // SAFETY: `handle` keeps the connection locked, and the pointer is valid while it does. For this operation SQLite takes
    // an int and a pointer to an int, which may be null.
    #[expect(unsafe_code, reason = "sqlx has no call that configures a connection")]
    let code = unsafe { ffi::sqlite3_db_config(database, ffi::SQLITE_DBCONFIG_DQS_DML, off, ptr::null_mut::<c_int>()) };
    code == ffi::SQLITE_OK
}

fn authorize_by_guard(handle: &mut LockedSqliteHandle<'_>) -> bool {
    let database = handle.as_raw_handle().as_ptr();
    // SAFETY: `handle` keeps the connection locked, and the pointer is valid while it does. The callback is a plain
    // function without state, so it may outlive everything.
    #[expect(unsafe_code, reason = "sqlx has no call that sets an authorizer")]
    let code = unsafe { ffi::sqlite3_set_authorizer(database, Some(authorize), ptr::null_mut()) };
    code == ffi::SQLITE_OK
}

#[expect(unsafe_code, reason = "SQLite calls it, with C strings")]
unsafe extern "C" fn authorize(
    _state: *mut c_void,
    action: c_int,
    _first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    _trigger: *const c_char,
) -> c_int {
    let allowed = match action {
        ffi::SQLITE_SELECT | ffi::SQLITE_READ | ffi::SQLITE_RECURSIVE => true,
        ffi::SQLITE_FUNCTION => {
            // SAFETY: for this action SQLite passes the function's name as the second argument: a C string that lives as
            // long as the call; a null pointer is refused here.
            #[expect(unsafe_code, reason = "the name comes as a C string")]
            let name = (!second.is_null()).then(|| unsafe { CStr::from_ptr(second) });
            name.and_then(|name| name.to_str().ok())
                .is_some_and(|name| !FORBIDDEN_FUNCTIONS.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden)))
        }
        _ => false,
    };
    if allowed { ffi::SQLITE_OK } else { ffi::SQLITE_DENY }
}

/// Compiles the first statement of `sql` and says what is in it; the error is the database's own message.
pub(super) fn shape(handle: &mut LockedSqliteHandle<'_>, sql: &str) -> Result<Shape, String> {
    let text = CString::new(sql).map_err(|_| "it contains a NUL character".to_owned())?;
    let database = handle.as_raw_handle().as_ptr();
    let mut statement = ptr::null_mut();
    let mut tail = ptr::null();
    // SAFETY: `handle` keeps the connection locked; `text` outlives the call; the statement is finalized below, before
    // the lock ends; the tail points into `text`; the message is copied before anything else is done with the connection.
    #[expect(unsafe_code, reason = "sqlx compiles every statement of a text and runs them all")]
    unsafe {
        let code = ffi::sqlite3_prepare_v2(database, text.as_ptr(), -1, &raw mut statement, &raw mut tail);
        if code != ffi::SQLITE_OK {
            return Err(CStr::from_ptr(ffi::sqlite3_errmsg(database)).to_string_lossy().into_owned());
        }
        if statement.is_null() {
            return Err("it is empty".to_owned());
        }
        let shape = Shape {
            has_tail: !CStr::from_ptr(tail).to_bytes().trim_ascii().is_empty(),
            columns: ffi::sqlite3_column_count(statement),
            reads_only: ffi::sqlite3_stmt_readonly(statement) != 0,
        };
        ffi::sqlite3_finalize(statement);
        Ok(shape)
    }
}
