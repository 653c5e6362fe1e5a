//! What a schema seems to be about: which tables are people, what becomes of their columns, what hangs on them. Pure.
//!
//! Every guess is either plain enough to stand, or a suggestion that `erasured check` refuses until somebody has decided.

use std::collections::BTreeSet;

use super::words::{self, Meaning};
use crate::source::{Affinity, ForeignKey, Schema, Table, TableColumn, TableKind};

/// Dependents further down than this are left to `erasured check`.
const DEPTH_MAX: usize = 4;
/// Texts declared shorter than this do not hold "erased".
const ERASED_CHARACTERS: usize = 6;

/// A value of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guess {
    /// Plain enough to stand.
    Sure(String),
    /// To be decided: what is suggested, and why it is not plain.
    Open(String, String),
}

/// What becomes of the columns of a row that stays.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) keep: Vec<String>,
    pub(super) anonymise: Vec<(String, Guess)>,
}

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

/// A category that the schema suggests.
#[derive(Debug)]
pub(super) struct Draft<'s> {
    pub(super) table: &'s Table,
    pub(super) key_is_personal: bool,
    pub(super) label: Option<String>,
    pub(super) identity: Vec<String>,
    /// Columns that may hold the start of a period, the best first, and whether they are known to hold dates: of the others
    /// their values have to show it.
    pub(super) starts: Vec<(&'s str, bool)>,
    /// A date of what hangs on it, for where it has none itself: an expression.
    pub(super) start_below: Option<String>,
    pub(super) unit: Option<&'s str>,
    pub(super) rows: Rows,
    pub(super) dependents: Vec<Dependent>,
    /// Triggers on what would be changed.
    pub(super) triggers: Vec<String>,
}

/// The categories that a schema suggests, and tables that look like people and are none of them.
pub(super) fn drafts(schema: &Schema) -> (Vec<Draft<'_>>, Vec<&str>) {
    let (people, others): (Vec<&Table>, Vec<&Table>) =
        schema.tables.iter().filter(|table| looks_like_people(table)).partition(|table| is_category(schema, table));
    let names: BTreeSet<String> = people.iter().map(|table| table.name.to_lowercase()).collect();
    let drafts: Vec<Draft<'_>> = people.into_iter().map(|table| draft(schema, &names, table)).collect();
    let reached: BTreeSet<&str> =
        drafts.iter().flat_map(|draft| draft.dependents.iter().map(|dependent| dependent.table.as_str())).collect();
    let left = others.into_iter().map(|table| table.name.as_str()).filter(|name| !reached.contains(name)).collect();
    (drafts, left)
}

fn has(table: &Table, meaning: Meaning) -> bool {
    table.columns.iter().any(|column| words::meaning(&column.name) == meaning)
}

/// Enough of a person in its columns, and something to tell one from another.
fn looks_like_people(table: &Table) -> bool {
    let is_real = table.kind == TableKind::Ordinary && !table.primary_key.is_empty();
    let own = is_real && !table.name.starts_with("sqlite_") && !table.name.starts_with("erasured_");
    let weights = [
        (Meaning::LastName, 2),
        (Meaning::FirstName, 1),
        (Meaning::FullName, 1),
        (Meaning::Email, 1),
        (Meaning::Login, 1),
        (Meaning::Birth, 1),
        (Meaning::Phone, 1),
        (Meaning::Address, 1),
        (Meaning::Number, 1),
    ];
    let columns: u32 = weights.into_iter().filter(|(meaning, _)| has(table, *meaning)).map(|(_, weight)| weight).sum();
    let called = if words::is_called_people(&table.name) { 2 } else { 0 };
    let is_told_apart =
        [Meaning::LastName, Meaning::FullName, Meaning::Email, Meaning::Login].into_iter().any(|one| has(table, one));
    own && is_told_apart && columns + called >= 3
}

