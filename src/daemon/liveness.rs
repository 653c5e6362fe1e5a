//! Whether the daemon is alive, as the service manager's watchdog is to hear it.
//!
//! That a process is there says little: it may answer nobody, or no job may ever begin again. So a sign of life is sent
//! only after it was seen that the timer and the queue have come round, that the state can be had, and that the socket
//! answers, or that all of its places are taken: whoever holds them is not to have the daemon killed. How long a run takes is
//! no sign: a large file takes hours to be written anew, and killing the daemon over it would only make it begin again. Nor
//! is it while a run has the state, for a batch waits for the application's lock with it; but not for ever.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::clock::Stopwatch;
use crate::store::Store;
use crate::systemd::Notifier;

/// The longest that the timer and the queue may be silent. They come round once a minute; a timer that has died is
/// replaced after two and a half, and ends the daemon after five.
const SILENCE_MAX: Duration = Duration::from_secs(360);

/// The longest that a run may have the state: `lock_wait` is ten minutes at most, and a large table may be gone through.
const HELD_MAX: Duration = Duration::from_secs(30 * 60);

/// A question that nobody has to be asked about: there is no such path, and saying so is an answer.
const QUESTION: &[u8] = b"GET /alive HTTP/1.1\r\nHost: erasured\r\nConnection: close\r\n\r\n";
/// How every answer begins.
const ANSWER: &[u8; 5] = b"HTTP/";

/// Why no sign of life is sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lifeless {
    /// A loop has not come round.
    #[error("the {what} has not come round for {}", told(*.silence))]
    Silent {
        /// Which.
        what: &'static str,
        /// For how long.
        silence: Duration,
    },
    /// The state is in somebody's hands for too long, or the socket answers nobody.
    #[error("{what} takes longer than {}", told(*.limit))]
    Slow {
        /// What is waited for.
        what: &'static str,
        /// For how long.
        limit: Duration,
    },
    /// Whoever connects is not answered.
    #[error("the socket does not answer")]
    Unanswered(#[source] std::io::Error),
}

fn told(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

/// When the daemon's loops have last come round.
#[derive(Debug)]
pub(super) struct Pulse {
    timer: watch::Sender<Stopwatch>,
    /// `None` while the queue is at work on a run.
    queue: watch::Sender<Option<Stopwatch>>,
    /// When the state could be had last.
    state: watch::Sender<Stopwatch>,
}

impl Pulse {
    /// As of a daemon that is just starting: its queue waits for the state to be looked through.
    pub(super) fn start() -> Self {
        let now = || watch::Sender::new(Stopwatch::start());
        Self { timer: now(), queue: watch::Sender::new(None), state: now() }
    }

    /// The timer has beaten, and what it is to look after was looked after.
    pub(super) fn timer_came_round(&self) {
        self.timer.send_replace(Stopwatch::start());
    }

    /// The queue was looked at: it is at work on a run, or waits to be woken by the timer.
    pub(super) fn queue_came_round(&self, is_at_work: bool) {
        self.queue.send_replace((!is_at_work).then(Stopwatch::start));
    }

    /// Whether a run is at work and may have the state, which it has not had for longer than this.
    fn may_have_state(&self, held_max: Duration) -> bool {
        self.queue.borrow().is_none() && self.state.borrow().elapsed() <= held_max
    }

    /// The loops that have not come round for longer than this, and for how long.
    fn silent(&self, silence_max: Duration) -> impl Iterator<Item = (&'static str, Duration)> {
        let timer = ("timer", Some(self.timer.borrow().elapsed()));
        let queue = ("queue of runs", self.queue.borrow().as_ref().map(Stopwatch::elapsed));
        let silences = [timer, queue].into_iter().filter_map(|(what, silence)| Some((what, silence?)));
        silences.filter(move |(_, silence)| *silence > silence_max)
    }
}

/// What has to be seen before a sign of life is sent.
pub(super) struct Liveness<'a> {
    pub(super) pulse: &'a Pulse,
    pub(super) store: &'a Store,
    /// Where the socket is; `None` for one without a path.
    pub(super) socket: Option<PathBuf>,
    /// Whether whoever connects waits for a place.
    pub(super) is_full: watch::Receiver<bool>,
}

