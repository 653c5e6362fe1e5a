//! A section of a settings file, read key by key.
//!
//! Reading never stops at a fault: what is wrong is noted with its place and what to write instead, and the next key is
//! read. `None` always means absent or noted.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Faults, File};
use super::shape::{self, Shape};
use super::similar::{listed, nearest};
use crate::config::{Finding, Located, Place};

/// A section with its keys already checked: one that it does not have has been noted.
pub struct Section<'a> {
    /// Where it begins.
    pub place: Place,
    pub file: &'a File,
    pub faults: &'a Faults,
    shape: &'static Shape,
    entries: &'a DeTable<'a>,
}

/// A value of a section.
#[derive(Clone)]
pub struct Entry<'a> {
    /// The key as it was typed.
    pub key: &'a str,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub value: &'a DeValue<'a>,
    /// Where the value stands.
    pub place: Place,
}

impl<'a> Section<'a> {
    /// The section of this shape at `place`; notes every key that it does not have.
    pub fn open(
        file: &'a File,
        faults: &'a Faults,
        shape: &'static Shape,
        entries: &'a DeTable<'a>,
        place: Place,
    ) -> Self {
        let section = Self { place, file, faults, shape, entries };
        section.unknown().for_each(|entry| section.note_unknown(&entry));
        section
    }

