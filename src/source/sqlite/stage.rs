//! Lays out, in temporary tables in memory, every row that erasing a batch reaches, and decides what happens to each.
//!
//! The same statements serve a dry run on a reading connection and a batch inside its transaction. One temporary table
//! stands for each node of the mapping (`temp.erasured_N`; a table of the application would be hidden by another of its
//! name): the row's name (`i0`…), the record that it belongs to (`root`), its `fate` (see [`fate`]), and the values by
//! which other rows refer to it (`r0`…), which are needed when the row itself has gone.

use sqlx::sqlite::SqliteConnection;

use super::anonymise;
use super::apply::assignments;
use super::connection::{count, execute, fetch, value};
use super::select::{keyed, keys_as_json};
use super::survey;
use super::text::{qualified, quote, refers};
use crate::record::{RecordKey, Value};
use crate::source::SourceError;
use crate::source::mapping::{Direction, Mapping, Node, NodeLink};
use crate::source::rows::{DependentCount, Outcome, Staged, StagedRecord};

/// What is decided for a row: the numbers in the column `fate`.
pub(super) mod fate {
    /// It stays, changed or not.
    pub(in super::super) const STAYS: u8 = 0;
    /// It goes.
    pub(in super::super) const GOES: u8 = 1;
    /// It goes through another node of the same table, which counts it.
    pub(in super::super) const GOES_ELSEWHERE: u8 = 2;
    /// It stays untouched, because something beyond the batch refers to it.
    pub(in super::super) const SHARED: u8 = 3;
}

pub(super) const DOING: &str = "lay out the rows of a batch";

/// A mapping with the names that its rows have in temporary tables.
#[derive(Clone, Copy)]
pub(super) struct Layout<'m> {
    pub(super) mapping: &'m Mapping,
    /// Whether a survey holds.
    pub(super) is_surveyed: bool,
}

impl<'m> Layout<'m> {
    /// The temporary table of a node.
    pub(super) fn table(place: usize) -> String {
        format!("temp.erasured_{place}")
    }

