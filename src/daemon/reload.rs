//! Reload: all or nothing.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use super::check::{self, Accepted};
use crate::audit::{By, Kind};
use crate::config::{Finding, Settings};
use crate::record::hex;
use crate::scheduler::Timetable;
use crate::store::{Store, StoreError};

/// Where the rooms learn of new settings.
pub(super) struct Boards {
    pub(super) settings: watch::Sender<Arc<Settings>>,
    pub(super) timetable: watch::Sender<Arc<Timetable>>,
}

impl Boards {
    pub(super) fn new(accepted: Accepted) -> Self {
        Self {
            settings: watch::Sender::new(Arc::new(accepted.loaded.settings)),
            timetable: watch::Sender::new(Arc::new(accepted.timetable)),
        }
    }

    /// Reads the settings again. On a fault the old ones stay, and every fault is in the log.
    pub(super) async fn reload(&self, dir: &Path, store: &Store) -> Result<bool, StoreError> {
        match check::load(dir) {
            Err(findings) => {
                tell(&findings);
                tracing::error!(faults = findings.len(), "the settings were not reloaded; the old ones stay in force");
                Ok(false)
            }
            Ok(accepted) => {
                note(store, dir).await?;
                tell(&accepted.loaded.warnings);
                self.settings.send_replace(Arc::new(accepted.loaded.settings));
                self.timetable.send_replace(Arc::new(accepted.timetable));
                tracing::info!("the settings are reloaded");
                Ok(true)
            }
        }
    }
}

/// Puts findings into the log.
pub(super) fn tell(findings: &[Finding]) {
    for finding in findings {
        if finding.is_error() {
            tracing::error!("{finding}");
        } else {
            tracing::warn!("{finding}");
        }
    }
}

/// Writes down which settings hold from now on.
pub(super) async fn note(store: &Store, dir: &Path) -> Result<(), StoreError> {
    let mut turn = store.turn().await;
    let mut change = turn.begin().await?;
    change.record(&By::daemon(), &Kind::SettingsLoaded { digest: digest(dir) }).await?;
    change.commit().await
}

/// SHA-256 over the names and contents of the settings' files.
fn digest(dir: &Path) -> String {
    use sha2::{Digest as _, Sha256};
    let mut files = vec![dir.join("erasured.toml")];
    let listed = std::fs::read_dir(dir.join("categories")).into_iter().flatten().flatten().map(|entry| entry.path());
    files.extend(listed.filter(|path| path.extension().is_some_and(|extension| extension == "toml")));
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        // They have just been read; one that has vanished since counts as empty.
        let text = std::fs::read(&file).unwrap_or_default();
        let name = file.file_name().unwrap_or_default().as_encoded_bytes().to_vec();
        for part in [name, text] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    hex(&digest.finalize())
}
