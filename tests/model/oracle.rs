//! What must come of erasing, worked out row by row in memory.
//!
//! Written from the meaning of the settings' words alone, with loops where the engine has statements, and begun anew
//! until nothing changes where the engine goes in order. Knows nothing of how the engine plans.

use std::collections::{BTreeMap, BTreeSet};

use erasured::config::Rule;
use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::world::{Cell, Node, Replacement, Role, Rows, Side, World, day};

/// A row: its table and its place there.
pub type Id = (usize, usize);

/// What comes of a batch.
#[derive(Debug, Default)]
pub struct Effects {
    /// Rows that go.
    pub gone: BTreeSet<Id>,
    /// Values that change.
    pub changed: BTreeMap<Id, BTreeMap<usize, Cell>>,
    /// By node: rows deleted, changed, left though nothing else refers to them, left because something does.
    pub counts: Vec<[u64; 4]>,
}

/// Reads one state of the rows.
pub struct Oracle<'w> {
    pub world: &'w World,
    pub rows: &'w Rows,
    pub today: Date,
}

/// The rows that each node reaches.
type Reached = Vec<BTreeSet<usize>>;
/// Owned rows that something else refers to, by node.
type Shared = BTreeSet<Id>;

impl Oracle<'_> {
    fn values(&self, table: usize, row: usize, columns: &[usize]) -> Option<Vec<&Cell>> {
        let values = self.rows[table][row].as_ref()?;
        let found: Vec<&Cell> = columns.iter().map(|column| &values[*column]).collect();
        // NULL refers to nothing, not even to NULL.
        (!found.contains(&&Cell::Null)).then_some(found)
    }

    /// The rows of `table` that hold the same in `columns` as that row in `from`.
    fn matching(&self, id: Id, from: &[usize], table: usize, columns: &[usize], nocase: &[bool]) -> Vec<usize> {
        let Some(wanted) = self.values(id.0, id.1, from) else { return Vec::new() };
        let is_same = |found: Vec<&Cell>| {
            found.iter().zip(&wanted).zip(nocase).all(|((one, other), nocase)| one.is_same(other, *nocase))
        };
        (0..self.rows[table].len()).filter(|row| self.values(table, *row, columns).is_some_and(is_same)).collect()
    }

    /// How the key of a table compares, and so whatever refers to it.
    fn nocase(&self, table: usize) -> Vec<bool> {
        let table = &self.world.tables[table];
        table.key.iter().map(|column| table.columns[*column].nocase).collect()
    }

    /// The node's rows that hang on this row of its parent.
    fn hanging(&self, node: &Node, row: usize) -> Vec<usize> {
        let reference = &self.world.references[node.reference];
        let key = &self.world.tables[reference.parent].key;
        let parent = self.world.nodes[node.parent].table;
        let nocase = self.nocase(reference.parent);
        match node.side {
            Side::Child => self.matching((parent, row), key, node.table, &reference.columns, &nocase),
            Side::Owned => self.matching((parent, row), &reference.columns, node.table, key, &nocase),
        }
    }

    /// The day on which a record has become due by one of the criteria; `Some(None)` where one has no date.
    pub fn is_due(&self, row: usize) -> bool {
        let Some(values) = self.rows[0][row].as_ref() else { return false };
        let table = &self.world.tables[0];
        let is_met = self.world.criteria.iter().any(|criterion| {
            let holds = criterion.status.is_none_or(|status| {
                table
                    .column(&Role::Status)
                    .is_some_and(|column| matches!(values[column], Cell::Integer(own) if own >= status))
            });
            let is_over = criterion.years.is_none_or(|years| {
                let start = table.column(&Role::Since).and_then(|column| day(&values[column]));
                start.is_some_and(|start| due_on(start, years, criterion.year_end) <= self.today)
            });
            holds && is_over
        });
        is_met && !self.is_retained(row)
    }

    /// Whether a dependent, at any depth, is within a period of its own, or cannot tell when it ends.
    fn is_retained(&self, record: usize) -> bool {
        let reached = self.reach(&[record], &Shared::new());
        self.world.nodes.iter().zip(&reached).skip(1).any(|(node, rows)| {
            let Some(retention) = node.retention else { return false };
            let Some(since) = self.world.tables[node.table].column(&Role::Since) else { return false };
            rows.iter().filter_map(|row| self.rows[node.table][*row].as_ref()).any(|values| {
                day(&values[since]).is_none_or(|start| due_on(start, retention.years, retention.year_end) > self.today)
            })
        })
    }

    fn reach(&self, records: &[usize], shared: &Shared) -> Reached {
        let mut reached: Reached = vec![BTreeSet::new(); self.world.nodes.len()];
        reached[0] = records.iter().copied().collect();
        for (place, node) in self.world.nodes.iter().enumerate().skip(1) {
            let above = reached[node.parent].clone();
            for row in above.into_iter().filter(|row| !shared.contains(&(node.parent, *row))) {
                reached[place].extend(self.hanging(node, row));
            }
        }
        reached
    }

    /// What comes of erasing these records together.
    pub fn erase(&self, records: &[usize]) -> Effects {
        let mut shared = Shared::new();
        loop {
            let reached = self.reach(records, &shared);
            let gone = self.gone(records, &reached, &shared);
            let found = self.find_shared(&reached, &shared, &gone);
            if found.is_subset(&shared) {
                return self.effects(&reached, &shared, gone);
            }
            shared.extend(found);
        }
    }

    /// Rows that go: what a rule deletes, and the records that nothing keeps.
    fn gone(&self, records: &[usize], reached: &Reached, shared: &Shared) -> BTreeSet<Id> {
        let mut gone = BTreeSet::new();
        for (place, node) in self.world.nodes.iter().enumerate().skip(1).filter(|(_, n)| n.rule == Rule::Delete) {
            let rows = reached[place].iter().filter(|row| !shared.contains(&(place, **row)));
            gone.extend(rows.map(|row| (node.table, *row)));
        }
        gone.extend(records.iter().map(|row| (0, *row)));
        loop {
            let kept: Vec<Id> = records
                .iter()
                .map(|row| (0, *row))
                .filter(|id| gone.contains(id) && self.is_kept(id.1, &gone))
                .collect();
            if kept.is_empty() {
                return gone;
            }
            for id in kept {
                gone.remove(&id);
            }
        }
    }

    /// Whether a row with rule `keep` that stays refers to the record.
    fn is_kept(&self, record: usize, gone: &BTreeSet<Id>) -> bool {
        self.world.nodes.iter().skip(1).any(|node| {
            node.parent == 0
                && node.side == Side::Child
                && node.rule == Rule::Keep
                && self.hanging(node, record).into_iter().any(|row| !gone.contains(&(node.table, row)))
        })
    }

    /// Owned rows to which something else refers than what the batch erases; and, where they would go, to which a row
    /// refers that stays with its reference.
    fn find_shared(&self, reached: &Reached, shared: &Shared, gone: &BTreeSet<Id>) -> Shared {
        let mut found = Shared::new();
        for (place, node) in self.world.nodes.iter().enumerate().skip(1).filter(|(_, n)| n.side == Side::Owned) {
            for row in &reached[place] {
                let is_shared = self.referring((node.table, *row)).into_iter().any(|(reference, id)| {
                    let is_of_batch = gone.contains(&id) || self.is_own(reference, id, reached, shared);
                    let stands_in_the_way = node.rule == Rule::Delete
                        && !gone.contains(&id)
                        && !self.is_cut(reference, id, *row, reached, shared);
                    !is_of_batch || stands_in_the_way
                });
                if is_shared {
                    found.insert((place, *row));
                }
            }
        }
        found
    }

    /// Whether a row that stays refers as one of the erased people's own: it is a record of the batch or kept for one;
    /// or the settings say themselves what becomes of this very reference. A row that is only unlinked, or a record that
    /// only refers to another, is somebody else's.
    fn is_own(&self, reference: usize, id: Id, reached: &Reached, shared: &Shared) -> bool {
        self.world.nodes.iter().enumerate().any(|(place, node)| {
            let is_reached = node.table == id.0 && reached[place].contains(&id.1) && !shared.contains(&(place, id.1));
            let is_theirs = place == 0 || (node.rule != Rule::Unlink && !self.world.are_records(node));
            let is_link = place > 0 && node.side == Side::Child && node.reference == reference;
            let owns = self
                .world
                .nodes
                .iter()
                .skip(1)
                .any(|owned| owned.parent == place && owned.side == Side::Owned && owned.reference == reference);
            is_reached && (is_theirs || is_link || owns)
        })
    }

    /// The rows that refer to this one, each with its reference: those that the schema or the settings know of.
    fn referring(&self, to: Id) -> Vec<(usize, Id)> {
        let mut found = Vec::new();
        for (place, reference) in self.world.references.iter().enumerate().filter(|(_, r)| r.parent == to.0) {
            let is_known = reference.declared || self.world.nodes.iter().skip(1).any(|node| node.reference == place);
            let key = &self.world.tables[to.0].key;
            if is_known {
                let rows = self.matching(to, key, reference.table, &reference.columns, &self.nocase(to.0));
                found.extend(rows.into_iter().map(|row| (place, (reference.table, row))));
            }
        }
        found
    }

    /// Whether a rule sets this reference of a row that stays to NULL.
    fn is_cut(&self, reference: usize, id: Id, to: usize, reached: &Reached, shared: &Shared) -> bool {
        self.world.nodes.iter().enumerate().skip(1).any(|(place, node)| {
            node.reference == reference
                && match (node.side, node.rule) {
                    (_, Rule::Keep) | (Side::Child, Rule::Delete) => false,
                    (Side::Child, Rule::Unlink) => reached[place].contains(&id.1),
                    (Side::Owned, rule) => {
                        let owner = node.parent;
                        let is_owner = reached[owner].contains(&id.1) && !shared.contains(&(owner, id.1));
                        is_owner
                            && reached[place].contains(&to)
                            && (rule == Rule::Unlink || !shared.contains(&(place, to)))
                    }
                }
        })
    }

    fn effects(&self, reached: &Reached, shared: &Shared, gone: BTreeSet<Id>) -> Effects {
        let mut effects = Effects { counts: vec![[0; 4]; self.world.nodes.len()], ..Effects::default() };
        for (place, node) in self.world.nodes.iter().enumerate() {
            for row in &reached[place] {
                let id = (node.table, *row);
                let is_shared = shared.contains(&(place, *row));
                let is_record = place > 0 && node.rule == Rule::Keep && self.world.are_records(node);
                match (gone.contains(&id), is_shared, is_record) {
                    (true, _, _) if self.counts_deletion(place, id, reached, shared) => effects.counts[place][0] += 1,
                    (true, _, _) => {}
                    (false, true, _) => effects.counts[place][3] += 1,
                    (false, false, true) => effects.counts[place][2] += 1,
                    (false, false, false) => {
                        self.change(&mut effects, node, place, id);
                        let is_changed = self.is_changed(place, *row, reached, &gone);
                        effects.counts[place][if is_changed { 1 } else { 2 }] += 1;
                    }
                }
                if node.side == Side::Owned && place > 0 {
                    self.cut_owners(&mut effects, place, *row, reached, shared, &gone);
                }
            }
        }
        effects.changed.retain(|id, _| !gone.contains(id));
        effects.gone = gone;
        effects
    }

    /// Whether the rules of this node say that something about a row that stays changes.
    fn is_changed(&self, place: usize, row: usize, reached: &Reached, gone: &BTreeSet<Id>) -> bool {
        let node = &self.world.nodes[place];
        let is_unlinked = node.side == Side::Child && node.rule == Rule::Unlink;
        let is_cut = self.world.nodes.iter().enumerate().skip(1).any(|(below, owned)| {
            owned.parent == place
                && owned.side == Side::Owned
                && self.hanging(owned, row).into_iter().filter(|row| reached[below].contains(row)).any(|row| {
                    owned.rule == Rule::Unlink || (owned.rule == Rule::Delete && gone.contains(&(owned.table, row)))
                })
        });
        node.scrubs || is_unlinked || is_cut
    }

    /// A row that several nodes delete is counted by the first of them.
    fn counts_deletion(&self, place: usize, id: Id, reached: &Reached, shared: &Shared) -> bool {
        let deletes = |place: usize, node: &Node| {
            node.table == id.0
                && node.rule == Rule::Delete
                && reached[place].contains(&id.1)
                && !shared.contains(&(place, id.1))
        };
        let first = self.world.nodes.iter().enumerate().skip(1).find(|(place, node)| deletes(*place, node));
        first.is_some_and(|(first, _)| first == place)
    }

    /// A row that stays: without its personal values, and without its reference where it is unlinked.
    fn change(&self, effects: &mut Effects, node: &Node, place: usize, id: Id) {
        let changed = effects.changed.entry(id).or_default();
        if node.scrubs && !(place > 0 && self.world.are_records(node)) {
            changed.extend(self.scrubbed(id));
        }
        if place > 0 && node.side == Side::Child && node.rule == Rule::Unlink {
            let columns = &self.world.references[node.reference].columns;
            changed.extend(columns.iter().map(|column| (*column, Cell::Null)));
        }
    }

    /// Owners that stay lose their reference to a row that goes or is unlinked.
    fn cut_owners(
        &self,
        effects: &mut Effects,
        place: usize,
        row: usize,
        reached: &Reached,
        shared: &Shared,
        gone: &BTreeSet<Id>,
    ) {
        let node = &self.world.nodes[place];
        let is_cut = match node.rule {
            Rule::Keep => false,
            Rule::Unlink => true,
            Rule::Delete => gone.contains(&(node.table, row)),
        };
        let owner = self.world.nodes[node.parent].table;
        for own in reached[node.parent].iter().filter(|own| !shared.contains(&(node.parent, **own))) {
            if is_cut && self.hanging(node, *own).contains(&row) {
                let columns = &self.world.references[node.reference].columns;
                let changed = effects.changed.entry((owner, *own)).or_default();
                changed.extend(columns.iter().map(|column| (*column, Cell::Null)));
            }
        }
    }

    /// The personal values of a row, replaced.
    fn scrubbed(&self, id: Id) -> Vec<(usize, Cell)> {
        let table = &self.world.tables[id.0];
        let Some(values) = self.rows[id.0][id.1].as_ref() else { return Vec::new() };
        table
            .columns
            .iter()
            .enumerate()
            .filter_map(|(place, column)| {
                let Role::Personal(replacement) = &column.role else { return None };
                let new = match replacement {
                    Replacement::Null => Cell::Null,
                    Replacement::Value(value) => value.clone(),
                    Replacement::Template => template(table.key.iter().map(|column| &values[*column])),
                    Replacement::Year => year(&values[place]),
                };
                Some((place, new))
            })
            .collect()
    }
}

/// The day after start + period; with year ends the period runs from 31 December.
fn due_on(start: Date, years: i32, year_end: bool) -> Date {
    let from = if year_end { date(start.year(), 12, 31) } else { start };
    from.checked_add(years.years()).unwrap().tomorrow().unwrap()
}

fn template<'c>(key: impl Iterator<Item = &'c Cell>) -> Cell {
    let mut parts = Vec::new();
    for cell in key {
        match cell {
            // What is put together with NULL is NULL.
            Cell::Null => return Cell::Null,
            Cell::Integer(integer) => parts.push(integer.to_string()),
            Cell::Text(text) => parts.push(text.clone()),
        }
    }
    Cell::Text(format!("erased-{}", parts.join("-")))
}

/// The first of January, at midnight where there was a time.
fn year(value: &Cell) -> Cell {
    let Cell::Text(text) = value else { return value.clone() };
    let time = if text.len() > 10 { " 00:00:00" } else { "" };
    Cell::Text(format!("{}-01-01{time}", &text[..4]))
}
