//! A settings file: its text, where in it things stand, and the faults found so far.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::{Finding, Place};

/// Faults and warnings, gathered over all files so that the operator sees every one at once.
#[derive(Debug, Default)]
pub struct Faults(RefCell<Vec<Finding>>);

impl Faults {
    /// Adds one.
    pub fn add(&self, finding: Finding) {
        self.0.borrow_mut().push(finding);
    }

    /// All of them, in the order of files and lines. Of what is still to be decided nothing else is told.
    pub fn into_sorted(self) -> Vec<Finding> {
        let mut found = self.0.into_inner();
        let open: BTreeSet<Place> = found
            .iter()
            .filter(|finding| finding.code == UNDECIDED)
            .filter_map(|finding| finding.place.clone())
            .collect();
        found.retain(|finding| {
            finding.code == UNDECIDED || finding.place.as_ref().is_none_or(|place| !open.contains(place))
        });
        found.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
        found
    }
}

/// A file's text and the beginnings of its lines.
#[derive(Debug)]
pub struct File {
    name: Arc<str>,
    text: String,
    line_starts: Vec<usize>,
}

impl File {
    /// The file that the operator calls `name`. A byte order mark before the text is no part of it.
    pub fn new(name: &str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, line_starts }
    }

    /// Its beginning.
    pub fn start(&self) -> Place {
        Place { file: Arc::clone(&self.name), line: 1, column: 1 }
    }

    /// The place of a byte of its text.
    pub fn place(&self, offset: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let line_text = self.text.get(start..).unwrap_or_default();
        let column = line_text.char_indices().take_while(|(at, _)| start + at < offset).count() + 1;
        Place { file: Arc::clone(&self.name), line: number(line), column: number(column) }
    }

    /// Its tables, with places; `None` after a fault in its form, beyond which nothing can be told.
    pub fn parse(&self, faults: &Faults) -> Option<Spanned<DeTable<'_>>> {
        match DeTable::parse(&self.text) {
            Ok(tables) => {
                self.note_undecided(faults, tables.get_ref());
                Some(tables)
            }
            Err(error) => {
                let place = self.place(error.span().map_or(0, |span| span.start));
                let message = format!("this is not TOML: {}", error.message());
                faults.add(Finding::error("syntax", &place, message).hint(syntax_hint(error.message())));
                None
            }
        }
    }

    /// A draft says `"?"` where somebody has to decide.
    fn note_undecided(&self, faults: &Faults, table: &DeTable<'_>) {
        for (key, value) in table {
            self.note_if_open(faults, key.get_ref(), value);
        }
    }

    fn note_if_open(&self, faults: &Faults, key: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::String(text) if text == OPEN => {
                let place = self.place(value.span().start);
                let message = format!("`{key}` is still to be decided");
                let hint = "write your decision instead of \"?\"; `erasured init` has put its suggestion behind it";
                faults.add(Finding::error(UNDECIDED, &place, message).hint(hint));
            }
            DeValue::Array(items) => items.iter().for_each(|item| self.note_if_open(faults, key, item)),
            DeValue::Table(table) => self.note_undecided(faults, table),
            _ => {}
        }
    }
}

/// The code of a value that somebody still has to decide about.
pub const UNDECIDED: &str = "undecided";
/// What stands there.
const OPEN: &str = "?";

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn syntax_hint(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "a key stands once in its section; leave one of the two out"
    } else if message.contains("string") && !message.contains("must be quoted") {
        "text begins and ends with a double quote on the same line; text over several lines stands between \"\"\" and \"\"\""
    } else if message.contains("header") || message.contains("table") {
        "a section begins with its name in brackets on a line of its own: [erase] or [[criterion]]"
    } else {
        "write key = value, one to a line, and text between double quotes: table = \"prospects\""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let file = File::new("x.toml", "\u{feff}äöü = 1\r\nb = \"ß\" # c\n");
        let at = |offset| {
            let place = file.place(offset);
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(6), (1, 4));
        assert_eq!(at("äöü = 1\r\n".len()), (2, 1));
        assert_eq!(at("äöü = 1\r\nb = \"ß\"".len()), (2, 8));
        assert_eq!(at(10_000).0, 3);
    }
}
