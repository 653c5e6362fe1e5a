//! The bytes of a database, read through SQLite's own handle.
//!
//! To open and close the file beside SQLite would drop every lock that this process holds on it: with POSIX locks, closing
//! any descriptor of a file does. So its bytes are read by the methods of the file that SQLite itself has open.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use libsqlite3_sys as ffi;
use sqlx::sqlite::LockedSqliteHandle;

/// The file ends within what was to be read; the rest is filled with zeros.
const SHORT_READ: c_int = ffi::SQLITE_IOERR | (2 << 8);

/// A database's main file, as its connection has it open, for as long as the connection is locked.
pub(in crate::source::sqlite) struct MainFile<'h> {
    file: *mut ffi::sqlite3_file,
    of: PhantomData<&'h mut ()>,
}

impl<'h> MainFile<'h> {
    /// The main file of the connection; the error is SQLite's code.
    pub(in crate::source::sqlite) fn of(handle: &'h mut LockedSqliteHandle<'_>) -> Result<Self, i32> {
        let database = handle.as_raw_handle().as_ptr();
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        // SAFETY: `handle` keeps the connection locked, and the pointer is valid while it does. For this operation SQLite
        // writes one pointer to where the last argument points.
        #[expect(unsafe_code, reason = "sqlx has no call that gives the file")]
        let code = unsafe {
            ffi::sqlite3_file_control(
                database,
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast::<c_void>(),
            )
        };
        if code != ffi::SQLITE_OK || file.is_null() {
            return Err(if code == ffi::SQLITE_OK { ffi::SQLITE_CANTOPEN } else { code });
        }
        Ok(Self { file, of: PhantomData })
    }

    /// How many bytes it has.
    pub(in crate::source::sqlite) fn size(&mut self) -> Result<u64, i32> {
        let mut bytes: i64 = 0;
        // SAFETY: the file belongs to a connection that stays locked while `self` lives, so nobody else uses or closes it;
        // its methods are set for as long as it is open, and take the file that they belong to.
        #[expect(unsafe_code, reason = "the methods of SQLite's files are C functions")]
        let code = unsafe {
            match (*self.file).pMethods.as_ref().and_then(|methods| methods.xFileSize) {
                Some(size) => size(self.file, &raw mut bytes),
                None => ffi::SQLITE_CANTOPEN,
            }
        };
        if code == ffi::SQLITE_OK { Ok(u64::try_from(bytes).unwrap_or(0)) } else { Err(code) }
    }

    /// Fills `into` from byte `at` on; false where the file ends before that.
    pub(in crate::source::sqlite) fn read(&mut self, at: u64, into: &mut [u8]) -> Result<bool, i32> {
        let (Ok(at), Ok(bytes)) = (i64::try_from(at), c_int::try_from(into.len())) else {
            return Err(ffi::SQLITE_TOOBIG);
        };
        // SAFETY: as for the size; SQLite writes at most `bytes` bytes to `into`, which has so many.
        #[expect(unsafe_code, reason = "the methods of SQLite's files are C functions")]
        let code = unsafe {
            match (*self.file).pMethods.as_ref().and_then(|methods| methods.xRead) {
                Some(read) => read(self.file, into.as_mut_ptr().cast::<c_void>(), bytes, at),
                None => ffi::SQLITE_CANTOPEN,
            }
        };
        match code {
            ffi::SQLITE_OK => Ok(true),
            SHORT_READ => Ok(false),
            code => Err(code),
        }
    }
}
