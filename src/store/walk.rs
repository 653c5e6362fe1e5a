//! Pages of proposals, in any order, and how they are found.
//!
//! There is one index by category and key for what is open and one for what is closed; of personal keys it has what the state
//! holds of them, and a list by category and key is in that order. In their order a page is soon
//! complete where much of what is passed is asked for; where little is, or another order is, every proposal is looked at
//! once in the order in which it lies in the file, which takes a fifth of a second for a million. Further indexes would
//! make each proposal dearer to write, and none of them would serve every filter.

use std::fmt;
use std::str::FromStr;

use super::error::failed;
use super::filter::{ListOrder, ListSort, ProposalFilter, Values};
use super::list::cut;
use super::totals::Sizes;
use super::veil::Veil;
use super::{Page, Proposal, Store, StoreError, rows};
use crate::proposal::{ProposalId, StateName, UnknownWord};
use crate::record::RecordRef;

/// Most confirmed proposals that are sorted for a page. Where there are more, one goes through all that are open, in their
/// order, and soon has a page.
const SORTED_MAX: u64 = 5_000;
/// How many proposals can be looked at in the order in which they lie in the file while one is looked up by an index.
const LOOKUP_COST: u64 = 2;
/// Comes behind every day, for what has none.
const NO_DAY: &str = "~";

/// A place in a list of proposals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    order: ListOrder,
    record: RecordRef,
    due_on: Option<jiff::civil::Date>,
    id: ProposalId,
}

impl Cursor {
    /// The place behind this proposal in a list of that order.
    #[must_use]
    pub fn behind(proposal: &Proposal, order: ListOrder) -> Self {
        Self { order, record: proposal.record.clone(), due_on: proposal.origin.due_on(), id: proposal.id }
    }

    /// The place behind this proposal of a record, in a list by category and key.
    pub(super) fn at(record: RecordRef, id: ProposalId) -> Self {
        Self { order: ListOrder::default(), record, due_on: None, id }
    }

    /// In which order the list is.
    #[must_use]
    pub fn order(&self) -> ListOrder {
        self.order
    }

    fn day(&self) -> String {
        self.due_on.map_or_else(|| NO_DAY.to_owned(), |day| day.to_string())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.order, self.day(), self.id, self.record)
    }
}

impl FromStr for Cursor {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let read = || {
            let mut parts = text.splitn(4, '/');
            let (order, day) = (parts.next()?.parse().ok()?, parts.next()?);
            let due_on = if day == NO_DAY { None } else { Some(day.parse().ok()?) };
            let id = ProposalId(parts.next()?.parse().ok()?);
            Some(Self { order, due_on, id, record: parts.next()?.parse().ok()? })
        };
        read().ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Where a page begins, and how much is on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'c> {
    pub(super) order: ListOrder,
    pub(super) after: Option<&'c Cursor>,
    pub(super) limit: i64,
}

/// What proposals are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In the order of the indexes by category and key.
    Walk,
    /// In the order in which they lie in the file.
    Sweep,
    /// By the index of those that are postponed.
    Postponed,
    /// By the index of those that are confirmed, by category alone.
    Confirmed,
    /// Through the batches that are open, of which each source has one at most.
    Erasing,
}

impl Way {
    /// The index, and the condition that it was made for; for each of the parts that are merged.
    fn arms(self, filter: &ProposalFilter) -> Vec<[&'static str; 2]> {
        const OPEN: [&str; 2] =
            ["INDEXED BY proposal_open", "p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')"];
        const CLOSED: [&str; 2] = ["INDEXED BY proposal_closed", "p.state IN ('erased', 'withdrawn')"];
        match self {
            Self::Walk => {
                let arms = [(true, OPEN), (false, CLOSED)].into_iter();
                arms.filter(|(open, _)| !filter.states_of(*open).is_empty()).map(|(_, arm)| arm).collect()
            }
            Self::Sweep => vec![["NOT INDEXED", "true"]],
            Self::Postponed => vec![["INDEXED BY proposal_postponed", "p.state = 'postponed'"]],
            Self::Confirmed => vec![["INDEXED BY proposal_confirmed", "p.state = 'confirmed'"]],
            Self::Erasing => vec![[
                "NOT INDEXED",
                "p.state = 'erasing' AND p.id IN (SELECT j.value->>'proposal' FROM batch t \
                 CROSS JOIN json_each(t.plan) j WHERE t.state = 'open')",
            ]],
        }
    }
}

/// The way that finds `limit` of what the filter asks for soonest.
fn way(filter: &ProposalFilter, sort: ListSort, limit: u64, sizes: &Sizes) -> Way {
    match filter.states.as_slice() {
        [StateName::Erasing] => return Way::Erasing,
        [StateName::Postponed] if sort == ListSort::Record || sizes.total <= SORTED_MAX => return Way::Postponed,
        // What is found so is sorted, whatever the order.
        [StateName::Confirmed] if sizes.total <= SORTED_MAX => return Way::Confirmed,
        _ => {}
    }
    // As many are passed as stand in front of the last one that is asked for, if they stand at random.
    let passed = limit.saturating_mul(sizes.passed) / sizes.total.max(1);
    let looked_up = passed.min(sizes.passed).saturating_mul(LOOKUP_COST);
    if sort == ListSort::Record && looked_up <= sizes.everything { Way::Walk } else { Way::Sweep }
}

