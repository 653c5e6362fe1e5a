//! Freed pages, gaps inside pages, indexes, statistics, and what living rows hold.

use erasured::proof::{Layer, Owner, Region, Verdict};

use super::app::{App, PERSON, found, layer, name, persons, regions};

#[tokio::test]
async fn what_an_application_leaves_is_found_and_vacuum_takes_it_away() {
    let mut app = App::new(&format!("{PERSON}{}", persons(0..2_000))).await;
    app.sql("DELETE FROM person WHERE id BETWEEN 500 AND 1500; DELETE FROM person WHERE id % 7 = 0;").await;
    let gone: Vec<String> = (0..2_000).filter(|n| (500..=1500).contains(n) || n % 7 == 0).map(name).collect();
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    let report = app.prove(&gone).await;
    let left = gone.iter().filter(|name| app.grep(name)).count() as u64;
    assert!(left > 800, "{left}");
    assert_eq!((found(&report), report.is_clean()), (left, false));
    let table = Some("person".to_owned());
    let places = regions(&report, Layer::Database);
    assert!(places.contains(&(Region::FreePages, None)) && places.contains(&(Region::PageGaps, table)), "{places:?}");
    let owners: Vec<(Region, Owner, bool)> = layer(&report, Layer::Database)
        .residue
        .iter()
        .map(|residue| (residue.region, residue.owner, residue.nonzero > 0))
        .collect();
    assert!(owners.contains(&(Region::FreePages, Owner::Application, true)), "{owners:?}");
    assert!(owners.contains(&(Region::PageGaps, Owner::Ours, true)), "{owners:?}");
    assert!(matches!(layer(&app.look().await, Layer::Database).verdict, Verdict::Found { .. }));

    app.sql("PRAGMA secure_delete = ON; VACUUM;").await;
    let report = app.prove(&gone).await;
    assert!(report.is_clean() && !gone.iter().any(|name| app.grep(name)), "{:?}", report.trouble());
    let look = app.look().await;
    assert!(look.is_clean(), "{:?} {:?}", look.trouble(), layer(&look, Layer::Database).residue);
}

#[tokio::test]
async fn what_is_deleted_with_care_leaves_nothing() {
    let mut app = App::new(&format!("{PERSON} PRAGMA secure_delete = ON;")).await;
    app.sql(&persons(0..2_000)).await;
    app.sql("DELETE FROM person WHERE id % 3 = 0;").await;
    let look = app.look().await;
    assert!(look.is_clean(), "{:?} {:?}", look.trouble(), layer(&look, Layer::Database).residue);
}

#[tokio::test]
async fn what_living_rows_hold_is_passed_over_and_counted() {
    let mut app = App::new(&format!("{PERSON} CREATE TABLE visit (who TEXT); {}", persons(0..3))).await;
    app.sql(&format!("INSERT INTO visit VALUES ('{}'); DELETE FROM person WHERE id < 2;", name(1))).await;
    let report = app.prove(&[&name(0), &name(1)]).await;
    let values = report.values.as_ref().unwrap();
    assert_eq!((values.found, values.in_use, values.in_use_by.clone()), (1, 1, [("visit".to_owned(), 1)].into()));
}

#[tokio::test]
async fn entries_of_indexes_and_statistics_are_no_living_rows() {
    let mut app = App::new(&format!("{PERSON} CREATE INDEX by_name ON person (lower(name)); {}", persons(0..50))).await;
    // This build has no STAT4 of its own; the application's may.
    app.sql("PRAGMA writable_schema = ON; CREATE TABLE sqlite_stat4 (tbl, idx, neq, nlt, ndlt, sample);").await;
    app.sql(&format!("INSERT INTO sqlite_stat4 VALUES ('person', 'by_name', '1', '1', '1', '{}');", name(7))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id = 7;").await;
    let report = app.prove(&[&name(7)]).await;
    let table = Some("sqlite_stat4".to_owned());
    assert_eq!((found(&report), regions(&report, Layer::Database)), (1, [(Region::IndexEntries, table)].into()));
    app.sql("DELETE FROM sqlite_stat4; VACUUM;").await;
    assert!(app.prove(&[&name(7)]).await.is_clean());
    // An entry that its row has left behind.
    let index = Some("by_name".to_owned());
    let report = app.prove(&[&name(9).to_lowercase()]).await;
    assert_eq!(regions(&report, Layer::Database), [(Region::IndexEntries, index)].into());
}

#[tokio::test]
async fn wide_text_is_found() {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let mut app = App::new(&format!("PRAGMA encoding = '{encoding}'; {PERSON} {}", persons(0..9))).await;
        app.sql("DELETE FROM person WHERE id IN (2, 3);").await;
        let report = app.prove(&[&name(2), &name(4)]).await;
        let values = report.values.as_ref().unwrap();
        assert_eq!((values.found, values.in_use), (1, 1), "{encoding}");
    }
}

#[tokio::test]
async fn an_auto_vacuumed_database_is_looked_through() {
    let mut app = App::new(&format!("PRAGMA auto_vacuum = INCREMENTAL; {PERSON} {}", persons(0..2_000))).await;
    app.sql("DELETE FROM person WHERE id < 1000;").await;
    let report = app.prove(&[&name(12)]).await;
    assert_eq!((found(&report), report.faults.clone()), (1, Vec::<String>::new()));
}

#[tokio::test]
async fn what_the_application_has_freed_elsewhere_keeps_no_structure_from_being_clean() {
    let mut app =
        App::new(&format!("{PERSON} CREATE TABLE other (x); PRAGMA secure_delete = ON; {}", persons(0..50))).await;
    app.sql("PRAGMA secure_delete = OFF; INSERT INTO other SELECT printf('%200d', id) FROM person, (SELECT 1 UNION ALL SELECT 2);").await;
    app.sql("DROP TABLE other;").await;
    let look = app.look().await;
    assert!(look.nonzero() > 0 && look.is_clean(), "{:?}", look.trouble());
    app.sql("DELETE FROM person WHERE id = 7;").await;
    let told = app.look().await.trouble().unwrap();
    assert!(told.starts_with("database file: found ") && told.ends_with(" bytes that are not zero"), "{told}");
}