/// What hangs on people and has no name of its own, or is not called after people, is theirs.
fn is_category(schema: &Schema, table: &Table) -> bool {
    let refers = table.foreign_keys.iter().any(|key| {
        !key.parent.eq_ignore_ascii_case(&table.name) && find(schema, &key.parent).is_some_and(looks_like_people)
    });
    let has_name = has(table, Meaning::LastName) || has(table, Meaning::FullName);
    words::is_called_people(&table.name) && (!refers || has_name)
}

fn find<'s>(schema: &'s Schema, name: &str) -> Option<&'s Table> {
    schema.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name) && table.kind == TableKind::Ordinary)
}

fn draft<'s>(schema: &'s Schema, categories: &BTreeSet<String>, table: &'s Table) -> Draft<'s> {
    let named = |wanted: Meaning| {
        let of = table.columns.iter().find(|column| words::meaning(&column.name) == wanted);
        of.map(|column| column.name.as_str())
    };
    let (last, first) = (named(Meaning::LastName), named(Meaning::FirstName));
    let whole = named(Meaning::FullName).filter(|_| last.is_none());
    let label = match (last, first, whole) {
        (Some(last), Some(first), _) => Some(format!("{{{last}}}, {{{first}:.1}}.")),
        (Some(name), None, _) | (None, _, Some(name)) => Some(format!("{{{name}}}")),
        _ => None,
    };
    let starts = starts(table);
    let names = [last, first, whole].into_iter().flatten();
    let mut identity: Vec<String> = names.chain(named(Meaning::Birth)).map(str::to_owned).collect();
    if identity.is_empty() {
        identity.extend(named(Meaning::Email).or_else(|| named(Meaning::Login)).map(str::to_owned));
    }
    let mut below = Below { schema, categories, own: table, found: Vec::new(), names: BTreeSet::new() };
    below.hang(table, None, 0, &mut vec![table.name.to_lowercase()]);
    let dependents = below.found;
    let changed: BTreeSet<String> = std::iter::once(table.name.to_lowercase())
        .chain(dependents.iter().map(|dependent| dependent.table.to_lowercase()))
        .collect();
    let triggers = schema.triggers.iter().filter(|trigger| changed.contains(&trigger.table.to_lowercase()));
    Draft {
        table,
        key_is_personal: table.primary_key.iter().any(|column| words::meaning(column).is_personal()),
        label,
        identity,
        start_below: start_below(schema, table),
        starts,
        unit: named(Meaning::Unit),
        rows: rows(table, &[]),
        dependents,
        triggers: triggers.map(|trigger| trigger.name.clone()).collect(),
    }
}

fn starts(table: &Table) -> Vec<(&str, bool)> {
    let ranked = table.columns.iter().filter(|column| !column.generated).filter_map(|column| {
        let is_date = looks_like_date(column);
        let may_be = is_date || words::meaning(&column.name) == Meaning::Unknown;
        Some((words::rank_of_start(&column.name).filter(|_| may_be)?, (column.name.as_str(), is_date)))
    });
    let mut ranked: Vec<(usize, (&str, bool))> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, start)| start).collect()
}

/// The newest date of what the books keep: the last invoice's.
fn start_below(schema: &Schema, table: &Table) -> Option<String> {
    let [key] = table.primary_key.as_slice() else { return None };
    let books = schema.tables.iter().filter(|child| words::is_called_books(&child.name));
    books.into_iter().find_map(|child| {
        let refers = child.foreign_keys.iter().find(|refers| refers.parent.eq_ignore_ascii_case(&table.name))?;
        let ([column], Some(date)) = (refers.columns.as_slice(), child.columns.iter().find(|one| looks_like_date(one)))
        else {
            return None;
        };
        let (own, child) = (expression(&table.name), expression(&child.name));
        let (date, column, key) = (expression(&date.name), expression(column), expression(key));
        Some(format!("(SELECT max({date}) FROM {child} WHERE {child}.{column} = {own}.{key})"))
    })
}