impl Liveness<'_> {
    /// Sends signs of life for as long as there is life, at the interval that the service manager asks for; nothing where
    /// nobody watches.
    pub(super) async fn feed(&self) -> Infallible {
        let Some(interval) = Notifier.watchdog_interval() else {
            return std::future::pending().await;
        };
        loop {
            match self.look(interval / 2).await {
                Ok(()) => Notifier.watchdog(),
                Err(why) => {
                    let error = crate::config::causes(&why);
                    tracing::error!(%error, "no sign of life is sent: the service manager will start the daemon anew");
                }
            }
            // With the look that took the other half, two signs are never further apart than the interval.
            sleep(interval / 2).await;
        }
    }

    /// Looks for all that has to be alive, for so long at most.
    async fn look(&self, limit: Duration) -> Result<(), Lifeless> {
        let limit = limit / 2;
        self.look_for_state(limit).await?;
        let Some(socket) = &self.socket else { return Ok(()) };
        let answered = timeout(limit, ask(socket)).await;
        // The queue of those who connect may be full, too.
        let waits = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
        if answered.as_ref().map_or(true, |asked| asked.as_ref().is_err_and(waits)) && *self.is_full.borrow() {
            return Ok(());
        }
        answered.map_err(|_| Lifeless::Slow { what: "an answer on the socket", limit })?.map_err(Lifeless::Unanswered)
    }

    /// Looks whether the state can be had, and whether the loops come round, which may wait for it, too.
    async fn look_for_state(&self, limit: Duration) -> Result<(), Lifeless> {
        match timeout(limit, self.store.turn()).await {
            Ok(turn) => drop(turn),
            Err(_) if self.pulse.may_have_state(HELD_MAX) => return Ok(()),
            Err(_) => return Err(Lifeless::Slow { what: "waiting for the state", limit }),
        }
        self.pulse.state.send_replace(Stopwatch::start());
        match self.pulse.silent(SILENCE_MAX).next() {
            Some((what, silence)) => Err(Lifeless::Silent { what, silence }),
            None => Ok(()),
        }
    }
}

/// Asks as anybody who connects, and waits for an answer to begin.
async fn ask(socket: &Path) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(QUESTION).await?;
    let mut begun = [0; ANSWER.len()];
    stream.read_exact(&mut begun).await?;
    if begun == *ANSWER { Ok(()) } else { Err(std::io::ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_does_not_come_round_is_told_by_name() {
        let pulse = Pulse::start();
        let silent = |limit| pulse.silent(limit).map(|(what, _)| what).collect::<Vec<_>>();
        assert_eq!(silent(Duration::ZERO), ["timer"], "the queue has something to do");
        pulse.queue_came_round(false);
        assert_eq!(silent(Duration::ZERO), ["timer", "queue of runs"]);
        assert_eq!(silent(SILENCE_MAX), [""; 0]);
        pulse.timer_came_round();
        pulse.queue_came_round(true);
        assert_eq!(silent(Duration::ZERO), ["timer"], "a run may take as long as it takes");
    }

    #[test]
    fn only_a_run_may_have_the_state_and_not_for_ever() {
        let pulse = Pulse::start();
        assert!(pulse.may_have_state(HELD_MAX) && !pulse.may_have_state(Duration::ZERO));
        pulse.queue_came_round(false);
        assert!(!pulse.may_have_state(HELD_MAX));
    }

    #[tokio::test]
    async fn whoever_answers_anything_is_alive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        assert!(ask(&path).await.is_err(), "nobody listens");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let answer = async |with: &[u8]| {
            let mut stream = listener.accept().await.unwrap().0;
            stream.read_exact(&mut [0; QUESTION.len()]).await.unwrap();
            stream.write_all(with).await.unwrap();
        };
        assert!(tokio::join!(ask(&path), answer(b"HTTP/1.1 404 Not Found\r\n")).0.is_ok());
        assert!(tokio::join!(ask(&path), answer(b"HELLO")).0.is_err());
        assert!(tokio::join!(ask(&path), answer(b"")).0.is_err());
    }
}
