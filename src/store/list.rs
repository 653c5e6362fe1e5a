//! Looking at proposals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{Proposal, RunId, Store, StoreError, rows};
use crate::actor::{Actor, Scope};
use crate::proposal::{ProposalId, ReturnReason, StateName, UnknownWord, WithdrawReason};
use crate::record::{CategoryName, RecordKey, RecordRef};

/// Most confirmed proposals that are sorted for a page. Where there are more, one goes through all that are open, in their
/// order, and soon has a page.
const SORTED_MAX: u64 = 5_000;

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
    /// Where the next page begins; none: this is the last.
    pub next: Option<C>,
}

/// Cuts the one item too many that tells that there is another page; gives the last item then.
pub(super) fn cut<T>(items: &mut Vec<T>, limit: u32) -> Option<&T> {
    let limit = limit as usize;
    if items.len() <= limit {
        return None;
    }
    items.truncate(limit);
    items.last()
}

/// Which proposals to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalFilter {
    /// Of this category alone.
    pub category: Option<CategoryName>,
    /// Proposed under this criterion alone.
    pub criterion: Option<String>,
    /// In one of these states; empty: in any.
    pub states: Vec<StateName>,
    /// Within this.
    pub scope: Scope,
}

impl ProposalFilter {
    /// Everything that is open.
    #[must_use]
    pub fn open() -> Self {
        let states = StateName::ALL.into_iter().filter(|state| state.is_open()).collect();
        Self { category: None, criterion: None, states, scope: Scope::everything() }
    }

    /// The categories that are asked for and within the scope; `None`: all.
    pub(super) fn categories(&self) -> Option<Vec<&str>> {
        if let Some(category) = &self.category {
            return Some(self.scope.sees(category).then(|| category.as_str()).into_iter().collect());
        }
        let limits: Option<Vec<_>> = self.scope.reaches.iter().map(|reach| reach.categories.as_ref()).collect();
        Some(limits?.into_iter().flatten().map(CategoryName::as_str).collect())
    }

    /// What open or closed proposals are found by; `None` when none of them are asked for. `total` is how many there are.
    fn arm(&self, open: bool, total: u64) -> Option<Arm> {
        let asked = |state: &StateName| self.states.is_empty() || self.states.contains(state);
        let states: Vec<_> =
            StateName::ALL.into_iter().filter(|state| state.is_open() == open && asked(state)).collect();
        let found_by = match states.as_slice() {
            [] => return None,
            [StateName::Postponed] => ["INDEXED BY proposal_postponed", "p.state = 'postponed'"],
            // By category alone: what is found is sorted.
            [StateName::Confirmed] if total <= SORTED_MAX => ["INDEXED BY proposal_confirmed", "p.state = 'confirmed'"],
            // Through the batches that are open, of which each source has one at most.
            [StateName::Erasing] => [
                "NOT INDEXED",
                "p.id IN (SELECT j.value->>'proposal' FROM batch t CROSS JOIN json_each(t.plan) j WHERE t.state = 'open')",
            ],
            _ if open => ["INDEXED BY proposal_open", "p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')"],
            _ => ["INDEXED BY proposal_closed", "p.state IN ('erased', 'withdrawn')"],
        };
        Some(Arm { states: states.into_iter().map(StateName::as_str).collect(), found_by })
    }

    /// The states that are asked for, and the statement that reads a page of them, of which there are `total`.
    pub(super) fn statement(&self, total: u64) -> (Vec<&'static str>, String) {
        let arms: Vec<_> = [true, false].into_iter().filter_map(|open| self.arm(open, total)).collect();
        let select = |Arm { found_by: [index, condition], .. }: &Arm| {
            format!(
                "SELECT {} FROM proposal p {index} CROSS JOIN fingerprint_form f ON f.id = p.form WHERE {condition} \
                 AND p.state IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR p.criterion = ?2) \
                 AND (?3 IS NULL OR p.category IN (SELECT value FROM json_each(?3))) AND p.category BETWEEN ?4 AND ?5 \
                 AND (p.category, p.key) >= (?6, ?7) AND (p.category, p.key, p.id) > (?6, ?7, ?8)",
                rows::proposal_columns!()
            )
        };
        // By category, key and id: the second, the third and the first of the columns. Both arms come in this order from
        // their index and are merged.
        let page =
            format!("{} ORDER BY 2, 3, 1 LIMIT ?9", arms.iter().map(select).collect::<Vec<_>>().join(" UNION ALL "));
        (arms.into_iter().flat_map(|arm| arm.states).collect(), page)
    }
}

