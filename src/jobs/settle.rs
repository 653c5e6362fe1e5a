//! Settlement: what became of a batch whose end is not on record, found out from the source's commit marker.

use super::{JobError, Workshop, store};
use crate::audit::By;
use crate::erasure::{Settlement, pass, settlement};
use crate::proposal::BatchId;
use crate::record::SourceName;
use crate::source::{Source, SourceError};
use crate::store::{Change, RunId, Settled, SourceState, StoreError};

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

/// Why a source is closed in which another installation has erased, and this one never has.
const STRANGE: &str = "another installation of erasured has erased in it, and this state has never erased in it: another daemon erases here, or the state was lost, with its holds and decisions; restore the state, or erasured reopen opens the source";

/// What is on record about a source, and what its marker table says.
struct Look {
    known: Option<SourceState>,
    open: Option<BatchId>,
    marker: Option<String>,
    /// Other installations that have erased in it.
    others: u64,
}

impl Look {
    fn last(&self) -> Option<BatchId> {
        self.known.as_ref().and_then(|state| state.last_batch)
    }

    fn is_closed(&self) -> bool {
        self.known.as_ref().is_some_and(|state| state.closed.is_some())
    }

    /// Whether nobody has ever erased in it, and nothing stands against it.
    fn is_new(&self) -> bool {
        self.open.is_none() && self.last().is_none() && self.marker.is_none() && self.found().is_ok()
    }

    /// What has become of the open batch, if there is one; otherwise why the source is to be closed.
    fn found(&self) -> Result<Settlement, &'static str> {
        let found = match self.open {
            Some(batch) => settlement(self.marker.as_deref(), batch, self.last()),
            // Nothing is open: the marker has to be the last batch's, as after a batch that came to nothing.
            None if self.marker == self.last().map(|last| last.to_string()) => Settlement::RolledBack,
            None => Settlement::Foreign,
        };
        match found {
            Settlement::Foreign => Err(FOREIGN),
            Settlement::RolledBack if self.known.is_none() && self.others > 0 => Err(STRANGE),
            found => Ok(found),
        }
    }
}

/// Settles one source: at every start before the daemon is ready, and before every run. Gives whether jobs may work on it.
///
/// # Errors
/// When the marker cannot be read, or the state not be written. Nothing is done with the source then.
pub async fn settle(workshop: &Workshop, name: &SourceName) -> Result<bool, SettleError> {
    settle_and_count(workshop, name).await.map(|(is_open, _)| is_open)
}

/// The same; gives what a batch has come to, too, that was found committed.
pub(super) async fn settle_and_count(
    workshop: &Workshop,
    name: &SourceName,
) -> Result<(bool, Option<Settled>), SettleError> {
    // No batch goes on meanwhile. Whoever decides something does not wait for the application's lock.
    let (marker, others) = marker(workshop, name).await?;
    let mut turn = workshop.store.turn().await;
    let (known, open) = (state_of(workshop, name).await?, open_batches(workshop, name).await?.first().copied());
    let look = Look { known, open, marker, others };
    if look.is_new() {
        return Ok((!look.is_closed(), None));
    }
    let found = look.found();
    let mut change = turn.begin().await.map_err(SettleError::Store)?;
    let settled = write(&mut change, name, look.open, found).await.map_err(SettleError::Store)?;
    change.commit().await.map_err(SettleError::Store)?;
    pass("source-settled");
    if let Some(batch) = look.open {
        tracing::warn!(source = %name, %batch, ?found, "a batch without an outcome is settled");
    }
    Ok((found.is_ok() && !look.is_closed(), settled))
}

/// Whether a job may work on the source. A run settles it; a dry run looks at the same and writes nothing.
pub(super) async fn is_open(workshop: &Workshop, run: Option<RunId>, name: &SourceName) -> Result<bool, SettleError> {
    if run.is_some() {
        return settle(workshop, name).await;
    }
    // What seems to be closed may be a batch that has ended between two looks.
    Ok(seems_open(workshop, name).await? || seems_open(workshop, name).await?)
}

async fn seems_open(workshop: &Workshop, name: &SourceName) -> Result<bool, SettleError> {
    let (known, open) = (state_of(workshop, name).await?, open_batches(workshop, name).await?.first().copied());
    let described = workshop.settings.sources.get(name).ok_or_else(|| SettleError::Unknown(name.clone()))?;
    let failed = |source| SettleError::Source { name: name.clone(), source };
    let mut reader = Source::of(described).reader().await.map_err(failed)?;
    let installation = workshop.store.installation();
    let marker = reader.marker(installation).await;
    let others = reader.other_installations(installation).await;
    reader.close().await;
    let look = Look { known, open, marker: marker.map_err(failed)?, others: others.map_err(failed)? };
    Ok(look.found().is_ok() && !look.is_closed())
}

/// What is told of a source that is left alone.
pub(super) fn told_closed(name: &SourceName) -> String {
    format!("{name}: closed until an operator decides: erasured reopen {name}")
}

/// Writes down what has become of the open batch, if there is one, or closes the source.
async fn write(
    change: &mut Change<'_>,
    name: &SourceName,
    open: Option<BatchId>,
    found: Result<Settlement, &'static str>,
) -> Result<Option<Settled>, StoreError> {
    match (found, open) {
        (Ok(Settlement::Committed), Some(batch)) => return change.settle_committed(batch).await.map(Some),
        (Ok(_), Some(batch)) => change.settle_rolled_back(batch).await?,
        (Ok(_), None) => {}
        (Err(why), _) => _ = change.close_source(&By::daemon(), name, why).await?,
    }
    Ok(None)
}

/// Opens a closed source again, on an operator's word: whatever its marker carries now is taken for the last batch.
///
/// # Errors
/// When the marker cannot be read, or the state not be written.
pub async fn reopen(workshop: &Workshop, name: &SourceName) -> Result<bool, SettleError> {
    let (marker, _) = marker(workshop, name).await?;
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
            Some(carried) if carried == batch => change.settle_committed(batch).await.map(drop),
            _ => change.settle_rolled_back(batch).await,
        };
        settled.map_err(SettleError::Store)?;
    }
    let was_closed = change.reopen_source(&By::daemon(), name, marker).await.map_err(SettleError::Store)?;
    change.commit().await.map_err(SettleError::Store)?;
    Ok(was_closed)
}

async fn open_batches(workshop: &Workshop, name: &SourceName) -> Result<Vec<BatchId>, SettleError> {
    let open = workshop.store.open_batches().await.map_err(SettleError::Store)?;
    Ok(open.into_iter().filter(|batch| batch.source == *name).map(|batch| batch.id).collect())
}

async fn state_of(workshop: &Workshop, name: &SourceName) -> Result<Option<SourceState>, SettleError> {
    let known = workshop.store.sources().await.map_err(SettleError::Store)?;
    Ok(known.into_iter().find(|state| state.source == *name))
}

/// What the marker table carries for this installation, and how many others it knows. Read on a writing connection: it rolls
/// back whatever a crash has left in the source's journal.
async fn marker(workshop: &Workshop, name: &SourceName) -> Result<(Option<String>, u64), SettleError> {
    let described = workshop.settings.sources.get(name).ok_or_else(|| SettleError::Unknown(name.clone()))?;
    let failed = |source| SettleError::Source { name: name.clone(), source };
    let mut writer = Source::of(described).writer().await.map_err(failed)?;
    let installation = workshop.store.installation();
    let marker = writer.marker(installation).await;
    let others = writer.other_installations(installation).await;
    writer.close().await;
    Ok((marker.map_err(failed)?, others.map_err(failed)?))
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