    fn unknown(&self) -> impl Iterator<Item = Entry<'a>> {
        let shape = self.shape;
        self.entries().into_iter().filter(|entry| !shape.names().any(|known| known == entry.key))
    }

    /// Whether it has a key that it should not have; that has been noted.
    pub fn has_unknown_keys(&self) -> bool {
        self.unknown().next().is_some()
    }

    /// Notes a fault at a place.
    pub fn fault(&self, code: &'static str, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        self.faults.add(Finding::error(code, place, message).hint(hint));
    }

    /// Everything in it, in the order in which it was written.
    pub fn entries(&self) -> Vec<Entry<'a>> {
        entries(self.file, self.entries)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Entry<'a>> {
        self.entries.get_key_value(key).map(|(key, value)| entry(self.file, key, value))
    }

    /// The place of a key, when it is there.
    pub fn key_place(&self, key: &str) -> Option<Place> {
        self.get(key).map(|entry| entry.key_place)
    }

    fn note_unknown(&self, entry: &Entry<'_>) {
        let Entry { key, key_place, .. } = entry;
        let (own, other) = shape::beside(self.shape);
        let with_key = |shapes: shape::Shapes| shapes.iter().find(|shape| shape.names().any(|known| known == *key));
        let hint = if let Some(elsewhere) = with_key(own) {
            format!("`{key}` stands {}", elsewhere.place)
        } else if let Some(meant) = nearest(key, self.shape.names()) {
            format!("did you mean `{meant}`? It is written {}", self.shape.example(meant))
        } else if let Some(elsewhere) = with_key(other) {
            format!("`{key}` belongs in {}", elsewhere.place_in_file(key))
        } else {
            format!("its keys are {}", listed(self.shape.names()))
        };
        self.fault("unknown-key", key_place, format!("`{key}` is not a key of {}", self.shape.name), hint);
    }

    /// Notes that a value is of the wrong kind.
    pub fn note_kind(&self, entry: &Entry<'_>, expected: &str) {
        let message = format!("`{}` must be {expected}, not {}", entry.key, kind(entry.value));
        self.fault("wrong-type", &entry.place, message, format!("write {}", self.shape.example(entry.key)));
    }

    fn note_missing(&self, key: &str) {
        let message = format!("`{key}` is missing in {}", self.shape.name);
        self.fault("missing-key", &self.place, message, format!("add {}", self.shape.example(key)));
    }

    /// Text that is not empty.
    pub fn text(&self, key: &str) -> Option<Located<String>> {
        let entry = self.get(key)?;
        let Some(text) = entry.value.as_str() else {
            self.note_kind(&entry, "text");
            return None;
        };
        if text.trim().is_empty() {
            let hint = format!("write it like {}", self.shape.example(key));
            self.fault("empty", &entry.place, format!("`{key}` is empty"), hint);
            return None;
        }
        Some(Located::new(text.to_owned(), entry.place))
    }

    /// Text that must be there.
    pub fn need_text(&self, key: &str) -> Option<Located<String>> {
        if self.get(key).is_none() {
            self.note_missing(key);
        }
        self.text(key)
    }

    /// A list of texts, none empty and none twice. An absent key is an empty list.
    pub fn texts(&self, key: &str) -> Option<Vec<Located<String>>> {
        let Some(entry) = self.get(key) else { return Some(Vec::new()) };
        let Some(array) = entry.value.as_array() else {
            let message = format!("`{key}` must be a list of texts, not {}", kind(entry.value));
            let hint = match entry.value.as_str() {
                Some(text) => format!("write {key} = [{text:?}]"),
                None => format!("write {}", self.shape.example(key)),
            };
            self.fault("wrong-type", &entry.place, message, hint);
            return None;
        };
        let mut texts: Vec<Located<String>> = Vec::new();
        let mut all_well = true;
        for item in array {
            let place = self.file.place(item.span().start);
            let fault = match item.get_ref().as_str() {
                None => Some(format!("`{key}` must be a list of texts, and this is {}", kind(item.get_ref()))),
                Some("") => Some(format!("`{key}` has an empty text in it")),
                Some(text) if texts.iter().any(|other| other.value == text) => {
                    Some(format!("{text:?} stands in `{key}` twice"))
                }
                Some(text) => {
                    texts.push(Located::new(text.to_owned(), place.clone()));
                    None
                }
            };
            if let Some(message) = fault {
                all_well = false;
                self.fault("wrong-list", &place, message, format!("write it like {}", self.shape.example(key)));
            }
        }
        all_well.then_some(texts)
    }

    /// `true` or `false`, or the default where the key is absent.
    pub fn boolean(&self, key: &str, default: bool) -> Option<bool> {
        let Some(entry) = self.get(key) else { return Some(default) };
        let value = entry.value.as_bool();
        if value.is_none() {
            self.note_kind(&entry, "true or false");
        }
        value
    }

    /// The word of a fixed choice.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&'static str, T)]) -> Option<Located<T>> {
        let text = self.text(key)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(Located::new(*value, text.place));
        }
        let words = || choices.iter().map(|(word, _)| *word);
        let hint = match nearest(&text.value, words()) {
            Some(meant) if choices.len() == 1 => format!("write {key} = {meant:?}"),
            Some(meant) => format!("write {key} = {meant:?}; it may be {}", listed(words())),
            None => format!("`{key}` may be {}", listed(words())),
        };
        self.fault("unknown-word", &text.place, format!("{:?} is not a value of `{key}`", text.value), hint);
        None
    }

    /// A section within this one.
    pub fn section(&self, key: &str, shape: &'static Shape) -> Option<Section<'a>> {
        let entry = self.get(key)?;
        match entry.value {
            DeValue::Table(table) => Some(Section::open(self.file, self.faults, shape, table, entry.place)),
            _ => {
                let message = format!("`{key}` must be one section, not {}", kind(entry.value));
                self.fault("wrong-type", &entry.place, message, format!("write {}", self.shape.example(key)));
                None
            }
        }
    }

    /// The sections of a repeated `[[key]]`, of which there may be `max`; none where the key is absent.
    pub fn sections(&self, key: &str, shape: &'static Shape, max: usize) -> Option<Vec<Section<'a>>> {
        let Some(entry) = self.get(key) else { return Some(Vec::new()) };
        let open = |table, place| Section::open(self.file, self.faults, shape, table, place);
        let items: Vec<_> = match entry.value {
            DeValue::Array(array) => array.iter().map(|item| (item.get_ref(), item.span().start)).collect(),
            _ => Vec::new(),
        };
        let tables: Vec<_> = items
            .iter()
            .filter_map(|(value, start)| value.as_table().map(|table| open(table, self.file.place(*start))))
            .collect();
        let is_list = entry.value.is_array() && tables.len() == items.len();
        if !is_list {
            let message = format!("`{key}` must be a section with two brackets, of which there may be several");
            self.fault("wrong-type", &entry.place, message, format!("write [[{key}]] on a line of its own"));
            if let DeValue::Table(table) = entry.value {
                // What is in it can be told all the same.
                return Some(vec![open(table, entry.place)]);
            }
            return None;
        }
        if tables.len() > max {
            let message = format!("there are {} sections [[{key}]], more than {max}", tables.len());
            self.fault("limit", &entry.place, message, "a file of this size is a slip; split it up");
            return None;
        }
        Some(tables)
    }

    /// Whether `version = 1` stands there. Of a file of another version nothing else is told.
    pub fn is_version_1(file: &'a File, faults: &'a Faults, shape: &'static Shape, table: &'a DeTable<'a>) -> bool {
        let Some((key, value)) = table.get_key_value("version") else {
            let message = format!("`version` is missing in {}", shape.name);
            faults.add(Finding::error("missing-key", &file.start(), message).hint("begin the file with version = 1"));
            return true;
        };
        let entry = entry(file, key, value);
        let finding = match entry.value.as_integer().map(|integer| (integer.radix(), integer.as_str())) {
            Some((10, "1")) => return true,
            Some((_, written)) => Finding::error(
                "version",
                &entry.place,
                format!("this file is of version {written}, and this version of erasured reads version 1"),
            ),
            None => Finding::error(
                "wrong-type",
                &entry.place,
                format!("`version` must be a whole number, not {}", kind(entry.value)),
            ),
        };
        faults.add(finding.hint("write version = 1"));
        entry.value.as_integer().is_none()
    }
}

/// What stands in a table, in the order in which it was written.
pub fn entries<'a>(file: &File, table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<_> = table.iter().map(|(key, value)| entry(file, key, value)).collect();
    entries.sort_by(|a, b| a.key_place.cmp(&b.key_place));
    entries
}

fn entry<'a>(file: &File, key: &'a Spanned<std::borrow::Cow<'_, str>>, value: &'a Spanned<DeValue<'a>>) -> Entry<'a> {
    Entry {
        key: key.get_ref(),
        key_place: file.place(key.span().start),
        value: value.get_ref(),
        place: file.place(value.span().start),
    }
}

/// The kind of a value, as a person would say it.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}
