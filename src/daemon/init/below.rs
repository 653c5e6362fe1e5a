//! What hangs on the people of a category, and what becomes of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Guess, Rows, is_doubtful, is_personal, looks_like_date, others, rows};
use super::guess::{Facts, find, is_nullable, looks_like_people};
use super::words;
use crate::source::{ForeignKey, OnDelete, Schema, Table, TableKind, holds};

/// Dependents further down than this are left to `erasured check`.
const DEPTH_MAX: usize = 4;

/// One `[[dependent]]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependent {
    /// Its own name, where the table's is taken.
    pub(super) name: Option<String>,
    /// The dependent that it hangs on; none: the category's table.
    pub(super) parent: Option<String>,
    pub(super) table: String,
    /// The columns that refer.
    pub(super) columns: Vec<String>,
    /// Whether it is the parent that refers.
    pub(super) is_owned: bool,
    pub(super) rule: Guess,
    /// Why, in a sentence.
    pub(super) why: String,
    /// Empty where the rows go.
    pub(super) rows: Rows,
}

/// Everything that hangs on a category's table.
pub(super) fn below(schema: &Schema, facts: &Facts, categories: &BTreeSet<String>, own: &Table) -> Vec<Dependent> {
    let stays = categories.union(&facts.unsettled).cloned().collect();
    let heights = heights(schema, &stays);
    let mut below = Below { schema, facts, categories, own, heights, found: Vec::new(), names: BTreeSet::new() };
    below.hang(own, None, 0, &mut vec![own.name.to_lowercase()]);
    below.found
}

/// Goes down from a category's table.
struct Below<'a> {
    schema: &'a Schema,
    facts: &'a Facts,
    categories: &'a BTreeSet<String>,
    own: &'a Table,
    heights: BTreeMap<String, usize>,
    found: Vec<Dependent>,
    names: BTreeSet<String>,
}

