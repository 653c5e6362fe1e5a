//! The whole file is written anew in its hours only.

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
    // Its rows have numbers that are no column, and gaps between them.
    let sql = "CREATE TABLE notes (text TEXT);
        INSERT INTO notes SELECT 'word' || id FROM customers; DELETE FROM notes WHERE rowid % 3 = 0;
        CREATE VIRTUAL TABLE found USING fts5(text, content = 'notes');
        INSERT INTO found (found) VALUES ('rebuild');";
    office.bench.sql(sql).await;
    let text = "SELECT n.text FROM found f JOIN notes n ON n.rowid = f.rowid WHERE found MATCH 'word500'";
    assert_eq!(office.bench.rows(text).await, ["'word500'"]);
    let run = office.erase().await;
    let done = vec!["full_text", "statistics", "vacuum", "rebuild", "checkpoint"];
    assert_eq!((outcome(&run), removed(&run)), ("done", (done, Vec::new())));
    assert_ne!(office.bench.rows("SELECT max(rowid) FROM notes").await, ["600"], "the rows have other numbers");
    assert_eq!(office.bench.rows(text).await, ["'word500'"]);
    assert_eq!(office.found(), Default::default());
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
