//! What a schema seems to be about: which tables are people, and what is known of them. Pure.
//!
//! Every guess is either plain enough to stand, or a suggestion that `erasured check` refuses until somebody has decided.

use std::collections::BTreeSet;

use super::below::{Dependent, below};
use super::columns::{Rows, Values, has, is_number, looks_like_date, meaning, rows};
use super::ties::{By, Tie};
use super::words::{self, Meaning};
use crate::source::{ForeignKey, OnDelete, Schema, Table, TableKind, holds};

/// Where more columns than this say by whom a row was made and declare no reference, no file can be written by guessing.
const WHO_DID_IT_MAX: usize = 20;

/// What is known beyond the declared schema.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// References that are not declared; their columns have become references of the schema.
    pub(super) ties: Vec<Tie>,
    /// Tables, in small letters, that something may refer to without being known to.
    pub(super) unsettled: BTreeSet<String>,
    pub(super) values: Values,
}

impl Facts {
    /// The tie that made a reference of these columns.
    pub(super) fn tie(&self, table: &Table, columns: &[String]) -> Option<&Tie> {
        let [column] = columns else { return None };
        self.ties.iter().find(|tie| tie.table.eq_ignore_ascii_case(&table.name) && tie.column == *column)
    }
}

/// Takes what is not declared into the schema, but for what would tie every table to one. Gives the names of those.
pub(super) fn tied(mut schema: Schema, ties: Vec<Tie>) -> (Schema, Vec<Tie>, Vec<(String, usize)>) {
    let mut many: Vec<(String, usize)> = Vec::new();
    for tie in ties.iter().filter(|tie| tie.by == By::WhoDidIt) {
        match many.iter_mut().find(|(parent, _)| *parent == tie.parent) {
            Some((_, count)) => *count += 1,
            None => many.push((tie.parent.clone(), 1)),
        }
    }
    many.retain(|(_, count)| *count > WHO_DID_IT_MAX);
    let is_one_of_many = |tie: &Tie| tie.by == By::WhoDidIt && many.iter().any(|(parent, _)| *parent == tie.parent);
    let ties: Vec<Tie> = ties.into_iter().filter(|tie| !is_one_of_many(tie)).collect();
    for tie in &ties {
        if let Some(table) = schema.tables.iter_mut().find(|table| table.name == tie.table) {
            table.foreign_keys.push(tie.reference());
        }
    }
    (schema, ties, many)
}

/// A column that may hold the start of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate<'s> {
    pub(super) column: &'s str,
    /// Whether it is known to hold dates: of the others their values have to show it.
    pub(super) is_date: bool,
    pub(super) is_number: bool,
    pub(super) is_empty_at_times: bool,
    /// The lower the better.
    pub(super) rank: usize,
}

/// A date of what the books keep of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StartBelow<'s> {
    pub(super) table: &'s str,
    pub(super) column: &'s str,
    /// The column that refers to the record.
    pub(super) refers: &'s str,
    /// The newest of them.
    pub(super) expression: String,
}

/// A category that the schema suggests.
#[derive(Debug)]
pub(super) struct Draft<'s> {
    pub(super) table: &'s Table,
    pub(super) key_is_personal: bool,
    pub(super) label: Option<String>,
    pub(super) identity: Vec<String>,
    /// The best first.
    pub(super) starts: Vec<Candidate<'s>>,
    /// Dates of what hangs on it.
    pub(super) starts_below: Vec<StartBelow<'s>>,
    pub(super) unit: Option<&'s str>,
    pub(super) rows: Rows,
    pub(super) dependents: Vec<Dependent>,
    /// Triggers on what would be changed.
    pub(super) triggers: Vec<String>,
}

/// The categories that a schema suggests, and tables with something personal that none of them reaches, with what it is. Of
/// `without` none is made.
pub(super) fn drafts<'s>(
    schema: &'s Schema,
    facts: &Facts,
    without: &[(String, usize)],
) -> (Vec<Draft<'s>>, Vec<(&'s str, Vec<&'s str>)>) {
    let is_left_out = |table: &Table| without.iter().any(|(name, _)| *name == table.name);
    let people: Vec<&Table> =
        schema.tables.iter().filter(|table| is_category(schema, table) && !is_left_out(table)).collect();
    let names: BTreeSet<String> = people.iter().map(|table| table.name.to_lowercase()).collect();
    let drafts: Vec<Draft<'_>> = people.iter().map(|table| draft(schema, facts, &names, table)).collect();
    let mut reached: BTreeSet<&str> = people.iter().map(|table| table.name.as_str()).collect();
    reached.extend(drafts.iter().flat_map(|draft| draft.dependents.iter().map(|dependent| dependent.table.as_str())));
    let left = schema.tables.iter().filter(|table| is_real(table) && !reached.contains(table.name.as_str()));
    let left = left.filter(|table| !is_left_out(table)).map(|table| (table.name.as_str(), telling(table)));
    let left = left.filter(|(_, columns)| !columns.is_empty()).collect();
    (drafts, left)
}

