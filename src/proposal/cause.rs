//! Why the jobs took a proposal back: to the clerks, or altogether.

use std::fmt;

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
    /// The category's rule confirms nothing by itself any more, and nobody has.
    NeedsPerson,
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
            Self::NeedsPerson => "needs_person",
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
            Self::ChangedPerson
            | Self::OtherCriterion
            | Self::OtherRuleVersion
            | Self::NeedsSecond
            | Self::NeedsPerson => None,
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
            ("needs_person", None) => Some(Self::NeedsPerson),
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
            Self::NeedsPerson => f.write_str("people have to confirm it by now, and a rule has"),
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
    /// It was to be deleted as one that had been anonymised, and its row holds something new.
    InUse,
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
            Self::InUse => "in_use",
        }
    }

    /// What belongs to the word, where something does.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::NoLongerDue { why } => Some(why),
            Self::Gone | Self::AnotherPerson | Self::TakenBack | Self::KeptAgain | Self::InUse => None,
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
            ("in_use", None) => Some(Self::InUse),
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
            Self::InUse => f.write_str("its row is in use again"),
        }
    }
}
