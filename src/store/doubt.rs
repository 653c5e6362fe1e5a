//! Why the clock is not believed, in words. Pure.

use std::fmt;

use jiff::Timestamp;

/// Why the clock is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It shows less than it has shown.
    Back {
        /// What it shows.
        now: Timestamp,
        /// What it has shown.
        newest: Timestamp,
    },
    /// It was set ahead while the machine was up.
    Ahead {
        /// What it shows.
        now: Timestamp,
        /// What it would show if it had not been; after another start of the machine, what it has shown.
        expected: Timestamp,
    },
    /// It shows so much more than before that nobody would believe that the daemon was off for so long.
    Off {
        /// What it shows.
        now: Timestamp,
        /// What it has shown.
        newest: Timestamp,
    },
}

impl fmt::Display for ClockDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Back { now: at, newest: until } => write!(
                f,
                "the clock was set back: it shows {at:.0} and has shown {until:.0}; jobs wait until it is right again, or until erasured clock --accept says that it is"
            ),
            Self::Ahead { now: at, expected: until } => write!(
                f,
                "the clock was set ahead: it shows {at:.0}, and {until:.0} was expected; jobs wait until it is right again, or until erasured clock --accept says that it is"
            ),
            Self::Off { now: at, newest: until } => write!(
                f,
                "the clock shows {at:.0}, and nothing is on record since {until:.0}; jobs wait until erasured clock --accept says that it is right"
            ),
        }
    }
}
