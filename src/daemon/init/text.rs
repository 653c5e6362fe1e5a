//! The settings that are drafted, as TOML with comments.

use std::fmt::Write as _;

use super::below::Dependent;
use super::columns::{Guess, Rows};
use super::guess::{Candidate, Draft, expression};
use super::words;
use crate::config::DateFormat;

/// The value of what is still to be decided.
const OPEN: &str = "\"?\"";

/// A date that a period may run from, as its values are held.
pub(super) struct Start<'s> {
    pub(super) candidate: Candidate<'s>,
    /// None where its values fit no format.
    pub(super) format: Option<DateFormat>,
    /// Whether there is no value to go by.
    pub(super) is_empty: bool,
}

/// `erasured.toml` for one source.
pub(super) fn top(source: &str, url: &str, time_zone: &str) -> String {
    format!(
        "# Drafted by `erasured init`. Nothing is erased by it: wherever it says {OPEN}, somebody has to decide first, and until\n\
         # then `erasured check` and the daemon refuse it. Behind each stands what is suggested, and why it is not plain.\n\n\
         version = 1\n\n\
         # Schedules, \"today\" and the ends of years are those of this zone.\n\
         time_zone = {}\n\n\
         # Jobs run by hand until they have a schedule: minute, hour, day of month, month, day of week.\n\
         # [schedule]\n\
         # prepare = \"0 2 * * *\"   # every night: propose what is due\n\
         # erase = \"0 4 * * Sun\"   # on Sundays: erase what has been confirmed\n\n\
         [source.{source}]\n\
         url = {}\n\n\
         # Without any [[grant]], only root and the daemon's own user may do anything.\n\
         # [[grant]]\n\
         # groups = [\"privacy\"]\n\
         # permissions = [\"view\", \"decide\", \"mark\", \"restore\"]\n",
        text(time_zone),
        text(url)
    )
}

/// One category's file.
pub(super) fn category(source: &str, draft: &Draft<'_>, starts: &[Start<'_>], below: Option<&str>) -> String {
    let mut out = String::new();
    let table = &draft.table.name;
    line(&mut out, &format!("# Drafted by `erasured init` from the table {}.", text(table)));
    line(&mut out, "");
    line(&mut out, "version = 1");
    line(&mut out, &format!("source = {}", text(source)));
    line(&mut out, &format!("table = {}", text(table)));
    line(&mut out, &format!("# The key is the table's primary key: {}", list(&draft.table.primary_key)));
    if draft.key_is_personal {
        line(&mut out, "# It tells whom a record is about: no record of the daemon holds it as it is.");
        line(&mut out, "key_is_personal = true");
    }
    if let Some(label) = &draft.label {
        line(&mut out, "# What a clerk sees; read at that moment and never stored.");
        line(&mut out, &format!("label = {}", text(label)));
    }
    if draft.identity.is_empty() {
        line(&mut out, &format!("identity = [{OPEN}]  # decide: columns that make it the same person"));
    } else {
        line(&mut out, "# What makes it the same person: if one of these changes, the record goes back to the clerk.");
        line(&mut out, &format!("identity = {}", list(&draft.identity)));
    }
    if let Some(unit) = draft.unit {
        line(&mut out, "# The branch or department of a record; grants can be limited by it.");
        line(&mut out, &format!("# unit = {}", text(&expression(unit))));
    }
    if !draft.triggers.is_empty() {
        let names = draft.triggers.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ");
        line(&mut out, "# Triggers on what would be changed: somebody has to have looked at what they do.");
        line(&mut out, &format!("triggers = [{OPEN}]  # decide: {names} – what do they write, and where to?"));
    }
    criterion(&mut out, starts, below);
    line(&mut out, "\n[erase]");
    rows(&mut out, "erase", &draft.rows);
    draft.dependents.iter().for_each(|dependent| hang(&mut out, dependent));
    out
}

