//! What is owed to a record after it was erased: that its bytes go too.

use std::fmt;
use std::str::FromStr;

use super::UnknownWord;

/// One of the things that remove what was erased from a source's files, in the order in which they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemovalStep {
    /// Indexes for full-text search let go of the words of rows that are gone.
    FullText,
    /// Statistics that hold values of rows are gathered anew.
    Statistics,
    /// The whole file is written anew.
    Vacuum,
    /// Indexes for full-text search that go by row numbers are made anew, because writing the file anew may have changed them.
    Rebuild,
    /// Nothing is left in the write-ahead log, or in a rollback journal that is kept.
    Checkpoint,
    /// It was looked through the files, and nothing was found.
    Proof,
}

impl RemovalStep {
    /// Every step, in its order.
    pub const ALL: [Self; 6] =
        [Self::FullText, Self::Statistics, Self::Vacuum, Self::Rebuild, Self::Checkpoint, Self::Proof];

    /// What each batch owes.
    pub const OWED: [Self; 5] = [Self::FullText, Self::Statistics, Self::Vacuum, Self::Checkpoint, Self::Proof];

    /// What is done, as people read it.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::FullText => "writing indexes for full-text search anew",
            Self::Statistics => "gathering statistics anew",
            Self::Vacuum => "writing the whole file anew (VACUUM)",
            Self::Rebuild => "making indexes for full-text search anew after VACUUM",
            Self::Checkpoint => "emptying the write-ahead log",
            Self::Proof => "proving that it is gone",
        }
    }

    /// The word in the state, the trail and on the socket.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullText => "full_text",
            Self::Statistics => "statistics",
            Self::Vacuum => "vacuum",
            Self::Rebuild => "rebuild",
            Self::Checkpoint => "checkpoint",
            Self::Proof => "proof",
        }
    }
}

impl fmt::Display for RemovalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RemovalStep {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|step| step.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_from_the_word_that_it_is_written_as() {
        for (step, word, in_words) in [
            (RemovalStep::FullText, "full_text", "writing indexes for full-text search anew"),
            (RemovalStep::Statistics, "statistics", "gathering statistics anew"),
            (RemovalStep::Vacuum, "vacuum", "writing the whole file anew (VACUUM)"),
            (RemovalStep::Rebuild, "rebuild", "making indexes for full-text search anew after VACUUM"),
            (RemovalStep::Checkpoint, "checkpoint", "emptying the write-ahead log"),
        ] {
            assert_eq!((step.to_string().as_str(), step.in_words(), word.parse()), (word, in_words, Ok(step)));
        }
        assert_eq!("shred".parse::<RemovalStep>(), Err(UnknownWord("shred".into())));
    }
}