/// A name within SQL.
pub(super) fn expression(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_plain = is_plain && !name.starts_with(|c: char| c.is_ascii_digit()) && !words::is_reserved(name);
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

pub(super) fn looks_like_date(column: &TableColumn) -> bool {
    let declared = column.declared_type.to_lowercase();
    let tokens = words::tokens(&column.name);
    let is_called = ["date", "datum", "at", "on", "am", "seit", "since", "time", "zeit", "op", "le"];
    declared.contains("date")
        || declared.contains("time")
        || tokens.iter().any(|token| is_called.contains(&token.as_str()))
        || ["datum", "date"].iter().any(|stem| tokens.concat().ends_with(stem))
}

/// What becomes of the columns of a row that stays, but for its key and what refers.
fn rows(table: &Table, refers: &[String]) -> Rows {
    let is_in = |names: &[String], column: &str| names.iter().any(|name| name.eq_ignore_ascii_case(column));
    let mut rows = Rows::default();
    for column in table.columns.iter().filter(|column| !column.generated && !column.hidden) {
        let name = column.name.as_str();
        if is_in(&table.primary_key, name) || is_in(refers, name) {
            continue;
        }
        if table.foreign_keys.iter().any(|key| is_in(&key.columns, name)) {
            rows.keep.push(name.to_owned());
            continue;
        }
        let meaning = match words::meaning(name) {
            // A state beside a street is part of an address.
            Meaning::Unknown if words::is_called_region(name) && has(table, Meaning::Address) => Meaning::Address,
            meaning => meaning,
        };
        // A date or a yes or no tells nothing by itself; a birthday does.
        let says_little = matches!(column.affinity, Affinity::Integer | Affinity::Real | Affinity::Numeric)
            || looks_like_date(column)
            || column.declared_type.to_lowercase().contains("bool");
        match meaning {
            Meaning::Neutral | Meaning::Unit => rows.keep.push(name.to_owned()),
            Meaning::Unknown if says_little => rows.keep.push(name.to_owned()),
            Meaning::Unknown => {
                let why = format!("nobody but you knows what is in it ({})", described(column));
                rows.anonymise.push((name.to_owned(), Guess::Open(replacement(table, column, meaning), why)));
            }
            // A date called after what it belongs to: `email_confirmed_at`.
            _ if looks_like_date(column) && meaning != Meaning::Birth => rows.keep.push(name.to_owned()),
            _ => rows.anonymise.push((name.to_owned(), Guess::Sure(replacement(table, column, meaning)))),
        }
    }
    rows
}

fn described(column: &TableColumn) -> &str {
    if column.declared_type.is_empty() { "no type" } else { &column.declared_type }
}

/// What fits the column instead of a personal value.
fn replacement(table: &Table, column: &TableColumn, meaning: Meaning) -> String {
    if !column.not_null {
        return "\"null\"".to_owned();
    }
    let is_unique =
        table.unique_keys.iter().any(|key| matches!(key.as_slice(), [one] if one.eq_ignore_ascii_case(&column.name)));
    let is_number = matches!(column.affinity, Affinity::Integer | Affinity::Real);
    match (meaning, is_unique) {
        (Meaning::Birth, _) => "{ truncate = \"year\" }".to_owned(),
        (Meaning::Email, _) => "{ template = \"erased-{key}@invalid\" }".to_owned(),
        (_, true) => "{ template = \"erased-{key}\" }".to_owned(),
        _ if is_number => "{ value = 0 }".to_owned(),
        _ if length(&column.declared_type).is_some_and(|length| length < ERASED_CHARACTERS) => {
            "{ value = \"\" }".to_owned()
        }
        _ => "{ value = \"erased\" }".to_owned(),
    }
}

/// The length in `varchar(40)`.
fn length(declared: &str) -> Option<usize> {
    declared.split_once('(')?.1.split_once(')')?.0.trim().parse().ok()
}

/// Goes down from a category's table.
struct Below<'a> {
    schema: &'a Schema,
    categories: &'a BTreeSet<String>,
    own: &'a Table,
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
                if goes || (is_personal(child) && !self.is_category(child) && !self.is_known(child, path)) {
                    hanging.push((child, self.add(child, key, above, path)));
                }
            }
        }
        for (child, (name, goes)) in hanging {
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

    fn is_known(&self, table: &Table, path: &[String]) -> bool {
        path.contains(&table.name.to_lowercase())
            || self.found.iter().any(|found| found.table.eq_ignore_ascii_case(&table.name))
    }

    fn is_category(&self, table: &Table) -> bool {
        self.categories.contains(&table.name.to_lowercase())
    }

    /// Adds what refers by this key; gives the name it has, and whether its rows go.
    fn add(&mut self, child: &Table, key: &ForeignKey, above: Option<(&str, bool)>, path: &[String]) -> (String, bool) {
        let (rule, why) = self.rule(child, key, above.is_some_and(|(_, goes)| goes), path);
        let goes = matches!(&rule, Guess::Sure(word) | Guess::Open(word, _) if word == "\"delete\"");
        let rows = if goes {
            Rows::default()
        } else if self.is_category(child) {
            others(child, &key.columns)
        } else {
            rows(child, &key.columns)
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
            if self.is_known(table, path) || self.is_category(table) || !looks_like_people(table) {
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
                rows: rows(table, &[]),
            });
        }
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
        let is_nullable = key.columns.iter().all(|name| {
            child.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name) && !column.not_null)
                && !child.primary_key.iter().any(|part| part.eq_ignore_ascii_case(name))
        });
        let sure = |word: &str| Guess::Sure(format!("\"{word}\""));
        let can_go = self.can_go(child, path);
        if self.is_category(child) || child.name.eq_ignore_ascii_case(&self.own.name) {
            let word = if is_nullable { "unlink" } else { "keep" };
            return (sure(word), "its rows are other people's records".to_owned());
        }
        if is_join(child) && can_go {
            return (sure("delete"), "it only ties two tables together".to_owned());
        }
        let books = words::is_called_books(&child.name);
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
        if can_go && words::is_called_appendage(&child.name) {
            return (
                open("delete", "is it of any use without the person?"),
                "its name says that it is the person's".to_owned(),
            );
        }
        (open("keep", "does it have to stay when the person goes?"), "nothing says what it is for".to_owned())
    }

    /// Whether its rows can be deleted: whatever refers to them can, too, or lets go of them.
    fn can_go(&self, table: &Table, path: &[String]) -> bool {
        let mut path = path.to_vec();
        self.can_go_below(table, &mut path)
    }

    fn can_go_below(&self, table: &Table, path: &mut Vec<String>) -> bool {
        let name = table.name.to_lowercase();
        if path.len() > DEPTH_MAX
            || path.contains(&name)
            || self.is_category(table)
            || words::is_called_books(&table.name)
        {
            return false;
        }
        path.push(name);
        let refers = |child: &&Table| child.foreign_keys.iter().any(|key| key.parent.eq_ignore_ascii_case(&table.name));
        let children: Vec<&Table> = self.schema.tables.iter().filter(refers).collect();
        let all = children.into_iter().all(|child| self.can_go_below(child, path));
        path.pop();
        all
    }
}

fn open(word: &str, why: &str) -> Guess {
    Guess::Open(format!("\"{word}\""), why.to_owned())
}

/// A table of keys and references alone.
fn is_join(table: &Table) -> bool {
    table.foreign_keys.len() > 1
        && table.columns.iter().all(|column| {
            let is_in = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
            is_in(&table.primary_key) || table.foreign_keys.iter().any(|key| is_in(&key.columns))
        })
}

fn is_personal(table: &Table) -> bool {
    table.columns.iter().any(|column| words::meaning(&column.name).is_personal() && !looks_like_date(column))
}

/// Another category's columns stay: that category decides about them.
fn others(table: &Table, refers: &[String]) -> Rows {
    let is_in = |names: &[String], column: &str| names.iter().any(|name| name.eq_ignore_ascii_case(column));
    let kept =
        table.columns.iter().filter(|column| !column.generated && !column.hidden).map(|column| column.name.clone());
    let kept = kept.filter(|column| !is_in(&table.primary_key, column) && !is_in(refers, column));
    Rows { keep: kept.collect(), anonymise: Vec::new() }
}
