//! A small application, and settings for it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::common::Bench;

/// Every third customer has an order that stays; three users are due as well.
fn sql(customers: usize) -> String {
    let mut sql = "CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, email TEXT, last_contact_on TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT);
         CREATE INDEX orders_customer ON orders (customer_id);
         CREATE TABLE users (login TEXT PRIMARY KEY NOT NULL, last_seen_on TEXT);
         INSERT INTO users VALUES ('anna', '2019-01-01'), ('berta', '2019-01-01'), ('clara', '2019-01-01');"
        .to_owned();
    for id in 1..=customers {
        write!(sql, "INSERT INTO customers VALUES ({id}, 'Name {id}', 'mail-{id}@example.org', '2015-01-01');")
            .unwrap();
        if id % 3 == 0 {
            write!(sql, "INSERT INTO orders VALUES ({}, {id}, 'Name {id}');", id * 10).unwrap();
        }
    }
    sql
}

pub const CUSTOMER: &str = r#"table = "customers"
    label = "{last_name}"
    identity = ["last_name", "email"]
    # All of them are due, and are to be erased.
    brake.share = "100 %"
    [[criterion]]
    name = "inactive"
    since = "last_contact_on"
    period = "3 years"
    [erase.anonymise]
    last_name = "null"
    email = "null"
    last_contact_on = "null"
    [[dependent]]
    table = "orders"
    column = "customer_id"
    rule = "keep"
    anonymise = { ship_name = "null" }
    "#;
const USER: &str = r#"table = "users"
    label = "{login}"
    identity = ["login"]
    [[criterion]]
    name = "unseen"
    since = "last_seen_on"
    period = "1 year"
    [erase.anonymise]
    last_seen_on = "null"
    "#;

/// An application with so many customers that are due, and three users.
pub async fn office(customers: usize) -> Bench {
    let bench = Bench::with_sql(&sql(customers)).await;
    bench.category("customer", CUSTOMER).category("user", USER);
    bench
}

/// Puts these lines into `erasured.toml`, behind what must stand there.
pub fn settings(bench: &Bench, lines: &str) {
    let text = format!("version = 1\ntime_zone = \"Europe/Vienna\"\n{lines}\n");
    std::fs::write(bench.dir.path().join("erasured.toml"), text).unwrap();
}

/// The source with this line about its locks.
pub fn source(line: &str) -> String {
    format!("[source.app]\nurl = \"sqlite:app.db\"\n{line}\n")
}

/// The names of customers that are still there.
pub async fn names(bench: &Bench) -> Vec<String> {
    bench.rows("SELECT last_name FROM customers WHERE last_name IS NOT NULL ORDER BY id").await
}

/// What a final run has counted: deleted, anonymised, returned, withdrawn, left.
pub fn erased(run: &Value) -> [u64; 5] {
    ["deleted", "anonymised", "returned", "withdrawn", "left"].map(|name| run[name].as_u64().unwrap())
}
