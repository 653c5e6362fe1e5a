//! An application with names in every kind of copy that SQLite keeps, and the jobs over it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use erasured::actor::Actor;
use erasured::audit::{By, CheckpointKey};
use erasured::clock::{SetClock, SharedClock};
use erasured::jobs::{Keys, Stop, Workshop, perform};
use erasured::proposal::{Reason, RemovalStep};
use erasured::record::RecordRef;
use erasured::store::{AuditFilter, JobKind, NewHold, Owed, Run, RunId, RunState, RunTrigger, Store};

use crate::common::{Bench, key};

/// Customers; those with a number up to [`DUE`] are due.
pub const CUSTOMERS: usize = 600;
/// The last step. Without VACUUM it often finds what SQLite has left between the rows of a page when it moved some, so that
/// it is told apart from the others.
const PROOF: &str = RemovalStep::Proof.as_str();
/// How many of them are due.
pub const DUE: usize = 300;

/// What every application has: a table with two indexes, and triggers that keep an index for full-text search.
const TABLES: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, email TEXT UNIQUE, mark INTEGER, notes TEXT);
    CREATE INDEX customers_name ON customers (last_name);";
const CUSTOMER: &str = r#"table = "customers"
    label = "{last_name}"
    identity = ["last_name", "email"]
    triggers = ["search_insert", "search_delete"]
    [manual]
    where = "mark = 1"
    auto_confirm = true
    [brake]
    count = 1000
    [erase.anonymise]
    last_name = "null"
    email = "null"
    mark = "null"
    notes = "null"
    "#;

/// How the application searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// FTS5 with contents of its own.
    Own,
    /// FTS5 over the table.
    External,
    /// FTS5 without contents, which marks what is deleted.
    Marks,
    /// FTS4.
    Old,
}

impl Search {
    fn sql(self) -> String {
        let made = match self {
            Self::Own => "fts5(last_name, email)",
            Self::External => "fts5(last_name, email, content = 'customers', content_rowid = 'id')",
            Self::Marks => "fts5(last_name, email, content = '', contentless_delete = 1)",
            Self::Old => "fts4(last_name, email)",
        };
        let delete = if self == Self::External {
            "INSERT INTO search (search, rowid, last_name, email) VALUES ('delete', old.id, old.last_name, old.email)"
        } else {
            "DELETE FROM search WHERE rowid = old.id"
        };
        format!(
            "CREATE VIRTUAL TABLE search USING {made};
             CREATE TRIGGER search_insert AFTER INSERT ON customers BEGIN
               INSERT INTO search (rowid, last_name, email) VALUES (new.id, new.last_name, new.email); END;
             CREATE TRIGGER search_delete AFTER DELETE ON customers BEGIN {delete}; END;"
        )
    }
}

/// The jobs over an application.
pub struct Office {
    pub bench: Bench,
    pub store: Arc<Store>,
    pub clock: Arc<SetClock>,
    keys: Keys,
}

fn name(id: usize) -> String {
    // Neighbours in an index begin differently, so that no compression of what they have in common hides the rest.
    format!("{:04}kanarie{id:05}", id * 7_919 % 9_973)
}

/// The numbers of customers whose names stand in this file, or in any of this folder.
pub fn found_in(path: &Path) -> BTreeSet<usize> {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().flat_map(|entry| found_in(&entry.unwrap().path())).collect();
    }
    // A journal may go while it is looked for.
    let bytes = std::fs::read(path).unwrap_or_default();
    let places = bytes.windows(5).enumerate().filter(|(_, window)| *window == b"narie").map(|(at, _)| at + 5);
    places.filter_map(|at| std::str::from_utf8(bytes.get(at..at + 5)?).ok()?.parse().ok()).collect()
}

impl Office {
    /// An application that overwrites what it deletes, with this journal mode and search, and this in `[source.app]`.
    pub async fn with(journal: &str, search: Search, settings: &str) -> Self {
        Self::of(journal, search, settings, "ON").await
    }

