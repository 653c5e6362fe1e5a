//! Whether a record is due, and why or why not. Pure.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::{Criterion, RuleVersion, Starts};
use crate::proposal::{Origin, ReturnReason};
use crate::record::Value;
use crate::source::{Mapping, Retained, Row};

/// What is to be said about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is due.
    Due(Due),
    /// It is not.
    NotDue(NotDue),
}

/// Why a record is due: the application has marked it, or criteria are met, the one that is named first. Never neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    mark: Option<RuleVersion>,
    met: Vec<Met>,
}

/// A criterion that is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// Its name.
    pub criterion: String,
    /// Stands for its wording.
    pub version: RuleVersion,
    /// Since when; `None` where it has no start date.
    pub due_on: Option<Date>,
}

/// Why a record is not due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDue {
    /// No criterion's condition holds.
    NoCondition,
    /// A criterion's condition holds, and its period runs on.
    Running {
        /// The criterion that will be met first.
        criterion: String,
        /// On which day; `None` beyond the calendar's end.
        due_on: Option<Date>,
    },
    /// A criterion's condition holds, and there is no start date.
    NoStartDate {
        /// The criterion.
        criterion: String,
    },
    /// A criterion's condition holds, and its start date cannot be read.
    UnreadableDate {
        /// The criterion.
        criterion: String,
    },
    /// A dependent's own period runs on.
    Retained {
        /// The dependent.
        dependent: String,
        /// The last day of the period; `None` where its start cannot be told, so that it does not end.
        until: Option<Date>,
    },
}

impl Due {
    /// What is named: the application's mark, for somebody has asked there; else the criterion that was due first. One
    /// without a date comes last.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match (&self.mark, self.met.first()) {
            (None, Some(met)) => {
                Origin::Criterion { name: met.criterion.clone(), version: met.version.to_string(), due_on: met.due_on }
            }
            (mark, _) => Origin::Application { version: mark.as_ref().map(ToString::to_string).unwrap_or_default() },
        }
    }

    /// Whether it is due for the same reason still.
    ///
    /// # Errors
    /// With what has changed: the rule is another one, or is worded otherwise.
    pub fn still(&self, origin: &Origin) -> Result<(), ReturnReason> {
        let now = match origin {
            Origin::Clerk | Origin::Shell => return Ok(()),
            Origin::Application { .. } => self.mark.as_ref(),
            Origin::Criterion { name, .. } => {
                self.met.iter().find(|met| met.criterion == *name).map(|met| &met.version)
            }
        };
        match now {
            None => Err(ReturnReason::OtherCriterion),
            Some(version) if origin.version() != Some(&*version.0) => Err(ReturnReason::OtherRuleVersion),
            Some(_) => Ok(()),
        }
    }
}

impl fmt::Display for NotDue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCondition => f.write_str("no criterion is met"),
            Self::Running { criterion, due_on: Some(date) } => write!(f, "{criterion} is met from {date} only"),
            Self::Running { criterion, due_on: None } => write!(f, "the period of {criterion} does not end"),
            Self::NoStartDate { criterion } => write!(f, "{criterion} has no start date"),
            Self::UnreadableDate { criterion } => write!(f, "the start date of {criterion} cannot be read"),
            Self::Retained { dependent, until: Some(date) } => write!(f, "it stays until {date}: {dependent}"),
            Self::Retained { dependent, until: None } => {
                write!(f, "it stays: the period of a row of {dependent} has no start date that can be read")
            }
        }
    }
}

/// What one criterion says of one record.
enum Said {
    Met(Option<Date>),
    Running(Option<Date>),
    NoStartDate,
    Unreadable,
    NoCondition,
}

