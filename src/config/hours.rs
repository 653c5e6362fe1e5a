//! Hours of the day.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// Minutes of a day by the clock on the wall.
const DAY_MINUTES: u16 = 24 * 60;

/// Hours of the day, by the clock on the wall: `22:00-05:00`. The start is within them, the end is not; those that end
/// before they start go on past midnight. Never none: start and end differ.
///
/// What the clocks skip in spring is missing from them on that day, and what comes twice in autumn is within them twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The minute of the day at which they start.
    start: u16,
    /// The minute of the day at which they are over; 24:00 is the day's end.
    end: u16,
}

/// The text does not name hours of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// It is written in another way.
    #[error("{0:?} does not name hours of the day")]
    Malformed(String),
    /// They end where they start, which could mean always or never.
    #[error("{0:?} ends when it starts, which may mean the whole day or nothing")]
    SameEnds(String),
}

impl Hours {
    /// Whether `at` is within them in `zone`.
    #[must_use]
    pub fn hold_at(self, at: Timestamp, zone: &TimeZone) -> bool {
        self.contain(at.to_zoned(zone.clone()).time())
    }

    /// Whether there is any time of day that is within both.
    #[must_use]
    pub fn meet(self, other: Self) -> bool {
        // Where they meet, the start of one is within the other.
        self.contains_minute(other.start) || other.contains_minute(self.start)
    }

    /// When they begin next after `now` in `zone`; `None` at the end of the calendar.
    #[must_use]
    pub fn next_start(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let number = |number: u16| i8::try_from(number).ok();
        let start = Time::new(number(self.start / 60)?, number(self.start % 60)?, 0, 0).ok()?;
        let mut day = now.to_zoned(zone.clone()).date();
        loop {
            let at = day.to_datetime(start).to_zoned(zone.clone()).ok()?.timestamp();
            if at > now {
                return Some(at);
            }
            day = day.tomorrow().ok()?;
        }
    }

    fn contain(self, time: Time) -> bool {
        let minute = i32::from(time.hour()) * 60 + i32::from(time.minute());
        u16::try_from(minute).is_ok_and(|minute| self.contains_minute(minute))
    }

    const fn contains_minute(self, minute: u16) -> bool {
        let (is_after_start, is_before_end) = (minute >= self.start, minute < self.end);
        if self.start < self.end { is_after_start && is_before_end } else { is_after_start || is_before_end }
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let ends = text.split_once('-').and_then(|(start, end)| Some((minute(start)?, minute(end)?)));
        match ends {
            Some((start, end)) if start == end => Err(HoursError::SameEnds(text.to_owned())),
            Some((start, end)) if start < DAY_MINUTES => Ok(Self { start, end }),
            _ => Err(HoursError::Malformed(text.to_owned())),
        }
    }
}

