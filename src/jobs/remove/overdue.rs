//! What is owed and whose time has come, and what takes longer than it may.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::config::Settings;
use crate::erasure::{is_overdue, is_wanted};
use crate::record::SourceName;
use crate::store::{Store, StoreError};

/// Queues the run that tries again what is owed, where its time has come.
///
/// # Errors
/// When the state cannot be read or written.
pub async fn queue_owed(store: &Store, settings: &Settings) -> Result<(), StoreError> {
    // Nearly always nothing is owed: nobody is to wait for the write turn then.
    if store.owed().await?.is_empty() {
        return Ok(());
    }
    let mut turn = store.turn().await;
    let mut change = turn.begin().await?;
    change.queue_owed(&settings.sources.keys().collect::<BTreeSet<_>>()).await?;
    change.commit().await
}

/// A source with something that was confirmed longer ago than it may be, and that is not known to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The source.
    pub source: SourceName,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// How long it may be.
    pub within: String,
}

/// The sources whose longest time from confirmation to verified removal is exceeded.
///
/// # Errors
/// When the state cannot be read.
pub async fn late(store: &Store, settings: &Settings, now: Timestamp) -> Result<Vec<Late>, StoreError> {
    let now = now.to_zoned(settings.time_zone.clone());
    let mut found = Vec::new();
    for described in settings.sources.values() {
        let Some(within) = &described.removal.within else { continue };
        let wanted = |step| is_wanted(step, &described.removal);
        let oldest = store.left_in(&described.name, wanted).await?.oldest;
        if let Some(confirmed_at) = oldest.filter(|_| is_overdue(&described.removal, oldest, &now)) {
            found.push(Late { source: described.name.clone(), confirmed_at, within: within.value.to_string() });
        }
    }
    Ok(found)
}
