//! Periods, and when they end.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp, ToSpan, Zoned};

/// Longest period that makes sense, in years.
const PERIOD_MAX_YEARS: i32 = 200;

/// A calendar period: "3 years", "P3Y", "18 months", "90 days". Always longer than nothing.
///
/// Calendar arithmetic: one year after 29 February is 28 February.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    years: i32,
    months: i32,
    days: i32,
}

/// What a period runs from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Starts {
    /// The start date itself.
    #[default]
    AtDate,
    /// 31 December of the start date's year.
    YearEnd,
}

/// The text is not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It is written in no known way.
    #[error("{0:?} is not a period")]
    Malformed(String),
    /// It is nothing at all, and everything would be due at once.
    #[error("a period must be longer than nothing")]
    Nothing,
    /// It is longer than any retention period.
    #[error("a period of more than {PERIOD_MAX_YEARS} years is a slip")]
    TooLong,
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let malformed = || PeriodError::Malformed(text.to_owned());
        let mut sum = Self { years: 0, months: 0, days: 0 };
        for (number, unit) in pieces(text).ok_or_else(malformed)? {
            sum.add(number, &unit).ok_or_else(malformed)?;
        }
        if sum.years == 0 && sum.months == 0 && sum.days == 0 {
            return Err(PeriodError::Nothing);
        }
        let too_long =
            sum.years > PERIOD_MAX_YEARS || sum.months > PERIOD_MAX_YEARS * 12 || sum.days > PERIOD_MAX_YEARS * 366;
        if too_long { Err(PeriodError::TooLong) } else { Ok(sum) }
    }
}

/// Numbers with their units: of `P1Y6M` or of `1 year 6 months`. Neither signs nor fractions.
fn pieces(text: &str) -> Option<Vec<(i32, String)>> {
    let text = text.trim();
    let iso = text.strip_prefix('P');
    let mut rest = iso.unwrap_or(text);
    let mut found: Vec<(i32, String)> = Vec::new();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number = rest[..digits].parse().ok()?;
        rest = if iso.is_some() { &rest[digits..] } else { rest[digits..].trim_start() };
        let end = match iso {
            Some(_) => rest.chars().next()?.len_utf8(),
            None => rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()),
        };
        let unit = rest[..end].to_owned();
        if found.iter().any(|(_, other)| *other == unit) {
            return None;
        }
        found.push((number, unit));
        rest = &rest[end..];
        if iso.is_none() {
            rest = rest.trim_start_matches([' ', ',']);
        }
    }
    Some(found)
}

impl Period {
    /// So many whole years.
    #[must_use]
    pub const fn of_years(years: i32) -> Self {
        Self { years, months: 0, days: 0 }
    }

    fn add(&mut self, number: i32, unit: &str) -> Option<()> {
        let (field, factor) = match unit {
            "Y" | "year" | "years" => (&mut self.years, 1),
            "M" | "month" | "months" => (&mut self.months, 1),
            "W" | "week" | "weeks" => (&mut self.days, 7),
            "D" | "day" | "days" => (&mut self.days, 1),
            _ => return None,
        };
        *field = field.checked_add(number.checked_mul(factor)?)?;
        Some(())
    }

    fn span(self) -> Span {
        self.years.years().months(self.months).days(self.days)
    }

    /// Whether, from some start at least, this period ends before the other one. Thirty days and a month each do.
    #[must_use]
    pub fn can_end_before(self, other: Self, starts: Starts) -> bool {
        let months = |period: Self| i64::from(period.years) * 12 + i64::from(period.months);
        match (months(self).cmp(&months(other)), self.days.cmp(&other.days)) {
            (Ordering::Equal, days) => days.is_lt(),
            (Ordering::Less, Ordering::Less | Ordering::Equal) => true,
            (Ordering::Greater, Ordering::Greater | Ordering::Equal) => false,
            // More of the one and less of the other: it depends on the calendar.
            _ => cycle(starts).any(|start| self.due_on(start, starts) < other.due_on(start, starts)),
        }
    }

    /// The first day on which what started on `start` is due: the day after start + period. `None` beyond the calendar's
    /// end.
    #[must_use]
    pub fn due_on(self, start: Date, starts: Starts) -> Option<Date> {
        let from = match starts {
            Starts::AtDate => start,
            Starts::YearEnd => year_end(start.year())?,
        };
        from.checked_add(self.span()).ok()?.tomorrow().ok()
    }

    /// The instant that lies so long before `now` on the calendar of its zone; `None` before the calendar's beginning.
    #[must_use]
    pub fn before(self, now: &Zoned) -> Option<Timestamp> {
        now.checked_sub(self.span()).ok().map(|then| then.timestamp())
    }

    /// The instant that lies so long after `then` on the calendar of its zone; `None` beyond the calendar's end.
    #[must_use]
    pub fn after(self, then: &Zoned) -> Option<Timestamp> {
        then.checked_add(self.span()).ok().map(|end| end.timestamp())
    }

