//! The ledger: what was erased, so that it is known again.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::error::failed;
use super::{Store, StoreError, rows};
use crate::proposal::{BatchId, Outcome};
use crate::record::{CategoryName, Fingerprint, RecordKey};

/// The last erasure of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What was done.
    pub outcome: Outcome,
    /// The batch it went with.
    pub batch: BatchId,
    /// The person it was about, as a digest.
    pub before: Fingerprint,
    /// The digest of what an anonymised record holds instead.
    pub after: Option<Fingerprint>,
    /// When.
    pub erased_at: Timestamp,
}

impl LedgerEntry {
    /// Whether a record that is about this person now is what was left of the one that was anonymised. Where it cannot be
    /// compared nobody can tell, and it is taken for that.
    #[must_use]
    pub fn is_left_in(&self, now: &Fingerprint) -> bool {
        let is_other = |after: &Fingerprint| after.is_comparable(now) && after != now;
        self.outcome == Outcome::Anonymised && !self.after.as_ref().is_some_and(is_other)
    }
}

/// How many records were erased since some instant, by category and by what was done, as far as the ledger was counted.
#[derive(Debug, Clone)]
pub struct ErasedSoFar {
    /// The counts.
    pub counts: BTreeMap<(CategoryName, Outcome), u64>,
    since: Timestamp,
    /// The last row that was counted, or that was there before; `None` before anything was counted.
    last: Option<i64>,
}

impl ErasedSoFar {
    /// Nothing yet, of what is erased from this instant on.
    #[must_use]
    pub const fn since(since: Timestamp) -> Self {
        Self { counts: BTreeMap::new(), since, last: None }
    }
}

