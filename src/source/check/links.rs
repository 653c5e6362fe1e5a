//! Follows the dependents: which table hangs on which, by which columns, and whether every reference is covered.

use super::names::{as_setting, place_of};
use super::{Check, listed};
use crate::config::{Anonymise, Category, Column, Dependent, Finding, Link, Place, Rule};
use crate::source::mapping::{Change, Direction, Fate, Mapping, Node, NodeLink};
use crate::source::schema::{ForeignKey, RowId, Table, TableKind, TriggerEvent, holds, same_columns};

impl<'a> Check<'a> {
    /// The category's table and its dependents, each after its parent; `None` where a name leads nowhere.
    pub(super) fn nodes(&mut self, table: &'a Table, key: &[String]) -> Option<Vec<Node>> {
        let changes = self.changes(table, &self.category.rows.anonymise);
        self.columns_exist(table, &self.category.rows.keep, &[]);
        let mut nodes = vec![Node {
            name: table.name.clone(),
            table: table.name.clone(),
            row_id: row_id(table),
            own_key: key.to_vec(),
            collations: collations(table),
            link: None,
            fate: Fate::Record,
            replaced_references: replaced_references(table, &changes),
            changes,
            retention: None,
            written_by_triggers: false,
            grown_by_triggers: false,
        }];
        let category = self.category;
        let mut complete = true;
        for dependent in in_order(category) {
            let parent = match &dependent.parent {
                None => Some(0),
                Some(parent) => nodes.iter().skip(1).position(|node| node.name == parent.value).map(|at| at + 1),
            };
            // A parent that is missing here has been reported itself.
            match parent.and_then(|parent| self.node(dependent, parent, &nodes)) {
                Some(node) => nodes.push(node),
                None => complete = false,
            }
        }
        let written = self.written_by_triggers(&nodes);
        for node in &mut nodes {
            let own = || written.iter().filter(|(_, table)| table.eq_ignore_ascii_case(&node.table));
            node.written_by_triggers = own().next().is_some();
            node.grown_by_triggers = own().any(|(event, _)| *event == TriggerEvent::Insert);
        }
        complete.then_some(nodes)
    }

    fn changes(&mut self, table: &Table, anonymise: &[(Column, crate::config::Located<Anonymise>)]) -> Vec<Change> {
        anonymise
            .iter()
            .filter_map(|(column, how)| {
                Some(Change { column: self.column(table, column)?, anonymise: how.value.clone() })
            })
            .collect()
    }

    fn node(&mut self, dependent: &'a Dependent, parent: usize, nodes: &[Node]) -> Option<Node> {
        let table = self.table(&dependent.table)?;
        let parent_node = nodes.get(parent)?;
        let parent_table = self.schema.table(&parent_node.table)?;
        if parent != 0
            && let Some(owner) = self.category_of(parent_table)
        {
            let message = format!(
                "{} hangs on rows of {}, which are records of the category {} themselves",
                dependent.name, parent_table.name, owner.name
            );
            let hint = format!("remove it: {} says what becomes of what depends on them", owner.place.file);
            self.report(Finding::error("below-records", &dependent.place, message).hint(hint));
            return None;
        }
        let link = self.link(dependent, parent, table, parent_table, &parent_node.own_key)?;
        let fate = self.fate(dependent, table);
        self.refuse_circle(dependent, &link, table, nodes);
        let changes = self.changes(table, &dependent.rows.anonymise);
        self.columns_exist(table, &dependent.rows.keep, &[]);
        self.rule_fits(dependent, &link, table, parent_table, parent_node);
        let own_key = match table.primary_key.as_slice() {
            [] => row_id(table).names().into_iter().map(str::to_owned).collect(),
            key => key.to_vec(),
        };
        Some(Node {
            name: dependent.name.clone(),
            table: table.name.clone(),
            row_id: row_id(table),
            own_key,
            collations: collations(table),
            link: Some(link),
            fate,
            replaced_references: replaced_references(table, &changes),
            changes,
            retention: dependent.retention.clone(),
            written_by_triggers: false,
            grown_by_triggers: false,
        })
    }

