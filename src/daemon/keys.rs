//! Where the keys are: credentials passed by the service manager, or files beside the state made at first start.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::KeyName;
use crate::audit::CheckpointKey;
use crate::jobs::Keys;
use crate::record::{FingerprintKey, FingerprintKeyId};
use crate::store::{folder_of, make_file, own};
use crate::systemd;

/// Names of the credentials, and of the files.
const FINGERPRINT: &str = "fingerprint-key";
const CHECKPOINT: &str = "checkpoint-key";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is a state, and not the key that it was made with.
    #[error("there is a state and no {name} at {path}", path = .path.display())]
    Lost {
        /// Which key.
        name: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a state, and no key at all beside it.
    #[error("there is a state and no {FINGERPRINT} at {path}", path = .0.display())]
    AllLost(PathBuf),
    /// There is what was made with the state: keys, or the note of its newest entry.
    #[error("there is {path} and no state beside it", path = .0.display())]
    StateLost(PathBuf),
    /// There is neither, and none may be made.
    #[error("there are no keys, and none are to be made")]
    NotToBeMade,
    /// The key is not the one that signs what comes next.
    #[error("the trail is signed with another checkpoint key than the one here, {found}")]
    OtherCheckpointKey {
        /// The public half of the key that was found.
        found: String,
    },
    /// The file is not a key.
    #[error("{path} does not hold a key: 64 hexadecimal digits, and a line of as many for each exchange of a fingerprint key", path = .0.display())]
    Malformed(PathBuf),
    /// What would be replaced by a file is a link to one.
    #[error("{path} is a link to a key", path = .0.display())]
    Link(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot {doing} {path}", path = .path.display())]
    File {
        /// What was to be done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The credentials' folder cannot be used.
    #[error("cannot use the credentials")]
    Credential(#[source] systemd::CredentialError),
    /// There were no random bytes.
    #[error("cannot make a key")]
    Random(#[source] getrandom::Error),
}

impl KeyError {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        use std::io::ErrorKind;
        match self {
            Self::Lost { name: FINGERPRINT, .. } => {
                "restore the key from its backup; without it nobody can tell whether a confirmed record is still the same person"
            }
            Self::Lost { .. } => {
                "restore the key from its backup; without it nobody can tell that what is signed next continues the same trail"
            }
            Self::AllLost(_) => {
                "restore the keys from their backup; where they are credentials of the unit, let systemd run this with them: \
                 systemd-run --pipe --wait -p User=erasured -p LoadCredential=fingerprint-key \
                 -p LoadCredential=checkpoint-key erasured …"
            }
            Self::NotToBeMade => "place both keys as credentials, or leave --no-new-keys out at the first start",
            Self::OtherCheckpointKey { .. } => {
                "put the key there that signs this state's trail: the file that erasured rotate has written, or the one in a \
                 backup as old as the state"
            }
            Self::StateLost(_) => {
                "restore state.db from its backup; to begin anew on purpose, move the keys and state.db.newest away first"
            }
            Self::File { source, .. } if source.kind() == ErrorKind::AlreadyExists => {
                "name a file that is not there yet"
            }
            Self::File { source, .. } if source.kind() == ErrorKind::NotFound => {
                "name a file in a folder that is there"
            }
            Self::File { source, .. } if source.kind() == ErrorKind::StorageFull => {
                "make room on the disk; nothing was changed"
            }
            Self::Link(_) => "put the key's file itself there",
            Self::Malformed(_) | Self::File { .. } | Self::Credential(_) | Self::Random(_) => {
                "check the file, its owner and its mode (0600)"
            }
        }
    }
}

/// Keys that are in their place, or that wait for the state to be made.
pub(super) struct KeyRing {
    pub(super) keys: Keys,
    /// Where they lie beside the state; `None` where they are credentials.
    pub(super) place: Option<PathBuf>,
    fresh: Option<(PathBuf, PathBuf)>,
}

impl KeyRing {
    /// Puts keys in their place that were made for a new state. Until then a start that was cut short begins anew.
    pub(super) fn settle(&self) -> Result<(), KeyError> {
        match &self.fresh {
            Some((from, to)) => std::fs::rename(from, to).map_err(file("put in place", to)),
            None => Ok(()),
        }
    }

    /// Sees to it that the checkpoint key is the one that signs what comes after the newest checkpoint. Where an exchange
    /// was cut short between the trail and the file, it is finished.
    pub(super) fn sign_after(&mut self, newest: Option<&str>, installation: &str) -> Result<(), KeyError> {
        let signs = |key: &CheckpointKey| newest.is_none_or(|note| key.verifier(installation).signs_after(note));
        if signs(&self.keys.checkpoint) {
            return Ok(());
        }
        if let Some((place, next)) = self.next(KeyName::CheckpointKey, read_checkpoint)?
            && signs(&next)
        {
            put_next_in_place(place, KeyName::CheckpointKey)?;
            self.keys.checkpoint = next;
            return Ok(());
        }
        Err(KeyError::OtherCheckpointKey { found: self.keys.checkpoint.verifier(installation).to_string() })
    }

    /// Takes the fingerprint key of this name, where an exchange was cut short between the state and the file; false where it
    /// is not here. The file stays where it is.
    pub(super) fn take_fingerprint(&mut self, wanted: &FingerprintKeyId) -> Result<bool, KeyError> {
        let next = self.next(KeyName::FingerprintKey, read_fingerprint)?.map(|(_, next)| next);
        let Some(next) = next.filter(|next| next.id() == wanted) else { return Ok(false) };
        self.keys.fingerprint = next;
        Ok(true)
    }

    /// The key that waits to take the place of the one of this name. What a full disk has left of one was never taken.
    fn next<K>(&self, name: KeyName, read: fn(&Path) -> Result<K, KeyError>) -> Result<Option<(&Path, K)>, KeyError> {
        let Some(place) = self.place.as_deref() else { return Ok(None) };
        match read(&next_in(place, name)) {
            Ok(next) => Ok(Some((place, next))),
            Err(KeyError::Lost { .. } | KeyError::Malformed(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl KeyName {
    /// The credential, and the file.
    const fn file(self) -> &'static str {
        match self {
            Self::CheckpointKey => CHECKPOINT,
            Self::FingerprintKey => FINGERPRINT,
        }
    }
}

/// Where a key waits that is to take the place of the one of this name.
fn next_in(place: &Path, name: KeyName) -> PathBuf {
    place.join(format!("{}.next", name.file()))
}

/// Writes a key down that is to take the place of the one that lies there; gives where. What an exchange has left there that was cut short
/// before the state knew of it, is replaced.
pub(super) fn put_next_in(place: &Path, name: KeyName, text: &str) -> Result<PathBuf, KeyError> {
    let (path, to) = (next_in(place, name), place.join(name.file()));
    if to.is_symlink() {
        return Err(KeyError::Link(to));
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file("clear", &path)(error)),
        _ => make_key(&path, text).map(|()| path),
    }
}

/// Removes a file that holds a key which nobody has taken, or a part of one.
pub(super) fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, path = %path.display(), "a key that nobody has taken is left");
    }
}

/// Writes a key down for whoever asks: the file is theirs, and nothing is written over.
pub(super) fn put_elsewhere(path: &Path, text: &str) -> Result<(), KeyError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    write(opened.map_err(file("make", path))?, path, text)
}

/// Puts it there, when the state says that it holds from now on.
pub(super) fn put_next_in_place(place: &Path, name: KeyName) -> Result<(), KeyError> {
    let to = place.join(name.file());
    std::fs::rename(next_in(place, name), &to).map_err(file("put in place", &to))?;
    sync_folder_of(&to)
}

/// A power cut takes no file with it whose folder was synced.
fn sync_folder_of(path: &Path) -> Result<(), KeyError> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file("sync", folder))
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::File { doing, path, source }
}

