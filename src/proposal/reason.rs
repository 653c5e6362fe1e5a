//! Reasons that people give.

use std::fmt;

/// Longest reason, in characters: a few sentences, not a file.
pub const REASON_MAX_CHARS: usize = 2_000;

/// Why a text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// Nothing but blanks.
    #[error("a reason is required, and this one is empty")]
    Blank,
    /// Longer than [`REASON_MAX_CHARS`].
    #[error("the reason has {chars} characters, more than {REASON_MAX_CHARS}")]
    TooLong {
        /// Characters of the text.
        chars: usize,
    },
}

/// A reason that somebody gave: one of the settings' standard reasons, by its name, or a text that was typed, never blank
/// and never very long.
///
/// What was typed may name people: there is no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason(Given);

#[derive(Clone, PartialEq, Eq)]
enum Given {
    Standard(String),
    Typed(String),
}

impl Reason {
    /// The reason in `text`, without blanks around it.
    ///
    /// # Errors
    /// When nothing is left, or too much.
    pub fn new(text: &str) -> Result<Self, ReasonError> {
        let text = text.trim();
        let chars = text.chars().count();
        match chars {
            0 => Err(ReasonError::Blank),
            1..=REASON_MAX_CHARS => Ok(Self(Given::Typed(text.to_owned()))),
            _ => Err(ReasonError::TooLong { chars }),
        }
    }

    /// The standard reason of this name.
    #[must_use]
    pub fn standard(name: &str) -> Self {
        Self(Given::Standard(name.to_owned()))
    }

    /// What was typed; `None` for a standard reason.
    #[must_use]
    pub fn typed(&self) -> Option<&str> {
        match &self.0 {
            Given::Typed(text) => Some(text),
            Given::Standard(_) => None,
        }
    }

    /// The name of the standard reason; `None` for what was typed. It is nobody's secret.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Given::Standard(name) => Some(name),
            Given::Typed(_) => None,
        }
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Given::Standard(name) => write!(f, "Reason({name})"),
            Given::Typed(_) => f.write_str("Reason(hidden)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_is_not_shown() {
        assert_eq!(Reason::new(" \n\t"), Err(ReasonError::Blank));
        let reason = Reason::new("  lawsuit of Huber pending ").unwrap();
        assert_eq!((reason.typed(), reason.name()), (Some("lawsuit of Huber pending"), None));
        assert_eq!(Reason::standard("lawsuit").name(), Some("lawsuit"));
        assert_eq!(format!("{reason:?} {:?}", Reason::standard("lawsuit")), "Reason(hidden) Reason(lawsuit)");
        let long = "x".repeat(REASON_MAX_CHARS + 1);
        assert_eq!(Reason::new(&long), Err(ReasonError::TooLong { chars: REASON_MAX_CHARS + 1 }));
    }
}
