//! What is confirmed and waits for the final job.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;

use super::error::failed;
use super::{Proposal, Ripe, Store, StoreError, rows};
use crate::proposal::ProposalId;
use crate::record::{CategoryName, RecordKey};

/// Confirmed proposals of a category in the order in which they were proposed.
pub(super) const CONFIRMED: &str = concat!(
    "SELECT ",
    rows::proposal_columns!(),
    " FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
     WHERE p.state = 'confirmed' AND p.category = ?1 AND p.id > ?2 AND (?4 IS NULL OR p.confirmed_at <= ?4 OR p.run = ?5) \
     AND p.together IS NULL ORDER BY p.id LIMIT ?3"
);

impl Store {
    /// Confirmed proposals of a category in the order in which they were proposed, which is the order of the source's keys
    /// within each run of prepare; at most `limit` after `after`, and only those that are ripe.
    /// What was confirmed together is not among them.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn confirmed(
        &self,
        category: &CategoryName,
        ripe: Ripe,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        let veil = self.veil();
        let mut stream = sqlx::query(CONFIRMED)
            .bind(category.as_str())
            .bind(after.map_or(0, |id| id.0))
            .bind(limit)
            .bind(ripe.before.map(rows::instant))
            .bind(ripe.or_by.map(|run| run.0))
            .fetch(&self.readers);
        // Each row is let go of as soon as it is read: it takes many times the memory of what is in it.
        let mut found = Vec::new();
        while let Some(row) = stream.try_next().await.map_err(failed("read what is confirmed"))? {
            found.push(rows::proposal(&row, &veil)?);
        }
        Ok(found)
    }

    /// The keys of the same proposals, without what else there is to them, and the last of them.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn confirmed_keys(
        &self,
        category: &CategoryName,
        ripe: Ripe,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<(Vec<RecordKey>, Option<ProposalId>), StoreError> {
        let found: Vec<(i64, String)> = sqlx::query_as(
            "SELECT id, key FROM proposal WHERE state = 'confirmed' AND category = ?1 AND id > ?2 AND together IS NULL \
             AND (?4 IS NULL OR confirmed_at <= ?4 OR run = ?5) ORDER BY id LIMIT ?3",
        )
        .bind(category.as_str())
        .bind(after.map_or(0, |id| id.0))
        .bind(limit)
        .bind(ripe.before.map(rows::instant))
        .bind(ripe.or_by.map(|run| run.0))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what is confirmed"))?;
        let last = found.last().map(|(id, _)| ProposalId(*id));
        let veil = self.veil();
        let keys = found.iter().map(|(_, key)| veil.read(category, key)).collect::<Result<_, _>>()?;
        Ok((keys, last))
    }

    /// Those of these proposals that are confirmed, and have been since these instants.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn still_confirmed(
        &self,
        since: &[(ProposalId, Option<Timestamp>)],
    ) -> Result<HashSet<ProposalId>, StoreError> {
        let since: Vec<_> = since.iter().map(|(id, at)| (id.0, at.map(rows::instant))).collect();
        let found: Vec<i64> = sqlx::query_scalar(
            "SELECT p.id FROM json_each(?1) j CROSS JOIN proposal p ON p.id = j.value->>0 \
             WHERE p.state = 'confirmed' AND p.confirmed_at = j.value->>1",
        )
        .bind(rows::json(&since)?)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what is still confirmed"))?;
        Ok(found.into_iter().map(ProposalId).collect())
    }

    /// How many proposals of a category were confirmed after this instant.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn confirmed_since(&self, category: &CategoryName, after: Timestamp) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS count FROM proposal WHERE state = 'confirmed' AND category = ?1 AND confirmed_at > ?2",
        )
        .bind(category.as_str())
        .bind(rows::instant(after))
        .fetch_one(&self.readers)
        .await
        .map_err(failed("count what is confirmed"))?;
        rows::count(&row, "count")
    }
}
