//! The states of a proposal, and what belongs to each.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::{ReturnReason, WithdrawReason};
use crate::record::{hex, random_bytes, unhex};

/// Names a proposal within one state file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalId(pub i64);

impl fmt::Display for ProposalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user of the machine, by number: two names may be one person, two numbers are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u32);

/// Names a batch: 128 random bits, so that no other daemon and no restored state can have used the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub [u8; 16]);

impl BatchId {
    /// A new id.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        random_bytes().map(Self)
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchId({self})")
    }
}

impl FromStr for BatchId {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        unhex(text).map(Self).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// A stored word that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a word that this version knows")]
pub struct UnknownWord(pub String);

/// What erasing does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The row goes.
    Deleted,
    /// The row stays, without what is personal.
    Anonymised,
}

impl Outcome {
    /// The word in the state, the trail and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Anonymised => "anonymised",
        }
    }
}

impl FromStr for Outcome {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Deleted, Self::Anonymised]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Where a proposal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It waits for a decision.
    Proposed {
        /// Why the final job sent it back, where it did.
        returned: Option<ReturnReason>,
        /// The user who has given the first of two confirmations, where somebody has.
        first: Option<UserId>,
    },
    /// Every confirmation that the category asks for has been given.
    Confirmed,
    /// It waits for a day.
    Postponed {
        /// The first day on which it may be proposed again.
        until: Date,
    },
    /// The final job has written down that it will erase it, and has not yet written down that it did.
    Erasing {
        /// The batch it goes with.
        batch: BatchId,
    },
    /// It is done.
    Erased {
        /// What was done.
        outcome: Outcome,
    },
    /// It is no longer asked for.
    Withdrawn {
        /// Why.
        reason: WithdrawReason,
    },
}

impl State {
    /// The state without its data.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Proposed { .. } => StateName::Proposed,
            Self::Confirmed => StateName::Confirmed,
            Self::Postponed { .. } => StateName::Postponed,
            Self::Erasing { .. } => StateName::Erasing,
            Self::Erased { .. } => StateName::Erased,
            Self::Withdrawn { .. } => StateName::Withdrawn,
        }
    }

    /// Whether something can still come of it. A record has at most one open proposal.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.name().is_open()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposed { first: None, .. } => f.write_str("proposed"),
            Self::Proposed { first: Some(_), .. } => f.write_str("proposed, and confirmed by one of two"),
            Self::Confirmed => f.write_str("confirmed"),
            Self::Postponed { until } => write!(f, "postponed until {until}"),
            Self::Erasing { .. } => f.write_str("being erased"),
            Self::Erased { outcome } => write!(f, "erased ({})", outcome.as_str()),
            Self::Withdrawn { reason } => write!(f, "withdrawn ({reason})"),
        }
    }
}

/// A state without its data, for filters and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// [`State::Proposed`]
    Proposed,
    /// [`State::Confirmed`]
    Confirmed,
    /// [`State::Postponed`]
    Postponed,
    /// [`State::Erasing`]
    Erasing,
    /// [`State::Erased`]
    Erased,
    /// [`State::Withdrawn`]
    Withdrawn,
}

impl StateName {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Proposed, Self::Confirmed, Self::Postponed, Self::Erasing, Self::Erased, Self::Withdrawn];

    /// The word in the state file, on the socket and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Confirmed => "confirmed",
            Self::Postponed => "postponed",
            Self::Erasing => "erasing",
            Self::Erased => "erased",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether something can still come of such a proposal.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Confirmed | Self::Postponed | Self::Erasing)
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StateName {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_as_a_word_is_read_back() {
        let words = StateName::ALL.map(|name| name.to_string());
        assert_eq!(words, ["proposed", "confirmed", "postponed", "erasing", "erased", "withdrawn"]);
        for name in StateName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for (outcome, word) in [(Outcome::Deleted, "deleted"), (Outcome::Anonymised, "anonymised")] {
            assert_eq!((outcome.as_str(), word.parse()), (word, Ok(outcome)));
        }
        assert_eq!(ProposalId(42).to_string(), "42");
        assert_eq!("eraser".parse::<StateName>(), Err(UnknownWord("eraser".into())));
        assert_eq!("erased".parse::<Outcome>(), Err(UnknownWord("erased".into())));
    }

    #[test]
    fn what_is_erased_or_withdrawn_is_over() {
        let open = StateName::ALL.map(StateName::is_open);
        assert_eq!(open, [true, true, true, true, false, false]);
        let over = State::Erased { outcome: Outcome::Deleted };
        assert!(State::Confirmed.is_open() && !over.is_open());
    }
}
