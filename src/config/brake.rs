//! How much a run may propose or erase before somebody has to look.

use std::fmt;
use std::str::FromStr;

/// Hundredths of a percent in a whole.
const WHOLE: u32 = 10_000;
/// Digits behind the point of a percentage.
const DECIMALS: usize = 2;

/// `[brake]` of a category: a run that would propose or erase more than both stops before it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// So many records.
    pub count: u64,
    /// So large a part of the table.
    pub share: Share,
}

/// What holds where nothing is written: 100 records and 5 % of the table.
impl Default for Brake {
    fn default() -> Self {
        Self { count: 100, share: Share(500) }
    }
}

impl Brake {
    /// The largest number of records of a table of so many rows for which it does not close.
    #[must_use]
    pub fn most_of(&self, rows: u64) -> u64 {
        if !self.can_close() {
            return u64::MAX;
        }
        let share = u128::from(rows) * u128::from(self.share.0) / u128::from(WHOLE);
        self.count.max(u64::try_from(share).unwrap_or(u64::MAX))
    }

    /// Whether there is anything that it closes for: nothing is more than the whole table.
    #[must_use]
    pub const fn can_close(&self) -> bool {
        self.share.0 < WHOLE
    }
}

/// A part of a table, in hundredths of a percent: from nothing to all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// The text is no percentage from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no percentage from 0 to 100 with at most two digits behind the point")]
pub struct NoShare;

/// As settings write it.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match (part, part % 10) {
            (0, _) => write!(f, "{whole} %"),
            (_, 0) => write!(f, "{whole}.{} %", part / 10),
            _ => write!(f, "{whole}.{part:02} %"),
        }
    }
}

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        let number = text.trim().strip_suffix('%').ok_or(NoShare)?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(part) || part.len() > DECIMALS {
            return Err(NoShare);
        }
        let whole: u32 = whole.parse().map_err(|_| NoShare)?;
        let part: u32 = format!("{part:0<DECIMALS$}").parse().map_err(|_| NoShare)?;
        let share = whole.checked_mul(100).and_then(|hundredths| hundredths.checked_add(part)).ok_or(NoShare)?;
        if share > WHOLE { Err(NoShare) } else { Ok(Self(share)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brake(count: u64, share: &str) -> Brake {
        Brake { count, share: share.parse().unwrap() }
    }

    #[test]
    fn both_limits_must_be_exceeded() {
        let table = [
            (Brake::default(), 100, 10, false),
            (Brake::default(), 101, 2_020, false),
            (Brake::default(), 101, 2_019, true),
            (Brake::default(), 5_000, 100_000, false),
            (Brake::default(), 5_001, 100_000, true),
            (Brake::default(), 101, 0, true),
            (brake(0, "0 %"), 0, 10, false),
            (brake(0, "0 %"), 1, 10, true),
            (brake(0, "0.5 %"), 1, 200, false),
            (brake(0, "0.5 %"), 1, 199, true),
            (brake(0, "99.99 %"), 10_000, 10_000, true),
            (brake(0, "100 %"), u64::MAX, 0, false),
            (brake(7, "50 %"), u64::MAX, u64::MAX, true),
        ];
        for (brake, records, rows, closes) in table {
            assert_eq!(brake.most_of(rows) < records, closes, "{brake:?}: {records} of {rows}");
        }
    }

    #[test]
    fn shares_are_read_and_written() {
        for (typed, written) in [
            ("5 %", "5 %"),
            ("5%", "5 %"),
            (" 0.5 % ", "0.5 %"),
            ("0.50 %", "0.5 %"),
            ("0.05 %", "0.05 %"),
            ("12.34 %", "12.34 %"),
            ("0 %", "0 %"),
            ("100.00 %", "100 %"),
        ] {
            assert_eq!(typed.parse::<Share>().unwrap().to_string(), written, "{typed}");
        }
        for wrong in
            ["", "5", "%", "-1 %", "+1 %", "100.01 %", "101 %", "1.234 %", "1. %", ".5 %", "0,5 %", "5 percent"]
        {
            assert!(wrong.parse::<Share>().is_err(), "{wrong:?}");
        }
        assert!("99999999999 %".parse::<Share>().is_err());
    }
}
