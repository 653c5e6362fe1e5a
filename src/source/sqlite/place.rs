//! Which file a connection was opened on: the path may lead to another one by now.
//!
//! A database that is put back from a backup is a new file under the old name. Connections that are open stay with the old
//! one, which nobody sees any more; SQLite does not notice.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::source::{FileFault, SourceError};

/// A file at its path, told from every other by its device and its inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    /// The file that is there now.
    pub(super) fn of(path: &Path) -> Result<Self, SourceError> {
        let found = path.metadata().map_err(|error| match error.kind() {
            ErrorKind::NotFound => SourceError::Missing { path: path.to_owned() },
            _ => SourceError::Fault(FileFault::Closed),
        })?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }

    /// That the same file is still there.
    pub(super) fn check(&self) -> Result<(), SourceError> {
        match Self::of(&self.path) {
            Ok(now) if now == *self => Ok(()),
            Ok(_) => Err(SourceError::Replaced { path: self.path.clone() }),
            Err(error) => Err(error),
        }
    }
}
