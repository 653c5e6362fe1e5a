//! States of a proposal and the moves between them.
//!
//! A [`Proposal`](State)'s whole life is decided here, by values alone: nothing is read, written or asked. May be relied
//! on: [`Life::after`] is the only way from one state to another, a state carries exactly the data that belongs to it, and
//! a move that is not in the table of moves is refused with what the state is and what to do instead. Never holds free
//! text that people typed: a [`Reason`] only passes through on its way to the store.
//!
//! Whether a confirmation has waited for long enough, and whether a record is held, is asked when it is to be erased; neither
//! is a state.

mod cause;
mod counts;
mod life;
mod origin;
mod reason;
mod removal;
mod state;

pub use cause::{Parted, ReturnReason, WithdrawReason};
pub use counts::DependentCounts;
pub use life::{Life, Move, MoveError, Verb};
pub use origin::Origin;
pub use reason::{Reason, ReasonError};
pub use removal::RemovalStep;
pub use state::{BatchId, Outcome, ProposalId, State, StateName, UnknownWord, UserId};
