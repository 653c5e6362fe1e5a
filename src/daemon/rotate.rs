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
}

impl RotateError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Credentials => Some("--to FILE writes the new key where you can make a credential of it"),
            Self::Beside => Some("leave --to out"),
            Self::Key(error) => Some(error.hint()),
            Self::Store(error) => error.hint(),
        }
    }
}

pub(super) async fn run(arguments: &RotateArgs) -> ExitCode {
    let held = match state::hold(&arguments.state.state_dir, Arc::new(SystemClock), false).await {
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
    let aside = match (&held.keys_at, &to) {
        (Some(place), None) => keys::next_in(place),
        (None, Some(file)) => file.clone(),
        (None, None) => return Err(RotateError::Credentials),
        (Some(_), Some(_)) => return Err(RotateError::Beside),
    };
    let next = keys::make_checkpoint(&aside, held.keys_at.is_some()).map_err(RotateError::Key)?;
    hand_over(&held.store, &held.keys.checkpoint, &next).await.map_err(RotateError::Store)?;
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
