//! `erasured reopen`: an operator's word that a source may be erased from again.

use std::process::ExitCode;
use std::sync::Arc;

use super::args::ReopenArgs;
use super::{check, output, state};
use crate::clock::SystemClock;
use crate::config::causes;
use crate::jobs::{self, Workshop};
use crate::record::SourceName;

pub(super) async fn run(arguments: &ReopenArgs) -> ExitCode {
    let accepted = match check::load(&arguments.config.config) {
        Ok(accepted) => accepted,
        Err(findings) => {
            findings.iter().for_each(|finding| output::talk(&finding.to_string()));
            return output::failed("the settings cannot be used", None);
        }
    };
    let name: SourceName = match arguments.source.parse() {
        Ok(name) => name,
        Err(error) => return output::failed(&format!("{error}"), None),
    };
    let clock = Arc::new(SystemClock);
    let held = match state::hold_existing(&arguments.state.state_dir, clock.clone()).await {
        Ok(held) => held,
        Err(error) => return output::failed(&causes(&error), Some(error.hint())),
    };
    let bared = accepted.loaded.settings.bared_keys(&held.store.personal_keys());
    if !bared.is_empty() {
        bared.iter().for_each(|finding| output::talk(&finding.to_string()));
        return output::failed("the settings cannot be used", None);
    }
    // What is not whole is not changed. Nobody waits for this command but its operator.
    if let Err(error) = held.store.check_whole(|| false).await {
        return output::failed(&causes(&error), error.hint());
    }
    let workshop = Workshop { store: held.store, settings: Arc::new(accepted.loaded.settings), keys: held.keys, clock };
    let answer = jobs::reopen(&workshop, &name).await;
    drop(held.lock);
    match answer {
        Ok(true) => {
            output::data(&format!(
                "{name} is open again; what came back with a restored backup will be proposed again"
            ));
            ExitCode::SUCCESS
        }
        Ok(false) => {
            output::data(&format!("{name} was not closed"));
            ExitCode::SUCCESS
        }
        Err(error) => output::failed(&causes(&error), Some("check the source's name and path in erasured.toml")),
    }
}
