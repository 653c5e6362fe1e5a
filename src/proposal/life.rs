//! The moves from state to state.

use std::fmt;

use jiff::civil::Date;

use super::{BatchId, Outcome, Reason, ReturnReason, State, UserId, WithdrawReason};

/// Something that is to happen to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// A clerk agrees.
    Confirm {
        /// Who.
        by: UserId,
        /// Whether two different people have to.
        needs_two: bool,
    },
    /// A clerk wants it later.
    Postpone {
        /// The first day on which it may be proposed again.
        until: Date,
        /// Why; a postponement without a reason cannot be asked for.
        reason: Reason,
    },
    /// A clerk takes what was confirmed so far back.
    Restore,
    /// A clerk takes the mark itself back.
    TakeBack,
    /// Prepare or the final job finds that nothing is to be erased.
    Withdraw(WithdrawReason),
    /// Prepare finds that a postponement is over.
    EndPostponement,
    /// The final job finds that it would erase something else than what was decided.
    SendBack(ReturnReason),
    /// The final job takes it into a batch.
    Claim(BatchId),
    /// Settlement: the batch had not committed.
    RollBack(BatchId),
    /// The batch has committed.
    Erase {
        /// The batch it went with.
        batch: BatchId,
        /// What was done.
        outcome: Outcome,
    },
}

/// A move without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// [`Move::Confirm`]
    Confirm,
    /// [`Move::Postpone`]
    Postpone,
    /// [`Move::Restore`]
    Restore,
    /// [`Move::Withdraw`]
    Withdraw,
    /// [`Move::EndPostponement`]
    EndPostponement,
    /// [`Move::SendBack`]
    SendBack,
    /// [`Move::Claim`]
    Claim,
    /// [`Move::RollBack`]
    RollBack,
    /// [`Move::Erase`]
    Erase,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirm => "confirm",
            Self::Postpone => "postpone",
            Self::Restore => "restore",
            Self::Withdraw => "withdraw",
            Self::EndPostponement => "propose again",
            Self::SendBack => "send back",
            Self::Claim => "claim",
            Self::RollBack => "settle",
            Self::Erase => "finish",
        })
    }
}

impl Move {
    /// The move without its data.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Confirm { .. } => Verb::Confirm,
            Self::Postpone { .. } => Verb::Postpone,
            Self::Restore | Self::TakeBack => Verb::Restore,
            Self::Withdraw(_) => Verb::Withdraw,
            Self::EndPostponement => Verb::EndPostponement,
            Self::SendBack(_) => Verb::SendBack,
            Self::Claim(_) => Verb::Claim,
            Self::RollBack(_) => Verb::RollBack,
            Self::Erase { .. } => Verb::Erase,
        }
    }
}

/// Why a move is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// The move does not start from this state.
    #[error("cannot {verb} a proposal that is {state}")]
    WrongState {
        /// What was asked for.
        verb: Verb,
        /// What the proposal is.
        state: State,
    },
    /// The second of two confirmations must be another person's.
    #[error("cannot confirm twice: the first of two confirmations was given by the same person")]
    SamePerson,
    /// A postponement must end on a day to come.
    #[error("cannot postpone until {until}: today is {today}")]
    NotInTheFuture {
        /// The day asked for.
        until: Date,
        /// The day it is.
        today: Date,
    },
    /// The postponement is not over.
    #[error("cannot propose again before {until}: today is {today}")]
    NotYet {
        /// The day it may be proposed again.
        until: Date,
        /// The day it is.
        today: Date,
    },
    /// The proposal goes with another batch.
    #[error("cannot {verb} with batch {asked}: it goes with batch {claimed}")]
    OtherBatch {
        /// What was asked for.
        verb: Verb,
        /// The batch that the move names.
        asked: BatchId,
        /// The batch that the proposal is in.
        claimed: BatchId,
    },
}

impl MoveError {
    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::SamePerson => "somebody else has to give the second",
            Self::NotInTheFuture { .. } => "name a later day: the first on which it may be proposed again",
            Self::NotYet { .. } => "wait for that day: prepare proposes it again by itself",
            Self::OtherBatch { .. } => "settle the batch that it goes with",
            Self::WrongState { verb, state } => hint(*verb, state),
        }
    }
}

