//! The waking timer: one beat a minute.
//!
//! `tokio-cron-scheduler` runs a single job in UTC that does nothing but send a beat. What is due is not its business: it
//! would run local times an hour wrong after the clocks change, and it forgets what was missed. It also ends without a
//! word; so its silence is watched here.
//!
//! The crate polls twice a second, and each of its sleeps would wake a runtime twice: its timers are sorted more finely
//! the nearer they come. So it lives on a thread and a runtime of its own, which are given the processor at every
//! [`LOOK`] only: an idle daemon then wakes once for each of them, and otherwise when there is something to do.

use std::future::Future;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Every full minute, in the six fields of the crate, in UTC.
const EVERY_MINUTE: &str = "0 * * * * *";

/// The longest silence before the timer is taken for dead: two beats and a half.
const SILENCE_MAX: Duration = Duration::from_secs(150);

/// How often the crate may look at the time: a beat comes so much later than its minute at most.
const LOOK: Duration = Duration::from_secs(2);

/// How often the crate's tasks take turns at a look, so that each hears of what the one before it has sent.
const TURNS: usize = 16;

/// Why no beat will come any more.
#[derive(Debug, thiserror::Error)]
pub enum TimerError {
    /// The timer could not be started.
    #[error("cannot start the timer")]
    Start(#[source] JobSchedulerError),
    /// There is no thread for it.
    #[error("cannot start the timer's thread")]
    Thread(#[source] io::Error),
    /// Its thread has died before it could begin.
    #[error("the timer's thread has died")]
    Died,
    /// The timer gave no beat, and neither did the one that was started in its place.
    #[error("the timer is silent: no beat for {0:?}, and none from a new timer")]
    Silent(Duration),
}

/// Something that beats about once a minute.
pub trait Beat: Send {
    /// Waits for the next beat. It may be given up on and called again.
    fn next(&mut self) -> impl Future<Output = Result<(), TimerError>> + Send;
}

/// The machine's heartbeat.
pub struct Heartbeat {
    pattern: &'static str,
    silence_max: Duration,
    timer: Timer,
}

/// A thread on which the crate runs until this is dropped.
struct Timer {
    beats: mpsc::Receiver<()>,
    alive: Sender<()>,
}

impl Heartbeat {
    /// Starts beating.
    ///
    /// # Errors
    /// [`TimerError::Start`] when the timer cannot be started.
    pub async fn start() -> Result<Self, TimerError> {
        Self::with(EVERY_MINUTE, SILENCE_MAX).await
    }

    async fn with(pattern: &'static str, silence_max: Duration) -> Result<Self, TimerError> {
        Ok(Self { pattern, silence_max, timer: Timer::start(pattern).await? })
    }

    /// Stops beating.
    pub fn stop(self) {
        drop(self.timer.alive);
    }

    /// Whether a beat came within the longest silence.
    async fn beat_came(&mut self) -> bool {
        // The channel closes only when the timer has dropped its job: that is silence too.
        matches!(tokio::time::timeout(self.silence_max, self.timer.beats.recv()).await, Ok(Some(())))
    }
}

impl Beat for Heartbeat {
    /// The timer waits for a time of day: when the machine's clock is set back it would be silent until that time comes
    /// round again. So a silent timer is replaced once before it is an error.
    async fn next(&mut self) -> Result<(), TimerError> {
        if self.beat_came().await {
            return Ok(());
        }
        tracing::warn!(silence = ?self.silence_max, "the timer is silent, starting another");
        self.timer = Timer::start(self.pattern).await?;
        if self.beat_came().await { Ok(()) } else { Err(TimerError::Silent(self.silence_max)) }
    }
}

impl Timer {
    async fn start(pattern: &'static str) -> Result<Self, TimerError> {
        // One beat that nobody has taken yet says as much as many.
        let (send, beats) = mpsc::channel(1);
        let (alive, ended) = channel();
        let (tell, told) = oneshot::channel();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(TimerError::Thread)?;
        let live = move || match runtime.block_on(schedule(pattern, send)) {
            Ok(crate_timer) => {
                // Whoever asked for it may have gone: then nobody holds the other end of what is waited for either.
                let _ = tell.send(Ok(()));
                keep(&runtime, &ended);
                drop(crate_timer);
            }
            Err(error) => drop(tell.send(Err(TimerError::Start(error)))),
        };
        std::thread::Builder::new().name("timer".into()).spawn(live).map_err(TimerError::Thread)?;
        told.await.unwrap_or(Err(TimerError::Died))?;
        Ok(Self { beats, alive })
    }
}

async fn schedule(pattern: &'static str, send: mpsc::Sender<()>) -> Result<JobScheduler, JobSchedulerError> {
    let timer = JobScheduler::new().await?;
    let job = Job::new_async(pattern, move |_, _| {
        let send = send.clone();
        Box::pin(async move {
            let _ = send.try_send(());
        })
    })?;
    timer.add(job).await?;
    timer.start().await?;
    Ok(timer)
}

/// Gives the processor to what runs on `runtime` at every look, until the other end of `ended` is gone.
fn keep(runtime: &tokio::runtime::Runtime, ended: &Receiver<()>) {
    while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        runtime.block_on(async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_SECOND: &str = "* * * * * *";

    #[tokio::test]
    async fn it_beats_and_stops() {
        let mut heart = Heartbeat::with(EVERY_SECOND, Duration::from_secs(20)).await.unwrap();
        heart.next().await.unwrap();
        heart.next().await.unwrap();
        heart.stop();
    }

    #[tokio::test]
    async fn a_timer_that_died_is_replaced() {
        let mut heart = Heartbeat::with(EVERY_SECOND, Duration::from_secs(8)).await.unwrap();
        // A thread that has ended, and nobody has heard of it.
        heart.timer.alive = channel().0;
        // The dead one may still have sent a beat or two; the third can only come from its successor.
        for _ in 0..4 {
            heart.next().await.unwrap();
        }
        heart.stop();
    }

    #[tokio::test]
    async fn a_timer_that_stays_silent_is_an_error() {
        // It beats on leap days only.
        let mut heart = Heartbeat::with("0 0 0 29 2 *", Duration::from_millis(50)).await.unwrap();
        assert!(matches!(heart.next().await, Err(TimerError::Silent(_))));
        heart.stop();
    }

    #[tokio::test]
    async fn a_pattern_that_cannot_be_read_is_an_error() {
        assert!(matches!(
            Heartbeat::with("every now and then", SILENCE_MAX).await,
            Err(TimerError::Start(JobSchedulerError::ParseSchedule))
        ));
    }
}
