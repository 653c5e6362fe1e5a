//! The schema gate: what the application changes in its schema stops the category that minds, by name, and no other.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::*;

/// Due customers, who fill a first batch and half of another.
const MANY: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1300)
    INSERT INTO customers SELECT n, 'Maier ' || n, '2019-01-01' FROM numbers";
/// Behind them as many who are not due as are read ahead of what is written, and more, and one who is.
const MANY_MORE: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 2000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 41000)
    INSERT INTO customers SELECT n, 'Maier ' || n, iif(n = 41000, '2019-01-01', '2026-10-01') FROM numbers";
const FIRST_BATCH: u64 = 200;

impl Living {
    /// A house in which a customer and the user are confirmed.
    async fn confirmed() -> Self {
        let living = Self::prepared().await;
        living.json(&["confirm", "customer/1", "user/anna%403"]).await;
        living
    }

    /// A house in which all of many customers are confirmed, and the user.
    async fn many_confirmed() -> Self {
        let living = living().await;
        living.bench.sql(MANY).await;
        living.json(&["run", "prepare", "--wait"]).await;
        let records: Vec<String> = (1..4).chain(1000..1301).map(|id| format!("customer/{id}")).collect();
        for some in records.chunks(100) {
            let (count, mut words) = (some.len().to_string(), some.iter().map(String::as_str).collect::<Vec<_>>());
            words.splice(0..0, ["confirm", "--yes-confirm", &count]);
            living.json(&words).await;
        }
        living.json(&["confirm", "user/anna%403"]).await;
        living
    }

    /// A run of the job, to its end, during which the application does this after the first piece of work.
    async fn run_while(&self, job: &str, sql: &str) -> Value {
        self.working.send_replace(false);
        self.json(&["run", job]).await;
        let run = self.store.queued_runs().await.unwrap().remove(0);
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.start_run(run.id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let settings = self.settings.in_force();
        let keys = Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) };
        let clock = Arc::clone(&self.clock) as SharedClock;
        let workshop = Workshop { store: Arc::clone(&self.store), settings, keys, clock };
        let is_done = AtomicBool::new(false);
        let stop = || {
            if !is_done.swap(true, Ordering::SeqCst) {
                self.bench.sql_at_once(sql);
            }
            false
        };
        perform(&workshop, &run, &stop).await.unwrap();
        assert!(is_done.load(Ordering::SeqCst), "nothing was changed meanwhile");
        self.working.send_replace(true);
        self.json(&["runs", "show", &run.id.0.to_string()]).await
    }

    /// What status says of a category.
    async fn category_status(&self, category: &str) -> Value {
        let status = self.json(&["status"]).await;
        let all = status["categories"].as_array().unwrap();
        all.iter().find(|of| of["category"] == category).unwrap().clone()
    }

    /// A final run, which must leave one category out; gives what it says of that.
    async fn erased_in_part(&self) -> (Value, String) {
        let said = self.ctl(&["run", "erase", "--wait", "--json"]).await;
        let run = said.json();
        assert_eq!((said.exit, &run["state"]), (Exit::Refused, &json!("partly")), "{run}");
        let told = run["problem"]["detail"].as_str().unwrap().to_owned();
        (run, told)
    }
}

#[tokio::test]
async fn a_column_added_overnight_stops_its_category_and_no_other() {
    let living = Living::confirmed().await;
    living.bench.sql("ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    let (run, told) = living.erased_in_part().await;
    assert_eq!((&run["deleted"], &run["left"]), (&json!(1), &json!(1)), "{run}");
    let why = "the settings do not fit the schema: column nickname of customers is not classified; \
               in categories/customer.toml: write it into keep = [\"nickname\"] if it is not personal, \
               or into anonymise with what replaces it";
    assert!(told.ends_with(&format!("customer: {why}")), "{told}");
    assert_eq!(living.json(&["show", "customer/1"]).await["state"], "confirmed");
    assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "erased");
    assert_eq!(living.category_status("customer").await["problem"], why);
    assert_eq!(living.category_status("user").await["problem"], Value::Null);

    living.bench.category(
        "customer",
        &CUSTOMER.replace("last_name = \"null\"\n", "last_name = \"null\"\nnickname = \"null\"\n"),
    );
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    assert_eq!(living.category_status("customer").await["problem"], Value::Null);
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["state"], &run["deleted"], &run["left"]), (&json!("done"), &json!(1), &json!(0)));
}

