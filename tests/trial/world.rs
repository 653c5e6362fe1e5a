//! The application's database, the rules for it, and who is who in it.

use crate::common::Bench;

/// Customers that are due at the beginning.
pub const CUSTOMERS: i64 = 2_000;
/// Customers that are not.
pub const OTHERS: i64 = 200;
/// Users, nearly all of them due.
pub const USERS: i64 = 120;
/// Persons with a membership each, who are confirmed in both categories together.
pub const PAIRS: i64 = 40;
/// Since when those who are due have been.
pub const LONG_AGO: &str = "2015-01-01";
/// What an anonymised customer's address is.
pub fn anonymous_email(id: i64) -> String {
    format!("erased-{id}@invalid")
}

/// The tables with personal data or without, each with its key first.
pub const TABLES: [&str; 9] =
    ["customers", "orders", "order_notes", "addresses", "users", "sessions", "persons", "members", "products"];

/// How the source keeps its journal.
pub const JOURNALS: [&str; 2] = ["WAL", "DELETE"];

fn sql(journal: &str) -> String {
    format!(
        "PRAGMA journal_mode = {journal};
         CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, email TEXT NOT NULL UNIQUE, phone TEXT,
                                 last_contact_on TEXT, branch_id INTEGER NOT NULL, status TEXT NOT NULL);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT,
                              total INTEGER NOT NULL);
         CREATE TABLE order_notes (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id), note TEXT);
         CREATE TABLE addresses (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), street TEXT);
         CREATE TABLE users (login TEXT PRIMARY KEY NOT NULL, real_name TEXT, last_seen_on TEXT, branch_id INTEGER NOT NULL)
                WITHOUT ROWID;
         CREATE TABLE sessions (id INTEGER PRIMARY KEY, login TEXT NOT NULL REFERENCES users (login));
         CREATE TABLE persons (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT);
         CREATE TABLE members (no TEXT PRIMARY KEY NOT NULL, last_name TEXT, seen_on TEXT,
                               person_id INTEGER REFERENCES persons (id));
         CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, stock INTEGER NOT NULL);
         CREATE INDEX orders_customer ON orders (customer_id);
         CREATE INDEX notes_order ON order_notes (order_id);
         CREATE INDEX addresses_customer ON addresses (customer_id);
         CREATE INDEX sessions_login ON sessions (login);
         CREATE INDEX members_person ON members (person_id);
         CREATE INDEX customers_name ON customers (last_name);
         CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {all}) SELECT i FROM n;
         INSERT INTO customers SELECT i, 'Name ' || i, 'mail-' || i || '@example.org', '+43 ' || i,
                iif(i <= {CUSTOMERS}, '{LONG_AGO}', date('now')), iif(i % 5 = 0, 2, 1), 'seen' FROM n;
         INSERT INTO orders SELECT i * 2, i, 'Name ' || i, i * 3 FROM n WHERE i % 3 = 0;
         INSERT INTO orders SELECT i * 2 + 1, i, 'Name ' || i, i * 5 FROM n WHERE i % 6 = 0;
         INSERT INTO order_notes SELECT id, id, 'for ' || ship_name FROM orders WHERE id % 4 <> 2;
         INSERT INTO addresses SELECT i, i, 'Street ' || i FROM n WHERE i % 2 = 0;
         INSERT INTO users SELECT 'user-' || i, 'Name ' || i, iif(i % 10 = 0, date('now'), '{LONG_AGO}'), iif(i % 7 = 0, 2, 1)
                FROM n WHERE i <= {USERS};
         INSERT INTO sessions SELECT i, 'user-' || i FROM n WHERE i <= {USERS} AND i % 4 = 0;
         INSERT INTO persons SELECT i, 'Name ' || i, '{LONG_AGO}' FROM n WHERE i <= {PAIRS};
         INSERT INTO members SELECT 'M-' || i, 'Name ' || i, '{LONG_AGO}', i FROM n WHERE i <= {PAIRS};
         INSERT INTO products SELECT i, 'Thing ' || i, 100 FROM n WHERE i <= 50;
         DROP TABLE n;",
        all = CUSTOMERS + OTHERS,
    )
}

const CUSTOMER: &str = r#"table = "customers"
    # Nearly all of them are due, and are to be erased.
    brake.share = "100 %"
    label = "{last_name}"
    unit = "branch_id"
    identity = ["last_name", "email"]
    [[criterion]]
    name = "inactive"
    since = "last_contact_on"
    period = "3 years"
    [erase]
    keep = ["branch_id", "status"]
    [erase.anonymise]
    last_name = "null"
    email = { template = "erased-{key}@invalid" }
    phone = "null"
    last_contact_on = "null"
    [[dependent]]
    table = "orders"
    column = "customer_id"
    rule = "keep"
    keep = ["total"]
    anonymise = { ship_name = "null" }
    [[dependent]]
    parent = "orders"
    table = "order_notes"
    column = "order_id"
    rule = "delete"
    [[dependent]]
    table = "addresses"
    column = "customer_id"
    rule = "delete"
    "#;

const USER: &str = r#"table = "users"
    brake.share = "100 %"
    label = "{login}"
    unit = "branch_id"
    identity = ["real_name"]
    [[criterion]]
    name = "unseen"
    since = "last_seen_on"
    period = "2 years"
    [erase]
    keep = ["branch_id"]
    [erase.anonymise]
    real_name = "null"
    last_seen_on = "null"
    [[dependent]]
    table = "sessions"
    column = "login"
    rule = "delete"
    "#;

const PERSON: &str = r#"table = "persons"
    brake.share = "100 %"
    identity = ["last_name"]
    [[criterion]]
    name = "inactive"
    since = "seen_on"
    period = "3 years"
    [erase.anonymise]
    last_name = "null"
    seen_on = "null"
    [[dependent]]
    table = "members"
    column = "person_id"
    rule = "keep"
    [[linked]]
    category = "member"
    their_column = "person_id"
    "#;

const MEMBER: &str = r#"table = "members"
    brake.share = "100 %"
    identity = ["last_name"]
    [[criterion]]
    name = "inactive"
    since = "seen_on"
    period = "3 years"
    [erase]
    keep = ["person_id"]
    [erase.anonymise]
    last_name = "null"
    seen_on = "null"
    "#;

/// Batches hold the lock so briefly that there are many of them.
const SETTINGS: &str =
    "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\nmax_lock = \"5 ms\"\n";

/// A fresh database and the settings for it.
pub async fn world(journal: &str) -> Bench {
    let bench = Bench::with_sql(&sql(journal)).await;
    std::fs::write(bench.dir.path().join("erasured.toml"), SETTINGS).unwrap();
    for (name, rules) in [("customer", CUSTOMER), ("user", USER), ("person", PERSON), ("member", MEMBER)] {
        bench.category(name, rules);
    }
    bench
}

/// The table of a category's records.
pub fn table_of(category: &str) -> &'static str {
    match category {
        "customer" => "customers",
        "user" => "users",
        "person" => "persons",
        "member" => "members",
        other => panic!("there is no category {other}"),
    }
}
