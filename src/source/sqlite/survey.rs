//! One pass through the rows that refer to the records of many batches by columns without an index.
//!
//! A batch finds such rows only by looking at every row of their table. A survey looks at every row once, outside any
//! lock, for tens of thousands of records, and remembers in temporary tables in memory which row refers to which record.
//! It holds for as long as nobody else has changed the database, which every batch asks under its lock; whatever is not
//! certain is looked for as before.

use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::{count, execute, fetch, value};
use super::select::{keyed, keys_as_json};
use super::stage::{Layout, columns_of, fate};
use super::text::{qualified, quote, refers};
use crate::record::{RecordKey, Value};
use crate::source::SourceError;
use crate::source::mapping::{Mapping, NodeLink, Reference};
use crate::source::rows::Surveyed;

const DOING: &str = "look for what refers to the records";

/// Rows that are looked at together: with a rollback journal nobody can write meanwhile.
const STRETCH_ROWS: u32 = 10_000;

/// Rows that are remembered at most, in memory.
const REMEMBERED_ROWS_MAX: u64 = 200_000;
/// Records that are looked up together.
const RECORDS_TOGETHER: usize = 1_000;

/// The records that a survey was made for.
const SURVEYED: &str = "temp.erasured_surveyed";

/// What a survey has seen.
pub(super) struct Survey {
    data_version: u64,
}

/// The database's version for this connection: another after every commit of somebody else.
pub(super) async fn data_version(connection: &mut SqliteConnection) -> Result<u64, SourceError> {
    let sql = "PRAGMA data_version".to_owned();
    let found = fetch(connection, "read whether the application is active", sql, Vec::new()).await?;
    found.first().map_or(Ok(0), |row| count(row, 0))
}

impl Survey {
    /// Looks through every table that refers to the category's by columns without an index.
    pub(super) async fn make(
        connection: &mut SqliteConnection,
        mapping: &Mapping,
        keys: &[RecordKey],
    ) -> Result<(Surveyed, Option<Self>), SourceError> {
        let before = data_version(connection).await?;
        note_records(connection, mapping, keys).await?;
        let mut room = REMEMBERED_ROWS_MAX;
        for (place, reference) in mapping.surveyed() {
            if !note_references(connection, mapping, place, reference, &mut room).await? {
                return Ok((Surveyed::TooMany, None));
            }
        }
        if data_version(connection).await? == before {
            Ok((Surveyed::Holds, Some(Self { data_version: before })))
        } else {
            Ok((Surveyed::Disturbed, None))
        }
    }

    /// Whether nobody else has changed anything since. To be asked under the lock.
    pub(super) async fn holds(&self, connection: &mut SqliteConnection) -> Result<bool, SourceError> {
        Ok(data_version(connection).await? == self.data_version)
    }
}

/// The place of the survey that follows this link, where one does.
pub(super) fn of_link(mapping: &Mapping, table: &str, link: &NodeLink) -> Option<usize> {
    let mut found = mapping.surveyed().filter(|(_, reference)| {
        reference.table == table
            && reference.columns == link.columns
            && reference.parent_columns == link.parent_columns
            && link.parent == 0
    });
    found.next().map(|(place, _)| place)
}

/// Which row (`c0`…) refers to which record (`p0`…) by the reference at this place of the mapping.
pub(super) fn table(place: usize) -> String {
    format!("temp.erasured_survey_{place}")
}

/// SQL: how many records of the layout a survey was not made for.
pub(super) fn not_surveyed(row_id: &[String]) -> String {
    let row_id = row_id.join(", ");
    format!("SELECT count(*) FROM {} WHERE ({row_id}) NOT IN (SELECT {row_id} FROM {SURVEYED})", Layout::table(0))
}

impl Layout<'_> {
    /// SQL: whether a row that may refer to a deleted record is one that did so when the survey was made. Since then
    /// nobody but this batch has changed anything. Nothing where every row has to be looked at.
    pub(super) fn among_surveyed(&self, number: usize, reference: &Reference, place: usize) -> String {
        if !self.is_surveyed || place != 0 || !self.mapping.surveyed().any(|(own, _)| own == number) {
            return String::new();
        }
        let Some(node) = self.mapping.nodes.first() else {
            return String::new();
        };
        let own: Vec<String> = reference.row_id.names().into_iter().map(quote).collect();
        let records = numbered("p", node.row_id.names().len());
        format!(
            "({}) IN (SELECT {} FROM {} WHERE ({}) IN ({})) AND ",
            own.join(", "),
            numbered("c", own.len()).join(", "),
            table(number),
            records.join(", "),
            Self::rows(0, node, &[fate::GOES])
        )
    }
}

