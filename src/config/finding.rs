//! What is wrong with the settings, where, and what to write instead.

use std::fmt;
use std::sync::Arc;

/// A place in a settings file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as the operator would name it: relative to the settings directory.
    pub file: Arc<str>,
    /// Line, counted from 1; 0 for a value that was typed in no file: `file` is then the name of what was set.
    pub line: u32,
    /// Column in characters, counted from 1; 0 likewise.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// A value with the place that it was written at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub place: Place,
}

impl<T> Located<T> {
    /// `value`, written at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

/// Whether a finding stops the category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The settings are refused.
    Error,
    /// The settings work; somebody should know.
    Warning,
}

/// Something to tell the operator about the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it stops anything.
    pub severity: Severity,
    /// A stable name for it, for programs: `unclassified-column`.
    pub code: &'static str,
    /// Where it is; `None` where it is in no file (a missing directory).
    pub place: Option<Place>,
    /// One clear sentence, lower case, without a full stop.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding that stops the settings.
    #[must_use]
    pub fn error(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self { place: Some(place.clone()), ..Self::nowhere(code, message) }
    }

    /// A finding that stops the settings and is in no file: something is not there at all.
    #[must_use]
    pub fn nowhere(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, place: None, message: message.into(), hint: None }
    }

    /// A finding that stops nothing.
    #[must_use]
    pub fn warning(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether it stops the settings.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// An error with everything that caused it, in one line. What an error says of its cause by itself is not said again.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{what}")]
    struct Layer {
        what: &'static str,
        #[source]
        source: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Option<Box<Layer>> {
        let (what, rest) = texts.split_first()?;
        Some(Box::new(Layer { what, source: layers(rest) }))
    }

    #[test]
    fn a_cause_is_said_once() {
        let told = |texts| causes(&*layers(texts).unwrap());
        assert_eq!(told(&["cannot open it", "the disk is full"]), "cannot open it: the disk is full");
        assert_eq!(
            told(&["cannot open it", "database: disk full", "disk full"]),
            "cannot open it: database: disk full"
        );
    }
}
