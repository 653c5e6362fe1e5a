//! `[[dependent]]`: rows of other tables.

use super::rows::{classification, columns, is_same};
use super::rule;
use super::section::Section;
use super::shape;
use super::similar::nearest;
use crate::config::{Column, Dependent, Link, Located, Rule};

/// Sections `[[dependent]]` of one category.
const DEPENDENTS_MAX: usize = 500;
/// How many dependents may hang on one another.
const DEPTH_MAX: usize = 32;

/// The words of `rule`.
const RULES: [(&str, Rule); 3] = [("keep", Rule::Keep), ("delete", Rule::Delete), ("unlink", Rule::Unlink)];

/// The dependents of a category; `None` after a fault in any.
pub fn read_all(category: &Section<'_>) -> Option<Vec<Dependent>> {
    let sections = category.sections("dependent", &shape::DEPENDENT, DEPENDENTS_MAX)?;
    let read: Vec<Option<Dependent>> = sections.iter().map(read).collect();
    let named: Vec<Named<'_>> = sections.iter().map(Named::of).collect();
    let names = are_unique(&named);
    let parents = are_parents_known(&named) && is_without_circles(&named);
    let rules = parents && do_rules_fit(&named);
    let read: Option<Vec<Dependent>> = read.into_iter().collect();
    read.filter(|_| names && parents && rules)
}

/// What ties dependents to one another, as far as it can be read, so that a fault in one is not told as a fault in another.
struct Named<'a> {
    section: &'a Section<'a>,
    name: Option<&'a str>,
    parent: Option<&'a str>,
    rule: Option<&'a str>,
}

impl<'a> Named<'a> {
    fn of(section: &'a Section<'a>) -> Self {
        let text = |key| section.get(key).and_then(|entry| entry.value.as_str());
        let name = if section.get("name").is_some() { text("name") } else { text("table") };
        Self { section, name, parent: text("parent"), rule: text("rule") }
    }

    fn name_key(&self) -> &'static str {
        if self.section.get("name").is_some() { "name" } else { "table" }
    }
}

fn find<'n, 'a>(all: &'n [Named<'a>], name: &str) -> Option<&'n Named<'a>> {
    all.iter().find(|named| named.name == Some(name))
}

