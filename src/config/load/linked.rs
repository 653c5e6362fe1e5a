//! `[[linked]]`: the same person in another category.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Faults;
use super::rows::columns;
use super::section::Section;
use super::shape;
use super::similar::{listed, nearest};
use crate::config::{Category, Column, Finding, Linked, LinkedBy, Located};
use crate::record::CategoryName;

/// Sections `[[linked]]` of one category.
const LINKS_MAX: usize = 50;

/// The links of a category; `None` after a fault in any.
pub fn read_all(category: &Section<'_>) -> Option<Vec<Linked>> {
    let sections = category.sections("linked", &shape::LINKED, LINKS_MAX)?;
    let read: Vec<Option<Linked>> = sections.iter().map(read).collect();
    read.into_iter().collect()
}

fn read(section: &Section<'_>) -> Option<Linked> {
    let category = section.need_text("category").and_then(|written| {
        let name = written.value.parse::<CategoryName>();
        let fault = |error: &dyn std::fmt::Display| {
            let message = format!("{:?} is not the name of a category: {error}", written.value);
            section.fault("name", &written.place, message, "write the other category's file name without .toml");
        };
        name.map_err(|error| fault(&error)).ok().map(|name| Located::new(name, written.place.clone()))
    });
    let own = side(section, "column", "columns");
    let theirs = side(section, "their_column", "their_columns");
    let through = if section.get("through").is_some() { Some(section.text("through")?) } else { None };
    let by = match (own?, theirs?, through) {
        (Some(columns), Some(theirs), Some(table)) => LinkedBy::Through { table, columns, theirs },
        (Some(columns), None, None) => LinkedBy::Column(columns),
        (None, Some(theirs), None) => LinkedBy::Theirs(theirs),
        (own, theirs, through) => {
            note_way(section, own.is_some(), theirs.is_some(), through.is_some());
            return None;
        }
    };
    Some(Linked { place: section.place.clone(), category: category?, by })
}

/// The columns of one side, written as one or as a list; `Some(None)` where they are not written, `None` after a fault.
fn side(section: &Section<'_>, one: &str, many: &str) -> Option<Option<Vec<Column>>> {
    match (section.get(one), section.get(many)) {
        (None, None) => Some(None),
        (Some(entry), None) => {
            if entry.value.is_array() {
                let hint = format!("a key of several columns is written {many} = [\"a\", \"b\"]");
                section.fault("wrong-type", &entry.place, format!("`{one}` must be text, not a list"), hint);
                return None;
            }
            section.text(one).map(|column| Some(vec![column]))
        }
        (None, Some(entry)) => {
            let list = columns(section, many)?;
            if list.is_empty() {
                let message = format!("`{many}` is an empty list");
                section.fault("empty", &entry.key_place, message, "name the columns that hold the key");
                return None;
            }
            Some(Some(list))
        }
        (Some(_), Some(entry)) => {
            let message = format!("`{one}` and `{many}` cannot stand together");
            section.fault("link", &entry.key_place, message, "keep one of the two");
            None
        }
    }
}

/// Which of the three ways was meant, as far as can be told.
fn note_way(section: &Section<'_>, own: bool, theirs: bool, through: bool) {
    let hint = "write column = \"person_id\" where this category's table holds the other's key, their_column = \"prospect_id\" where the other's table holds this one's, or through = \"person_roles\" with both where a table between them does";
    let (code, message) = match (own, theirs, through) {
        (true, true, false) => ("link", "`column` and `their_column` stand together only with `through`"),
        (_, _, true) => ("link", "`through` needs both `column` and `their_column`"),
        _ => ("missing-key", "the link does not say which column holds whose key"),
    };
    section.fault(code, &section.place, message, hint);
}

/// Links to categories that do not exist.
pub fn note_unknown(categories: &BTreeMap<CategoryName, Category>, names: &BTreeSet<CategoryName>, faults: &Faults) {
    for link in categories.values().flat_map(|category| &category.linked) {
        let wanted = &link.category;
        if names.contains(&wanted.value) {
            continue;
        }
        let known = || names.iter().map(CategoryName::as_str);
        let hint = match nearest(wanted.value.as_str(), known()) {
            Some(meant) => format!("did you mean category = {meant:?}?"),
            None => format!("there are {}", listed(known())),
        };
        let message = format!("there is no category {:?}", wanted.value.as_str());
        faults.add(Finding::error("unknown-category", &wanted.place, message).hint(hint));
    }
}
