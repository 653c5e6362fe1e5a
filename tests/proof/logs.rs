//! What lies beside the database: the write-ahead log, the rollback journal.

use erasured::proof::{Layer, Region, Verdict};

use super::app::{App, PERSON, found, holds, is_pending, layer, name, persons, regions};

#[tokio::test]
async fn while_a_reader_holds_the_log_it_is_pending() {
    let mut app = App::new(&format!("PRAGMA journal_mode = WAL; {PERSON} {}", persons(0..200))).await;
    app.sql("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA secure_delete = ON;").await;
    let mut reader = app.another().await;
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM person").execute(&mut reader).await.unwrap();
    app.sql("DELETE FROM person WHERE id < 150; PRAGMA wal_checkpoint(TRUNCATE);").await;
    let report = app.prove(&[&name(7)]).await;
    assert!(app.grep(&name(7)) && !report.is_clean() && report.is_pending());
    assert!(is_pending(&report, Layer::Database) && is_pending(&report, Layer::Wal));
    let table = Some("person".to_owned());
    assert!(regions(&report, Layer::Database).contains(&(Region::NotYetMoved, table)));
    assert!(app.look().await.is_pending());

    sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    app.sql("PRAGMA wal_checkpoint(TRUNCATE); ").await;
    let report = app.prove(&[&name(7)]).await;
    assert!(report.is_clean() && !app.grep(&name(7)), "{:?}", report.trouble());
}

#[tokio::test]
async fn a_reader_that_came_later_keeps_the_log_and_it_stays_pending() {
    let mut app = App::new(&format!("PRAGMA journal_mode = WAL; {PERSON} {}", persons(0..200))).await;
    app.sql("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA secure_delete = ON; DELETE FROM person WHERE id < 150;").await;
    let mut reader = app.another().await;
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM person").execute(&mut reader).await.unwrap();
    app.sql("PRAGMA wal_checkpoint(TRUNCATE);").await;
    assert!(is_pending(&app.prove(&[&name(7)]).await, Layer::Wal));
}

#[tokio::test]
async fn what_an_earlier_round_has_left_in_the_log_is_found() {
    let mut app = App::new(&format!("PRAGMA journal_mode = WAL; {PERSON} {}", persons(0..400))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id < 350; PRAGMA wal_checkpoint(RESTART);").await;
    // The log begins anew, and is not cut.
    app.sql("UPDATE person SET note = 'x' WHERE id = 399;").await;
    let log = std::fs::read(app.beside("-wal")).unwrap();
    assert!(holds(&log, name(7).as_bytes()));
    let report = app.prove(&[&name(7)]).await;
    assert_eq!((found(&report), is_pending(&report, Layer::Wal)), (1, true));
    assert!(regions(&report, Layer::Wal).iter().any(|(region, _)| *region == Region::WalTail));
}

#[tokio::test]
async fn a_log_that_was_emptied_and_holds_none_of_the_values_is_clean() {
    let mut app = App::new(&format!("PRAGMA journal_mode = WAL; {PERSON} {}", persons(0..200))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id < 150; PRAGMA wal_checkpoint(TRUNCATE);").await;
    app.sql("PRAGMA wal_autocheckpoint = 0; CREATE TABLE later (x); PRAGMA wal_checkpoint(PASSIVE);").await;
    let gone = name(7);
    let before = app.try_prove(Some(&[&gone]), false).await.unwrap();
    let report = app.try_prove(Some(&[&gone]), true).await.unwrap();
    assert_eq!((before.is_clean(), report.is_clean()), (false, true), "{:?}", report.trouble());
    // But for the values themselves.
    app.sql(&format!("INSERT INTO person VALUES (7, '{gone}', ''); DELETE FROM person WHERE id = 7;")).await;
    assert!(!app.try_prove(Some(&[&gone]), true).await.unwrap().is_clean());
}

#[tokio::test]
async fn a_journal_that_is_kept_is_searched() {
    let mut app = App::new(&format!("PRAGMA journal_mode = PERSIST; {PERSON} {}", persons(0..200))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id < 150;").await;
    let journal = std::fs::read(app.beside("-journal")).unwrap();
    assert!(holds(&journal, name(7).as_bytes()));
    let report = app.prove(&[&name(7)]).await;
    assert_eq!((found(&report), layer(&report, Layer::Journal).verdict.clone()), (1, Verdict::Found { count: 1 }));
    assert!(matches!(layer(&app.look().await, Layer::Journal).verdict, Verdict::Found { .. }));
    app.sql("PRAGMA journal_mode = DELETE; UPDATE person SET note = '';").await;
    assert!(app.prove(&[&name(7)]).await.is_clean());
}

#[tokio::test]
async fn a_database_that_is_in_the_log_alone_is_looked_through() {
    let mut app = App::new("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;").await;
    app.sql(&format!("{PERSON} {} DELETE FROM person WHERE id = 2;", persons(0..200))).await;
    let report = app.prove(&[&name(2), &name(3)]).await;
    assert_eq!((report.faults.clone(), report.values.as_ref().unwrap().in_use), (Vec::<String>::new(), 1));
    assert!(!report.is_clean());
}

#[tokio::test]
async fn the_log_beside_the_file_that_a_link_leads_to_is_looked_through() {
    let mut app = App::new(&format!("PRAGMA journal_mode = WAL; {PERSON} {}", persons(0..200))).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(app.path(), &link).unwrap();
    app.sql("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA secure_delete = ON;").await;
    let mut reader = app.another().await;
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM person").execute(&mut reader).await.unwrap();
    app.sql("DELETE FROM person WHERE id < 150; PRAGMA wal_checkpoint(TRUNCATE);").await;
    let report = app.prove_at(&link, Some(&[&name(7)]), false).await.unwrap();
    assert!(!report.is_clean() && is_pending(&report, Layer::Wal), "{:?}", report.trouble());
}

#[tokio::test]
async fn a_journal_beside_the_file_that_a_link_leads_to_is_searched() {
    let mut app = App::new(&format!("PRAGMA journal_mode = PERSIST; {PERSON} {}", persons(0..200))).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(app.path(), &link).unwrap();
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id < 150;").await;
    let report = app.prove_at(&link, Some(&[&name(7)]), false).await.unwrap();
    assert_eq!(layer(&report, Layer::Journal).verdict, Verdict::Found { count: 1 });
}

#[tokio::test]
async fn a_log_that_cannot_be_read_as_one_is_a_fault() {
    let told = "the write-ahead log cannot be read as one";
    let kept = format!("{}{}{}", "x".repeat(100), name(7), "x".repeat(5_000));
    for (bytes, is_told) in
        [(kept.as_bytes(), true), (b"short".as_slice(), true), (&[0; 5_000], false), (b"".as_slice(), false)]
    {
        let mut app = App::new(&format!("PRAGMA journal_mode = WAL; {PERSON} {}", persons(0..200))).await;
        app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id = 7; VACUUM;").await;
        app.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
        // What lies there was not written by SQLite; whoever is there already does not look at it again.
        std::fs::write(app.beside("-wal"), bytes).unwrap();
        let report = app.try_prove(Some(&[&name(7)]), true).await.unwrap();
        assert_eq!(
            (report.faults.iter().any(|fault| fault == told), report.is_clean()),
            (is_told, !is_told),
            "{report:?}"
        );
        assert_eq!(found(&report) == 1, bytes.len() > 5_000, "{:?}", report.trouble());
    }
}
