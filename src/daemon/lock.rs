//! One daemon for one state.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::store::open_file;

/// Holds the state for this process; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct StateLock(#[expect(dead_code, reason = "the lock is held for as long as the file is open")] File);

/// Why the state cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another erasured is using the state in {0}")]
    Taken(PathBuf),
    /// The lock's file cannot be made.
    #[error("cannot lock the state in {dir}")]
    File {
        /// The state's folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl StateLock {
    pub(super) fn take(dir: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::File { dir: dir.to_owned(), source };
        let path = dir.join("state.lock");
        let file = open_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken(dir.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
