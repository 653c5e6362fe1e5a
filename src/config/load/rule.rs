//! `since`, `period`, `starts` and `format`: of a criterion, or of a dependent.

use sha2::{Digest, Sha256};

use super::section::Section;
use super::similar::nearest;
use crate::config::{DateFormat, Located, Period, PeriodError, RuleVersion, Since, Starts};
use crate::record::hex;

/// The words of `starts`. Without it a period starts on the date itself.
const STARTS: [(&str, Starts); 1] = [("year-end", Starts::YearEnd)];

/// The units of periods, with the words that people write for them.
const UNITS: [(&str, &str); 14] = [
    ("year", "year"),
    ("years", "years"),
    ("month", "month"),
    ("months", "months"),
    ("week", "week"),
    ("weeks", "weeks"),
    ("day", "day"),
    ("days", "days"),
    ("Jahr", "year"),
    ("Jahre", "years"),
    ("Monat", "month"),
    ("Monate", "months"),
    ("Tag", "day"),
    ("Tage", "days"),
];

/// The rule of a section: `Some(None)` where it has none, `None` after a fault.
pub fn since(section: &Section<'_>) -> Option<Option<Since>> {
    let missing = |present: &str, absent: &str, hint: &str| {
        if let Some(place) = section.key_place(present).filter(|_| section.get(absent).is_none()) {
            section.fault("rule", &place, format!("`{present}` says nothing without `{absent}`"), hint);
            return true;
        }
        false
    };
    let mut faulty = missing("since", "period", "add how long: period = \"3 years\"");
    faulty |= missing("period", "since", "add the date from which it runs: since = \"last_contact_on\"");
    if section.get("period").is_none() {
        for key in ["starts", "format"] {
            faulty |= missing(key, "since", &format!("add `since` and `period`, or leave `{key}` out"));
        }
    }
    let sql = section.text("since");
    let period = period_of(section, "period");
    let starts = section.choice("starts", &STARTS).map(|starts| starts.value);
    let format = section.choice("format", &DateFormat::WORDS).map(|format| format.value);
    let starts = if section.get("starts").is_some() { starts? } else { Starts::default() };
    let format = if section.get("format").is_some() { format? } else { DateFormat::default() };
    if faulty {
        return None;
    }
    if section.get("since").is_none() {
        return Some(None);
    }
    Some(Some(Since { sql: sql?, format, period: period?, starts }))
}

/// The least time between the last confirmation and erasure.
pub fn cooling_off(section: &Section<'_>) -> Option<Located<Period>> {
    period_of(section, "cooling_off")
}

/// The period that a key has; `None` where it has none, or after a fault.
pub fn period_of(section: &Section<'_>, key: &str) -> Option<Located<Period>> {
    section.text(key).and_then(|text| period(section, key, &text))
}

fn period(section: &Section<'_>, key: &str, text: &Located<String>) -> Option<Located<Period>> {
    let error = match text.value.parse::<Period>() {
        Ok(period) => return Some(Located::new(period, text.place.clone())),
        Err(error) => error,
    };
    let (words, iso) = if key == "period" { ("3 years", "P3Y") } else { ("7 days", "P7D") };
    let hint = match (&error, meant(&text.value)) {
        (PeriodError::Malformed(_), Some(meant)) => format!("did you mean {key} = \"{meant}\"?"),
        (PeriodError::Malformed(_), None) => {
            format!("write whole years, months, weeks or days: {key} = \"{words}\", or \"{iso}\"")
        }
        (PeriodError::Nothing, _) => format!("write how long: {key} = \"{words}\""),
        (PeriodError::TooLong, _) => format!("write it in years: {key} = \"30 years\""),
    };
    section.fault("period", &text.place, error.to_string(), hint);
    None
}

/// The period that a slip was meant to be: a number and something like a unit.
fn meant(text: &str) -> Option<Period> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
    let word = text[digits..].trim();
    let typed = nearest(word, UNITS.iter().map(|(word, _)| *word))?;
    let (_, unit) = UNITS.iter().find(|(word, _)| *word == typed)?;
    format!("{} {unit}", &text[..digits]).parse().ok()
}

/// Stands for the wording of a criterion.
pub fn version(since: Option<&Since>, condition: Option<&Located<String>>) -> RuleVersion {
    let mut digest = Sha256::new();
    let mut absorb = |text: Option<&str>| {
        digest.update([u8::from(text.is_some())]);
        let text = text.unwrap_or_default();
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    absorb(since.map(|since| since.sql.value.as_str()));
    absorb(since.map(|since| since.period.value.to_string()).as_deref());
    absorb(since.map(|since| match since.starts {
        Starts::AtDate => "date",
        Starts::YearEnd => "year-end",
    }));
    absorb(since.map(|since| since.format.as_str()));
    absorb(condition.map(|condition| condition.value.as_str()));
    RuleVersion(hex(&digest.finalize()[..8]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slip_was_meant_to_be() {
        for (text, period) in [("3 yaers", "3 years"), ("3years", "3 years"), ("18 Monate", "18 months")] {
            assert_eq!(meant(text).map(|period| period.to_string()).as_deref(), Some(period), "{text}");
        }
        for text in ["", "years", "3", "three years", "3 colours", "3.5 years"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
