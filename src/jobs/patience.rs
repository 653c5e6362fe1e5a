//! Giving way to an application that keeps its database locked: for a while within a run, and then until another run; and
//! going on where it changes its schema.

use std::time::Duration;

use jiff::SignedDuration;

use super::run::Stop;
use crate::clock::Stopwatch;
use crate::config::SourceSettings;

/// How often a source is tried within one run before the rest is left.
pub(super) const TRIES: u32 = 3;
/// Between two tries the source is left alone for so many times as long as its lock was waited for.
const PAUSE_SHARE: u32 = 2;
/// But no longer than this: other sources are waiting.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How soon somebody who wants the run to stop is heard.
const LOOK: Duration = Duration::from_millis(100);
/// After how many minutes a run of its own tries again what was left, the first time, the second and so on. After the last
/// of them it is for the schedule.
const AGAIN_MINUTES: [i64; 3] = [5, 20, 60];

/// As often as this a source's schema may change during a run. An application that changes it more often is not at rest.
const SCHEMA_CHANGES_MAX: u32 = 100;

/// How often a source may still be tried in this run.
pub(super) struct Patience {
    tries: u32,
    changes: u32,
    pause: Duration,
}

impl Patience {
    pub(super) fn with(described: &SourceSettings) -> Self {
        Self { tries: 1, changes: 0, pause: described.lock_wait.saturating_mul(PAUSE_SHARE).min(PAUSE_MAX) }
    }

    /// Leaves the source alone for a while; false where it has been tried often enough, or the run is to stop.
    pub(super) async fn give_way(&mut self, stop: Stop<'_>) -> bool {
        if self.tries >= TRIES {
            return false;
        }
        self.tries += 1;
        let since = Stopwatch::start();
        while since.elapsed() < self.pause {
            if stop() {
                return false;
            }
            tokio::time::sleep(LOOK.min(self.pause)).await;
        }
        !stop()
    }

    /// Whether the settings are laid over a source's schema once more, which has changed.
    pub(super) fn lays_anew(&mut self, described: &SourceSettings) -> bool {
        self.changes += 1;
        let is_anew = self.changes <= SCHEMA_CHANGES_MAX;
        tracing::info!(source = %described.name, is_anew, "the schema has changed while a job was at work");
        is_anew
    }
}

/// In how long a run is to try again what one that was itself the n-th try has left undone; `None` where it is enough.
pub(super) fn again_in(tries: u32) -> Option<SignedDuration> {
    let minutes = AGAIN_MINUTES.get(usize::try_from(tries).ok()?)?;
    Some(SignedDuration::from_mins(*minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_not_tried_for_ever() {
        let tries: Vec<_> = (0..5).map(again_in).collect();
        assert!(tries[..3].is_sorted() && tries[..3].iter().all(Option::is_some), "{tries:?}");
        assert_eq!(tries[3..], [None, None]);
    }
}