fn are_unique(all: &[Named<'_>]) -> bool {
    let mut all_well = true;
    for (index, named) in all.iter().enumerate() {
        let Some(name) = named.name else { continue };
        let Some(first) = all.iter().take(index).find(|other| other.name == Some(name)) else { continue };
        all_well = false;
        let place = named.section.key_place(named.name_key()).unwrap_or_else(|| named.section.place.clone());
        let message =
            format!("a second dependent is called {name:?}; the first begins in line {}", first.section.place.line);
        let hint = format!("give it a name of its own: name = \"{name}_2\"");
        named.section.fault("name-twice", &place, message, hint);
    }
    all_well
}

fn are_parents_known(all: &[Named<'_>]) -> bool {
    let mut all_well = true;
    for named in all {
        let Some(parent) = named.parent else { continue };
        if find(all, parent).is_some() {
            continue;
        }
        all_well = false;
        let hint = match nearest(parent, all.iter().filter_map(|other| other.name)) {
            Some(meant) => format!("did you mean parent = {meant:?}?"),
            None => "name the `table`, or the `name`, of another [[dependent]]; leave `parent` out for the category's own table".to_owned(),
        };
        if let Some(entry) = named.section.get("parent") {
            let message = format!("no dependent of this category is called {parent:?}");
            named.section.fault("unknown-parent", &entry.place, message, hint);
        }
    }
    all_well
}

/// Goes up from every dependent: whoever comes by itself again, or does not arrive, is in a circle or too deep.
fn is_without_circles(all: &[Named<'_>]) -> bool {
    let mut all_well = true;
    let mut told: Vec<&str> = Vec::new();
    for named in all {
        let mut path = vec![named.name.unwrap_or_default()];
        let mut above = named.parent;
        while let Some(name) = above
            && !path.contains(&name)
            && path.len() <= DEPTH_MAX
        {
            path.push(name);
            above = find(all, name).and_then(|parent| parent.parent);
        }
        let Some(name) = above else { continue };
        all_well = false;
        let Some(entry) = named.section.get("parent") else { continue };
        if path.len() > DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} dependents hang on one another");
            named.section.fault("limit", &entry.place, message, "hang it further up");
        } else if named.name == Some(name) && !told.contains(&name) {
            // Each of the circle would tell the same.
            told.extend(&path);
            let message = format!("the dependent hangs on itself: {} → {name}", path.join(" → "));
            named.section.fault(
                "circle",
                &entry.place,
                message,
                "leave `parent` out where it hangs on the category's own table",
            );
        }
    }
    all_well
}

/// Rows that go leave nothing behind that refers to them.
fn do_rules_fit(all: &[Named<'_>]) -> bool {
    let mut all_well = true;
    for named in all {
        let is_below_delete =
            named.parent.and_then(|parent| find(all, parent)).is_some_and(|parent| parent.rule == Some("delete"));
        let is_child = named.section.get("column").is_some() || named.section.get("columns").is_some();
        if !(is_below_delete && is_child && named.rule == Some("keep")) {
            continue;
        }
        all_well = false;
        if let (Some(entry), Some(parent)) = (named.section.get("rule"), named.parent) {
            let message = format!("its rows cannot stay when those of {parent:?}, to which they refer, are deleted");
            let hint = format!("write rule = \"delete\" or \"unlink\" here, or rule = \"keep\" for {parent:?}");
            named.section.fault("rule", &entry.place, message, hint);
        }
    }
    all_well
}

fn read(section: &Section<'_>) -> Option<Dependent> {
    let name = section.text("name");
    let parent = section.text("parent");
    let table = section.need_text("table");
    let link = link(section);
    let references = references(section, link.as_ref());
    let rule = section.need_text("rule").and_then(|_| section.choice("rule", &RULES));
    let rows = classification(section, section.place.clone());
    let retention = rule::since(section);
    let fits = rule.as_ref().is_none_or(|rule| fits(section, rule.value, link.as_ref()));
    let table = table?;
    let name = if section.get("name").is_some() { name?.value } else { table.value.clone() };
    let parent = if section.get("parent").is_some() { Some(parent?) } else { None };
    let (link, references, rule, rows, retention) = (link?, references?, rule?.value, rows?, retention?);
    fits.then(|| Dependent {
        name,
        place: section.place.clone(),
        parent,
        table,
        link,
        references,
        rule,
        rows,
        retention,
    })
}

/// Exactly one of the four ways to say which side refers to which.
fn link(section: &Section<'_>) -> Option<Link> {
    let ways = ["column", "columns", "parent_column", "parent_columns"];
    let named: Vec<&str> = ways.into_iter().filter(|key| section.get(key).is_some()).collect();
    let way = match named.as_slice() {
        [way] => *way,
        [] => {
            let message = "the dependent does not say which column ties it to its parent";
            let hint = "add column = \"prospect_id\", its reference to the parent, or parent_column = \"address_id\", the parent's reference to it";
            section.fault("missing-key", &section.place, message, hint);
            return None;
        }
        [.., last] => {
            let message = format!("`{}` cannot stand together", named.join("` and `"));
            let hint =
                "`column` is its reference to the parent, `parent_column` the parent's reference to it: keep one";
            section.fault("link", &section.key_place(last)?, message, hint);
            return None;
        }
    };
    let referring = if way.ends_with('s') {
        let list = columns(section, way)?;
        if list.is_empty() {
            section.fault(
                "empty",
                &section.key_place(way)?,
                format!("`{way}` is an empty list"),
                "name the columns of the reference",
            );
            return None;
        }
        list
    } else {
        vec![one_column(section, way)?]
    };
    Some(if way.starts_with("parent") { Link::Owned(referring) } else { Link::Child(referring) })
}

/// One column; a list in its place is told which key it belongs to.
fn one_column(section: &Section<'_>, key: &str) -> Option<Column> {
    if let Some(entry) = section.get(key).filter(|entry| entry.value.is_array()) {
        let hint = format!("a reference of several columns is written {key}s = [\"a\", \"b\"]");
        section.fault("wrong-type", &entry.place, format!("`{key}` must be text, not a list"), hint);
        return None;
    }
    section.text(key)
}

fn references(section: &Section<'_>, link: Option<&Link>) -> Option<Vec<Column>> {
    let references = columns(section, "references")?;
    let referring = link.map(|(Link::Child(columns) | Link::Owned(columns))| columns.len());
    if let (Some(place), Some(referring)) = (section.key_place("references"), referring)
        && references.len() != referring
    {
        let message = format!("`references` has {} columns where the reference has {referring}", references.len());
        section.fault("link", &place, message, "name as many columns on both sides, or leave `references` out");
        return None;
    }
    Some(references)
}

/// Whether what is said of its columns goes with what becomes of its rows.
fn fits(section: &Section<'_>, rule: Rule, link: Option<&Link>) -> bool {
    let mut all_well = true;
    if rule == Rule::Delete {
        for key in ["keep", "anonymise"] {
            if let Some(place) = section.key_place(key) {
                let message = format!("`{key}` says what stays of rows, and rule = \"delete\" leaves none");
                section.fault("rule", &place, message, format!("leave `{key}` out, or write rule = \"keep\""));
                all_well = false;
            }
        }
        return all_well;
    }
    let Some(Link::Child(referring)) = link else { return all_well };
    let anonymised = section.get("anonymise").and_then(|entry| entry.value.as_table());
    for (column, _) in anonymised.into_iter().flatten() {
        let Some(reference) = referring.iter().find(|reference| is_same(&reference.value, column.get_ref())) else {
            continue;
        };
        let Located { value, .. } = reference;
        let message = format!("the column {value:?} is the reference to the parent, and cannot be replaced");
        let place = section.file.place(column.span().start);
        section.fault("link", &place, message, "write rule = \"unlink\" to set it to NULL, or leave it out");
        all_well = false;
    }
    all_well
}
