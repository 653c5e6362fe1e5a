//! Resolves the names of tables and columns that the settings write.

use super::{Check, listed, usual_label, written};
use crate::config::{Column, Finding, LabelPart, LabelTemplate, Located, Place};
use crate::source::schema::{Table, TableKind};

/// Names less like than this are not offered.
const LIKENESS_MIN: f64 = 0.7;

impl<'a> Check<'a> {
    /// The table of this name, as something that rows can be erased from.
    pub(super) fn table(&mut self, name: &Located<String>) -> Option<&'a Table> {
        let Some(table) = self.schema.table(&name.value) else {
            let finding = Finding::error("no-such-table", &name.place, format!("there is no table {}", name.value));
            let names = self.schema.tables.iter().map(|table| table.name.as_str());
            self.report(with_nearest(finding, &name.value, names));
            return None;
        };
        let fault = match &table.kind {
            TableKind::Ordinary => None,
            TableKind::Virtual { contentless: false, .. } => None,
            TableKind::Virtual { module, contentless: true, .. } => Some((
                format!(
                    "{} is a {module} table without contents, and single rows cannot be deleted from it",
                    table.name
                ),
                "let the application make it with contentless_delete=1, or leave it to its triggers",
            )),
            TableKind::View => Some((format!("{} is a view", table.name), "name the table that the view reads")),
            TableKind::Shadow => {
                Some((format!("{} holds the data of a virtual table", table.name), "name the virtual table itself"))
            }
        };
        match fault {
            None if table.row_id.is_some() => Some(table),
            None => {
                let message = format!("the rows of {} cannot be told apart", table.name);
                self.report(Finding::error("no-row-id", &name.place, message).hint(
                    "columns hide rowid, _rowid_ and oid, and there is no unique key without NULL: the application must add one",
                ));
                None
            }
            Some((message, hint)) => {
                self.report(Finding::error("not-a-table", &name.place, message).hint(hint));
                None
            }
        }
    }

    /// Tables that would stand in for what our own statements mean by their names.
    pub(super) fn names_are_free(&mut self) {
        let is_ours = |name: &str| {
            let name = name.to_ascii_lowercase();
            name == "json_each" || name.starts_with("erasured_")
        };
        let taken: Vec<String> =
            self.schema.tables.iter().map(|table| table.name.clone()).filter(|name| is_ours(name)).collect();
        if !taken.is_empty() {
            let message = format!("the database has a table {}, a name that erasured itself needs", listed(&taken));
            let hint = "the application must call it something else: here its rows could be taken for others";
            self.report(Finding::error("name-taken", &self.category.table.place, message).hint(hint));
        }
    }

    /// The category's own table, which must be no other category's.
    pub(super) fn category_table(&mut self) -> Option<&'a Table> {
        let written = &self.category.table;
        let table = self.table(written)?;
        if let TableKind::Virtual { module, .. } = &table.kind {
            let message = format!("{} is a virtual table ({module})", table.name);
            self.report(
                Finding::error("not-a-table", &written.place, message).hint("name the table whose rows it shows"),
            );
            return None;
        }
        let twin = self.settings.categories.values().find(|other| {
            other.name < self.category.name
                && other.source.value == self.category.source.value
                && other.table.value.eq_ignore_ascii_case(&table.name)
        });
        if let Some(other) = twin {
            let message = format!("{} is the table of the category {} already", table.name, other.name);
            self.report(
                Finding::error("table-taken", &written.place, message)
                    .hint(format!("write these criteria into {} too: one category for one table", other.place.file)),
            );
            return None;
        }
        Some(table)
    }

    /// The column of this name, as the schema writes it.
    pub(super) fn column(&mut self, table: &Table, name: &Located<String>) -> Option<String> {
        if let Some(column) = table.column(&name.value) {
            return Some(column.name.clone());
        }
        let message = format!("{} has no column {}", table.name, name.value);
        let finding = Finding::error("no-such-column", &name.place, message);
        let names = table.columns.iter().map(|column| column.name.as_str());
        self.report(with_nearest(finding, &name.value, names));
        None
    }

    /// All of these columns, or none where one is missing.
    pub(super) fn columns(&mut self, table: &Table, names: &[Column]) -> Option<Vec<String>> {
        let found: Vec<Option<String>> = names.iter().map(|name| self.column(table, name)).collect();
        found.into_iter().collect()
    }

    /// The columns of the record's key: they must name one row.
    pub(super) fn key(&mut self, table: &Table) -> Option<Vec<String>> {
        let place = self.category.key.first().map_or(&self.category.table.place, |first| &first.place).clone();
        if self.category.key.is_empty() && table.primary_key.is_empty() {
            let unique = table.unique_keys.first().map(|key| format!("key = {key:?}"));
            self.report(
                Finding::error("no-key", &place, format!("{} has no primary key", table.name)).hint(format!(
                    "write which columns name a record: {}",
                    unique.unwrap_or("key = [\"…\"]".to_owned())
                )),
            );
            return None;
        }
        let key = match self.category.key.as_slice() {
            [] => table.primary_key.clone(),
            names => self.columns(table, names)?,
        };
        if !table.is_unique(&key) {
            let message = format!("{} of {} may name more than one row", listed(&key), table.name);
            self.report(
                Finding::error("key-not-unique", &place, message)
                    .hint("a key needs a primary key or a UNIQUE index over these columns, without a condition"),
            );
        }
        let may_be_null = |name: &&String| {
            table.column(name).is_some_and(|column| !column.not_null)
                && !(table.primary_key.len() == 1
                    && table.column(name).is_some_and(|c| c.declared_type.eq_ignore_ascii_case("integer")))
        };
        let nullable: Vec<String> = key.iter().filter(may_be_null).cloned().collect();
        if !nullable.is_empty() {
            let message = format!("{} of {} may be NULL", listed(&nullable), table.name);
            self.report(
                Finding::warning("nullable-key", &place, message)
                    .hint("rows without a key are never due; runs count them"),
            );
        }
        Some(key)
    }

    /// What a record is called, with its columns as the schema writes them.
    pub(super) fn label(&mut self, table: &Table) -> Option<LabelTemplate> {
        let Some(label) = &self.category.label else {
            return usual_label(table);
        };
        let mut parts = Vec::new();
        for part in &label.value.0 {
            parts.push(match part {
                LabelPart::Text(text) => LabelPart::Text(text.clone()),
                LabelPart::Column { name, characters_max } => LabelPart::Column {
                    name: self.column(table, &Located::new(name.clone(), label.place.clone()))?,
                    characters_max: *characters_max,
                },
            });
        }
        Some(LabelTemplate(parts))
    }

    /// The columns that make it the same person.
    pub(super) fn identity(&mut self, table: &Table, label: Option<&LabelTemplate>) -> Option<Vec<String>> {
        if !self.category.identity.is_empty() {
            return self.columns(table, &self.category.identity);
        }
        let columns: Vec<String> =
            label.map(|label| label.columns().into_iter().map(str::to_owned).collect()).unwrap_or_default();
        // A label that names what is not there has been reported itself.
        if columns.is_empty() && label.is_none() && self.category.label.is_some() {
            return None;
        }
        if columns.is_empty() {
            let message = format!("nothing says what makes a row of {} the same person", table.name);
            self.report(
                Finding::error("no-identity", &self.category.table.place, message)
                    .hint("write identity = [\"last_name\", \"first_name\", \"created_on\"] or the like"),
            );
            return None;
        }
        Some(columns)
    }

    /// Columns of a classification that do not exist.
    pub(super) fn columns_exist(&mut self, table: &Table, keep: &[Column], anonymise: &[Column]) {
        for column in keep.iter().chain(anonymise) {
            let _ = self.column(table, column);
        }
    }
}

/// The finding with the nearest of `names` offered, or all of them where none is near and they are few.
pub(super) fn with_nearest<'n>(finding: Finding, written: &str, names: impl Iterator<Item = &'n str>) -> Finding {
    /// As many names fit into a hint.
    const NAMES_MAX: usize = 12;
    let names: Vec<&str> = names.collect();
    let likeness = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &written.to_lowercase());
    let nearest = names
        .iter()
        .map(|name| (likeness(name), *name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((_, name)) => finding.hint(format!("did you mean {name}?")),
        None if names.len() <= NAMES_MAX && !names.is_empty() => {
            finding.hint(format!("there are {}", names.join(", ")))
        }
        None if names.is_empty() => finding.hint("there is none at all: remove it"),
        None => finding.hint("look it up in the schema: letters count alike in both cases"),
    }
}

/// The place where a list of columns was written, or `otherwise`.
pub(super) fn place_of<'p>(columns: &'p [Column], otherwise: &'p Place) -> &'p Place {
    columns.first().map_or(otherwise, |first| &first.place)
}

/// The columns' names as they would be written into the settings.
pub(super) fn as_setting(columns: &[Column]) -> String {
    format!("{:?}", written(columns))
}
