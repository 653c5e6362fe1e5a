//! Dates as databases hold them.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::record::Value;

/// How a column holds a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateFormat {
    /// ISO 8601 text: `2019-12-31`, with or without a time, with or without a zone. A time without a zone is taken as
    /// local; one with a zone is carried over to the zone of the settings. `20191231` is read too.
    #[default]
    Iso,
    /// The same, but a time without a zone is UTC.
    IsoUtc,
    /// `31.12.2019`, with or without a time.
    German,
    /// Seconds since 1970, as a number or as digits.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// Days since noon of 24 November 4714 BC, as SQLite's `julianday`.
    Julian,
}

/// The value is not a date in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value cannot be read as a date")]
pub struct Unreadable;

impl DateFormat {
    /// Every format with its word in the settings.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("iso", Self::Iso),
        ("iso-utc", Self::IsoUtc),
        ("german", Self::German),
        ("unix", Self::Unix),
        ("unix-ms", Self::UnixMillis),
        ("julian", Self::Julian),
    ];

    /// The word in the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, format)| *format == self).map_or("iso", |(word, _)| word)
    }

    /// The calendar day, in `zone`, that `value` names; `None` for NULL.
    ///
    /// # Errors
    /// [`Unreadable`] when it names none: an empty text, `0000-00-00`, 30 February, another format, or what stands for "no
    /// date" in databases: zero in the formats that count from 1970, and days before 1800.
    pub fn read(self, value: &Value, zone: &TimeZone) -> Result<Option<Date>, Unreadable> {
        if value.is_null() {
            return Ok(None);
        }
        let day = match self {
            Self::Iso => read_iso(&text(value)?, zone, None),
            Self::IsoUtc => read_iso(&text(value)?, zone, Some(&TimeZone::UTC)),
            Self::German => read_german(value.as_str().ok_or(Unreadable)?),
            Self::Unix => day_of((self.number(value)? * 1000.0).floor(), zone),
            Self::UnixMillis => day_of(self.number(value)?.floor(), zone),
            // To the nearest millisecond, as SQLite does: midnight has no exact Julian day in most zones.
            Self::Julian => day_of(((self.number(value)? - JULIAN_DAY_OF_1970) * 86_400_000.0).round(), zone),
        }?;
        if day < EARLIEST_DAY { Err(Unreadable) } else { Ok(Some(day)) }
    }

    /// How far from zero a number must be to be taken for a date. Zero is what applications write for "never". Below
    /// 10,000,000,000 milliseconds, of January to April 1970, lie the seconds of every day up to the year 2286, which the
    /// same schema may hold beside them, and which would all be due at once.
    #[must_use]
    pub const fn least_number(self) -> i64 {
        match self {
            Self::Unix => 1,
            Self::UnixMillis => 10_000_000_000,
            Self::Iso | Self::IsoUtc | Self::German | Self::Julian => 0,
        }
    }

    fn number(self, value: &Value) -> Result<f64, Unreadable> {
        let number = number(value)?;
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let least = self.least_number() as f64;
        if number.abs() < least { Err(Unreadable) } else { Ok(number) }
    }
}

/// The first day that is taken for a date. Nobody's record begins earlier; years 0, 1, 1000, 1601 and 1753 are what
/// databases and frameworks write for "none", and other formats read as Julian days end up before it too.
pub const EARLIEST_DAY: Date = date(1800, 1, 1);

/// The Julian day of 1970-01-01T00:00Z.
const JULIAN_DAY_OF_1970: f64 = 2_440_587.5;

/// Text; and the number 20191231, which a column without a type makes of these digits.
fn text(value: &Value) -> Result<Cow<'_, str>, Unreadable> {
    match value {
        Value::Integer(digits @ 10_000_000..=99_999_999) => Ok(Cow::Owned(digits.to_string())),
        _ => value.as_str().map(Cow::Borrowed).ok_or(Unreadable),
    }
}

fn number(value: &Value) -> Result<f64, Unreadable> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds and milliseconds of any calendar year fit into 53 bits"
        )]
        Value::Integer(integer) => Ok(*integer as f64),
        Value::Real(real) => Ok(*real),
        Value::Text(_) => value.as_str().and_then(|text| text.trim().parse().ok()).ok_or(Unreadable),
        Value::Null | Value::Blob(_) => Err(Unreadable),
    }
}

