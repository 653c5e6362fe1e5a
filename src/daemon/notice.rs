//! Tells somebody outside: one command of the operator's, with JSON on its standard input.
//!
//! The command gets nothing of the daemon's but that: none of its files, sockets or keys, and an environment of its own. It may
//! take [`LIMIT`]; then it is ended with all that it has started.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::json;
use tokio::sync::watch;

use crate::clock::Stopwatch;
use crate::desk::Digest;

/// The longest that the command may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// So many bytes of what it says on standard error are told.
const SAID_MAX: usize = 1_024;
/// At most so many pieces of that are read at a look, however fast more of them come.
const PIECES_MAX: usize = 64;
/// At most so many things that are not well are told one by one.
const COMPLAINTS_MAX: usize = 50;
/// What it finds in its environment, where the daemon has it: how people are spoken to, and where programs are.
const ENVIRONMENT: [&str; 6] = ["PATH", "LANG", "LC_ALL", "LC_MESSAGES", "LC_TIME", "TZ"];

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoticeError {
    /// There is no such command, or it cannot be started.
    #[error("cannot start {command}")]
    Start {
        /// The command.
        command: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It could not be waited for, or not be told anything.
    #[error("cannot talk to {command}")]
    Talk {
        /// The command.
        command: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It says that it could not do it.
    #[error("{command} ended with {status}: {said}")]
    Failed {
        /// The command.
        command: String,
        /// How.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
    /// It took too long, or the daemon stops.
    #[error("{command} was ended: it took longer than {} s, or the daemon is stopping", LIMIT.as_secs())]
    Ended {
        /// The command.
        command: String,
    },
}

/// What the command reads. No name and no key of a record is in it.
pub(super) fn message(digest: &Digest, installation: &str) -> Vec<u8> {
    let complaints: Vec<_> = digest
        .complaints
        .iter()
        .take(COMPLAINTS_MAX)
        .map(|one| json!({ "severity": one.severity.as_str(), "code": one.code, "sentence": one.sentence }))
        .collect();
    let message = json!({
        "version": 1,
        "installation": installation,
        "at": format!("{:.0}", digest.at),
        "severity": digest.severity().map_or("info", |severity| severity.as_str()),
        "subject": format!("erasured: {}", digest.subject()),
        "text": digest.text(),
        "complaints": complaints,
        "newly_proposed": digest.proposed,
        "waiting": digest.decisions.waiting,
        "oldest_waiting_since": digest.decisions.oldest_at.map(|at| format!("{at:.0}")),
    });
    format!("{message}\n").into_bytes()
}

/// Runs the command, with this on its standard input, and waits for its end.
pub(super) fn call(command: &[String], message: &[u8], stopping: &watch::Receiver<bool>) -> Result<(), NoticeError> {
    let name = command.first().cloned().unwrap_or_default();
    let environment = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let started = Command::new(&name)
        .args(command.iter().skip(1))
        .env_clear()
        .envs(environment)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // With all that it starts it can be ended at once.
        .process_group(0)
        .spawn();
    let mut child = started.map_err(|source| NoticeError::Start { command: name.clone(), source })?;
    let mut said = Said::default();
    let talked = talk(&mut child, message, &mut said, stopping);
    if !matches!(talked, Ok(Some(_))) {
        end(&mut child);
    }
    let status = talked.map_err(|source| NoticeError::Talk { command: name.clone(), source })?;
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(NoticeError::Failed { command: name, status, said: said.told() }),
        None => Err(NoticeError::Ended { command: name }),
    }
}

/// How the command has ended; none where it has not in time.
fn talk(
    child: &mut Child,
    message: &[u8],
    said: &mut Said,
    stopping: &watch::Receiver<bool>,
) -> io::Result<Option<ExitStatus>> {
    let mut stderr = child.stderr.take();
    if let Some(stderr) = &stderr {
        // Something that it has started may hold the pipe for long: only what is there already is ever read.
        fcntl(stderr, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let mut telling = child.stdin.take().map(|stdin| Telling { stdin, rest: message });
    if let Some(Telling { stdin, .. }) = &telling {
        fcntl(stdin, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let since = Stopwatch::start();
    loop {
        if let Some(of) = &mut telling
            && of.tell()?
        {
            // Whoever reads comes to the end.
            telling = None;
        }
        let ended = child.try_wait()?;
        if let Some(stderr) = &mut stderr {
            said.hear(stderr)?;
        }
        if ended.is_some() {
            return Ok(ended);
        }
        if since.elapsed() > LIMIT || *stopping.borrow() {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// What the command has not yet been told.
struct Telling<'a> {
    stdin: ChildStdin,
    rest: &'a [u8],
}

impl Telling<'_> {
    /// Tells as much of it as the pipe takes; gives whether that is all. Who does not want to read it may leave it.
    fn tell(&mut self) -> io::Result<bool> {
        while !self.rest.is_empty() {
            match self.stdin.write(self.rest) {
                Ok(written) => self.rest = self.rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn end(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // Whoever has ended already needs no signal.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let _ = child.wait();
}

/// The beginning of what the command says on standard error. The rest is read too, so that it need not wait.
#[derive(Default)]
struct Said(Vec<u8>);

impl Said {
    fn hear(&mut self, from: &mut impl io::Read) -> io::Result<()> {
        let mut piece = [0; SAID_MAX];
        for _ in 0..PIECES_MAX {
            match from.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => self.0.extend(piece.iter().take(read.min(SAID_MAX - self.0.len()))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn told(&self) -> String {
        String::from_utf8_lossy(&self.0).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than any pipe takes.
    static LONG: [u8; 2 << 20] = [b'x'; 2 << 20];

    fn shell(script: &str, is_stopping: bool) -> Result<(), NoticeError> {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        call(&command, &LONG, &watch::Sender::new(is_stopping).subscribe())
    }

    #[test]
    fn whoever_does_not_read_holds_nobody_up() {
        let since = Stopwatch::start();
        assert!(matches!(shell("exec sleep 20", true), Err(NoticeError::Ended { .. })));
        assert!(since.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn whoever_reads_gets_all_of_it() {
        shell("sleep 0.1; test $(wc -c) = 2097152", false).unwrap();
        shell("exec <&-; sleep 0.1", false).unwrap();
    }
}
