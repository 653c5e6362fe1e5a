//! What a personal value is replaced by, as SQL over the row itself.

use super::text::{literal, qualified};
use crate::config::{Anonymise, DateFormat, Literal, Template, TemplatePart, Truncation};
use crate::source::mapping::{Change, Node};

/// The expression that gives the column's new value, for a row under the name `alias`. Given its own result it gives the
/// same again, so that verification can ask whether it has been done.
pub(super) fn expression(node: &Node, change: &Change, alias: &str) -> String {
    let column = qualified(alias, &change.column);
    match &change.anonymise {
        Anonymise::Null => "NULL".to_owned(),
        Anonymise::Value(value) => literal_value(value),
        Anonymise::Template(template) => filled(node, template, alias),
        Anonymise::Truncate { to, format } => truncated(&column, *to, *format),
    }
}

/// A value of the settings as SQL.
pub(super) fn literal_value(value: &Literal) -> String {
    match value {
        Literal::Text(text) => literal(text),
        Literal::Integer(integer) => integer.to_string(),
        // Written by its bits' shortest decimal form, which SQLite reads back exactly.
        Literal::Real(real) => format!("{real:?}"),
    }
}

fn filled(node: &Node, template: &Template, alias: &str) -> String {
    let parts: Vec<String> = template
        .0
        .iter()
        .map(|part| match part {
            TemplatePart::Text(text) => literal(text),
            TemplatePart::Key => own_key(node, alias),
        })
        .collect();
    if parts.is_empty() { "''".to_owned() } else { parts.join(" || ") }
}

/// The row's own key as text. Parts that are bytes are written in hexadecimal.
fn own_key(node: &Node, alias: &str) -> String {
    let parts: Vec<String> = node
        .own_key
        .iter()
        .map(|column| {
            let column = qualified(alias, column);
            format!("CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS TEXT) END")
        })
        .collect();
    parts.join(" || '-' || ")
}

/// The date, less exact, in the form it has; NULL where it cannot be read, for what it says is not known.
fn truncated(column: &str, to: Truncation, format: DateFormat) -> String {
    match format {
        DateFormat::Iso | DateFormat::IsoUtc => {
            let kept = match to {
                Truncation::Year => format!("substr({column}, 1, 4) || '-01-01'"),
                Truncation::Month => format!("substr({column}, 1, 7) || '-01'"),
            };
            let read = dated(column, "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*");
            format!("CASE WHEN {read} THEN {kept} || {} END", zeros(&format!("substr({column}, 11)")))
        }
        DateFormat::German => {
            let kept = match to {
                Truncation::Year => format!("'01.01.' || substr({column}, 7, 4)"),
                Truncation::Month => format!("'01.' || substr({column}, 4, 7)"),
            };
            let read = dated(column, "[0-3][0-9].[01][0-9].[0-9][0-9][0-9][0-9]*");
            format!("CASE WHEN {read} THEN {kept} || {} END", zeros(&format!("substr({column}, 11)")))
        }
        DateFormat::Unix => numeric(column, to, "unixepoch", "1"),
        DateFormat::UnixMillis => numeric(column, to, "unixepoch", "1000"),
        DateFormat::Julian => {
            format!("julianday({column}, 'start of {}')", word(to))
        }
    }
}

/// SQL: the value is a date, with nothing behind it but a time and a zone. Other words may be about somebody.
fn dated(column: &str, pattern: &str) -> String {
    format!("{column} GLOB '{pattern}' AND substr({column}, 11) NOT GLOB '*[^0-9:.,TZ+ -]*'")
}

fn word(to: Truncation) -> &'static str {
    match to {
        Truncation::Year => "year",
        Truncation::Month => "month",
    }
}

fn numeric(column: &str, to: Truncation, function: &str, factor: &str) -> String {
    format!("{function}({column} / {factor}, 'unixepoch', 'start of {}') * {factor}", word(to))
}

/// The time of day behind a date with every digit 0: what reads dates goes on reading it.
fn zeros(text: &str) -> String {
    ('1'..='9').fold(text.to_owned(), |text, digit| format!("replace({text}, '{digit}', '0')"))
}
