//! What is confirmed and waits for the final job.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;

use super::error::failed;
use super::{BATCH_MAX_RECORDS, Proposal, RunId, Store, StoreError, rows};
use crate::proposal::ProposalId;
use crate::record::{CategoryName, RecordKey};

/// What of the confirmed may be erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ripe {
    /// What was confirmed at this instant or before; `None`: whenever it was.
    pub before: Option<Timestamp>,
    /// And what this run has confirmed itself.
    pub or_by: Option<RunId>,
}

/// What proposals have to be like to be [`Ripe`]: of category ?1, behind ?2, confirmed at ?4 or before, or by run ?5.
macro_rules! ripe {
    () => {
        "p.state = 'confirmed' AND p.category = ?1 AND p.id > ?2 AND (?4 IS NULL OR p.confirmed_at <= ?4 OR p.run = ?5)"
    };
}

/// Confirmed proposals of a category in the order in which they were proposed, those aside that were confirmed together.
pub(super) const CONFIRMED: &str = concat!(
    "SELECT ",
    rows::proposal_columns!(),
    " FROM proposal p JOIN fingerprint_form f ON f.id = p.form WHERE ",
    ripe!(),
    " AND p.together IS NULL ORDER BY p.id LIMIT ?3"
);

/// Confirmed proposals of a category by their ids, those among them that were confirmed together.
const RIPE: &str = concat!(
    "SELECT ",
    rows::proposal_columns!(),
    " FROM proposal p JOIN fingerprint_form f ON f.id = p.form WHERE ",
    ripe!(),
    " ORDER BY p.id LIMIT ?3"
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
        let found: Vec<(i64, String)> = sqlx::query_as(concat!(
            "SELECT p.id, p.key FROM proposal p WHERE ",
            ripe!(),
            " AND p.together IS NULL ORDER BY p.id LIMIT ?3"
        ))
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

    /// The next page of all confirmed proposals of a category that were confirmed at this instant or before, by their ids;
    /// those that were confirmed together are among them.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn ripe(
        &self,
        category: &CategoryName,
        before: Option<Timestamp>,
        after: Option<ProposalId>,
    ) -> Result<Vec<Proposal>, StoreError> {
        let found = sqlx::query(RIPE)
            .bind(category.as_str())
            .bind(after.map_or(0, |id| id.0))
            .bind(BATCH_MAX_RECORDS)
            .bind(before.map(rows::instant))
            .bind(None::<i64>)
            .fetch_all(&self.readers)
            .await;
        let veil = self.veil();
        found.map_err(failed("read what is confirmed"))?.iter().map(|row| rows::proposal(row, &veil)).collect()
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
