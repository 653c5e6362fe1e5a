//! Sees that no reference is left behind: to rows that go, or to values that are replaced.

use super::columns::stays;
use super::{Check, listed};
use crate::config::{Finding, Rule};
use crate::source::mapping::{Direction, Fate, Mapping, Node, Reference};
use crate::source::schema::{ForeignKey, Table, TableKind, same_columns};

impl Check<'_> {
    /// Every declared reference to a table of which rows are deleted has its dependent.
    pub(super) fn references_are_covered(&mut self, mapping: &Mapping) {
        for (place, node) in mapping.nodes.iter().enumerate() {
            let may_go = matches!(node.fate, Fate::Record | Fate::Dependent(Rule::Delete));
            if !may_go {
                continue;
            }
            if node.link.as_ref().is_some_and(|link| link.direction == Direction::Owned) {
                self.owners_are_covered(mapping, node);
                continue;
            }
            for (table, key) in self.schema.references_to(&node.table) {
                let is_covered = mapping.children(place).any(|(_, child, link)| {
                    link.direction == Direction::Child
                        && child.table == table.name
                        && same_columns(&link.columns, &key.columns)
                });
                if !is_covered && table.kind == TableKind::Ordinary {
                    self.report_uncovered(place, node, table, key);
                }
            }
        }
    }

    /// An owned row goes where nothing beyond the batch refers to it; where rows of the batch do, by another column than
    /// the one that is cut, it could not.
    fn owners_are_covered(&mut self, mapping: &Mapping, owned: &Node) {
        for (table, key) in self.schema.references_to(&owned.table) {
            let may_stay = |node: &Node| node.table == table.name && (stays(node) || node.fate == Fate::OtherRecord);
            let is_named = mapping.nodes.iter().any(|node| {
                node.link.as_ref().is_some_and(|link| match link.direction {
                    Direction::Owned => node.table == owned.table && same_columns(&link.parent_columns, &key.columns),
                    Direction::Child => node.table == table.name && same_columns(&link.columns, &key.columns),
                })
            });
            let Some(owner) = mapping.nodes.iter().find(|node| may_stay(node)).filter(|_| !is_named) else {
                continue;
            };
            let written = self.category.dependents.iter().find(|dependent| dependent.name == owned.name);
            let at = written.map_or(&self.category.table.place, |dependent| &dependent.place).clone();
            let message = format!(
                "{} of {} refers to {} too, and no [[dependent]] says what becomes of it",
                listed(&key.columns),
                table.name,
                owned.table
            );
            let parent = if owner.link.is_none() { String::new() } else { format!("parent = {:?}, ", owner.name) };
            let columns = match key.columns.as_slice() {
                [one] => format!("parent_column = {one:?}"),
                many => format!("parent_columns = {many:?}"),
            };
            let hint = format!(
                "write [[dependent]] with {parent}table = {:?}, {columns}, a name of its own, and the same rule",
                owned.table
            );
            self.report(Finding::error("uncovered-reference", &at, message).hint(hint));
        }
    }

    /// What rows that stay are referred to by stays too, unless the reference is cut or goes.
    pub(super) fn replaced_columns_are_not_referred_to(&mut self, mapping: &Mapping) {
        for (place, node) in mapping.nodes.iter().enumerate().filter(|(_, node)| stays(node)) {
            let is_replaced = |column: &String| node.changes.iter().any(|change| change.column == *column);
            for reference in mapping.references.iter().filter(|reference| reference.parent == node.table) {
                let Some(replaced) = reference.parent_columns.iter().find(|column| is_replaced(column)) else {
                    continue;
                };
                if is_let_go(mapping, place, reference) {
                    continue;
                }
                let written = self.category.dependents.iter().find(|dependent| dependent.name == node.name);
                let rows = written.map_or(&self.category.rows, |dependent| &dependent.rows);
                let at = rows.anonymise.iter().find(|(column, _)| column.value.eq_ignore_ascii_case(replaced));
                let at = at.map_or(&rows.place, |(column, _)| &column.place).clone();
                let message = format!(
                    "{} of {} refers to {replaced} of {}, which would be replaced, and refers to nothing then",
                    listed(&reference.columns),
                    reference.table,
                    node.table
                );
                self.report(
                    Finding::error("reference-replaced", &at, message).hint(format!(
                        "write {replaced} into keep, or rule = \"unlink\" for rows of {}",
                        reference.table
                    )),
                );
            }
        }
    }

    fn report_uncovered(&mut self, place: usize, node: &Node, table: &Table, key: &ForeignKey) {
        let is_record = place == 0;
        let written = self.category.dependents.iter().find(|dependent| dependent.name == node.name);
        let at = written.filter(|_| !is_record).map_or(&self.category.table.place, |dependent| &dependent.place);
        let message = format!(
            "{} of {} refers to {}, and no [[dependent]] says what becomes of it",
            listed(&key.columns),
            table.name,
            node.table
        );
        let parent = if is_record { String::new() } else { format!("parent = {:?}, ", node.name) };
        let columns = match key.columns.as_slice() {
            [one] => format!("column = {one:?}"),
            many => format!("columns = {many:?}"),
        };
        let rules = if is_record { "\"keep\", \"delete\" or \"unlink\"" } else { "\"delete\" or \"unlink\"" };
        self.report(
            Finding::error("uncovered-reference", at, message).hint(format!(
                "write [[dependent]] with {parent}table = {:?}, {columns} and rule = {rules}",
                table.name
            )),
        );
    }
}

/// Whether a reference to rows of this node is cut, or goes, wherever the node's rows stay.
fn is_let_go(mapping: &Mapping, place: usize, reference: &Reference) -> bool {
    let is_cut = |fate: Fate| matches!(fate, Fate::Dependent(Rule::Delete | Rule::Unlink));
    let by_child = mapping.children(place).any(|(_, child, link)| {
        link.direction == Direction::Child
            && is_cut(child.fate)
            && child.table == reference.table
            && same_columns(&link.columns, &reference.columns)
    });
    let by_owner =
        mapping.nodes.get(place).and_then(|node| Some((node.fate, node.link.as_ref()?))).is_some_and(|(fate, link)| {
            link.direction == Direction::Owned && is_cut(fate) && same_columns(&link.parent_columns, &reference.columns)
        });
    by_child || by_owner
}
