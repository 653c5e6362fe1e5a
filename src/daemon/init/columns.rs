//! What becomes of the columns of a row that stays. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::guess::looks_like_people;
use super::words::{self, Meaning};
use crate::source::{Affinity, Table, TableColumn, holds};

/// Texts declared shorter than this do not hold "erased".
const ERASED_CHARACTERS: usize = 6;
/// So few different values in so many rows each say little about one.
const FEW: usize = 5;
/// Digits in the shortest number that somebody can be called by.
const CALLED_DIGITS_MIN: usize = 6;

/// A value of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guess {
    /// Plain enough to stand.
    Sure(String),
    /// To be decided: what is suggested, and why it is not plain.
    Open(String, String),
}

/// What becomes of the columns of a row that stays.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) keep: Vec<String>,
    pub(super) anonymise: Vec<(String, Guess)>,
    /// Personal numbers that must differ from row to row: nothing could replace them.
    pub(super) stuck: Vec<String>,
}

/// What kind of values a text column holds whose name says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// There is none to go by.
    Nothing,
    /// Mail addresses and nothing else.
    Mail,
    /// Mail addresses and telephone numbers, and nothing else.
    Contacts,
    /// Dates and nothing else.
    Dates,
    /// So many different ones only, in so many rows.
    Few(usize, usize),
    Anything,
}

impl Held {
    /// By how the first of them begin.
    pub(super) fn of(values: &[String], are_dates: bool) -> Self {
        let values: Vec<&str> = values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
        let different: BTreeSet<&&str> = values.iter().collect();
        if values.is_empty() {
            Self::Nothing
        } else if are_dates {
            Self::Dates
        } else if values.iter().all(|value| is_mail(value)) {
            Self::Mail
        } else if values.iter().any(|value| is_mail(value))
            && values.iter().all(|value| is_mail(value) || is_phone(value))
        {
            Self::Contacts
        } else if different.len() * FEW <= values.len() {
            Self::Few(different.len(), values.len())
        } else {
            Self::Anything
        }
    }
}

fn is_mail(value: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    value.split_once('@').is_some_and(|(name, host)| is_part(name) && is_part(host) && host.contains('.'))
}

fn is_phone(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    digits >= CALLED_DIGITS_MIN && value.chars().all(|c| c.is_ascii_digit() || " +-/().".contains(c))
}

/// What is known of values, by table and column in small letters.
pub(super) type Values = BTreeMap<(String, String), Held>;

/// What a column is about, by its name and by what it can hold.
pub(super) fn meaning(column: &TableColumn) -> Meaning {
    match words::meaning(&column.name) {
        meaning if is_number(column) && meaning.is_in_letters() => Meaning::Neutral,
        Meaning::Address if is_number(column) && !words::is_address_in_numbers(&column.name) => Meaning::Neutral,
        meaning => meaning,
    }
}

/// Whether one of the table's columns is about this.
pub(super) fn has(table: &Table, wanted: Meaning) -> bool {
    table.columns.iter().any(|column| meaning(column) == wanted)
}

/// Whether anything in a row of the table is about somebody by its name: a name alone may be that of a thing.
pub(super) fn is_personal(table: &Table) -> bool {
    table.columns.iter().any(|column| {
        meaning(column).is_personal() && !looks_like_date(column) && !words::is_called_generally(&column.name)
    })
}

/// Columns that hold whole numbers, or yes and no.
pub(super) fn is_number(column: &TableColumn) -> bool {
    column.affinity == Affinity::Integer || column.declared_type.to_lowercase().contains("bool")
}

/// A column whose name says nothing, and whose values could.
pub(super) fn is_doubtful(column: &TableColumn) -> bool {
    meaning(column) == Meaning::Unknown && !says_little(column) && !column.generated && !column.hidden
}

/// A date or a yes or no tells nothing by itself; a birthday does.
fn says_little(column: &TableColumn) -> bool {
    matches!(column.affinity, Affinity::Integer | Affinity::Real | Affinity::Numeric)
        || looks_like_date(column)
        || is_number(column)
}

pub(super) fn looks_like_date(column: &TableColumn) -> bool {
    let declared = column.declared_type.to_lowercase();
    let tokens = words::tokens(&column.name);
    let is_called = ["date", "datum", "at", "on", "am", "seit", "since", "time", "zeit", "op", "le"];
    declared.contains("date")
        || declared.contains("time")
        || tokens.iter().any(|token| is_called.contains(&token.as_str()))
        || ["datum", "date"].iter().any(|stem| tokens.concat().ends_with(stem))
}

/// What becomes of the columns of a row that stays, but for its key and what refers.
pub(super) fn rows(table: &Table, refers: &[String], values: &Values) -> Rows {
    let mut rows = Rows::default();
    for column in table.columns.iter().filter(|column| !column.generated && !column.hidden) {
        let name = &column.name;
        if holds(&table.primary_key, name) || holds(refers, name) {
            continue;
        }
        let is_reference = table.foreign_keys.iter().any(|key| holds(&key.columns, name));
        let held = values.get(&(table.name.to_lowercase(), name.to_lowercase())).copied();
        match if is_reference { Fate::Keep } else { fate(table, column, held) } {
            Fate::Keep => rows.keep.push(name.clone()),
            Fate::Stuck => rows.stuck.push(name.clone()),
            Fate::Becomes(guess) => rows.anonymise.push((name.clone(), guess)),
        }
    }
    rows
}

