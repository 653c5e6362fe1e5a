//! What it is told while it runs.

use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;
use serde_json::Value;
use sqlx::Connection as _;

use crate::office::{CUSTOMER, erased, names, office, settings, source};
use crate::process::{Site, wait_for, wait_until};

/// Customers for many small batches.
const MANY: usize = 2_000;

fn count(rows: &[String]) -> u64 {
    rows[0].parse().unwrap()
}

#[tokio::test]
async fn sigterm_finishes_the_batch_and_leaves_the_rest_to_the_next_start() {
    let bench = office(MANY).await;
    settings(&bench, &source("max_lock = \"5 ms\""));
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    let run = site.json(&["run", "erase"])["id"].to_string();
    let mut halfway = Value::Null;
    wait_until("a batch is over", || {
        halfway = site.json(&["runs", "show", &run]);
        halfway["deleted"] != 0
    });
    assert_eq!(halfway["state"], "running", "there is more to do");
    daemon.stop();
    let state = site.state();
    assert_eq!(state.rows("SELECT count(*) FROM batch WHERE state <> 'committed'").await, ["0"]);
    let runs = state.rows("SELECT job, state FROM run ORDER BY id").await;
    assert_eq!(runs, ["'prepare'|'done'", "'erase'|'stopped'", "'erase'|'queued'"]);
    let confirmed = count(&state.rows("SELECT count(*) FROM proposal WHERE state = 'confirmed'").await);
    let gone = count(&state.rows("SELECT count(*) FROM proposal WHERE state = 'erased'").await);
    assert!(confirmed > 0 && gone > 0, "{confirmed} are left, {gone} are gone");
    let left = names(&bench).await.len() as u64;
    assert_eq!(left + 3, confirmed, "users come last");
    let daemon = site.daemon();
    let runs = site.idle();
    let [first, second] = [erased(&runs[1]), erased(&runs[2])];
    assert_eq!((first[0] + first[1], first[4]), (gone, confirmed));
    assert_eq!((second[0] + second[1], second[4]), (confirmed, 0));
    let erased_in_all = site.erased();
    let mut records: Vec<&str> = erased_in_all.iter().map(|told| told.split_once(' ').unwrap().0).collect();
    records.dedup();
    assert_eq!((erased_in_all.len(), records.len()), (MANY + 3, MANY + 3), "each once");
    assert_eq!(names(&bench).await, Vec::<String>::new());
    site.assert_trail_holds();
    daemon.stop();
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once() {
    let bench = office(6).await;
    settings(&bench, &source("lock_wait = \"60 s\""));
    let site = Site::at(bench.dir.path());
    let mut daemon = site.daemon();
    site.confirm_all();
    // The batch waits for the application.
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
    site.json(&["run", "erase"]);
    wait_until("the run goes on", || site.runs()[1]["state"] == "running");
    daemon.signal(Signal::SIGTERM);
    daemon.says("stopping");
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ended().code(), Some(130));
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    assert_eq!(names(&bench).await.len(), 6);
    let daemon = site.daemon();
    let runs = site.idle();
    assert_eq!((&runs[1]["state"], erased(&runs[2])), (&"stopped".into(), [7, 2, 0, 0, 0]));
    daemon.stop();
}

#[tokio::test]
async fn sighup_takes_all_or_nothing() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let mut daemon = site.daemon();
    let before = site.ctl(&["policy"]).stdout;
    assert!(before.contains("3 years"), "{before}");
    // A good change to one file, and a fault in another: neither is taken.
    bench.category("customer", &CUSTOMER.replace("3 years", "5 years"));
    let user = bench.dir.path().join("categories/user.toml");
    let good = std::fs::read_to_string(&user).unwrap();
    std::fs::write(&user, good.replace("1 year", "1 yaer")).unwrap();
    daemon.signal(Signal::SIGHUP);
    daemon.ready();
    daemon.says("the old ones stay in force");
    assert!(site.log().contains("user.toml:"), "the fault is told with its place: {}", site.log());
    assert_eq!(site.ctl(&["policy"]).stdout, before);
    assert_eq!(site.entries("settings_loaded").len(), 1);
    std::fs::write(&user, good).unwrap();
    daemon.signal(Signal::SIGHUP);
    daemon.ready();
    let after = site.ctl(&["policy"]).stdout;
    assert_eq!(after, before.replace("3 years", "5 years"));
    let loaded = site.entries("settings_loaded");
    assert_eq!(loaded.len(), 2);
    assert_ne!(loaded[0]["digest"], loaded[1]["digest"]);
    daemon.stop();
}

