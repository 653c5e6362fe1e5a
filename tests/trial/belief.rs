//! What the database would hold had nobody but the application written to it, and what erasing makes of that.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use crate::application::{Entry, Write};
use crate::common::Bench;
use crate::world::{TABLES, anonymous_email};

/// A row, its key first.
pub type Row = Vec<Value>;

/// Every row of every table, by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belief {
    tables: BTreeMap<&'static str, BTreeMap<String, Row>>,
    columns: BTreeMap<&'static str, Vec<String>>,
}

/// How a key is written in a record's name.
pub fn name_of(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// A row's values, as far as these tables have them: numbers, texts and NULL.
pub fn cells(row: &SqliteRow) -> Row {
    (0..row.len())
        .map(|column| {
            let value = row.try_get_raw(column).unwrap();
            match value.type_info().name() {
                _ if value.is_null() => Value::Null,
                "INTEGER" => Value::from(row.try_get_unchecked::<i64, _>(column).unwrap()),
                _ => Value::from(row.try_get_unchecked::<String, _>(column).unwrap()),
            }
        })
        .collect()
}

impl Belief {
    /// What the database holds now.
    pub async fn read(bench: &Bench) -> Self {
        let mut connection = bench.connect().await;
        let (mut tables, mut columns) = (BTreeMap::new(), BTreeMap::new());
        for table in TABLES {
            let sql = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            let rows = rows.iter().map(cells).map(|row| (name_of(&row[0]), row)).collect();
            tables.insert(table, rows);
            let sql = sqlx::AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')"));
            columns.insert(table, sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap());
        }
        sqlx::Connection::close(connection).await.unwrap();
        Self { tables, columns }
    }

    /// The same after the first `entries` entries of the application's log, or after all.
    pub fn after(&self, log: &Path, entries: Option<usize>) -> Self {
        let mut after = self.clone();
        let text = std::fs::read_to_string(log).unwrap();
        for line in text.lines().take(entries.unwrap_or(usize::MAX)) {
            let entry: Entry = serde_json::from_str(line).unwrap();
            for (table, write) in entry.writes {
                after.write(&table, write);
            }
        }
        after
    }

    fn write(&mut self, table: &str, write: Write) {
        let columns = &self.columns[table];
        let rows = self.tables.get_mut(table).unwrap();
        match write {
            Write::Row(row) => {
                let replaced = rows.insert(name_of(&row[0]), row);
                assert_eq!(replaced, None, "the application's log has a row of {table} twice");
            }
            Write::Set(key, set) => {
                // A row that was erased as a dependent or kept without its name may still be changed otherwise.
                let row = rows.get_mut(&name_of(&key)).unwrap_or_else(|| panic!("{table} has no {key}"));
                for (name, value) in set {
                    row[columns.iter().position(|column| *column == name).unwrap()] = value;
                }
            }
            Write::Gone(key) => {
                rows.remove(&name_of(&key)).unwrap_or_else(|| panic!("{table} has no {key}"));
            }
        }
    }

    /// The row under this key.
    pub fn row(&self, table: &str, key: &str) -> Option<&Row> {
        self.tables[table].get(key)
    }

    /// Every row of a table.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = (&String, &Row)> {
        self.tables[table].iter()
    }

    /// A column of a row.
    pub fn cell<'r>(&self, table: &str, row: &'r Row, column: &str) -> &'r Value {
        &row[self.columns[table].iter().position(|name| name == column).unwrap()]
    }

    /// How many rows of a table have this in a column.
    pub fn referring(&self, table: &str, column: &str, key: &Value) -> usize {
        self.tables[table].values().filter(|row| self.cell(table, row, column) == key).count()
    }

    fn remove_where(&mut self, table: &'static str, is_so: impl Fn(&Row) -> bool) {
        self.tables.get_mut(table).unwrap().retain(|_, row| !is_so(row));
    }

    /// Erases a customer: with orders the row stays, without any name.
    pub fn erase_customer(&mut self, key: &str) {
        let id = self.tables["customers"][key][0].clone();
        let orders: Vec<Value> =
            self.tables["orders"].values().filter(|row| row[1] == id).map(|row| row[0].clone()).collect();
        self.remove_where("order_notes", |row| orders.contains(&row[1]));
        self.remove_where("addresses", |row| row[1] == id);
        let Some(customer) = self.tables.get_mut("customers").unwrap().get_mut(key) else { return };
        if orders.is_empty() {
            self.remove_where("customers", |row| row[0] == id);
            return;
        }
        customer[1] = Value::Null;
        customer[2] = anonymous_email(id.as_i64().unwrap()).into();
        customer[3] = Value::Null;
        customer[4] = Value::Null;
        for order in orders {
            self.tables.get_mut("orders").unwrap().get_mut(&name_of(&order)).unwrap()[2] = Value::Null;
        }
    }

    /// Erases a user: nothing keeps one.
    pub fn erase_user(&mut self, login: &str) {
        self.remove_where("sessions", |row| row[1] == login);
        self.remove_where("users", |row| row[0] == login);
    }

    /// Erases a person or a member. The other goes in the same batch, or else the one stays without a name.
    pub fn erase_alone(&mut self, table: &'static str, key: &str) {
        self.tables.get_mut(table).unwrap().remove(key);
    }

    /// In what the two differ, at most some of it.
    pub fn differences(&self, actual: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for table in TABLES {
            let (wanted, found) = (&self.tables[table], &actual.tables[table]);
            for key in wanted.keys().chain(found.keys().filter(|key| !wanted.contains_key(*key))) {
                let (wanted, found) = (wanted.get(key), found.get(key));
                if wanted != found {
                    let shown =
                        |row: Option<&Row>| row.map_or("no row".to_owned(), |row| Value::from(row.clone()).to_string());
                    told.push(format!("{table} {key}: {} instead of {}", shown(found), shown(wanted)));
                }
            }
        }
        told
    }
}