/// What becomes of one column.
enum Fate {
    Keep,
    /// It would have to go, and nothing that fits differs from row to row.
    Stuck,
    Becomes(Guess),
}

fn fate(table: &Table, column: &TableColumn, held: Option<Held>) -> Fate {
    let meaning = match meaning(column) {
        // A state beside a street is part of an address.
        Meaning::Unknown | Meaning::Neutral
            if words::is_called_region(&column.name) && has(table, Meaning::Address) && !is_number(column) =>
        {
            Meaning::Address
        }
        Meaning::Unknown if held == Some(Held::Mail) => Meaning::Email,
        Meaning::Unknown if held == Some(Held::Contacts) => Meaning::Phone,
        meaning => meaning,
    };
    let identifies = words::is_called_number(&column.name) && words::is_called_identifiers(&table.name);
    let points = meaning == Meaning::Number && is_number(column);
    match meaning {
        Meaning::Neutral | Meaning::Unit if !identifies => Fate::Keep,
        Meaning::Unknown if !identifies && says_little(column) || is_number_of_books(table, column) => Fate::Keep,
        Meaning::Unknown if held == Some(Held::Dates) && words::rank_of_start(&column.name).is_some() => Fate::Keep,
        // A date called after what it belongs to: `email_confirmed_at`.
        _ if meaning.is_personal() && looks_like_date(column) && meaning != Meaning::Birth => Fate::Keep,
        _ => match replacement(table, column, meaning) {
            None => Fate::Stuck,
            Some(value) if identifies => {
                Fate::Becomes(Guess::Open(value, "is it what tells who somebody is?".to_owned()))
            }
            Some(value) if points => {
                let why = "is it the number itself, or where the number stands?".to_owned();
                Fate::Becomes(Guess::Open(value, why))
            }
            Some(value) if meaning == Meaning::Unknown => Fate::Becomes(Guess::Open(value, doubt(column, held))),
            Some(value) if words::is_called_generally(&column.name) && !looks_like_people(table) => {
                let why = "is it about somebody, or the name of a thing that others need?".to_owned();
                Fate::Becomes(Guess::Open(value, why))
            }
            Some(value) => Fate::Becomes(Guess::Sure(value)),
        },
    }
}

/// The number by which the books know an invoice.
fn is_number_of_books(table: &Table, column: &TableColumn) -> bool {
    words::is_called_only_books(&table.name) && column.name.eq_ignore_ascii_case("number")
}

fn doubt(column: &TableColumn, held: Option<Held>) -> String {
    let declared = if column.declared_type.is_empty() { "no type" } else { &column.declared_type };
    let seen = match held {
        Some(Held::Nothing) => ", no value yet".to_owned(),
        Some(Held::Dates) => ", its values are dates".to_owned(),
        Some(Held::Few(1, rows)) => format!(", one and the same value in {rows} rows"),
        Some(Held::Few(different, rows)) => format!(", {different} different values in {rows} rows"),
        _ => String::new(),
    };
    format!("nobody but you knows what is in it ({declared}{seen})")
}

/// What fits the column instead of a personal value.
fn replacement(table: &Table, column: &TableColumn, meaning: Meaning) -> Option<String> {
    if !column.not_null {
        return Some("\"null\"".to_owned());
    }
    let is_in_key = table.unique_keys.iter().any(|key| holds(key, &column.name));
    let is_numeric = matches!(column.affinity, Affinity::Integer | Affinity::Real);
    let value = match meaning {
        Meaning::Birth => "{ truncate = \"year\" }",
        _ if is_numeric && is_in_key => return None,
        Meaning::Email => "{ template = \"erased-{key}@invalid\" }",
        _ if is_in_key => "{ template = \"erased-{key}\" }",
        _ if is_numeric => "{ value = 0 }",
        _ if length(&column.declared_type).is_some_and(|length| length < ERASED_CHARACTERS) => "{ value = \"\" }",
        _ => "{ value = \"erased\" }",
    };
    Some(value.to_owned())
}

/// The length in `varchar(40)`.
fn length(declared: &str) -> Option<usize> {
    declared.split_once('(')?.1.split_once(')')?.0.trim().parse().ok()
}

/// Every column stays: another file decides about them, or they are about somebody else.
pub(super) fn others(table: &Table, refers: &[String]) -> Rows {
    let kept = table.columns.iter().filter(|column| !column.generated && !column.hidden).map(|column| &column.name);
    let kept = kept.filter(|column| !holds(&table.primary_key, column) && !holds(refers, column));
    Rows { keep: kept.cloned().collect(), ..Rows::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_tell_what_kind_of_text_a_column_holds() {
        for (values, expected) in [
            (vec![], Held::Nothing),
            (vec!["", " "], Held::Nothing),
            (vec!["a@x.org", "b.c@mail.x.org"], Held::Mail),
            (vec!["a@x.org", "+43 316 123456"], Held::Contacts),
            (vec!["123456", "+43 316 123456"], Held::Anything),
            (vec!["a@x.org", "see a@x.org and others"], Held::Anything),
            (vec!["on", "on", "on", "on", "on", "off", "off", "off", "off", "off"], Held::Few(2, 10)),
            (vec!["on", "off"], Held::Anything),
        ] {
            let texts: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            assert_eq!(Held::of(&texts, false), expected, "{values:?}");
        }
        assert_eq!(Held::of(&["2019-12-31".to_owned()], true), Held::Dates);
    }
}
