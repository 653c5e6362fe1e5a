//! How many proposals of each category and criterion are in each state: kept, because to count a million takes seconds.
//!
//! A change notes what it moves and writes the sums once, when it is committed: a batch costs two short statements.

use std::collections::BTreeMap;

use super::error::{expect_rows, failed};
use super::moves::Standing;
use super::{Change, ProposalFilter, Store, StoreError, rows};
use crate::proposal::StateName;
use crate::record::CategoryName;

/// By how much a change moves each sum.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<(CategoryName, String, StateName), i64>);

impl Totals {
    /// So many more proposals of a category, under a criterion, are in a state; fewer where it is below zero.
    pub(super) fn add(&mut self, category: &CategoryName, criterion: &str, state: StateName, proposals: i64) {
        *self.0.entry((category.clone(), criterion.to_owned(), state)).or_default() += proposals;
    }

    /// A proposal goes from the state in which it was read to the one in which it stands now.
    pub(super) fn moved(&mut self, standing: &Standing) {
        let (category, criterion) = (&standing.record.category, standing.criterion.as_str());
        self.add(category, criterion, standing.from, -1);
        self.add(category, criterion, standing.life.state().name(), 1);
    }

    /// A proposal is due under another criterion, in the state in which it stands.
    pub(super) fn renamed(&mut self, standing: &Standing, criterion: &str) {
        let (category, state) = (&standing.record.category, standing.life.state().name());
        self.add(category, &standing.criterion, state, -1);
        self.add(category, criterion, state, 1);
    }
}

impl Change<'_> {
    /// Writes what has been noted; called once, before the change is committed.
    pub(super) async fn write_totals(&mut self) -> Result<(), StoreError> {
        const DOING: &str = "write how many proposals there are";
        let noted = std::mem::take(&mut self.totals).0;
        let moved: Vec<_> = noted
            .iter()
            .filter(|(_, by)| **by != 0)
            .map(|((category, criterion, state), by)| (category.as_str(), criterion, state.as_str(), by))
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let moves = rows::json(&moved)?;
        // In two steps: a sum is never below zero, not even for the moment in which a new row would conflict.
        sqlx::query(
            "INSERT INTO proposal_total (category, criterion, state, proposals) \
             SELECT value->>0, value->>1, value->>2, 0 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        )
        .bind(&moves)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        let done = sqlx::query(
            "UPDATE proposal_total SET proposals = proposals + j.value->>3 FROM json_each(?1) j \
             WHERE category = j.value->>0 AND criterion = j.value->>1 AND state = j.value->>2",
        )
        .bind(&moves)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, moved.len(), done.rows_affected())
    }
}

#[cfg(test)]
impl Change<'_> {
    /// That the sums are what somebody finds who counts: in every change that any test of this crate commits.
    pub(super) async fn count_totals(&mut self) {
        let mut found: Vec<Vec<(String, String, String, i64)>> = Vec::new();
        for sql in [
            "SELECT category, coalesce(criterion, ''), state, count(*) FROM proposal GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            "SELECT category, criterion, state, proposals FROM proposal_total WHERE proposals > 0 ORDER BY 1, 2, 3",
        ] {
            found.push(sqlx::query_as(sql).fetch_all(&mut *self.transaction).await.unwrap());
        }
        assert_eq!(found[0], found[1]);
    }
}

impl Store {
    /// How many proposals of each category are in each state.
    ///
    /// # Errors
    /// When the sums could not be read.
    pub async fn counts(&self) -> Result<BTreeMap<CategoryName, BTreeMap<StateName, u64>>, StoreError> {
        let sums = sqlx::query(
            "SELECT category, state, sum(proposals) AS count FROM proposal_total GROUP BY category, state \
             HAVING sum(proposals) > 0",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read how many proposals there are"))?;
        let mut counts: BTreeMap<CategoryName, BTreeMap<StateName, u64>> = BTreeMap::new();
        for row in &sums {
            let (category, state) = (rows::parsed(row, "category")?, rows::parsed(row, "state")?);
            counts.entry(category).or_default().insert(state, rows::count(row, "count")?);
        }
        Ok(counts)
    }

    /// How many proposals a filter lets through.
    pub(super) async fn total(&self, filter: &ProposalFilter) -> Result<u64, StoreError> {
        let states: Vec<_> = filter.states.iter().map(|state| state.as_str()).collect();
        let categories = filter.categories().as_ref().map(rows::json).transpose()?;
        let row = sqlx::query(
            "SELECT coalesce(sum(proposals), 0) AS count FROM proposal_total \
             WHERE (?1 = '[]' OR state IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR criterion = ?2) \
             AND (?3 IS NULL OR category IN (SELECT value FROM json_each(?3)))",
        )
        .bind(rows::json(&states)?)
        .bind(filter.criterion.as_deref())
        .bind(categories)
        .fetch_one(&self.readers)
        .await
        .map_err(failed("read how many proposals there are"))?;
        rows::count(&row, "count")
    }
}