    fn link(
        &mut self,
        dependent: &Dependent,
        parent: usize,
        table: &Table,
        parent_table: &Table,
        parent_key: &[String],
    ) -> Option<NodeLink> {
        let (direction, referring, referred) = match &dependent.link {
            Link::Child(columns) => (Direction::Child, (table, columns), parent_table),
            Link::Owned(columns) => (Direction::Owned, (parent_table, columns), table),
        };
        let from = self.columns(referring.0, referring.1)?;
        let place = place_of(referring.1, &dependent.place).clone();
        let declared = declared_reference(referring.0, &from);
        let to = if !dependent.references.is_empty() {
            self.columns(referred, &dependent.references)?
        } else if let Some(key) = declared.filter(|key| key.parent.eq_ignore_ascii_case(&referred.name)) {
            from.iter().filter_map(|column| referred_column(key, column)).collect()
        } else if direction == Direction::Child && parent == 0 {
            parent_key.to_vec()
        } else {
            referred.primary_key.clone()
        };
        let to: Vec<String> = to.iter().filter_map(|name| Some(referred.column(name)?.name.clone())).collect();
        if let Some(other) = declared.filter(|key| !key.parent.eq_ignore_ascii_case(&referred.name)) {
            let message = format!(
                "{} of {} refers to {}, not to {}",
                listed(&from),
                referring.0.name,
                other.parent,
                referred.name
            );
            self.report(
                Finding::error("wrong-parent", &place, message)
                    .hint("write the dependent's parent, or the column that refers to it"),
            );
            return None;
        }
        if to.len() != from.len() {
            let message = format!(
                "{} of {} cannot refer to {} of {}: as many columns are needed on both sides",
                listed(&from),
                referring.0.name,
                if to.is_empty() { "the missing key".to_owned() } else { listed(&to) },
                referred.name
            );
            self.report(
                Finding::error("link-mismatch", &place, message)
                    .hint("write columns = […], and references = […] for the columns they refer to"),
            );
            return None;
        }
        self.referred_is_one_row(referred, &to, &place);
        if declared.is_none() && dependent.references.is_empty() {
            self.table_is_not_named_beside(referring.0, &from, &place);
        }
        let (columns, parent_columns) = match direction {
            Direction::Child => (from, to),
            Direction::Owned => (to, from),
        };
        let is_indexed = table.has_index_on(&columns);
        Some(NodeLink { parent, direction, columns, parent_columns, is_indexed })
    }

    /// What refers to a column that several rows share may belong to any of them.
    fn referred_is_one_row(&mut self, referred: &Table, columns: &[String], place: &Place) {
        if referred.is_unique(columns) || referred.kind != TableKind::Ordinary {
            return;
        }
        let same = listed(columns);
        let message = format!(
            "several rows of {} may have the same {same}, and a reference to it means none of them",
            referred.name
        );
        self.report(Finding::error("shared-reference", place, message).hint(format!(
            "refer to a unique column, or make this one unique: {}",
            create_unique_index(&referred.name, columns)
        )));
    }

    /// An id beside which another column says what table it is of (`object_id`, `object_type`) is no reference by itself.
    fn table_is_not_named_beside(&mut self, referring: &Table, columns: &[String], place: &Place) {
        let [column] = columns else {
            return;
        };
        let lower = column.to_lowercase();
        let stem = lower.strip_suffix("_id").or_else(|| lower.strip_suffix("id")).unwrap_or(&lower);
        let is_type = |name: &str| {
            let name = name.to_lowercase();
            let rest = name.strip_prefix(stem).map(|rest| rest.trim_start_matches('_'));
            rest.is_some_and(|rest| matches!(rest, "type" | "type_id" | "typeid" | "table" | "class" | "model"))
                || matches!(name.as_str(), "content_type_id" | "content_type")
        };
        if let Some(beside) = referring.columns.iter().find(|other| is_type(&other.name)) {
            let message = format!(
                "{} of {} says which table {column} refers to, so that {column} alone is of any",
                beside.name, referring.name
            );
            self.report(Finding::error("typed-reference", place, message).hint(
                "leave this dependent out, and see to its rows in the application; if the other column means something else, write references = [\"…\"] here",
            ));
        }
    }

