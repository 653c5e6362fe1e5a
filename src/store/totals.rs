//! How many proposals of each category, criterion and unit are in each state: kept, because to count a million takes time.
//!
//! A change notes what it moves and writes the sums once, when it is committed: a batch costs two short statements. What
//! the sums do not know is counted: records that were given to somebody singly or are denied to them, which are few, and
//! days.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::error::{expect_rows, failed};
use super::filter::{Values, all_of};
use super::moves::Standing;
use super::veil::Veil;
use super::{Change, ProposalFilter, Store, StoreError, rows, scope};
use crate::actor::Scope;
use crate::proposal::StateName;
use crate::record::CategoryName;

/// By how much a change moves each sum.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<Sum, i64>);

/// One of the sums: category, criterion, unit, state.
type Sum = (CategoryName, String, String, StateName);

/// A unit as the sums name it: the empty text is none, and not the unit of that name.
fn unit_name(unit: Option<&str>) -> String {
    unit.map_or_else(String::new, |unit| format!("={unit}"))
}

/// The sums, with units as proposals have them.
const SUMS: &str = "(SELECT category, criterion, CASE WHEN unit <> '' THEN substr(unit, 2) END AS unit, state, proposals \
     FROM proposal_total WHERE proposals > 0) t";

impl Totals {
    /// So many more proposals of a category and unit, under a criterion, are in a state; fewer where it is below zero.
    pub(super) fn add(
        &mut self,
        category: &CategoryName,
        criterion: &str,
        unit: Option<&str>,
        state: StateName,
        proposals: i64,
    ) {
        let sum = (category.clone(), criterion.to_owned(), unit_name(unit), state);
        *self.0.entry(sum).or_default() += proposals;
    }

    /// A proposal goes from the state in which it was read to the one in which it stands now.
    pub(super) fn moved(&mut self, standing: &Standing) {
        let Standing { record, criterion, unit, .. } = standing;
        self.add(&record.category, criterion, unit.as_deref(), standing.from, -1);
        self.add(&record.category, criterion, unit.as_deref(), standing.life.state().name(), 1);
    }

    /// A proposal is due under another criterion, or belongs to another unit, in the state in which it stands.
    pub(super) fn renamed(&mut self, standing: &Standing, criterion: &str, unit: Option<&str>) {
        let (category, state) = (&standing.record.category, standing.life.state().name());
        self.add(category, &standing.criterion, standing.unit.as_deref(), state, -1);
        self.add(category, criterion, unit, state, 1);
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
            .map(|((category, criterion, unit, state), by)| (category.as_str(), criterion, unit, state.as_str(), by))
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let moves = rows::json(&moved)?;
        // In two steps: a sum is never below zero, not even for the moment in which a new row would conflict.
        sqlx::query(
            "INSERT INTO proposal_total (category, criterion, unit, state, proposals) \
             SELECT value->>0, value->>1, value->>2, value->>3, 0 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        )
        .bind(&moves)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        let done = sqlx::query(
            "UPDATE proposal_total SET proposals = proposals + j.value->>4 FROM json_each(?1) j \
             WHERE category = j.value->>0 AND criterion = j.value->>1 AND unit = j.value->>2 AND state = j.value->>3",
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
        type Found = (String, String, String, String, i64);
        let mut found: Vec<Vec<Found>> = Vec::new();
        for sql in [
            "SELECT category, coalesce(criterion, ''), coalesce('=' || unit, ''), state, count(*) FROM proposal \
             GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            "SELECT category, criterion, unit, state, proposals FROM proposal_total WHERE proposals > 0 ORDER BY 1, 2, 3, 4",
        ] {
            found.push(sqlx::query_as(sql).fetch_all(&mut *self.transaction).await.unwrap());
        }
        assert_eq!(found[0], found[1]);
    }
}

/// Numbers of proposals by which it is decided how a page is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// What the filter lets through.
    pub(super) total: u64,
    /// What is passed in the order of the indexes by category and key, if one goes through all of it.
    pub(super) passed: u64,
    /// All that lies in the file.
    pub(super) everything: u64,
}

/// How many proposals of each category are in each state.
pub type StateCounts = BTreeMap<CategoryName, BTreeMap<StateName, u64>>;

impl Store {
    /// How many proposals of each category are in each state.
    ///
    /// # Errors
    /// When the sums could not be read.
    pub async fn counts(&self) -> Result<StateCounts, StoreError> {
        self.totals(&ProposalFilter::everything()).await
    }

    /// How many of the proposals that a filter lets through are of each category and in each state. At once for what
    /// the sums know, and within a fifth of a second a million for what they do not.
    ///
    /// # Errors
    /// When the sums could not be read.
    pub async fn totals(&self, filter: &ProposalFilter) -> Result<StateCounts, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(failed(READING))?;
        counted(&mut connection, filter, &self.veil()).await
    }
}

const READING: &str = "read how many proposals there are";

/// How many proposals there are to be found, and to be passed on the way.
pub(super) async fn sizes(
    connection: &mut SqliteConnection,
    filter: &ProposalFilter,
    veil: &Veil,
) -> Result<Sizes, StoreError> {
    let total = counted(connection, filter, veil).await?.values().flat_map(BTreeMap::values).sum();
    passed(connection, filter).await.map(|[passed, everything]| Sizes { total, passed, everything })
}

