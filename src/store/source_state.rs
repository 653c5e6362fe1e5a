//! What is known of each source: its last batch, and whether it is closed.

use jiff::Timestamp;

use super::error::failed;
use super::moves::grouped;
use super::{Change, RunId, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::proposal::BatchId;
use crate::record::{RecordRef, SourceName};

/// What the state knows of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The source.
    pub source: SourceName,
    /// The last batch that it has committed.
    pub last_batch: Option<BatchId>,
    /// Since when and why nothing is erased from it, where that is so.
    pub closed: Option<(Timestamp, String)>,
    /// Whether it was opened again, and nobody has looked since whom a backup has brought back.
    pub is_reopened: bool,
}

impl Store {
    /// Every source of which something is known.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn sources(&self) -> Result<Vec<SourceState>, StoreError> {
        sqlx::query("SELECT source, last_batch, closed_reason, closed_at, reopened FROM source_state ORDER BY source")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read what is known of the sources"))?
            .iter()
            .map(|row| {
                let closed_at: Option<Timestamp> = rows::optional(row, "closed_at")?;
                Ok(SourceState {
                    source: rows::parsed(row, "source")?,
                    last_batch: rows::optional_bytes(row, "last_batch")?.map(BatchId),
                    closed: closed_at.zip(rows::get(row, "closed_reason")?),
                    is_reopened: rows::get(row, "reopened")?,
                })
            })
            .collect()
    }
}

impl Change<'_> {
    /// Nothing is erased from the source until it is opened again. Gives whether it was open.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn close_source(&mut self, by: &By, source: &SourceName, reason: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO source_state (source, closed_reason, closed_at) VALUES (?1, ?2, ?3) ON CONFLICT (source) \
             DO UPDATE SET closed_reason = excluded.closed_reason, closed_at = excluded.closed_at \
             WHERE closed_at IS NULL",
        )
        .bind(source.as_str())
        .bind(reason)
        .bind(rows::instant(self.now))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("close a source"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.append(by, &Kind::SourceClosed { source: source.to_string(), reason: reason.to_owned() }).await?;
        Ok(true)
    }

    /// The source may be erased from again; `marker` is what its commit marker carries now, and counts as its last batch.
    /// Gives whether it was closed.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn reopen_source(
        &mut self,
        by: &By,
        source: &SourceName,
        marker: Option<BatchId>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE source_state SET closed_reason = NULL, closed_at = NULL, last_batch = ?2, reopened = 1 \
             WHERE source = ?1 AND closed_at IS NOT NULL",
        )
        .bind(source.as_str())
        .bind(marker.map(|batch| batch.0.to_vec()))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("open a source again"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let last_batch = marker.map(|batch| batch.to_string());
        self.append(by, &Kind::SourceOpened { source: source.to_string(), last_batch }).await?;
        Ok(true)
    }

    /// Writes down records that were erased, and that a backup has brought back without their being due.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn tell_came_back(&mut self, run: RunId, records: &[RecordRef]) -> Result<(), StoreError> {
        let records = grouped(&self.veil, records)?;
        self.append(&By::run(run.0), &Kind::CameBack { records }).await.map(drop)
    }

    /// It has been looked whom a backup has brought back to the source since it was opened again.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn looked_who_came_back(&mut self, source: &SourceName) -> Result<(), StoreError> {
        sqlx::query("UPDATE source_state SET reopened = 0 WHERE source = ?1")
            .bind(source.as_str())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("note who came back"))
            .map(drop)
    }
}
