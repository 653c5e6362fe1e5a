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

/// A text index of this make over the table, filled by hand, and one person gone.
async fn without(index: &str, trigger: &str) -> App {
    let mut app = App::new(&format!("{PERSON}{} {index}", persons(0..50))).await;
    let number = if index.contains("fts5") { "rowid" } else { "docid" };
    app.sql(&format!("INSERT INTO person_fts ({number}, name) SELECT id, name FROM person;{trigger}")).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id = 7; VACUUM;").await;
    app
}

#[tokio::test]
async fn a_row_that_is_gone_keeps_no_term_alive() {
    let late = "CREATE TRIGGER gone AFTER DELETE ON person BEGIN DELETE FROM person_fts WHERE docid = old.id; END;";
    let early = late.replace("AFTER", "BEFORE");
    let old = "CREATE VIRTUAL TABLE person_fts USING fts4(content=\"person\", name);";
    for trigger in ["", late] {
        let app = without(old, trigger).await;
        let report = app.prove(&[&name(7), &name(8)]).await;
        let values = report.values.as_ref().unwrap();
        assert_eq!((values.found, values.in_use, report.is_clean()), (1, 1, false), "{trigger}");
    }
    let mut app = without(old, &early).await;
    app.sql("INSERT INTO person_fts (person_fts) VALUES ('optimize'); VACUUM;").await;
    let report = app.prove(&[&name(7), &name(8)]).await;
    assert!(report.is_clean(), "{:?}", report.trouble());
}

#[tokio::test]
async fn an_index_without_contents_keeps_no_term_alive() {
    let app = without("CREATE VIRTUAL TABLE person_fts USING fts5(name, content='');", "").await;
    let report = app.prove(&[&name(7)]).await;
    assert_eq!((found(&report), report.is_clean()), (1, false));
}

#[tokio::test]
async fn but_a_row_of_the_table_whose_triggers_write_the_index_does() {
    let bare = "CREATE VIRTUAL TABLE person_fts USING fts5(name, content='', contentless_delete=1);
        CREATE TRIGGER gone AFTER DELETE ON person BEGIN DELETE FROM person_fts WHERE rowid = old.id; END;";
    let mut app = without(bare, "").await;
    app.sql("INSERT INTO person_fts (person_fts) VALUES ('optimize'); VACUUM;").await;
    let report = app.prove(&[&name(7), &name(8)]).await;
    assert!(report.is_clean() && report.values.as_ref().unwrap().in_use == 1, "{:?}", report.trouble());
}

#[tokio::test]
async fn what_a_text_index_keeps_of_rows_is_a_copy() {
    let mut app = without("CREATE VIRTUAL TABLE person_fts USING fts5(name);", "").await;
    let report = app.prove(&[&name(7), &name(8)]).await;
    let values = report.values.as_ref().unwrap();
    assert_eq!((values.found, values.in_use, values.in_use_by.clone()), (1, 1, [("person".to_owned(), 1)].into()));
    let table = Some("person_fts_content".to_owned());
    assert!(regions(&report, Layer::Database).contains(&(Region::IndexEntries, table)));
    app.sql("DELETE FROM person_fts WHERE rowid = 7; INSERT INTO person_fts (person_fts) VALUES ('optimize'); VACUUM;")
        .await;
    assert!(app.prove(&[&name(7), &name(8)]).await.is_clean());
}

#[tokio::test]
async fn a_table_that_is_called_like_a_part_of_an_index_is_none() {
    let mut app = App::new(&format!("{PERSON}{INDEX} CREATE TABLE person_fts_log (who TEXT);")).await;
    app.sql(&format!("INSERT INTO person_fts_log VALUES ('{}');", name(7))).await;
    let report = app.prove(&[&name(7)]).await;
    assert_eq!((found(&report), report.values.as_ref().unwrap().in_use), (0, 1), "{:?}", report.trouble());
}

#[tokio::test]
async fn what_separates_the_pages_of_an_index_is_looked_at() {
    let mut app = App::new(&format!("{PERSON}{INDEX}")).await;
    app.sql("INSERT INTO person_fts (person_fts, rank) VALUES ('pgsz', 64), ('secure-delete', 1);").await;
    app.sql(&persons(0..400)).await;
    app.sql("PRAGMA secure_delete = ON; INSERT INTO person_fts (person_fts) VALUES ('optimize');").await;
    app.sql("DELETE FROM person WHERE id % 2 = 0; VACUUM;").await;
    let gone: Vec<String> = (0..400).step_by(2).map(name).collect();
    let report = app.prove(&gone.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let tree = Some("person_fts_idx".to_owned());
    assert!(!report.is_clean() && regions(&report, Layer::Database).contains(&(Region::IndexEntries, tree)));
    let stays: Vec<String> = (1..400).step_by(2).map(name).collect();
    let report = app.prove(&stays.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(report.is_clean(), "those that stay have separators, too: {:?}", report.trouble());
}
