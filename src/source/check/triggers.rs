//! Looks at the application's own code in the schema: triggers on tables that would be changed.

use super::Check;
use super::columns::stays;
use crate::config::{Finding, Rule};
use crate::source::mapping::{Direction, Fate, Mapping, Node};
use crate::source::schema::{Table, TableKind, Trigger, TriggerEvent, holds};

impl<'a> Check<'a> {
    /// The triggers that run when rows of these nodes are changed or deleted, and those that run because of them.
    fn firing(&self, nodes: &[Node]) -> Vec<&'a Trigger> {
        let triggers = &self.schema.triggers;
        let mut firing: Vec<&Trigger> =
            triggers.iter().filter(|trigger| (0..nodes.len()).any(|place| fires(trigger, place, nodes))).collect();
        loop {
            let follows = |trigger: &&Trigger| {
                let sets_off = |(event, table): &(TriggerEvent, String)| {
                    *event == trigger.event && table.eq_ignore_ascii_case(&trigger.table)
                };
                !firing.iter().any(|other| other.name == trigger.name)
                    && firing.iter().any(|other| other.writes.iter().any(sets_off))
            };
            let more: Vec<&Trigger> = triggers.iter().filter(follows).collect();
            if more.is_empty() {
                return firing;
            }
            firing.extend(more);
        }
    }

    /// What triggers write when rows of these nodes are changed or deleted.
    pub(super) fn written_by_triggers(&self, nodes: &[Node]) -> Vec<(TriggerEvent, String)> {
        self.firing(nodes).into_iter().flat_map(|trigger| trigger.writes.iter().cloned()).collect()
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
        let mut findings = Vec::new();
        for trigger in self.firing(&mapping.nodes) {
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
            let mut tables: Vec<&str> = trigger.writes.iter().map(|(_, table)| table.as_str()).collect();
            tables.dedup();
            for table in tables.into_iter().filter(|table| !self.is_dealt_with(mapping, table)) {
                let message = format!(
                    "the trigger {} writes to {table}, and nothing here says what becomes of its rows",
                    trigger.name
                );
                findings.push(Finding::error("trigger-writes", &place, message).hint(format!(
                    "write [[dependent]] with table = {table:?}: rule delete, or keep with its columns"
                )));
            }
        }
        self.findings.extend(findings);
    }

    /// An index for full-text search over rows that go, or that are changed, is told of it by a trigger, or keeps their
    /// words for good.
    pub(super) fn text_indexes_are_kept(&mut self, mapping: &Mapping) {
        let schema = self.schema;
        for index in schema.tables.iter().filter(|table| table.is_full_text()) {
            let TableKind::Virtual { module, content, has_own_content: false, .. } = &index.kind else { continue };
            let is_node = |table: &str| mapping.nodes.iter().any(|node| node.table.eq_ignore_ascii_case(table));
            // One without contents does not say over what it is.
            let over = content.as_ref().map(|(table, _)| table.as_str());
            if is_node(&index.name) || over.is_some_and(|table| !is_node(table)) {
                continue;
            }
            let keeps = |trigger: &&Trigger| {
                over.is_none_or(|table| trigger.table.eq_ignore_ascii_case(table))
                    && trigger.writes.iter().any(|(_, table)| table.eq_ignore_ascii_case(&index.name))
                    && (module == "fts5" || over.is_none() || is_before(trigger))
            };
            let keeping: Vec<&Trigger> = schema.triggers.iter().filter(keeps).collect();
            if !keeping.iter().any(|trigger| trigger.event == TriggerEvent::Delete) {
                self.not_kept(&index.name, module, "deleted", "DELETE");
            }
            let over = over.or_else(|| keeping.first().map(|trigger| trigger.table.as_str()));
            if over.is_some_and(|table| has_changed_words(index, table, &mapping.nodes, &keeping)) {
                self.not_kept(&index.name, module, "changed", "UPDATE");
            }
        }
    }

    fn not_kept(&mut self, index: &str, module: &str, what: &str, statement: &str) {
        let message = format!("no trigger takes the words of rows that are {what} out of {index}");
        let hint = match module {
            "fts5" => format!(
                "let a trigger do it after each {statement}, or make the index anew after each final run, with 'rebuild'"
            ),
            _ => format!("let a trigger do it before each {statement}: afterwards it cannot read the words any more"),
        };
        let place = self.category.table.place.clone();
        self.report(Finding::warning("text-index-not-kept", &place, message).hint(hint));
    }

    /// A row that a trigger writes because another is deleted, and that refers to it, must not be one that stays: the
    /// other could never be deleted.
    pub(super) fn triggers_let_go(&mut self, mapping: &Mapping) {
        for place in 0..mapping.nodes.len() {
            let deletes =
                |trigger: &&Trigger| trigger.event == TriggerEvent::Delete && fires(trigger, place, &mapping.nodes);
            for trigger in self.schema.triggers.iter().filter(deletes) {
                let adds_to = |table: &str| {
                    let adds = |(event, own): &(TriggerEvent, String)| {
                        *event == TriggerEvent::Insert && own.eq_ignore_ascii_case(table)
                    };
                    trigger.writes.iter().any(adds)
                };
                let stays = |child: &Node| matches!(child.fate, Fate::Dependent(Rule::Keep) | Fate::OtherRecord);
                let kept: Vec<&Node> = mapping
                    .children(place)
                    .filter(|(_, child, link)| {
                        link.direction == Direction::Child && stays(child) && adds_to(&child.table)
                    })
                    .map(|(_, child, _)| child)
                    .collect();
                for child in kept {
                    let written = self.category.dependents.iter().find(|dependent| dependent.name == child.name);
                    let at = written.map_or(&self.category.table.place, |dependent| &dependent.place).clone();
                    let message = format!(
                        "the trigger {} writes a row of {} that refers to the row being deleted, and with rule keep it would stay",
                        trigger.name, child.table
                    );
                    self.report(
                        Finding::error("trigger-keeps", &at, message).hint("write rule = \"delete\" or \"unlink\""),
                    );
                }
            }
        }
    }

    /// Whether a table is the category's, a dependent's, an index for full-text search, or a view, whose own triggers say
    /// what is written.
    fn is_dealt_with(&self, mapping: &Mapping, table: &str) -> bool {
        let writes_elsewhere = self
            .schema
            .table(table)
            .is_some_and(|table| matches!(table.kind, TableKind::Virtual { .. } | TableKind::Shadow | TableKind::View));
        writes_elsewhere || mapping.nodes.iter().any(|node| node.table.eq_ignore_ascii_case(table))
    }
}