#[tokio::test]
async fn what_is_not_classified_stops_its_category_with_what_to_write() {
    for (sql, why) in [
        (
            "CREATE TABLE visits (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id))",
            "customer of visits refers to customers, and no [[dependent]] says what becomes of it; \
             in categories/customer.toml: write [[dependent]] with table = \"visits\", column = \"customer\" \
             and rule = \"keep\", \"delete\" or \"unlink\"",
        ),
        (
            "CREATE TRIGGER remember BEFORE DELETE ON customers BEGIN UPDATE orders SET ship_name = old.last_name; END",
            "the trigger remember on customers would run and is not named; \
             in categories/customer.toml: look at what it does, then write triggers = [\"remember\"]",
        ),
        (
            "ALTER TABLE orders ADD COLUMN ship_street TEXT",
            "column ship_street of orders is not classified; \
             in categories/customer.toml: write it into keep = [\"ship_street\"] if it is not personal, \
             or into anonymise with what replaces it",
        ),
        (
            "ALTER TABLE customers RENAME TO clients",
            "there is no table customers; in categories/customer.toml: there are clients, orders, users",
        ),
        (
            "ALTER TABLE customers RENAME COLUMN last_contact_on TO last_contact",
            "customers has no column last_contact_on; in categories/customer.toml: did you mean last_contact?",
        ),
    ] {
        let living = Living::confirmed().await;
        living.bench.sql(sql).await;
        let (run, told) = living.erased_in_part().await;
        assert!(told.contains(&format!("customer: the settings do not fit the schema: {why}")), "{told}");
        assert_eq!((&run["deleted"], &run["left"]), (&json!(1), &json!(1)), "{sql}: the user goes, the customer stays");
        assert_eq!(living.json(&["show", "customer/1"]).await["state"], "confirmed");
        assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "erased");
    }
}

#[tokio::test]
async fn a_schema_that_changes_between_two_batches_is_caught_in_the_second() {
    let living = Living::many_confirmed().await;
    let run = living.run_while("erase", "ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    let told = run["problem"]["detail"].as_str().unwrap();
    assert_eq!(run["state"], "partly", "{run}");
    assert!(told.contains("customer: the settings do not fit the schema: column nickname of customers"), "{told}");
    assert_eq!(told.matches("nickname of").count(), 1, "{told}");
    let [deleted, anonymised, left] = ["deleted", "anonymised", "left"].map(|name| run[name].as_u64().unwrap());
    assert_eq!((deleted + anonymised, left), (FIRST_BATCH + 1, 304 - FIRST_BATCH), "a batch, and the user: {run}");
    assert_eq!(living.category_status("customer").await["confirmed"], 304 - FIRST_BATCH);
    assert_eq!(living.category_status("customer").await["erasing"], 0);
    let rows = living.bench.rows("SELECT count(*) FROM customers WHERE last_name LIKE 'Maier%'").await;
    assert_eq!(rows, [(304 - FIRST_BATCH).to_string()], "all that is left is as it was");
    living.bench.assert_sound().await;
}

#[tokio::test]
async fn another_category_that_minds_stops_and_this_one_goes_on() {
    let living = Living::many_confirmed().await;
    let run = living.run_while("erase", "ALTER TABLE users ADD COLUMN nickname TEXT").await;
    let told = run["problem"]["detail"].as_str().unwrap();
    assert!(told.contains("user: the settings do not fit the schema: column nickname of users"), "{told}");
    assert_eq!((&run["state"], &run["left"]), (&json!("partly"), &json!(1)), "{run}");
    assert_eq!(living.bench.rows("SELECT count(*) FROM users").await, ["1"]);
    assert_eq!(living.category_status("customer").await["confirmed"], 0);
}

#[tokio::test]
async fn a_change_that_nobody_minds_holds_nothing_up() {
    let living = Living::many_confirmed().await;
    let run = living.run_while("erase", "CREATE TABLE staging (id INTEGER PRIMARY KEY); ANALYZE").await;
    assert_eq!((&run["state"], &run["left"]), (&json!("done"), &json!(0)), "{run}");
}

#[tokio::test]
async fn a_schema_that_changes_during_the_walk_stops_it() {
    let living = living().await;
    living.bench.sql(&format!("{MANY};{MANY_MORE}")).await;
    let run = living.run_while("prepare", "ALTER TABLE customers RENAME COLUMN last_name TO surname").await;
    assert_eq!(run["state"], "partly", "{run}");
    let told = run["problem"]["detail"].as_str().unwrap();
    let changed = "customer: the schema of app has changed while its records were looked at; \
                   what is left is done by the next run";
    assert!(told.contains(changed), "{told}");
    assert!(told.contains("customer: the settings do not fit the schema: "), "{told}");
    assert_eq!(run["proposed"], 305, "those before the change, and the user: {run}");
    let list = living.json(&["list", "--category", "user"]).await;
    assert_eq!(list["total"], 1, "the other category goes on");
}
