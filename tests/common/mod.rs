//! What several test targets need: a source made of SQL, settings made of TOML, the engine over both.

pub mod watched;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use erasured::config::{self, Finding, Settings};
use erasured::erasure::{
    BatchPlan, BatchReport, Claim, Day, Engine, EngineError, Fresh, Intent, Journal, JournalError, Ruling, Selection,
    Tally,
};
use erasured::proposal::{BatchId, ProposalId};
use erasured::record::{CategoryName, FingerprintKey, RecordKey};
use erasured::source::check::{self, Checked, Depth};
use erasured::source::{Mapping, Reader, Source};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row, TypeInfo, ValueRef};

/// The installation that tests erase as.
pub const INSTALLATION: &str = "test-installation";

/// A folder with a source and settings for it.
pub struct Bench {
    pub dir: tempfile::TempDir,
    pub today: Date,
}

impl Bench {
    /// An empty source, and settings that name it.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("categories")).unwrap();
        let settings = "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\n";
        std::fs::write(dir.path().join("erasured.toml"), settings).unwrap();
        Self { dir, today: "2026-11-21".parse().unwrap() }
    }

    /// A source made of this SQL.
    pub async fn with_sql(sql: &str) -> Self {
        let bench = Self::new();
        bench.sql(sql).await;
        bench
    }

    /// A source that is a copy of this file.
    pub fn with_copy_of(file: &Path) -> Self {
        let bench = Self::new();
        std::fs::copy(file, bench.database()).unwrap();
        let mut permissions = std::fs::metadata(bench.database()).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
        std::fs::set_permissions(bench.database(), permissions).unwrap();
        bench
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("app.db")
    }

    /// Writes a category's file; `version` and `source` are added.
    pub fn category(&self, name: &str, toml: &str) -> &Self {
        self.file(name, &format!("version = 1\nsource = \"app\"\n{toml}"))
    }

    /// Writes a category's file as it is.
    pub fn file(&self, name: &str, toml: &str) -> &Self {
        std::fs::write(self.dir.path().join(format!("categories/{name}.toml")), toml).unwrap();
        self
    }

    /// A connection as the application would have it, foreign keys enforced.
    pub async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.database()).create_if_missing(true).foreign_keys(true);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// Runs SQL as the application would.
    pub async fn sql(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The same from where nothing can be waited for, such as between two batches.
    pub fn sql_at_once(&self, sql: &str) {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(self.sql(sql))).join().unwrap());
    }

    /// Whether a batch has committed in this source, from there too.
    pub fn has_batch_at_once(&self) -> bool {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = || runtime().block_on(self.rows("SELECT 1 FROM sqlite_schema WHERE name = 'erasured_commit'"));
        std::thread::scope(|scope| scope.spawn(|| !found().is_empty()).join().unwrap())
    }

    /// The rows of one query, as text: `NULL`, numbers, 'text', x'bytes'.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let mut connection = self.connect().await;
        let rows = rows(&mut connection, sql).await;
        connection.close().await.unwrap();
        rows
    }

    /// Every row of every table but the daemon's own, with how often it stands there.
    pub async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let mut connection = self.connect().await;
        let tables = rows(
            &mut connection,
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
             AND name NOT GLOB 'sqlite_*' AND name <> 'erasured_commit'",
        )
        .await;
        let mut dump = BTreeMap::new();
        for table in tables {
            // One quote on either side is the rendering's; more may be the name's own.
            let name = table[1..table.len() - 1].to_owned();
            let mut found = rows(&mut connection, &format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""))).await;
            found.sort();
            dump.insert(name, found);
        }
        connection.close().await.unwrap();
        dump
    }

    /// That SQLite finds nothing wrong, foreign keys included.
    pub async fn assert_sound(&self) {
        assert_eq!(self.rows("PRAGMA integrity_check").await, ["'ok'"]);
        assert_eq!(self.rows("PRAGMA foreign_key_check").await, Vec::<String>::new());
    }

    /// The settings, which must load.
    pub fn settings(&self) -> Settings {
        config::load(self.dir.path()).map_err(|faults| rendered(&faults)).unwrap().settings
    }

    pub fn day(&self) -> Day {
        Day { today: self.today, zone: TimeZone::get("Europe/Vienna").unwrap() }
    }

    pub fn source(&self, settings: &Settings) -> Source {
        Source::of(settings.sources.values().next().unwrap())
    }

    /// What `check` says of a category.
    pub async fn check(&self, category: &str) -> Checked {
        let settings = self.settings();
        let mut reader = self.source(&settings).reader().await.unwrap();
        let category: CategoryName = category.parse().unwrap();
        let checked =
            check::category(&mut reader, &settings, &settings.categories[&category], Depth::Rows).await.unwrap();
        reader.close().await;
        checked
    }

    /// The findings of `check`, one after the other.
    pub async fn findings(&self, category: &str) -> String {
        rendered(&self.check(category).await.findings)
    }

    /// The category over the schema; it must pass `check`.
    pub async fn mapping(&self, category: &str) -> Mapping {
        let checked = self.check(category).await;
        checked.mapping.unwrap_or_else(|| panic!("{}", rendered(&checked.findings)))
    }

    /// What is due.
    pub async fn due(&self, category: &str) -> Vec<Claim> {
        self.selected(category).await.0
    }

    /// What is due, and what selection has passed over.
    pub async fn selected(&self, category: &str) -> (Vec<Claim>, Tally) {
        let mapping = self.mapping(category).await;
        let mut reader = self.source(&self.settings()).reader().await.unwrap();
        let selected = due(&mut reader, &mapping, &self.day()).await;
        reader.close().await;
        selected
    }

    /// What is in the database's files, byte for byte.
    pub fn bytes(&self) -> Vec<u8> {
        let beside = |ending: &str| self.dir.path().join(format!("app.db{ending}"));
        ["", "-wal", "-journal"]
            .into_iter()
            .flat_map(|ending| std::fs::read(beside(ending)).unwrap_or_default())
            .collect()
    }

    /// That none of these texts stands anywhere in the database's files.
    pub fn assert_no_trace_of(&self, texts: &[&str]) {
        let bytes = self.bytes();
        for text in texts {
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{text} is still in the file");
        }
    }

    /// Everything that is due, erased in one batch.
    pub async fn erase_due(&self, category: &str) -> (BatchReport, MemoryJournal) {
        let claims = self.due(category).await;
        self.erase(category, claims).await
    }

    /// These records, erased in one batch.
    pub async fn erase(&self, category: &str, claims: Vec<Claim>) -> (BatchReport, MemoryJournal) {
        let mut journal = MemoryJournal::default();
        let last_committed = self.marker().await.map(|id| id.parse().unwrap());
        let report = self.erase_with(&mut journal, category, claims, last_committed).await.unwrap();
        (report, journal)
    }

    /// The batch that the commit marker carries.
    pub async fn marker(&self) -> Option<String> {
        let mut reader = self.source(&self.settings()).reader().await.unwrap();
        let marker = reader.marker(INSTALLATION).await.unwrap();
        reader.close().await;
        marker
    }

    /// These records, erased in one batch and told to this journal.
    pub async fn erase_with(
        &self,
        journal: &mut MemoryJournal,
        category: &str,
        claims: Vec<Claim>,
        last_committed: Option<BatchId>,
    ) -> Result<BatchReport, EngineError> {
        let mapping = self.mapping(category).await;
        let source = self.source(&self.settings());
        let mut reader = source.reader().await.unwrap();
        let mut writer = source.writer().await.unwrap();
        let mut engine = Engine {
            reader: &mut reader,
            writer: &mut writer,
            mapping: &mapping,
            day: &self.day(),
            key: &key(),
            installation: INSTALLATION,
            last_committed,
            log_pages_max: 0,
            gap: std::time::Duration::ZERO,
            released: None,
        };
        let report = engine.erase(journal, claims).await;
        reader.close().await;
        writer.close().await;
        report
    }
}