impl Store {
    /// Counts on in the ledger: what has been added since `so_far`, so that nobody counts a million rows twice. What is pruned
    /// stays counted.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn count_erased(&self, so_far: &mut ErasedSoFar) -> Result<(), StoreError> {
        const DOING: &str = "count what was erased";
        let after = match so_far.last {
            None => self.last_erased(Some(so_far.since)).await.map_err(failed(DOING))?,
            // The ledger is pruned from its beginning: where its last row is gone, it began anew with the first number.
            Some(last) if self.last_erased(None).await.map_err(failed(DOING))? < last => 0,
            Some(last) => last,
        };
        let found = sqlx::query(
            "SELECT category, outcome, count(*) AS count, max(id) AS last FROM ledger WHERE id > ?1 \
             GROUP BY category, outcome",
        )
        .bind(after)
        .fetch_all(&self.readers)
        .await
        .map_err(failed(DOING))?;
        let mut last = after;
        for row in &found {
            let of = (rows::parsed(row, "category")?, rows::parsed(row, "outcome")?);
            *so_far.counts.entry(of).or_default() += rows::count(row, "count")?;
            last = last.max(rows::get(row, "last")?);
        }
        so_far.last = Some(last);
        Ok(())
    }

    /// The ledger's last row, or the last of those from before some instant; 0 where there is none.
    async fn last_erased(&self, before: Option<Timestamp>) -> Result<i64, sqlx::Error> {
        let found =
            sqlx::query_scalar("SELECT id FROM ledger WHERE ?1 IS NULL OR erased_at < ?1 ORDER BY id DESC LIMIT 1")
                .bind(before.map(rows::instant))
                .fetch_optional(&self.readers)
                .await?;
        Ok(found.unwrap_or_default())
    }

    /// The last erasure of each of these records of a category that was ever erased.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn ledger(
        &self,
        category: &CategoryName,
        keys: &[RecordKey],
    ) -> Result<HashMap<RecordKey, LedgerEntry>, StoreError> {
        // What is missed here is proposed again.
        let _covering = self.covering.read().await;
        let veil = self.veil();
        let mut asked: HashMap<String, &RecordKey> = HashMap::with_capacity(keys.len());
        for key in keys {
            asked.insert(veil.forms(category, key)?.closed().to_owned(), key);
        }
        let names: Vec<&String> = asked.keys().collect();
        sqlx::query(
            "SELECT l.key, l.outcome, l.batch, l.erased_at, l.before, b.key_id AS before_key, b.identity AS before_identity, \
             l.after, a.key_id AS after_key, a.identity AS after_identity \
             FROM json_each(?2) j CROSS JOIN ledger l ON l.id = \
             (SELECT max(id) FROM ledger WHERE category = ?1 AND key = j.value) \
             JOIN fingerprint_form b ON b.id = l.before_form LEFT JOIN fingerprint_form a ON a.id = l.after_form",
        )
        .bind(category.as_str())
        .bind(rows::json(&names)?)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read the ledger"))?
        .iter()
        .map(|row| {
            let before = rows::fingerprint(row, ["before", "before_key", "before_identity"])?;
            let entry = LedgerEntry {
                outcome: rows::parsed(row, "outcome")?,
                batch: BatchId(rows::bytes(row, "batch")?),
                before: before.ok_or_else(|| StoreError::Unreadable { what: "a ledger entry about nobody".into() })?,
                after: rows::fingerprint(row, ["after", "after_key", "after_identity"])?,
                erased_at: rows::parsed(row, "erased_at")?,
            };
            let key: &str = rows::get(row, "key")?;
            let key = asked.get(key).copied().cloned();
            Ok((key.ok_or_else(|| StoreError::Unreadable { what: "a ledger entry nobody asked for".into() })?, entry))
        })
        .collect()
    }

    /// Records of a category that were anonymised last, and have no open proposal, with what they hold since; by key, at most
    /// `limit` of those behind `after`. One that a clerk did not want removed is none of them.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn anonymised(
        &self,
        category: &CategoryName,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<(RecordKey, Fingerprint)>, StoreError> {
        let veil = self.veil();
        let after = after.map(|after| veil.forms(category, after)).transpose()?;
        let after = after.map(|after| after.closed().to_owned());
        sqlx::query(
            "SELECT coalesce(l.sealed, l.key) AS key, l.after, f.key_id, f.identity FROM ledger l INDEXED BY ledger_record \
             JOIN fingerprint_form f ON f.id = l.after_form \
             WHERE l.category = ?1 AND l.key >= coalesce(?2, '') AND l.key IS NOT ?2 AND l.outcome = 'anonymised' AND (l.sealed IS NOT NULL OR l.key NOT LIKE '#%') \
             AND NOT EXISTS (SELECT 1 FROM ledger n WHERE n.category = l.category AND n.key = l.key AND n.id > l.id) \
             AND NOT EXISTS (SELECT 1 FROM proposal p WHERE p.category = l.category AND p.key = coalesce(l.sealed, l.key) \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')) \
             AND NOT EXISTS (SELECT 1 FROM proposal p INDEXED BY proposal_closed WHERE p.category = l.category \
             AND p.key = l.key AND p.state IN ('erased', 'withdrawn') AND p.origin = 'shell' AND p.reason = 'taken_back' \
             AND p.fingerprint = l.after) ORDER BY l.key LIMIT ?3",
        )
        .bind(category.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read the ledger"))?
        .iter()
        .map(|row| {
            let after = rows::fingerprint(row, ["after", "key_id", "identity"])?;
            let after = after.ok_or_else(|| StoreError::Unreadable { what: "a ledger entry about nobody".into() })?;
            Ok((veil.read(category, rows::get(row, "key")?)?, after))
        })
        .collect()
    }

    /// Records of a category that were ever erased and have no open proposal, with whom they were about; by key, at most
    /// `limit` of those behind `after`. Of a personal key only the digest is left, by which nobody can be found.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn erased(
        &self,
        category: &CategoryName,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<(RecordKey, Fingerprint)>, StoreError> {
        let veil = self.veil();
        let after = after.map(|after| veil.forms(category, after)).transpose()?;
        let after = after.map(|after| after.closed().to_owned());
        sqlx::query(
            "SELECT coalesce(l.sealed, l.key) AS key, l.before, f.key_id, f.identity FROM ledger l INDEXED BY ledger_record \
             JOIN fingerprint_form f ON f.id = l.before_form \
             WHERE l.category = ?1 AND l.key >= coalesce(?2, '') AND l.key IS NOT ?2 AND (l.sealed IS NOT NULL OR l.key NOT LIKE '#%') \
             AND NOT EXISTS (SELECT 1 FROM ledger n WHERE n.category = l.category AND n.key = l.key AND n.id > l.id) \
             AND NOT EXISTS (SELECT 1 FROM proposal p WHERE p.category = l.category AND p.key = coalesce(l.sealed, l.key) \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')) ORDER BY l.key LIMIT ?3",
        )
        .bind(category.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read the ledger"))?
        .iter()
        .map(|row| {
            let before = rows::fingerprint(row, ["before", "key_id", "identity"])?;
            let before = before.ok_or_else(|| StoreError::Unreadable { what: "a ledger entry about nobody".into() })?;
            Ok((veil.read(category, rows::get(row, "key")?)?, before))
        })
        .collect()
    }
}