impl Below<'_> {
    /// Everything that refers to the rows of `parent`. Below rows that stay only what is personal, and no table a second time.
    fn hang(&mut self, parent: &Table, above: Option<(&str, bool)>, depth: usize, path: &mut Vec<String>) {
        if depth >= DEPTH_MAX {
            return;
        }
        let goes = above.is_none_or(|(_, goes)| goes);
        let schema = self.schema;
        let mut hanging = Vec::new();
        for child in schema.tables.iter().filter(|child| child.kind == TableKind::Ordinary) {
            for key in child.foreign_keys.iter().filter(|key| key.parent.eq_ignore_ascii_case(&parent.name)) {
                if goes || (self.is_of_the_same(child) && !self.is_known(child, parent, path)) {
                    let (name, goes) = self.add(child, key, above, path);
                    if !self.is_by_the_way(child, key) {
                        hanging.push((child, name, goes));
                    }
                }
            }
        }
        for (child, name, goes) in hanging {
            if path.contains(&child.name.to_lowercase()) || self.is_category(child) {
                continue;
            }
            path.push(child.name.to_lowercase());
            self.hang(child, Some((&name, goes)), depth + 1, path);
            if !goes {
                self.owned(child, &name, path);
            }
            path.pop();
        }
    }

    /// Whether rows below one that stays are about the same person: other people who refer to it are other people.
    fn is_of_the_same(&self, table: &Table) -> bool {
        // What was ordered may say anything: what is to be engraved.
        let may_be = || words::is_called_books(&table.name) && table.columns.iter().any(is_doubtful);
        (is_personal(table) || may_be()) && !self.is_category(table) && !looks_like_people(table)
    }

    /// Whether the table has been found already, but beside this parent: what refers to it by another column, or to it where
    /// it was reached in another way, is about others of its rows.
    fn is_known(&self, table: &Table, parent: &Table, path: &[String]) -> bool {
        let is_same = |found: &&Dependent| found.table.eq_ignore_ascii_case(&table.name);
        let beside = |found: &Dependent| !self.parent_of(found).eq_ignore_ascii_case(&parent.name);
        path.contains(&table.name.to_lowercase()) || self.found.iter().filter(is_same).any(beside)
    }

    /// The table that a dependent hangs on.
    fn parent_of(&self, dependent: &Dependent) -> &str {
        let is_it = |found: &&Dependent| Some(found.name.as_ref().unwrap_or(&found.table)) == dependent.parent.as_ref();
        self.found.iter().find(is_it).map_or(&self.own.name, |found| &found.table)
    }

    fn is_category(&self, table: &Table) -> bool {
        self.categories.contains(&table.name.to_lowercase())
    }

    /// Adds what refers by this key; gives the name it has, and whether its rows go.
    fn add(&mut self, child: &Table, key: &ForeignKey, above: Option<(&str, bool)>, path: &[String]) -> (String, bool) {
        let tie = self.facts.tie(child, &key.columns);
        let is_by_the_way = self.is_by_the_way(child, key);
        let (rule, why) = if is_by_the_way {
            let why = "it says who made or changed the row, which is about somebody or something else";
            (Guess::Sure("\"keep\"".to_owned()), why.to_owned())
        } else {
            self.rule(child, key, above.is_some_and(|(_, goes)| goes), path)
        };
        let (rule, why) = match (tie, rule) {
            (None, rule) => (rule, why),
            // What nobody has declared is not for us to delete or cut.
            (Some(tie), Guess::Sure(word)) if word != "\"keep\"" => (
                Guess::Open(word, "is it a reference? None is declared".to_owned()),
                format!("{why}; {}", tie.evidence()),
            ),
            (Some(tie), rule) => (rule, format!("{why}; {}", tie.evidence())),
        };
        let goes = matches!(&rule, Guess::Sure(word) | Guess::Open(word, _) if word == "\"delete\"");
        let rows = if goes {
            Rows::default()
        } else if self.is_category(child) || is_by_the_way {
            others(child, &key.columns)
        } else {
            rows(child, &key.columns, &self.facts.values)
        };
        let name = self.name(child, key);
        self.found.push(Dependent {
            name: (name != child.name).then(|| name.clone()),
            parent: above.map(|(name, _)| name.to_owned()),
            table: child.name.clone(),
            columns: key.columns.clone(),
            is_owned: false,
            rule,
            why,
            rows,
        });
        (name, goes)
    }

    /// Rows that a kept row refers to and that are about the person: an order's shipping address.
    fn owned(&mut self, parent: &Table, above: &str, path: &[String]) {
        for key in &parent.foreign_keys {
            let Some(table) = find(self.schema, &key.parent) else { continue };
            if self.is_known(table, parent, path) || self.is_category(table) || !looks_like_people(table) {
                continue;
            }
            let name = self.name(table, key);
            self.found.push(Dependent {
                name: (name != table.name).then(|| name.clone()),
                parent: Some(above.to_owned()),
                table: table.name.clone(),
                columns: key.columns.clone(),
                is_owned: true,
                rule: Guess::Sure("\"keep\"".to_owned()),
                why: format!("{} refers to it; where nothing else does, it is about the same person", parent.name),
                rows: rows(table, &[], &self.facts.values),
            });
        }
    }

    /// Whether the reference says who made a row that is about others, or about nobody.
    fn is_by_the_way(&self, child: &Table, key: &ForeignKey) -> bool {
        let [column] = key.columns.as_slice() else { return false };
        let is_others = || {
            child.foreign_keys.iter().any(|other| {
                let is_person = find(self.schema, &other.parent).is_some_and(looks_like_people);
                is_person && !other.columns.iter().any(|column| words::is_called_after_who_did_it(column))
            })
        };
        words::is_called_after_who_did_it(column) && (is_others() || looks_like_people(child) || !is_personal(child))
    }

    fn name(&mut self, table: &Table, key: &ForeignKey) -> String {
        let mut name = table.name.clone();
        if self.names.contains(&name.to_lowercase()) {
            name = format!("{}_{}", table.name, key.columns.join("_"));
        }
        let mut number = 2;
        while !self.names.insert(name.to_lowercase()) {
            name = format!("{}_{number}", table.name);
            number += 1;
        }
        name
    }

    fn rule(&self, child: &Table, key: &ForeignKey, must_go: bool, path: &[String]) -> (Guess, String) {
        let is_nullable = is_nullable(child, key);
        let sure = |word: &str| Guess::Sure(format!("\"{word}\""));
        let can_go = self.can_go(child, path);
        if self.is_category(child) || child.name.eq_ignore_ascii_case(&self.own.name) {
            let word = if is_nullable { "unlink" } else { "keep" };
            return (sure(word), "its rows are other people's records".to_owned());
        }
        let books = words::is_called_books(&child.name);
        if is_join(child) && can_go {
            return (sure("delete"), "it only ties two tables together".to_owned());
        }
        if must_go {
            return if is_nullable && (books || !can_go) {
                (sure("unlink"), "what it refers to goes".to_owned())
            } else {
                (
                    open("delete", "what it refers to goes, and it cannot stay without"),
                    "it cannot stay alone".to_owned(),
                )
            };
        }
        if books {
            return (sure("keep"), "its name says that the books need it".to_owned());
        }
        if can_go && key.on_delete == OnDelete::Cascade {
            return (
                open("delete", "is it of any use without the person?"),
                "the application's own schema deletes it with what it refers to".to_owned(),
            );
        }
        if is_nullable && key.on_delete == OnDelete::SetNull {
            return (
                open("unlink", "may it stay, with what is personal in it replaced?"),
                "the application's own schema lets go of it when what it refers to is deleted".to_owned(),
            );
        }
        if can_go && is_of_references(child) {
            return (
                open("delete", "is it of any use without the person?"),
                "it says only what belongs together".to_owned(),
            );
        }
        if can_go && words::is_called_appendage(&child.name) {
            return (
                open("delete", "is it of any use without the person?"),
                "its name says that it is the person's".to_owned(),
            );
        }
        (open("keep", "does it have to stay when the person goes?"), "nothing says what it is for".to_owned())
    }

    /// Whether its rows can be deleted: whatever refers to them can, too.
    fn can_go(&self, table: &Table, path: &[String]) -> bool {
        let name = table.name.to_lowercase();
        !path.contains(&name) && self.heights.get(&name).is_some_and(|height| path.len() + height <= DEPTH_MAX + 1)
    }
}

