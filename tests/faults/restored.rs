//! Copies from before: of the database, of the state, of both; and another installation at the same database.

use serde_json::Value;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::office::{erased, names, office, settings, source};
use crate::process::{Answer, Site, copied, wait_until};
use crate::source::confirmed;
use crate::told::{assert_writable, problem, undone, why};

/// Whoever comes back with a backup is due as before; the ledger knows them, and the run says how many they are.
#[tokio::test]
async fn whoever_a_backup_brings_back_is_counted() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let backup = std::fs::read(bench.database()).unwrap();
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    assert_eq!(site.json(&["run", "prepare", "--wait"])["came_back"], 0);
    std::fs::write(bench.database(), backup).unwrap();
    bench.sql("UPDATE customers SET last_name = 'Another' WHERE id = 1").await;
    let run = site.json(&["run", "prepare", "--wait"]);
    assert_eq!(
        (&run["proposed"], &run["came_back"]),
        (&Value::from(9), &Value::from(8)),
        "one is somebody else: {run}"
    );
    let notes = run["notes"].to_string();
    assert!(notes.contains("customer: 5 records were erased before and came back"), "{notes}");
    let records = site.records("proposed");
    site.json(&[vec!["confirm"], records.iter().map(String::as_str).collect()].concat());
    let (_, run) = undone(&site, "erase", "partly");
    assert!(why(&run).contains("closed until an operator decides"), "{run}");
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["reopen", "app"])).code, 0);
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    assert_writable(&bench).await;
    site.assert_trail_holds();
    daemon.stop();
}

/// Put back together they agree, as they did then: nothing closes, and the rest of the story is told anew.
#[tokio::test]
async fn both_from_the_same_moment_go_on_from_there() {
    let start = confirmed().await;
    let (first, second) = (copied(&start), copied(&start));
    for bench in [&first, &second] {
        let site = Site::at(bench.dir.path());
        let daemon = site.daemon();
        assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
        assert_eq!(problem(&site), Value::Null);
        assert_eq!(site.erased().len(), 9);
        site.assert_trail_holds();
        daemon.stop();
    }
    assert_eq!(names(&second).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_installation_at_the_same_database_is_told_of() {
    let bench = confirmed().await;
    let other = office(1).await;
    std::fs::remove_file(other.database()).unwrap();
    std::os::unix::fs::symlink(bench.database(), other.database()).unwrap();
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "erase", "--wait"]);
    assert!(!site.log().contains("another installation"), "{}", site.log());
    daemon.stop();
    let other_site = Site::at(other.dir.path());
    let daemon = other_site.daemon();
    daemon.says("another installation of erasured has erased in this source");
    daemon.stop();
}

/// The newest time on record lies ahead: the clock was set back, or had been wrong before. An operator decides.
#[tokio::test]
async fn an_operator_decides_which_time_is_right() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    settings(&bench, &format!("[schedule]\nprepare = \"30 2 * * *\"\n{}", source("")));
    let options = SqliteConnectOptions::new().filename(site.state_db());
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    let wrong = "UPDATE clock SET newest_at = '2099-01-01T00:00:00.000Z';
        INSERT INTO schedule VALUES ('prepare', '2026-01-01T00:00:00Z')";
    sqlx::raw_sql(wrong).execute(&mut state).await.unwrap();
    state.close().await.unwrap();
    let daemon = site.daemon();
    daemon.says("the clock is not believed");
    daemon.says("nothing is queued by a clock that is not believed");
    let (_, run) = undone(&site, "erase", "failed");
    assert!(why(&run).contains("the clock was set back"), "{run}");
    let status = site.json(&["status"]);
    assert!(status["clock_problem"].is_string(), "{status}");
    assert_eq!(names(&bench).await.len(), 6);
    daemon.stop();
    let asked = Answer::of(&mut site.erasured(&["clock"]));
    assert_eq!(asked.code, 1, "{asked:?}");
    assert!(asked.stderr.contains("set back") && asked.stderr.contains("hint: set the clock right"), "{asked:?}");
    let accepted = Answer::of(&mut site.erasured(&["clock", "--accept"]));
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    let caught_up = || site.runs().iter().filter(|run| run["trigger"] == "catch-up").count();
    wait_until("the slot was not used up", || caught_up() == 1);
    site.idle();
    assert_eq!(site.entries("clock_accepted").len(), 1);
    site.assert_trail_holds();
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["clock"])).code, 0);
}

/// The clock was set ahead while the machine was up. Starting the daemon again makes it no more credible.
#[tokio::test]
async fn a_clock_that_was_set_ahead_is_not_believed_after_a_restart() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let options = SqliteConnectOptions::new().filename(site.state_db());
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    // The clock of the machine is not ours to set: as if it had shown less when it was believed first.
    let wrong = "UPDATE clock SET anchor_at = strftime('%Y-%m-%dT%H:%M:%fZ', anchor_at, '-30 days')";
    assert_eq!(sqlx::query(wrong).execute(&mut state).await.unwrap().rows_affected(), 1);
    state.close().await.unwrap();
    let asked = Answer::of(&mut site.erasured(&["clock"]));
    assert_eq!(asked.code, 1, "{asked:?}");
    assert!(asked.stderr.contains("set ahead") && asked.stderr.contains("hint: set the clock right"), "{asked:?}");
    let daemon = site.daemon();
    daemon.says("the clock is not believed");
    let (_, run) = undone(&site, "erase", "failed");
    assert!(why(&run).contains("the clock was set ahead"), "{run}");
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["clock", "--accept"])).code, 0);
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    daemon.stop();
}
