//! Sees that every column of a row that stays is classified, and that what replaces it fits the column.

use super::links::suggestion;
use super::{Check, listed};
use crate::config::{Anonymise, Classification, Column, Finding, Literal, Place, TemplatePart};
use crate::source::mapping::{Direction, Fate, Mapping, Node};
use crate::source::schema::{Affinity, Table, TableColumn, TableKind, holds};

impl<'a> Check<'a> {
    /// What the settings say of a node's columns, and where.
    fn classification(&self, node: &Node) -> Option<(&'a Classification, Place)> {
        if node.link.is_none() {
            return Some((&self.category.rows, self.category.rows.place.clone()));
        }
        let dependent = self.category.dependents.iter().find(|dependent| dependent.name == node.name)?;
        Some((&dependent.rows, dependent.place.clone()))
    }

    /// Every column of a row that stays is a key, a reference, kept or anonymised.
    pub(super) fn columns_are_classified(&mut self, mapping: &Mapping) {
        for (place, node) in mapping.nodes.iter().enumerate() {
            if !stays(node) || self.is_record_elsewhere(node) {
                continue;
            }
            let Some((rows, at)) = self.classification(node) else {
                continue;
            };
            let Some(table) = self.schema.table(&node.table) else {
                continue;
            };
            let structural = structural_columns(mapping, place, node, table);
            self.key_is_not_replaced(node, table, mapping, rows);
            let unclassified: Vec<String> = table
                .columns
                .iter()
                .filter(|column| !column.generated && !column.hidden)
                .map(|column| column.name.clone())
                .filter(|name| !holds(&structural, name) && !is_written(rows, name))
                .collect();
            if unclassified.is_empty() {
                continue;
            }
            let columns = if unclassified.len() == 1 { "column" } else { "columns" };
            let is = if unclassified.len() == 1 { "is" } else { "are" };
            let message = format!("{columns} {} of {} {is} not classified", listed(&unclassified), node.table);
            let hint = suggestion(&unclassified, &rows.keep);
            self.report(Finding::error("unclassified-column", &at, message).hint(hint));
        }
    }

    /// Says where a personal key stays: nothing can replace it.
    pub(super) fn personal_key_stays(&mut self, mapping: &Mapping) {
        if !self.category.key_is_personal {
            return;
        }
        let is_kept = mapping.nodes.iter().any(|node| matches!(node.fate, Fate::Dependent(crate::config::Rule::Keep)));
        if is_kept && !self.category.remove_shells {
            let message = "keys of this category are personal, and stay in the row of a record that is anonymised";
            let finding = Finding::warning("personal-key-stays", &self.category.place, message);
            self.report(finding.hint(
                "remove_shells = true in [erase] deletes the row as soon as nothing keeps it; until then the key is in it, and in what refers to it",
            ));
        }
        for (column, with) in &self.category.rows.anonymise {
            if let Anonymise::Template(template) = &with.value
                && template.0.contains(&TemplatePart::Key)
            {
                let message = format!("{{key}} would copy a personal key into {:?}", column.value);
                let finding = Finding::warning("personal-key-copied", &with.place, message);
                self.report(finding.hint("replace it by something that is not the key"));
            }
        }
    }

    /// Rows that are records of a category lose a reference at most: their columns are classified in that category's file.
    fn is_record_elsewhere(&self, node: &Node) -> bool {
        let table = self.schema.table(&node.table);
        node.link.is_some() && table.is_some_and(|table| self.category_of(table).is_some())
    }

    /// A record keeps its key, and what refers to a row that stays must find it.
    fn key_is_not_replaced(&mut self, node: &Node, table: &Table, mapping: &Mapping, rows: &'a Classification) {
        let key: &[String] = if node.link.is_none() { &mapping.key } else { &table.primary_key };
        for (column, _) in &rows.anonymise {
            if holds(key, &column.value) {
                let message = format!("{} is the key of {}, and a key stays", column.value, node.table);
                self.report(Finding::error("key-replaced", &column.place, message).hint("remove it from anonymise"));
            }
        }
    }

    /// What replaces a value fits its column: NOT NULL, UNIQUE, type, generated.
    pub(super) fn replacements_fit(&mut self, mapping: &Mapping) {
        for node in mapping.nodes.iter().filter(|node| stays(node)) {
            let (Some((rows, _)), Some(table)) = (self.classification(node), self.schema.table(&node.table)) else {
                continue;
            };
            for (written, how) in &rows.anonymise {
                if let Some(column) = table.column(&written.value) {
                    self.replacement_fits(table, column, written, &how.value, rows);
                }
            }
        }
    }

