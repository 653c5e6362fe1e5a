//! Which file the state was opened on: the path may lead to another one by now, or to none.
//!
//! What is written then goes into a file that nobody sees any more, and is lost with the process.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::StoreError;

/// A file at its path, told from every other by its device and its inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    /// The file that is there now.
    pub(super) fn of(path: &Path) -> Result<Self, StoreError> {
        let file = |source| StoreError::File { doing: "look at", path: path.to_owned(), source };
        let found = path.metadata().map_err(file)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }

    /// That the same file is still there.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match Self::of(&self.path) {
            Ok(now) if now == *self => Ok(()),
            Ok(_) => Err(StoreError::Replaced { path: self.path.clone() }),
            Err(StoreError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::Removed { path: self.path.clone() })
            }
            Err(error) => Err(error),
        }
    }
}
