//! The settings in force: the files', with what was changed while the daemon runs laid over them.
//!
//! Whoever works by the settings follows the board; nobody else makes settings hold. May be relied on: what is posted is
//! what the state says, for both are changed within one turn of the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::audit::{By, Kind};
use crate::config::Settings;
use crate::config::change::{Aside, SetRule, over};
use crate::store::{Store, StoreError, StoredRule};

/// Where settings are posted as they come into force.
#[derive(Debug, Clone)]
pub struct Board {
    in_force: watch::Sender<Arc<Settings>>,
    files: Arc<Mutex<Arc<Settings>>>,
}

impl Board {
    /// A board with the files' settings, and nothing over them yet.
    #[must_use]
    pub fn new(files: Settings) -> Self {
        let files = Arc::new(files);
        Self { in_force: watch::Sender::new(Arc::clone(&files)), files: Arc::new(Mutex::new(files)) }
    }

    /// Follows the settings in force.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Settings>> {
        self.in_force.subscribe()
    }

    /// The settings in force.
    #[must_use]
    pub fn in_force(&self) -> Arc<Settings> {
        Arc::clone(&self.in_force.borrow())
    }

    /// What the files say.
    #[must_use]
    pub fn files(&self) -> Arc<Settings> {
        Arc::clone(&self.files.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes up settings that were read from the files, with the changes that the state knows over them, and writes that
    /// down. Gives the changes that do not hold over these files. `digest` stands for the files.
    ///
    /// # Errors
    /// When the state could not be read or written; the settings are as before then.
    pub async fn take_up(&self, store: &Store, files: Settings, digest: String) -> Result<Vec<Aside>, StoreError> {
        let files = Arc::new(files);
        let mut turn = store.turn().await;
        let mut change = turn.begin().await?;
        let rules = change.rules().await?;
        let held = held(&rules);
        let (_, asides) = over(&files, &held);
        let names: Vec<String> = asides.iter().map(|aside| aside.name.clone()).collect();
        let values: BTreeMap<String, String> =
            held.into_iter().filter(|rule| !names.contains(&rule.name)).map(|rule| (rule.name, rule.value)).collect();
        change.record(&By::daemon(), &Kind::SettingsLoaded { digest, over: values, aside: names }).await?;
        change.commit().await?;
        self.post(files, &rules);
        Ok(asides)
    }

    /// Makes the files with these changes over them hold. To be called within the turn in which they were read or written.
    pub fn post(&self, files: Arc<Settings>, rules: &[StoredRule]) {
        let (settings, _) = over(&files, &held(rules));
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
        self.in_force.send_replace(Arc::new(settings));
    }
}

/// The changes that hold as far as people are concerned, as `config` takes them.
#[must_use]
pub fn held(rules: &[StoredRule]) -> Vec<SetRule> {
    let of = |rule: &StoredRule| {
        let value = rule.value.clone().filter(|_| !rule.waits)?;
        let (name, file) = (rule.name.clone(), rule.file.clone());
        Some(SetRule { name, value, file, number: rule.seq, is_approved: rule.approved.is_some() })
    };
    rules.iter().filter_map(of).collect()
}
