//! Dates as databases hold them.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
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
    /// [`Unreadable`] when it names none: an empty text, `0000-00-00`, 30 February, another format.
    pub fn read(self, value: &Value, zone: &TimeZone) -> Result<Option<Date>, Unreadable> {
        if value.is_null() {
            return Ok(None);
        }
        match self {
            Self::Iso => read_iso(value.as_str().ok_or(Unreadable)?, zone, None),
            Self::IsoUtc => read_iso(value.as_str().ok_or(Unreadable)?, zone, Some(&TimeZone::UTC)),
            Self::German => read_german(value.as_str().ok_or(Unreadable)?),
            Self::Unix => day_of(Timestamp::from_millisecond(millis(number(value)?, 1000.0)?), zone),
            Self::UnixMillis => day_of(Timestamp::from_millisecond(millis(number(value)?, 1.0)?), zone),
            Self::Julian => {
                let days = number(value)? - JULIAN_DAY_OF_1970;
                day_of(Timestamp::from_millisecond(millis(days, 86_400_000.0)?), zone)
            }
        }
        .map(Some)
    }
}

/// The Julian day of 1970-01-01T00:00Z.
const JULIAN_DAY_OF_1970: f64 = 2_440_587.5;

fn day_of(at: Result<Timestamp, jiff::Error>, zone: &TimeZone) -> Result<Date, Unreadable> {
    Ok(at.map_err(|_| Unreadable)?.to_zoned(zone.clone()).date())
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

fn millis(number: f64, factor: f64) -> Result<i64, Unreadable> {
    let millis = (number * factor).floor();
    if !millis.is_finite() || millis.abs() > 1e15 {
        return Err(Unreadable);
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked above to be far within the range")]
    Ok(millis as i64)
}

fn read_iso(text: &str, zone: &TimeZone, without_zone: Option<&TimeZone>) -> Result<Date, Unreadable> {
    let text = text.trim();
    if !text.get(..4).is_some_and(|year| year.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Unreadable);
    }
    if text.len() <= "2019-12-31".len() {
        return text.parse::<Date>().map_err(|_| Unreadable);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.to_zoned(zone.clone()).date());
    }
    let local: DateTime = text.parse().map_err(|_| Unreadable)?;
    match without_zone {
        None => Ok(local.date()),
        Some(from) => Ok(local.to_zoned(from.clone()).map_err(|_| Unreadable)?.with_time_zone(zone.clone()).date()),
    }
}

fn read_german(text: &str) -> Result<Date, Unreadable> {
    let day = text.trim().split([' ', 'T']).next().ok_or(Unreadable)?;
    if !day.rsplit('.').next().is_some_and(|year| year.len() == 4) {
        return Err(Unreadable);
    }
    strtime::parse("%d.%m.%Y", day).and_then(|parsed| parsed.to_date()).map_err(|_| Unreadable)
}

/// Widens `cutoff` by as much as zones can shift a day, for a first, coarse sieve in SQL.
#[must_use]
pub fn coarse_bound(cutoff: Date) -> Date {
    cutoff.checked_add(2.days()).unwrap_or(cutoff)
}
