//! What clerks decide: confirm, postpone, restore. For many records at once, all of them or none.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::error::failed;
use super::moves::{Note, Standing, grouped, standing_columns};
use super::{Change, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{By, Kind, Postponement};
use crate::proposal::{Move, MoveError, Parted, Reason, StateName};
use crate::record::RecordRef;

/// What a clerk wants for some records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// They may be erased.
    Confirm,
    /// They are to be proposed again later.
    Postpone {
        /// The first day on which they may be.
        until: Date,
        /// Why.
        reason: Reason,
    },
    /// They were confirmed by mistake.
    Restore,
}

impl Decision {
    fn step(&self) -> Move {
        match self {
            Self::Confirm => Move::Confirm,
            Self::Postpone { until, reason } => Move::Postpone { until: *until, reason: reason.clone() },
            Self::Restore => Move::Restore,
        }
    }

    /// What becomes of those that were confirmed together with the records.
    const fn parts(&self) -> Option<Parted> {
        match self {
            Self::Confirm => None,
            Self::Postpone { .. } => Some(Parted::Postponed),
            Self::Restore => Some(Parted::Restored),
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Confirm => "confirmed",
            Self::Postpone { .. } => "postponed",
            Self::Restore => "restored",
        }
    }
}

/// A record to decide about, and what the clerk has seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The record.
    pub record: RecordRef,
    /// The version of the proposal that the clerk has seen; none: whatever it is now.
    pub version: Option<u32>,
}

/// A record that was decided about, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The record.
    pub record: RecordRef,
    /// Where its proposal stands.
    pub state: StateName,
    /// The version that its proposal has.
    pub version: u32,
}

/// Why a record cannot be decided about so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionFault {
    /// It has never been proposed.
    #[error("it is not proposed")]
    NotProposed,
    /// Somebody was faster.
    #[error("it has changed since it was shown (version {shown} then, {now} now)")]
    Changed {
        /// The version that was shown.
        shown: u32,
        /// The version it has.
        now: u32,
    },
    /// The rules are against it.
    #[error(transparent)]
    Rule(MoveError),
}

/// A record that cannot be decided about, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionFailure {
    /// The record.
    pub record: RecordRef,
    /// Why not.
    pub fault: DecisionFault,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// Some of the records cannot be decided about so; all that cannot are named.
    #[error("{} of the records cannot be decided about so", .0.len())]
    Refused(Vec<DecisionFailure>),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Change<'_> {
    /// Decides about records, all of them or none. A record named twice counts once.
    ///
    /// # Errors
    /// [`DecisionError::Refused`] with every record about which it cannot be decided so; nothing has been written then.
    pub async fn decide(
        &mut self,
        actor: &Actor,
        request: &str,
        decision: &Decision,
        targets: &[Target],
        today: Date,
    ) -> Result<Vec<Decided>, DecisionError> {
        let decided = self.judge(decision, targets, today).await?;
        if decided.is_empty() {
            return Ok(Vec::new());
        }
        self.write_standing(&decided.iter().collect::<Vec<_>>(), None).await?;
        let by = By::request(actor.clone(), request);
        let records = grouped(decided.iter().map(|standing| &standing.record));
        let seq = match decision {
            Decision::Confirm => self.append(&by, &Kind::Confirmed { records }).await?,
            Decision::Restore => self.append(&by, &Kind::Restored { records }).await?,
            Decision::Postpone { until, reason } => {
                let until = until.to_string();
                let kind = |reason_digest| Kind::Postponed(Postponement { until, reason_digest, records });
                self.append_with_text(&by, reason, kind).await?
            }
        };
        let until = if let Decision::Postpone { until, .. } = decision { Some(*until) } else { None };
        let notes = decided.iter().map(|standing| (standing.id, Note { until, reason: None, detail: None }));
        self.write_decisions(seq, decision.word(), notes).await?;
        if let Some(why) = decision.parts() {
            self.take_apart(&by, &decided, why).await?;
        }
        let now = |Standing { record, version, life, .. }| Decided {
            record,
            state: life.state().name(),
            // Writing where it stands has counted one on.
            version: version + 1,
        };
        Ok(decided.into_iter().map(now).collect())
    }

    /// Where the records stand after the decision, if it can be made for all of them.
    async fn judge(
        &mut self,
        decision: &Decision,
        targets: &[Target],
        today: Date,
    ) -> Result<Vec<Standing>, DecisionError> {
        let records: Vec<_> = targets.iter().map(|target| &target.record).collect();
        let mut latest = self.latest(&records).await?;
        let step = decision.step();
        let (mut decided, mut failures) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for Target { record, version } in targets {
            if !seen.insert(record) {
                continue;
            }
            let judged = match (latest.remove(record), *version) {
                (None, _) => Err(DecisionFault::NotProposed),
                (Some(Standing { version: now, .. }), Some(shown)) if now != shown => {
                    Err(DecisionFault::Changed { shown, now })
                }
                (Some(standing), _) => standing.after(&step, today).map_err(DecisionFault::Rule),
            };
            match judged {
                Ok(standing) => decided.push(standing),
                Err(fault) => failures.push(DecisionFailure { record: record.clone(), fault }),
            }
        }
        if failures.is_empty() { Ok(decided) } else { Err(DecisionError::Refused(failures)) }
    }

    /// The latest proposal of each record: the open one, where there is one.
    async fn latest(&mut self, records: &[&RecordRef]) -> Result<HashMap<RecordRef, Standing>, StoreError> {
        let wanted: Vec<_> = records.iter().map(|record| (record.category.as_str(), record.key.as_str())).collect();
        // Two arms, because each has an index of its own; the open one comes last and stands.
        sqlx::query(concat!(
            "SELECT * FROM (SELECT ",
            standing_columns!(),
            ", 0 AS is_open FROM json_each(?1) j CROSS JOIN proposal p ON p.category = j.value->>0 \
             AND p.key = j.value->>1 AND p.state IN ('erased', 'withdrawn') UNION ALL SELECT ",
            standing_columns!(),
            ", 1 FROM json_each(?1) j CROSS JOIN proposal p ON p.category = j.value->>0 AND p.key = j.value->>1 \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')) ORDER BY is_open, id"
        ))
        .bind(rows::json(&wanted)?)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("read where proposals stand"))?
        .iter()
        .map(|row| Standing::read(row).map(|standing| (standing.record.clone(), standing)))
        .collect()
    }
}
