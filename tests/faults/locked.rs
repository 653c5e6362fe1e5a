//! The application keeps its database locked: for a moment, for longer than anybody waits, and in every job.

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::common::Bench;
use crate::office::{erased, names, office, settings, source};
use crate::process::{Site, wait_until};
use crate::told::{assert_writable, undone, why};

/// An application that has locked everybody out.
async fn locking(bench: &Bench) -> SqliteConnection {
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut application).await.unwrap();
    application
}

async fn let_go(mut application: SqliteConnection) {
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
}

async fn impatient(journal: &str) -> Bench {
    let bench = office(6).await;
    bench.sql(&format!("PRAGMA journal_mode = {journal}")).await;
    settings(&bench, &source("lock_wait = \"50 ms\""));
    bench
}

#[tokio::test]
async fn a_lock_that_is_let_go_of_in_time_is_waited_for() {
    let bench = office(6).await;
    settings(&bench, &source("lock_wait = \"60 s\""));
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    let application = locking(&bench).await;
    site.json(&["run", "erase"]);
    wait_until("it goes on", || site.runs()[1]["state"] == "running");
    let_go(application).await;
    let runs = site.idle();
    assert_eq!((runs[1]["state"].as_str(), erased(&runs[1])), (Some("done"), [7, 2, 0, 0, 0]));
    assert_writable(&bench).await;
    daemon.stop();
}

/// The first wait was in vain; the second, in the same run, is not.
#[tokio::test]
async fn what_was_locked_is_tried_again_in_the_same_run() {
    let bench = impatient("DELETE").await;
    settings(&bench, &source("lock_wait = \"2 s\""));
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("ERASURED_LOG", "erasured=debug")]);
    daemon.ready();
    site.confirm_all();
    let application = locking(&bench).await;
    site.json(&["run", "erase"]);
    daemon.says("the application has the source, giving way");
    let_go(application).await;
    let runs = site.idle();
    assert_eq!((runs[1]["state"].as_str(), erased(&runs[1])), (Some("done"), [7, 2, 0, 0, 0]), "{runs:?}");
    assert_eq!(runs.len(), 2, "nothing is left to be tried again");
    daemon.stop();
}

/// What had stopped a category is over when the source is tried again: nothing was left out, and nothing is told of it.
#[tokio::test]
async fn a_category_that_fits_again_when_the_lock_is_let_go_of_is_done_in_the_same_run() {
    let bench = impatient("DELETE").await;
    settings(&bench, &source("lock_wait = \"2 s\""));
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("ERASURED_LOG", "erasured=debug")]);
    daemon.ready();
    site.confirm_all();
    bench.sql("ALTER TABLE users ADD COLUMN nickname TEXT").await;
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
    site.json(&["run", "erase"]);
    daemon.says("the application has the source, giving way");
    assert!(site.log().contains("a part of the run is left out trouble=user: "), "{}", site.log());
    sqlx::raw_sql("ALTER TABLE users DROP COLUMN nickname; COMMIT").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    let runs = site.idle();
    assert_eq!((runs[1]["state"].as_str(), erased(&runs[1])), (Some("done"), [7, 2, 0, 0, 0]), "{runs:?}");
    let categories = runs[1]["categories"].as_array().unwrap();
    assert!(categories.iter().all(|of| of["stopped"].is_null()), "{categories:?}");
    daemon.stop();
}

/// Within one run, a few times; then another tries by itself, and whichever comes first does what is left, once.
#[tokio::test]
async fn what_a_lock_leaves_undone_is_tried_again_later() {
    for journal in ["DELETE", "WAL"] {
        let bench = impatient(journal).await;
        let site = Site::at(bench.dir.path());
        let daemon = site.daemon();
        site.confirm_all();
        let before = bench.dump().await;
        let application = locking(&bench).await;
        let (_, run) = undone(&site, "erase", "partly");
        let why = why(&run);
        assert!(why.contains("app: the application kept the database locked, 3 times for 50ms"), "{why}");
        assert_eq!(erased(&run), [0, 0, 0, 0, 9], "what is left is counted: {run}");
        let runs = site.runs();
        let waiting = runs.last().unwrap();
        assert!(why.contains(&format!("run {} tries again what is left, from ", waiting["id"])), "{why}");
        assert_eq!((waiting["state"].as_str(), waiting["by"].as_str()), (Some("queued"), Some("erasured")));
        assert!(waiting["not_before"].is_string(), "{waiting}");
        let_go(application).await;
        assert_writable(&bench).await;
        assert_eq!(bench.dump().await, before, "{journal}");
        // It outlives the daemon, and does not begin before its time.
        daemon.stop();
        let daemon = site.daemon();
        assert_eq!(site.runs().last().unwrap()["state"], "queued");
        assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
        let runs = site.idle();
        assert_eq!(runs[2]["state"], "stopped", "there is nothing left for it: {runs:?}");
        assert_eq!(site.erased().len(), 9, "each once");
        assert_writable(&bench).await;
        site.assert_trail_holds();
        daemon.stop();
    }
}

