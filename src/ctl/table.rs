//! Tables and lines for people.

use comfy_table::{Table, presets};

use super::tongue::told;

/// What stands where there is nothing to say.
const NOTHING: &str = "-";
/// Columns, and lines of facts, that hold names, keys, dates, and what people have typed: these are never translated.
const NAMES: [&str; 31] = [
    "APPROVED BY",
    "AT",
    "BY",
    "CATEGORY",
    "CRITERION",
    "DEPENDENT",
    "DUE ON",
    "ENTRY",
    "FILE",
    "IN FORCE",
    "LABEL",
    "NEXT",
    "PERMISSION",
    "RECORD",
    "RUN",
    "SOURCE",
    "SET BY",
    "STARTED",
    "UNIT",
    "by criterion",
    "by unit",
    "by year due",
    "criterion",
    "decided by",
    "digest",
    "label",
    "record",
    "rule version",
    "run",
    "unit",
    "version",
];
/// Blanks between two columns.
const GAP: u16 = 2;

/// Text that is safe on a terminal: labels and reasons are what somebody once typed into an application, and could move
/// the cursor, change colours, or turn the direction of reading so that a line says something else.
pub(super) fn clean(text: &str) -> String {
    let unsafe_there = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if unsafe_there(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A value, or what stands for none.
pub(super) fn or_dash(value: Option<&str>) -> String {
    value.unwrap_or(NOTHING).to_owned()
}

/// Rows under a head, without lines: easy on the eye, and on `cut`.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.map(told));
    for row in rows {
        let mut names = head.iter().map(|name| NAMES.contains(name));
        table.add_row(row.map(|cell| shown(&cell, names.next() == Some(true))));
    }
    written(table)
}

/// The same for a head that is only known when it is written; names of counts stand in it as headings do.
pub(super) fn grid(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().map(|name| told(name).to_uppercase()));
    for row in rows {
        table.add_row(head.iter().zip(row).map(|(name, cell)| shown_under(name, cell)));
    }
    written(table)
}

/// A value under a heading, or behind the name of a fact, as the reader gets it.
pub(super) fn shown_under(name: &str, value: &str) -> String {
    shown(value, NAMES.contains(&name))
}

/// What is known of one thing, a line each; what is empty is left out.
pub(super) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Option<String>)>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in facts {
        if let Some(value) = value {
            table.add_row([told(name), shown(&value, NAMES.contains(&name))]);
        }
    }
    written(table)
}

/// A value as the reader gets it: words in their language, names as they are.
fn shown(value: &str, is_name: bool) -> String {
    let value = clean(value);
    if is_name { value } else { told(&value) }
}

fn written(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tongue::{Tongue, speaking};
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_label_cannot_write_on_the_terminal() {
        let shown = table(["LABEL"], [["\x1b[2JMaier\r\u{202e}x".to_owned()]]);
        assert_eq!(shown, "LABEL\n\u{fffd}[2JMaier\u{fffd}\u{fffd}x\n");
    }

    #[tokio::test]
    async fn what_settings_call_something_is_not_translated() {
        let german = Tongue::new(Language::German, None);
        let shown =
            speaking(german, async { table(["CRITERION", "OUTCOME"], [["left".into(), "delete".into()]]) }).await;
        assert_eq!(shown, "LÖSCHKRITERIUM  ERGEBNIS\nleft            löschen\n");
    }

    #[test]
    fn what_is_empty_is_left_out() {
        assert_eq!(facts([("record", Some("a/1".into())), ("unit", None)]), "record  a/1\n");
    }
}
