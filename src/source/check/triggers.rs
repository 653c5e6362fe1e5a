//! Looks at the application's own code in the schema: triggers on tables that would be changed.

use super::Check;
use super::columns::stays;
use crate::config::{Finding, Rule};
use crate::source::mapping::{Fate, Mapping, Node};
use crate::source::schema::{TableKind, Trigger, TriggerEvent, holds};

impl Check<'_> {
    /// The tables into which triggers write when rows of these nodes are changed or deleted.
    pub(super) fn tables_written_by_triggers(&self, nodes: &[Node]) -> Vec<String> {
        let mut written: Vec<String> = Vec::new();
        for trigger in &self.schema.triggers {
            if nodes.iter().any(|node| fires(trigger, node)) {
                for table in &trigger.writes {
                    if !holds(&written, table) {
                        written.push(table.clone());
                    }
                }
            }
        }
        written
    }

    /// Every trigger that would run is named in the settings, and what it writes is something they deal with.
    pub(super) fn triggers_are_named(&mut self, mapping: &Mapping) {
        let schema = self.schema;
        for named in &self.category.triggers {
            if !schema.triggers.iter().any(|trigger| trigger.name.eq_ignore_ascii_case(&named.value)) {
                let message = format!("there is no trigger {}", named.value);
                let names = schema.triggers.iter().map(|trigger| trigger.name.as_str());
                let finding = Finding::error("no-such-trigger", &named.place, message);
                self.report(super::names::with_nearest(finding, &named.value, names));
            }
        }
        for trigger in schema.triggers.iter().filter(|trigger| mapping.nodes.iter().any(|node| fires(trigger, node))) {
            let named = self.category.triggers.iter().find(|named| named.value.eq_ignore_ascii_case(&trigger.name));
            let Some(named) = named else {
                let place =
                    self.category.triggers.first().map_or(&self.category.table.place, |first| &first.place).clone();
                let message = format!("the trigger {} on {} would run and is not named", trigger.name, trigger.table);
                self.report(
                    Finding::error("unnamed-trigger", &place, message)
                        .hint(format!("look at what it does, then write triggers = [{:?}]", trigger.name)),
                );
                continue;
            };
            let place = named.place.clone();
            for table in &trigger.writes {
                if !self.is_dealt_with(mapping, table) {
                    let message = format!(
                        "the trigger {} writes to {table}, and nothing here says what becomes of its rows",
                        trigger.name
                    );
                    self.report(Finding::error("trigger-writes", &place, message).hint(format!(
                        "write [[dependent]] with table = {table:?}: rule delete, or keep with its columns"
                    )));
                }
            }
        }
    }

    /// Whether a table is the category's, a dependent's, or an index for full-text search.
    fn is_dealt_with(&self, mapping: &Mapping, table: &str) -> bool {
        let is_index = self
            .schema
            .table(table)
            .is_some_and(|table| matches!(table.kind, TableKind::Virtual { .. } | TableKind::Shadow));
        is_index || mapping.nodes.iter().any(|node| node.table.eq_ignore_ascii_case(table))
    }
}

/// Whether what happens to the node's rows makes the trigger run.
fn fires(trigger: &Trigger, node: &Node) -> bool {
    if !trigger.table.eq_ignore_ascii_case(&node.table) {
        return false;
    }
    match trigger.event {
        TriggerEvent::Insert => false,
        TriggerEvent::Delete => matches!(node.fate, Fate::Record | Fate::Dependent(Rule::Delete)),
        TriggerEvent::Update => {
            let mut columns: Vec<&str> = node.changes.iter().map(|change| change.column.as_str()).collect();
            if let (Fate::Dependent(Rule::Unlink), Some(link)) = (node.fate, &node.link) {
                columns.extend(link.columns.iter().map(String::as_str));
            }
            let is_changed = stays(node) && !columns.is_empty();
            is_changed
                && (trigger.update_of.is_empty() || columns.iter().any(|column| holds(&trigger.update_of, column)))
        }
    }
}
