//! The states of a proposal, and what belongs to each.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

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

/// Why a record is proposed at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It meets a criterion of its category.
    Criterion {
        /// The criterion's name.
        name: String,
        /// Stands for the criterion's wording.
        version: String,
        /// The day it became due; none where the criterion has no start date.
        due_on: Option<Date>,
    },
    /// The application has marked it.
    Application {
        /// Stands for the wording of what the mark is known by.
        version: String,
    },
    /// A clerk has marked it, whatever the criteria say.
    Clerk,
    /// It was anonymised before, and nothing keeps its row any more.
    Shell,
}

impl Origin {
    /// The stable word in the state, the trail and on the socket.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Criterion { .. } => "criterion",
            Self::Application { .. } => "application",
            Self::Clerk => "clerk",
            Self::Shell => "shell",
        }
    }

    /// The criterion, where it is one.
    #[must_use]
    pub fn criterion(&self) -> Option<&str> {
        match self {
            Self::Criterion { name, .. } => Some(name),
            Self::Application { .. } | Self::Clerk | Self::Shell => None,
        }
    }

    /// What stands for the wording of the rule that it was proposed under, where there is a rule.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Criterion { version, .. } | Self::Application { version } => Some(version),
            Self::Clerk | Self::Shell => None,
        }
    }

    /// The day it became due, where there is one.
    #[must_use]
    pub const fn due_on(&self) -> Option<Date> {
        match self {
            Self::Criterion { due_on, .. } => *due_on,
            Self::Application { .. } | Self::Clerk | Self::Shell => None,
        }
    }

    /// Whether it is asked for only by the proposal itself: once taken back, nothing is left of it.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Clerk | Self::Shell)
    }

    /// The origin of these columns, where there is such a one.
    #[must_use]
    pub fn from_stored(
        code: &str,
        criterion: Option<&str>,
        version: Option<&str>,
        due_on: Option<Date>,
    ) -> Option<Self> {
        match (code, criterion, version) {
            ("criterion", Some(name), Some(version)) => {
                Some(Self::Criterion { name: name.to_owned(), version: version.to_owned(), due_on })
            }
            ("application", None, Some(version)) => Some(Self::Application { version: version.to_owned() }),
            ("clerk", None, None) => Some(Self::Clerk),
            ("shell", None, None) => Some(Self::Shell),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Criterion { name, .. } => write!(f, "due under {name}"),
            Self::Application { .. } => f.write_str("marked by the application"),
            Self::Clerk => f.write_str("marked by a clerk"),
            Self::Shell => f.write_str("anonymised before, and nothing keeps it any more"),
        }
    }
}

/// Why a proposal went back to the clerk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReturnReason {
    /// The row under the key is about somebody else than when the clerk decided, or can no longer be told to be the same.
    ChangedPerson,
    /// The record is due, but under another criterion.
    OtherCriterion,
    /// The record is due under the same criterion, whose wording has changed.
    OtherRuleVersion,
    /// It is marked, and a row that depends on it is within its own period.
    Retained {
        /// Until when and why, in the daemon's words.
        why: String,
    },
    /// The category asks for two different people by now, and one has confirmed.
    NeedsSecond,
    /// The source refused to erase this very record.
    BatchFailed {
        /// The database's own code and message, without values.
        error: String,
    },
    /// What it was confirmed together with goes another way, so that it would be erased without it.
    Together(Parted),
}

/// Why something that was confirmed together with others goes another way than they.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parted {
    /// Its confirmation was taken back.
    Restored,
    /// It was postponed.
    Postponed,
    /// Nothing of it is to be erased any more.
    Withdrawn,
    /// It has changed, and is to be decided about anew.
    Returned,
}

impl Parted {
    const ALL: [Self; 4] = [Self::Restored, Self::Postponed, Self::Withdrawn, Self::Returned];

    /// The stable word in the state and the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Postponed => "postponed",
            Self::Withdrawn => "withdrawn",
            Self::Returned => "returned",
        }
    }
}

