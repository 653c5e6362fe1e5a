//! The whole file is written anew in its hours only.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use erasured::proposal::RemovalStep;
use erasured::store::JobKind;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::common::Bench;
use crate::office::{DUE, Office, Search, outcome, removed};

/// Runs SQL as an application that has a collation of its own.
pub async fn own_collation(bench: &Bench, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(bench.database()).collation("duden", str::cmp);
    let mut application = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut application).await.unwrap();
    application.close().await.unwrap();
}

/// A table whose rows have numbers that are no column, with gaps between them, and an index over it.
const NOTES: &str = "CREATE TABLE notes (text TEXT);
    INSERT INTO notes SELECT 'word' || id FROM customers; DELETE FROM notes WHERE rowid % 3 = 0;
    CREATE VIRTUAL TABLE found USING fts5(text, content = 'notes');
    INSERT INTO found (found) VALUES ('rebuild');";
const VACUUM: &str = "[source.app.removal]\nvacuum = \"02:00-04:00\"";

#[tokio::test]
async fn in_its_hours_and_then_no_name_is_left_anywhere() {
    for (journal, search) in [("WAL", Search::External), ("DELETE", Search::Own), ("PERSIST", Search::Old)] {
        // The application overwrites nothing, and has left copies of its own.
        let office = Office::of(journal, search, VACUUM, "OFF").await;
        let mut application = office.bench.connect().await;
        let run = office.erase().await;
        let done = vec!["full_text", "statistics", "checkpoint"];
        assert_eq!((outcome(&run), removed(&run)), ("done", (done, vec!["vacuum"])), "{journal}");
        let owed = office.owed().await;
        assert_eq!(owed[0].why.as_deref(), Some("outside its hours, 02:00-04:00"), "{journal}");
        assert_eq!(owed[0].next_at, "2026-11-22T01:00:00Z".parse().unwrap(), "{journal}");
        assert!(!office.found().is_empty(), "{journal}: copies that the application has left");
        office.clock.advance_to("2026-11-22T00:59:00Z".parse().unwrap());
        assert!(office.beat().await.is_none(), "{journal}");
        office.clock.advance_to("2026-11-22T01:00:00Z".parse().unwrap());
        let run = office.perform(office.beat().await.unwrap().id).await;
        assert_eq!((outcome(&run), removed(&run).0), ("done", vec!["vacuum", "checkpoint"]), "{journal}");
        assert_eq!((office.found(), office.steps().await), (Default::default(), Vec::new()), "{journal}");
        assert_eq!(office.bench.rows("SELECT count(*) FROM search WHERE search MATCH 'example'").await, ["300"]);
        office.bench.assert_sound().await;
        application.ping().await.unwrap();
    }
}

#[tokio::test]
async fn what_it_numbers_anew_is_indexed_anew() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"00:00-24:00\"").await;
    office.bench.sql(NOTES).await;
    assert_eq!(finds(&office).await, ["'word500'"]);
    let run = office.erase().await;
    let done = vec!["full_text", "statistics", "vacuum", "rebuild", "checkpoint"];
    assert_eq!((outcome(&run), removed(&run)), ("done", (done, Vec::new())));
    assert_ne!(office.bench.rows("SELECT max(rowid) FROM notes").await, ["600"], "the rows have other numbers");
    assert_eq!(finds(&office).await, ["'word500'"]);
    assert_eq!(office.found(), Default::default());
}

/// Whom the application finds who looks for this word.
async fn finds(office: &Office) -> Vec<String> {
    let text = "SELECT n.text FROM found f JOIN notes n ON n.rowid = f.rowid WHERE found MATCH 'word500'";
    office.bench.rows(text).await
}