fn day_of(millis: f64, zone: &TimeZone) -> Result<Date, Unreadable> {
    if !millis.is_finite() || millis.abs() > 1e15 {
        return Err(Unreadable);
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked above to be far within the range")]
    let at = Timestamp::from_millisecond(millis as i64).map_err(|_| Unreadable)?;
    Ok(at.to_zoned(zone.clone()).date())
}

fn read_iso(text: &str, zone: &TimeZone, without_zone: Option<&TimeZone>) -> Result<Date, Unreadable> {
    let text = text.trim();
    if !text.get(..4).is_some_and(|year| year.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Unreadable);
    }
    if text.len() <= "2019-12-31".len() {
        return text.parse::<Date>().map_err(|_| Unreadable);
    }
    if let Ok(at) = zone_closed_up(text).parse::<Timestamp>() {
        return Ok(at.to_zoned(zone.clone()).date());
    }
    let local: DateTime = text.parse().map_err(|_| Unreadable)?;
    match without_zone {
        None => Ok(local.date()),
        Some(from) => Ok(local.to_zoned(from.clone()).map_err(|_| Unreadable)?.with_time_zone(zone.clone()).date()),
    }
}

/// `… 22:30:00 +01:00` and `… 22:30:00 UTC` as the standard writes them: without the blank, and with Z.
fn zone_closed_up(text: &str) -> Cow<'_, str> {
    match text.rsplit_once(' ') {
        Some((time, "UTC" | "Z")) => Cow::Owned(format!("{time}Z")),
        Some((time, zone)) if zone.starts_with(['+', '-']) => Cow::Owned(format!("{time}{zone}")),
        _ => Cow::Borrowed(text),
    }
}

/// A day, then nothing or a time: whatever else stands there, somebody meant something by it.
fn read_german(text: &str) -> Result<Date, Unreadable> {
    let text = text.trim();
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let time = time.trim_end_matches("Uhr").trim();
    if !time.is_empty() && time.parse::<Time>().is_err() {
        return Err(Unreadable);
    }
    let day = if time.is_empty() { day } else { day.trim_end_matches(',') };
    let parts: Vec<&str> = day.split('.').collect();
    let [of_month, month, year] = parts.as_slice() else { return Err(Unreadable) };
    let read = |part: &str, lengths: RangeInclusive<usize>| {
        let is_number = lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse::<i16>().map_err(|_| Unreadable) } else { Err(Unreadable) }
    };
    let (of_month, month, year) = (read(of_month, 1..=2)?, read(month, 1..=2)?, read(year, 4..=4)?);
    let small = |number: i16| i8::try_from(number).map_err(|_| Unreadable);
    Date::new(year, small(month)?, small(of_month)?).map_err(|_| Unreadable)
}

