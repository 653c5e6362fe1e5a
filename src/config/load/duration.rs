//! Small spans of time in settings: "5 s", "100 ms", "2 min".

use std::time::Duration;

/// The units, with their length in milliseconds.
const UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1_000), ("min", 60_000)];

/// The span that `text` writes: a whole number and a unit. `None` for anything else.
pub fn read(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim_start();
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*millis).map(Duration::from_millis)
}

/// The span as settings write it.
pub fn written(span: Duration) -> String {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let (unit, length) =
        UNITS.into_iter().rev().find(|(_, length)| millis.is_multiple_of(*length)).unwrap_or(("ms", 1));
    format!("{} {unit}", millis / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, millis) in [("5 s", 5_000), ("100ms", 100), (" 2 min ", 120_000), ("0 s", 0)] {
            assert_eq!(read(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "5", "s", "-5 s", "5.5 s", "5 sec onds", "5 h", "99999999999999999999 s", "18446744073709551615 min"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(written(Duration::from_millis(100)), "100 ms");
        assert_eq!(written(Duration::from_secs(5)), "5 s");
        assert_eq!(written(Duration::from_secs(600)), "10 min");
    }
}
