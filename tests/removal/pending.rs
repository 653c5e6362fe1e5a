//! What cannot be done stays owed, is told of, and is tried again until it is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use erasured::store::JobKind;
use jiff::ToSpan as _;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::common::rows;
use crate::office::{DUE, Office, Search, outcome, removed};

/// Without it the proof would often stay owed.
const VACUUM: &str = "max_lock = \"20 ms\"\n[source.app.removal]\nvacuum = \"00:00-24:00\"";

const VACUUM_AT_NIGHT: &str = "max_lock = \"20 ms\"\n[source.app.removal]\nvacuum = \"02:00-04:00\"";

#[tokio::test]
async fn while_somebody_reads_the_log_it_is_owed_and_then_it_is_done() {
    let office = Office::with("WAL", Search::External, VACUUM).await;
    let mut reader = office.bench.connect().await;
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    rows(&mut reader, "SELECT count(*) FROM customers").await;
    let run = office.erase().await;
    assert_eq!(
        (outcome(&run), removed(&run)),
        ("done", (vec!["full_text", "statistics", "vacuum"], vec!["checkpoint"]))
    );
    assert_eq!(office.found().len(), DUE, "the reader sees them all");
    let owed = office.owed().await;
    assert_eq!((office.steps().await, owed[0].records, owed[0].tries), (vec!["checkpoint"], DUE as u64, 1));
    assert!(owed[0].why.as_ref().unwrap().contains("somebody reads or writes by it"), "{owed:?}");
    assert_eq!((office.entries("removal_pending").await, office.entries("removal_done").await), (1, 0));

    assert!(office.beat().await.is_none(), "not yet");
    office.clock.advance(15.minutes().try_into().unwrap());
    let queued = office.beat().await.unwrap();
    assert_eq!((queued.job, office.beat().await.unwrap().id), (JobKind::Remove, queued.id), "once");
    let run = office.perform(queued.id).await;
    assert_eq!((outcome(&run), removed(&run).1), ("partly", vec!["checkpoint"]));
    assert_eq!(office.owed().await[0].tries, 2);
    office.clock.advance(29.minutes().try_into().unwrap());
    assert!(office.beat().await.is_none(), "each time after twice as long");

    sqlx::query("COMMIT").execute(&mut reader).await.unwrap();
    office.clock.advance(1.minute().try_into().unwrap());
    let queued = office.beat().await.unwrap();
    let run = office.perform(queued.id).await;
    assert_eq!((outcome(&run), removed(&run)), ("done", (vec!["checkpoint"], Vec::new())));
    assert_eq!((office.steps().await, office.found_in_use().await), (Vec::<&str>::new(), Default::default()));
    assert_eq!((office.entries("removal_pending").await, office.entries("removal_done").await), (2, 1));
    assert!(office.beat().await.is_none());
    assert_eq!(office.unproven().await, None);
    reader.close().await.unwrap();
}

#[tokio::test]
async fn while_the_application_has_the_lock_everything_is_owed() {
    for journal in ["WAL", "DELETE"] {
        let office = Office::with(journal, Search::Own, VACUUM).await;
        office.erase_and_stop().await;
        let all = ["full_text", "statistics", "vacuum", "checkpoint"];
        assert_eq!(office.steps().await, all, "{journal}: what a batch owes is written with its outcome");
        let mut application = office.bench.connect().await;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
        let run = office.run(JobKind::Remove).await;
        assert_eq!(outcome(&run), "partly", "{journal}");
        let why = office.owed().await[0].why.clone();
        assert_eq!(why.as_deref(), Some("the application keeps the database locked"), "{journal}");
        sqlx::query("ROLLBACK").execute(&mut application).await.unwrap();
        let run = office.run(JobKind::Remove).await;
        assert_eq!((outcome(&run), office.steps().await), ("done", Vec::new()), "{journal}");
        assert_eq!(office.found_in_use().await.len(), office.left().await, "{journal}: but for who is still there");
        application.close().await.unwrap();
    }
}

