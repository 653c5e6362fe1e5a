//! `erasured rotate`: another key in the place of one.
//!
//! The new key is put aside, the state takes it in one change, and the file takes its place. Wherever that is cut short, one
//! of the two is the one that the state names, and it is there.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{KeyName, RotateArgs};
use super::keys::{self, KeyError};
use super::output;
use super::state::{self, Held};
use crate::audit::{By, CheckpointKey};
use crate::clock::SystemClock;
use crate::config::causes;
use crate::jobs::Keys;
use crate::record::FingerprintKey;
use crate::store::{Store, StoreError};

/// Why no key was exchanged.
#[derive(Debug, thiserror::Error)]
enum RotateError {
    /// Nobody says where the new one goes.
    #[error("the keys are credentials of the service manager, which the daemon cannot exchange")]
    Credentials,
    /// It is known where it goes.
    #[error("the keys lie beside the state, and so does the new one")]
    Beside,
    /// The file.
    #[error(transparent)]
    Key(KeyError),
    /// The state.
    #[error("cannot write the state")]
    Store(#[source] StoreError),
    /// The state, which may have taken what it could not tell of; the new key is where nobody looks for it.
    #[error("cannot tell whether the state has taken the new key, in {file}", file = file.display())]
    InDoubt {
        /// The new key.
        file: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
}

impl RotateError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Credentials => Some("--to FILE writes the new key where you can make a credential of it"),
            Self::Beside => Some("leave --to out"),
            Self::Key(error) => Some(error.hint()),
            Self::Store(error) => error.hint(),
            Self::InDoubt { .. } => {
                Some("keep both keys: where the next start refuses the one before, the new one takes its place")
            }
        }
    }
}

pub(super) async fn run(arguments: &RotateArgs) -> ExitCode {
    let held = match state::hold_existing(&arguments.state.state_dir, Arc::new(SystemClock)).await {
        Ok(held) => held,
        Err(error) => return output::failed(&causes(&error), Some(error.hint())),
    };
    // What is not whole is not signed. Nobody waits for this command but its operator.
    if let Err(error) = held.store.check_whole(|| false).await {
        return output::failed(&causes(&error), error.hint());
    }
    // Where a service manager runs this, nobody knows from where a relative path leads.
    let to = match arguments.to.as_deref().map(std::path::absolute).transpose() {
        Ok(to) => to,
        Err(error) => return output::failed(&format!("cannot tell where the new key is to go: {error}"), None),
    };
    match exchange(&held, arguments.key, to.as_deref()).await {
        Ok(told) => {
            output::data(&told);
            if let Some(file) = &to {
                output::data(&format!(
                    "it is in {}: put it in the credential's place before the start",
                    file.display()
                ));
            }
            ExitCode::SUCCESS
        }
        Err(error) => output::failed(&causes(&error), error.hint()),
    }
}

/// Exchanges the key of this name; gives what to tell of it.
async fn exchange(held: &Held, name: KeyName, to: Option<&Path>) -> Result<String, RotateError> {
    let next = Next::of(name, &held.keys).map_err(|error| RotateError::Key(KeyError::Random(error)))?;
    let put = match (&held.keys_at, to) {
        (Some(place), None) => keys::put_next_in(place, name, &next.text()),
        (None, Some(file)) => keys::put_elsewhere(file, &next.text()).map(|()| file.to_owned()),
        (None, None) => return Err(RotateError::Credentials),
        (Some(_), Some(_)) => return Err(RotateError::Beside),
    };
    let file = put.map_err(RotateError::Key)?;
    match (next.enter(held).await, &held.keys_at) {
        (Ok(()), Some(place)) => keys::put_next_in_place(place, name).map_err(RotateError::Key)?,
        (Ok(()), None) => {}
        (Err(Outside::Certainly(error)), _) => {
            keys::remove(&file);
            return Err(RotateError::Store(error));
        }
        // The next start finds it, if it is needed.
        (Err(Outside::Perhaps(error)), Some(_)) => return Err(RotateError::Store(error)),
        (Err(Outside::Perhaps(source)), None) => return Err(RotateError::InDoubt { file, source }),
    }
    Ok(next.told(&held.store))
}

/// Why the state has not taken a key, or perhaps has.
enum Outside {
    Certainly(StoreError),
    Perhaps(StoreError),
}

/// A key that is to take the place of the one in force.
enum Next {
    Checkpoint(CheckpointKey),
    Fingerprint(FingerprintKey),
}

impl Next {
    fn of(name: KeyName, keys: &Keys) -> Result<Self, getrandom::Error> {
        match name {
            KeyName::CheckpointKey => CheckpointKey::generate().map(Self::Checkpoint),
            KeyName::FingerprintKey => keys.fingerprint.exchanged().map(Self::Fingerprint),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Checkpoint(key) => key.to_text(),
            Self::Fingerprint(key) => key.to_text(),
        }
    }

    /// Lets the state take it. What goes wrong once it has is no reason not to go on.
    async fn enter(&self, held: &Held) -> Result<(), Outside> {
        let Err(error) = self.take(&held.store, &held.keys).await else { return Ok(()) };
        match self.is_taken(&held.store).await {
            Ok(true) => {
                tracing::warn!(error = %causes(&error), "the key is exchanged; what was to follow is done at the next start");
                Ok(())
            }
            Ok(false) => Err(Outside::Certainly(error)),
            Err(_) => Err(Outside::Perhaps(error)),
        }
    }

    async fn take(&self, store: &Store, keys: &Keys) -> Result<(), StoreError> {
        match self {
            Self::Checkpoint(key) => {
                let mut turn = store.turn().await;
                let mut change = turn.begin().await?;
                change.hand_over_checkpoints(&By::daemon(), &keys.checkpoint, key).await?;
                change.commit().await
            }
            Self::Fingerprint(key) => store.exchange_fingerprint_key(&By::daemon(), keys.fingerprint.id(), key).await,
        }
    }

    /// Whether the state has taken it.
    async fn is_taken(&self, store: &Store) -> Result<bool, StoreError> {
        match self {
            Self::Checkpoint(key) => {
                let verifier = key.verifier(store.installation());
                Ok(store.newest_checkpoint().await?.is_some_and(|signed| verifier.signs_after(&signed.note)))
            }
            Self::Fingerprint(key) => Ok(store.exchanged_fingerprint_key().await?.as_ref() == Some(key.id())),
        }
    }

    fn told(&self, store: &Store) -> String {
        match self {
            Self::Checkpoint(key) => {
                let public = key.verifier(store.installation());
                format!("checkpoints are signed with another key from now on: {public}")
            }
            Self::Fingerprint(key) => {
                let told = format!("fingerprints are taken with another key from now on: {}", key.id());
                match store.personal_keys().is_empty() {
                    true => told,
                    false => format!("{told}\nwhat stands for personal keys stays under the first secret"),
                }
            }
        }
    }
}
