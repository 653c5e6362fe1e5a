//! How it comes up: when it says so, and what it makes up for.

use nix::sys::signal::Signal;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::office::{erased, office, settings, source};
use crate::process::{Site, wait_for, wait_until};

#[tokio::test]
async fn it_says_ready_when_all_is_settled_and_the_socket_answers() {
    let bench = office(6).await;
    settings(&bench, &source("lock_wait = \"60 s\""));
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    site.json(&["run", "erase", "--wait"]);
    daemon.stop();
    // Its marker cannot be read now: whether the last batch has committed cannot be told.
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut application).await.unwrap();
    let mut daemon = site.start(&[]);
    let starts = "SELECT 1 FROM audit WHERE kind = 'settings_loaded'";
    wait_for("it has begun", async || site.now(starts).await.len() == 2).await;
    assert_eq!(daemon.news(), None);
    assert!(!site.socket().exists(), "nobody is let in before");
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    daemon.ready();
    let status = site.ctl(&["status"]);
    assert_eq!(status.code, 0, "{status:?}");
    daemon.stop();
    assert!(!site.socket().exists());
}

#[tokio::test]
async fn the_service_manager_is_told_whether_all_is_well() {
    let bench = office(3).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let hears = |what: &str| wait_until(what, || daemon.news().is_some_and(|news| news.contains(what)));
    hears("STATUS=all is well");
    bench.sql("ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    // Told after the run, not a minute later.
    site.ctl(&["run", "prepare", "--wait"]);
    hears("STATUS=warning: customer is stopped by its schema; run 1 of prepare could do only a part");
    daemon.stop();
}

#[tokio::test]
async fn it_says_that_it_stops() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let mut daemon = site.daemon();
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.ended().code(), Some(0));
    // Before that it may have said how things stand.
    let told: Vec<String> = std::iter::from_fn(|| daemon.news()).filter(|news| !news.starts_with("STATUS=")).collect();
    assert_eq!(told, ["STOPPING=1\n"]);
    let last = site.state().rows("SELECT kind, details FROM audit ORDER BY seq DESC LIMIT 1").await;
    assert_eq!(last, [r#"'daemon_stopped'|'{"why":"SIGINT"}'"#]);
}

/// Moves the instant after which the slots of prepare count.
async fn last_slot(site: &Site, at: &str) {
    let options = SqliteConnectOptions::new().filename(site.state_db());
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    let moved = format!("UPDATE schedule SET last_slot = '{at}' WHERE job = 'prepare'");
    assert_eq!(sqlx::query(AssertSqlSafe(moved)).execute(&mut state).await.unwrap().rows_affected(), 1);
    state.close().await.unwrap();
}

/// A schedule whose last slot was half a day ago: no test runs so long that the next one comes.
fn once_a_day() -> String {
    let seconds = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed();
    let zone = jiff::tz::TimeZone::get("Europe/Vienna").unwrap();
    let hour = (zone.to_datetime(jiff::Timestamp::from_second(seconds).unwrap()).hour() + 12) % 24;
    format!("[schedule]\nprepare = \"30 {hour} * * *\"\n{}", source(""))
}

#[tokio::test]
async fn a_run_that_was_missed_runs_once() {
    let bench = office(6).await;
    settings(&bench, &once_a_day());
    let site = Site::at(bench.dir.path());
    site.daemon().stop();
    assert_eq!(site.state().rows("SELECT count(*) FROM run").await, ["0"], "nothing is due at the first start");
    last_slot(&site, "2026-01-01T00:00:00Z").await;
    let daemon = site.daemon();
    wait_until("the run is queued", || !site.runs().is_empty());
    let runs = site.idle();
    assert_eq!(runs.len(), 1, "hundreds of slots were missed, and one run makes up for them");
    assert_eq!((&runs[0]["trigger"], &runs[0]["state"]), (&"catch-up".into(), &"done".into()), "{runs:?}");
    assert_eq!(site.records("proposed").len(), 9);
    daemon.stop();
    let daemon = site.daemon();
    // A run by hand goes through the same queue: what was queued at start would stand before it.
    site.json(&["run", "prepare", "--wait"]);
    assert_eq!(site.idle().len(), 2);
    daemon.stop();
}

#[tokio::test]
async fn where_nobody_wants_it_nothing_is_made_up_for() {
    let bench = office(6).await;
    settings(&bench, &once_a_day().replace("[source", "catch_up = false\n[source"));
    let site = Site::at(bench.dir.path());
    site.daemon().stop();
    last_slot(&site, "2026-01-01T00:00:00Z").await;
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    assert_eq!(site.idle().len(), 1);
    daemon.stop();
}

#[tokio::test]
async fn what_was_queued_is_done_after_the_next_start() {
    let bench = office(6).await;
    settings(&bench, &source("lock_wait = \"60 s\""));
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut application).await.unwrap();
    // The first waits for the application, the second for the first.
    site.json(&["run", "prepare"]);
    wait_until("the first goes on", || site.runs()[1]["state"] == "running");
    site.json(&["run", "erase"]);
    daemon.kill();
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    let daemon = site.daemon();
    let runs = site.idle();
    let told: Vec<_> = runs.iter().map(|run| (run["job"].as_str().unwrap(), run["state"].as_str().unwrap())).collect();
    assert_eq!(told, [("prepare", "done"), ("prepare", "stopped"), ("erase", "done"), ("prepare", "done")]);
    assert_eq!(erased(&runs[2]), [7, 2, 0, 0, 0]);
    daemon.stop();
}
