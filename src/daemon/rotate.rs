//! `erasured rotate`: another key in the place of one.
//!
//! The new key is put aside, the state takes it in one change, and the file takes its place. Wherever that is cut short, one
//! of the two is the one that the state names, and it is there.

use std::path::PathBuf;
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
    #[error("cannot write the state; keep {file}: it may hold the key that is in force from now on", file = file.display())]
    InDoubt {
        /// The new key.
        file: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
}

impl RotateError {
    /// What it means for the new key that the state could not be written. One beside the state is found at the next start,
    /// where it is needed.
    fn without_state(to: Option<PathBuf>, source: StoreError) -> Self {
        match to {
            Some(file) => Self::InDoubt { file, source },
            None => Self::Store(source),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Credentials => Some("--to FILE writes the new key where you can make a credential of it"),
            Self::Beside => Some("leave --to out"),
            Self::Key(error) => Some(error.hint()),
            Self::Store(error) | Self::InDoubt { source: error, .. } => error.hint(),
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
    match exchange(&held, arguments.key, arguments.to.clone()).await {
        Ok(told) => {
            output::data(&told);
            if let Some(file) = &arguments.to {
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
async fn exchange(held: &Held, name: KeyName, to: Option<PathBuf>) -> Result<String, RotateError> {
    let next = Next::of(name, &held.keys).map_err(|error| RotateError::Key(KeyError::Random(error)))?;
    let put = match (&held.keys_at, &to) {
        (Some(place), None) => keys::put_next_in(place, name, &next.text()),
        (None, Some(file)) => keys::put_elsewhere(file, &next.text()),
        (None, None) => return Err(RotateError::Credentials),
        (Some(_), Some(_)) => return Err(RotateError::Beside),
    };
    put.map_err(RotateError::Key)?;
    let taken = next.take(&held.store, &held.keys).await;
    let told = taken.map_err(|source| RotateError::without_state(to, source))?;
    if let Some(place) = &held.keys_at {
        keys::put_next_in_place(place, name).map_err(RotateError::Key)?;
    }
    Ok(told)
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

    /// Lets the state take it; gives what to tell of it.
    async fn take(&self, store: &Store, keys: &Keys) -> Result<String, StoreError> {
        match self {
            Self::Checkpoint(key) => {
                let mut turn = store.turn().await;
                let mut change = turn.begin().await?;
                change.hand_over_checkpoints(&By::daemon(), &keys.checkpoint, key).await?;
                change.commit().await?;
                let public = key.verifier(store.installation());
                Ok(format!("checkpoints are signed with another key from now on: {public}"))
            }
            Self::Fingerprint(key) => {
                store.exchange_fingerprint_key(&By::daemon(), keys.fingerprint.id(), key).await?;
                let told = format!("fingerprints are taken with another key from now on: {}", key.id());
                Ok(match store.personal_keys().is_empty() {
                    true => told,
                    false => format!("{told}\nwhat stands for personal keys stays under the first secret"),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_may_be_in_force_by_now_is_to_be_kept() {
        let failed = || StoreError::Missing("/s/state.db".into());
        let error = RotateError::without_state(Some("/root/new-key".into()), failed());
        assert!(causes(&error).starts_with("cannot write the state; keep /root/new-key: it may hold"), "{error}");
        assert!(matches!(RotateError::without_state(None, failed()), RotateError::Store(_)));
    }
}
