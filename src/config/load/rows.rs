//! What happens to the columns of rows that stay: `keep` and `anonymise`.

use toml::de::DeValue;

use super::document::Faults;
use super::section::{Entry, Section, entries, kind};
use super::template;
use crate::config::{Anonymise, Classification, Column, DateFormat, Finding, Literal, Located, Place, Truncation};

/// Columns that one table can have; SQLite's own limit is as high.
const COLUMNS_MAX: usize = 2_000;

/// The words of `truncate`.
const TRUNCATIONS: [(&str, Truncation); 2] = [("year", Truncation::Year), ("month", Truncation::Month)];

/// Whether two names are the same column: databases do not tell upper from lower case in them.
pub fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// A list of columns, none twice.
pub fn columns(section: &Section<'_>, key: &str) -> Option<Vec<Column>> {
    let columns = section.texts(key)?;
    if columns.len() > COLUMNS_MAX {
        let message = format!("`{key}` has {} columns, more than {COLUMNS_MAX}", columns.len());
        section.fault("limit", &section.key_place(key)?, message, "no table has so many");
        return None;
    }
    let mut all_well = true;
    for (index, column) in columns.iter().enumerate() {
        if columns.iter().take(index).any(|other| is_same(&other.value, &column.value)) {
            let message = format!("the column {:?} stands in `{key}` twice", column.value);
            section.fault("column-twice", &column.place, message, "leave one of the two out");
            all_well = false;
        }
    }
    all_well.then_some(columns)
}

/// `keep` and `anonymise` of a section. Where it has neither, the classification is empty and stands at `place`.
pub fn classification(section: &Section<'_>, place: Place) -> Option<Classification> {
    let keep = columns(section, "keep");
    let anonymise = anonymise(section);
    let (keep, anonymise) = (keep?, anonymise?);
    let mut all_well = true;
    for (column, _) in &anonymise {
        if let Some(kept) = keep.iter().find(|kept| is_same(&kept.value, &column.value)) {
            let message = format!("the column {:?} stands in `keep` and in `anonymise`", column.value);
            let hint = format!("it either stays or is replaced; the other place is line {}", kept.place.line);
            section.fault("column-twice", &column.place, message, hint);
            all_well = false;
        }
    }
    all_well.then_some(Classification { place, keep, anonymise })
}

fn anonymise(section: &Section<'_>) -> Option<Vec<(Column, Located<Anonymise>)>> {
    let Some(entry) = section.get("anonymise") else { return Some(Vec::new()) };
    let Some(table) = entry.value.as_table() else {
        let message =
            format!("`anonymise` must say for each column what replaces it, and this is {}", kind(entry.value));
        section.fault("wrong-type", &entry.place, message, "write anonymise = { first_name = \"null\" }");
        return None;
    };
    let mut all_well = true;
    let mut read: Vec<(Column, Located<Anonymise>)> = Vec::new();
    for column in entries(section.file, table) {
        if read.iter().any(|(other, _)| is_same(&other.value, column.key)) {
            let message = format!("the column {:?} stands in `anonymise` twice", column.key);
            section.fault("column-twice", &column.key_place, message, "leave one of the two out");
            all_well = false;
        }
        match replacement(section, &column) {
            Some(replacement) => {
                let name = Located::new(column.key.to_owned(), column.key_place);
                read.push((name, Located::new(replacement, column.place)));
            }
            None => all_well = false,
        }
    }
    all_well.then_some(read)
}

fn replacement(section: &Section<'_>, column: &Entry<'_>) -> Option<Anonymise> {
    let name = if column.key.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-') {
        format!("{:?}", column.key)
    } else {
        column.key.to_owned()
    };
    match column.value {
        DeValue::String(text) if text == "null" => Some(Anonymise::Null),
        DeValue::String(text) if text.eq_ignore_ascii_case("null") => {
            section.fault(
                "replacement",
                &column.place,
                format!("{text:?} is not a replacement"),
                format!("write {name} = \"null\""),
            );
            None
        }
        DeValue::Table(table) => {
            let shape = &super::shape::REPLACEMENT;
            let inner = Section::open(section.file, section.faults, shape, table, column.place.clone());
            from_section(&inner, &name)
        }
        other => {
            let message = match other.as_str() {
                Some(text) => format!("{text:?} is not a replacement"),
                None => format!("a replacement cannot be {} alone", kind(other)),
            };
            let hint = match other.as_str() {
                Some(text) => format!("write {name} = {{ value = {text:?} }}, or {name} = \"null\" for no value"),
                None => format!("write {name} = {{ value = … }}, or {name} = \"null\" for no value"),
            };
            section.fault("replacement", &column.place, message, hint);
            None
        }
    }
}

fn from_section(section: &Section<'_>, name: &str) -> Option<Anonymise> {
    let named: Vec<&str> =
        ["value", "template", "truncate"].into_iter().filter(|key| section.get(key).is_some()).collect();
    let hint = || {
        format!(
            "write one of {name} = \"null\", {{ value = \"erased\" }}, {{ template = \"erased-{{key}}\" }} and {{ truncate = \"year\" }}"
        )
    };
    let [kind] = named.as_slice() else {
        // A misspelt key has been noted already: what is missing then is no second fault.
        if !named.is_empty() || !section.has_unknown_keys() {
            let message = format!("the replacement of {name} must say one thing, and says {}", named.len());
            section.fault("replacement", &section.place, message, hint());
        }
        return None;
    };
    let format = section.choice("format", &DateFormat::WORDS);
    if let Some(place) = section.key_place("format").filter(|_| *kind != "truncate") {
        let message = format!("`format` says how a date is held, and `{kind}` replaces it whole");
        section.fault("replacement", &place, message, "leave `format` out");
        return None;
    }
    match *kind {
        "value" => literal(section).map(Anonymise::Value),
        "template" => {
            let text = section.text("template")?;
            note_fault(section.faults, &text, template::replacement(&text.value)).map(Anonymise::Template)
        }
        _ => {
            let to = section.choice("truncate", &TRUNCATIONS)?.value;
            let format = if section.get("format").is_some() { format?.value } else { DateFormat::default() };
            Some(Anonymise::Truncate { to, format })
        }
    }
}

/// The template, or `None` after its fault has been noted.
pub fn note_fault<T>(faults: &Faults, text: &Located<String>, read: Result<T, template::TemplateFault>) -> Option<T> {
    match read {
        Ok(template) => Some(template),
        Err(fault) => {
            faults.add(Finding::error("template", &text.place, fault.message).hint(fault.hint));
            None
        }
    }
}

fn literal(section: &Section<'_>) -> Option<Literal> {
    let entry = section.get("value")?;
    let literal = match entry.value {
        DeValue::String(text) => Some(Literal::Text(text.to_string())),
        DeValue::Boolean(truth) => Some(Literal::Integer(i64::from(*truth))),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Literal::Integer),
        DeValue::Float(float) => float.as_str().parse::<f64>().ok().filter(|real| real.is_finite()).map(Literal::Real),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    };
    if literal.is_none() {
        let message = match entry.value {
            DeValue::Integer(_) | DeValue::Float(_) => "`value` is no number that a column can hold".to_owned(),
            other => format!("`value` cannot be {}", kind(other)),
        };
        let hint = "write text between double quotes, a number, true or false: { value = \"1900-01-01\" }";
        section.fault("replacement", &entry.place, message, hint);
    }
    literal
}
