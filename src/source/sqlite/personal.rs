//! Reads what is personal in records that are about to be erased, and in what goes or is changed with them.

use sqlx::sqlite::SqliteConnection;

use super::connection::{fetch_each, value};
use super::select::{Selection, keyed, keys_as_json};
use super::text::{qualified, quote};
use crate::config::Rule;
use crate::record::{RecordKey, Value};
use crate::source::mapping::{Fate, Mapping, Node};
use crate::source::{Schema, SourceError};

/// Rows of one dependent that are read for one batch.
const ROWS_MAX: u32 = 5_000;
const DOING: &str = "read what is personal";

/// The columns of this node that hold personal values. Of a record that stays the key stays too: it is found in use.
fn columns(schema: &Schema, mapping: &Mapping, node: &Node) -> Vec<String> {
    match node.fate {
        Fate::OtherRecord => Vec::new(),
        Fate::Dependent(Rule::Delete) => {
            // Nothing of such a row is classified, since nothing of it stays.
            let links = node.link.iter().filter(|_| !mapping.key_is_personal).flat_map(|link| &link.columns);
            let left_out: Vec<&String> = links.chain(&node.own_key).collect();
            let table = schema.table(&node.table);
            let all =
                table.iter().flat_map(|table| &table.columns).filter(|column| !column.generated && !column.hidden);
            all.map(|column| &column.name).filter(|name| !left_out.contains(name)).cloned().collect()
        }
        Fate::Record | Fate::Dependent(Rule::Keep | Rule::Unlink) => {
            let changed = node.changes.iter().map(|change| &change.column);
            let key = mapping.key.iter().filter(|_| mapping.key_is_personal && node.fate == Fate::Record);
            changed.chain(key).cloned().collect()
        }
    }
}

/// Whether the rows of the node are found without a pass through a whole table.
fn is_near(mapping: &Mapping, place: usize) -> bool {
    let path = mapping.path(place);
    let links = path.iter().filter_map(|place| mapping.nodes.get(*place)?.link.as_ref());
    links.into_iter().all(|link| link.is_indexed)
}

/// The personal values of the records with these keys and of their dependents. Dependents that no index finds are left
/// out: they would cost a pass through their table for each batch.
pub(super) async fn personal(
    connection: &mut SqliteConnection,
    schema: &Schema,
    mapping: &Mapping,
    selection: &Selection<'_>,
    keys: &[RecordKey],
) -> Result<Vec<Value>, SourceError> {
    let mut found = Vec::new();
    for (place, node) in mapping.nodes.iter().enumerate() {
        let columns = columns(schema, mapping, node);
        if columns.is_empty() || !is_near(mapping, place) {
            continue;
        }
        let sql = if place == 0 {
            let key: Vec<String> = mapping.key.iter().map(|column| qualified("t", column)).collect();
            let selected: Vec<String> = columns.iter().map(|column| qualified("t", column)).collect();
            let (selected, table) = (selected.join(", "), quote(mapping.table()));
            format!("SELECT {selected} FROM json_each(?1) k CROSS JOIN {table} t ON {}", keyed(&key))
        } else {
            let named = columns.iter().enumerate().map(|(i, column)| format!("{} AS v{i}", quote(column)));
            let selected: Vec<String> = (0..columns.len()).map(|i| format!("d.v{i}")).collect();
            let joins = selection.down_to(place, &named.collect::<Vec<_>>().join(", "));
            format!("SELECT {} FROM {joins} LIMIT {ROWS_MAX}", selected.join(", "))
        };
        let keys = vec![keys_as_json(&mapping.key_types, keys)];
        let rows = fetch_each(connection, DOING, sql, keys, |row| {
            (0..columns.len()).map(|column| value(row, column)).collect::<Result<Vec<Value>, _>>()
        });
        found.extend(rows.await?.into_iter().flatten());
    }
    Ok(found)
}
