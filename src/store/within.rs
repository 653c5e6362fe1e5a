//! Which records of a request are within somebody's scope, seen in the very change that decides about them.

use std::collections::{BTreeSet, HashMap};

use super::error::failed;
use super::{Change, StoreError, rows};
use crate::actor::Scope;
use crate::record::RecordRef;

/// Proposals of the records asked for, the open one last.
pub(super) const WITHIN: &str = "SELECT * FROM (SELECT p.category, p.key, p.unit, p.fingerprint, p.id, 0 AS is_open \
             FROM json_each(?1) j CROSS JOIN proposal p ON p.category = j.value->>0 AND p.key = j.value->>2 \
             AND p.state IN ('erased', 'withdrawn') \
             UNION ALL SELECT p.category, p.key, p.unit, p.fingerprint, p.id, 1 \
             FROM json_each(?1) j CROSS JOIN proposal p ON p.category = j.value->>0 AND p.key = j.value->>1 \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')) ORDER BY is_open, id";

impl Change<'_> {
    /// Those of the records whose proposal is within the scope: the open one, or else the last. One that was never proposed
    /// is not among them, and whoever asks cannot tell it from one that is out of scope. Goes through two indexes of
    /// proposals, by record.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn within<'r>(
        &mut self,
        scope: &Scope,
        records: impl IntoIterator<Item = &'r RecordRef>,
    ) -> Result<BTreeSet<RecordRef>, StoreError> {
        let records = records.into_iter().filter(|record| scope.sees(&record.category));
        let asked = self.veil.asked(records)?;
        if asked.is_empty() {
            return Ok(BTreeSet::new());
        }
        let found = sqlx::query(WITHIN)
            .bind(asked.json()?)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed("read which records are within a scope"))?;
        let mut latest = HashMap::new();
        for row in &found {
            let (unit, digest): (Option<String>, [u8; 32]) =
                (rows::get(row, "unit")?, rows::bytes(row, "fingerprint")?);
            latest.insert(asked.real(rows::record(row, &self.veil)?), (unit, digest));
        }
        let is_within = |(record, (unit, digest)): (RecordRef, (Option<String>, [u8; 32]))| {
            scope.covers(&record, unit.as_deref(), &digest).then_some(record)
        };
        Ok(latest.into_iter().filter_map(is_within).collect())
    }
}
