//! `categories/*.toml`.

use std::collections::BTreeSet;

use super::document::{Faults, File};
use super::rows::{classification, columns, is_same, note_fault};
use super::section::Section;
use super::similar::{listed, nearest};
use super::{brake, dependent, linked, manual, rule, shape, template};
use crate::config::category::CONTRADICTION;
use crate::config::{Category, Classification, Column, Criterion, LabelTemplate, Located};
use crate::record::{CategoryName, SourceName};

/// Sections `[[criterion]]` of one category.
const CRITERIA_MAX: usize = 100;
/// The longest name of a criterion, in characters.
const NAME_MAX_CHARACTERS: usize = 64;

/// Reads a category file. `sources` are the names in `erasured.toml`, where they are known. `None` after a fault, which
/// has been noted.
pub fn read(file: &File, faults: &Faults, name: &CategoryName, sources: Option<&BTreeSet<String>>) -> Option<Category> {
    let document = file.parse(faults)?;
    if !Section::is_version_1(file, faults, &shape::CATEGORY, document.get_ref()) {
        return None;
    }
    let top = Section::open(file, faults, &shape::CATEGORY, document.get_ref(), file.start());
    let source = source(&top, sources);
    let table = top.need_text("table");
    let key = columns(&top, "key").filter(|key| is_named(&top, "key", key));
    let key_is_personal = top.boolean("key_is_personal", false);
    let label = label(&top);
    let unit = optional(&top, "unit", Some);
    let identity = columns(&top, "identity").filter(|identity| is_named(&top, "identity", identity));
    let criteria = criteria(&top);
    let manual = manual::read(&top);
    let decisions = decisions(&top);
    let cooling_off = if top.get("cooling_off").is_none() { Some(None) } else { rule::cooling_off(&top).map(Some) };
    let brake = brake::read(&top);
    let (rows, remove_shells) = erase(&top).map_or((None, None), |(rows, remove)| (Some(rows), Some(remove)));
    let dependents = dependent::read_all(&top);
    let triggers = top.texts("triggers");
    let linked = linked::read_all(&top);
    if let (Some(manual), Some(2)) = (&manual, decisions)
        && manual.auto_confirm
    {
        let place = top.key_place("decisions").unwrap_or_else(|| top.place.clone());
        let (message, hint) = CONTRADICTION;
        top.fault("decisions", &place, message, hint);
        return None;
    }
    if let (Some(key), Some(rows)) = (&key, &rows) {
        is_key_kept(&top, key, rows).then_some(())?;
    }
    Some(Category {
        name: name.clone(),
        place: file.start(),
        source: source?,
        table: table?,
        key: key?,
        key_is_personal: key_is_personal?,
        label: label?,
        unit: unit?,
        identity: identity?,
        criteria: criteria?,
        manual: manual?,
        decisions: decisions?,
        cooling_off: cooling_off?,
        brake: brake?,
        remove_shells: remove_shells?,
        rows: rows?,
        dependents: dependents?,
        triggers: triggers?,
        linked: linked?,
    })
}

/// `Some(None)` where the key is absent, `None` after a fault.
fn optional<T>(top: &Section<'_>, key: &str, read: impl FnOnce(Located<String>) -> Option<T>) -> Option<Option<T>> {
    if top.get(key).is_none() {
        return Some(None);
    }
    top.text(key).and_then(read).map(Some)
}

/// A list that is there has something in it.
fn is_named(top: &Section<'_>, key: &str, list: &[Column]) -> bool {
    match top.key_place(key) {
        Some(place) if list.is_empty() => {
            top.fault(
                "empty",
                &place,
                format!("`{key}` is an empty list"),
                format!("name columns, or leave `{key}` out"),
            );
            false
        }
        _ => true,
    }
}

fn source(top: &Section<'_>, sources: Option<&BTreeSet<String>>) -> Option<Located<SourceName>> {
    let text = top.need_text("source")?;
    // Without a readable erasured.toml nobody can say which sources there are.
    let sources = sources?;
    if !sources.contains(&text.value) {
        let names = || sources.iter().map(String::as_str);
        let hint = match nearest(&text.value, names()) {
            Some(meant) => format!("did you mean source = {meant:?}?"),
            None if sources.is_empty() => format!("add [source.{}] to erasured.toml", text.value),
            None => format!("erasured.toml names {}", listed(names())),
        };
        top.fault("unknown-source", &text.place, format!("erasured.toml names no source {:?}", text.value), hint);
        return None;
    }
    // A name that is none has been noted where the source is.
    Some(Located::new(text.value.parse().ok()?, text.place))
}

