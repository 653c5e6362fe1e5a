//! Why: what may be said, and what was said in words.

use super::{Desk, GivenReason, Reason, ReasonError};
use crate::actor::Authorised;
use crate::config::{Choice, ReasonKind, Reasons, StandardReason, listed, nearest};

/// The language that standard reasons are told in.
const LANGUAGE: &str = "en";

/// Why a reason cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReasonRefused {
    /// It says nothing, or too much.
    #[error(transparent)]
    Unusable(ReasonError),
    /// It is a number, and none of those that are offered.
    #[error("there is no reason {number}")]
    NoSuchNumber {
        /// The number.
        number: String,
        /// What may be said.
        offered: Vec<String>,
    },
    /// It is none of those that are offered, and nothing else may be said.
    #[error("it is none of the standard reasons, and no other is taken")]
    NotOffered {
        /// The one that may have been meant.
        meant: Option<String>,
        /// What may be said.
        offered: Vec<String>,
    },
}

impl ReasonRefused {
    /// What to say instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let (meant, offered) = match self {
            Self::Unusable(_) => return None,
            Self::NoSuchNumber { offered, .. } => (None, offered),
            Self::NotOffered { meant, offered } => (meant.as_deref(), offered),
        };
        let offered = listed(offered.iter().map(String::as_str));
        Some(match meant {
            Some(meant) => format!("did you mean {meant:?}? The reasons are {offered}"),
            None => format!("the reasons are {offered}"),
        })
    }
}

impl Desk {
    /// The reason that somebody typed: the number or the name of a standard reason, its wording, or, where that is allowed,
    /// a text of their own.
    ///
    /// # Errors
    /// [`ReasonRefused`] with what may be said.
    pub fn reason_of(&self, kind: ReasonKind, typed: &str) -> Result<Reason, ReasonRefused> {
        chosen(self.settings().reasons.of(kind), typed)
    }

    /// What people choose from.
    #[must_use]
    pub fn reasons(&self, _: &Authorised) -> Reasons {
        self.settings().reasons.clone()
    }

    /// The text of a standard reason, as it is told.
    #[must_use]
    pub fn words_of(reason: &StandardReason) -> &str {
        reason.wording.in_language(LANGUAGE)
    }

    /// A reason as it was given, in words: a standard reason as the settings word it now, or by its name where they no
    /// longer have it.
    pub(super) fn worded(&self, kind: ReasonKind, given: GivenReason) -> GivenReason {
        let Some(name) = &given.standard else { return given };
        let settings = self.settings();
        let text = settings.reasons.of(kind).named(name).map_or(name.as_str(), Self::words_of);
        GivenReason { text: Some(text.to_owned()), ..given }
    }
}

fn chosen(choice: &Choice, typed: &str) -> Result<Reason, ReasonRefused> {
    let reason = Reason::new(typed).map_err(ReasonRefused::Unusable)?;
    let text = reason.typed().unwrap_or_default();
    let numbered = text.parse::<usize>().ok().and_then(|number| choice.standard.get(number.checked_sub(1)?));
    let is_it = |one: &&StandardReason| one.name == text || one.wording.is(text);
    if let Some(standard) = numbered.or_else(|| choice.standard.iter().find(is_it)) {
        return Ok(Reason::standard(&standard.name));
    }
    let offered = || {
        let each = choice.standard.iter().enumerate();
        each.map(|(place, one)| format!("{} {} ({})", place + 1, one.name, Desk::words_of(one))).collect()
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && !choice.standard.is_empty() {
        return Err(ReasonRefused::NoSuchNumber { number: text.to_owned(), offered: offered() });
    }
    if choice.free_text {
        return Ok(reason);
    }
    let meant = nearest(text, choice.standard.iter().map(|one| one.name.as_str())).map(ToOwned::to_owned);
    Err(ReasonRefused::NotOffered { meant, offered: offered() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Wording;

    fn choice(free_text: bool) -> Choice {
        let standard =
            [("lawsuit", "A lawsuit is pending", "Ein Verfahren läuft"), ("audit", "An audit", "Eine Prüfung")];
        let reason = |(name, en, de): (&str, &str, &str)| StandardReason {
            name: name.to_owned(),
            wording: Wording {
                plain: en.to_owned(),
                by_language: [("en", en.to_owned()), ("de", de.to_owned())].into(),
            },
        };
        Choice { standard: standard.map(reason).into(), free_text }
    }

    #[test]
    fn a_standard_reason_is_said_by_number_name_or_wording() {
        for (typed, name) in [
            ("1", "lawsuit"),
            (" 02 ", "audit"),
            ("audit", "audit"),
            ("a lawsuit is pending", "lawsuit"),
            ("eine prüfung", "audit"),
        ] {
            for free_text in [true, false] {
                assert_eq!(chosen(&choice(free_text), typed), Ok(Reason::standard(name)), "{typed}");
            }
        }
        let typed = chosen(&choice(true), " the heirs have asked ").unwrap();
        assert_eq!((typed.typed(), typed.name()), (Some("the heirs have asked"), None));
        assert_eq!(chosen(&Choice::default(), "17").unwrap().typed(), Some("17"));
    }

    #[test]
    fn anything_else_is_refused_with_what_may_be_said() {
        let told = |free_text, typed| {
            let refused = chosen(&choice(free_text), typed).unwrap_err();
            format!("{refused}; {}", refused.hint().unwrap_or_default())
        };
        let offered = "1 lawsuit (A lawsuit is pending) or 2 audit (An audit)";
        assert_eq!(told(true, "3"), format!("there is no reason 3; the reasons are {offered}"));
        assert_eq!(told(false, "0"), format!("there is no reason 0; the reasons are {offered}"));
        let none = "it is none of the standard reasons, and no other is taken";
        assert_eq!(told(false, "lawsiut"), format!("{none}; did you mean \"lawsuit\"? The reasons are {offered}"));
        assert_eq!(told(false, "because"), format!("{none}; the reasons are {offered}"));
        assert_eq!(chosen(&choice(true), " "), Err(ReasonRefused::Unusable(ReasonError::Blank)));
    }
}