/// What proposals of some states are found by: the index, and the condition that it was made for.
struct Arm {
    states: Vec<&'static str>,
    found_by: [&'static str; 2],
}

/// A place in a list of proposals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    record: RecordRef,
    id: ProposalId,
}

impl Cursor {
    fn of(proposal: &Proposal) -> Self {
        Self { record: proposal.record.clone(), id: proposal.id }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.id, self.record)
    }
}

impl FromStr for Cursor {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let read = || {
            let (id, record) = text.split_once('/')?;
            Some(Self { record: record.parse().ok()?, id: ProposalId(id.parse().ok()?) })
        };
        read().ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Something that happened to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// In which run.
    pub run: Option<RunId>,
    /// By which request.
    pub request: Option<String>,
    /// What.
    pub what: EventKind,
}

/// What happened to a proposal, between its beginning and its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A clerk marked it.
    Marked {
        /// Why, as typed; none once the text is gone.
        reason: Option<String>,
    },
    /// A clerk gave the first of two confirmations.
    FirstConfirmed,
    /// A clerk agreed, or a rule does without asking.
    Confirmed,
    /// A clerk wanted it later.
    Postponed {
        /// The first day on which it could be proposed again.
        until: Date,
        /// Why, as typed; none once the text is gone.
        reason: Option<String>,
    },
    /// A clerk took the confirmation back.
    Restored,
    /// It was withdrawn.
    Withdrawn(WithdrawReason),
    /// The postponement was over.
    PostponementOver,
    /// It went back to the clerks.
    Returned(ReturnReason),
}

fn event(row: &SqliteRow) -> Result<Event, StoreError> {
    let (word, reason, detail): (&str, Option<&str>, Option<&str>) =
        (rows::get(row, "decision")?, rows::get(row, "reason")?, rows::get(row, "detail")?);
    let unreadable = || StoreError::Unreadable { what: format!("the decision {word:?}") };
    let reason = reason.unwrap_or_default();
    let what = match word {
        "marked" => EventKind::Marked { reason: rows::get(row, "text")? },
        "first_confirmed" => EventKind::FirstConfirmed,
        "confirmed" => EventKind::Confirmed,
        "restored" => EventKind::Restored,
        "postponement_over" => EventKind::PostponementOver,
        "postponed" => EventKind::Postponed { until: rows::parsed(row, "until")?, reason: rows::get(row, "text")? },
        "withdrawn" => EventKind::Withdrawn(WithdrawReason::from_stored(reason, detail).ok_or_else(unreadable)?),
        "returned" => EventKind::Returned(ReturnReason::from_stored(reason, detail).ok_or_else(unreadable)?),
        _ => return Err(unreadable()),
    };
    Ok(Event {
        at: rows::parsed(row, "at")?,
        actor: rows::actor(row, "actor")?.ok_or_else(unreadable)?,
        run: rows::get::<Option<i64>>(row, "run")?.map(RunId),
        request: rows::get(row, "request")?,
        what,
    })
}

/// Open proposals of a category by key. No key comes before the empty one, which may be a key itself: hence the last condition.
pub(super) const OPEN_PROPOSALS: &str = concat!(
    "SELECT ",
    rows::proposal_columns!(),
    " FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
     WHERE p.state IN ('proposed', 'confirmed', 'postponed', 'erasing') AND p.category = ?1 \
     AND p.key >= coalesce(?2, '') AND p.key IS NOT ?2 ORDER BY p.key LIMIT ?3"
);