/// The columns of a node's rows that are set where they stay: what is anonymised, and the references that are cut.
pub(super) fn set_columns(place: usize, nodes: &[Node]) -> Vec<&str> {
    let Some(node) = nodes.get(place).filter(|node| stays(node)) else {
        return Vec::new();
    };
    let mut columns: Vec<&str> = node.changes.iter().map(|change| change.column.as_str()).collect();
    if let (Fate::Dependent(Rule::Unlink), Some(link)) = (node.fate, &node.link)
        && link.direction == Direction::Child
    {
        columns.extend(link.columns.iter().map(String::as_str));
    }
    for child in nodes {
        let cut = child.link.as_ref().filter(|link| {
            link.parent == place
                && link.direction == Direction::Owned
                && matches!(child.fate, Fate::Dependent(Rule::Delete | Rule::Unlink))
        });
        columns.extend(cut.into_iter().flat_map(|link| &link.parent_columns).map(String::as_str));
    }
    columns
}

/// Whether columns of `table` that the index has the words of are changed, and none of the triggers that keep it runs then.
fn has_changed_words(index: &Table, table: &str, nodes: &[Node], keeping: &[&Trigger]) -> bool {
    let own = |place: &usize| nodes.get(*place).is_some_and(|node| node.table.eq_ignore_ascii_case(table));
    let is_changed = |place: usize| {
        let changed = set_columns(place, nodes);
        let has_words = changed.iter().any(|column| index.column(column).is_some_and(|column| !column.hidden));
        let is_told = |trigger: &&Trigger| trigger.event == TriggerEvent::Update && fires(trigger, place, nodes);
        has_words && !keeping.iter().any(is_told)
    };
    (0..nodes.len()).filter(own).any(is_changed)
}

/// Whether what happens to the node's rows makes the trigger run.
fn fires(trigger: &Trigger, place: usize, nodes: &[Node]) -> bool {
    let Some(node) = nodes.get(place).filter(|node| trigger.table.eq_ignore_ascii_case(&node.table)) else {
        return false;
    };
    match trigger.event {
        TriggerEvent::Insert => false,
        TriggerEvent::Delete => matches!(node.fate, Fate::Record | Fate::Dependent(Rule::Delete)),
        TriggerEvent::Update => {
            let columns = set_columns(place, nodes);
            !columns.is_empty()
                && (trigger.update_of.is_empty() || columns.iter().any(|column| holds(&trigger.update_of, column)))
        }
    }
}

/// Whether a trigger runs before the rows change.
fn is_before(trigger: &Trigger) -> bool {
    let is_event = |word: &&str| ["DELETE", "UPDATE"].iter().any(|event| word.eq_ignore_ascii_case(event));
    let mut words = trigger.definition.split_whitespace().take_while(|word| !is_event(word));
    words.any(|word| word.eq_ignore_ascii_case("BEFORE"))
}
