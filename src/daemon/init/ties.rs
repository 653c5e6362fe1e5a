//! References that no schema declares, told by how columns are called: `customer_id` beside a table `customers`. Pure; whether
//! their values lead there is for [`super::look`] to see.

use std::collections::BTreeSet;

use super::guess::{is_account, looks_like_people};
use super::words;
use crate::source::{Affinity, ForeignKey, OnDelete, Schema, Table, TableColumn, TableKind, holds};

/// How a column came to be taken for a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// It is called after the table.
    Table,
    /// It is called after somebody, and there is one table of people.
    Somebody,
    /// It says who made or changed the row, and there is one table of accounts.
    WhoDidIt,
}

/// A column that seems to hold keys of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tie {
    pub(super) table: String,
    pub(super) column: String,
    pub(super) parent: String,
    pub(super) key: String,
    pub(super) by: By,
    /// Its values that were looked at, and how many of them are keys there.
    pub(super) seen: u64,
    pub(super) led: u64,
}

impl Tie {
    /// Whether the values do not speak against it. What was deleted long ago may have left some that lead nowhere.
    const fn holds(&self, is_choice: bool) -> bool {
        match self.by {
            By::Table if !is_choice => self.led * 2 >= self.seen,
            _ => self.led * 10 >= self.seen * 9,
        }
    }

    /// Why it is taken for one, in words.
    pub(super) fn evidence(&self) -> String {
        if self.seen == 0 {
            "no reference is declared, and there is no value yet: its name alone says so".to_owned()
        } else {
            format!("no reference is declared: its name says so, and {} of {} values lead there", self.led, self.seen)
        }
    }

    /// The same as a reference that is declared.
    pub(super) fn reference(&self) -> ForeignKey {
        ForeignKey {
            columns: vec![self.column.clone()],
            parent: self.parent.clone(),
            parent_columns: vec![self.key.clone()],
            on_delete: OnDelete::Nothing,
        }
    }
}

/// Columns without a declared reference that are called as if they had one.
pub(super) fn ties(schema: &Schema) -> Vec<Tie> {
    let tables: Vec<&Table> = schema.tables.iter().filter(|table| table.kind == TableKind::Ordinary).collect();
    let parents: Vec<Parent<'_>> = tables.iter().filter_map(|table| Parent::of(table)).collect();
    // Who declares references does not declare them all; but what is called a key then is one, and nothing else.
    let are_declared = tables.iter().any(|table| !table.foreign_keys.is_empty());
    let mut ties = Vec::new();
    for table in tables {
        for column in &table.columns {
            let is_declared = table.foreign_keys.iter().any(|key| holds(&key.columns, &column.name));
            let is_key = matches!(table.primary_key.as_slice(), [key] if key.eq_ignore_ascii_case(&column.name));
            if !is_declared && !is_key && !column.generated {
                ties.extend(tie(&parents, table, column, are_declared));
            }
        }
    }
    ties
}

/// A table that can be referred to.
struct Parent<'s> {
    table: &'s Table,
    key: &'s TableColumn,
    words: Vec<String>,
    is_people: bool,
    is_account: bool,
}

impl<'s> Parent<'s> {
    fn of(table: &'s Table) -> Option<Self> {
        let [key] = table.primary_key.as_slice() else { return None };
        let is_people = words::is_called_people(&table.name) && looks_like_people(table);
        let (key, words) = (table.column(key)?, words::tokens(&table.name));
        Some(Self { table, key, words, is_people, is_account: is_people && is_account(table) })
    }
}

fn tie(parents: &[Parent<'_>], table: &Table, column: &TableColumn, are_declared: bool) -> Vec<Tie> {
    let (words, has_id) = without_id(&column.name);
    if !has_id && (are_declared || words::is_called_after_places(&column.name)) {
        return Vec::new();
    }
    let fits = |parent: &&Parent<'_>| {
        let may_be = parent.key.affinity == column.affinity && (has_id || column.affinity == Affinity::Integer);
        may_be && !parent.table.name.eq_ignore_ascii_case(&table.name)
    };
    let fitting: Vec<&Parent<'_>> = parents.iter().filter(fits).collect();
    let tie = |parent: &Parent<'_>, by: By| Tie {
        table: table.name.clone(),
        column: column.name.clone(),
        parent: parent.table.name.clone(),
        key: parent.key.name.clone(),
        by,
        seen: 0,
        led: 0,
    };
    let called = called_after_tables(&fitting, table, &words);
    if !called.is_empty() {
        return called.into_iter().map(|parent| tie(parent, By::Table)).collect();
    }
    let people = fitting.into_iter().filter(|parent| parent.is_people);
    let (accounts, persons): (Vec<&Parent<'_>>, Vec<&Parent<'_>>) = people.partition(|parent| parent.is_account);
    match (persons.as_slice(), accounts.as_slice()) {
        (_, [one]) if words::is_called_after_who_did_it(&column.name) => vec![tie(one, By::WhoDidIt)],
        ([one], _) | ([], [one]) if words::is_called_after_somebody(&words) => vec![tie(one, By::Somebody)],
        _ => Vec::new(),
    }
}