/// The minute of the day that `HH:MM` names; 24:00 is one of them.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let sum = hour * 60 + minute;
    (minute < 60 && sum <= DAY_MINUTES).then_some(sum)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start, self.end);
        write!(f, "{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(text: &str) -> Hours {
        text.parse().unwrap()
    }

    #[test]
    fn slips_are_refused() {
        for text in [
            "",
            "22:00",
            "22-05",
            "22:00-5:00",
            "22:00 - 05:00",
            "22:00–05:00",
            "25:00-05:00",
            "22:60-05:00",
            "22:00-24:01",
            "24:00-05:00",
            "+2:00-05:00",
            "22:00-05:00-06:00",
            "22:00:00-05:00",
            "99:99-99:99",
        ] {
            assert_eq!(text.parse::<Hours>(), Err(HoursError::Malformed(text.to_owned())), "{text}");
        }
        for text in ["22:00-22:00", "00:00-00:00", "24:00-24:00"] {
            assert_eq!(text.parse::<Hours>(), Err(HoursError::SameEnds(text.to_owned())), "{text}");
        }
        for text in ["22:00-05:00", "00:00-24:00", "20:15-00:00", "20:15-24:00", "23:59-00:00"] {
            assert_eq!(hours(text).to_string(), text);
        }
    }

    #[test]
    fn the_start_is_within_and_the_end_is_not() {
        for (text, within, outside) in [
            (
                "22:00-05:00",
                ["22:00", "23:59:59", "00:00", "04:59:59.999"],
                ["21:59:59.999", "05:00", "05:01", "12:00"],
            ),
            ("09:30-17:00", ["09:30", "09:30:01", "12:00", "16:59:59"], ["09:29:59", "17:00", "00:00", "23:59"]),
            ("20:00-24:00", ["20:00", "22:00", "23:59", "23:59:59.999"], ["00:00", "00:01", "19:59", "12:00"]),
            ("20:00-00:00", ["20:00", "22:00", "23:59", "23:59:59.999"], ["00:00", "00:01", "19:59", "12:00"]),
        ] {
            let is_within = |time: &str| hours(text).contain(time.parse().unwrap());
            within.iter().for_each(|time| assert!(is_within(time), "{time} is within {text}"));
            outside.iter().for_each(|time| assert!(!is_within(time), "{time} is not within {text}"));
        }
        assert!(hours("00:00-24:00").contain(Time::midnight()) && hours("00:00-24:00").contain(Time::MAX));
    }

    #[test]
    fn the_clock_on_the_wall_counts_when_the_clocks_change() {
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        for (text, at, expected) in [
            // 29 March 2026: 02:00 is 03:00.
            ("22:00-02:30", "2026-03-29T00:59:59Z", true),
            ("22:00-02:30", "2026-03-29T01:00:00Z", false),
            ("02:00-03:00", "2026-03-29T00:59:59Z", false),
            ("02:00-03:00", "2026-03-29T01:00:00Z", false),
            ("02:30-03:30", "2026-03-29T01:00:00Z", true),
            ("02:30-03:30", "2026-03-29T01:30:00Z", false),
            ("22:00-05:00", "2026-03-28T21:00:00Z", true),
            ("22:00-05:00", "2026-03-29T02:59:59Z", true),
            ("22:00-05:00", "2026-03-29T03:00:00Z", false),
            ("22:00-05:00", "2026-03-29T20:00:00Z", true),
            ("22:00-05:00", "2026-03-29T19:59:59Z", false),
            // 25 October 2026: 03:00 is 02:00 once more.
            ("22:00-02:30", "2026-10-25T00:29:59Z", true),
            ("22:00-02:30", "2026-10-25T00:30:00Z", false),
            ("22:00-02:30", "2026-10-25T01:00:00Z", true),
            ("22:00-02:30", "2026-10-25T01:30:00Z", false),
            ("02:00-03:00", "2026-10-25T00:00:00Z", true),
            ("02:00-03:00", "2026-10-25T01:59:59Z", true),
            ("02:00-03:00", "2026-10-25T02:00:00Z", false),
            ("22:00-05:00", "2026-10-25T03:59:59Z", true),
            ("22:00-05:00", "2026-10-25T04:00:00Z", false),
        ] {
            assert_eq!(hours(text).hold_at(at.parse().unwrap(), &vienna), expected, "{at} within {text}");
        }
    }

    #[test]
    fn two_meet_where_any_minute_is_within_both() {
        for (one, other, expected) in [
            ("22:00-05:00", "02:00-04:00", true),
            ("22:00-05:00", "04:59-06:00", true),
            ("22:00-05:00", "05:00-06:00", false),
            ("22:00-05:00", "21:00-22:00", false),
            ("22:00-05:00", "21:00-22:01", true),
            ("08:00-12:00", "00:00-24:00", true),
        ] {
            let (one, other) = (hours(one), hours(other));
            assert_eq!((one.meet(other), other.meet(one)), (expected, expected), "{one} and {other}");
        }
    }

    #[test]
    fn they_begin_next_on_the_next_day_that_has_them() {
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        for (now, next) in [
            ("2026-06-01T00:00:00Z", "2026-06-01T00:30:00Z"),
            ("2026-06-01T00:30:00Z", "2026-06-02T00:30:00Z"),
            ("2026-06-01T00:29:59Z", "2026-06-01T00:30:00Z"),
            // 02:30 is missing on 29 March 2026, and comes twice on 25 October.
            ("2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"),
            ("2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"),
        ] {
            let found = hours("02:30-04:00").next_start(now.parse().unwrap(), &vienna);
            assert_eq!(found, Some(next.parse().unwrap()), "after {now}");
        }
    }

    proptest! {
        /// Whoever stands before the clock from the start on counts as many minutes as it takes to the end.
        #[test]
        fn they_are_the_minutes_from_start_to_end(start in 0..DAY_MINUTES, length in 1..=DAY_MINUTES, second in 0i8..60) {
            // Of those that last a whole day only the ones from midnight can be written.
            prop_assume!(length < DAY_MINUTES || start == 0);
            let end = if start + length > DAY_MINUTES { start + length - DAY_MINUTES } else { start + length };
            let hours = Hours { start, end };
            prop_assert_eq!(hours.to_string().parse::<Hours>(), Ok(hours));
            for passed in 0..DAY_MINUTES {
                let minute = (start + passed) % DAY_MINUTES;
                let number = |number: u16| i8::try_from(number).unwrap();
                let time = Time::new(number(minute / 60), number(minute % 60), second, 0).unwrap();
                prop_assert_eq!(hours.contain(time), passed < length, "{} within {}", time, hours);
            }
        }
    }
}
