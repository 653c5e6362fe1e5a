//! Five-field cron expressions, as a wall calendar without zones.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{self, DateTime as WallTime};

/// The fields in their order, with the names that may stand in them.
const FIELDS: [(&str, &[&str]); 5] = [
    ("minute", &[]),
    ("hour", &[]),
    ("day of month", &[]),
    ("month", &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of week", &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// It has more or fewer than five fields.
    #[error("the schedule {expression:?} has {found} fields where a schedule has five")]
    FieldCount {
        /// The whole expression.
        expression: String,
        /// How many fields it has.
        found: usize,
    },
    /// A field cannot be read.
    #[error("cannot read {text:?} as the {field} of a schedule")]
    Field {
        /// Which field.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// No calendar has such a day: the job would never run.
    #[error("the schedule {0:?} names a day that does not exist: the job would never run")]
    Never(String),
}

impl CronError {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::FieldCount { .. } => {
                "write minute, hour, day of month, month and day of week: \"0 4 * * Sun\" is Sundays at 4:00"
            }
            Self::Field { .. } => {
                "write *, numbers, ranges as 1-5, lists as 1,15 or steps as */15; months and days of the week may be \
                 written as Jan and Sun; ranges go upwards"
            }
            Self::Never(_) => "write a day that the month has, or name the days of the week instead",
        }
    }
}

/// A five-field cron expression that has been read. Day of month and day of week are ORed when both are given, as cron
/// does.
#[derive(Clone)]
pub struct Cron {
    expression: String,
    pattern: croner::Cron,
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({:?})", self.expression)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

impl Eq for Cron {}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

impl std::str::FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let expression = fields.join(" ");
        if fields.len() != FIELDS.len() {
            return Err(CronError::FieldCount { expression: text.trim().to_owned(), found: fields.len() });
        }
        for (index, field) in fields.iter().enumerate() {
            check_field(index, field)?;
        }
        let pattern = parser().parse(&expression).map_err(|_| CronError::Never(expression.clone()))?;
        let cron = Self { expression, pattern };
        if cron.next_wall_time(civil::datetime(2000, 1, 1, 0, 0, 0, 0)).is_none() {
            return Err(CronError::Never(cron.expression));
        }
        Ok(cron)
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}

/// The crate reads more than cron does (`L`, `W`, `#`, `?`, empty list members, names in any field): what other crons
/// would read otherwise, or not at all, is refused. Each field is then tried alone, so that the fault can be named.
fn check_field(index: usize, text: &str) -> Result<(), CronError> {
    let (name, words) = FIELDS[index];
    let refused = || CronError::Field { field: name, text: text.to_owned() };
    let is_plain = text.split([',', '-', '/']).all(|piece| {
        let is_number = !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_digit());
        piece == "*" || is_number || words.contains(&piece.to_ascii_lowercase().as_str())
    });
    if !is_plain {
        return Err(refused());
    }
    let mut alone = ["*"; FIELDS.len()];
    alone[index] = text;
    parser().parse(&alone.join(" ")).map(drop).map_err(|_| refused())
}

impl Cron {
    /// The first wall time after `after` that the expression names, gaps and doubled hours left out of account.
    pub(super) fn next_wall_time(&self, after: WallTime) -> Option<WallTime> {
        let found = self.pattern.find_next_occurrence(&to_chrono(after)?, false).ok()?;
        from_chrono(found.naive_utc())
    }

    /// The last wall time up to and with `until` that the expression names.
    pub(super) fn previous_wall_time(&self, until: WallTime) -> Option<WallTime> {
        let found = self.pattern.find_previous_occurrence(&to_chrono(until)?, true).ok()?;
        from_chrono(found.naive_utc())
    }
}

/// Whole seconds: the crate would carry fractions into its answer.
fn to_chrono(wall: WallTime) -> Option<DateTime<Utc>> {
    let part = |number: i8| u32::try_from(number).ok();
    let day = NaiveDate::from_ymd_opt(wall.year().into(), part(wall.month())?, part(wall.day())?)?;
    Some(day.and_hms_opt(part(wall.hour())?, part(wall.minute())?, part(wall.second())?)?.and_utc())
}

fn from_chrono(wall: NaiveDateTime) -> Option<WallTime> {
    use chrono::{Datelike as _, Timelike as _};
    let part = |number: u32| i8::try_from(number).ok();
    civil::DateTime::new(
        i16::try_from(wall.year()).ok()?,
        part(wall.month())?,
        part(wall.day())?,
        part(wall.hour())?,
        part(wall.minute())?,
        part(wall.second())?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cron_reads_is_read() {
        for text in ["0 2 * * *", "0 4 * * Sun", "*/15 8-17 * * Mon-Fri", "30 3 1,15 jan-mar 7", " 5  4 29 2 * "] {
            assert!(text.parse::<Cron>().is_ok(), "{text}");
        }
    }

    #[test]
    fn slips_are_refused_and_the_field_is_named() {
        for (text, field) in [
            ("60 2 * * *", "minute"),
            ("0 24 * * *", "hour"),
            ("0 2 0 * *", "day of month"),
            ("0 2 L * *", "day of month"),
            ("0 2 * 13 *", "month"),
            ("0 2 * Sun *", "month"),
            ("0 2 * * 8", "day of week"),
            ("0 2 * * Sat-Mon", "day of week"),
            ("0 2 * * +Sun", "day of week"),
            ("0 2 * * Sonntag", "day of week"),
            ("0,,30 2 * * *", "minute"),
            ("*/0 2 * * *", "minute"),
            ("-5 2 * * *", "minute"),
        ] {
            match text.parse::<Cron>() {
                Err(CronError::Field { field: named, .. }) => assert_eq!(named, field, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        for (text, found) in [("", 0), ("@daily", 1), ("0 2 * *", 4), ("0 0 2 * * *", 6)] {
            assert!(
                matches!(text.parse::<Cron>(), Err(CronError::FieldCount { found: n, .. }) if n == found),
                "{text}"
            );
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in ["0 2 31 2 *", "0 2 30 feb *", "0 2 31 4,6,9,11 *"] {
            assert_eq!(text.parse::<Cron>(), Err(CronError::Never(text.to_owned())));
        }
        // Either day will do, so this one has Sundays.
        assert!("0 2 31 2 Sun".parse::<Cron>().is_ok());
    }
}