/// Of several tables that a column may lead to, the one that its values lead to. Gives the others' names too where the values
/// do not tell: something may refer to them.
pub(super) fn settled(ties: &[Tie]) -> (Vec<Tie>, BTreeSet<String>) {
    let (mut found, mut unsettled) = (Vec::new(), BTreeSet::new());
    for choice in ties.chunk_by(|one, other| one.table == other.table && one.column == other.column) {
        let is_choice = choice.len() > 1;
        let holding: Vec<&Tie> = choice.iter().filter(|tie| tie.holds(is_choice)).collect();
        match holding.as_slice() {
            [one] if !is_choice || one.seen > 0 => found.push((*one).clone()),
            several => unsettled.extend(several.iter().map(|tie| tie.parent.to_lowercase())),
        }
    }
    (found, unsettled)
}

/// The words of a column but for those that say it is a key, and whether there were any.
fn without_id(column: &str) -> (Vec<String>, bool) {
    const KEYS: [&str; 5] = ["id", "nr", "fk", "key", "pk"];
    let is_key = |word: Option<&String>| word.is_some_and(|word| KEYS.contains(&word.as_str()));
    let mut words = words::tokens(column);
    let all = words.len();
    while words.len() > 1 && is_key(words.last()) {
        words.pop();
    }
    while words.len() > 1 && is_key(words.first()) {
        words.remove(0);
    }
    let has_id = words.len() < all;
    (words, has_id)
}

/// The tables that the column may be called after: by the whole name, else by the end of it, else by the column's last word.
fn called_after_tables<'p, 's>(parents: &[&'p Parent<'s>], table: &Table, words: &[String]) -> Vec<&'p Parent<'s>> {
    let Some(last) = words.last() else { return Vec::new() };
    let whole = words.concat();
    let by_name = |parent: &Parent<'_>| words::is_same_word(&parent.words.concat(), &whole);
    let by_end = |parent: &Parent<'_>| ends_with(&parent.words, words);
    let by_last = |parent: &Parent<'_>| ends_with(&parent.words, std::slice::from_ref(last));
    let own = words::tokens(&table.name);
    let ways: [&dyn Fn(&Parent<'_>) -> bool; 3] = [&by_name, &by_end, &by_last];
    let ways = ways.into_iter().map(|way| parents.iter().copied().filter(|parent| way(parent)).collect::<Vec<_>>());
    let Some(found) = ways.into_iter().find(|found| !found.is_empty()) else { return Vec::new() };
    // Of several the one that the table itself is called after, or the one that all the others are called after.
    let above = found.iter().filter(|parent| own.starts_with(&parent.words)).max_by_key(|parent| parent.words.len());
    let is_in_all = |parent: &&&Parent<'_>| found.iter().all(|other| other.words.ends_with(&parent.words));
    let is_plain = |parent: &&&Parent<'_>| parent.words.iter().all(|word| words::is_same_word(word, last));
    let in_all = found.iter().find(is_in_all);
    match above.or(in_all).or_else(|| found.iter().find(is_plain)) {
        Some(one) => vec![*one],
        None => found,
    }
}

/// Whether a name ends with these words, the last in the singular or the plural.
fn ends_with(name: &[String], words: &[String]) -> bool {
    let (Some((last, before)), Some((name_last, name_before))) = (words.split_last(), name.split_last()) else {
        return false;
    };
    words::is_same_word(last, name_last) && name_before.ends_with(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tie(parent: &str, by: By, seen: u64, led: u64) -> Tie {
        let [table, column, key] = ["orders", "customer_id", "id"].map(str::to_owned);
        Tie { table, column, parent: parent.to_owned(), key, by, seen, led }
    }

    #[test]
    fn values_may_speak_for_a_reference_and_against_it() {
        for (by, seen, led, expected) in [
            (By::Table, 0, 0, true),
            (By::Table, 10, 5, true),
            (By::Table, 10, 4, false),
            (By::Somebody, 0, 0, true),
            (By::Somebody, 10, 9, true),
            (By::Somebody, 10, 8, false),
            (By::WhoDidIt, 10, 8, false),
        ] {
            let (found, _) = settled(&[tie("customers", by, seen, led)]);
            assert_eq!(!found.is_empty(), expected, "{by:?}: {led} of {seen}");
        }
    }

    #[test]
    fn of_two_tables_the_values_choose_one_or_none() {
        let parents = |ties: &[Tie]| {
            let (found, unsettled) = settled(ties);
            (found.into_iter().map(|tie| tie.parent).collect::<Vec<_>>(), unsettled.into_iter().collect::<Vec<_>>())
        };
        let (own, other) = (tie("Own", By::Table, 10, 10), tie("Other", By::Table, 10, 2));
        assert_eq!(parents(&[own.clone(), other]), (vec!["Own".to_owned()], vec![]));
        let same = tie("Other", By::Table, 10, 10);
        assert_eq!(parents(&[own, same]), (vec![], vec!["other".to_owned(), "own".to_owned()]), "either may be meant");
        let empty = [tie("Own", By::Table, 0, 0), tie("Other", By::Table, 0, 0)];
        assert_eq!(parents(&empty), (vec![], vec!["other".to_owned(), "own".to_owned()]), "nothing tells yet");
    }
}
