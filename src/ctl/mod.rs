//! `erasurectl`: how clerks, operators and auditors talk to the daemon.
//!
//! A verb is one file here, and a file of the same name in `admin`. May be relied on: data goes to stdout and talk to
//! stderr; with `--json`, stdout is the daemon's own answer; the exit code has one of the meanings of [`Exit`]. Checks the
//! form of what was typed and nothing else: what may be done is for the daemon to say. Text that comes out of an
//! application's database never reaches the terminal with control characters in it.

mod args;
mod audit;
mod client;
mod confirm;
mod console;
mod decide;
mod exit;
mod json;
mod list;
mod policy;
mod postpone;
mod restore;
mod run;
mod runs;
mod show;
mod status;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Verb};
use client::Client;
use console::Console;
pub use exit::Exit;
use exit::Failure;

/// Where the daemon listens when nobody says otherwise.
const DEFAULT_SOCKET: &str = "/run/erasured/admin.sock";
/// Says otherwise, unless `--socket` does.
const SOCKET_VARIABLE: &str = "ERASURED_SOCKET";

/// What a verb works with.
struct Session {
    client: Client,
    console: Console,
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    // Wrong usage and help end in here, with clap's own exit codes, 2 and 0.
    let args = Args::parse();
    let socket = args.socket.or_else(|| std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from));
    let client = Client::new(socket.unwrap_or_else(|| DEFAULT_SOCKET.into()));
    let mut session = Session { client, console: Console::new(args.json) };
    let exit = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = runtime.block_on(speak(&mut session, args.verb));
            outcome.and_then(|exit| session.console.flush().map(|()| exit))
        }
        Err(error) => Err(Failure::new(Exit::Refused, format!("cannot start: {error}"))),
    };
    exit.unwrap_or_else(|failure| session.console.fail(&failure)).into()
}

async fn speak(session: &mut Session, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Status => status::run(session).await,
        Verb::List(what) => list::run(session, what).await,
        Verb::Show(what) => show::run(session, &what).await,
        Verb::Confirm(what) => confirm::run(session, what).await,
        Verb::Postpone(what) => postpone::run(session, what).await,
        Verb::Restore(what) => restore::run(session, what).await,
        Verb::Run(what) => run::run(session, &what).await,
        Verb::Runs(what) => runs::run(session, what).await,
        Verb::Audit(what) => audit::run(session, what).await,
        Verb::Policy => policy::run(session).await,
    }
}