/// The run that tries again begins by itself when its time has come, and after a few of them it is for the schedule.
#[tokio::test]
async fn it_is_not_tried_for_ever() {
    let bench = impatient("DELETE").await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    let application = locking(&bench).await;
    undone(&site, "erase", "partly");
    let mut daemon = Some(daemon);
    for tries in 1..=3 {
        daemon.take().unwrap().stop();
        // Its time has come; the clock of the machine is not ours to set.
        let mut state = SqliteConnection::connect(&format!("sqlite:{}", site.state_db().display())).await.unwrap();
        let moved = "UPDATE run SET not_before = '2026-01-01T00:00:00.000Z' WHERE state = 'queued'";
        assert_eq!(sqlx::query(moved).execute(&mut state).await.unwrap().rows_affected(), 1, "try {tries}");
        state.close().await.unwrap();
        daemon = Some(site.daemon());
        wait_until("it has begun by itself", || {
            site.runs()[1 + tries]["state"].as_str().is_some_and(|state| state == "partly")
        });
    }
    let runs = site.idle();
    assert_eq!(runs.len(), 5, "{runs:?}");
    assert!(why(&runs[4]).contains("what is left is done by the next run"), "{}", runs[4]);
    let_go(application).await;
    assert_eq!(names(&bench).await.len(), 6);
    assert_writable(&bench).await;
    daemon.unwrap().stop();
}

#[tokio::test]
async fn prepare_gives_way_as_well() {
    let bench = impatient("DELETE").await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let application = locking(&bench).await;
    let (_, run) = undone(&site, "prepare", "partly");
    assert!(why(&run).contains("app: the application kept the database locked"), "{run}");
    let_go(application).await;
    assert_writable(&bench).await;
    assert_eq!(site.json(&["run", "prepare", "--wait"])["proposed"], 9);
    assert_eq!(site.idle()[1]["state"], "stopped");
    daemon.stop();
}

/// What tightens a rule holds for what a run that is under way has not erased yet: another goes on with the rest.
#[tokio::test]
async fn a_rule_that_is_tightened_during_a_run_holds_at_once() {
    let bench = impatient("WAL").await;
    settings(&bench, &source("lock_wait = \"2 s\""));
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("ERASURED_LOG", "erasured=debug")]);
    daemon.ready();
    site.confirm_all();
    let application = locking(&bench).await;
    site.json(&["run", "erase"]);
    daemon.says("the application has the source, giving way");
    assert_eq!(site.json(&["policy", "set", "customer.decisions", "2"])["outcome"], "holds");
    let_go(application).await;
    let runs = site.idle();
    let states: Vec<_> = runs.iter().filter_map(|run| run["state"].as_str()).collect();
    assert_eq!(states, ["done", "stopped", "done"], "{runs:?}");
    assert_eq!((erased(&runs[1])[..2].to_vec(), erased(&runs[2])), (vec![0, 0], [3, 0, 6, 0, 0]), "{runs:?}");
    assert_eq!(names(&bench).await.len(), 6);
    daemon.stop();
}

#[tokio::test]
async fn settings_that_are_read_again_and_are_the_same_end_no_run() {
    let bench = impatient("WAL").await;
    settings(&bench, &source("lock_wait = \"2 s\""));
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("ERASURED_LOG", "erasured=debug")]);
    daemon.ready();
    site.confirm_all();
    let application = locking(&bench).await;
    site.json(&["run", "erase"]);
    daemon.says("the application has the source, giving way");
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    daemon.says("the settings are reloaded");
    let_go(application).await;
    let runs = site.idle();
    let states: Vec<_> = runs.iter().filter_map(|run| run["state"].as_str()).collect();
    assert_eq!(states, ["done", "done"], "{runs:?}");
    daemon.stop();
}