/// The columns of a table that tell of somebody, whoever else it is about: names alone may be of things.
fn telling(table: &Table) -> Vec<&str> {
    let tells = [
        Meaning::LastName,
        Meaning::FirstName,
        Meaning::Email,
        Meaning::Phone,
        Meaning::Birth,
        Meaning::Number,
        Meaning::Login,
        Meaning::Network,
    ];
    let columns = table.columns.iter().filter(|column| !column.generated && !column.hidden && !looks_like_date(column));
    let telling =
        columns.filter(|column| tells.contains(&meaning(column)) && !words::is_called_generally(&column.name));
    telling.map(|column| column.name.as_str()).collect()
}

/// A table of the application's.
fn is_real(table: &Table) -> bool {
    table.kind == TableKind::Ordinary && !table.name.starts_with("sqlite_") && !table.name.starts_with("erasured_")
}

/// How much of a person is in a table's columns.
fn weight(table: &Table) -> u32 {
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
    weights.into_iter().filter(|(meaning, _)| has(table, *meaning)).map(|(_, weight)| weight).sum()
}

/// Columns that make people without the name of the table saying so, and with it.
const WEIGHT: u32 = 3;
const WEIGHT_CALLED: u32 = 1;

/// Enough of a person in its columns, and something to tell one from another.
pub(super) fn looks_like_people(table: &Table) -> bool {
    let least = if words::is_called_people(&table.name) { WEIGHT_CALLED } else { WEIGHT };
    let is_told_apart =
        [Meaning::LastName, Meaning::FullName, Meaning::Email, Meaning::Login].into_iter().any(|one| has(table, one));
    is_real(table) && !table.primary_key.is_empty() && is_told_apart && weight(table) >= least
}

/// People who sign in.
pub(super) fn is_account(table: &Table) -> bool {
    has(table, Meaning::Login) || has(table, Meaning::Secret)
}

/// Whether its rows are records of their own. What hangs on people and has no name of its own, or is not called after
/// people, or goes with them by the schema's own word, is theirs.
fn is_category(schema: &Schema, table: &Table) -> bool {
    let of_people = |key: &&ForeignKey| {
        !key.parent.eq_ignore_ascii_case(&table.name) && find(schema, &key.parent).is_some_and(looks_like_people)
    };
    let refers: Vec<&ForeignKey> = table.foreign_keys.iter().filter(of_people).collect();
    let goes = refers.iter().any(|key| key.on_delete == OnDelete::Cascade && !is_nullable(table, key));
    let has_name = has(table, Meaning::LastName) || has(table, Meaning::FullName);
    let is_called = words::is_called_people(&table.name);
    let may_be = is_called || words::mentions_people(&table.name) && weight(table) >= WEIGHT;
    looks_like_people(table) && may_be && !goes && (refers.is_empty() || is_called && has_name)
}

/// Whether the reference can be cut.
pub(super) fn is_nullable(table: &Table, key: &ForeignKey) -> bool {
    let can_be = |name: &String| table.column(name).is_some_and(|column| !column.not_null);
    key.columns.iter().all(|name| can_be(name) && !holds(&table.primary_key, name))
}

pub(super) fn find<'s>(schema: &'s Schema, name: &str) -> Option<&'s Table> {
    schema.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name) && table.kind == TableKind::Ordinary)
}

