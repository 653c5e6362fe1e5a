//! Names stay where they are: nothing of what stands in personal columns is in any byte of the state or of the log.

use std::path::Path;

use crate::common::Bench;
use crate::process::Site;

/// Everything personal in the source begins like this.
const CANARY: &str = "kanarie";

/// For each way that a record can go there is one: see what is done with them below.
const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, email TEXT UNIQUE, last_contact_on TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT);
    CREATE INDEX orders_customer ON orders (customer_id);
    INSERT INTO customers VALUES
        (1, 'kanarie-deleted', 'kanarie-1@example.org', '2015-01-01'),
        (2, 'kanarie-anonymised', 'kanarie-2@example.org', '2015-01-01'),
        (3, 'kanarie-exchanged', 'kanarie-3@example.org', '2015-01-01'),
        (4, 'kanarie-called', 'kanarie-4@example.org', '2015-01-01'),
        (5, 'kanarie-postponed', 'kanarie-5@example.org', '2015-01-01'),
        (6, 'kanarie-undated', 'kanarie-6@example.org', 'kanarie-day'),
        (7, 'kanarie-guarded', 'kanarie-7@example.org', '2015-01-01'),
        (8, 'kanarie-clashing', 'kanarie-8@example.org', '2015-01-01'),
        (9, 'kanarie-young', 'erased-8@invalid', '2099-01-01');
    INSERT INTO orders VALUES (20, 2, 'kanarie-ship'), (80, 8, 'kanarie-ship');
    CREATE TRIGGER guard BEFORE DELETE ON customers WHEN old.id = 7
        BEGIN SELECT raise(ABORT, 'cannot delete ' || old.last_name); END;";
const CUSTOMER: &str = r#"table = "customers"
    label = "{last_name}"
    identity = ["last_name", "email"]
    triggers = ["guard"]
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
    anonymise = { ship_name = "null" }
    "#;

fn holds(bytes: &[u8]) -> bool {
    let found = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle));
    found(CANARY.as_bytes()) || found(&CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
}

fn assert_none_in(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_none_in(&path);
        } else {
            assert!(!holds(&std::fs::read(&path).unwrap()), "there is a name in {}", path.display());
        }
    }
}

#[tokio::test]
async fn no_name_is_in_the_state_the_log_or_the_trail() {
    let bench = Bench::with_sql(SQL).await;
    bench.category("customer", CUSTOMER);
    let site = Site::at(bench.dir.path());
    // Not even for somebody who wants to know everything.
    let mut daemon = site.start(&[("ERASURED_LOG", "trace")]);
    daemon.ready();
    site.json(&["run", "prepare", "--dry-run", "--wait"]);
    site.json(&["run", "prepare", "--wait"]);
    let listed = site.ctl(&["list"]);
    assert!(holds(listed.stdout.as_bytes()), "clerks are shown who it is: {listed:?}");
    site.json(&["show", "customer/2"]);
    site.json(&["postpone", "customer/5", "--until", "2099-01-01", "--reason", "complaint"]);
    site.json(&["confirm", "customer/1", "customer/2", "customer/3", "customer/4", "customer/7", "customer/8"]);
    bench.sql("UPDATE customers SET last_name = 'kanarie-other' WHERE id = 3").await;
    bench.sql("UPDATE customers SET last_contact_on = '2099-01-01' WHERE id = 4").await;
    site.json(&["run", "erase", "--dry-run", "--wait"]);
    let run = site.json(&["run", "erase", "--wait"]);
    let counts = ["deleted", "anonymised", "returned", "withdrawn"].map(|name| run[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 3, 1], "{run}");
    for words in [&["audit", "export"][..], &["audit", "list"], &["runs"], &["status"], &["policy"]] {
        let answer = site.ctl(words);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(!holds(answer.stdout.as_bytes()), "{words:?}: {answer:?}");
    }
    assert_none_in(&site.state_dir());
    daemon.stop();
    assert_none_in(&site.state_dir());
    let log = site.log();
    let names: Vec<&str> = log.lines().filter(|line| holds(line.as_bytes())).collect();
    assert!(names.is_empty(), "there is a name in the log: {names:#?}");
    assert!(log.contains("DEBUG"), "it has told all it can");
    assert!(holds(&std::fs::read(bench.database()).unwrap()), "and it would be found if it were there");
}