impl Store {
    /// Proposals by category and key, at most `limit` of those behind `after`.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn list(
        &self,
        filter: &ProposalFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Proposal, Cursor>, StoreError> {
        let names = filter.categories();
        let categories = names.as_ref().map(rows::json).transpose()?;
        // What is asked for of the index: names of categories consist of characters before `~`.
        let first = names.as_ref().map_or("", |names| names.iter().min().unwrap_or(&""));
        let last = names.as_ref().map_or("~", |names| names.iter().max().unwrap_or(&""));
        let total = self.total(filter).await?;
        if total == 0 {
            return Ok(Page { items: Vec::new(), total, next: None });
        }
        let (states, page) = filter.statement(total);
        // Nobody looks for more than there are: behind the last of them may lie a million of others.
        let most = u64::from(limit) + 1;
        let most = if after.is_none() { most.min(total) } else { most };
        let mut items: Vec<_> = sqlx::query(AssertSqlSafe(page))
            .bind(rows::json(&states)?)
            .bind(filter.criterion.as_deref())
            .bind(categories.as_deref())
            .bind(first)
            .bind(last)
            .bind(after.map_or(first, |cursor| cursor.record.category.as_str()))
            .bind(after.map_or("", |cursor| cursor.record.key.as_str()))
            .bind(after.map_or(0, |cursor| cursor.id.0))
            .bind(most.cast_signed())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list proposals"))?
            .iter()
            .map(rows::proposal)
            .collect::<Result<_, _>>()?;
        let next = cut(&mut items, limit).map(Cursor::of);
        Ok(Page { items, total, next })
    }

    /// Open proposals of a category by key, at most `limit` of those behind `after`: what prepare looks at again.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn open_proposals(
        &self,
        category: &CategoryName,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        sqlx::query(OPEN_PROPOSALS)
            .bind(category.as_str())
            .bind(after.map(RecordKey::as_str))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read what is proposed"))?
            .iter()
            .map(rows::proposal)
            .collect()
    }

    /// Those of these records of a category that have an open proposal.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn open_among(
        &self,
        category: &CategoryName,
        keys: &[RecordKey],
    ) -> Result<BTreeSet<RecordKey>, StoreError> {
        let keys: Vec<_> = keys.iter().map(RecordKey::as_str).collect();
        let open: Vec<String> = sqlx::query_scalar(
            "SELECT p.key FROM json_each(?2) j CROSS JOIN proposal p ON p.category = ?1 AND p.key = j.value \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')",
        )
        .bind(category.as_str())
        .bind(rows::json(&keys)?)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what is proposed"))?;
        Ok(open.iter().map(|key| RecordKey::from_text(key)).collect())
    }

    /// The open proposal of a record, or else the last one it had.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn proposal(&self, record: &RecordRef) -> Result<Option<Proposal>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT * FROM (SELECT ",
            rows::proposal_columns!(),
            ", 1 AS is_open FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
             WHERE p.state IN ('proposed', 'confirmed', 'postponed', 'erasing') AND p.category = ?1 AND p.key = ?2 \
             UNION ALL SELECT ",
            rows::proposal_columns!(),
            ", 0 FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
             WHERE p.state IN ('erased', 'withdrawn') AND p.category = ?1 AND p.key = ?2) \
             ORDER BY is_open DESC, id DESC LIMIT 1"
        ))
        .bind(record.category.as_str())
        .bind(record.key.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("read a proposal"))?;
        row.as_ref().map(rows::proposal).transpose()
    }

    /// What happened to a proposal, the first first.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn history(&self, proposal: ProposalId) -> Result<Vec<Event>, StoreError> {
        sqlx::query(
            "SELECT d.decision, d.until, d.reason, d.detail, a.at, a.actor, a.run, a.request, t.text \
             FROM decision d JOIN audit a ON a.seq = d.seq LEFT JOIN audit_text t ON t.seq = d.seq \
             WHERE d.proposal = ?1 ORDER BY d.seq",
        )
        .bind(proposal.0)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what happened to a proposal"))?
        .iter()
        .map(event)
        .collect()
    }

    /// Why those of these proposals that were ever postponed were postponed last, as typed.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn postponed_because(
        &self,
        proposals: &[ProposalId],
    ) -> Result<BTreeMap<ProposalId, String>, StoreError> {
        let ids: Vec<i64> = proposals.iter().map(|id| id.0).collect();
        let reasons: Vec<(i64, String)> = sqlx::query_as(
            "SELECT d.proposal, t.text FROM json_each(?1) j CROSS JOIN decision d ON d.proposal = j.value \
             AND d.seq = (SELECT max(seq) FROM decision WHERE proposal = j.value AND decision = 'postponed') \
             CROSS JOIN audit_text t ON t.seq = d.seq",
        )
        .bind(rows::json(&ids)?)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read reasons of postponements"))?;
        Ok(reasons.into_iter().map(|(id, reason)| (ProposalId(id), reason)).collect())
    }
}