    /// The same; whether the application overwrites what it deletes is its own business.
    pub async fn of(journal: &str, search: Search, settings: &str, secure_delete: &str) -> Self {
        let mut sql = format!(
            "PRAGMA journal_mode = {journal}; PRAGMA secure_delete = {secure_delete}; {TABLES} {}",
            search.sql()
        );
        for first in (1..=CUSTOMERS).step_by(50) {
            sql.push_str("BEGIN;");
            for id in first..first + 50 {
                let (name, mark) = (name(id), u8::from(id <= DUE));
                write!(sql, "INSERT INTO customers VALUES ({id}, '{name}', '{name}@example.org', {mark}, 'x');")
                    .unwrap();
            }
            sql.push_str("COMMIT;");
        }
        sql.push_str("ANALYZE;");
        let bench = Bench::with_sql(&sql).await;
        assert!(!bench.rows("SELECT 1 FROM sqlite_stat4 LIMIT 1").await.is_empty(), "statistics hold values");
        bench.category("customer", CUSTOMER);
        let clock = Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap()));
        let shared = Arc::clone(&clock) as SharedClock;
        let store = Arc::new(Store::create(&bench.dir.path().join("state.db"), shared).await.unwrap());
        let keys = Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) };
        let office = Self { bench, store, clock, keys };
        office.set(settings);
        office
    }

    /// From now on this stands in `[source.app]`.
    pub fn set(&self, settings: &str) {
        let top = "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\nlock_wait = \"50 ms\"\n";
        std::fs::write(self.bench.dir.path().join("erasured.toml"), format!("{top}{settings}\n")).unwrap();
    }

    pub fn workshop(&self) -> Workshop {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock) as SharedClock);
        Workshop { store, settings: Arc::new(self.bench.settings()), keys: self.keys.clone(), clock }
    }

    /// Runs a job to its end.
    pub async fn run(&self, job: JobKind) -> Run {
        self.run_until(job, &|| false).await
    }

    /// The same, until it is to stop.
    pub async fn run_until(&self, job: JobKind, stop: Stop<'_>) -> Run {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let trigger = RunTrigger::Manual { actor: Actor::Daemon, request: None };
        let id = change.queue_run(job, &trigger, false).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        self.perform_until(id, stop).await
    }

    /// The same, where the daemon is told to stop as soon as the first batch has committed.
    pub async fn erase_and_stop(&self) {
        assert_eq!(self.run(JobKind::Prepare).await.report.total().proposed, DUE as u64);
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let trigger = RunTrigger::Manual { actor: Actor::Daemon, request: None };
        let id = change.queue_run(JobKind::Erase, &trigger, false).await.unwrap();
        change.start_run(id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let run = self.store.run(id).await.unwrap().unwrap();
        perform(&self.workshop(), &run, &|| self.bench.has_batch_at_once()).await.unwrap();
        let run = self.store.run(id).await.unwrap().unwrap();
        assert_eq!(outcome(&run), "stopped");
        assert!(run.report.removal.is_empty());
    }

    /// How many of those that are due have not been erased.
    pub async fn left(&self) -> usize {
        self.bench.rows("SELECT count(*) FROM customers WHERE mark = 1").await[0].parse().unwrap()
    }

    /// Carries out the run that is queued.
    pub async fn perform(&self, id: RunId) -> Run {
        self.perform_until(id, &|| false).await
    }

    /// The same, until it is to stop.
    pub async fn perform_until(&self, id: RunId, stop: Stop<'_>) -> Run {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.start_run(id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let run = self.store.run(id).await.unwrap().unwrap();
        perform(&self.workshop(), &run, stop).await.unwrap();
        self.store.run(id).await.unwrap().unwrap()
    }

    /// Proposes, which confirms, and erases everybody who is due.
    pub async fn erase(&self) -> Run {
        assert_eq!(self.run(JobKind::Prepare).await.report.total().proposed, DUE as u64);
        let run = self.run(JobKind::Erase).await;
        assert_eq!(run.report.total().deleted, DUE as u64, "{run:?}");
        run
    }

    /// Those of the erased whose names still stand somewhere.
    pub fn found(&self) -> BTreeSet<usize> {
        let found = found_in(self.bench.dir.path());
        assert!(found.contains(&CUSTOMERS), "the names of the others are found");
        found.into_iter().filter(|id| *id <= DUE).collect()
    }

    /// Those of the erased whose names still stand anywhere but between the rows of a page, where SQLite leaves copies when
    /// it moves rows about, whoever overwrites what: a copy of the database is written anew, and nothing else is touched.
    pub async fn found_in_use(&self) -> BTreeSet<usize> {
        let copy = Bench::with_copy_of(&self.bench.database());
        copy.sql("PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON; VACUUM;").await;
        let mut found = found_in(copy.dir.path());
        for entry in std::fs::read_dir(self.bench.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path != self.bench.database() {
                found.extend(found_in(&path));
            }
        }
        found.into_iter().filter(|id| *id <= DUE).collect()
    }

    pub async fn owed(&self) -> Vec<Owed> {
        self.store.owed().await.unwrap()
    }

    /// From now on this step is owed, too.
    pub async fn owe(&self, step: RemovalStep) {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.owe_step(&"app".parse().unwrap(), step).await.unwrap();
        change.commit().await.unwrap();
    }

    /// The steps that are owed before the proof, by their words.
    pub async fn steps(&self) -> Vec<&'static str> {
        self.owed().await.iter().map(|owed| owed.step.as_str()).filter(|step| *step != PROOF).collect()
    }

    /// Why it is not proven that what was erased is gone; `None` where it is.
    pub async fn unproven(&self) -> Option<String> {
        let owed = self.owed().await.into_iter().find(|owed| owed.step == RemovalStep::Proof)?;
        Some(owed.why.unwrap_or_default())
    }

    /// Queues what is owed, as the daemon does at every beat; gives the run.
    pub async fn beat(&self) -> Option<Run> {
        let before = self.store.queued_runs().await.unwrap().len();
        erasured::jobs::queue_owed(&self.store, &self.bench.settings()).await.unwrap();
        let queued = self.store.queued_runs().await.unwrap();
        assert!(queued.len() <= before + 1);
        queued.into_iter().next()
    }

    /// Somebody holds this record.
    pub async fn hold(&self, id: usize) {
        let record: RecordRef = format!("customer/{id}").parse().unwrap();
        let proposal = self.store.proposal(&record).await.unwrap().unwrap();
        let new = NewHold { record, unit: None, fingerprint: proposal.fingerprint };
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let reason = Reason::new("a lawsuit is pending").unwrap();
        change.hold(&By::daemon(), &new, &reason, "3 Cg 17/26").await.unwrap();
        change.commit().await.unwrap();
    }

    /// How often the trail has an entry of this kind.
    pub async fn entries(&self, kind: &str) -> u64 {
        let filter = AuditFilter { kind: Some(kind.to_owned()), ..AuditFilter::default() };
        self.store.audit_list(&filter, None, 1).await.unwrap().total
    }
}

/// How a run has ended.
pub fn outcome(run: &Run) -> &'static str {
    match &run.state {
        RunState::Finished { outcome, .. } => outcome.as_str(),
        state => panic!("{state:?}"),
    }
}

/// What a run says is done before the proof, and what is still to be done.
pub fn removed(run: &Run) -> (Vec<&str>, Vec<&str>) {
    let removed = &run.report.removal["app"];
    let (done, pending) = (removed.done.iter(), removed.pending.keys());
    let is_other = |step: &&str| *step != PROOF;
    (done.map(String::as_str).filter(is_other).collect(), pending.map(String::as_str).filter(is_other).collect())
}