/// Widens `cutoff` by as much as zones can shift a day, for a first, coarse sieve in SQL.
#[must_use]
pub fn coarse_bound(cutoff: Date) -> Date {
    cutoff.checked_add(2.days()).unwrap_or(cutoff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    /// The day in Berlin, or why there is none.
    fn day(format: DateFormat, value: &Value) -> String {
        match format.read(value, &berlin()) {
            Ok(Some(day)) => day.to_string(),
            Ok(None) => "none".to_owned(),
            Err(Unreadable) => "unreadable".to_owned(),
        }
    }

    fn check(format: DateFormat, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(day(format, &Value::text(text)), *expected, "{text:?} as {}", format.as_str());
        }
    }

    #[test]
    fn iso_text_in_all_its_forms() {
        check(
            DateFormat::Iso,
            &[
                ("2019-12-31", "2019-12-31"),
                (" 2019-12-31 ", "2019-12-31"),
                ("20191231", "2019-12-31"),
                ("2019-12-31 23:59:59", "2019-12-31"),
                ("2019-12-31 23:59", "2019-12-31"),
                ("2019-12-31T23:59:59", "2019-12-31"),
                ("2019-12-31 23:59:59.999999", "2019-12-31"),
                ("2019-12-31 00:00:00.000", "2019-12-31"),
                ("2019-12-31T23:30:00Z", "2020-01-01"),
                ("2019-12-31 22:59:59Z", "2019-12-31"),
                ("2019-12-31T23:30:00.123456+00:00", "2020-01-01"),
                ("2019-12-31 23:30:00+00", "2020-01-01"),
                ("2019-12-31T23:30:00+0100", "2019-12-31"),
                ("2019-12-31T20:30:00-05:00", "2020-01-01"),
                ("2019-12-31 23:30:00 +0000", "2020-01-01"),
                ("2019-12-31 23:30:00 UTC", "2020-01-01"),
                ("2024-02-29", "2024-02-29"),
                ("9999-12-31", "9999-12-31"),
            ],
        );
        assert_eq!(day(DateFormat::Iso, &Value::Integer(20_191_231)), "2019-12-31");
    }

    #[test]
    fn iso_text_that_is_no_date() {
        let unreadable = [
            "",
            " ",
            "0",
            "0000-00-00",
            "0000-00-00 00:00:00",
            "0000-01-01",
            "0001-01-01T00:00:00",
            "1000-01-01",
            "1753-01-01",
            "2023-02-30",
            "2023-13-01",
            "2023-00-10",
            "2019-12",
            "2019",
            "19-12-31",
            "31.12.2019",
            "12/31/2019",
            "2019-12-31 25:00:00",
            "2019-12-31 somewhen",
            "2019-12-31x",
            "2019-12-31 +01:00",
            "never",
            "-2019-12-31",
            "2019-12-31\0",
            "20190230",
            "1577836800",
            "NULL",
        ];
        for text in unreadable {
            for format in [DateFormat::Iso, DateFormat::IsoUtc] {
                assert_eq!(day(format, &Value::text(text)), "unreadable", "{text:?}");
            }
        }
        for value in [
            Value::Integer(0),
            Value::Integer(1_577_836_800),
            Value::Real(2019.0),
            Value::Blob(b"2019-12-31".to_vec()),
            Value::Text(vec![0xff; 10]),
        ] {
            assert_eq!(day(DateFormat::Iso, &value), "unreadable", "{value:?}");
        }
        assert_eq!(day(DateFormat::Iso, &Value::Integer(20_190_230)), "unreadable");
    }

    #[test]
    fn midnight_in_berlin_is_the_evening_before_in_utc() {
        check(
            DateFormat::IsoUtc,
            &[
                ("2019-12-31 22:59:59", "2019-12-31"),
                ("2019-12-31 23:00:00", "2020-01-01"),
                ("2019-06-30 21:59:59.999999", "2019-06-30"),
                ("2019-06-30T22:00:00", "2019-07-01"),
                // A zone of its own goes before the format's.
                ("2019-12-31T23:00:00+01:00", "2019-12-31"),
                // A day without a time is that day.
                ("2019-12-31", "2019-12-31"),
                ("20191231", "2019-12-31"),
            ],
        );
        check(DateFormat::Iso, &[("2019-12-31 23:00:00", "2019-12-31"), ("2019-06-30 22:00:00", "2019-06-30")]);
    }

    #[test]
    fn german_days() {
        check(
            DateFormat::German,
            &[
                ("31.12.2019", "2019-12-31"),
                ("1.2.2019", "2019-02-01"),
                (" 01.02.2019 ", "2019-02-01"),
                ("31.12.2019 23:59", "2019-12-31"),
                ("31.12.2019, 23:59 Uhr", "2019-12-31"),
                ("31.12.2019 23:59:59", "2019-12-31"),
                ("31.12.19", "unreadable"),
                ("30.02.2023", "unreadable"),
                ("00.00.0000", "unreadable"),
                ("01.01.0001", "unreadable"),
                ("12.31.2019", "unreadable"),
                ("31.12.2019 storniert", "unreadable"),
                ("31.12.2019,", "unreadable"),
                ("31.12.+201", "unreadable"),
                ("31.12.2019.", "unreadable"),
                ("2019-12-31", "unreadable"),
                ("", "unreadable"),
            ],
        );
    }

    #[test]
    fn seconds_and_milliseconds() {
        // 2019-12-31T23:00:00Z is midnight in Berlin.
        let midnight = 1_577_833_200_i64;
        for (seconds, expected) in [(midnight, "2020-01-01"), (midnight - 1, "2019-12-31"), (-86_400, "1969-12-31")] {
            assert_eq!(day(DateFormat::Unix, &Value::Integer(seconds)), expected);
        }
        for (millis, expected) in [(midnight * 1000, "2020-01-01"), (midnight * 1000 - 1, "2019-12-31")] {
            assert_eq!(day(DateFormat::UnixMillis, &Value::Integer(millis)), expected);
        }
        check(DateFormat::Unix, &[("1577833200", "2020-01-01"), ("1577833199.999999", "2019-12-31")]);
        check(DateFormat::UnixMillis, &[("1577833200000", "2020-01-01")]);
        assert_eq!(day(DateFormat::Unix, &Value::Real(1_577_833_199.5)), "2019-12-31");
    }

    #[test]
    fn seconds_are_not_taken_for_milliseconds_nor_the_other_way_round() {
        for seconds in [1_577_833_200, 946_684_800, 4_102_444_800, 0] {
            assert_eq!(day(DateFormat::UnixMillis, &Value::Integer(seconds)), "unreadable");
        }
        for millis in [1_577_833_200_000, 946_684_800_000, i64::MAX, i64::MIN, 0] {
            assert_eq!(day(DateFormat::Unix, &Value::Integer(millis)), "unreadable");
        }
        for format in [DateFormat::Unix, DateFormat::UnixMillis, DateFormat::Julian] {
            for text in ["", "0", "0.0", "2019-12-31", "nan", "inf", "1e300", "abc"] {
                assert_eq!(day(format, &Value::text(text)), "unreadable", "{text:?} as {}", format.as_str());
            }
        }
    }

    #[test]
    fn julian_days_are_read_to_the_millisecond() {
        // As SQLite's julianday() gives them for 2019-12-31 22:59:59 and 23:00:00.
        assert_eq!(day(DateFormat::Julian, &Value::Real(2_458_849.458_321_759_4)), "2019-12-31");
        assert_eq!(day(DateFormat::Julian, &Value::Real(2_458_849.458_333_333_5)), "2020-01-01");
        assert_eq!(day(DateFormat::Julian, &Value::Integer(2_458_849)), "2019-12-31");
        for other in [0.0, 43_830.0, 20_191_231.0, 1_577_833_200.0] {
            assert_eq!(day(DateFormat::Julian, &Value::Real(other)), "unreadable", "{other}");
        }
    }

    #[test]
    fn null_is_no_date_in_any_format() {
        for (_, format) in DateFormat::WORDS {
            assert_eq!(day(format, &Value::Null), "none");
        }
    }

    proptest! {
        #[test]
        fn every_midnight_is_its_own_day(days in 0_i32..30_000) {
            let date = date(1970, 6, 1).checked_add(days.days()).unwrap();
            let at = date.to_zoned(berlin()).unwrap().timestamp();
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of these years fit into 53 bits")]
            let julian = at.as_millisecond() as f64 / 86_400_000.0 + JULIAN_DAY_OF_1970;
            let (in_utc, expected) = (at.strftime("%Y-%m-%d %H:%M:%S").to_string(), date.to_string());
            prop_assert_eq!(day(DateFormat::IsoUtc, &Value::text(&in_utc)), expected.clone());
            prop_assert_eq!(day(DateFormat::Iso, &Value::text(&at.to_string())), expected.clone());
            prop_assert_eq!(day(DateFormat::German, &Value::text(&date.strftime("%d.%m.%Y").to_string())), expected.clone());
            prop_assert_eq!(day(DateFormat::Unix, &Value::Integer(at.as_second())), expected.clone());
            prop_assert_eq!(day(DateFormat::UnixMillis, &Value::Integer(at.as_millisecond())), expected.clone());
            prop_assert_eq!(day(DateFormat::Julian, &Value::Real(julian)), expected);
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,30}") {
            for (_, format) in DateFormat::WORDS {
                let _ = format.read(&Value::text(&text), &berlin());
            }
        }
    }
}
