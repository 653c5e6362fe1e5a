//! Opens the state with its keys, and refuses where one is there without the other.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::KeyName;
use super::keys::{self, KeyError, KeyRing};
use super::lock::{LockError, StateLock};
use crate::clock::SharedClock;
use crate::erasure::Shapes;
use crate::jobs::Keys;
use crate::record::CategoryName;
use crate::store::{Store, StoreError, StoredRule, noted_without_state, shapes};

/// The state, held by this process.
pub(super) struct Held {
    pub(super) store: Arc<Store>,
    pub(super) keys: Keys,
    /// Where the keys lie; `None` where they are credentials.
    pub(super) keys_at: Option<PathBuf>,
    /// Dropped last, so that nobody else opens what this process is still closing.
    pub(super) lock: StateLock,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There has never been one there, and none is to be made.
    #[error("there is no state in {dir}", dir = .0.display())]
    NoState(PathBuf),
    /// Its folder cannot be made.
    #[error("cannot make the folder {dir}", dir = .dir.display())]
    Directory {
        /// The folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has it.
    #[error(transparent)]
    Lock(LockError),
    /// There are no keys for it.
    #[error(transparent)]
    Key(KeyError),
    /// It cannot be opened.
    #[error(transparent)]
    Store(StoreError),
    /// It was made with another key.
    #[error("the state's fingerprints were taken with the key {wanted}, and the key here is {found}")]
    OtherKey {
        /// The key that the state names.
        wanted: String,
        /// The key that was found.
        found: String,
    },
    /// It was made with a key that was exchanged since.
    #[error(
        "the fingerprint key here, {found}, was exchanged since this state was written, which needs the key {wanted}: \
         exchanges since then: {exchanges}"
    )]
    LaterKey {
        /// The key that the state names.
        wanted: String,
        /// The key that was found.
        found: String,
        /// How many lines the file has more.
        exchanges: usize,
    },
}

impl StateError {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::NoState(_) => "give --state-dir the daemon's folder",
            Self::Directory { .. } => "give --state-dir a folder that this user may write to",
            Self::Lock(_) => "stop the other one first: systemctl stop erasured.socket erasured.service",
            Self::Key(error) => error.hint(),
            Self::Store(error) => error.hint().unwrap_or("see that the disk is well and not full; nothing was changed"),
            Self::OtherKey { .. } => {
                "restore the key of this state, from a backup as new as the state; after an exchange, put the file there that \
                 erasured rotate has written"
            }
            Self::LaterKey { .. } => {
                "restore the newest state; to go on with this one, take as many lines out at the end of the key's file"
            }
        }
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("state.db")
}

/// Takes the state in `dir` for this process, for a command that is about one; where there is none, nothing is made.
pub(super) async fn hold_existing(dir: &Path, clock: SharedClock) -> Result<Held, StateError> {
    let path = path(dir);
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        let left = noted_without_state(&path).or_else(|| keys::left_in(dir));
        return Err(
            left.map_or_else(|| StateError::NoState(dir.to_owned()), |left| StateError::Key(KeyError::StateLost(left)))
        );
    }
    hold(dir, clock, false).await
}

/// Takes the state in `dir` for this process; makes it where there has never been one, with keys if those may be made.
pub(super) async fn hold(dir: &Path, clock: SharedClock, may_make_keys: bool) -> Result<Held, StateError> {
    if !dir.exists() {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| StateError::Directory { dir: dir.to_owned(), source })?;
    }
    let lock = StateLock::take(dir).map_err(StateError::Lock)?;
    let path = path(dir);
    let exists = path.symlink_metadata().is_ok();
    if let Some(noted) = noted_without_state(&path).filter(|_| !exists) {
        return Err(StateError::Key(KeyError::StateLost(noted)));
    }
    let mut ring = keys::find(dir, exists, may_make_keys).map_err(StateError::Key)?;
    let store = if exists { Store::open(&path, clock).await } else { Store::create(&path, clock).await };
    let store = store.map_err(StateError::Store)?;
    store.unseal(ring.keys.fingerprint.key_seal());
    ring.settle().map_err(StateError::Key)?;
    if let Err(error) = check_keys(&store, &mut ring).await {
        // What opening it has put beside it goes again.
        store.close().await;
        return Err(error);
    }
    Ok(Held { store: Arc::new(store), keys: ring.keys, keys_at: ring.place, lock })
}

/// The state in `dir`, to be looked at only; `None` where there is none yet.
pub(super) async fn look(dir: &Path, clock: SharedClock) -> Result<Option<(Store, Keys)>, StateError> {
    let path = path(dir);
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let mut ring = keys::look(dir).map_err(StateError::Key)?;
    let store = Store::look(&path, clock).await.map_err(StateError::Store)?;
    store.unseal(ring.keys.fingerprint.key_seal());
    check_fingerprint_key(&store, &mut ring).await?;
    Ok(Some((store, ring.keys)))
}

/// What the state knows beyond the files.
pub(super) struct Remembered {
    /// What was changed while the daemon ran.
    pub(super) rules: Vec<StoredRule>,
    /// Categories that have personal keys.
    pub(super) personal: Arc<BTreeSet<CategoryName>>,
    /// What categories rely on in their schemas.
    pub(super) shapes: Shapes,
}

/// What is remembered in `dir`, as far as the state there can be read; `None` where it cannot, or there is none.
pub(super) async fn remembered(dir: &Path, clock: SharedClock) -> Option<Remembered> {
    let store = Store::look(&path(dir), clock).await.ok()?;
    let (rules, gates) = (store.rules().await.ok(), store.schema_gates().await.ok());
    let personal = store.personal_keys();
    store.close().await;
    Some(Remembered { rules: rules?, personal, shapes: shapes(&gates?).ok()? })
}

/// That these are the keys of this state. What an exchange of one has left undone that was cut short, is done.
async fn check_keys(store: &Store, ring: &mut KeyRing) -> Result<(), StateError> {
    if check_fingerprint_key(store, ring).await?
        && let Some(place) = &ring.place
    {
        keys::put_next_in_place(place, KeyName::FingerprintKey).map_err(StateError::Key)?;
    }
    let newest = store.newest_checkpoint().await.map_err(StateError::Store)?;
    ring.sign_after(newest.as_ref().map(|signed| signed.note.as_str()), store.installation()).map_err(StateError::Key)
}

/// That the fingerprint key is the one of this state; whether it is one that is not yet in its place.
async fn check_fingerprint_key(store: &Store, ring: &mut KeyRing) -> Result<bool, StateError> {
    let found = ring.keys.fingerprint.id().clone();
    match store.needs_other_key(&found).await.map_err(StateError::Store)? {
        None => Ok(false),
        Some(wanted) if ring.take_fingerprint(&wanted).map_err(StateError::Key)? => Ok(true),
        Some(wanted) => {
            let exchanges = ring.keys.fingerprint.exchanges_since(&wanted);
            let (wanted, found) = (wanted.to_string(), found.to_string());
            Err(match exchanges {
                Some(exchanges) => StateError::LaterKey { wanted, found, exchanges },
                None => StateError::OtherKey { wanted, found },
            })
        }
    }
}