/// What becomes of the columns of a record that stays, and whether its row goes when nothing keeps it any more.
fn erase(top: &Section<'_>) -> Option<(Classification, bool)> {
    if top.get("erase").is_none() {
        return Some((Classification { place: top.place.clone(), keep: Vec::new(), anonymise: Vec::new() }, false));
    }
    let section = top.section("erase", &shape::ERASE)?;
    let remove_shells = section.boolean("remove_shells", false);
    Some((classification(&section, section.place.clone())?, remove_shells?))
}

/// What a record is called: `Some(None)` where the file does not say, `None` after a fault.
pub fn label(top: &Section<'_>) -> Option<Option<Located<LabelTemplate>>> {
    optional(top, "label", |text| {
        let read = note_fault(top.faults, &text, template::label(&text.value))?;
        Some(Located::new(read, text.place))
    })
}

/// How many different people have to confirm.
pub fn decisions(top: &Section<'_>) -> Option<u8> {
    let Some(entry) = top.get("decisions") else { return Some(1) };
    match entry.value.as_integer().map(|integer| (integer.radix(), integer.as_str())) {
        Some((10, "1")) => Some(1),
        Some((10, "2")) => Some(2),
        Some((_, written)) => {
            let message = format!("`decisions` is {written}, and may be 1 or 2");
            top.fault("limit", &entry.place, message, "write decisions = 2 where two different people have to confirm");
            None
        }
        None => {
            top.note_kind(&entry, "a whole number");
            None
        }
    }
}

/// A record whose key is replaced could not be found again.
fn is_key_kept(top: &Section<'_>, key: &[Column], rows: &Classification) -> bool {
    let mut all_well = true;
    for (column, _) in &rows.anonymise {
        if key.iter().any(|part| is_same(&part.value, &column.value)) {
            let message = format!("the column {:?} is the record's key, and cannot be replaced", column.value);
            top.fault("key-anonymised", &column.place, message, "leave it out: keys stay");
            all_well = false;
        }
    }
    all_well
}

fn criteria(top: &Section<'_>) -> Option<Vec<Criterion>> {
    let sections = top.sections("criterion", &shape::CRITERION, CRITERIA_MAX)?;
    if sections.is_empty() && top.get("manual").is_none() {
        let hint = "add [[criterion]] with name, since and period, or with name and where";
        top.fault("missing-key", &top.place, "no criterion says when a record is due", hint);
        return None;
    }
    let read: Vec<Option<Criterion>> = sections.iter().map(criterion).collect();
    let mut all_well = true;
    let names: Vec<_> =
        sections.iter().map(|section| section.get("name").and_then(|entry| entry.value.as_str())).collect();
    for (index, section) in sections.iter().enumerate() {
        let Some(name) = names.get(index).copied().flatten() else { continue };
        let Some(first) = names.iter().take(index).position(|other| *other == Some(name)) else { continue };
        let Some(entry) = section.get("name") else { continue };
        let line = sections.get(first).map_or(0, |section| section.place.line);
        let message = format!("a second criterion is called {name:?}; the first begins in line {line}");
        section.fault("name-twice", &entry.place, message, "give each a name of its own: the trail names it");
        all_well = false;
    }
    read.into_iter().collect::<Option<Vec<_>>>().filter(|_| all_well)
}

fn criterion(section: &Section<'_>) -> Option<Criterion> {
    let name = section.need_text("name").and_then(|name| criterion_name(section, name));
    let since = rule::since(section);
    let condition = optional(section, "where", Some);
    let reason = optional(section, "reason", Some);
    let enabled = section.boolean("enabled", true);
    if ["since", "period", "starts", "format", "where"].iter().all(|key| section.get(key).is_none()) {
        let message = "the criterion does not say when a record is due";
        section.fault("rule", &section.place, message, "add `since` and `period`, or `where`, or both");
        return None;
    }
    let (since, condition) = (since?, condition?);
    let version = rule::version(since.as_ref(), condition.as_ref());
    Some(Criterion {
        name: name?,
        place: section.place.clone(),
        since,
        condition,
        reason: reason?.map(|reason| reason.value),
        version,
        enabled: enabled?,
    })
}

fn criterion_name(section: &Section<'_>, name: Located<String>) -> Option<String> {
    let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.value.chars().all(is_legal) && name.value.len() <= NAME_MAX_CHARACTERS {
        return Some(name.value);
    }
    let message = format!("{:?} is not the name of a criterion", name.value);
    let hint = "use lower-case letters, digits, - and _: name = \"inactive\"; sentences for people go into `reason`";
    section.fault("name", &name.place, message, hint);
    None
}