/// The keys for the state in `dir`; made, where they may be, when neither they nor the state have been there.
pub(super) fn find(dir: &Path, state_exists: bool, may_make: bool) -> Result<KeyRing, KeyError> {
    if let Some(keys) = credentials()? {
        return Ok(KeyRing { keys, place: None, fresh: None });
    }
    let (place, unfinished) = (dir.join("keys"), dir.join("keys.new"));
    if state_exists && !place.exists() && unfinished.exists() {
        // The first start was cut short between the state and its keys.
        std::fs::rename(&unfinished, &place).map_err(file("put in place", &place))?;
    }
    match (place.exists(), state_exists) {
        (true, true) => Ok(KeyRing { keys: read(&place)?, place: Some(place), fresh: None }),
        (true, false) => Err(KeyError::StateLost(place)),
        (false, true) => Err(lost(dir)),
        (false, false) if !may_make => Err(KeyError::NotToBeMade),
        (false, false) => {
            Ok(KeyRing { keys: make(&unfinished)?, place: Some(place.clone()), fresh: Some((unfinished, place)) })
        }
    }
}

/// The keys that lie in `dir`, if any do.
pub(super) fn left_in(dir: &Path) -> Option<PathBuf> {
    Some(dir.join("keys")).filter(|place| place.exists())
}