fn criterion(out: &mut String, starts: &[Start<'_>], below: Option<&str>) {
    let Some((first, others)) = starts.split_first() else {
        line(out, "\n# No column says since when a period could run: records are erased where somebody asks for it.");
        match below {
            Some(below) => {
                line(out, &format!("# A rule could be [[criterion]] with name, period, and since = {}", text(below)))
            }
            None => line(out, "# A rule would be [[criterion]] with name, since and period, or with name and where."),
        }
        line(out, "[manual]");
        line(out, "auto_confirm = false");
        return;
    };
    let since = first.candidate.column;
    line(out, "\n[[criterion]]");
    line(out, &format!("name = {}", text(&name_of(since))));
    if words::is_of_beginning(first.candidate.rank) {
        let why = "it says when a record began, not when it was last of use";
        value(out, "since", &Guess::Open(text(&expression(since)), why.to_owned()));
    } else {
        line(out, &format!("since = {}", text(&expression(since))));
    }
    match first.format {
        Some(DateFormat::Iso) if first.is_empty => {
            line(out, "# No value yet to tell the format by: \"iso\" is the usual one.")
        }
        Some(DateFormat::Iso) => {}
        Some(format) => line(out, &format!("format = {}", text(format.as_str()))),
        None => {
            let (suggested, why) = match (first.is_empty, first.candidate.is_number) {
                (true, true) => (DateFormat::Unix, "there is no value yet to tell seconds from milliseconds"),
                _ => (DateFormat::Iso, "its values could not be read as dates in any one format"),
            };
            value(out, "format", &Guess::Open(text(suggested.as_str()), why.to_owned()));
        }
    }
    line(out, &format!("period = {OPEN}  # decide: \"3 years\" – an example: how long may a record stay after that?"));
    line(out, "# starts = \"year-end\"  # the period runs from the end of that year");
    if let Some(below) = below {
        line(out, &format!("# the newest of what hangs on it: since = {}", text(below)));
    }
    for other in others {
        let held = match other.format {
            _ if other.is_empty => "no value yet",
            Some(format) => format.as_str(),
            None => "in no format that can be read",
        };
        line(out, &format!("# another date: since = {} ({held})", text(&expression(other.candidate.column))));
    }
    let same = others.iter().find(|other| other.format == first.format && !other.is_empty && !first.is_empty);
    if let (true, Some(same)) = (first.candidate.is_empty_at_times, same) {
        let either = format!("coalesce({}, {})", expression(since), expression(same.candidate.column));
        line(out, &format!("# a record without {since} is never due; with this it is: since = {}", text(&either)));
    }
    line(out, "reason = \"retention period expired\"");
}

fn rows(out: &mut String, section: &str, rows: &Rows) {
    if !rows.stuck.is_empty() {
        line(
            out,
            &format!(
                "# Personal, and kept all the same: nothing that fits differs from row to row: {}",
                list(&rows.stuck)
            ),
        );
    }
    if !rows.keep.is_empty() || !rows.stuck.is_empty() {
        let keep: Vec<String> = rows.keep.iter().chain(&rows.stuck).cloned().collect();
        line(out, &format!("keep = {}", list(&keep)));
    }
    if rows.anonymise.is_empty() {
        return;
    }
    line(out, &format!("[{section}.anonymise]"));
    for (column, guess) in &rows.anonymise {
        value(out, &key(column), guess);
    }
}

fn hang(out: &mut String, dependent: &Dependent) {
    line(out, &format!("\n# {}: {}.", dependent.table, dependent.why));
    line(out, "[[dependent]]");
    if let Some(name) = &dependent.name {
        line(out, &format!("name = {}", text(name)));
    }
    if let Some(parent) = &dependent.parent {
        line(out, &format!("parent = {}", text(parent)));
    }
    line(out, &format!("table = {}", text(&dependent.table)));
    let (one, many) = if dependent.is_owned { ("parent_column", "parent_columns") } else { ("column", "columns") };
    match dependent.columns.as_slice() {
        [column] => line(out, &format!("{one} = {}", text(column))),
        columns => line(out, &format!("{many} = {}", list(columns))),
    }
    value(out, "rule", &dependent.rule);
    rows(out, "dependent", &dependent.rows);
}

fn value(out: &mut String, key: &str, guess: &Guess) {
    match guess {
        Guess::Sure(value) => line(out, &format!("{key} = {value}")),
        Guess::Open(value, why) => line(out, &format!("{key} = {OPEN}  # decide: {value} – {why}")),
    }
}

fn line(out: &mut String, text: &str) {
    // Writing into a string does not fail.
    let _ = writeln!(out, "{text}");
}

/// The name of a criterion after its column.
fn name_of(column: &str) -> String {
    words::tokens(column).join("-")
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| text(name)).collect();
    format!("[{}]", names.join(", "))
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.to_owned() } else { text(name) }
}

/// A basic string of TOML, whose escapes are those of JSON.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
