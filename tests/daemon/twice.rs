//! Every step twice, and every change of the state failing once: the end is the same.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::common::Bench;
use crate::process::{Site, copied, wait_until};

const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, last_contact_on TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT);
    CREATE INDEX orders_customer ON orders (customer_id);
    INSERT INTO customers VALUES (1, 'A', '2015-01-01'), (2, 'B', '2015-01-01'), (3, 'C', '2015-01-01'),
        (4, 'D', '2015-01-01'), (5, 'E', '2015-01-01'), (6, 'F', '2099-01-01');
    INSERT INTO orders VALUES (20, 2, 'B'), (60, 6, 'F');";
const CUSTOMER: &str = r#"table = "customers"
    label = "{last_name}"
    [[criterion]]
    name = "inactive"
    since = "last_contact_on"
    period = "3 years"
    [erase.anonymise]
    last_name = "null"
    last_contact_on = "null"
    [[dependent]]
    table = "orders"
    column = "customer_id"
    rule = "keep"
    anonymise = { ship_name = "null" }
    "#;
/// What is asked of the daemon, one after the other.
const STEPS: [&[&str]; 9] = [
    &["run", "prepare", "--wait"],
    &["confirm", "customer/1", "customer/2", "customer/3"],
    &["postpone", "customer/4", "--until", "2199-01-01", "--reason", "complaint"],
    &["hold", "customer/3", "--reason", "lawsuit", "--reference", "3 Cg 17/26"],
    &["mark", "customer/6", "--reason", "request"],
    &["restore", "customer/6"],
    &["run", "erase", "--wait"],
    &["run", "prepare", "--wait"],
    &["run", "erase", "--wait"],
];

async fn office() -> Bench {
    let bench = Bench::with_sql(SQL).await;
    bench.category("customer", CUSTOMER);
    bench
}

/// What there is at the end: the source, what is on record about each record, and where the proposals stand.
type End = (Vec<(String, Vec<String>)>, Vec<String>, Vec<String>);

async fn end(bench: &Bench, site: &Site) -> End {
    let proposals = "SELECT key, state, outcome, postponed_count FROM proposal ORDER BY key, id";
    site.assert_trail_holds();
    (bench.dump().await.into_iter().collect(), site.erased(), site.now(proposals).await)
}

/// The end when each step, and the start of a daemon before it, is taken so many times.
async fn ends_after(times: usize) -> End {
    let bench = office().await;
    let site = Site::at(bench.dir.path());
    for step in STEPS {
        for _ in 0..times {
            let daemon = site.daemon();
            // The second time it may be refused: that is as good.
            site.ctl(step);
            daemon.stop();
        }
    }
    let daemon = site.daemon();
    let end = end(&bench, &site).await;
    daemon.stop();
    bench.assert_sound().await;
    end
}

#[tokio::test]
async fn every_step_twice_leads_to_the_same_end() {
    let once = ends_after(1).await;
    assert_eq!(once.1.len(), 2, "{once:?}");
    assert_eq!(ends_after(2).await, once);
}

/// Runs SQL in the state of a daemon that is not there.
async fn change_state(site: &Site, sql: &str) {
    let options = SqliteConnectOptions::new().filename(site.state_db());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Asks for a final run; the daemon may end meanwhile, and is gone afterwards.
fn run_as_far_as_it_goes(site: &Site) {
    let mut daemon = site.start(&[]);
    let mut is_ready = false;
    wait_until("the daemon is ready or gone", || {
        is_ready |= daemon.news().is_some_and(|news| news.contains("READY=1"));
        is_ready || daemon.has_ended().is_some()
    });
    if is_ready {
        site.ctl(&["run", "erase", "--wait"]);
    }
}

#[tokio::test]
async fn whichever_change_of_the_state_fails_the_end_is_the_same() {
    let start = office().await;
    let site = Site::at(start.dir.path());
    let daemon = site.daemon();
    for step in &STEPS[..4] {
        site.json(step);
    }
    daemon.stop();
    let undisturbed = copied(&start);
    let reference_site = Site::at(undisturbed.dir.path());
    let count = "SELECT count(*) FROM audit";
    let before: u64 = site.state().rows(count).await[0].parse().unwrap();
    let daemon = reference_site.daemon();
    reference_site.json(&["run", "erase", "--wait"]);
    let reference = end(&undisturbed, &reference_site).await;
    let last: u64 = reference_site.now(count).await[0].parse().unwrap();
    daemon.stop();
    assert!(last >= before + 4, "a start, a run, an intent and an outcome at least");
    for failing in before + 1..=last {
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        let trigger = format!(
            "CREATE TRIGGER full BEFORE INSERT ON audit WHEN new.seq = {failing} \
             BEGIN SELECT raise(ABORT, 'there is no room left'); END"
        );
        change_state(&site, &trigger).await;
        run_as_far_as_it_goes(&site);
        assert!(site.log().contains("there is no room left"), "entry {failing} was to fail: {}", site.log());
        change_state(&site, "DROP TRIGGER full").await;
        let daemon = site.daemon();
        site.idle();
        site.json(&["run", "erase", "--wait"]);
        assert_eq!(end(&bench, &site).await, reference, "entry {failing}");
        daemon.stop();
        bench.assert_sound().await;
    }
}