/// The verdict on a record, from what was read of it and of its dependents with periods of their own.
#[must_use]
pub fn verdict(mapping: &Mapping, row: &Row, retained: &[Retained], today: Date, zone: &TimeZone) -> Verdict {
    let said: Vec<(&Criterion, Said)> = mapping
        .criteria
        .iter()
        .zip(&row.criteria)
        .map(|(criterion, found)| (criterion, said(criterion, found.holds, &found.since, today, zone)))
        .collect();
    let mut met: Vec<Met> = said
        .iter()
        .filter_map(|(criterion, said)| match said {
            Said::Met(due_on) => {
                Some(Met { criterion: criterion.name.clone(), version: criterion.version.clone(), due_on: *due_on })
            }
            _ => None,
        })
        .collect();
    // The earliest first, those without a date last; the order of the settings decides between equals.
    met.sort_by_key(|met| (met.due_on.is_none(), met.due_on));
    let mark = mapping.mark.as_ref().filter(|_| row.is_marked).map(|mark| mark.version.clone());
    if mark.is_none() && met.is_empty() {
        return Verdict::NotDue(why_not(&said));
    }
    match longest_retention(mapping, retained, today, zone) {
        Some(reason) => Verdict::NotDue(reason),
        None => Verdict::Due(Due { mark, met }),
    }
}

fn said(criterion: &Criterion, holds: bool, since: &Value, today: Date, zone: &TimeZone) -> Said {
    if !holds {
        return Said::NoCondition;
    }
    let Some(rule) = &criterion.since else {
        return Said::Met(None);
    };
    match rule.format.read(since, zone) {
        Err(_) => Said::Unreadable,
        Ok(None) => Said::NoStartDate,
        Ok(Some(start)) => match rule.period.value.due_on(start, rule.starts) {
            Some(due_on) if due_on <= today => Said::Met(Some(due_on)),
            due_on => Said::Running(due_on),
        },
    }
}

/// The most telling reason: a date that cannot be read, then one that is missing, then one that runs.
fn why_not(said: &[(&Criterion, Said)]) -> NotDue {
    let name = |wanted: fn(&Said) -> bool| {
        said.iter().find(|(_, said)| wanted(said)).map(|(criterion, _)| criterion.name.clone())
    };
    if let Some(criterion) = name(|said| matches!(said, Said::Unreadable)) {
        return NotDue::UnreadableDate { criterion };
    }
    if let Some(criterion) = name(|said| matches!(said, Said::NoStartDate)) {
        return NotDue::NoStartDate { criterion };
    }
    said.iter()
        .filter_map(|(criterion, said)| match said {
            Said::Running(due_on) => Some((due_on.is_none(), *due_on, criterion.name.clone())),
            _ => None,
        })
        .min()
        .map_or(NotDue::NoCondition, |(_, due_on, criterion)| NotDue::Running { criterion, due_on })
}

/// The dependent that keeps the record longest, while one does, whatever else is said about it. A row whose start cannot be
/// told keeps it without end.
#[must_use]
pub fn longest_retention(mapping: &Mapping, retained: &[Retained], today: Date, zone: &TimeZone) -> Option<NotDue> {
    let mut longest: Option<(Option<Date>, &str)> = None;
    for row in retained {
        let Some((node, rule)) = mapping.nodes.get(row.node).and_then(|node| Some((node, node.retention.as_ref()?)))
        else {
            continue;
        };
        let until = match rule.format.read(&row.since, zone) {
            Ok(Some(start)) => match last_day(rule.period.value, start, rule.starts) {
                Some(last) if last < today => continue,
                until => until,
            },
            Ok(None) | Err(_) => None,
        };
        let is_longer = match (&longest, until) {
            (None, _) => true,
            (Some((None, _)), _) => false,
            (Some((Some(_), _)), None) => true,
            (Some((Some(known), _)), Some(until)) => until > *known,
        };
        if is_longer {
            longest = Some((until, node.name.as_str()));
        }
    }
    longest.map(|(until, dependent)| NotDue::Retained { dependent: dependent.to_owned(), until })
}

fn last_day(period: crate::config::Period, start: Date, starts: Starts) -> Option<Date> {
    period.due_on(start, starts).and_then(|due_on| due_on.yesterday().ok())
}

#[cfg(test)]
mod tests;
