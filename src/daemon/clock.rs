//! `erasured clock`: an operator's word that the clock is right.

use std::process::ExitCode;
use std::sync::Arc;

use super::args::ClockArgs;
use super::{output, state};
use crate::audit::By;
use crate::clock::{Clock as _, SystemClock};
use crate::config::causes;
use crate::store::{Store, StoreError};

pub(super) async fn run(arguments: &ClockArgs) -> ExitCode {
    let clock = Arc::new(SystemClock);
    let held = match state::hold_existing(&arguments.state.state_dir, clock.clone()).await {
        Ok(held) => held,
        Err(error) => return output::failed(&causes(&error), Some(error.hint())),
    };
    let Some(doubt) = held.store.clock_doubt() else {
        output::data(&format!("the clock shows {:.0}, and is believed", clock.now()));
        return ExitCode::SUCCESS;
    };
    if !arguments.accept {
        return output::failed(
            &doubt.to_string(),
            Some("set the clock right; if it is, say so: erasured clock --accept"),
        );
    }
    // What is not whole is not changed. Nobody waits for this command but its operator.
    let accepted = match held.store.check_whole(|| false).await {
        Ok(_) => accept(&held.store).await,
        Err(error) => Err(error),
    };
    drop(held.lock);
    match accepted {
        Ok(()) => {
            output::data(&format!("the clock shows {:.0}, and is believed from now on", clock.now()));
            ExitCode::SUCCESS
        }
        Err(error) => output::failed(&causes(&error), error.hint()),
    }
}

async fn accept(store: &Store) -> Result<(), StoreError> {
    let mut turn = store.turn().await;
    let mut change = turn.begin().await?;
    change.accept_clock(&By::daemon()).await?;
    change.commit().await
}
