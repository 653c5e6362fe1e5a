//! A source that jobs may work on at night only.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::*;

/// Said once of a run that would have worked on the source by day, whatever it has categories.
const TROUBLE: &str = "app: outside its hours, 22:00-05:00; what is left is done by the next run";
/// Due customers, who fill a first batch and half of another; then more who are not due than are read ahead of what is
/// written, and behind them one who is.
const MANY: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 31000)
    INSERT INTO customers
    SELECT n, 'Maier ' || n, iif(n < 1300 OR n = 31000, '2019-01-01', '2026-10-01') FROM numbers";
const FIRST_BATCH: u64 = 200;

/// A house whose source has hours, at this time.
async fn at(now: &str) -> Living {
    let living = living().await;
    let path = living.bench.dir.path().join("erasured.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{before}hours = \"22:00-05:00\"\n")).unwrap();
    living.bench.category("customer", &format!("{CUSTOMER}\n[brake]\nshare = \"100 %\"\n"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.put(now);
    living
}

impl Living {
    /// Puts the clock to this time in Vienna, which is an hour ahead.
    fn put(&self, now: &str) {
        self.clock.advance_to(format!("{now}+01:00").parse().unwrap());
    }

    /// What a run has come to, which is to be left in part for the hours alone.
    async fn partly(&self, job: &str) -> Value {
        let said = self.ctl(&["run", job, "--wait", "--json"]).await;
        let run = said.json();
        assert_eq!((said.exit, &run["state"]), (Exit::Refused, &json!("partly")), "{run}");
        assert_told_once(&run);
        run
    }

    /// Carries out one run of the job, in which the clock is put on when it asks for the n-th time whether it is to stop:
    /// as soon as it has done a first piece.
    async fn partly_from(&self, job: &str, now: &str, nth: u32) -> Value {
        let asked = AtomicU32::new(1);
        let stop = || {
            if asked.fetch_add(1, Ordering::SeqCst) == nth {
                self.put(now);
            }
            false
        };
        let run = self.carry_out(job, &stop).await;
        assert_eq!(run["state"], "partly", "{run}");
        assert_told_once(&run);
        run
    }
}

#[track_caller]
fn assert_told_once(run: &Value) {
    let told = run["problem"]["detail"].as_str().unwrap();
    assert!(told.ends_with(TROUBLE) && told.matches("outside").count() == 1, "{told}");
}

#[tokio::test]
async fn outside_its_hours_a_source_is_left_alone() {
    let living = at("2026-11-21T21:59:59").await;
    let before = living.bench.dump().await;
    assert_eq!(living.partly("prepare").await["proposed"], 0);
    assert_eq!(living.json(&["list"]).await["total"], 0);
    let dry = living.json(&["run", "prepare", "--dry-run", "--wait"]).await;
    assert_eq!((&dry["state"], &dry["proposed"]), (&json!("done"), &json!(4)), "a dry run changes nothing");

    living.put("2026-11-21T22:00:00");
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!((&run["state"], &run["proposed"]), (&json!("done"), &json!(4)));
    living.json(&["confirm", "customer/1", "customer/2", "user/anna%403"]).await;

    living.put("2026-11-22T05:00:00");
    let run = living.partly("erase").await;
    assert_eq!((&run["deleted"], &run["anonymised"], &run["left"]), (&json!(0), &json!(0), &json!(3)));
    assert_eq!(living.bench.dump().await, before);
    let dry = living.json(&["run", "erase", "--dry-run", "--wait"]).await;
    assert_eq!((&dry["state"], &dry["deleted"], &dry["left"]), (&json!("done"), &json!(2), &json!(0)));

    living.put("2026-11-23T04:59:59");
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["state"], &run["deleted"], &run["left"]), (&json!("done"), &json!(2), &json!(0)));
}

#[tokio::test]
async fn outside_its_hours_a_source_is_not_even_opened() {
    let living = at("2026-11-21T12:00:00").await;
    std::fs::remove_file(living.bench.database()).unwrap();
    living.partly("prepare").await;
    living.partly("erase").await;
}

#[tokio::test]
async fn when_its_hours_are_over_nothing_more_is_begun() {
    let living = at("2026-11-22T04:59:00").await;
    living.bench.sql(MANY).await;
    let run = living.partly_from("prepare", "2026-11-22T05:00:00", 1).await;
    assert_eq!(run["proposed"], 303, "neither the last customer nor the user: {run}");
    living.put("2026-11-22T23:00:00");
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!((&run["state"], &run["proposed"]), (&json!("done"), &json!(2)));

    let records: Vec<String> = (1000..1300).map(|id| format!("customer/{id}")).collect();
    for some in records.chunks(100) {
        living
            .json(
                &[&["confirm", "--yes-confirm", "100"], some.iter().map(String::as_str).collect::<Vec<_>>().as_slice()]
                    .concat(),
            )
            .await;
    }
    living.json(&["confirm", "user/anna%403"]).await;
    living.put("2026-11-23T04:59:00");
    let run = living.partly_from("erase", "2026-11-23T05:00:00", 2).await;
    assert_eq!((&run["deleted"], &run["left"]), (&json!(FIRST_BATCH), &json!(301 - FIRST_BATCH)), "{run}");
    living.put("2026-11-23T22:00:00");
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["state"], &run["deleted"], &run["left"]), (&json!("done"), &json!(301 - FIRST_BATCH), &json!(0)));
    living.bench.assert_sound().await;
}

#[tokio::test]
async fn a_table_that_is_left_in_its_middle_is_told_of() {
    let living = at("2026-11-22T04:59:00").await;
    std::fs::remove_file(living.bench.dir.path().join("categories/user.toml")).unwrap();
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.bench.sql(MANY).await;
    // No other category comes after it, which would be left out as well.
    assert_eq!(living.partly_from("prepare", "2026-11-22T05:00:00", 1).await["proposed"], 303);
}

/// Of a table that was counted in part nobody knows how much of it is due.
#[tokio::test]
async fn where_the_brake_can_close_nothing_is_proposed_before_all_is_counted() {
    let living = at("2026-11-22T04:59:00").await;
    living.bench.category("customer", CUSTOMER);
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.bench.sql(MANY).await;
    let run = living.partly_from("prepare", "2026-11-22T05:00:00", 1).await;
    assert_eq!(run["proposed"], 0, "{run}");
    let why = "customer: not all that is due was counted, and nothing was proposed";
    assert!(run["problem"]["detail"].as_str().unwrap().contains(why), "{run}");
    living.put("2026-11-22T23:00:00");
    assert_eq!(living.json(&["run", "prepare", "--wait"]).await["proposed"], 305);
}
