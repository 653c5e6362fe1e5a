//! Looking at proposals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{Proposal, RunId, Store, StoreError, rows};
use crate::actor::Actor;
use crate::proposal::{ProposalId, ReturnReason, WithdrawReason};
use crate::record::{CategoryName, RecordKey, RecordRef};

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

/// A reason as it was given: the name of a standard reason, or what was typed. It may name people.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GivenReason {
    /// The name of the standard reason.
    pub standard: Option<String>,
    /// The text; none once it is gone. Of a standard reason, whoever knows the settings puts in how they word it.
    pub text: Option<String>,
}

impl fmt::Debug for GivenReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.standard.as_deref().unwrap_or("GivenReason(hidden)"))
    }
}

/// What happened to a proposal, between its beginning and its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A clerk marked it.
    Marked {
        /// Why.
        reason: GivenReason,
    },
    /// A clerk gave the first of two confirmations.
    FirstConfirmed,
    /// A clerk agreed, or a rule does without asking.
    Confirmed,
    /// A clerk wanted it later.
    Postponed {
        /// The first day on which it could be proposed again.
        until: Date,
        /// Why.
        reason: GivenReason,
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
        "marked" => EventKind::Marked {
            reason: GivenReason { standard: rows::get(row, "standard")?, text: rows::get(row, "text")? },
        },
        "first_confirmed" => EventKind::FirstConfirmed,
        "confirmed" => EventKind::Confirmed,
        "restored" => EventKind::Restored,
        "postponement_over" => EventKind::PostponementOver,
        "postponed" => EventKind::Postponed {
            until: rows::parsed(row, "until")?,
            reason: GivenReason { standard: rows::get(row, "standard")?, text: rows::get(row, "text")? },
        },
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
        let veil = self.veil();
        let after = after.map(|after| veil.forms(category, after)).transpose()?;
        sqlx::query(OPEN_PROPOSALS)
            .bind(category.as_str())
            .bind(after.as_ref().map(|after| after.open.as_ref()))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read what is proposed"))?
            .iter()
            .map(|row| rows::proposal(row, &veil))
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
        let veil = self.veil();
        let keys: Vec<_> = keys.iter().map(|key| veil.forms(category, key)).collect::<Result<_, _>>()?;
        let keys: Vec<_> = keys.iter().map(|key| key.open.as_ref()).collect();
        let open: Vec<String> = sqlx::query_scalar(
            "SELECT p.key FROM json_each(?2) j CROSS JOIN proposal p ON p.category = ?1 AND p.key = j.value \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')",
        )
        .bind(category.as_str())
        .bind(rows::json(&keys)?)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what is proposed"))?;
        open.iter().map(|key| veil.read(category, key)).collect()
    }

    /// The open proposal of a record, or else the last one it had. It bears the key that was asked for.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn proposal(&self, record: &RecordRef) -> Result<Option<Proposal>, StoreError> {
        let veil = self.veil();
        let key = veil.forms(&record.category, &record.key)?;
        let row = sqlx::query(concat!(
            "SELECT * FROM (SELECT ",
            rows::proposal_columns!(),
            ", 1 AS is_open FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
             WHERE p.state IN ('proposed', 'confirmed', 'postponed', 'erasing') AND p.category = ?1 AND p.key = ?2 \
             UNION ALL SELECT ",
            rows::proposal_columns!(),
            ", 0 FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
             WHERE p.state IN ('erased', 'withdrawn') AND p.category = ?1 AND p.key = ?3) \
             ORDER BY is_open DESC, id DESC LIMIT 1"
        ))
        .bind(record.category.as_str())
        .bind(key.open.as_ref())
        .bind(key.closed())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("read a proposal"))?;
        let found = row.as_ref().map(|row| rows::proposal(row, &veil)).transpose()?;
        Ok(found.map(|found| Proposal { record: record.clone(), ..found }))
    }

    /// What happened to a proposal, the first first.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn history(&self, proposal: ProposalId) -> Result<Vec<Event>, StoreError> {
        sqlx::query(
            "SELECT d.decision, d.until, d.reason, d.detail, d.standard, coalesce(a.at, k.at) AS at, \
             coalesce(a.actor, k.actor) AS actor, coalesce(a.run, k.run) AS run, \
             coalesce(a.request, k.request) AS request, t.text FROM decision d \
             LEFT JOIN audit a ON a.seq = d.seq LEFT JOIN kept k ON k.seq = d.seq \
             LEFT JOIN audit_text t ON t.seq = d.seq AND t.field = 'reason' \
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

    /// The run that a proposal is being erased in, or was; `None` where there is none, or it has been pruned.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn erasing_run(&self, proposal: ProposalId) -> Result<Option<RunId>, StoreError> {
        let run = sqlx::query_scalar("SELECT b.run FROM proposal p JOIN batch b ON b.id = p.batch WHERE p.id = ?1")
            .bind(proposal.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read which run has erased a record"))?;
        Ok(run.map(RunId))
    }

    /// Why those of these proposals that were ever postponed were postponed last.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn postponed_because(
        &self,
        proposals: &[ProposalId],
    ) -> Result<BTreeMap<ProposalId, GivenReason>, StoreError> {
        let ids: Vec<i64> = proposals.iter().map(|id| id.0).collect();
        let reasons: Vec<(i64, Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT d.proposal, d.standard, t.text FROM json_each(?1) j CROSS JOIN decision d ON d.proposal = j.value \
             AND d.seq = (SELECT max(seq) FROM decision WHERE proposal = j.value AND decision = 'postponed') \
             LEFT JOIN audit_text t ON t.seq = d.seq AND t.field = 'reason'",
        )
        .bind(rows::json(&ids)?)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read reasons of postponements"))?;
        let given = |(id, standard, text)| (ProposalId(id), GivenReason { standard, text });
        Ok(reasons.into_iter().map(given).collect())
    }
}