impl ReturnReason {
    /// The stable word in the state and the trail.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChangedPerson => "changed_person",
            Self::OtherCriterion => "other_criterion",
            Self::OtherRuleVersion => "other_rule_version",
            Self::Retained { .. } => "retained",
            Self::NeedsSecond => "needs_second",
            Self::BatchFailed { .. } => "batch_failed",
            Self::Together(_) => "together",
        }
    }

    /// What belongs to the word, where something does.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::BatchFailed { error } => Some(error),
            Self::Retained { why } => Some(why),
            Self::Together(why) => Some(why.as_str()),
            Self::ChangedPerson | Self::OtherCriterion | Self::OtherRuleVersion | Self::NeedsSecond => None,
        }
    }

    /// The reason with this word and detail, where there is such a reason.
    #[must_use]
    pub fn from_stored(code: &str, detail: Option<&str>) -> Option<Self> {
        match (code, detail) {
            ("changed_person", None) => Some(Self::ChangedPerson),
            ("other_criterion", None) => Some(Self::OtherCriterion),
            ("other_rule_version", None) => Some(Self::OtherRuleVersion),
            ("retained", Some(why)) => Some(Self::Retained { why: why.to_owned() }),
            ("needs_second", None) => Some(Self::NeedsSecond),
            ("batch_failed", Some(error)) => Some(Self::BatchFailed { error: error.to_owned() }),
            ("together", Some(word)) => Parted::ALL.into_iter().find(|why| why.as_str() == word).map(Self::Together),
            _ => None,
        }
    }
}

impl fmt::Display for ReturnReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChangedPerson => f.write_str("it is not the same person as when it was decided"),
            Self::OtherCriterion => f.write_str("it is due under another criterion than when it was decided"),
            Self::OtherRuleVersion => f.write_str("the criterion has been reworded since it was decided"),
            Self::Retained { why } => write!(f, "it cannot be erased yet: {why}"),
            Self::NeedsSecond => f.write_str("two different people have to confirm it by now, and one has"),
            Self::BatchFailed { error } => write!(f, "the database refused to erase it: {error}"),
            Self::Together(Parted::Restored) => {
                f.write_str("the confirmation of what it was confirmed together with was taken back")
            }
            Self::Together(Parted::Postponed) => f.write_str("what it was confirmed together with was postponed"),
            Self::Together(Parted::Withdrawn) => {
                f.write_str("what it was confirmed together with is not to be erased any more")
            }
            Self::Together(Parted::Returned) => {
                f.write_str("what it was confirmed together with has changed, and is to be decided about anew")
            }
        }
    }
}

/// Why a proposal was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WithdrawReason {
    /// No criterion is met any more.
    NoLongerDue {
        /// What speaks against it, in the daemon's words.
        why: String,
    },
    /// There is no row under the key any more.
    Gone,
    /// The row under the key is about somebody else, who is not due.
    AnotherPerson,
    /// Whoever marked it, or somebody else who may, has taken the mark back.
    TakenBack,
    /// It was to be deleted as one that nothing keeps any more, and something does again.
    KeptAgain,
}

impl WithdrawReason {
    /// The stable word in the state and the trail.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoLongerDue { .. } => "no_longer_due",
            Self::Gone => "gone",
            Self::AnotherPerson => "another_person",
            Self::TakenBack => "taken_back",
            Self::KeptAgain => "kept_again",
        }
    }

    /// What belongs to the word, where something does.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::NoLongerDue { why } => Some(why),
            Self::Gone | Self::AnotherPerson | Self::TakenBack | Self::KeptAgain => None,
        }
    }

    /// The reason with this word and detail, where there is such a reason.
    #[must_use]
    pub fn from_stored(code: &str, detail: Option<&str>) -> Option<Self> {
        match (code, detail) {
            ("no_longer_due", Some(why)) => Some(Self::NoLongerDue { why: why.to_owned() }),
            ("gone", None) => Some(Self::Gone),
            ("another_person", None) => Some(Self::AnotherPerson),
            ("taken_back", None) => Some(Self::TakenBack),
            ("kept_again", None) => Some(Self::KeptAgain),
            _ => None,
        }
    }
}

impl fmt::Display for WithdrawReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLongerDue { why } => write!(f, "no longer due: {why}"),
            Self::Gone => f.write_str("the record is gone"),
            Self::AnotherPerson => f.write_str("another person has been given the key"),
            Self::TakenBack => f.write_str("the mark was taken back"),
            Self::KeptAgain => f.write_str("something keeps its row again"),
        }
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
