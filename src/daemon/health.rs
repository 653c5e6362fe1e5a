//! How the daemon stands, for whoever does not ask: the service manager's status line, and the notices.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::notice;
use crate::clock::Stopwatch;
use crate::config::{Settings, causes};
use crate::desk::{AlreadyTold, Desk, DeskError, Health, told};
use crate::systemd::Notifier;

/// How old the line may get. What is not well is looked for in the sources, too: not more often than that.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// A command that failed is not tried again before.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(15 * 60);

/// Looks how things stand, and tells it.
pub(super) struct Watch {
    pub(super) desk: Desk,
    pub(super) settings: watch::Receiver<Arc<Settings>>,
    /// What was changed while the daemon ran and does not hold.
    pub(super) asides: watch::Receiver<Option<String>>,
    /// Changes whenever a run has ended.
    pub(super) ended: watch::Receiver<u64>,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) installation: String,
}

/// What was told by command, and whether it could be.
#[derive(Default)]
struct Notices {
    told: Option<AlreadyTold>,
    failed: Option<Stopwatch>,
}

impl Watch {
    /// Looks every minute and after each run, until the daemon stops. Where nobody listens nobody looks. The service manager
    /// is told when it is not what it was told last; what does not hold is posted at each reload, which says so in the same
    /// line.
    pub(super) async fn keep(mut self) {
        let mut due = tokio::time::interval(TOLD_EVERY);
        let (mut told_last, mut notices) = (None, Notices::default());
        loop {
            tokio::select! {
                _ = due.tick() => {}
                changed = self.asides.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    told_last = None;
                    continue;
                }
                changed = self.ended.changed() => if changed.is_err() { return },
                _ = self.stopping.wait_for(|stopping| *stopping) => return,
            }
            let command = self.settings.borrow().notice.command.clone();
            if !Notifier.is_heard() && command.is_none() {
                continue;
            }
            let found = tokio::select! {
                found = self.desk.health() => found,
                _ = self.stopping.wait_for(|stopping| *stopping) => return,
            };
            let line = self.line(&found);
            if told_last.as_ref() != Some(&line) {
                Notifier.status(&line);
                told_last = Some(line);
            }
            if let (Ok(health), Some(command)) = (found, command) {
                self.give_notice(&mut notices, command, &health).await;
            }
        }
    }

    /// How things stand, in one line.
    fn line(&self, found: &Result<Health, DeskError>) -> String {
        let line = match found {
            Ok(health) => told(&health.complaints).unwrap_or_else(|| "all is well".to_owned()),
            Err(error) => causes(error),
        };
        let also = self.asides.borrow().as_ref().map(|said| format!("; {said}")).unwrap_or_default();
        format!("{line}{also}")
    }

    /// Tells by command what is new. What could not be told stays new.
    async fn give_notice(&self, notices: &mut Notices, command: Vec<String>, health: &Health) {
        if notices.failed.as_ref().is_some_and(|since| since.elapsed() < TRIED_AGAIN_AFTER) {
            return;
        }
        match self.try_to_tell(notices, command, health).await {
            Ok(()) => notices.failed = None,
            Err(error) => {
                tracing::error!(error = %causes(&*error), "nobody could be told how things stand");
                notices.failed = Some(Stopwatch::start());
            }
        }
    }

    async fn try_to_tell(
        &self,
        notices: &mut Notices,
        command: Vec<String>,
        health: &Health,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let told = match &mut notices.told {
            Some(told) => told,
            none => none.insert(self.desk.already_told().await?),
        };
        let Some(digest) = self.desk.digest(told, health).await? else { return Ok(()) };
        let (message, stopping) = (notice::message(&digest, &self.installation), self.stopping.clone());
        tokio::task::spawn_blocking(move || notice::call(&command, &message, &stopping)).await??;
        tracing::info!(subject = digest.subject(), "somebody was told how things stand");
        notices.told = Some(self.desk.note_told(digest).await?);
        Ok(())
    }
}
