//! What clerks decide: confirm, postpone, restore. For many records at once, all of them or none.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::error::failed;
use super::moves::{Note, Standing, grouped, reasoned, standing_columns, user_of};
use super::{Change, StoreError};
use crate::actor::Actor;
use crate::audit::{By, Kind, Postponement};
use crate::proposal::{Move, MoveError, Parted, Reason, StateName, UserId, WithdrawReason};
use crate::record::{CategoryName, RecordRef};

/// What a clerk wants for some records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// They may be erased.
    Confirm {
        /// Categories in which two different people have to confirm.
        need_two: BTreeSet<CategoryName>,
    },
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
    /// They may be erased, and one person is enough to say so.
    #[must_use]
    pub const fn confirm() -> Self {
        Self::Confirm { need_two: BTreeSet::new() }
    }

    /// What becomes of those that were confirmed together with the records.
    const fn parts(&self) -> Option<Parted> {
        match self {
            Self::Confirm { .. } => None,
            Self::Postpone { .. } => Some(Parted::Postponed),
            Self::Restore => Some(Parted::Restored),
        }
    }

    /// What it means for one proposal.
    fn step(&self, by: UserId, standing: &Standing) -> Move {
        match self {
            Self::Confirm { need_two } => Move::Confirm { by, needs_two: need_two.contains(&standing.record.category) },
            Self::Postpone { until, reason } => Move::Postpone { until: *until, reason: reason.clone() },
            // Nobody else asks for what only the proposal asked for.
            Self::Restore if standing.is_own => Move::TakeBack,
            Self::Restore => Move::Restore,
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
        let decided = self.judge(actor, decision, targets, today).await?;
        self.write_standing(&decided.iter().collect::<Vec<_>>(), Some(actor)).await?;
        let by = By::request(actor.clone(), request);
        for state in [StateName::Proposed, StateName::Confirmed, StateName::Postponed, StateName::Withdrawn] {
            let alike: Vec<_> = decided.iter().filter(|standing| standing.life.state().name() == state).collect();
            if !alike.is_empty() {
                self.tell(&by, decision, state, &alike).await?;
            }
        }
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

    /// Writes down what was decided about proposals that all are in `state` now.
    async fn tell(
        &mut self,
        by: &By,
        decision: &Decision,
        state: StateName,
        decided: &[&Standing],
    ) -> Result<(), StoreError> {
        let records = grouped(&self.veil, decided.iter().map(|standing| &standing.record))?;
        let mut note = Note::default();
        let (word, seq) = match decision {
            Decision::Confirm { .. } if state == StateName::Proposed => {
                ("first_confirmed", self.append(by, &Kind::FirstConfirmed { records }).await?)
            }
            Decision::Confirm { .. } => ("confirmed", self.append(by, &Kind::Confirmed { records }).await?),
            Decision::Restore if state == StateName::Withdrawn => {
                let code = WithdrawReason::TakenBack.code();
                note.reason = Some(code);
                let records = reasoned(&self.veil, decided.iter().map(|standing| (&standing.record, code, None)))?;
                ("withdrawn", self.append(by, &Kind::Withdrawn { records }).await?)
            }
            Decision::Restore => ("restored", self.append(by, &Kind::Restored { records }).await?),
            Decision::Postpone { until, reason } => {
                note.until = Some(*until);
                let until = until.to_string();
                note.standard = reason.name();
                let kind = |because| Kind::Postponed(Postponement { until, because, records });
                ("postponed", self.append_with_text(by, reason, kind).await?)
            }
        };
        self.write_decisions(seq, word, decided.iter().map(|standing| (standing.id, note.clone()))).await
    }

    /// Where the records stand after the decision, if it can be made for all of them.
    async fn judge(
        &mut self,
        actor: &Actor,
        decision: &Decision,
        targets: &[Target],
        today: Date,
    ) -> Result<Vec<Standing>, DecisionError> {
        let records: Vec<_> = targets.iter().map(|target| &target.record).collect();
        let mut latest = self.latest(&records).await?;
        let by = user_of(actor);
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
                (Some(standing), _) => {
                    let step = decision.step(by, &standing);
                    standing.after(&step, today).map_err(DecisionFault::Rule)
                }
            };
            match judged {
                Ok(standing) => decided.push(standing),
                Err(fault) => failures.push(DecisionFailure { record: record.clone(), fault }),
            }
        }
        if failures.is_empty() { Ok(decided) } else { Err(DecisionError::Refused(failures)) }
    }

    /// The latest proposal of each record: the open one, where there is one.
    pub(super) async fn latest(&mut self, records: &[&RecordRef]) -> Result<HashMap<RecordRef, Standing>, StoreError> {
        let asked = self.veil.asked(records.iter().copied())?;
        // Two arms, because each has an index of its own; the open one comes last and stands.
        sqlx::query(concat!(
            "SELECT * FROM (SELECT ",
            standing_columns!(),
            ", 0 AS is_open FROM json_each(?1) j CROSS JOIN proposal p ON p.category = j.value->>0 \
             AND p.key = j.value->>2 AND p.state IN ('erased', 'withdrawn') UNION ALL SELECT ",
            standing_columns!(),
            ", 1 FROM json_each(?1) j CROSS JOIN proposal p ON p.category = j.value->>0 AND p.key = j.value->>1 \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')) ORDER BY is_open, id"
        ))
        .bind(asked.json()?)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("read where proposals stand"))?
        .iter()
        .map(|row| {
            let mut standing = Standing::read(row, &self.veil)?;
            standing.record = asked.real(standing.record);
            Ok((standing.record.clone(), standing))
        })
        .collect()
    }
}
