//! Why a record is proposed at all.

use std::fmt;

use jiff::civil::Date;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_back_with_what_belongs_to_it_and_nothing_else() {
        let due_on = Some(jiff::civil::date(2026, 3, 15));
        let criterion = Origin::Criterion { name: "left".into(), version: "0a1b".into(), due_on };
        let application = Origin::Application { version: "2c3d".into() };
        for (origin, word, name, version, date, is_own, said) in [
            (criterion, "criterion", Some("left"), Some("0a1b"), due_on, false, "due under left"),
            (application, "application", None, Some("2c3d"), None, false, "marked by the application"),
            (Origin::Clerk, "clerk", None, None, None, true, "marked by a clerk"),
            (Origin::Shell, "shell", None, None, None, true, "anonymised before, and nothing keeps it any more"),
        ] {
            assert_eq!(
                (origin.code(), origin.criterion(), origin.version(), origin.due_on()),
                (word, name, version, date)
            );
            assert_eq!((origin.is_own(), origin.to_string().as_str()), (is_own, said));
            assert_eq!(Origin::from_stored(word, name, version, date), Some(origin));
        }
        assert_eq!(Origin::from_stored("clerk", Some("left"), Some("0a1b"), None), None);
        assert_eq!(Origin::from_stored("criterion", Some("left"), None, None), None);
    }
}
