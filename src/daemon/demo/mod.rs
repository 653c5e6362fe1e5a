//! `erasured demo`: a small CRM in a folder of its own, a daemon on it, and a walk through the whole main job.
//!
//! Nothing here is staged: the daemon is the real one, and every command of the walk is `erasurectl` talking to it over
//! the socket, shown with what it really answers.

mod place;
mod walk;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::args::DemoArgs;
use super::serve::{Order, ServeError, Setup, serve, signals};
use super::{logging, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::causes;
use crate::source::sample::SampleError;

/// What a client command has answered.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its exit code.
    pub code: u8,
}

/// `erasurectl` as a function of its arguments, the program's name first. Handed in by the program, because the daemon
/// does not know its client.
pub type Client = fn(Vec<OsString>) -> Pin<Box<dyn Future<Output = Transcript> + Send>>;

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("cannot make the demo in {dir}", dir = .dir.display())]
    Place {
        dir: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Sample(SampleError),
    #[error("the daemon has failed")]
    Daemon(#[source] ServeError),
    #[error("the daemon did not come up")]
    NotReady,
    #[error("{command} answered with code {code}: {stderr}")]
    Command { command: String, code: u8, stderr: String },
    #[error("{0}")]
    Unexpected(String),
}

pub(super) async fn run(arguments: &DemoArgs, client: Client) -> ExitCode {
    logging::quiet();
    match play(arguments, client).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failed(
            &causes(&error),
            Some("the demo needs a folder of its own: give one with --dir that does not exist yet"),
        ),
    }
}

async fn play(arguments: &DemoArgs, client: Client) -> Result<(), DemoError> {
    let clock = SystemClock;
    let today = clock.today(&jiff::tz::TimeZone::UTC);
    let place = place::Place::make(arguments.dir.clone(), arguments.seed, today).await?;
    let setup = Setup {
        config: place.config(),
        state_dir: place.state_dir(),
        socket: place.socket(),
        may_make_keys: true,
        clock: Arc::new(clock),
    };
    let mut interrupts = signals().map_err(|source| DemoError::Place { dir: place.dir.clone(), source })?;
    let (orders, to_daemon) = mpsc::channel(1);
    let (ready, is_ready) = oneshot::channel();
    let story = async {
        let walked = if is_ready.await.is_ok() {
            let mut walk = walk::Walk { place: &place, client };
            tokio::select! {
                walked = walk.walk() => walked.map(|()| true),
                _ = interrupts.recv() => Ok(false),
            }
        } else {
            Err(DemoError::NotReady)
        };
        if matches!(walked, Ok(true)) && !arguments.once {
            output::data("The daemon goes on running. Ctrl-C ends it.");
            while !matches!(interrupts.recv().await, Some(Order::Stop(_)) | None) {}
        }
        // It may have failed already, and then hears nothing.
        let _ = orders.send(Order::Stop("the demo is over")).await;
        walked
    };
    let (served, walked) = tokio::join!(serve(setup, to_daemon, ready), story);
    // What failed first says most.
    match (walked, served) {
        (Err(DemoError::NotReady), Err(error)) | (Ok(_), Err(error)) => return Err(DemoError::Daemon(error)),
        (walked, _) => walked.map(drop)?,
    }
    place.leave(arguments.once && arguments.dir.is_none());
    Ok(())
}
