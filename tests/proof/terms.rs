//! Terms of full-text indexes, of which only the first of a page is written out.

use erasured::proof::{Layer, Region};

use super::app::{App, PERSON, found, name, persons, regions};

const INDEX: &str = "CREATE VIRTUAL TABLE person_fts USING fts5(name, content='person', content_rowid='id');
    CREATE TRIGGER gone AFTER DELETE ON person BEGIN
      INSERT INTO person_fts (person_fts, rowid, name) VALUES ('delete', old.id, old.name);
    END;
    CREATE TRIGGER come AFTER INSERT ON person BEGIN
      INSERT INTO person_fts (rowid, name) VALUES (new.id, new.name);
    END;";

#[tokio::test]
async fn a_compressed_term_is_found_until_the_index_is_optimised() {
    let mut app = App::new(&format!("{PERSON}{INDEX}{}", persons(0..400))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id BETWEEN 119 AND 126; VACUUM;").await;
    let (gone, stays) = (name(123), name(130));
    assert!(!app.grep(&gone.to_lowercase()), "the test is about a term that nothing shows whole");
    let report = app.prove(&[&gone, &stays]).await;
    let tree = Some("person_fts_data".to_owned());
    assert_eq!((found(&report), regions(&report, Layer::Database)), (1, [(Region::IndexEntries, tree)].into()));
    app.sql("INSERT INTO person_fts (person_fts) VALUES ('optimize'); VACUUM;").await;
    let report = app.prove(&[&gone, &stays]).await;
    assert!(report.is_clean() && report.values.as_ref().unwrap().in_use == 1, "{:?}", report.trouble());
}

#[tokio::test]
async fn a_term_in_a_freed_page_is_found() {
    let mut app = App::new(&format!("{PERSON}{INDEX}{}", persons(0..3_000))).await;
    app.sql("DELETE FROM person WHERE id = 1234; INSERT INTO person_fts (person_fts) VALUES ('optimize');").await;
    let report = app.prove(&[&name(1234)]).await;
    assert!(found(&report) == 1 && !report.is_clean());
    app.sql("DROP TABLE person_fts; DROP TRIGGER gone; DROP TRIGGER come;").await;
    app.sql("CREATE VIRTUAL TABLE other USING fts5(x); UPDATE person SET name = 'overwritten entirely, and longer';")
        .await;
    let report = app.prove(&[&name(1234)]).await;
    assert!(found(&report) == 1, "{:?}", regions(&report, Layer::Database));
}

#[tokio::test]
async fn an_index_that_nobody_keeps_up_to_date_shields_nothing() {
    let mut app = App::new(&format!("{PERSON}{INDEX} DROP TRIGGER gone; {}", persons(0..50))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id = 7; VACUUM;").await;
    assert_eq!(found(&app.prove(&[&name(7)]).await), 1);
}

#[tokio::test]
async fn the_older_full_text_indexes_are_read_too() {
    let mut app = App::new("CREATE VIRTUAL TABLE person_fts USING fts4(name); CREATE TABLE person (id)").await;
    let rows: Vec<String> = (0..300).map(|n| format!("({n}, '{}')", name(n))).collect();
    app.sql(&format!("INSERT INTO person_fts (docid, name) VALUES {};", rows.join(", "))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person_fts WHERE docid = 77; VACUUM;").await;
    assert_eq!(found(&app.prove(&[&name(77)]).await), 1);
    app.sql("INSERT INTO person_fts (person_fts) VALUES ('optimize'); VACUUM;").await;
    let report = app.prove(&[&name(77)]).await;
    assert!(report.is_clean(), "{:?}", report.trouble());
}