/// The fingerprint key of tests.
pub fn key() -> FingerprintKey {
    FingerprintKey::from_secret([9; 32])
}

/// Everything that is due, as confirmed claims, and what was passed over.
pub async fn due(reader: &mut Reader, mapping: &Mapping, day: &Day) -> (Vec<Claim>, Tally) {
    let key = key();
    let mut selection = Selection::new(mapping, day, &key, std::time::Duration::from_millis(100));
    let mut claims = Vec::new();
    let mut tally = Tally::default();
    while let Some(stretch) = selection.next(reader).await.unwrap() {
        tally += stretch.tally;
        for candidate in stretch.candidates {
            claims.push(Claim {
                proposal: ProposalId(i64::try_from(claims.len()).unwrap()),
                key: candidate.key,
                origin: candidate.due.origin(),
                lacks: None,
                unwanted: None,
                fingerprint: candidate.fingerprint,
            });
        }
    }
    (claims, tally)
}

/// Findings as `check` prints them.
pub fn rendered(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// The rows of one query, as [`Bench::rows`] gives them.
pub async fn rows(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| (0..row.len()).map(|column| shown(row, column)).collect::<Vec<_>>().join("|")).collect()
}

fn shown(row: &sqlx::sqlite::SqliteRow, column: usize) -> String {
    let value = row.try_get_raw(column).unwrap();
    if value.is_null() {
        return "NULL".to_owned();
    }
    match value.type_info().name() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(column).unwrap().to_string(),
        "REAL" => format!("{:?}", row.try_get_unchecked::<f64, _>(column).unwrap()),
        "TEXT" => format!("'{}'", String::from_utf8_lossy(&row.try_get_unchecked::<Vec<u8>, _>(column).unwrap())),
        _ => format!("x'{}'", erasured::record::hex(&row.try_get_unchecked::<Vec<u8>, _>(column).unwrap())),
    }
}

