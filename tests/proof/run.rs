//! A run that erases, and what its report then says of the bytes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use erasured::actor::Actor;
use erasured::audit::CheckpointKey;
use erasured::clock::{SetClock, SharedClock};
use erasured::jobs::{Keys, Workshop, perform};
use erasured::proof::{Layer, ProofReport, Verdict};
use erasured::store::{JobKind, Run, RunTrigger, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use super::app::{name, regions};
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

/// What every name begins with, in small letters.
const NAME: &str = "plantedname";

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

/// The numbers of those whose names stand in this file, or in any of this folder, one way or another written.
fn found_in(path: &Path) -> BTreeSet<u32> {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().flat_map(|entry| found_in(&entry.unwrap().path())).collect();
    }
    // A journal may go while it is looked for.
    let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
    let places = bytes.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME.as_bytes());
    let number =
        |(at, _)| std::str::from_utf8(bytes.get(at + NAME.len()..at + NAME.len() + 5)?).ok()?.parse::<u32>().ok();
    places.filter_map(number).collect()
}

/// How many of those erased are still in any file, the database's, the state's, or beside them.
fn grepped(bench: &Bench, people: u32) -> usize {
    let numbers = found_in(bench.dir.path());
    assert!(numbers.contains(&1), "those that stay are found");
    numbers.into_iter().filter(|number| number % 4 == 0 && *number < people).count()
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
    assert!(!report.is_clean() && values.found >= 1.max(grepped(&bench, 400) as u64), "{values:?}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_is_left_where_the_blocks_of_an_index_begin() {
    for contents in ["", ", content='person', content_rowid='id'"] {
        let (bench, store) = office(400).await;
        if contents.is_empty() {
            let own = "DROP TRIGGER gone; DROP TRIGGER change; DROP TABLE person_fts;
                CREATE VIRTUAL TABLE person_fts USING fts5(name); INSERT INTO person_fts (rowid, name) SELECT id, name FROM person;
                CREATE TRIGGER gone AFTER DELETE ON person BEGIN DELETE FROM person_fts WHERE rowid = old.id; END;
                CREATE TRIGGER change AFTER UPDATE ON person BEGIN
                  UPDATE person_fts SET name = new.name WHERE rowid = old.id; END;";
            bench.sql(own).await;
        }
        let before = "INSERT INTO person_fts (person_fts, rank) VALUES ('pgsz', 64), ('secure-delete', 1);
            INSERT INTO person_fts (person_fts) VALUES ('rebuild');";
        bench.sql(before).await;
        removal(&bench, "full_text = \"secure-delete\"\nvacuum = \"00:00-24:00\"");
        run(&bench, &store, JobKind::Prepare).await;
        let erased = run(&bench, &store, JobKind::Erase).await;
        let report = proof(&erased);
        assert_eq!((report.trouble(), grepped(&bench, 400)), (None, 0), "{contents:?}");
        let found = "SELECT count(*) FROM person_fts WHERE person_fts MATCH 'plantedname*'";
        assert_eq!(bench.rows(found).await, ["300"], "{contents:?}: those who stay are found");
        assert_eq!(bench.rows("SELECT count(*) FROM person_fts WHERE person_fts MATCH 'erasured'").await, ["0"]);
        bench.sql("INSERT INTO person_fts (person_fts) VALUES ('integrity-check')").await;
    }
}

/// Five thousand of twenty thousand, as large as life.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_of_twenty_thousand() {
    for vacuum in ["vacuum = \"00:00-24:00\"", ""] {
        let (bench, store) = office(20_000).await;
        removal(&bench, vacuum);
        run(&bench, &store, JobKind::Prepare).await;
        let erased = run(&bench, &store, JobKind::Erase).await;
        let total = erased.report.total();
        assert_eq!(total.deleted + total.anonymised, 5_000);
        let (report, left) = (proof(&erased), grepped(&bench, 20_000));
        let found = report.values.as_ref().unwrap().found;
        if vacuum.is_empty() {
            // SQLite has left copies of rows that it moved: nobody has them written over, and the report tells of them.
            assert!(!report.is_clean() && left > 0, "{left} are left: {:?}", report.trouble());
            assert!(found >= left as u64, "{left} are left, and the report says {found}");
        } else {
            assert_eq!((report.trouble(), found, left), (None, 0, 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_a_name_is_looked_for() {
    let bench = Bench::with_sql(
        "CREATE TABLE person (email TEXT PRIMARY KEY, left_on TEXT) WITHOUT ROWID;
         CREATE TABLE address (id INTEGER PRIMARY KEY, person TEXT REFERENCES person (email), street TEXT);
         CREATE INDEX address_person ON address (person);
         CREATE TABLE seen (who TEXT);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
         INSERT INTO person SELECT printf('Plantedname%05dx', i), iif(i % 4, NULL, '2020-01-01') FROM n;
         INSERT INTO seen SELECT email FROM person WHERE email LIKE '%00004x';",
    )
    .await;
    let category = "table = \"person\"\nkey_is_personal = true\nidentity = [\"email\"]\n\
        [manual]\nwhere = \"left_on IS NOT NULL\"\nauto_confirm = true\n[erase.anonymise]\nleft_on = \"null\"\n\
        [[dependent]]\ntable = \"address\"\ncolumn = \"person\"\nrule = \"delete\"\n[brake]\nshare = \"100 %\"\n";
    bench.category("person", category);
    let clock: SharedClock = Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap()));
    let store = Arc::new(Store::create(&bench.dir.path().join("state.db"), clock).await.unwrap());
    store.unseal(key().key_seal());
    store.take_for_personal(&BTreeSet::from(["person".parse().unwrap()])).await.unwrap();
    removal(&bench, "vacuum = \"00:00-24:00\"");
    run(&bench, &store, JobKind::Prepare).await;
    let erased = run(&bench, &store, JobKind::Erase).await;
    assert_eq!(erased.report.total().deleted, 11, "{:?}", erased.state);
    let values = proof(&erased).values.clone().unwrap();
    // Eleven keys, and one day for all.
    assert_eq!((values.values, values.in_use_by), (12, [("seen".to_owned(), 1)].into()), "{:?}", proof(&erased));
    assert_eq!(proof(&erased).trouble(), None);
}
