//! What an intent keeps of a batch until its outcome.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::failed;
use super::{Change, StoreError, rows};
use crate::audit::{Counts, ErasedGroup, Planned};
use crate::proposal::{DependentCounts, Outcome};

/// A digest in hexadecimal, with the number of its form.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredFingerprint(pub(super) String, pub(super) i64);

/// A record of a batch, as the intent keeps it until the outcome.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BatchRecord {
    pub(super) proposal: i64,
    pub(super) category: String,
    /// Sealed, where it is personal.
    pub(super) key: String,
    /// What the trail calls a record by whose key is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) outcome: String,
    pub(super) dependents: DependentCounts,
    pub(super) before: StoredFingerprint,
    pub(super) after: Option<StoredFingerprint>,
}

impl BatchRecord {
    /// What stands for the record where its key is not needed.
    pub(super) fn told(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.key)
    }

    /// The sealed key, where a row of it stays.
    pub(super) fn sealed(&self) -> Option<String> {
        (self.name.is_some() && self.outcome == Outcome::Anonymised.as_str()).then(|| self.key.clone())
    }
}

impl Change<'_> {
    /// Changes the records of all batches that are open: what was cut short is settled as they say then.
    pub(super) async fn rewrite_plans(
        &mut self,
        doing: &'static str,
        change: impl Fn(&mut BatchRecord) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let plans: Vec<(Vec<u8>, String)> = sqlx::query_as("SELECT id, plan FROM batch WHERE state = 'open'")
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed(doing))?;
        for (id, plan) in plans {
            let mut records = read(&plan)?;
            records.iter_mut().try_for_each(&change)?;
            sqlx::query("UPDATE batch SET plan = ?2 WHERE id = ?1")
                .bind(id)
                .bind(rows::json(&records)?)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed(doing))?;
        }
        Ok(())
    }
}

/// The records of a plan.
pub(super) fn read(plan: &str) -> Result<Vec<BatchRecord>, StoreError> {
    let unreadable = |error| StoreError::Unreadable { what: format!("the plan of a batch: {error}") };
    serde_json::from_str(plan).map_err(unreadable)
}

pub(super) fn planned_groups(records: &[BatchRecord]) -> Vec<Planned> {
    let mut groups: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for record in records {
        groups.entry((&record.category, &record.outcome)).or_default().push(record.told().to_owned());
    }
    groups
        .into_iter()
        .map(|((category, outcome), keys)| Planned { category: category.to_owned(), outcome: outcome.to_owned(), keys })
        .collect()
}

pub(super) fn erased_groups(records: &[BatchRecord]) -> Vec<ErasedGroup> {
    let mut groups: BTreeMap<(&str, &str, Counts), Vec<String>> = BTreeMap::new();
    for record in records {
        let counts = record.dependents.named().map(|(name, count)| (name.to_owned(), count)).collect();
        groups.entry((&record.category, &record.outcome, counts)).or_default().push(record.told().to_owned());
    }
    groups
        .into_iter()
        .map(|((category, outcome, dependents), keys)| ErasedGroup {
            category: category.to_owned(),
            outcome: outcome.to_owned(),
            dependents,
            keys,
        })
        .collect()
}