/// What clerks see of a record, and what makes it the same person.
fn names(table: &Table) -> (Option<String>, Vec<String>) {
    let named = |wanted: Meaning| {
        table.columns.iter().find(|column| meaning(column) == wanted).map(|column| column.name.as_str())
    };
    let (last, first) = (named(Meaning::LastName), named(Meaning::FirstName));
    let whole = named(Meaning::FullName).filter(|_| last.is_none());
    let address = named(Meaning::Email).filter(|email| is_alone(table, email)).or_else(|| named(Meaning::Login));
    let address = address.or_else(|| named(Meaning::Email));
    let label = match (last, first, whole) {
        (Some(last), Some(first), _) => Some(format!("{{{last}}}, {{{first}:.1}}.")),
        (Some(name), None, _) | (None, _, Some(name)) => Some(format!("{{{name}}}")),
        _ => address.map(|name| format!("{{{name}}}")),
    };
    let named_all = [last, first, whole].into_iter().flatten();
    let mut identity: Vec<String> = named_all.chain(named(Meaning::Birth)).map(str::to_owned).collect();
    if identity.is_empty()
        && let Some(address) = address
    {
        // Where the same name may be there twice, what it differs by belongs to it.
        let key = table.unique_keys.iter().find(|key| holds(key, address) && !is_alone(table, address));
        identity = key.cloned().unwrap_or_else(|| vec![address.to_owned()]);
    }
    (label, identity)
}

/// Whether the column alone tells one row from another.
fn is_alone(table: &Table, column: &str) -> bool {
    table.unique_keys.iter().any(|key| matches!(key.as_slice(), [one] if one.eq_ignore_ascii_case(column)))
}

fn draft<'s>(schema: &'s Schema, facts: &Facts, categories: &BTreeSet<String>, table: &'s Table) -> Draft<'s> {
    let (label, identity) = names(table);
    let unit = table.columns.iter().find(|column| meaning(column) == Meaning::Unit);
    let starts = starts(table);
    let dependents = below(schema, facts, categories, table);
    let changed: BTreeSet<String> = std::iter::once(table.name.to_lowercase())
        .chain(dependents.iter().map(|dependent| dependent.table.to_lowercase()))
        .collect();
    let triggers = schema.triggers.iter().filter(|trigger| changed.contains(&trigger.table.to_lowercase()));
    Draft {
        table,
        key_is_personal: table.primary_key.iter().any(|column| words::meaning(column).is_personal()),
        label,
        identity,
        starts_below: starts_below(schema, table),
        starts,
        unit: unit.map(|column| column.name.as_str()),
        rows: rows(table, &[], &facts.values),
        dependents,
        triggers: triggers.map(|trigger| trigger.name.clone()).collect(),
    }
}

fn starts(table: &Table) -> Vec<Candidate<'_>> {
    let columns = table.columns.iter().filter(|column| !column.generated);
    let columns = columns.filter(|column| !words::is_called_after_who_did_it(&column.name));
    let ranked = columns.filter_map(|column| {
        let is_date = looks_like_date(column);
        let may_be = is_date || words::meaning(&column.name) == Meaning::Unknown;
        let rank = words::rank_of_start(&column.name).filter(|_| may_be)?;
        Some(Candidate {
            column: &column.name,
            is_date,
            is_number: is_number(column),
            is_empty_at_times: !column.not_null,
            rank,
        })
    });
    let mut ranked: Vec<Candidate<'_>> = ranked.collect();
    ranked.sort_by_key(|candidate| candidate.rank);
    ranked
}

/// The dates of what the books keep, and not those on which somebody wrote it down: the last invoice's.
fn starts_below<'s>(schema: &'s Schema, table: &'s Table) -> Vec<StartBelow<'s>> {
    let [key] = table.primary_key.as_slice() else { return Vec::new() };
    let mut starts = Vec::new();
    for (child, refers) in schema.references_to(&table.name).filter(|(child, _)| words::is_called_books(&child.name)) {
        let [column] = refers.columns.as_slice() else { continue };
        let dates = child.columns.iter().filter(|column| looks_like_date(column));
        for date in dates.filter(|date| words::rank_of_start(&date.name).is_none()) {
            let (own, name) = (expression(&table.name), expression(&child.name));
            let (of, refers, key) = (expression(&date.name), expression(column), expression(key));
            let expression = format!("(SELECT max({of}) FROM {name} WHERE {name}.{refers} = {own}.{key})");
            starts.push(StartBelow { table: &child.name, column: &date.name, refers: column, expression });
        }
    }
    starts
}

/// A name within SQL.
pub(super) fn expression(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_plain = is_plain && !name.starts_with(|c: char| c.is_ascii_digit()) && !words::is_reserved(name);
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
