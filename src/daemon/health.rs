//! The service manager's status line: whether all is well, in one line.

use std::time::Duration;

use tokio::sync::watch;

use crate::config::causes;
use crate::desk::{Desk, told};
use crate::systemd::Notifier;

/// How old the line may get. What is not well is looked for in the sources, too: not more often than that.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Tells the service manager how things stand, when it is not what was told last: looked at every minute and after each run,
/// until the daemon stops. Where nobody listens nobody looks. `asides` is what was changed while the daemon ran and does not
/// hold; it is posted at each reload, which says so in the same line.
pub(super) async fn tell(
    desk: Desk,
    mut asides: watch::Receiver<Option<String>>,
    mut ended: watch::Receiver<u64>,
    mut stopping: watch::Receiver<bool>,
) {
    if !Notifier.is_heard() {
        // A sender that is gone means the same.
        let _ = stopping.wait_for(|stopping| *stopping).await;
        return;
    }
    let mut due = tokio::time::interval(TOLD_EVERY);
    let mut told_last = None;
    loop {
        tokio::select! {
            _ = due.tick() => {}
            changed = asides.changed() => {
                if changed.is_err() {
                    return;
                }
                told_last = None;
                continue;
            }
            changed = ended.changed() => if changed.is_err() { return },
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let found = tokio::select! {
            found = desk.health() => found,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        let line = match found {
            Ok(complaints) => told(&complaints).unwrap_or_else(|| "all is well".to_owned()),
            Err(error) => causes(&error),
        };
        let also = asides.borrow().as_ref().map(|said| format!("; {said}")).unwrap_or_default();
        let line = format!("{line}{also}");
        if told_last.as_ref() != Some(&line) {
            Notifier.status(&line);
            told_last = Some(line);
        }
    }
}