    /// The latest start date that is due on `today`: `:cutoff`. `None` before the calendar's beginning.
    #[must_use]
    pub fn cutoff(self, today: Date, starts: Starts) -> Option<Date> {
        let is_due = |start: Date| self.due_on(start, starts).is_some_and(|due_on| due_on <= today);
        let about = today.checked_sub(self.span()).ok()?;
        match starts {
            Starts::AtDate => {
                // Going back and forth over month ends loses a few days at most.
                let mut start = about.checked_add(4.days()).ok()?;
                while !is_due(start) {
                    start = start.yesterday().ok()?;
                }
                Some(start)
            }
            Starts::YearEnd => {
                let mut year = about.year().checked_add(1)?;
                while !is_due(year_end(year)?) {
                    year = year.checked_sub(1)?;
                }
                year_end(year)
            }
        }
    }
}

/// Every start that the calendar tells apart: it repeats itself after 400 years.
fn cycle(starts: Starts) -> impl Iterator<Item = Date> {
    let step = match starts {
        Starts::AtDate => 1.day(),
        Starts::YearEnd => 1.year(),
    };
    date(1999, 12, 31).series(step).take_while(|start| start.year() < 2400)
}

fn year_end(year: i16) -> Option<Date> {
    (year <= Date::MAX.year() && year >= Date::MIN.year()).then(|| date(year, 12, 31))
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (number, one, many) in
            [(self.years, "year", "years"), (self.months, "month", "months"), (self.days, "day", "days")]
        {
            if number == 0 {
                continue;
            }
            if !first {
                f.write_str(" ")?;
            }
            first = false;
            write!(f, "{number} {}", if number == 1 { one } else { many })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn both_ways_of_writing_mean_the_same() {
        for (words, iso) in [
            ("3 years", "P3Y"),
            ("1 year", "P1Y"),
            ("18 months", "P18M"),
            ("2 weeks", "P2W"),
            ("90 days", "P90D"),
            ("1 year 6 months", "P1Y6M"),
            ("1 year, 2 days", "P1Y2D"),
        ] {
            assert_eq!(period(words), period(iso), "{words}");
        }
        assert_eq!(period("P1Y6M").to_string(), "1 year 6 months");
    }

    #[test]
    fn slips_are_refused() {
        for text in [
            "",
            "3",
            "three years",
            "3 yaers",
            "-3 years",
            "3.5 years",
            "P",
            "P3",
            "PT3H",
            "3 years 3 years",
            "3 hours",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text:?}");
        }
        assert_eq!("0 years".parse::<Period>(), Err(PeriodError::Nothing));
        assert_eq!("3000 years".parse::<Period>(), Err(PeriodError::TooLong));
        assert!("99999999999 days".parse::<Period>().is_err());
    }

    #[test]
    fn the_day_after_the_period_is_due() {
        let due = |start: Date, text, starts| period(text).due_on(start, starts).unwrap().to_string();
        assert_eq!(due(date(2020, 2, 29), "1 year", Starts::AtDate), "2021-03-01");
        assert_eq!(due(date(2020, 1, 31), "1 month", Starts::AtDate), "2020-03-01");
        assert_eq!(due(date(2020, 3, 15), "3 years", Starts::AtDate), "2023-03-16");
        assert_eq!(due(date(2020, 1, 1), "3 years", Starts::YearEnd), "2024-01-01");
        assert_eq!(due(date(2020, 12, 31), "3 years", Starts::YearEnd), "2024-01-01");
        assert_eq!(period("7 years").due_on(Date::MAX, Starts::AtDate), None);
    }

    #[test]
    fn years_are_twelve_months_from_every_start() {
        for (years, months) in [("1 year", "12 months"), ("1 year 1 month", "13 months"), ("4 years", "48 months")] {
            for start in cycle(Starts::AtDate) {
                let due = |text| period(text).due_on(start, Starts::AtDate);
                assert_eq!(due(years), due(months), "{years} and {months} from {start}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_can_end_before_does_so_from_some_start(
            months in 0i32..40, days in 0i32..400, other_months in 0i32..40, other_days in 0i32..400,
            year_end in any::<bool>()
        ) {
            prop_assume!(months + days > 0 && other_months + other_days > 0);
            let starts = if year_end { Starts::YearEnd } else { Starts::AtDate };
            let (one, other) = (Period { years: 0, months, days }, Period { years: 0, months: other_months, days: other_days });
            // From a few starts only: what ends sooner from one of them can end sooner.
            let ends_sooner = |start| one.due_on(start, starts) < other.due_on(start, starts);
            if date(2023, 1, 1).series(17.days()).take(120).any(ends_sooner) {
                prop_assert!(one.can_end_before(other, starts));
            }
            prop_assert!(!(one == other && one.can_end_before(other, starts)));
        }

        #[test]
        fn the_cutoff_is_the_latest_start_that_is_due(
            days in 0i32..30_000, years in 0i32..20, months in 0i32..30, more in 0i32..400, year_end in any::<bool>()
        ) {
            prop_assume!(years + months + more > 0);
            let period = Period { years, months, days: more };
            let starts = if year_end { Starts::YearEnd } else { Starts::AtDate };
            let today = date(1990, 1, 1).checked_add(days.days()).unwrap();
            let cutoff = period.cutoff(today, starts).unwrap();
            prop_assert!(period.due_on(cutoff, starts).unwrap() <= today);
            let next = cutoff.tomorrow().unwrap();
            prop_assert!(period.due_on(next, starts).unwrap() > today);
        }
    }
}
