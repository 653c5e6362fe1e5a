//! No name of the erased is in any file, whatever the application keeps them in.

use crate::office::{DUE, Office, Search, outcome, removed};

const DONE: [&str; 3] = ["full_text", "statistics", "checkpoint"];

async fn erased_without_a_trace(journal: &str, search: Search, settings: &str) {
    let office = Office::with(journal, search, settings).await;
    // Somebody is there all the time: otherwise SQLite itself would tidy up when the last connection is closed.
    let mut application = office.bench.connect().await;
    let pragma = format!("PRAGMA journal_mode = {journal}; UPDATE customers SET notes = 'y' WHERE id % 7 = 0");
    sqlx::raw_sql(sqlx::AssertSqlSafe(pragma)).execute(&mut application).await.unwrap();
    let run = office.erase().await;
    let what = format!("{journal}, {search:?}, {settings:?}");
    assert_eq!((removed(&run), outcome(&run)), ((DONE.to_vec(), Vec::new()), "done"), "{what}");
    assert_eq!(office.found_in_use().await, Default::default(), "{what}");
    assert!(office.found().len() * 20 < DUE, "{what}: what is left between rows is for VACUUM");
    assert_eq!(office.steps().await, Vec::<&str>::new(), "{what}");
    let is_proven = office.unproven().await.is_none();
    assert!(office.found().is_empty() || !is_proven, "{what}: names are there, and the proof says that they are gone");
    let entries = (office.entries("removal_done").await, office.entries("removal_pending").await);
    assert_eq!(entries, if is_proven { (1, 0) } else { (0, 1) }, "{what}");
    // Searches find those that are left, and only them.
    let found = "SELECT count(*) FROM search WHERE search MATCH 'example'";
    assert_eq!(office.bench.rows(found).await, ["300"], "{what}");
    assert!(
        !office.bench.rows("SELECT 1 FROM sqlite_stat4 LIMIT 1").await.is_empty(),
        "{what}: of those that are left"
    );
    office.bench.assert_sound().await;
}

#[tokio::test]
async fn with_a_write_ahead_log() {
    for search in [Search::Own, Search::External, Search::Marks, Search::Old] {
        erased_without_a_trace("WAL", search, "").await;
    }
}

#[tokio::test]
async fn with_a_rollback_journal_that_is_deleted() {
    erased_without_a_trace("DELETE", Search::Own, "").await;
    erased_without_a_trace("DELETE", Search::External, "").await;
}

#[tokio::test]
async fn with_a_rollback_journal_that_is_kept() {
    erased_without_a_trace("PERSIST", Search::Own, "").await;
    erased_without_a_trace("TRUNCATE", Search::External, "").await;
}

#[tokio::test]
async fn with_an_index_that_takes_words_out_by_itself() {
    let settings = "[source.app.removal]\nfull_text = \"secure-delete\"";
    erased_without_a_trace("WAL", Search::Own, settings).await;
    erased_without_a_trace("WAL", Search::Marks, settings).await;
    let office = Office::with("WAL", Search::External, settings).await;
    office.erase().await;
    let is_set = "SELECT v FROM search_config WHERE k = 'secure-delete'";
    assert_eq!(office.bench.rows(is_set).await, ["1"], "and goes on doing so");
}

#[tokio::test]
async fn what_the_settings_leave_is_left_and_said() {
    let settings = "[source.app.removal]\nfull_text = \"leave\"\nstatistics = false\ncheckpoint = false";
    let office = Office::with("WAL", Search::External, settings).await;
    let run = office.erase().await;
    assert_eq!(run.report.removal["app"].not_wanted, ["full_text", "statistics", "vacuum", "checkpoint"]);
    assert!(office.found_in_use().await.len() > DUE / 2);
    assert_eq!(office.steps().await, Vec::<&str>::new());
    assert!(office.unproven().await.is_some(), "what nobody removes is found");
}

#[tokio::test]
async fn statistics_are_never_made() {
    let office = Office::with("WAL", Search::Own, "").await;
    office.bench.sql("PRAGMA secure_delete = ON; DROP TABLE sqlite_stat4").await;
    office.erase().await;
    let made = "SELECT name FROM sqlite_schema WHERE name GLOB 'sqlite_stat*'";
    assert_eq!(office.bench.rows(made).await, ["'sqlite_stat1'"]);
    assert_eq!(office.found_in_use().await, Default::default());
}
