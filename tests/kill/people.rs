//! The people that are erased, and what must hold when it is over.

use std::collections::BTreeMap;

use erasured::erasure::POINTS;

use crate::common::Bench;
use crate::process::{Site, aside};

/// Customers that are due: more than the first batch takes.
pub const CUSTOMERS: usize = 260;
/// Users that are due.
pub const USERS: usize = 40;

/// Every third customer has orders with notes and is anonymised; every second one has addresses; some are not due.
fn sql(journal: &str, customers: usize) -> String {
    format!(
        "PRAGMA journal_mode = {journal};
         CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, email TEXT NOT NULL UNIQUE, last_contact_on TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT, total INT);
         CREATE TABLE order_notes (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id), note TEXT);
         CREATE TABLE addresses (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), street TEXT);
         CREATE TABLE users (login TEXT PRIMARY KEY NOT NULL, real_name TEXT, last_seen_on TEXT) WITHOUT ROWID;
         CREATE TABLE sessions (id INTEGER PRIMARY KEY, login TEXT NOT NULL REFERENCES users (login));
         CREATE INDEX orders_customer ON orders (customer_id);
         CREATE INDEX notes_order ON order_notes (order_id);
         CREATE INDEX addresses_customer ON addresses (customer_id);
         CREATE INDEX sessions_login ON sessions (login);
         CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {all}) SELECT i FROM n;
         INSERT INTO customers SELECT i, 'Name ' || i, 'mail-' || i || '@example.org',
                iif(i <= {customers}, '2015-01-01', date('now')) FROM n;
         INSERT INTO orders SELECT i * 10, i, 'Name ' || i, i * 3 FROM n WHERE i % 3 = 0;
         INSERT INTO orders SELECT i * 10 + 1, i, 'Name ' || i, i * 5 FROM n WHERE i % 6 = 0;
         INSERT INTO order_notes SELECT id * 2 + 1, id, 'for ' || ship_name FROM orders WHERE id % 4 <> 2;
         INSERT INTO addresses SELECT i, i, 'Street ' || i FROM n WHERE i % 2 = 0;
         INSERT INTO users SELECT 'user-' || i, 'Name ' || i, iif(i <= {USERS}, '2019-05-05', date('now')) FROM n
                WHERE i <= {USERS} + 5;
         INSERT INTO sessions SELECT i, 'user-' || i FROM n WHERE i <= {USERS} AND i % 4 = 0;",
        all = customers + 10,
    )
}

const CUSTOMER: &str = r#"table = "customers"
    label = "{last_name}"
    identity = ["last_name", "email"]
    # Nearly all of them are due, and are to be erased.
    brake.share = "100 %"
    [[criterion]]
    name = "inactive"
    since = "last_contact_on"
    period = "3 years"
    [erase.anonymise]
    last_name = "null"
    email = { template = "erased-{key}@invalid" }
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
    label = "{login}"
    identity = ["real_name"]
    [[criterion]]
    name = "unseen"
    since = "last_seen_on"
    period = "2 years"
    [erase.anonymise]
    real_name = "null"
    last_seen_on = "null"
    [[dependent]]
    table = "sessions"
    column = "login"
    rule = "delete"
    "#;

/// An application with so many customers that are due, and nothing proposed yet.
pub async fn people(journal: &str, customers: usize) -> Bench {
    let bench = Bench::with_sql(&sql(journal, customers)).await;
    bench.category("customer", CUSTOMER).category("user", USER);
    bench
}

/// The same, with everything that is due proposed and confirmed over the socket, and the daemon stopped again.
pub async fn confirmed(journal: &str, customers: usize) -> Bench {
    let bench = people(journal, customers).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    assert_eq!(site.confirm_all(), customers + USERS);
    daemon.stop();
    bench
}

/// How a run that nobody disturbs ends.
pub struct Ending {
    pub dump: BTreeMap<String, Vec<String>>,
    /// What is on record about each record, without the batch's id, in the records' order.
    pub erased: Vec<String>,
}

