//! Reload: all or nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use super::check::{self, Accepted};
use crate::config::change::Aside;
use crate::config::{Finding, Settings};
use crate::desk::Board;
use crate::record::hex;
use crate::scheduler::Timetable;
use crate::store::{Store, StoreError};
use crate::systemd::Notifier;

/// Where the rooms learn of new settings.
pub(super) struct Boards {
    pub(super) settings: Board,
    pub(super) timetable: watch::Sender<Arc<Timetable>>,
    /// What was changed while the daemon ran and does not hold, in a few words.
    pub(super) asides: watch::Sender<Option<String>>,
}

impl Boards {
    pub(super) fn new(accepted: Accepted) -> Self {
        let timetable = watch::Sender::new(Arc::new(accepted.timetable));
        let asides = watch::Sender::new(None);
        Self { settings: Board::new(accepted.loaded.settings), timetable, asides }
    }

    /// Takes up what the state knows was changed while the daemon ran; for the start, before anything works by it.
    pub(super) async fn begin(&self, dir: &Path, store: &Store) -> Result<(), StoreError> {
        let files = Settings::clone(&self.settings.files());
        let asides = self.settings.take_up(store, files, digest(dir)).await?;
        let said = tell_asides(&asides);
        if let Some(said) = &said {
            Notifier.status(said);
        }
        self.asides.send_replace(said);
        Ok(())
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
                let settings = &accepted.loaded.settings;
                let bared = settings.bared_keys(&store.personal_keys());
                if !bared.is_empty() {
                    tell(&bared);
                    tracing::error!(faults = bared.len(), "the settings were not reloaded; the old ones stay in force");
                    return Ok(false);
                }
                cover(settings, store).await?;
                let asides = self.settings.take_up(store, accepted.loaded.settings, digest(dir)).await?;
                tell(&accepted.loaded.warnings);
                self.timetable.send_replace(Arc::new(accepted.timetable));
                // Whoever has asked the service manager for the reload has no other answer.
                let said = tell_asides(&asides);
                let also = said.as_ref().map(|said| format!("; {said}")).unwrap_or_default();
                Notifier.status(&format!("the settings are reloaded{also}"));
                self.asides.send_replace(said);
                tracing::info!(set_aside = asides.len(), "the settings are reloaded");
                Ok(true)
            }
        }
    }
}

/// Before anything is written under settings that take keys for personal, the state does. Sources that have left them with
/// something owed are told of.
pub(super) async fn cover(settings: &Settings, store: &Store) -> Result<(), StoreError> {
    for category in store.take_for_personal(&settings.personal_keys()).await? {
        tracing::info!(%category, "keys of a category are personal: they are sealed, and digests stand for them");
    }
    tell_forgotten(settings, store).await
}

/// Tells of sources that owe removal and are not in the settings any more: nobody does it.
async fn tell_forgotten(settings: &Settings, store: &Store) -> Result<(), StoreError> {
    let owed = store.owed().await?;
    let forgotten = owed.iter().map(|owed| &owed.source).filter(|source| !settings.sources.contains_key(*source));
    for source in forgotten.collect::<BTreeSet<_>>() {
        tracing::warn!(%source, "a source that is not in the settings still has to be cleared of what was erased from it");
    }
    Ok(())
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

/// What was changed while the daemon ran and does not hold over these files. Gives what to say of it in few words, where
/// there is any.
fn tell_asides(asides: &[Aside]) -> Option<String> {
    for aside in asides {
        tracing::warn!(rule = aside.name, why = aside.why, "a change made while running is set aside; the file holds");
    }
    let names: Vec<&str> = asides.iter().map(|aside| aside.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("set aside, and the files hold: {}", names.join(", ")))
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