/// That there is a state in `dir` and no key.
fn lost(dir: &Path) -> KeyError {
    KeyError::AllLost(dir.join("keys").join(FINGERPRINT))
}

/// The keys beside a state that is only looked at.
pub(super) fn look(dir: &Path) -> Result<KeyRing, KeyError> {
    if let Some(keys) = credentials()? {
        return Ok(KeyRing { keys, place: None, fresh: None });
    }
    let place = dir.join("keys");
    if place.exists() { Ok(KeyRing { keys: read(&place)?, place: Some(place), fresh: None }) } else { Err(lost(dir)) }
}

/// Keys that are kept nowhere, for a plan without a state.
pub(super) fn passing() -> Result<Keys, KeyError> {
    let fingerprint = FingerprintKey::generate().map_err(KeyError::Random)?;
    let checkpoint = Arc::new(CheckpointKey::generate().map_err(KeyError::Random)?);
    Ok(Keys { fingerprint, checkpoint })
}

fn credentials() -> Result<Option<Keys>, KeyError> {
    let fingerprint = systemd::credential(FINGERPRINT).map_err(KeyError::Credential)?;
    let checkpoint = systemd::credential(CHECKPOINT).map_err(KeyError::Credential)?;
    match (fingerprint, checkpoint) {
        (Some(fingerprint), Some(checkpoint)) => {
            Ok(Some(Keys { fingerprint: read_fingerprint(&fingerprint)?, checkpoint: read_checkpoint(&checkpoint)? }))
        }
        (Some(given), None) => Err(KeyError::Lost { name: CHECKPOINT, path: given.with_file_name(CHECKPOINT) }),
        (None, Some(given)) => Err(KeyError::Lost { name: FINGERPRINT, path: given.with_file_name(FINGERPRINT) }),
        (None, None) => Ok(None),
    }
}

fn read(place: &Path) -> Result<Keys, KeyError> {
    Ok(Keys {
        fingerprint: read_fingerprint(&place.join(FINGERPRINT))?,
        checkpoint: read_checkpoint(&place.join(CHECKPOINT))?,
    })
}

fn read_text(path: &Path, name: &'static str) -> Result<String, KeyError> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyError::Lost { name, path: path.to_owned() },
        _ => file("read", path)(error),
    })
}

fn read_fingerprint(path: &Path) -> Result<FingerprintKey, KeyError> {
    let text = read_text(path, FINGERPRINT)?;
    FingerprintKey::from_text(&text).ok_or_else(|| KeyError::Malformed(path.to_owned()))
}

fn read_checkpoint(path: &Path) -> Result<Arc<CheckpointKey>, KeyError> {
    let text = read_text(path, CHECKPOINT)?;
    CheckpointKey::from_text(&text).map(Arc::new).ok_or_else(|| KeyError::Malformed(path.to_owned()))
}

fn make(place: &Path) -> Result<Keys, KeyError> {
    if place.exists() {
        // A start that was cut short left them; no state was ever made with them.
        std::fs::remove_dir_all(place).map_err(file("clear", place))?;
    }
    DirBuilder::new().mode(0o700).create(place).map_err(file("make", place))?;
    File::open(place).and_then(|made| own(&made, place)).map_err(file("make", place))?;
    let keys = passing()?;
    make_key(&place.join(FINGERPRINT), &keys.fingerprint.to_text())?;
    make_key(&place.join(CHECKPOINT), &keys.checkpoint.to_text())?;
    sync_folder_of(place)?;
    Ok(keys)
}

fn make_key(path: &Path, text: &str) -> Result<(), KeyError> {
    write(make_file(path).map_err(file("make", path))?, path, text)
}

/// Writes a key into a file that was just made, so that it is there whatever happens next.
fn write(mut made: File, path: &Path, text: &str) -> Result<(), KeyError> {
    let written = writeln!(made, "{text}").and_then(|()| made.sync_all());
    if let Err(error) = written {
        remove(path);
        return Err(file("write", path)(error));
    }
    sync_folder_of(path)
}
