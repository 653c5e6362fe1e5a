//! Moving many proposals at once, by the rules of `proposal`.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::sqlite::SqliteRow;

use super::error::{expect_rows, failed};
use super::veil::Veil;
use super::{Change, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{ReasonedGroup, RecordGroup};
use crate::proposal::{Life, Move, MoveError, ProposalId, StateName, UserId};
use crate::record::RecordRef;

/// The columns that tell where a proposal stands.
macro_rules! standing_columns {
    () => {
        "p.id, p.category, p.key, p.unit, p.origin, p.criterion, p.version, p.postponed_count, p.state, p.until, p.batch, \
         p.outcome, p.reason, p.detail, p.first_by, p.together"
    };
}
pub(super) use standing_columns;

/// Where a proposal stands.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) id: ProposalId,
    pub(super) record: RecordRef,
    /// Empty for what is proposed under none.
    pub(super) criterion: String,
    pub(super) unit: Option<String>,
    /// Whether it is asked for by the proposal itself alone: see [`Origin::is_own`](crate::proposal::Origin::is_own).
    pub(super) is_own: bool,
    pub(super) version: u32,
    /// The state in which it was read.
    pub(super) from: StateName,
    pub(super) life: Life,
    /// The group that it was in when it was read.
    pub(super) together: Option<i64>,
}

impl Standing {
    pub(super) fn read(row: &SqliteRow, veil: &Veil) -> Result<Self, StoreError> {
        let life = rows::life(row)?;
        Ok(Self {
            id: ProposalId(rows::get(row, "id")?),
            record: rows::record(row, veil)?,
            is_own: matches!(rows::get(row, "origin")?, "clerk" | "shell"),
            criterion: rows::get::<Option<String>>(row, "criterion")?.unwrap_or_default(),
            unit: rows::get(row, "unit")?,
            version: rows::get(row, "version")?,
            from: life.state().name(),
            life,
            together: rows::get(row, "together")?,
        })
    }

    /// Where it stands after `step`.
    pub(super) fn after(mut self, step: &Move, today: Date) -> Result<Self, MoveError> {
        self.life = self.life.after(step, today)?;
        Ok(self)
    }
}

/// The user that an actor is. The daemon is none: it has a number that no user can have.
pub(super) fn user_of(actor: &Actor) -> UserId {
    match actor {
        Actor::User { uid, .. } => UserId(*uid),
        Actor::Daemon => UserId(u32::MAX),
    }
}

/// What the table of decisions says of one move.
#[derive(Debug, Clone, Default)]
pub(super) struct Note<'a> {
    pub(super) until: Option<Date>,
    pub(super) reason: Option<&'static str>,
    pub(super) detail: Option<&'a str>,
    /// The name of the standard reason that a person gave.
    pub(super) standard: Option<&'a str>,
}

/// Writes where proposals stand now, each found by its id; one that has changed in the meantime is not found. Who gave the
/// first of two confirmations stays known while they count, but for one whom the second makes needless. A confirmation is never
/// older than what is on record: a clock that was set back does not shorten the wait behind it.
pub(super) const WRITE_STANDING: &str = "UPDATE proposal SET version = version + 1, changed_at = ?2, postponed_count = j.value->>2, \
      state = j.value->>'$[3].state', until = j.value->>'$[3].until', batch = unhex(j.value->>'$[3].batch'), \
      outcome = j.value->>'$[3].outcome', reason = j.value->>'$[3].reason', detail = j.value->>'$[3].detail', \
      together = CASE WHEN j.value->>'$[3].state' IN ('proposed', 'confirmed', 'erasing', 'erased') THEN together END, \
      first_by = CASE j.value->>'$[3].state' WHEN 'proposed' THEN j.value->>'$[3].first_by' \
      WHEN 'confirmed' THEN nullif(first_by, ?4) END, decided_by = coalesce(?3, decided_by), \
      confirmed_at = CASE j.value->>'$[3].state' WHEN 'confirmed' \
      THEN max(?2, coalesce((SELECT newest_at FROM clock), ?2)) END \
      FROM json_each(?1) j WHERE proposal.id = j.value->>0 AND proposal.version = j.value->>1";

