//! The end of the trail, in a small file beside the state: what a state that was put back from an older copy does not have.
//!
//! Written behind every change, in place and in one piece that is far smaller than a sector, and not waited for: after a
//! power cut it may be behind the state, which is synced before, and is never ahead of it. It holds a number and a hash. May
//! be relied on: a state without that entry is not opened. Never tells of a copy that was put back together with the file.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use sqlx::SqliteConnection;

use super::StoreError;
use super::error::failed;
use super::owned::open_file;
use crate::audit::Head;
use crate::record::{hex, unhex};

/// Its name, behind that of the state.
const SUFFIX: &str = ".newest";

/// Where the end of the trail is noted.
#[derive(Debug, Clone)]
pub(super) struct Newest(PathBuf);

impl Newest {
    /// The file beside this state.
    pub(super) fn beside(state: &Path) -> Self {
        let mut name = state.as_os_str().to_owned();
        name.push(SUFFIX);
        Self(name.into())
    }

    /// Notes the end of the trail. The change holds already: whether this can be written makes no difference to it.
    pub(super) fn note(&self, head: &Head) {
        let line = format!("{:020} {}\n", head.entries, hex(&head.hash));
        if let Err(error) = open_file(&self.0).and_then(|file| file.write_all_at(line.as_bytes(), 0)) {
            tracing::error!(%error, path = %self.0.display(), "the end of the trail is not noted beside the state");
        }
    }

    fn read(&self) -> Result<Option<(i64, [u8; 32])>, StoreError> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::File { doing: "read", path: self.0.clone(), source }),
        };
        if text.bytes().all(|byte| byte == 0) {
            // It had just been made when the power failed: some file systems keep the length, and not what was written.
            return Ok(None);
        }
        let parts = text.trim_end().split_once(' ');
        let noted = parts.and_then(|(entries, hash)| Some((entries.parse().ok()?, unhex(hash)?)));
        let unreadable = || StoreError::Unreadable { what: format!("{} does not hold an entry", self.0.display()) };
        noted.map(Some).ok_or_else(unreadable)
    }

    /// Refuses a state without the entry that is noted. One that was pruned meanwhile has been there.
    pub(super) async fn check(&self, state: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let Some((entry, hash)) = self.read()? else { return Ok(()) };
        let is_there: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM audit WHERE seq = ?1 AND hash = ?2) OR EXISTS (SELECT 1 FROM cut WHERE entries > ?1)",
        )
        .bind(entry)
        .bind(hash.as_slice())
        .fetch_one(connection)
        .await
        .map_err(failed("look for the newest entry of the trail"))?;
        if is_there {
            return Ok(());
        }
        Err(StoreError::Older { path: state.to_owned(), entry, noted: self.0.clone() })
    }
}

/// Where the end of a trail is noted beside a state that is not there.
#[must_use]
pub fn noted_without_state(state: &Path) -> Option<PathBuf> {
    let Newest(path) = Newest::beside(state);
    path.exists().then_some(path)
}