/// What a walk through the filter's categories passes, and all that there is.
async fn passed(connection: &mut SqliteConnection, filter: &ProposalFilter) -> Result<[u64; 2], StoreError> {
    let mut values = Values::default();
    let mut conditions = Vec::new();
    if let Some(names) = filter.categories() {
        conditions.push(format!("category IN (SELECT value FROM json_each({}))", values.json(&names)?));
    }
    let sides = [true, false].into_iter().filter(|open| !filter.states_of(*open).is_empty());
    let states: Vec<_> = sides
        .flat_map(|open| StateName::ALL.into_iter().filter(move |state| state.is_open() == open))
        .map(StateName::as_str)
        .collect();
    conditions.push(format!("state IN (SELECT value FROM json_each({}))", values.json(&states)?));
    let sql = format!(
        "SELECT coalesce(sum(proposals) FILTER (WHERE {}), 0) AS passed, coalesce(sum(proposals), 0) AS everything \
         FROM proposal_total",
        all_of(&conditions)
    );
    let row = values.query(sql).fetch_one(&mut *connection).await.map_err(failed(READING))?;
    Ok([rows::count(&row, "passed")?, rows::count(&row, "everything")?])
}

/// How many of what a filter lets through are of each category and in each state.
async fn counted(
    connection: &mut SqliteConnection,
    filter: &ProposalFilter,
    veil: &Veil,
) -> Result<StateCounts, StoreError> {
    if !filter.is_summed() {
        return looked_through(connection, filter, veil).await;
    }
    let mut sums = StateCounts::new();
    let counts = [Some(summed(filter, veil)?), given(filter, veil)?, withheld(filter, veil)?];
    for (sql, values, sign) in counts.into_iter().flatten() {
        for row in values.query(sql).fetch_all(&mut *connection).await.map_err(failed(READING))? {
            let (category, state) = (rows::parsed(&row, "category")?, rows::parsed(&row, "state")?);
            let sum = sums.entry(category).or_default().entry(state).or_default();
            *sum = sum.saturating_add_signed(sign * rows::get::<i64>(&row, "count")?);
        }
    }
    for by_state in sums.values_mut() {
        by_state.retain(|_, proposals| *proposals > 0);
    }
    sums.retain(|_, by_state| !by_state.is_empty());
    Ok(sums)
}

/// A statement that counts by category and state, its values, and whether what it counts is added or taken away.
type Count = (String, Values, i64);

/// What is within reach of a grant, by the sums.
fn summed(filter: &ProposalFilter, veil: &Veil) -> Result<Count, StoreError> {
    let mut values = Values::default();
    let mut conditions = filter.summed("t", &mut values);
    conditions.push(scope::limited(&filter.scope, veil, "t", &mut values)?);
    let conditions = all_of(&conditions);
    let sql = format!(
        "SELECT category, state, sum(proposals) AS count FROM {SUMS} WHERE {conditions} GROUP BY category, state"
    );
    Ok((sql, values, 1))
}

/// What was given singly and is not within reach anyway.
fn given(filter: &ProposalFilter, veil: &Veil) -> Result<Option<Count>, StoreError> {
    if filter.scope.records.is_empty() {
        return Ok(None);
    }
    let mut values = Values::default();
    let named = values.text(scope::singles(&filter.scope, veil)?);
    let mut conditions = filter.asked(&mut values);
    conditions.push("p.fingerprint = unhex(j.value->>2)".to_owned());
    conditions.push(format!("{} IS NOT TRUE", scope::reached(&filter.scope, veil, &mut values)?));
    conditions.extend(scope::undenied(&filter.scope, veil, &mut values)?);
    Ok(Some((among(&named, &all_of(&conditions)), values, 1)))
}

/// What the sums hold and is not within: denied, or what a stand-in does not have.
fn withheld(filter: &ProposalFilter, veil: &Veil) -> Result<Option<Count>, StoreError> {
    let Scope { reaches, denied, .. } = &filter.scope;
    if denied.is_empty() && reaches.iter().all(|reach| reach.except.is_empty()) {
        return Ok(None);
    }
    let mut values = Values::default();
    let named = values.text(scope::withheld(&filter.scope, veil)?);
    let mut conditions = filter.asked(&mut values);
    conditions.push(scope::limited(&filter.scope, veil, "p", &mut values)?);
    let mut within = vec![scope::reached(&filter.scope, veil, &mut values)?];
    within.extend(scope::undenied(&filter.scope, veil, &mut values)?);
    conditions.push(format!("({}) IS NOT TRUE", all_of(&within)));
    Ok(Some((among(&named, &all_of(&conditions)), values, -1)))
}

/// Counts proposals of the records that are `named`, each found by an index.
fn among(named: &str, conditions: &str) -> String {
    let arm = |states: &str| {
        format!(
            "SELECT p.category, p.state FROM json_each({named}) j CROSS JOIN proposal p \
             ON p.category = j.value->>0 AND p.key = j.value->>1 WHERE p.state IN ({states}) AND {conditions}"
        )
    };
    let (open, closed) = (arm("'proposed', 'confirmed', 'postponed', 'erasing'"), arm("'erased', 'withdrawn'"));
    format!("SELECT category, state, count(*) AS count FROM ({open} UNION ALL {closed}) GROUP BY category, state")
}

/// Looks at each proposal, in the order of the indexes where a category has few, and else as they lie in the file.
async fn looked_through(
    connection: &mut SqliteConnection,
    filter: &ProposalFilter,
    veil: &Veil,
) -> Result<StateCounts, StoreError> {
    let [passed, everything] = passed(&mut *connection, filter).await?;
    let (sql, values) = filter.counting(&Sizes { total: passed, passed, everything }, veil)?;
    let mut sums = StateCounts::new();
    for row in values.query(sql).fetch_all(&mut *connection).await.map_err(failed(READING))? {
        let (category, state) = (rows::parsed(&row, "category")?, rows::parsed(&row, "state")?);
        sums.entry(category).or_default().insert(state, rows::count(&row, "count")?);
    }
    Ok(sums)
}