impl Ending {
    /// What it is now.
    pub async fn of(bench: &Bench, site: &Site) -> Self {
        Self { dump: bench.dump().await, erased: site.erased() }
    }

    /// Lets the daemon that is up erase everything that is confirmed.
    pub async fn undisturbed(bench: &Bench) -> Self {
        let site = Site::at(bench.dir.path());
        let daemon = site.daemon();
        let run = site.json(&["run", "erase", "--wait"]);
        assert_eq!(run["state"], "done", "{run}");
        let ending = Self::of(bench, &site).await;
        daemon.stop();
        assert_eq!(due_customers(bench).await, 0);
        bench.assert_sound().await;
        ending
    }
}

/// Customers of the source that are still to be erased.
pub async fn due_customers(bench: &Bench) -> usize {
    let due = "SELECT count(*) FROM customers WHERE last_contact_on = '2015-01-01'";
    bench.rows(due).await[0].parse().unwrap()
}

/// That everything is as it would be had nobody been killed.
pub async fn assert_same_end(bench: &Bench, site: &Site, reference: &Ending, what: &str) {
    let end = Ending::of(bench, site).await;
    assert!(end.dump == reference.dump, "{what}: the source is not what it would be");
    assert_eq!(end.erased, reference.erased, "{what}: one entry for each record, and the same");
    site.assert_trail_holds();
    bench.assert_sound().await;
    let again = site.json(&["run", "erase", "--wait"]);
    assert_eq!((&again["state"], &again["deleted"]), (&"done".into(), &0.into()), "{what}: {again}");
    assert_eq!((&again["anonymised"], &again["returned"]), (&0.into(), &0.into()), "{what}: {again}");
    assert!(bench.dump().await == reference.dump, "{what}: a second run changes nothing");
}

/// Where batches stand in what a killed daemon has left, and that the source agrees with it to the record.
#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    pub open: usize,
    pub committed: usize,
    /// Whether the source's marker carries the open batch.
    pub has_committed_open: bool,
}

impl Left {
    pub async fn behind(bench: &Bench, site: &Site) -> Self {
        let state = site.state();
        let source = aside(&bench.database());
        let known = source.rows("SELECT 1 FROM sqlite_schema WHERE name = 'erasured_commit'").await;
        let marker = if known.is_empty() { Vec::new() } else { source.rows("SELECT batch FROM erasured_commit").await };
        let open = state.rows("SELECT lower(hex(id)) FROM batch WHERE state = 'open'").await;
        let committed = state.rows("SELECT lower(hex(id)) FROM batch WHERE state = 'committed'").await;
        let has_committed_open = !open.is_empty() && marker == open;
        let mut erased = state.rows("SELECT count(*) FROM ledger WHERE category = 'customer'").await;
        if has_committed_open {
            let planned = "SELECT count(*) FROM batch b, json_each(b.plan) r WHERE r.value->>'category' = 'customer'";
            erased.extend(state.rows(planned).await);
        }
        let erased: usize = erased.iter().map(|count| count.parse::<usize>().unwrap()).sum();
        let all = state.rows("SELECT count(*) FROM proposal WHERE category = 'customer'").await;
        let all: usize = all[0].parse().unwrap();
        assert_eq!(due_customers(&source).await, all - erased, "a batch is there in whole or not at all");
        Self { open: open.len(), committed: committed.len(), has_committed_open }
    }
}

/// Which batches a daemon leaves that is killed when it passes this place for the `time`-th time.
pub fn expected(point: &str, time: usize) -> Left {
    let place = |name: &str| POINTS.iter().position(|point| *point == name).unwrap();
    let here = place(point);
    let is_over = here >= place("outcome-written");
    Left {
        open: usize::from(here >= place("intent-written") && !is_over),
        committed: time - 1 + usize::from(is_over),
        has_committed_open: point == "batch-committed",
    }
}
