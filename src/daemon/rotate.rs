//! `erasured rotate`: another key in the place of one.
//!
//! Only the checkpoint key can be exchanged. What was taken with the fingerprint key cannot be taken again: it stands for people
//! who are gone, and tells whether they have come back.

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
    #[error("cannot write the state; keep {file}: it may hold the key that signs from now on", file = file.display())]
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
    let dir = &arguments.state.state_dir;
    if !state::is_there(dir) {
        let hint = "give --state-dir the daemon's folder";
        return output::failed(&format!("there is no state in {}", dir.display()), Some(hint));
    }
    let held = match state::hold(dir, Arc::new(SystemClock), false).await {
        Ok(held) => held,
        Err(error) => return output::failed(&causes(&error), Some(error.hint())),
    };
    // What is not whole is not signed. Nobody waits for this command but its operator.
    if let Err(error) = held.store.check_whole(|| false).await {
        return output::failed(&causes(&error), error.hint());
    }
    let exchanged = match arguments.key {
        KeyName::CheckpointKey => exchange(&held, arguments.to.clone()).await,
    };
    match exchanged {
        Ok(to) => {
            let public = to.verifier(held.store.installation());
            output::data(&format!("checkpoints are signed with another key from now on: {public}"));
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

/// Puts the new key aside, lets both keys sign that it takes over, and puts it in its place: wherever that is cut short,
/// one of the two is the one that the trail names, and it is there.
async fn exchange(held: &Held, to: Option<PathBuf>) -> Result<CheckpointKey, RotateError> {
    let next = match (&held.keys_at, &to) {
        (Some(place), None) => keys::make_next_in(place),
        (None, Some(file)) => keys::make_elsewhere(file),
        (None, None) => return Err(RotateError::Credentials),
        (Some(_), Some(_)) => return Err(RotateError::Beside),
    };
    let next = next.map_err(RotateError::Key)?;
    let handed_over = hand_over(&held.store, &held.keys.checkpoint, &next).await;
    handed_over.map_err(|source| RotateError::without_state(to, source))?;
    if let Some(place) = &held.keys_at {
        keys::put_next_in_place(place).map_err(RotateError::Key)?;
    }
    Ok(next)
}

async fn hand_over(store: &Store, from: &CheckpointKey, to: &CheckpointKey) -> Result<(), StoreError> {
    let mut turn = store.turn().await;
    let mut change = turn.begin().await?;
    change.hand_over_checkpoints(&By::daemon(), from, to).await?;
    change.commit().await
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
