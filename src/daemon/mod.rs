//! The daemon: start order, reload, signals, stop; and the commands that do their work without one.
//!
//! The composition root: it alone knows how the rooms are put together. May be relied on: READY is said only when
//! settings, keys, state, sources, socket and timer stand; a task that dies stops the daemon with a failure; two daemons
//! never share a state. Never starts over with an empty state where there has been another.

mod args;
mod book;
mod check;
mod clock;
mod demo;
mod health;
mod init;
mod keys;
mod liveness;
mod lock;
mod logging;
mod notice;
mod output;
mod over;
mod plan;
mod prove;
mod reload;
mod reopen;
mod rotate;
mod serve;
mod state;

use std::ffi::OsString;
use std::process::ExitCode;

pub use self::demo::{Client, Transcript};
pub use self::serve::{Order, ServeError, Setup, serve};

/// All that can be typed behind `erasured`, for its manual page and for shells.
#[must_use]
pub fn command() -> clap::Command {
    args::command()
}

/// Runs `erasured` with the arguments of the process. `client` is `erasurectl` as a function, for the demo's walk.
pub fn main(arguments: impl IntoIterator<Item = OsString>, client: Client) -> ExitCode {
    crate::erasure::arm();
    let command = match args::parse(arguments) {
        Ok(command) => command,
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failed(&format!("cannot start: {error}"), None),
    };
    runtime.block_on(async {
        match command {
            args::Command::Run(arguments) => serve::run(&arguments).await,
            args::Command::Init(arguments) => init::run(&arguments).await,
            args::Command::Check(arguments) => check::run(&arguments).await,
            args::Command::Plan(arguments) => plan::run(&arguments).await,
            args::Command::Prove(arguments) => prove::run(&arguments).await,
            args::Command::Reopen(arguments) => reopen::run(&arguments).await,
            args::Command::Rotate(arguments) => rotate::run(&arguments).await,
            args::Command::Clock(arguments) => clock::run(&arguments).await,
            args::Command::Demo(arguments) => demo::run(&arguments, client).await,
        }
    })
}