impl ProposalFilter {
    /// The statement that reads these `columns` of a stretch of proposals, with its values. The first three columns are
    /// id, category and key.
    pub(super) fn statement(
        &self,
        columns: &str,
        stretch: Stretch<'_>,
        sizes: &Sizes,
        veil: &Veil,
    ) -> Result<(String, Values), StoreError> {
        let Stretch { order: ListOrder { sort, descending }, after, limit } = stretch;
        let mut values = Values::default();
        let behind = after.map(|cursor| behind(cursor, sort, descending, veil, &mut values)).transpose()?;
        let way = way(self, sort, limit.unsigned_abs(), sizes);
        let down = if descending { " DESC" } else { "" };
        // Both arms of a walk come in their order from their index and are merged.
        let order = match sort {
            ListSort::Record => format!("2{down}, 3{down}, 1{down}"),
            ListSort::Due => format!("4{down}, 1{down}"),
            ListSort::Proposed => format!("1{down}"),
        };
        if way == Way::Walk {
            let join = "CROSS JOIN fingerprint_form f ON f.id = p.form";
            let found = self.found(way, (columns, join), behind, veil, &mut values)?;
            let limit = values.number(limit);
            return Ok((format!("{found} ORDER BY {order} LIMIT {limit}"), values));
        }
        // What is sorted is what it is sorted by and no more: the rest is read of what is left.
        let keys = format!("p.id AS a, p.category AS b, p.key AS c, coalesce(p.due_on, '{NO_DAY}') AS d");
        let found = self.found(way, (&keys, ""), behind, veil, &mut values)?;
        let limit = values.number(limit);
        let again = match sort {
            ListSort::Record => format!("k.b{down}, k.c{down}, k.a{down}"),
            ListSort::Due => format!("k.d{down}, k.a{down}"),
            ListSort::Proposed => format!("k.a{down}"),
        };
        let sql = format!(
            "SELECT {columns} FROM ({found} ORDER BY {order} LIMIT {limit}) k CROSS JOIN proposal p ON p.id = k.a \
             CROSS JOIN fingerprint_form f ON f.id = p.form ORDER BY {again}"
        );
        Ok((sql, values))
    }

    /// The statement that counts by category and state, with its values.
    pub(super) fn counting(&self, sizes: &Sizes, veil: &Veil) -> Result<(String, Values), StoreError> {
        let mut values = Values::default();
        let way = way(self, ListSort::Record, sizes.passed, sizes);
        let found = self.found(way, ("p.category, p.state", ""), None, veil, &mut values)?;
        Ok((format!("SELECT category, state, count(*) AS count FROM ({found}) GROUP BY category, state"), values))
    }

    /// What the filter lets through, in no order, found this way.
    fn found(
        &self,
        way: Way,
        (columns, join): (&str, &str),
        behind: Option<String>,
        veil: &Veil,
        values: &mut Values,
    ) -> Result<String, StoreError> {
        let mut conditions = vec![self.condition(veil, values)?];
        if way != Way::Sweep
            && let Some(names) = self.categories()
        {
            // What is asked for of the index: names of categories consist of characters before `~`.
            let (first, last) = (names.first().unwrap_or(&""), names.last().unwrap_or(&""));
            conditions.push(format!("p.category BETWEEN {} AND {}", values.text(*first), values.text(*last)));
        }
        conditions.extend(behind);
        let conditions = conditions.join(" AND ");
        let select = |[index, made_for]: &[&str; 2]| {
            format!("SELECT {columns} FROM proposal p {index} {join} WHERE {made_for} AND {conditions}")
        };
        Ok(way.arms(self).iter().map(select).collect::<Vec<_>>().join(" UNION ALL "))
    }
}

/// That a proposal `p` comes behind the cursor.
fn behind(
    cursor: &Cursor,
    sort: ListSort,
    descending: bool,
    veil: &Veil,
    values: &mut Values,
) -> Result<String, StoreError> {
    let sign = if descending { "<" } else { ">" };
    let id = values.number(cursor.id.0);
    Ok(match sort {
        ListSort::Record => {
            // A record whose key is known is one of those that are open.
            let key = veil.forms(&cursor.record.category, &cursor.record.key)?.open.into_owned();
            let (category, key) = (values.text(cursor.record.category.as_str()), values.text(key));
            // The first half is what an index can do.
            format!(
                "(p.category, p.key) {sign}= ({category}, {key}) AND (p.category, p.key, p.id) {sign} ({category}, {key}, {id})"
            )
        }
        ListSort::Due => {
            format!("(coalesce(p.due_on, '{NO_DAY}'), p.id) {sign} ({}, {id})", values.text(cursor.day()))
        }
        ListSort::Proposed => format!("p.id {sign} {id}"),
    })
}

impl Store {
    /// Proposals in this order, at most `limit` of those behind `after`, which is a place in the same order.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn list(
        &self,
        filter: &ProposalFilter,
        order: ListOrder,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Proposal, Cursor>, StoreError> {
        const DOING: &str = "list proposals";
        let mut connection = self.readers.acquire().await.map_err(failed(DOING))?;
        let veil = self.veil();
        let sizes = super::totals::sizes(&mut connection, filter, &veil).await?;
        let total = sizes.total;
        if total == 0 {
            return Ok(Page { items: Vec::new(), total, next: None });
        }
        // Nobody looks for more than there are: behind the last of them may lie a million of others.
        let most = u64::from(limit) + 1;
        let most = if after.is_none() { most.min(total) } else { most };
        let stretch = Stretch { order, after, limit: most.cast_signed() };
        let (sql, values) = filter.statement(rows::proposal_columns!(), stretch, &sizes, &veil)?;
        let found = values.query(sql).fetch_all(&mut *connection).await.map_err(failed(DOING))?;
        let mut items: Vec<_> = found.iter().map(|row| rows::proposal(row, &veil)).collect::<Result<_, _>>()?;
        let next = cut(&mut items, limit).map(|last| Cursor::behind(last, order));
        Ok(Page { items, total, next })
    }
}