    fn replacement_fits(
        &mut self,
        table: &Table,
        column: &TableColumn,
        written: &Column,
        how: &Anonymise,
        rows: &Classification,
    ) {
        let name = format!("{} of {}", column.name, table.name);
        if column.generated {
            let message = format!("{name} is computed by the database and cannot be set");
            let hint = "remove it: it follows the columns it is computed from";
            self.report(Finding::error("generated-column", &written.place, message).hint(hint));
            return;
        }
        let refers_to = table.foreign_keys.iter().find(|key| holds(&key.columns, &column.name));
        if let (Some(key), Anonymise::Template(_) | Anonymise::Truncate { .. }) = (refers_to, how) {
            let message = format!("{name} refers to {}, and what replaces it would refer to nothing", key.parent);
            let hint = "keep it, write \"null\", or write { value = … } with a value that exists there";
            self.report(Finding::error("reference-broken", &written.place, message).hint(hint));
        }
        if *how == Anonymise::Null && column.not_null {
            let message = format!("{name} refuses NULL");
            let hint = match column.affinity {
                _ if refers_to.is_some() => {
                    "keep it, or write { value = … } with a value that exists where it refers to"
                }
                Affinity::Integer | Affinity::Real => "write { value = 0 }",
                Affinity::Text | Affinity::Numeric | Affinity::Blob => {
                    "write { value = \"\" } or { template = \"erased-{key}\" }"
                }
            };
            self.report(Finding::error("not-null", &written.place, message).hint(hint));
        }
        if is_constant(how) && self.is_alone_unique(table, column, rows) {
            let message = format!("{name} is unique and cannot hold the same value in two rows");
            let hint = "write { template = \"erased-{key}\" }, which differs from row to row";
            self.report(Finding::error("not-unique", &written.place, message).hint(hint));
        }
        if let Some((limit, length)) = too_long(column, how) {
            let message =
                format!("{name} is declared for {limit} characters, and what replaces it has {length} or more");
            let hint = "write something shorter: SQLite does not mind, and the application may";
            self.report(Finding::warning("too-long", &written.place, message).hint(hint));
        }
        if let Some(expected) = misfit(column, how) {
            let message = format!("{name} holds {expected} and would hold text");
            let hint = "write { value = 0 } or the like, or \"null\" where the column allows it";
            self.report(Finding::error("wrong-type", &written.place, message).hint(hint));
        }
    }

    /// Whether a unique key has this column, and otherwise only columns that would be the same in two rows too.
    fn is_alone_unique(&self, table: &Table, column: &TableColumn, rows: &Classification) -> bool {
        let becomes_constant = |name: &String| {
            rows.anonymise
                .iter()
                .any(|(written, how)| written.value.eq_ignore_ascii_case(name) && is_constant(&how.value))
        };
        table.unique_keys.iter().any(|key| holds(key, &column.name) && key.iter().all(becomes_constant))
    }
}

/// Whether rows of this node may stay and be changed.
pub(super) fn stays(node: &Node) -> bool {
    use crate::config::Rule;
    match node.fate {
        Fate::Record => true,
        // Only the reference of a row that is a record itself is cut; its own file says the rest.
        Fate::OtherRecord => false,
        Fate::Dependent(Rule::Delete) => false,
        Fate::Dependent(Rule::Keep | Rule::Unlink) => true,
    }
}

fn is_written(rows: &Classification, name: &str) -> bool {
    rows.keep.iter().any(|column| column.value.eq_ignore_ascii_case(name))
        || rows.anonymise.iter().any(|(column, _)| column.value.eq_ignore_ascii_case(name))
}

/// Columns that need no classification: the key, and references that the settings deal with.
fn structural_columns(mapping: &Mapping, place: usize, node: &Node, table: &Table) -> Vec<String> {
    let mut columns = if node.link.is_none() { mapping.key.clone() } else { table.primary_key.clone() };
    if let Some(link) = &node.link {
        columns.extend(link.columns.iter().cloned());
    }
    for (_, _, link) in mapping.children(place).filter(|(_, _, link)| link.direction == Direction::Owned) {
        columns.extend(link.parent_columns.iter().cloned());
    }
    for (_, child, link) in mapping.children(place) {
        // A table that refers to itself: the reference is dealt with by the dependent.
        if link.direction == Direction::Child && child.table == node.table {
            columns.extend(link.columns.iter().cloned());
        }
    }
    if table.kind != TableKind::Ordinary {
        // Columns that a virtual table has by its nature, such as its own name.
        columns.push(table.name.clone());
        columns.push("rank".to_owned());
    }
    columns
}

/// Whether two rows would hold the same.
fn is_constant(how: &Anonymise) -> bool {
    match how {
        Anonymise::Null | Anonymise::Truncate { .. } => false,
        Anonymise::Value(_) => true,
        Anonymise::Template(template) => !template.0.contains(&TemplatePart::Key),
    }
}

/// The declared length of a column, and what the replacement has at least, where that is more.
fn too_long(column: &TableColumn, how: &Anonymise) -> Option<(usize, usize)> {
    let characters = |text: &str| text.chars().count();
    let length = match how {
        Anonymise::Value(Literal::Text(text)) => characters(text),
        Anonymise::Template(template) => template
            .0
            .iter()
            .map(|part| match part {
                TemplatePart::Text(text) => characters(text),
                TemplatePart::Key => 1,
            })
            .sum(),
        Anonymise::Null | Anonymise::Truncate { .. } | Anonymise::Value(Literal::Integer(_) | Literal::Real(_)) => {
            return None;
        }
    };
    let (_, rest) = column.declared_type.split_once('(')?;
    let limit = rest.split([',', ')']).next()?.trim().parse::<usize>().ok()?;
    (column.affinity == Affinity::Text && length > limit).then_some((limit, length))
}

/// What the column holds, where the replacement is none of it. A column of no or of a looser type takes anything.
fn misfit(column: &TableColumn, how: &Anonymise) -> Option<&'static str> {
    let text = match how {
        Anonymise::Value(Literal::Text(text)) => text.as_str(),
        // A template is text whatever its key.
        Anonymise::Template(_) => "text",
        Anonymise::Null | Anonymise::Truncate { .. } | Anonymise::Value(Literal::Integer(_) | Literal::Real(_)) => {
            return None;
        }
    };
    let is_number = text.trim().parse::<f64>().is_ok();
    match column.affinity {
        Affinity::Integer if !is_number => Some("whole numbers"),
        Affinity::Real if !is_number => Some("numbers"),
        Affinity::Integer | Affinity::Real | Affinity::Text | Affinity::Numeric | Affinity::Blob => None,
    }
}
