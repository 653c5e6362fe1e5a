//! `erasurectl`: how clerks, operators and auditors talk to the daemon.
//!
//! A verb is one file here, and a file of the same name in `admin`. May be relied on: data goes to stdout and talk to
//! stderr; with `--json`, stdout is the daemon's own answer; the exit code has one of the meanings of [`Exit`]. Checks the
//! form of what was typed and nothing else: what may be done is for the daemon to say. Text that comes out of an
//! application's database never reaches the terminal with control characters in it.

mod access;
mod args;
mod audit;
mod brake;
mod client;
mod confirm;
mod console;
mod csv;
mod decide;
mod exit;
mod hold;
mod holds;
mod html;
mod json;
mod list;
mod mark;
mod metrics;
mod policy;
mod postpone;
mod reasons;
mod release;
mod report;
mod restore;
mod run;
mod runs;
mod schema;
mod sheet;
mod show;
mod status;
mod table;
mod tongue;
mod usage;

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use std::sync::{Arc, Mutex};

use args::{Args, Verb};
use clap::CommandFactory as _;
use client::{Client, PATIENCE};
use console::{Console, Streams};
pub use exit::Exit;
use exit::Failure;
use tongue::{Tongue, speaking};

use crate::language::Language;

/// Where the daemon listens when nobody says otherwise.
const DEFAULT_SOCKET: &str = "/run/erasured/admin.sock";
/// Says otherwise, unless `--socket` does.
const SOCKET_VARIABLE: &str = "ERASURED_SOCKET";

/// What a verb works with.
struct Session<'s> {
    client: Client,
    console: Console<'s>,
}

/// All that can be typed behind `erasurectl`, for its manual page and for shells.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let is_terminal = err.is_terminal();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let mut input = BufReader::new(io::stdin());
            // Who sees the question and can answer it sits at a terminal with both.
            let input = (is_terminal && io::stdin().is_terminal()).then_some(&mut input as &mut (dyn BufRead + Send));
            let streams = Streams { out: &mut out, err: &mut err, is_terminal, input };
            runtime.block_on(converse(std::env::args_os(), streams, PATIENCE)).into()
        }
        Err(error) => {
            let sentence = format!("error: cannot start: {error}");
            // Who closes stderr does not want to be told.
            let _ = writeln!(err, "{}", tongue::of(&[]).tell(&sentence));
            Exit::Refused.into()
        }
    }
}

/// The whole program, with these arguments, the first of which is its name, and these streams for stdout and stderr.
pub async fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> Exit {
    run_within(PATIENCE, arguments, out, err).await
}

/// The same, which waits for an answer, or for the next piece of a long one, for so long at most.
pub async fn run_within(
    patience: Duration,
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> Exit {
    converse(arguments, Streams { out, err, is_terminal: false, input: None }, patience).await
}

/// The same in `language`, whatever arguments and environment say; adds every sentence to `misses` that the catalogue does not
/// know.
pub async fn run_noting(
    language: Language,
    misses: &Arc<Mutex<Vec<String>>>,
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> Exit {
    let tongue = Tongue::new(language, Some(Arc::clone(misses)));
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    speaking(tongue, answer(&arguments, Streams { out, err, is_terminal: false, input: None }, PATIENCE)).await
}

async fn converse(arguments: impl IntoIterator<Item = OsString>, streams: Streams<'_>, patience: Duration) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    speaking(Tongue::new(tongue::of(&arguments), None), answer(&arguments, streams, patience)).await
}

async fn answer(arguments: &[OsString], streams: Streams<'_>, patience: Duration) -> Exit {
    let args = match usage::read::<Args>(arguments) {
        Ok(args) => args,
        Err(said) => return tell_usage(&said, streams),
    };
    let socket = args.socket.or_else(|| std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from));
    let client = Client::new(socket.unwrap_or_else(|| DEFAULT_SOCKET.into()), patience);
    let mut session = Session { client, console: Console::new(args.json, streams) };
    // Whoever may call these verbs may see the reasons: nobody is refused for a question that was not asked.
    if !args.json && matches!(args.verb, Verb::List(_) | Verb::Show(_) | Verb::Reasons(_)) {
        tongue::learn(&session.client).await;
    }
    let outcome = speak(&mut session, args.verb).await;
    let exit = outcome.and_then(|exit| session.console.flush().map(|()| exit));
    exit.unwrap_or_else(|failure| session.console.fail(&failure))
}

/// Help goes to stdout and is all that was asked for; wrong usage goes to stderr.
fn tell_usage(said: &usage::Said, streams: Streams<'_>) -> Exit {
    let (stream, exit) = if said.is_wrong { (streams.err, Exit::Usage) } else { (streams.out, Exit::Done) };
    // Who closes the stream does not want to be told.
    let _ = write!(stream, "{}", said.text);
    let _ = stream.flush();
    exit
}

async fn speak(session: &mut Session<'_>, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Status(what) => status::run(session, what).await,
        Verb::Metrics => metrics::run(session).await,
        Verb::List(what) => list::run(session, what).await,
        Verb::Show(what) => show::run(session, &what).await,
        Verb::Confirm(what) => confirm::run(session, what).await,
        Verb::Postpone(what) => postpone::run(session, what).await,
        Verb::Restore(what) => restore::run(session, what).await,
        Verb::Hold(what) => hold::run(session, what).await,
        Verb::Release(what) => release::run(session, what).await,
        Verb::Holds(what) => holds::run(session, what).await,
        Verb::Reasons(what) => reasons::run(session, what).await,
        Verb::Mark(what) => mark::run(session, what).await,
        Verb::Run(what) => run::run(session, &what).await,
        Verb::Runs(what) => runs::run(session, what).await,
        Verb::Audit(what) => audit::run(session, what).await,
        Verb::Policy(what) => policy::run(session, what).await,
        Verb::Schema(what) => schema::run(session, what).await,
        Verb::Access(what) => access::run(session, what).await,
    }
}