impl Change<'_> {
    /// A day for moves that do not look at it.
    pub(super) fn any_day(&self) -> Date {
        self.now.to_zoned(TimeZone::UTC).date()
    }

    /// Where these proposals stand, in this order; those that do not exist are left out.
    pub(super) async fn standing(&mut self, ids: &[ProposalId]) -> Result<Vec<Standing>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        sqlx::query(concat!(
            "SELECT ",
            standing_columns!(),
            " FROM json_each(?1) j CROSS JOIN proposal p ON p.id = j.value ORDER BY j.key"
        ))
        .bind(rows::json(&ids)?)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("read where proposals stand"))?
        .iter()
        .map(|row| Standing::read(row, &self.veil))
        .collect()
    }

    /// Moves those of the proposals that can be moved so; the others have moved on in the meantime and are left out.
    pub(super) async fn move_where_allowed<T: Clone>(
        &mut self,
        steps: &[(ProposalId, T)],
        today: Date,
        step: impl Fn(&T) -> Move,
    ) -> Result<Vec<(Standing, T)>, StoreError> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = steps.iter().map(|(id, _)| *id).collect();
        let by_id: HashMap<_, _> = steps.iter().map(|(id, with)| (*id, with)).collect();
        let moved: Vec<_> = self
            .standing(&ids)
            .await?
            .into_iter()
            .filter_map(|standing| {
                let with = by_id.get(&standing.id)?;
                Some((standing.after(&step(with), today).ok()?, (*with).clone()))
            })
            .collect();
        let standings: Vec<_> = moved.iter().map(|(standing, _)| standing).collect();
        self.write_standing(&standings, None).await?;
        Ok(moved)
    }

    /// Writes where proposals stand now; `by` is who has decided so, where somebody has. What batches do is not written here.
    pub(super) async fn write_standing(
        &mut self,
        standings: &[&Standing],
        by: Option<&Actor>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write where proposals stand";
        let values: Vec<_> = standings
            .iter()
            .map(|standing| {
                let columns = rows::state_columns(standing.life.state(), None);
                (standing.id.0, standing.version, standing.life.postponed_count(), columns)
            })
            .collect();
        let done = sqlx::query(WRITE_STANDING)
            .bind(rows::json(&values)?)
            .bind(rows::instant(self.now))
            .bind(by.map(ToString::to_string))
            .bind(by.map(|by| user_of(by).0))
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        expect_rows(DOING, standings.len(), done.rows_affected())?;
        standings.iter().for_each(|standing| self.totals.moved(standing));
        Ok(())
    }

    /// Writes that the entry `seq` of the trail was about these proposals.
    pub(super) async fn write_decisions(
        &mut self,
        seq: u64,
        decision: &'static str,
        notes: impl IntoIterator<Item = (ProposalId, Note<'_>)>,
    ) -> Result<(), StoreError> {
        let values: Vec<_> = notes
            .into_iter()
            .map(|(id, note)| (id.0, note.until.map(|day| day.to_string()), note.reason, note.detail, note.standard))
            .collect();
        sqlx::query(
            "INSERT INTO decision (proposal, seq, decision, until, reason, detail, standard) \
             SELECT value->>0, ?2, ?3, value->>1, value->>2, value->>3, value->>4 FROM json_each(?1)",
        )
        .bind(rows::json(&values)?)
        .bind(seq.cast_signed())
        .bind(decision)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write decisions"))?;
        Ok(())
    }
}

/// Records by category, as entries of the trail name them.
pub(super) fn grouped<'a>(
    veil: &Veil,
    records: impl IntoIterator<Item = &'a RecordRef>,
) -> Result<Vec<RecordGroup>, StoreError> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for record in records {
        groups.entry(record.category.as_str()).or_default().push(veil.told(record)?);
    }
    Ok(groups.into_iter().map(|(category, keys)| RecordGroup { category: category.to_owned(), keys }).collect())
}

/// Records by category and reason, as entries of the trail name them.
pub(super) fn reasoned<'a>(
    veil: &Veil,
    records: impl IntoIterator<Item = (&'a RecordRef, &'a str, Option<&'a str>)>,
) -> Result<Vec<ReasonedGroup>, StoreError> {
    let mut groups: BTreeMap<(&str, &str, Option<&str>), Vec<String>> = BTreeMap::new();
    for (record, reason, detail) in records {
        groups.entry((record.category.as_str(), reason, detail)).or_default().push(veil.told(record)?);
    }
    let groups = groups.into_iter().map(|((category, reason, detail), keys)| ReasonedGroup {
        category: category.to_owned(),
        reason: reason.to_owned(),
        detail: detail.map(ToOwned::to_owned),
        keys,
    });
    Ok(groups.collect())
}
