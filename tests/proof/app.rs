//! An application with a database, and what a proof says of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use erasured::proof::{Layer, LayerReport, ProofReport, Region, Sample, Verdict};
use erasured::record::Value;
use erasured::source::{Ours, ProofOrder, Source, SourceError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

pub struct App {
    pub dir: tempfile::TempDir,
    pub connection: SqliteConnection,
    /// Whether whoever looks is to stop.
    pub is_stopped: bool,
}

impl App {
    /// A new database: SQL that comes before its first table, and what comes then.
    pub async fn new(sql: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let connection = connect(&dir.path().join("app.db")).await;
        let mut app = Self { dir, connection, is_stopped: false };
        app.sql(sql).await;
        app
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("app.db")
    }

    pub fn beside(&self, suffix: &str) -> PathBuf {
        self.dir.path().join(format!("app.db{suffix}"))
    }

    pub async fn sql(&mut self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await.unwrap();
    }

    pub async fn another(&self) -> SqliteConnection {
        connect(&self.path()).await
    }

    /// Looks for these values in everything; `person`, and what hangs on it, is ours.
    pub async fn prove(&self, values: &[&str]) -> ProofReport {
        self.try_prove(Some(values), false).await.unwrap()
    }

    /// Looks at the structure alone.
    pub async fn look(&self) -> ProofReport {
        self.try_prove(None, false).await.unwrap()
    }

    pub async fn try_prove(&self, values: Option<&[&str]>, was_emptied: bool) -> Result<ProofReport, SourceError> {
        self.prove_at(&self.path(), values, was_emptied).await
    }

    /// The same of a database that is found at this path.
    pub async fn prove_at(
        &self,
        path: &Path,
        values: Option<&[&str]>,
        was_emptied: bool,
    ) -> Result<ProofReport, SourceError> {
        let sample = values.map(|values| {
            let mut sample = Sample::default();
            sample.add(values.iter().map(|value| Value::text(value)));
            sample
        });
        let order = ProofOrder {
            ours: Ours::Tables {
                reached: BTreeSet::from(["person".to_owned(), "person_fts".to_owned()]),
                rows: BTreeSet::from(["person".to_owned()]),
            },
            sample: sample.as_ref(),
            max_lock: Duration::from_millis(100),
            state: None,
            log_was_emptied: was_emptied,
            may_go_on: &|| !self.is_stopped,
        };
        Source::at("app".parse().unwrap(), path, Duration::from_secs(5)).prove(&order).await
    }

    /// Every file of the database, as bytes.
    pub fn bytes(&self) -> Vec<(String, Vec<u8>)> {
        let files = std::fs::read_dir(self.dir.path()).unwrap().map(Result::unwrap);
        let name = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        files.map(|file| (name(&file), std::fs::read(file.path()).unwrap())).collect()
    }

    /// Whether the text stands anywhere in a file of the database.
    pub fn grep(&self, text: &str) -> bool {
        self.bytes().iter().any(|(_, bytes)| holds(bytes, text.as_bytes()))
    }
}

pub fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

async fn connect(path: &Path) -> SqliteConnection {
    // An application without any care: nothing that it deletes is overwritten.
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).pragma("secure_delete", "OFF");
    SqliteConnection::connect_with(&options.busy_timeout(Duration::from_secs(5))).await.unwrap()
}

/// The name of person `number`: nobody else's, nor part of another's.
pub fn name(number: u32) -> String {
    format!("Plantedname{number:05}x")
}

/// Persons with these numbers.
pub fn persons(numbers: std::ops::Range<u32>) -> String {
    let rows: Vec<String> = numbers.map(|n| format!("({n}, '{}', '{}')", name(n), "-".repeat(40))).collect();
    format!("INSERT INTO person VALUES {};", rows.join(", "))
}

pub const PERSON: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, note TEXT);";

pub fn layer(report: &ProofReport, layer: Layer) -> &LayerReport {
    report.layers.iter().find(|found| found.layer == layer).unwrap()
}

/// The regions in which values were found, with the trees.
pub fn regions(report: &ProofReport, of: Layer) -> BTreeSet<(Region, Option<String>)> {
    layer(report, of).places.iter().map(|place| (place.region, place.tree.clone())).collect()
}

pub fn found(report: &ProofReport) -> u64 {
    report.values.as_ref().unwrap().found
}

pub fn is_pending(report: &ProofReport, of: Layer) -> bool {
    matches!(layer(report, of).verdict, Verdict::Pending { .. })
}