    /// Rows that go with rows of their own table would have to be followed without end.
    fn refuse_circle(&mut self, dependent: &Dependent, link: &NodeLink, table: &Table, nodes: &[Node]) {
        let mut above = Some(link.parent);
        let mut is_circle = false;
        while let Some(node) = above.and_then(|place| nodes.get(place)) {
            is_circle |= node.table == table.name && node.fate != Fate::Record;
            above = node.link.as_ref().map(|link| link.parent);
        }
        if is_circle && dependent.rule == Rule::Delete {
            let message = format!("rows of {} would be deleted with rows of {}, in a circle", table.name, table.name);
            self.report(
                Finding::error("circle", &dependent.place, message)
                    .hint("write rule = \"unlink\": their reference becomes NULL"),
            );
        }
    }

    /// Rows that are records of a category, this one or another, are not changed through somebody else's record.
    fn fate(&mut self, dependent: &Dependent, table: &Table) -> Fate {
        let Some(owner) = self.category_of(table) else {
            return Fate::Dependent(dependent.rule);
        };
        let (name, file) = (owner.name.clone(), owner.place.file.clone());
        if dependent.rule == Rule::Delete {
            let message = format!("the rows of {} are records of the category {name}", table.name);
            self.report(Finding::error("deletes-records", &dependent.table.place, message).hint(
                "write rule = \"keep\" (the record is anonymised while such a row refers to it) or rule = \"unlink\"",
            ));
        }
        // That they are kept as they are may be said here too: it is what happens.
        if !dependent.rows.anonymise.is_empty() {
            let message = format!("what becomes of the columns of {} is said in {file}", table.name);
            self.report(
                Finding::error("classified-elsewhere", &dependent.rows.place, message)
                    .hint("remove anonymise from this dependent: they are other records"),
            );
        }
        match dependent.rule {
            Rule::Keep => Fate::OtherRecord,
            Rule::Delete | Rule::Unlink => Fate::Dependent(dependent.rule),
        }
    }

    /// The category whose records are the rows of `table`.
    pub(super) fn category_of(&self, table: &Table) -> Option<&'a Category> {
        self.settings.categories.values().find(|category| {
            category.source.value == self.category.source.value
                && category.table.value.eq_ignore_ascii_case(&table.name)
        })
    }

    fn rule_fits(&mut self, dependent: &Dependent, link: &NodeLink, table: &Table, parent: &Table, node: &Node) {
        // Which side's columns would become NULL, if any.
        let cut = match (link.direction, dependent.rule) {
            (Direction::Child, Rule::Unlink) => Some((table, &link.columns)),
            (Direction::Owned, Rule::Unlink | Rule::Delete) if node.fate != Fate::Dependent(Rule::Delete) => {
                Some((parent, &link.parent_columns))
            }
            (Direction::Child | Direction::Owned, _) => None,
        };
        let Some((side, columns)) = cut else {
            return;
        };
        let fixed: Vec<String> = columns
            .iter()
            .filter(|name| {
                side.column(name).is_some_and(|c| c.not_null || c.generated) || holds(&side.primary_key, name)
            })
            .cloned()
            .collect();
        if !fixed.is_empty() {
            let message = format!(
                "rule {} would set {} of {} to NULL, which the table refuses",
                dependent.rule.as_str(),
                listed(&fixed),
                side.name
            );
            let hint = if link.direction == Direction::Child {
                "write rule = \"delete\" or rule = \"keep\""
            } else {
                "write rule = \"keep\": the row stays, without its personal values"
            };
            self.report(Finding::error("not-null", &dependent.place, message).hint(hint));
        }
    }

    /// Warns of references and start dates that no index finds.
    pub(super) fn indexes_help(&mut self, mapping: &Mapping) {
        for node in &mapping.nodes {
            let Some(link) = &node.link else {
                continue;
            };
            let Some(dependent) = self.category.dependents.iter().find(|dependent| dependent.name == node.name) else {
                continue;
            };
            let is_plain = self.schema.table(&node.table).is_some_and(|table| table.kind == TableKind::Ordinary);
            if !link.is_indexed && is_plain {
                let written = match &dependent.link {
                    Link::Child(columns) | Link::Owned(columns) => columns,
                };
                let message = format!("no index finds rows of {} by {}", node.table, listed(&link.columns));
                let place = place_of(written, &dependent.place).clone();
                self.report(
                    Finding::warning("unindexed", &place, message).hint(create_index(&node.table, &link.columns)),
                );
            }
        }
        let Some(table) = self.schema.table(mapping.table()) else {
            return;
        };
        for since in self.category.criteria.iter().filter_map(|criterion| criterion.since.as_ref()) {
            if let Some(column) = table.column(since.sql.value.trim()) {
                let columns = vec![column.name.clone()];
                if !table.has_index_on(&columns) {
                    let message = format!("no index finds rows of {} by {}", table.name, column.name);
                    let hint = create_index(&table.name, &columns);
                    self.report(Finding::warning("unindexed", &since.sql.place, message).hint(hint));
                }
            }
        }
    }
}