/// How many tables stand one upon the other from each downwards, of those whose rows can be deleted with everything that refers to them:
/// no record of a category, nothing that something unknown may refer to, nothing of the books, nothing that comes round to itself.
fn heights(schema: &Schema, stays: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut known = BTreeMap::new();
    schema.tables.iter().for_each(|table| {
        height(schema, stays, table, &mut known);
    });
    known.into_iter().filter_map(|(name, height)| Some((name, height?))).collect()
}

/// Each table is looked at once: while it is being looked at, it has none.
fn height(
    schema: &Schema,
    stays: &BTreeSet<String>,
    table: &Table,
    known: &mut BTreeMap<String, Option<usize>>,
) -> Option<usize> {
    let name = table.name.to_lowercase();
    if let Some(height) = known.get(&name) {
        return *height;
    }
    known.insert(name.clone(), None);
    let is_kept = stays.contains(&name) || words::is_called_books(&table.name);
    let mut below = schema.references_to(&table.name).map(|(child, _)| child);
    let highest = below.try_fold(0, |most, child| height(schema, stays, child, known).map(|own| most.max(own)));
    let found = highest.filter(|_| !is_kept).map(|most| most + 1);
    known.insert(name, found);
    found
}

fn open(word: &str, why: &str) -> Guess {
    Guess::Open(format!("\"{word}\""), why.to_owned())
}

/// A table of references, with who made its rows and when.
fn is_of_references(table: &Table) -> bool {
    // A date without anybody who wrote it down may be when something happened.
    let is_written_down = table.columns.iter().any(|column| words::is_called_after_who_did_it(&column.name));
    table.foreign_keys.len() > 1
        && table.columns.iter().all(|column| {
            let name = &column.name;
            let is_reference = table.foreign_keys.iter().any(|key| holds(&key.columns, name));
            let is_when = is_written_down && (looks_like_date(column) || words::is_called_after_who_did_it(name));
            is_reference || is_when || holds(&table.primary_key, name)
        })
}

/// A table of keys and references alone, and of when they were made where these are its key: a table with a number of its
/// own and a date may be what happened.
fn is_join(table: &Table) -> bool {
    let is_reference = |name: &str| table.foreign_keys.iter().any(|key| holds(&key.columns, name));
    let goes_by_references = table.primary_key.iter().all(|name| is_reference(name));
    table.foreign_keys.len() > 1
        && table.columns.iter().all(|column| {
            is_reference(&column.name)
                || holds(&table.primary_key, &column.name)
                || (goes_by_references && looks_like_date(column))
        })
}
