//! A run that erases, and what its report then says of the bytes.

use std::sync::Arc;

use erasured::actor::Actor;
use erasured::audit::CheckpointKey;
use erasured::clock::{SetClock, SharedClock};
use erasured::jobs::{Keys, Workshop, perform};
use erasured::proof::{Layer, ProofReport, Verdict};
use erasured::store::{JobKind, Run, RunTrigger, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use super::app::{holds, name, regions};
use crate::common::{Bench, key};

const CATEGORY: &str = "table = \"person\"\nidentity = [\"name\"]\ntriggers = [\"gone\", \"come\", \"change\"]\n\
    [manual]\nwhere = \"left_on IS NOT NULL\"\nauto_confirm = true\n\
    [erase.anonymise]\nname = \"null\"\nleft_on = \"null\"\n\
    [[dependent]]\ntable = \"bill\"\ncolumn = \"person_id\"\nrule = \"keep\"\nanonymise = { payer = \"null\" }\n\
    [[dependent]]\ntable = \"address\"\ncolumn = \"person_id\"\nrule = \"delete\"\n\
    [brake]\nshare = \"100 %\"\n";

const TABLES: &str = "
    CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT);
    CREATE INDEX by_name ON person (name);
    CREATE TABLE bill (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person (id), payer TEXT);
    CREATE INDEX bill_person ON bill (person_id);
    CREATE TABLE address (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person (id), street TEXT);
    CREATE INDEX address_person ON address (person_id);
    CREATE VIRTUAL TABLE person_fts USING fts5(name, content='person', content_rowid='id');
    CREATE TRIGGER gone AFTER DELETE ON person BEGIN
      INSERT INTO person_fts (person_fts, rowid, name) VALUES ('delete', old.id, old.name);
    END;
    CREATE TRIGGER come AFTER INSERT ON person BEGIN
      INSERT INTO person_fts (rowid, name) VALUES (new.id, new.name);
    END;
    CREATE TRIGGER change AFTER UPDATE ON person BEGIN
      INSERT INTO person_fts (person_fts, rowid, name) VALUES ('delete', old.id, old.name);
      INSERT INTO person_fts (rowid, name) VALUES (new.id, new.name);
    END;";

/// So many people, of whom every fourth has left; of these every other one has a bill that stays.
async fn office(people: u32) -> (Bench, Arc<Store>) {
    let bench = Bench::with_sql(TABLES).await;
    bench
        .sql(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {people})
             INSERT INTO person SELECT i, printf('Plantedname%05dx', i), iif(i % 4, NULL, '2020-01-01') FROM n;
             INSERT INTO bill SELECT id, id, 'Payer' || name FROM person WHERE id % 8 = 0;
             INSERT INTO address SELECT id, id, 'Street of ' || name FROM person;
             ANALYZE;"
        ))
        .await;
    bench.category("person", CATEGORY);
    let clock: SharedClock = Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap()));
    let store = Store::create(&bench.dir.path().join("state.db"), clock).await.unwrap();
    (bench, Arc::new(store))
}

async fn run(bench: &Bench, store: &Arc<Store>, job: JobKind) -> Run {
    let mut turn = store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let trigger = RunTrigger::Manual { actor: Actor::Daemon, request: None };
    let id = change.queue_run(job, &trigger, false).await.unwrap();
    change.start_run(id).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let workshop = Workshop {
        store: Arc::clone(store),
        settings: Arc::new(bench.settings()),
        keys: Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) },
        clock: Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap())),
    };
    let queued = store.run(id).await.unwrap().unwrap();
    perform(&workshop, &queued, &|| false).await.unwrap();
    store.run(id).await.unwrap().unwrap()
}

/// How many of those erased are still in the database's files.
fn grepped(bench: &Bench, people: u32) -> u64 {
    let bytes = bench.bytes();
    (0..people).step_by(4).filter(|n| holds(&bytes, name(*n).as_bytes())).count() as u64
}

/// From now on this stands in `[source.app.removal]`.
fn removal(bench: &Bench, settings: &str) {
    let file = bench.dir.path().join("erasured.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}[source.app.removal]\n{settings}\n")).unwrap();
}

fn proof(run: &Run) -> &ProofReport {
    run.report.proofs.get("app").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_says_what_is_left_of_those_it_has_erased() {
    let (bench, store) = office(400).await;
    removal(&bench, "full_text = \"leave\"");
    run(&bench, &store, JobKind::Prepare).await;
    let erased = run(&bench, &store, JobKind::Erase).await;
    let total = erased.report.total();
    assert_eq!((total.deleted, total.anonymised), (50, 50), "{:?}", erased.state);
    let report = proof(&erased);
    let values = report.values.as_ref().unwrap();
    // A hundred names, fifty payers, a hundred streets, and one day for all.
    assert_eq!((values.records, values.values), (100, 251));
    // The application's index keeps its terms until somebody optimises it.
    assert!(!report.is_clean() && values.found >= grepped(&bench, 400).max(1), "{values:?}");
    let in_terms = regions(report, Layer::Database).iter().any(|(_, tree)| tree.as_deref() == Some("person_fts_data"));
    assert!(in_terms, "{:?}", regions(report, Layer::Database));
    assert_eq!(report.verdict(Layer::State), Some(&Verdict::Clean));
    let entries = store.audit_after(0, 100).await.unwrap();
    assert!(entries.iter().any(|entry| entry.kind == "removal_verified"));
    let owed = store.owed().await.unwrap();
    assert_eq!(
        owed.iter().map(|owed| owed.step.as_str()).collect::<Vec<_>>(),
        ["proof"],
        "what is found is still owed"
    );
    assert_eq!(owed[0].why, report.trouble());
    let written = serde_json::to_string(report).unwrap();
    assert!(!written.contains("Planted") && !written.contains("Street"), "a report holds no value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_removed_from_the_files_too_is_clean() {
    let (bench, store) = office(400).await;
    removal(&bench, "vacuum = \"00:00-24:00\"");
    run(&bench, &store, JobKind::Prepare).await;
    let erased = run(&bench, &store, JobKind::Erase).await;
    let report = proof(&erased);
    assert_eq!((report.trouble(), grepped(&bench, 400)), (None, 0), "{report:?}");
    assert!(report.is_clean() && store.owed().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_in_the_state_itself_would_be_found() {
    let (bench, store) = office(40).await;
    run(&bench, &store, JobKind::Prepare).await;
    // Nothing of the daemon writes this; if something did, it would be told.
    let state = bench.dir.path().join("state.db");
    let mut planted = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&state)).await.unwrap();
    let sql = format!("CREATE TABLE slip (name TEXT); INSERT INTO slip VALUES ('{}');", name(4));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut planted).await.unwrap();
    let erased = run(&bench, &store, JobKind::Erase).await;
    let found = [Layer::State, Layer::StateWal].map(|layer| proof(&erased).verdict(layer).unwrap().clone());
    assert!(found.iter().any(Verdict::is_open), "{found:?}");
}

/// Five thousand of twenty thousand, as large as life.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: every name is searched for by itself"]
async fn five_thousand_of_twenty_thousand() {
    let (bench, store) = office(20_000).await;
    run(&bench, &store, JobKind::Prepare).await;
    let erased = run(&bench, &store, JobKind::Erase).await;
    let total = erased.report.total();
    assert_eq!(total.deleted + total.anonymised, 5_000);
    let (report, left) = (proof(&erased), grepped(&bench, 20_000));
    assert!(!report.is_clean() || left == 0, "{left} are left, and the report says clean");
}