async fn note_records(
    connection: &mut SqliteConnection,
    mapping: &Mapping,
    keys: &[RecordKey],
) -> Result<(), SourceError> {
    let Some(node) = mapping.nodes.first() else {
        return Ok(());
    };
    let own: Vec<String> = node.row_id.names().iter().map(|name| qualified("t", name)).collect();
    let named: Vec<String> = own.iter().enumerate().map(|(i, name)| format!("{name} AS i{i}")).collect();
    let key: Vec<String> = mapping.key.iter().map(|column| qualified("t", column)).collect();
    let select = format!("SELECT {} FROM {} t", named.join(", "), quote(&node.table));
    remake(connection, SURVEYED, &select, &numbered("i", own.len())).await?;
    let select = format!(
        "SELECT {} FROM json_each(?1) k CROSS JOIN {} t ON {}",
        own.join(", "),
        quote(&node.table),
        keyed(&key)
    );
    let sql = format!("INSERT INTO {SURVEYED} {select}");
    for keys in keys.chunks(RECORDS_TOGETHER) {
        execute(connection, DOING, sql.clone(), vec![keys_as_json(&mapping.key_types, keys)]).await?;
    }
    Ok(())
}

/// Notes which rows refer to the records by this reference; false when there is no more room for them.
async fn note_references(
    connection: &mut SqliteConnection,
    mapping: &Mapping,
    place: usize,
    reference: &Reference,
    room: &mut u64,
) -> Result<bool, SourceError> {
    let Some(node) = mapping.nodes.first() else {
        return Ok(true);
    };
    let row_id: Vec<&str> = reference.row_id.names();
    let (above, below): (Vec<String>, Vec<String>) = (
        node.row_id.names().iter().map(|name| qualified("q", name)).collect(),
        row_id.iter().map(|name| qualified("c", name)).collect(),
    );
    let named = |prefix: &str, columns: &[String]| -> Vec<String> {
        columns.iter().enumerate().map(|(i, column)| format!("{column} AS {prefix}{i}")).collect()
    };
    let columns = [named("p", &above), named("c", &below)].concat().join(", ");
    let met = refers(&columns_of("c", &reference.columns), &columns_of("q", &reference.parent_columns));
    let (own, parent) = (quote(&reference.table), quote(&reference.parent));
    let empty = format!("SELECT {columns} FROM {own} c CROSS JOIN {parent} q");
    remake(connection, &table(place), &empty, &numbered("p", above.len())).await?;
    let surveyed: Vec<String> = above.iter().enumerate().map(|(i, column)| format!("w.i{i} = {column}")).collect();
    let found = format!(
        "INSERT INTO {} SELECT {columns} FROM {own} c CROSS JOIN {parent} q ON {met} CROSS JOIN {SURVEYED} w ON {}",
        table(place),
        surveyed.join(" AND ")
    );
    let row_id = below.join(", ");
    let (mut range, mut bindings) = ("1".to_owned(), Vec::new());
    loop {
        let order = format!("ORDER BY {row_id} LIMIT 1 OFFSET {}", STRETCH_ROWS - 1);
        let end = format!("SELECT {row_id} FROM {own} c WHERE {range} {order}");
        let end = fetch(connection, DOING, end, bindings.clone()).await?;
        let Some(end) = end.first().map(|row| values(row, below.len())).transpose()? else {
            let noted = execute(connection, DOING, format!("{found} WHERE {range}"), bindings).await?;
            *room = room.saturating_sub(noted);
            return Ok(*room > 0);
        };
        let places: Vec<String> = (1..=end.len()).map(|i| format!("?{}", bindings.len() + i)).collect();
        bindings.extend(end.iter().cloned());
        let stretch = format!("{found} WHERE {range} AND ({row_id}) <= ({})", places.join(", "));
        *room = room.saturating_sub(execute(connection, DOING, stretch, bindings).await?);
        if *room == 0 {
            return Ok(false);
        }
        range = format!("({row_id}) > ({})", numbered("?", end.len()).join(", "));
        bindings = end;
    }
}

fn values(row: &SqliteRow, columns: usize) -> Result<Vec<Value>, SourceError> {
    (0..columns).map(|column| value(row, column)).collect()
}

fn numbered(prefix: &str, count: usize) -> Vec<String> {
    let first = usize::from(prefix == "?");
    (first..first + count).map(|i| format!("{prefix}{i}")).collect()
}

/// Makes a temporary table anew, empty, with the columns of this query and an index over some of them.
async fn remake(
    connection: &mut SqliteConnection,
    table: &str,
    select: &str,
    indexed: &[String],
) -> Result<(), SourceError> {
    let name = table.trim_start_matches("temp.");
    for sql in [
        format!("DROP TABLE IF EXISTS {table}"),
        format!("CREATE TABLE {table} AS {select} WHERE 0"),
        format!("CREATE INDEX {table}_by ON {name} ({})", indexed.join(", ")),
    ] {
        execute(connection, DOING, sql, Vec::new()).await?;
    }
    Ok(())
}
