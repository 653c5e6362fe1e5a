//! Settings against the live schema: every rule that must hold before anything runs.
//!
//! [`category`] goes through the rules in turn and reports everything it finds; only when nothing stops the category does
//! it give a [`Mapping`]. The rules themselves are pure where the schema alone answers them, and stand in files of their
//! own: [`names`] resolves what is written, [`links`] follows the dependents, [`cover`] sees that no reference is left behind, [`columns`] sees that every column is
//! classified and that what replaces it fits, [`ties`] looks at what links categories to one another, [`triggers`] looks at the application's code, [`live`] asks the database. Of the
//! source as a whole [`removal()`] says what keeps erased values in its files.

mod columns;
mod cover;
mod links;
mod live;
mod names;
mod removal;
mod ties;
mod triggers;

pub use self::removal::removal;
use crate::config::{Category, Finding, LabelTemplate, Located, Settings};
use crate::record::{IdentityVersion, KeyType};
use crate::source::mapping::{Mapping, Node, Reference};
use crate::source::schema::{Affinity, Schema, Table};
use crate::source::{Reader, Shape, SourceError};

/// What came of checking a category.
#[derive(Debug)]
pub struct Checked {
    /// The category over the schema; `None` where an error stops it.
    pub mapping: Option<Mapping>,
    /// What it relies on in the schema; `None` likewise.
    pub shape: Option<Shape>,
    /// Everything there is to tell, errors first.
    pub findings: Vec<Finding>,
}

/// Whether a check also reads rows: to try anonymising on a copy, and to look for copies of personal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The schema and the settings' SQL: before each run.
    Schema,
    /// Rows too: `erasured check`.
    Rows,
}

/// Checks one category against the schema of its source.
///
/// # Errors
/// When the source cannot be read. What is wrong with the settings is no error but a finding.
pub async fn category(
    reader: &mut Reader,
    settings: &Settings,
    category: &Category,
    depth: Depth,
) -> Result<Checked, SourceError> {
    let schema = reader.schema().clone();
    let mut check = Check { schema: &schema, settings, category, findings: Vec::new() };
    let mapping = check.mapping();
    if let Some(mapping) = &mapping {
        check.columns_are_classified(mapping);
        check.personal_key_stays(mapping);
        check.replacements_fit(mapping);
        check.references_are_covered(mapping);
        check.replaced_columns_are_not_referred_to(mapping);
        check.triggers_are_named(mapping);
        check.triggers_let_go(mapping);
        check.text_indexes_are_kept(mapping);
        check.indexes_help(mapping);
        check.expressions_compile(reader, mapping).await?;
        check.changes_compile(reader, mapping).await?;
        if depth == Depth::Rows && !check.has_errors() {
            check.trial(reader, mapping).await?;
            check.copies(reader, mapping).await?;
        }
    }
    let mut findings = check.findings;
    findings.sort_by_key(|finding| (finding.severity, finding.place.clone()));
    let mapping = mapping.filter(|_| !findings.iter().any(Finding::is_error));
    let shape = mapping.as_ref().map(|mapping| reader.0.shape(mapping, category));
    Ok(Checked { mapping, shape, findings })
}

/// A category under examination.
struct Check<'a> {
    schema: &'a Schema,
    settings: &'a Settings,
    category: &'a Category,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// The category over the schema as far as names go; `None` where a name leads nowhere.
    fn mapping(&mut self) -> Option<Mapping> {
        self.names_are_free();
        let table = self.category_table()?;
        let key = self.key(table)?;
        let label = self.label(table);
        let identity = self.identity(table, label.as_ref());
        let nodes = self.nodes(table, &key)?;
        let ties = self.ties(table, &key);
        let identity = identity?;
        if self.has_errors() {
            return None;
        }
        Some(Mapping {
            category: self.category.name.clone(),
            key_types: key.iter().map(|column| key_type(table, column)).collect(),
            key_is_personal: self.category.key_is_personal,
            key,
            identity_version: IdentityVersion::of(&identity),
            identity,
            label,
            unit: self.category.unit.as_ref().map(|unit| unit.value.clone()),
            criteria: self.category.criteria.iter().filter(|criterion| criterion.enabled).cloned().collect(),
            mark: self.category.manual.mark.clone(),
            references: self.references(&nodes),
            nodes,
            ties,
        })
    }

    /// Every reference, declared or set, that leads to a node's table.
    fn references(&self, nodes: &[Node]) -> Vec<Reference> {
        let mut found: Vec<Reference> = Vec::new();
        let mut add = |table: &Table, columns: &[String], parent: &str, parent_columns: &[String]| {
            let Some(row_id) = table.row_id.clone() else {
                return;
            };
            let reference = Reference {
                table: table.name.clone(),
                columns: columns.to_vec(),
                row_id,
                is_indexed: table.has_index_on(columns),
                parent: parent.to_owned(),
                parent_columns: parent_columns.to_vec(),
            };
            if !found.contains(&reference) {
                found.push(reference);
            }
        };
        for node in nodes {
            for (table, key) in self.schema.references_to(&node.table) {
                add(table, &key.columns, &node.table, &key.parent_columns);
            }
            let Some((link, parent)) = node.link.as_ref().and_then(|link| Some((link, nodes.get(link.parent)?))) else {
                continue;
            };
            match link.direction {
                crate::source::Direction::Child => {
                    if let Some(table) = self.schema.table(&node.table) {
                        add(table, &link.columns, &parent.table, &link.parent_columns);
                    }
                }
                crate::source::Direction::Owned => {
                    if let Some(table) = self.schema.table(&parent.table) {
                        add(table, &link.parent_columns, &node.table, &link.columns);
                    }
                }
            }
        }
        found
    }
}

fn key_type(table: &Table, column: &str) -> KeyType {
    match table.column(column).map(|column| column.affinity) {
        Some(Affinity::Text) => KeyType::Text,
        _ => KeyType::Other,
    }
}

/// What a record is called where the settings do not say: by the columns that such tables usually have.
fn usual_label(table: &Table) -> Option<LabelTemplate> {
    use crate::config::LabelPart::{Column, Text};
    const LAST_NAMES: [&str; 6] = ["last_name", "lastname", "surname", "family_name", "nachname", "familienname"];
    const FIRST_NAMES: [&str; 5] = ["first_name", "firstname", "given_name", "givenname", "vorname"];
    const NAMES: [&str; 4] = ["name", "full_name", "fullname", "display_name"];
    let find = |names: &[&str]| names.iter().find_map(|name| table.column(name)).map(|column| column.name.clone());
    let whole = |name| Column { name, characters_max: None };
    match (find(&LAST_NAMES), find(&FIRST_NAMES), find(&NAMES)) {
        (Some(last), Some(first), _) => Some(LabelTemplate(vec![
            whole(last),
            Text(", ".to_owned()),
            Column { name: first, characters_max: Some(1) },
            Text(".".to_owned()),
        ])),
        (Some(name), None, _) | (None, _, Some(name)) => Some(LabelTemplate(vec![whole(name)])),
        (None, _, None) => None,
    }
}

/// Names as a sentence has them: `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The names that the operator wrote.
fn written(columns: &[Located<String>]) -> Vec<String> {
    columns.iter().map(|column| column.value.clone()).collect()
}