    /// The columns by which rows of a node's table are referred to: stored as `r0`…
    pub(super) fn referred_columns(&self, node: &Node) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        let links = self.mapping.nodes.iter().filter_map(|child| child.link.as_ref()).filter(|link| {
            link.direction == Direction::Child
                && self.mapping.nodes.get(link.parent).is_some_and(|parent| parent.table == node.table)
        });
        let by_link = links.flat_map(|link| &link.parent_columns);
        let by_reference = self
            .mapping
            .references
            .iter()
            .filter(|reference| reference.parent == node.table)
            .flat_map(|r| &r.parent_columns);
        for column in by_link.chain(by_reference) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        columns
    }

    /// Where the values of these columns are stored: `r2, r0`.
    pub(super) fn stored(&self, node: &Node, columns: &[String]) -> Vec<String> {
        let referred = self.referred_columns(node);
        columns
            .iter()
            .filter_map(|column| referred.iter().position(|own| own == column))
            .map(|index| format!("r{index}"))
            .collect()
    }

    fn row_id(node: &Node, alias: &str) -> Vec<String> {
        node.row_id.names().into_iter().map(|name| qualified(alias, name)).collect()
    }

    pub(super) fn stored_row_id(node: &Node, alias: &str) -> Vec<String> {
        (0..node.row_id.names().len()).map(|i| format!("{alias}.i{i}")).collect()
    }

    /// `alias` is the row that temporary table `stored` names.
    pub(super) fn same_row(node: &Node, alias: &str, stored: &str) -> String {
        equal(&Self::row_id(node, alias), &Self::stored_row_id(node, stored))
    }

    /// The names of a node's rows whose fate is this: a query.
    pub(super) fn rows(place: usize, node: &Node, fates: &[u8]) -> String {
        let columns: Vec<String> = (0..node.row_id.names().len()).map(|i| format!("i{i}")).collect();
        let fates: Vec<String> = fates.iter().map(u8::to_string).collect();
        format!("SELECT {} FROM {} WHERE fate IN ({})", columns.join(", "), Self::table(place), fates.join(", "))
    }

    /// What to select for a row of `node` under the name `alias`: its name, its record, its fate and its values.
    fn staged_columns(&self, node: &Node, alias: &str, root: &str, fate: u8) -> String {
        let mut columns = Vec::new();
        for (index, name) in Self::row_id(node, alias).iter().enumerate() {
            columns.push(format!("{name} AS i{index}"));
        }
        columns.push(format!("{root} AS root"));
        columns.push(format!("{fate} AS fate"));
        for (index, column) in self.referred_columns(node).iter().enumerate() {
            columns.push(format!("{} AS r{index}", qualified(alias, column)));
        }
        columns.join(", ")
    }

    /// Makes the temporary tables, empty. Their columns have the affinities of the tables they stand for.
    pub(super) async fn make(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        let old = fetch(
            connection,
            DOING,
            "SELECT name FROM temp.sqlite_schema WHERE name GLOB 'erasured_*' AND type = 'table'".to_owned(),
            Vec::new(),
        )
        .await?;
        for row in &old {
            if let Some(name) = value(row, 0)?.as_str() {
                execute(connection, DOING, format!("DROP TABLE temp.{}", quote(name)), Vec::new()).await?;
            }
        }
        for (place, node) in self.mapping.nodes.iter().enumerate() {
            let table = Self::table(place);
            let columns = self.staged_columns(node, "t", "0", fate::STAYS);
            let sql = format!("CREATE TABLE {table} AS SELECT {columns} FROM {} t WHERE 0", quote(&node.table));
            execute(connection, DOING, sql, Vec::new()).await?;
            let row_id: Vec<String> = (0..node.row_id.names().len()).map(|i| format!("i{i}")).collect();
            for (name, columns) in [("row", row_id.join(", ")), ("root", "root".to_owned())] {
                let sql = format!("CREATE INDEX {table}_{name} ON erasured_{place} ({columns})");
                execute(connection, DOING, sql, Vec::new()).await?;
            }
        }
        let identity: Vec<String> = self
            .mapping
            .identity
            .iter()
            .enumerate()
            .map(|(i, column)| format!("{} AS a{i}", qualified("t", column)))
            .collect();
        let sql = format!(
            "CREATE TABLE temp.erasured_after AS SELECT 0 AS root, {} FROM {} t WHERE 0",
            identity.join(", "),
            quote(self.mapping.table())
        );
        execute(connection, DOING, sql, Vec::new()).await.map(drop)
    }

    /// Lays out the rows of the records with these keys and decides what happens to each.
    pub(super) async fn stage(
        &self,
        connection: &mut SqliteConnection,
        keys: &[RecordKey],
    ) -> Result<Staged, SourceError> {
        self.stage_after(connection, keys, &[]).await
    }

    /// The same as if records of other categories had been deleted before: their rows, which keep nothing any more, are
    /// left out of what is laid out.
    pub(super) async fn stage_after(
        &self,
        connection: &mut SqliteConnection,
        keys: &[RecordKey],
        gone: &[(&Mapping, Vec<RecordKey>)],
    ) -> Result<Staged, SourceError> {
        for place in 0..self.mapping.nodes.len() {
            execute(connection, DOING, format!("DELETE FROM {}", Self::table(place)), Vec::new()).await?;
        }
        execute(connection, DOING, "DELETE FROM temp.erasured_after".to_owned(), Vec::new()).await?;
        self.stage_records(connection, keys).await?;
        self.as_surveyed(connection).await?.stage_dependents(connection, keys, gone).await
    }

    /// The layout as it can be relied on: surveyed only if all records of the batch are.
    pub(super) async fn as_surveyed(self, connection: &mut SqliteConnection) -> Result<Self, SourceError> {
        if !self.is_surveyed {
            return Ok(self);
        }
        let row_id = self.mapping.nodes.first().map(|node| node.row_id.names().len()).unwrap_or_default();
        let found = fetch(connection, DOING, survey::not_surveyed(&numbered("i", row_id)), Vec::new()).await?;
        let is_surveyed = found.first().map(|row| count(row, 0)).transpose()? == Some(0);
        Ok(Self { is_surveyed, ..self })
    }

    async fn stage_dependents(
        &self,
        connection: &mut SqliteConnection,
        keys: &[RecordKey],
        gone: &[(&Mapping, Vec<RecordKey>)],
    ) -> Result<Staged, SourceError> {
        for place in 1..self.mapping.nodes.len() {
            self.stage_dependent(connection, place).await?;
        }
        for (mapping, keys) in gone {
            self.leave_out(connection, mapping, keys).await?;
        }
        self.decide(connection).await?;
        self.foresee_identity(connection).await?;
        self.read(connection, keys).await
    }

    /// Takes the rows of other records out of the layout.
    async fn leave_out(
        &self,
        connection: &mut SqliteConnection,
        other: &Mapping,
        keys: &[RecordKey],
    ) -> Result<(), SourceError> {
        let key: Vec<String> = other.key.iter().map(|column| qualified("t", column)).collect();
        let table = quote(other.table());
        for (place, node) in self.mapping.nodes.iter().enumerate().skip(1) {
            if node.table != other.table() {
                continue;
            }
            let sql = format!(
                "DELETE FROM {} WHERE ({}) IN (SELECT {} FROM json_each(?1) k CROSS JOIN {table} t ON {})",
                Self::table(place),
                numbered("i", node.row_id.names().len()).join(", "),
                Self::row_id(node, "t").join(", "),
                keyed(&key)
            );
            execute(connection, DOING, sql, vec![keys_as_json(&other.key_types, keys)]).await?;
        }
        Ok(())
    }

    async fn stage_records(&self, connection: &mut SqliteConnection, keys: &[RecordKey]) -> Result<(), SourceError> {
        let Some(node) = self.mapping.nodes.first() else {
            return Ok(());
        };
        let key: Vec<String> = self.mapping.key.iter().map(|column| qualified("t", column)).collect();
        let sql = format!(
            "INSERT INTO {} SELECT {} FROM json_each(?1) k CROSS JOIN {} t ON {}",
            Self::table(0),
            self.staged_columns(node, "t", "k.key", fate::GOES),
            quote(&node.table),
            keyed(&key)
        );
        execute(connection, DOING, sql, vec![keys_as_json(&self.mapping.key_types, keys)]).await.map(drop)
    }

    pub(super) async fn stage_dependent(
        &self,
        connection: &mut SqliteConnection,
        place: usize,
    ) -> Result<(), SourceError> {
        let Some((node, link, parent)) = self.linked(place) else {
            return Ok(());
        };
        let (own, above) = (columns_of("c", &link.columns), columns_of("q", &link.parent_columns));
        let met = match link.direction {
            Direction::Child => refers(&own, &above),
            Direction::Owned => refers(&above, &own),
        };
        let same = Self::same_row(parent, "q", "p");
        let (own, above) = (quote(&node.table), quote(&parent.table));
        let stored = Self::table(link.parent);
        let survey = survey::of_link(self.mapping, &node.table, link).filter(|_| self.is_surveyed);
        // Without an index one pass over the dependents is cheaper than a search for each record.
        let from = if link.is_indexed {
            format!("{stored} p CROSS JOIN {above} q ON {same} CROSS JOIN {own} c ON {met}")
        } else if let Some(survey) = survey {
            let record = equal(&numbered("s.p", Self::row_id(parent, "q").len()), &Self::stored_row_id(parent, "p"));
            let row = Self::row_id(node, "c");
            let row = equal(&row, &numbered("s.c", row.len()));
            let survey = survey::table(survey);
            format!(
                "{stored} p CROSS JOIN {survey} s ON {record} CROSS JOIN {above} q ON {same} CROSS JOIN {own} c \
                 ON {row} AND {met}"
            )
        } else {
            format!("{own} c CROSS JOIN {above} q ON {met} CROSS JOIN {stored} p ON {same}")
        };
        let sql = format!(
            "INSERT INTO {} SELECT DISTINCT {} FROM {from} WHERE p.fate <> {}",
            Self::table(place),
            self.staged_columns(node, "c", "p.root", Self::first_fate(node)),
            fate::SHARED
        );
        execute(connection, DOING, sql, Vec::new()).await.map(drop)
    }

    /// Works out what the identity columns will hold, with the affinities of the table.
    async fn foresee_identity(&self, connection: &mut SqliteConnection) -> Result<(), SourceError> {
        let Some(node) = self.mapping.nodes.first() else {
            return Ok(());
        };
        let after: Vec<String> = self
            .mapping
            .identity
            .iter()
            .map(|column| match node.changes.iter().find(|change| change.column == *column) {
                Some(change) => anonymise::expression(node, change, "t"),
                None => qualified("t", column),
            })
            .collect();
        let sql = format!(
            "INSERT INTO temp.erasured_after SELECT p.root, {} FROM {} p CROSS JOIN {} t ON {} WHERE p.fate = {}",
            after.join(", "),
            Self::table(0),
            quote(&node.table),
            Self::same_row(node, "t", "p"),
            fate::STAYS
        );
        execute(connection, DOING, sql, Vec::new()).await.map(drop)
    }

    async fn read(&self, connection: &mut SqliteConnection, keys: &[RecordKey]) -> Result<Staged, SourceError> {
        let sql = format!("SELECT root, fate FROM {} ORDER BY root", Self::table(0));
        let mut records: Vec<Option<StagedRecord>> = vec![None; keys.len()];
        for row in fetch(connection, DOING, sql, Vec::new()).await? {
            let place = place_of(&value(&row, 0)?);
            if let Some((slot, key)) = place.and_then(|place| Some((records.get_mut(place)?, keys.get(place)?))) {
                let goes = count(&row, 1)? == u64::from(fate::GOES);
                let outcome = if goes { Outcome::Delete } else { Outcome::Anonymise };
                let record = StagedRecord { key: key.clone(), outcome, dependents: Vec::new(), identity_after: None };
                if slot.replace(record).is_some() {
                    return Err(same_key(self.mapping.table()));
                }
            }
        }
        self.read_identity(connection, &mut records).await?;
        for place in 1..self.mapping.nodes.len() {
            self.read_counts(connection, place, &mut records).await?;
        }
        Ok(Staged { records: records.into_iter().flatten().collect() })
    }

    async fn read_identity(
        &self,
        connection: &mut SqliteConnection,
        records: &mut [Option<StagedRecord>],
    ) -> Result<(), SourceError> {
        let sql = "SELECT * FROM temp.erasured_after".to_owned();
        for row in fetch(connection, DOING, sql, Vec::new()).await? {
            let values = (0..self.mapping.identity.len()).map(|i| value(&row, 1 + i)).collect::<Result<Vec<_>, _>>()?;
            let place = place_of(&value(&row, 0)?);
            if let Some(Some(record)) = place.and_then(|place| records.get_mut(place)) {
                record.identity_after = Some(values);
            }
        }
        Ok(())
    }

    /// Counts a dependent's rows by record; a row that several records reach counts for the first of them.
    async fn read_counts(
        &self,
        connection: &mut SqliteConnection,
        place: usize,
        records: &mut [Option<StagedRecord>],
    ) -> Result<(), SourceError> {
        let Some(node) = self.mapping.nodes.get(place) else {
            return Ok(());
        };
        let row_id: Vec<String> = (0..node.row_id.names().len()).map(|i| format!("i{i}")).collect();
        let row_id = row_id.join(", ");
        let sql = format!(
            "SELECT root, sum(fate = {}), sum(fate = {stays} AND {changed}), sum(fate = {stays} AND NOT {changed}), \
             sum(fate = {}) FROM (SELECT min(root) AS root, fate, {row_id} FROM {} GROUP BY {row_id}, fate) e \
             GROUP BY root",
            fate::GOES,
            fate::SHARED,
            Self::table(place),
            stays = fate::STAYS,
            changed = self.is_changed(place, node),
        );
        for row in fetch(connection, DOING, sql, Vec::new()).await? {
            let (deleted, changed, left, shared) = (count(&row, 1)?, count(&row, 2)?, count(&row, 3)?, count(&row, 4)?);
            if deleted + changed + left + shared == 0 {
                continue;
            }
            if let Some(Some(record)) = place_of(&value(&row, 0)?).and_then(|root| records.get_mut(root)) {
                record.dependents.push(DependentCount { node: place, deleted, changed, left, shared });
            }
        }
        Ok(())
    }

    /// SQL: whether anything changes in the row `e` of a node, given that it stays.
    fn is_changed(&self, place: usize, node: &Node) -> String {
        if !assignments(node).is_empty() {
            return "1".to_owned();
        }
        let cuts: Vec<String> = self.cuts(place, "q").into_iter().map(|cut| cut.condition).collect();
        if cuts.is_empty() {
            return "0".to_owned();
        }
        let (table, same) = (quote(&node.table), Self::same_row(node, "q", "e"));
        format!("EXISTS (SELECT 1 FROM {table} q WHERE {same} AND (({})))", cuts.join(") OR ("))
    }

    /// A dependent with its link and its parent.
    pub(super) fn linked(&self, place: usize) -> Option<(&'m Node, &'m NodeLink, &'m Node)> {
        let node = self.mapping.nodes.get(place)?;
        let link = node.link.as_ref()?;
        Some((node, link, self.mapping.nodes.get(link.parent)?))
    }
}

fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{prefix}{i}")).collect()
}

/// `a.x = b.y AND …`
fn equal(one: &[String], other: &[String]) -> String {
    let pairs: Vec<String> = one.iter().zip(other).map(|(one, other)| format!("{one} = {other}")).collect();
    pairs.join(" AND ")
}

pub(super) fn columns_of(alias: &str, columns: &[String]) -> Vec<String> {
    columns.iter().map(|column| qualified(alias, column)).collect()
}

/// Rows that the database takes for the same key, though an index told them apart.
pub(super) fn same_key(table: &str) -> SourceError {
    SourceError::Unverified { table: table.to_owned(), count: 2, fault: "have the same key".to_owned() }
}

fn place_of(value: &Value) -> Option<usize> {
    match value {
        Value::Integer(integer) => usize::try_from(*integer).ok(),
        _ => None,
    }
}
