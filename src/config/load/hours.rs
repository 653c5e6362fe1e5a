//! `hours` of a source.

use super::section::Section;
use crate::config::hours::{Hours, HoursError};

/// The hours of the section; `Some(None)` where it has none, and any time will do.
pub fn read(section: &Section<'_>) -> Option<Option<Hours>> {
    if section.get("hours").is_none() {
        return Some(None);
    }
    let text = section.text("hours")?;
    let error = match text.value.parse::<Hours>() {
        Ok(hours) => return Some(Some(hours)),
        Err(error) => error,
    };
    let hint = match (&error, meant(&text.value)) {
        (HoursError::Malformed(_), Some(meant)) => format!("did you mean hours = \"{meant}\"?"),
        (HoursError::Malformed(_), None) => {
            "write from when until when, as clocks with 24 hours show it: hours = \"22:00-05:00\"".to_owned()
        }
        (HoursError::SameEnds(_), _) => {
            "write another end, as in hours = \"22:00-05:00\", or leave `hours` out: then any time will do".to_owned()
        }
    };
    section.fault("hours", &text.place, error.to_string(), hint);
    None
}

/// The hours that a slip was meant to be: `22-5`, `22.00 – 5.00`.
fn meant(text: &str) -> Option<Hours> {
    let time = |text: &str| {
        let (hour, minute) = text.trim().split_once([':', '.']).unwrap_or((text.trim(), "00"));
        format!("{hour:0>2}:{minute}")
    };
    let (start, end) = text.split_once(['-', '–', '—'])?;
    format!("{}-{}", time(start), time(end)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slip_was_meant_to_be() {
        for (text, hours) in [("22-5", "22:00-05:00"), ("22.00 – 5.30", "22:00-05:30"), (" 8:00 - 24 ", "08:00-24:00")]
        {
            assert_eq!(meant(text).map(|hours| hours.to_string()).as_deref(), Some(hours), "{text}");
        }
        for text in ["", "-", "nights", "22:00", "22-22", "22:00-25:00", "22:0-5", "10 pm-5 am"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
