//! Finds out what a category relies on in the schema: what its mapping reaches, and what its SQL may read.
//!
//! SQL is read word by word, not understood: every word that is the name of a table, a view or a column is taken for it.
//! What is found so may be more than is relied on, and is never less.

use super::text::{Token, quote, tokens};
use crate::config::Category;
use crate::source::mapping::{Direction, Mapping, Node};
use crate::source::schema::{Schema, Table, TableColumn, TableKind};
use crate::source::shape::{Column, Key, Reference, Shape, digest};

/// The category's shape in this schema.
pub(in crate::source) fn of(schema: &Schema, mapping: &Mapping, category: &Category) -> Shape {
    let mut shape = Shape::default();
    let mut words = Words(expressions(category).into_iter().flat_map(words_of).collect());
    for view in views(schema, &mut words) {
        shape.views.insert(view.name.clone(), digest(&wording(view.definition.iter().map(String::as_str))));
    }
    let ties = mapping.ties.iter().map(|tie| &tie.table);
    let reached: Vec<&String> = mapping.nodes.iter().map(|node| &node.table).chain(ties).collect();
    for table in schema.tables.iter().filter(|table| table.kind != TableKind::View) {
        let is_reached = reached.iter().any(|name| name.eq_ignore_ascii_case(&table.name));
        if is_reached || words.name(&table.name) {
            // Where tables are joined by all that they have in common, columns are read that nobody names.
            let matters = |column: &&TableColumn| is_reached || words.name(&column.name) || words.name("NATURAL");
            let columns = table.columns.iter().filter(matters);
            let columns = columns.map(|column| (column.name.clone(), Column::of(column))).collect();
            shape.tables.insert(table.name.clone(), columns);
        }
    }
    let is_named = |name: &str| category.triggers.iter().any(|named| named.value.eq_ignore_ascii_case(name));
    for trigger in schema.triggers.iter().filter(|trigger| is_named(&trigger.name)) {
        shape.triggers.insert(trigger.name.clone(), digest(&wording([trigger.definition.as_str()])));
    }
    shape.key =
        category.key.is_empty().then(|| Key { table: mapping.table().to_owned(), columns: mapping.key.clone() });
    shape.references = references(mapping, category);
    shape
}

/// Where the dependents' references lead, but for those of which the file says it.
fn references(mapping: &Mapping, category: &Category) -> Vec<Reference> {
    let is_written = |node: &Node| {
        category.dependents.iter().any(|dependent| dependent.name == node.name && !dependent.references.is_empty())
    };
    let nodes = mapping.nodes.iter().filter(|node| !is_written(node));
    nodes
        .filter_map(|node| {
            let link = node.link.as_ref()?;
            let above = &mapping.nodes.get(link.parent)?.table;
            let (own, theirs) = (link.columns.clone(), link.parent_columns.clone());
            Some(match link.direction {
                Direction::Child => {
                    Reference { table: node.table.clone(), columns: own, parent: above.clone(), parent_columns: theirs }
                }
                Direction::Owned => {
                    Reference { table: above.clone(), columns: theirs, parent: node.table.clone(), parent_columns: own }
                }
            })
        })
        .collect()
}

/// The views that the words name, and those that these name in turn, whose words are added.
fn views<'s>(schema: &'s Schema, words: &mut Words) -> Vec<&'s Table> {
    let mut found: Vec<&Table> = Vec::new();
    loop {
        let is_new = |table: &&Table| {
            let is_known = found.iter().any(|view| view.name == table.name);
            table.kind == TableKind::View && !is_known && words.name(&table.name)
        };
        let more: Vec<&Table> = schema.tables.iter().filter(is_new).collect();
        if more.is_empty() {
            return found;
        }
        words.0.extend(more.iter().flat_map(|view| &view.definition).flat_map(|sql| words_of(sql)));
        found.extend(more);
    }
}

/// Every SQL expression of the category, switched on or not.
fn expressions(category: &Category) -> Vec<&str> {
    let mut found = Vec::new();
    for criterion in &category.criteria {
        found.extend(criterion.since.iter().map(|since| since.sql.value.as_str()));
        found.extend(criterion.condition.iter().map(|condition| condition.value.as_str()));
    }
    found.extend(category.manual.mark.iter().map(|mark| mark.condition.value.as_str()));
    found.extend(category.unit.iter().map(|unit| unit.value.as_str()));
    let retentions = category.dependents.iter().filter_map(|dependent| dependent.retention.as_ref());
    found.extend(retentions.map(|retention| retention.sql.value.as_str()));
    found
}

/// Words that may be names.
struct Words(Vec<String>);

impl Words {
    /// Whether one of them is this name.
    fn name(&self, name: &str) -> bool {
        self.0.iter().any(|word| word.eq_ignore_ascii_case(name))
    }
}

fn words_of(sql: &str) -> Vec<String> {
    tokens(sql).iter().filter_map(|located| located.token.as_name().map(str::to_owned)).collect()
}

/// The statements, each word as itself: whatever stands between words, and how names are quoted and written, is no matter.
pub(super) fn wording<'s>(statements: impl IntoIterator<Item = &'s str>) -> String {
    statements.into_iter().flat_map(tokens).fold(String::new(), |text, located| text + &word(&located.token) + " ")
}

/// One word as itself.
pub(super) fn word(token: &Token) -> String {
    match token {
        Token::Word(word) | Token::Name(word) => quote(&word.to_lowercase()),
        Token::Text(text) => super::text::literal(text),
        Token::Parameter(name) => name.clone(),
        Token::Sign(sign) => sign.to_string(),
    }
}
