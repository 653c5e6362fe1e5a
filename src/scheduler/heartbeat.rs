//! The waking timer: one beat a minute.
//!
//! `tokio-cron-scheduler` runs a single job in UTC that does nothing but send a beat. What is due is not its business: it
//! would run local times an hour wrong after the clocks change, and it forgets what was missed. It also ends without a
//! word; so its silence is watched here.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Every full minute, in the six fields of the crate, in UTC.
const EVERY_MINUTE: &str = "0 * * * * *";

/// The longest silence before the timer is taken for dead: two beats and a half.
const SILENCE_MAX: Duration = Duration::from_secs(150);

/// Why no beat will come any more.
#[derive(Debug, thiserror::Error)]
pub enum TimerError {
    /// The timer could not be started.
    #[error("cannot start the timer")]
    Start(#[source] JobSchedulerError),
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
    timer: JobScheduler,
    beats: mpsc::Receiver<()>,
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
        let (timer, beats) = start_timer(pattern).await.map_err(TimerError::Start)?;
        Ok(Self { pattern, silence_max, timer, beats })
    }

    /// Stops beating.
    pub async fn stop(mut self) {
        self.end_timer().await;
    }

    async fn end_timer(&mut self) {
        if let Err(error) = self.timer.shutdown().await {
            tracing::debug!(%error, "the timer did not stop");
        }
    }

    /// Whether a beat came within the longest silence.
    async fn beat_came(&mut self) -> bool {
        // The channel closes only when the timer has dropped its job: that is silence too.
        matches!(tokio::time::timeout(self.silence_max, self.beats.recv()).await, Ok(Some(())))
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
        self.end_timer().await;
        (self.timer, self.beats) = start_timer(self.pattern).await.map_err(TimerError::Start)?;
        if self.beat_came().await { Ok(()) } else { Err(TimerError::Silent(self.silence_max)) }
    }
}

async fn start_timer(pattern: &str) -> Result<(JobScheduler, mpsc::Receiver<()>), JobSchedulerError> {
    // One beat that nobody has taken yet says as much as many.
    let (send, beats) = mpsc::channel(1);
    let timer = JobScheduler::new().await?;
    let job = Job::new_async(pattern, move |_, _| {
        let send = send.clone();
        Box::pin(async move {
            let _ = send.try_send(());
        })
    })?;
    timer.add(job).await?;
    timer.start().await?;
    Ok((timer, beats))
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
        heart.stop().await;
    }

    #[tokio::test]
    async fn a_timer_that_died_is_replaced() {
        let mut heart = Heartbeat::with(EVERY_SECOND, Duration::from_secs(4)).await.unwrap();
        heart.end_timer().await;
        // The dead one may still have sent a beat or two; the third can only come from its successor.
        for _ in 0..4 {
            heart.next().await.unwrap();
        }
        heart.stop().await;
    }

    #[tokio::test]
    async fn a_timer_that_stays_silent_is_an_error() {
        // It beats on leap days only.
        let mut heart = Heartbeat::with("0 0 0 29 2 *", Duration::from_millis(50)).await.unwrap();
        assert!(matches!(heart.next().await, Err(TimerError::Silent(_))));
        heart.stop().await;
    }

    #[tokio::test]
    async fn a_pattern_that_cannot_be_read_is_an_error() {
        assert!(matches!(
            Heartbeat::with("every now and then", SILENCE_MAX).await,
            Err(TimerError::Start(JobSchedulerError::ParseSchedule))
        ));
    }
}