#[tokio::test]
async fn while_a_batch_cannot_be_settled_everything_is_owed() {
    let office = Office::with("WAL", Search::Own, VACUUM).await;
    office.erase_and_stop().await;
    let options = SqliteConnectOptions::new().filename(office.bench.dir.path().join("state.db"));
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    let open = "INSERT INTO batch VALUES (zeroblob(16), 'app', 1, 'open', '2026-11-21T09:00:00Z', NULL, '[]')";
    sqlx::query(open).execute(&mut state).await.unwrap();
    state.close().await.unwrap();
    let (owed, files) = (office.steps().await, office.bench.bytes());
    let (place, away) = (office.bench.database(), office.bench.dir.path().join("away.db"));
    std::fs::rename(&place, &away).unwrap();
    let run = office.run(JobKind::Remove).await;
    assert_eq!((outcome(&run), office.steps().await), ("partly", owed));
    let why = office.owed().await[0].why.clone();
    assert_eq!(why.as_deref(), Some("its last batch is not settled yet"));
    std::fs::rename(&away, &place).unwrap();
    assert!(office.bench.bytes() == files, "nothing was begun");
    let run = office.run(JobKind::Remove).await;
    assert_eq!((outcome(&run), office.steps().await), ("done", Vec::new()));
}

#[tokio::test]
async fn outside_the_hours_of_the_source_nothing_is_begun() {
    let office = Office::with("WAL", Search::Own, VACUUM).await;
    let mut reader = office.bench.connect().await;
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    rows(&mut reader, "SELECT count(*) FROM customers").await;
    office.erase().await;
    reader.close().await.unwrap();
    // It is 10:00 in Vienna.
    office.set(&format!("hours = \"22:00-05:00\"\n{VACUUM}"));
    let run = office.run(JobKind::Remove).await;
    assert_eq!((outcome(&run), removed(&run)), ("partly", (Vec::new(), vec!["checkpoint"])));
    let owed = office.owed().await;
    assert_eq!(owed[0].why.as_deref(), Some("outside its hours, 22:00-05:00"));
    assert_eq!(owed[0].next_at, "2026-11-21T21:00:00Z".parse().unwrap());
    office.clock.advance_to("2026-11-21T20:59:59Z".parse().unwrap());
    assert!(office.beat().await.is_none());
    office.clock.advance_to("2026-11-21T21:00:00Z".parse().unwrap());
    let run = office.perform(office.beat().await.unwrap().id).await;
    assert_eq!((outcome(&run), office.steps().await), ("done", Vec::new()));
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nothing_waiting() {
    let office = Office::with("WAL", Search::Own, "max_lock = \"20 ms\"").await;
    let mut reader = office.bench.connect().await;
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    rows(&mut reader, "SELECT count(*) FROM customers").await;
    office.erase().await;
    office.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    assert!(office.beat().await.is_some());
    reader.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_application_writes_meanwhile() {
    for journal in ["WAL", "DELETE"] {
        let office = Office::with(journal, Search::Own, VACUUM_AT_NIGHT).await;
        let more = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
            INSERT INTO customers SELECT i, hex(randomblob(8)), hex(randomblob(8)), 0, hex(randomblob(40)) FROM n";
        office.bench.sql(more).await;
        office.erase_and_stop().await;
        let options =
            SqliteConnectOptions::new().filename(office.bench.database()).busy_timeout(Duration::from_secs(1));
        let mut application = SqliteConnection::connect_with(&options).await.unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let writing = tokio::spawn(async move {
            let mut writes = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                let sql = "UPDATE customers SET notes = hex(randomblob(40)) WHERE id = 1000 + abs(random()) % 39000";
                sqlx::query(sql).execute(&mut application).await.unwrap();
                writes += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            writes
        });
        let mut run = office.run(JobKind::Remove).await;
        for _ in 0..30 {
            if !removed(&run).1.contains(&"full_text") {
                break;
            }
            run = office.run(JobKind::Remove).await;
        }
        is_over.store(true, Ordering::Relaxed);
        // Each write in vain would have ended the application.
        assert!(writing.await.unwrap() > 0, "{journal}");
        assert!(!removed(&run).1.contains(&"full_text"), "{journal}: {run:?}");
    }
}