#[tokio::test]
async fn nobody_finds_somebody_else_because_the_daemon_was_stopped_behind_it() {
    let office = Office::with("DELETE", Search::Own, "[source.app.removal]\nvacuum = \"00:00-24:00\"").await;
    office.bench.sql(NOTES).await;
    // So that the file is shorter as soon as it is written anew.
    office
        .bench
        .sql("CREATE TABLE ballast (x); INSERT INTO ballast VALUES (zeroblob(1000000)); DROP TABLE ballast")
        .await;
    office.erase_and_stop().await;
    let length = |path: &Path| std::fs::metadata(path).unwrap().len();
    let (database, before) = (office.bench.database(), length(&office.bench.database()));
    let run = office.run_until(JobKind::Remove, &move || length(&database) < before).await;
    assert_eq!((outcome(&run), removed(&run).1), ("stopped", Vec::new()));
    assert!(length(&office.bench.database()) < before, "it was written anew");
    assert_eq!((finds(&office).await, office.steps().await), (vec!["'word500'".to_owned()], vec!["checkpoint"]));
}

#[tokio::test]
async fn what_a_kill_has_left_behind_it_comes_first_whatever_the_hours() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"00:00-24:00\"").await;
    office.bench.sql(NOTES).await;
    office.erase_and_stop().await;
    office.owe(RemovalStep::Rebuild).await;
    office.bench.sql("VACUUM").await;
    assert_ne!(finds(&office).await, ["'word500'"]);
    // It is 10:00 in Vienna; and the application has the lock, for longer than it is waited for.
    office.set("hours = \"22:00-05:00\"");
    let mut application = office.bench.connect().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
    let letting_go = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(400)).await;
        sqlx::query("ROLLBACK").execute(&mut application).await.unwrap();
    });
    let run = office.perform(office.beat().await.unwrap().id).await;
    letting_go.await.unwrap();
    assert_eq!((removed(&run).0, finds(&office).await), (vec!["rebuild"], vec!["'word500'".to_owned()]));
    assert_eq!(office.owed().await[0].why.as_deref(), Some("outside its hours, 22:00-05:00"), "the rest waits");
}

#[tokio::test]
async fn what_could_not_follow_it_stays_owed_and_it_is_not_done_again_before() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"00:00-24:00\"").await;
    office.bench.sql(NOTES).await;
    office.erase_and_stop().await;
    office.owe(RemovalStep::Rebuild).await;
    office.bench.sql("VACUUM").await;
    let mut application = office.bench.connect().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
    let run = office.run(JobKind::Remove).await;
    assert!(removed(&run).1.contains(&"rebuild"), "{run:?}");
    let steps = office.steps().await;
    assert!(steps.contains(&"rebuild") && steps.contains(&"vacuum"), "{steps:?}");
    sqlx::query("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    let run = office.run(JobKind::Remove).await;
    assert_eq!((outcome(&run), finds(&office).await), ("done", vec!["'word500'".to_owned()]));
    assert_eq!(office.steps().await, Vec::<&str>::new());
}

#[tokio::test]
async fn it_hears_that_it_is_to_stop() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"00:00-24:00\"").await;
    office.erase_and_stop().await;
    let sql = "CREATE TABLE words (a, b, c); CREATE INDEX by_a ON words (a); CREATE INDEX by_b ON words (b);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO words SELECT hex(randomblob(40)), hex(randomblob(40)), i FROM n;";
    office.bench.sql(sql).await;
    office.set("[source.app.removal]\nvacuum = \"00:00-24:00\"\nfull_text = \"leave\"\nstatistics = false");
    // Before the source, before the step; and then while it goes on.
    let asked = AtomicU32::new(0);
    let run = office.run_until(JobKind::Remove, &|| asked.fetch_add(1, Ordering::Relaxed) >= 2).await;
    assert_eq!((outcome(&run), removed(&run).1), ("stopped", vec!["vacuum"]));
    assert_eq!(office.owed().await[0].why.as_deref(), Some("the daemon was stopped"));
}

#[tokio::test]
async fn where_it_would_fail_it_is_not_tried() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"00:00-24:00\"").await;
    own_collation(&office.bench, "CREATE TABLE words (word TEXT); CREATE INDEX by_word ON words (word COLLATE duden)")
        .await;
    let run = office.erase().await;
    assert_eq!(removed(&run).1, ["vacuum"]);
    let why = office.owed().await[0].why.clone().unwrap();
    assert_eq!(why, "it would fail: no such collation sequence: duden");
    let run = office.run(JobKind::Remove).await;
    assert_eq!((outcome(&run), removed(&run).1), ("partly", vec!["vacuum"]));
    assert!(office.found().len() * 20 < DUE, "the rest is done");
}
