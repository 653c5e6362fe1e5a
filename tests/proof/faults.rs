//! Files that are no database or a damaged one, an application that keeps writing, and the locks of this process.

use std::process::Command;
use std::time::Duration;

use erasured::proof::Layer;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::app::{App, PERSON, is_pending, name, persons};

#[tokio::test]
async fn what_is_no_database_is_refused_with_a_sentence() {
    let app = App::new(&format!("{PERSON} {}", persons(0..200))).await;
    let mut bytes = std::fs::read(app.path()).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(app.path(), &bytes).unwrap();
    let error = app.try_prove(None, false).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot "), "{error}");
}

#[tokio::test]
async fn a_damaged_page_is_told_and_searched_all_the_same() {
    let mut app = App::new(&format!("{PERSON} {}", persons(0..2_000))).await;
    app.sql("PRAGMA secure_delete = ON; DELETE FROM person WHERE id = 7;").await;
    let mut bytes = std::fs::read(app.path()).unwrap();
    // Page 5, in the middle of the table: its type is none that there is.
    bytes[4 * 4096] = 99;
    std::fs::write(app.path(), &bytes).unwrap();
    let report = app.prove(&[&name(7)]).await;
    assert!(!report.is_clean() && report.faults.iter().any(|fault| fault == "page 5 of person is damaged"));
    let held =
        (0..2_000).map(name).find(|name| super::app::holds(&bytes[4 * 4096..5 * 4096], name.as_bytes())).unwrap();
    assert!(!app.prove(&[&held]).await.is_clean());
}

#[tokio::test]
async fn any_damaged_byte_is_survived() {
    let mut app = App::new(&format!("PRAGMA page_size = 512; {PERSON} {}", persons(0..60))).await;
    app.sql("CREATE INDEX by_note ON person (note); DELETE FROM person WHERE id % 5 = 0;").await;
    let good = std::fs::read(app.path()).unwrap();
    for at in (100..good.len()).step_by(331) {
        for byte in [0, 0xff, 0x0d] {
            let mut bytes = good.clone();
            bytes[at] = byte;
            std::fs::write(app.path(), &bytes).unwrap();
            // Whatever it says: it says something, and is not clean where the value stands.
            let report = app.try_prove(Some(&[&name(5)]), false).await;
            assert!(report.is_err() || !report.unwrap().is_clean() || !app.grep(&name(5)), "byte {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_keeps_writing_leaves_it_pending() {
    let app = App::new(&format!("PRAGMA journal_mode = WAL; {PERSON} {}", persons(0..9))).await;
    let mut other = app.another().await;
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_over = std::sync::Arc::clone(&stop);
    let writing = tokio::spawn(async move {
        while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
            sqlx::raw_sql("UPDATE person SET note = note || 'x' WHERE id = 1").execute(&mut other).await.unwrap();
        }
    });
    let report = app.prove(&[&name(3)]).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writing.await.unwrap();
    assert!(!report.is_clean() && is_pending(&report, Layer::Database));
}

/// Says by its exit code whether another process can take the lock: run by the test below, as a process of its own.
#[tokio::test]
async fn another_process_takes_the_lock() {
    let Ok(path) = std::env::var("PROOF_TEST_LOCKED") else { return };
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::ZERO);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let taken = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.is_ok();
    std::process::exit(if taken { 42 } else { 43 });
}

fn can_another_process_lock(app: &App) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "faults::another_process_takes_the_lock"]).env("PROOF_TEST_LOCKED", app.path());
    match child.output().unwrap().status.code() {
        Some(42) => true,
        Some(43) => false,
        other => panic!("the other process ended with {other:?}"),
    }
}

#[tokio::test]
async fn a_lock_of_this_process_survives_a_proof() {
    let mut app = App::new(&format!("{PERSON} {}", persons(0..200))).await;
    assert!(can_another_process_lock(&app));
    app.sql("BEGIN IMMEDIATE; DELETE FROM person WHERE id = 7;").await;
    assert!(!can_another_process_lock(&app));
    app.look().await;
    assert!(!can_another_process_lock(&app), "the proof has dropped the lock");
    app.sql("COMMIT").await;
}

#[tokio::test]
async fn a_look_that_is_to_stop_says_so() {
    let mut app = App::new(&format!("{PERSON} {}", persons(0..9))).await;
    app.is_stopped = true;
    let report = app.prove(&[&name(3)]).await;
    assert!(!report.is_clean() && is_pending(&report, Layer::Database), "{report:?}");
    assert_eq!(report.trouble().unwrap(), "database file: pending: it was broken off, and has to be looked at again");
}
