//! The application changes its schema between two batches of groups.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use erasured::jobs::{Stop, perform};
use erasured::store::{JobKind, Run, RunTrigger};

use crate::office::{Office, leave};

/// Groups of a first batch, and then some.
const GROUPS: u64 = 25;
const FIRST_BATCH: u64 = 20;

impl Office {
    /// A final run during which the application does this after the first batch.
    async fn erase_while(&self, sql: &str) -> Run {
        let asked = AtomicU32::new(0);
        let stop = || {
            // First before the batch, then after it.
            if asked.fetch_add(1, Ordering::SeqCst) == 1 {
                self.bench.sql_at_once(sql);
            }
            false
        };
        self.erase_asking(&stop).await
    }

    async fn erase_asking(&self, stop: Stop<'_>) -> Run {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let trigger = RunTrigger::Manual { actor: leave(&[]).actor().clone(), request: None };
        let id = change.queue_run(JobKind::Erase, &trigger, false).await.unwrap();
        change.start_run(id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let run = self.store.run(id).await.unwrap().unwrap();
        perform(&self.workshop, &run, stop).await.unwrap();
        self.store.run(id).await.unwrap().unwrap()
    }

    /// As many groups of a person and a prospect, confirmed together, and a prospect that was confirmed alone.
    async fn with_groups() -> Self {
        let office = Self::open().await;
        let mut sql = String::new();
        for id in 100..100 + GROUPS {
            write!(sql, "INSERT INTO persons VALUES ({id}, 'Maier', '2019-01-01', NULL);").unwrap();
            write!(sql, "INSERT INTO prospects VALUES ({id}, 'Maier', '2019-02-01', {id});").unwrap();
        }
        office.bench.sql(&sql).await;
        office.run(JobKind::Prepare).await;
        for id in 100..100 + GROUPS {
            office.confirm(&format!("prospect/{id}"), &[&format!("person/{id}")]).await.unwrap();
        }
        office.confirm("prospect/4", &[]).await.unwrap();
        office
    }
}

#[tokio::test]
async fn a_group_with_a_stopped_category_stays_and_the_others_go_on() {
    let office = Office::with_groups().await;
    let run = office.erase_while("ALTER TABLE persons ADD COLUMN nickname TEXT").await;
    let state = format!("{:?}", run.state);
    assert!(state.contains("Partly"), "{state}");
    assert_eq!(state.matches("person: the settings do not fit the schema: column nickname of persons").count(), 1);
    let left = (GROUPS - FIRST_BATCH).to_string();
    for table in ["persons", "prospects"] {
        assert_eq!(office.bench.rows(&format!("SELECT count(*) FROM {table} WHERE id >= 100")).await, [left.as_str()]);
    }
    let states = office.states(&["person/124", "prospect/124", "prospect/4"]).await;
    assert_eq!(states[..2], ["person/124 confirmed (together)", "prospect/124 confirmed (together)"]);
    assert!(states[2].contains("erased (deleted)"), "{states:?}");
    assert_eq!(run.report.total().returned, 0, "they are left as they are");
    office.bench.assert_sound().await;
}

#[tokio::test]
async fn what_no_category_minds_holds_nothing_up() {
    let office = Office::with_groups().await;
    let run = office.erase_while("CREATE TABLE staging (id INTEGER PRIMARY KEY)").await;
    assert!(format!("{:?}", run.state).contains("Done"), "{:?}", run.state);
    assert_eq!(office.bench.rows("SELECT count(*) FROM persons WHERE id >= 100").await, ["0"]);
    office.bench.assert_sound().await;
}

/// An application that is never at rest is left alone before long.
#[tokio::test]
async fn a_schema_that_changes_again_and_again_ends_the_run() {
    let office = Office::open().await;
    office.confirm("prospect/1", &["person/1"]).await.unwrap();
    office.bench.sql("CREATE TABLE staging (c0 INTEGER)").await;
    let changes = AtomicU32::new(0);
    // Asked before each batch: none of them finds the schema that was read. Nobody waits for ever.
    let stop = || {
        let number = changes.fetch_add(1, Ordering::SeqCst) + 1;
        office.bench.sql_at_once(&format!("ALTER TABLE staging RENAME COLUMN c{} TO c{number}", number - 1));
        number >= 150
    };
    let run = office.erase_asking(&stop).await;
    let state = format!("{:?}", run.state);
    assert!(state.contains("Partly") && state.contains("schema"), "{state}");
    assert_eq!(office.bench.rows("SELECT count(*) FROM persons WHERE id = 1").await, ["1"]);
}