#[tokio::test]
async fn a_schedule_that_is_taken_up_counts_from_then_on() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let mut daemon = site.daemon();
    settings(&bench, &format!("[schedule]\nprepare = \"0 2 * * *\"\n{}", source("")));
    daemon.signal(Signal::SIGHUP);
    daemon.ready();
    let job = site.json(&["status"])["jobs"][0].clone();
    assert_eq!((&job["job"], &job["schedule"]), (&"prepare".into(), &"0 2 * * *".into()), "{job}");
    assert!(job["next_at"].is_string(), "{job}");
    wait_for("slots are counted", async || !site.now("SELECT 1 FROM schedule").await.is_empty()).await;
    assert_eq!(site.runs(), Vec::<Value>::new(), "yesterday's slot is not made up for");
    daemon.stop();
}

/// Whoever may connect holds all places, and more wait: that is no reason to kill the daemon in the middle of a run.
#[tokio::test]
async fn signs_of_life_are_sent_although_every_place_is_taken() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("WATCHDOG_USEC", "400000")]);
    daemon.ready();
    let silent: Vec<UnixStream> = (0..70).map(|_| UnixStream::connect(site.socket()).unwrap()).collect();
    // The first of them may have been looked for before the places were taken.
    for _ in 0..10 {
        wait_until("a sign of life", || daemon.news().is_some_and(|news| news.contains("WATCHDOG=1")));
    }
    assert!(!site.log().contains("no sign of life is sent"), "{}", site.log());
    drop(silent);
    daemon.stop();
}

/// A batch waits for the application's lock with the state in its hands, for as long as the settings let it.
#[tokio::test]
async fn signs_of_life_are_sent_while_a_run_waits_for_the_application() {
    let bench = office(6).await;
    settings(&bench, &source("lock_wait = \"60 s\""));
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("WATCHDOG_USEC", "400000")]);
    daemon.ready();
    site.confirm_all();
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
    site.json(&["run", "erase"]);
    wait_until("it has begun", || site.runs()[1]["state"] == "running");
    while daemon.news().is_some() {}
    for _ in 0..20 {
        wait_until("a sign of life", || {
            assert!(!site.log().contains("no sign of life is sent"), "{}", site.log());
            daemon.news().is_some_and(|news| news.contains("WATCHDOG=1"))
        });
    }
    assert_eq!(erased(&site.runs()[1])[0], 0, "it still waits");
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    assert_eq!(site.idle()[1]["state"], "done");
    daemon.stop();
}

#[tokio::test]
async fn signs_of_life_are_sent_for_as_long_as_it_answers() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("WATCHDOG_USEC", "400000")]);
    daemon.ready();
    let is_fed = |news: Option<String>| news.is_some_and(|news| news.contains("WATCHDOG=1"));
    for _ in 0..3 {
        wait_until("a sign of life", || is_fed(daemon.news()));
    }
    // The process is there, and whoever connects finds nobody.
    let aside = site.socket().with_extension("aside");
    std::fs::rename(site.socket(), &aside).unwrap();
    daemon.says("no sign of life is sent");
    while daemon.news().is_some() {}
    let missed = || site.log().matches("no sign of life is sent").count();
    let before = missed();
    wait_until("it is looked again", || missed() > before + 2);
    assert_eq!(daemon.news(), None);
    std::fs::rename(aside, site.socket()).unwrap();
    wait_until("a sign of life", || is_fed(daemon.news()));
    daemon.stop();
}
