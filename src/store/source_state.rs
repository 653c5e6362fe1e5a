//! What is known of each source: its last batch, and whether it is closed.

use jiff::Timestamp;

use super::error::failed;
use super::{Change, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::proposal::BatchId;
use crate::record::SourceName;

/// What the state knows of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The source.
    pub source: SourceName,
    /// The last batch that it has committed.
    pub last_batch: Option<BatchId>,
    /// Since when and why nothing is erased from it, where that is so.
    pub closed: Option<(Timestamp, String)>,
}

impl Store {
    /// Every source of which something is known.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn sources(&self) -> Result<Vec<SourceState>, StoreError> {
        sqlx::query("SELECT source, last_batch, closed_reason, closed_at FROM source_state ORDER BY source")
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
            "UPDATE source_state SET closed_reason = NULL, closed_at = NULL, last_batch = ?2 \
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
}