/// A journal that keeps everything in memory, and can fail at its n-th call: before it has written anything, or after.
#[derive(Default)]
pub struct MemoryJournal {
    pub calls: Vec<&'static str>,
    pub open: Option<BatchPlan>,
    pub committed: Vec<BatchPlan>,
    pub rolled_back: Vec<BatchPlan>,
    pub refused: Vec<(RecordKey, String)>,
    pub ruled_out: Vec<(RecordKey, Ruling)>,
    pub fail_at: Option<usize>,
    pub fails_when_written: bool,
}

impl MemoryJournal {
    fn call(&mut self, name: &'static str) -> Result<(), JournalError> {
        self.calls.push(name);
        self.fail_if(!self.fails_when_written)
    }

    fn written(&self) -> Result<(), JournalError> {
        self.fail_if(self.fails_when_written)
    }

    fn fail_if(&self, now: bool) -> Result<(), JournalError> {
        match self.fail_at {
            Some(at) if now && at == self.calls.len() => Err(JournalError(format!("call {at} fails").into())),
            _ => Ok(()),
        }
    }

    /// What happened to each record, as a ruling reads.
    pub fn rulings(&self) -> Vec<String> {
        let mut rulings = Vec::new();
        for record in self.committed.iter().flat_map(|plan| &plan.records) {
            let dependents: Vec<String> = record
                .dependents
                .iter()
                .map(|d| format!("{}: {} deleted, {} changed, {} left", d.name, d.deleted, d.changed, d.left))
                .collect();
            rulings.push(format!("{} {} [{}]", record.key, record.outcome.as_str(), dependents.join("; ")));
        }
        for (key, ruling) in &self.ruled_out {
            rulings.push(match ruling {
                Ruling::Erase(_) => format!("{key} erased?"),
                Ruling::Withdraw(reason) => format!("{key} withdrawn: {reason}"),
                Ruling::Return(reason, _) => format!("{key} returned: {reason}"),
            });
        }
        rulings.extend(self.refused.iter().map(|(key, message)| format!("{key} refused: {message}")));
        rulings
    }
}

impl Journal for MemoryJournal {
    async fn intent(&mut self, plan: &BatchPlan) -> Result<Intent, JournalError> {
        self.call("intent")?;
        assert!(self.open.is_none(), "the last batch is not settled");
        self.ruled_out.extend(plan.ruled_out.iter().map(|out| (out.claim.key.clone(), out.ruling.clone())));
        if !plan.records.is_empty() {
            self.open = Some(plan.clone());
        }
        self.written().map(|()| Intent::Written)
    }

    async fn outcome(&mut self, batch: BatchId) -> Result<(), JournalError> {
        self.call("outcome")?;
        let plan = self.open.take().filter(|plan| plan.batch == batch).unwrap();
        self.committed.push(plan);
        self.written()
    }

    async fn rolled_back(&mut self, batch: BatchId) -> Result<(), JournalError> {
        self.call("rolled_back")?;
        let plan = self.open.take().filter(|plan| plan.batch == batch).unwrap();
        self.rolled_back.push(plan);
        self.written()
    }

    async fn refused(&mut self, claims: &[(Claim, Option<Fresh>)], message: String) -> Result<(), JournalError> {
        self.call("refused")?;
        self.refused.extend(claims.iter().map(|(claim, _)| (claim.key.clone(), message.clone())));
        self.written()
    }
}
