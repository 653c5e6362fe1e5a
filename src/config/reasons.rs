//! Standard reasons: what people choose from when they say why.

use std::collections::BTreeMap;

/// What a reason is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonKind {
    /// Asking for erasure by hand.
    Erase,
    /// Postponing.
    Postpone,
    /// Setting a legal hold, and releasing it.
    Hold,
}

impl ReasonKind {
    /// Every kind, in the order of the documents.
    pub const ALL: [Self; 3] = [Self::Erase, Self::Postpone, Self::Hold];

    /// The word in settings, on the socket and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erase => "erase",
            Self::Postpone => "postpone",
            Self::Hold => "hold",
        }
    }
}

/// A text in the languages that it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The text for whoever reads none of the others.
    pub plain: String,
    /// The same, by language: `de`, `en`.
    pub by_language: BTreeMap<&'static str, String>,
}

impl Wording {
    /// The text in a language (`de`), or else the one that everybody gets.
    #[must_use]
    pub fn in_language(&self, language: &str) -> &str {
        self.by_language.get(language).unwrap_or(&self.plain)
    }

    /// Whether the two have a text in common, in whatever case.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        std::iter::once(&other.plain).chain(other.by_language.values()).any(|text| self.is(text))
    }

    /// Whether somebody wrote one of its texts, in whatever case.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        std::iter::once(&self.plain).chain(self.by_language.values()).any(|own| own.to_lowercase() == text)
    }
}

/// One of the reasons that the operator offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardReason {
    /// What it is called in state and trail, whatever the wording.
    pub name: String,
    /// What people read.
    pub wording: Wording,
}

/// The reasons of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Those that are offered, in the order of the file; their numbers count from 1.
    pub standard: Vec<StandardReason>,
    /// Whether people may write something else.
    pub free_text: bool,
}

impl Default for Choice {
    fn default() -> Self {
        Self { standard: Vec::new(), free_text: true }
    }
}

impl Choice {
    /// The standard reason of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&StandardReason> {
        self.standard.iter().find(|reason| reason.name == name)
    }
}

/// The reasons of every kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    /// For asking for erasure by hand.
    pub erase: Choice,
    /// For postponing.
    pub postpone: Choice,
    /// For legal holds.
    pub hold: Choice,
}

impl Reasons {
    /// The reasons of a kind.
    #[must_use]
    pub const fn of(&self, kind: ReasonKind) -> &Choice {
        match kind {
            ReasonKind::Erase => &self.erase,
            ReasonKind::Postpone => &self.postpone,
            ReasonKind::Hold => &self.hold,
        }
    }

    /// The same, to be changed.
    pub(super) const fn of_mut(&mut self, kind: ReasonKind) -> &mut Choice {
        match kind {
            ReasonKind::Erase => &mut self.erase,
            ReasonKind::Postpone => &mut self.postpone,
            ReasonKind::Hold => &mut self.hold,
        }
    }
}