fn collations(table: &Table) -> Vec<(String, String)> {
    table.columns.iter().filter_map(|column| Some((column.name.clone(), column.collation.clone()?))).collect()
}

/// Declared references of which a column is replaced by something other than NULL.
fn replaced_references(table: &Table, changes: &[Change]) -> Vec<ForeignKey> {
    let is_replaced = |column: &String| {
        changes.iter().any(|change| change.column.eq_ignore_ascii_case(column) && change.anonymise != Anonymise::Null)
    };
    table.foreign_keys.iter().filter(|key| key.columns.iter().any(is_replaced)).cloned().collect()
}

fn row_id(table: &Table) -> RowId {
    // Tables without one have been refused by their names.
    table.row_id.clone().unwrap_or(RowId::Columns(Vec::new()))
}

pub(super) fn create_index(table: &str, columns: &[String]) -> String {
    format!("it would help: {}", index_over("INDEX", table, columns))
}

fn create_unique_index(table: &str, columns: &[String]) -> String {
    index_over("UNIQUE INDEX", table, columns)
}

fn index_over(kind: &str, table: &str, columns: &[String]) -> String {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns_quoted: Vec<String> = columns.iter().map(|column| quote(column)).collect();
    let name = format!("{table}_{}", columns.join("_"));
    format!("CREATE {kind} {} ON {} ({})", quote(&name), quote(table), columns_quoted.join(", "))
}

/// The dependents, each after the one it hangs on.
fn in_order(category: &Category) -> Vec<&Dependent> {
    let mut ordered: Vec<&Dependent> = Vec::new();
    let mut waiting: Vec<&Dependent> = category.dependents.iter().collect();
    loop {
        let is_ready = |dependent: &&Dependent| {
            dependent.parent.as_ref().is_none_or(|parent| ordered.iter().any(|done| done.name == parent.value))
        };
        let (ready, rest): (Vec<&Dependent>, Vec<&Dependent>) = waiting.into_iter().partition(is_ready);
        if ready.is_empty() {
            return ordered;
        }
        ordered.extend(ready);
        waiting = rest;
    }
}

/// The declared reference that consists of exactly these columns.
fn declared_reference<'t>(table: &'t Table, columns: &[String]) -> Option<&'t ForeignKey> {
    table.foreign_keys.iter().find(|key| same_columns(&key.columns, columns))
}

fn referred_column(key: &ForeignKey, column: &str) -> Option<String> {
    let at = key.columns.iter().position(|own| own.eq_ignore_ascii_case(column))?;
    key.parent_columns.get(at).cloned()
}

/// What a classification would look like with these columns added.
pub(super) fn suggestion(columns: &[String], existing: &[Column]) -> String {
    if existing.is_empty() {
        format!("write it into keep = {columns:?} if it is not personal, or into anonymise with what replaces it")
    } else {
        format!(
            "add {columns:?} to keep = {} if not personal, or to anonymise with what replaces it",
            as_setting(existing)
        )
    }
}
