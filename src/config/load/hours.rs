//! Hours of the day: `hours` of a source, `vacuum` of its removal.

use super::section::Section;
use crate::config::Located;
use crate::config::hours::{Hours, HoursError};

/// The hours that a key has; `Some(None)` where the section does not have it. `without` says what holds then.
pub fn read(section: &Section<'_>, key: &str, without: &str) -> Option<Option<Located<Hours>>> {
    if section.get(key).is_none() {
        return Some(None);
    }
    let text = section.text(key)?;
    let error = match text.value.parse::<Hours>() {
        Ok(hours) => return Some(Some(Located::new(hours, text.place))),
        Err(error) => error,
    };
    let hint = match (&error, meant(&text.value)) {
        (HoursError::Malformed(_), Some(meant)) => format!("did you mean {key} = \"{meant}\"?"),
        (HoursError::Malformed(_), None) => {
            format!("write from when until when, as clocks with 24 hours show it: {key} = \"22:00-05:00\"")
        }
        (HoursError::SameEnds(_), _) => {
            format!("write another end, as in {key} = \"22:00-05:00\", or leave `{key}` out: {without}")
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
