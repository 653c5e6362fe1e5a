//! Settlement: what became of a batch whose end is not on record, found out from the source's commit marker.

use super::{JobError, Workshop, store};
use crate::audit::By;
use crate::erasure::{Settlement, pass, settlement};
use crate::proposal::BatchId;
use crate::record::SourceName;
use crate::source::{Source, SourceError};
use crate::store::{Change, SourceState, StoreError};

/// Why a source cannot be settled.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// There is no such source in the settings.
    #[error("there is no source {0} in the settings")]
    Unknown(SourceName),
    /// The source cannot be read.
    #[error("cannot read the commit marker of {name}")]
    Source {
        /// Its name.
        name: SourceName,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// The marker is no batch's id.
    #[error("the commit marker of {0} does not carry the id of a batch")]
    Marker(SourceName),
    /// The state is in the way.
    #[error("cannot use the state")]
    Store(#[source] StoreError),
}

/// Why a source is closed when its marker is from elsewhere.
const FOREIGN: &str = "its commit marker is not the one last written: the source or the state has been restored from elsewhere; erasured reopen opens it again";

/// Settles one source: at every start before the daemon is ready, and before every final run. Gives whether the source
/// may be erased from.
///
/// # Errors
/// When the marker cannot be read, or the state not be written. Nothing is erased from the source then.
pub async fn settle(workshop: &Workshop, name: &SourceName) -> Result<bool, SettleError> {
    let mut turn = workshop.store.turn().await;
    let known = state_of(workshop, name).await?;
    let open = open_batches(workshop, name).await?;
    let last = known.as_ref().and_then(|state| state.last_batch);
    let marker = marker(workshop, name).await?;
    if open.is_empty() && last.is_none() && marker.is_none() {
        return Ok(known.is_none_or(|state| state.closed.is_none()));
    }
    let found = match open.first() {
        Some(batch) => settlement(marker.as_deref(), *batch, last),
        // Nothing is open: the marker has to be the last batch's, as after a batch that came to nothing.
        None if marker == last.map(|last| last.to_string()) => Settlement::RolledBack,
        None => Settlement::Foreign,
    };
    let mut change = turn.begin().await.map_err(SettleError::Store)?;
    let written = write(&mut change, name, open.first().copied(), found).await;
    written.map_err(SettleError::Store)?;
    change.commit().await.map_err(SettleError::Store)?;
    pass("source-settled");
    if let Some(batch) = open.first() {
        tracing::warn!(source = %name, %batch, ?found, "a batch without an outcome is settled");
    }
    Ok(found != Settlement::Foreign && known.is_none_or(|state| state.closed.is_none()))
}

/// Writes down what has become of the open batch, if there is one; closes the source whose marker is from elsewhere.
async fn write(
    change: &mut Change<'_>,
    name: &SourceName,
    open: Option<BatchId>,
    found: Settlement,
) -> Result<(), StoreError> {
    match (found, open) {
        (Settlement::Committed, Some(batch)) => change.settle_committed(batch).await,
        (Settlement::RolledBack, Some(batch)) => change.settle_rolled_back(batch).await,
        (Settlement::Foreign, _) => change.close_source(&By::daemon(), name, FOREIGN).await.map(drop),
        (Settlement::Committed | Settlement::RolledBack, None) => Ok(()),
    }
}

/// Opens a closed source again, on an operator's word: whatever its marker carries now is taken for the last batch.
///
/// # Errors
/// When the marker cannot be read, or the state not be written.
pub async fn reopen(workshop: &Workshop, name: &SourceName) -> Result<bool, SettleError> {
    let marker = marker(workshop, name).await?;
    let marker = match marker {
        None => None,
        Some(text) => Some(text.parse::<BatchId>().map_err(|_| SettleError::Marker(name.clone()))?),
    };
    let mut turn = workshop.store.turn().await;
    let open = open_batches(workshop, name).await?;
    let mut change = turn.begin().await.map_err(SettleError::Store)?;
    for batch in open {
        // What the database carries now counts: the right copy may have come back meanwhile.
        let settled = match marker {
            Some(carried) if carried == batch => change.settle_committed(batch).await,
            _ => change.settle_rolled_back(batch).await,
        };
        settled.map_err(SettleError::Store)?;
    }
    let was_closed = change.reopen_source(&By::daemon(), name, marker).await.map_err(SettleError::Store)?;
    change.commit().await.map_err(SettleError::Store)?;
    Ok(was_closed)
}

/// How many other installations have erased in the source, as far as its commit marker tells. What they hold or have decided
/// is on no record here.
///
/// # Errors
/// When the source cannot be read.
pub async fn other_installations(workshop: &Workshop, name: &SourceName) -> Result<u64, SettleError> {
    let described = workshop.settings.sources.get(name).ok_or_else(|| SettleError::Unknown(name.clone()))?;
    let failed = |source| SettleError::Source { name: name.clone(), source };
    let mut reader = Source::of(described).reader().await.map_err(failed)?;
    let others = reader.other_installations(workshop.store.installation()).await.map_err(failed);
    reader.close().await;
    others
}

async fn open_batches(workshop: &Workshop, name: &SourceName) -> Result<Vec<BatchId>, SettleError> {
    let open = workshop.store.open_batches().await.map_err(SettleError::Store)?;
    Ok(open.into_iter().filter(|batch| batch.source == *name).map(|batch| batch.id).collect())
}

async fn state_of(workshop: &Workshop, name: &SourceName) -> Result<Option<SourceState>, SettleError> {
    let known = workshop.store.sources().await.map_err(SettleError::Store)?;
    Ok(known.into_iter().find(|state| state.source == *name))
}

/// Read on a writing connection: it rolls back whatever a crash has left in the source's journal.
async fn marker(workshop: &Workshop, name: &SourceName) -> Result<Option<String>, SettleError> {
    let described = workshop.settings.sources.get(name).ok_or_else(|| SettleError::Unknown(name.clone()))?;
    let failed = |source| SettleError::Source { name: name.clone(), source };
    let mut writer = Source::of(described).writer().await.map_err(failed)?;
    let marker = writer.marker(workshop.store.installation()).await.map_err(failed)?;
    writer.close().await;
    Ok(marker)
}

impl From<SettleError> for JobError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::Store(error) => store(error),
            SettleError::Source { name, source } => Self::Source { name: name.to_string(), source },
            SettleError::Unknown(name) | SettleError::Marker(name) => {
                Self::Source { source: SourceError::Missing { path: name.as_str().into() }, name: name.to_string() }
            }
        }
    }
}
