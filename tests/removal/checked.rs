//! What `check` says of what keeps erased values in the files.

use erasured::source::check;

use crate::common::{Bench, rendered};
use crate::office::{Office, Search};
use crate::vacuum::own_collation;

async fn findings(bench: &Bench) -> String {
    let settings = bench.settings();
    let mut reader = bench.source(&settings).reader().await.unwrap();
    let found = check::removal(&mut reader, settings.sources.values().next().unwrap()).await.unwrap();
    reader.close().await;
    rendered(&found)
}

#[tokio::test]
async fn nothing_where_all_of_it_is_removed() {
    for search in [Search::Own, Search::External, Search::Marks, Search::Old] {
        assert_eq!(findings(&Office::with("WAL", search, "").await.bench).await, "");
    }
}

#[tokio::test]
async fn what_is_left_is_warned_of() {
    let settings = "[source.app.removal]\nfull_text = \"leave\"\nstatistics = false\ncheckpoint = false";
    let told = findings(&Office::with("WAL", Search::Own, settings).await.bench).await;
    insta::assert_snapshot!(told, @r#"
    warning: erasured.toml:4:7: sqlite_stat4 holds values of rows, also of erased ones
      hint: write statistics = true in [source.app.removal], or let the application run ANALYZE after each final run
    warning: erasured.toml:4:7: search keeps the words of rows that are gone
      hint: write full_text = "optimise" in [source.app.removal]
    warning: erasured.toml:4:7: the write-ahead log keeps what is erased until the application empties it
      hint: write checkpoint = true in [source.app.removal]
    "#);
}

#[tokio::test]
async fn the_cost_of_vacuum_is_said() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"02:00-04:00\"").await;
    let told = findings(&office.bench).await;
    assert!(
        told.contains("VACUUM locks the application out for as long as it takes, and needs 1 MiB of room"),
        "{told}"
    );
    assert!(!told.contains("anew"), "{told}");
    office
        .bench
        .sql("CREATE TABLE a (x); CREATE TABLE b (x TEXT PRIMARY KEY); CREATE TABLE c (x PRIMARY KEY) WITHOUT ROWID")
        .await;
    let told = findings(&office.bench).await;
    assert!(told.contains("it may number the rows of a and b anew"), "{told}");
    office.bench.sql("CREATE VIRTUAL TABLE bare USING fts5(x, content = '')").await;
    let told = findings(&office.bench).await;
    assert!(
        told.starts_with(
            "error: erasured.toml:7:10: VACUUM would fail, or do harm: it may number the rows of a anew, and \
        bare has no contents to be made anew from"
        ),
        "{told}"
    );
}

#[tokio::test]
async fn where_vacuum_would_fail_it_is_refused() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"02:00-04:00\"").await;
    own_collation(&office.bench, "CREATE TABLE words (word TEXT); CREATE INDEX by_word ON words (word COLLATE duden)")
        .await;
    let told = findings(&office.bench).await;
    assert!(told.contains("error: ") && told.contains("no such collation sequence: duden"), "{told}");
}

#[tokio::test]
async fn and_where_nobody_could_make_an_index_anew_after_it() {
    let office = Office::with("WAL", Search::Own, "[source.app.removal]\nvacuum = \"02:00-04:00\"").await;
    let forged = "CREATE TABLE notes (x); CREATE VIRTUAL TABLE own USING fts4(content=\"notes\", x);
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE own USING fts4(content=\"notes\", x, tokenize=duden)' WHERE name = 'own'";
    office.bench.sql(forged).await;
    let told = findings(&office.bench).await;
    let said = "it may number rows anew, and own cannot be made anew after it: unknown tokenizer: duden";
    assert!(told.contains(&format!("error: erasured.toml:7:10: VACUUM would fail, or do harm: {said}")), "{told}");
}

#[tokio::test]
async fn an_index_that_only_the_application_can_open_is_named() {
    let office = Office::with("DELETE", Search::Own, "").await;
    let forged = "CREATE VIRTUAL TABLE own USING fts4(x); PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE own USING fts4(x, tokenize=duden)' WHERE name = 'own'";
    office.bench.sql(forged).await;
    let told = findings(&office.bench).await;
    assert!(told.contains("cannot be taken out of own: unknown tokenizer: duden"), "{told}");
    // It is told in the run, too; the other index is written anew all the same.
    let run = office.erase().await;
    let why = &run.report.removal["app"].pending["full_text"];
    assert!(why.starts_with("own: ") && why.contains("unknown tokenizer: duden"), "{why}");
    assert!(!office.found().is_superset(&(1..100).collect()), "{why}");
}