fn hint(verb: Verb, state: &State) -> &'static str {
    match (state, verb) {
        (State::Proposed { first: None, .. }, Verb::Restore) => {
            "nothing has been confirmed: there is nothing to take back"
        }
        (State::Proposed { .. }, _) => "a clerk decides first: confirm or postpone it",
        (State::Confirmed, Verb::Confirm) => "it is confirmed already: the next final run erases it",
        (State::Confirmed, _) => "restore it to take the confirmation back, or postpone it",
        (State::Postponed { .. }, _) => "it is proposed again on that day, and can be decided then",
        (State::Erasing { .. }, _) => "its batch is being erased: look again when the run has finished",
        (State::Erased { .. }, _) => "it cannot be brought back; the audit trail says when it was erased",
        (State::Withdrawn { .. }, _) => "it is proposed again when it becomes due again",
    }
}

/// A proposal's state, and how often it was postponed on the way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    state: State,
    postponed_count: u32,
}

impl Life {
    /// The beginning: proposed, never postponed.
    #[must_use]
    pub const fn proposed() -> Self {
        Self { state: State::Proposed { returned: None, first: None }, postponed_count: 0 }
    }

    /// The beginning of what a rule confirms without asking anybody.
    #[must_use]
    pub const fn confirmed() -> Self {
        Self { state: State::Confirmed, postponed_count: 0 }
    }

    /// A life as it was stored; `None` where it cannot have come to that.
    #[must_use]
    pub fn from_stored(state: State, postponed_count: u32) -> Option<Self> {
        if matches!(state, State::Postponed { .. }) && postponed_count == 0 {
            return None;
        }
        Some(Self { state, postponed_count })
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// How often it was postponed.
    #[must_use]
    pub const fn postponed_count(&self) -> u32 {
        self.postponed_count
    }

    /// The life after `step`, taken on the day `today`.
    ///
    /// # Errors
    /// When the move does not start from this state, or its day or batch does not fit.
    pub fn after(&self, step: &Move, today: Date) -> Result<Self, MoveError> {
        let state = next(&self.state, step, today)?;
        let postponed = u32::from(matches!(step, Move::Postpone { .. }));
        Ok(Self { state, postponed_count: self.postponed_count.saturating_add(postponed) })
    }
}

/// As if nothing had been decided.
const PROPOSED: State = State::Proposed { returned: None, first: None };

fn next(state: &State, step: &Move, today: Date) -> Result<State, MoveError> {
    let verb = step.verb();
    match (state, step) {
        (State::Proposed { first: Some(first), .. }, Move::Confirm { by, needs_two: true }) if first == by => {
            Err(MoveError::SamePerson)
        }
        (State::Proposed { returned, first: None }, Move::Confirm { by, needs_two: true }) => {
            Ok(State::Proposed { returned: returned.clone(), first: Some(*by) })
        }
        (State::Proposed { .. }, Move::Confirm { .. }) => Ok(State::Confirmed),
        (State::Proposed { .. } | State::Confirmed, Move::Postpone { until, .. }) => {
            let until = *until;
            if until > today { Ok(State::Postponed { until }) } else { Err(MoveError::NotInTheFuture { until, today }) }
        }
        (State::Postponed { until }, Move::EndPostponement) => {
            let until = *until;
            if until <= today { Ok(PROPOSED) } else { Err(MoveError::NotYet { until, today }) }
        }
        (State::Confirmed | State::Proposed { first: Some(_), .. }, Move::Restore) => Ok(PROPOSED),
        (State::Proposed { .. } | State::Postponed { .. } | State::Confirmed, Move::TakeBack) => {
            Ok(State::Withdrawn { reason: WithdrawReason::TakenBack })
        }
        (State::Confirmed | State::Proposed { first: Some(_), .. }, Move::SendBack(reason)) => {
            Ok(State::Proposed { returned: Some(reason.clone()), first: None })
        }
        (State::Confirmed, Move::Claim(batch)) => Ok(State::Erasing { batch: *batch }),
        (State::Proposed { .. } | State::Postponed { .. } | State::Confirmed, Move::Withdraw(reason)) => {
            Ok(State::Withdrawn { reason: reason.clone() })
        }
        (State::Erasing { batch }, Move::RollBack(asked)) => same(verb, *asked, *batch, State::Confirmed),
        (State::Erasing { batch }, Move::Erase { batch: asked, outcome }) => {
            same(verb, *asked, *batch, State::Erased { outcome: *outcome })
        }
        _ => Err(MoveError::WrongState { verb, state: state.clone() }),
    }
}

fn same(verb: Verb, asked: BatchId, claimed: BatchId, then: State) -> Result<State, MoveError> {
    if asked == claimed { Ok(then) } else { Err(MoveError::OtherBatch { verb, asked, claimed }) }
}

#[cfg(test)]
mod tests;
