//! Looks through a source's files, and those of the state, for what should be gone.
//!
//! The database is read through a connection of its own, in stretches: with a rollback journal each is as short as any
//! lock of ours. Between two of them the application may write; then what was seen does not belong together, and it is
//! begun anew, a few times. The logs beside the database carry no locks, and are read as plain files.

mod beside;
mod judge;
mod log;
mod trees;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use self::beside::Beside;
use self::judge::{Judge, broken_off, disturbed, no_bytes, no_log, unreadable_log, unseen};
use self::log::Log;
pub use self::trees::reached;
use self::trees::{Contents, Trees};
use super::connection::{self, execute, fetch, value};
use super::guard::file::MainFile;
use super::place::Place;
use super::text::quote;
use super::{Location, survey};
use crate::clock::Stopwatch;
use crate::proof::{
    FoundTerm, HEADER_BYTES, Header, Judgement, Layer, Pages, ProofReport, Region, Sample, Scan, Scanned, Search, Spot,
    Unread, words,
};
use crate::record::Value;
use crate::source::SourceError;

/// So often it is begun anew when the application has written meanwhile.
const ATTEMPTS_MAX: u32 = 5;
/// With a write-ahead log a reader is in nobody's way, but the log cannot be emptied, and whoever wants the daemon to stop
/// waits for so long.
const STRETCH_WITH_LOG: Duration = Duration::from_millis(250);
/// Between two stretches the application is let through.
const GAP: Duration = Duration::from_millis(25);
/// Bytes of the state that are looked through at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// Rows that are looked at to see whether a term of an index is in use.
const ROWS_OF_TERM_MAX: u32 = 20;

/// Which tables are ours.
#[derive(Debug, Clone)]
pub enum Ours {
    /// Those that categories reach, and what hangs on them.
    Tables {
        /// All of them.
        reached: BTreeSet<String>,
        /// Of these, the ones that records and their dependents are in: what another keeps of them are copies.
        rows: BTreeSet<String>,
    },
    /// All: the database is the daemon's own.
    All,
}

/// What a proof is to look at.
pub struct ProofOrder<'a> {
    /// Which tables are ours.
    pub ours: Ours,
    /// Values to be looked for; `None`: only the structure is looked at.
    pub sample: Option<&'a Sample>,
    /// The longest time that a stretch may hold a database that has a rollback journal.
    pub max_lock: Duration,
    /// The daemon's own state, to be searched for the values too.
    pub state: Option<&'a Path>,
    /// Whether the write-ahead log was emptied after the last erasure: what is in it now has come since.
    pub log_was_emptied: bool,
    /// Whether it may go on; asked again and again.
    pub may_go_on: &'a (dyn Fn() -> bool + Sync),
}

/// Looks through the files of the database at this place.
pub(super) async fn prove(location: &Location, order: &ProofOrder<'_>) -> Result<ProofReport, SourceError> {
    let place = Place::of(&location.path)?;
    let mut connection = connection::reading(&location.path, location.lock_wait).await?;
    let file = connection::file(&mut connection).await?;
    let mut look = Look { connection, path: &location.path, file, has_wal: false };
    let mut report = Ok(None);
    for _ in 0..ATTEMPTS_MAX {
        report = look.attempt(order).await;
        if !matches!(report, Ok(None)) {
            break;
        }
    }
    // Closing tidies up; a failure leaves nothing undone.
    let _ = look.connection.close().await;
    place.check()?;
    Ok(report?.unwrap_or_else(disturbed))
}

struct Look<'p> {
    connection: SqliteConnection,
    path: &'p Path,
    /// The same, as SQLite has resolved it.
    file: PathBuf,
    has_wal: bool,
}

/// A look that has begun.
struct Begun {
    scan: Scan,
    page_bytes: usize,
    log: Option<Log>,
    trees: Trees,
}

/// Pages as the database has them: from the write-ahead log where it has them, else from the file.
struct Snapshot<'a> {
    file: MainFile<'a>,
    log: Option<&'a Log>,
    page_bytes: usize,
}

impl Pages for Snapshot<'_> {
    fn current(&mut self, page: u32, into: &mut [u8]) -> Result<(), Unread> {
        if let Some(log) = self.log
            && log.has(page)
        {
            // Who reads must not see the log grow shorter: it was emptied and filled again.
            return log.read(page, into).map_err(|_| Unread::Disturbed);
        }
        if self.stored(page, into)? { Ok(()) } else { Err(Unread::Disturbed) }
    }

    fn stored(&mut self, page: u32, into: &mut [u8]) -> Result<bool, Unread> {
        let at = u64::from(page).saturating_sub(1) * self.page_bytes as u64;
        self.file.read(at, into).map_err(Unread::Failed)
    }

    fn is_replaced(&self, page: u32) -> bool {
        self.log.is_some_and(|log| log.has(page))
    }
}

impl Look<'_> {
    fn cannot(&self, what: String) -> SourceError {
        SourceError::Bytes { path: self.path.to_owned(), what }
    }

    /// Begins a stretch: nothing that it sees changes until its end.
    async fn begin(&mut self) -> Result<u64, SourceError> {
        execute(&mut self.connection, "begin to read", "BEGIN".to_owned(), Vec::new()).await?;
        fetch(&mut self.connection, "begin to read", "SELECT count(*) FROM sqlite_schema".to_owned(), Vec::new())
            .await?;
        survey::data_version(&mut self.connection).await
    }

    async fn end(&mut self) -> Result<(), SourceError> {
        execute(&mut self.connection, "end reading", "COMMIT".to_owned(), Vec::new()).await.map(drop)
    }

    /// Looks once; `None` when the application has written meanwhile.
    async fn attempt(&mut self, order: &ProofOrder<'_>) -> Result<Option<ProofReport>, SourceError> {
        let version = self.begin().await?;
        let begun = self.begin_scan(order).await;
        let Begun { mut scan, page_bytes, log, trees } = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.end().await?;
                return Err(error);
            }
        };
        loop {
            let stretch = if self.has_wal { STRETCH_WITH_LOG } else { order.max_lock };
            let more = self.stretch(&mut scan, log.as_ref(), page_bytes, stretch).await;
            self.end().await?;
            match more? {
                Err(Unread::Disturbed) => return Ok(None),
                Err(Unread::Failed(code)) => {
                    return Err(self.cannot(no_bytes(code)));
                }
                Ok(_) if !(order.may_go_on)() => return Ok(Some(broken_off())),
                Ok(has_more) => {
                    if has_more {
                        tokio::time::sleep(GAP).await;
                    }
                    let now = self.begin().await?;
                    if now != version {
                        self.end().await?;
                        return Ok(None);
                    }
                    if !has_more {
                        break;
                    }
                }
            }
        }
        self.end().await?;
        self.conclude(order, scan.finish(), log, &trees).await.map(Some)
    }

    async fn begin_scan(&mut self, order: &ProofOrder<'_>) -> Result<Begun, SourceError> {
        self.has_wal = connection::has_wal(&mut self.connection).await?;
        let trees = trees::read(&mut self.connection, &order.ours).await?;
        let log = if self.has_wal { self.open_log()? } else { None };
        let mut first = vec![0; HEADER_BYTES];
        let size = {
            let handle = self.connection.lock_handle().await;
            let mut handle = handle.map_err(|error| SourceError::query("lock a connection", error))?;
            let read = MainFile::of(&mut handle).and_then(|mut file| {
                file.read(0, &mut first)?;
                file.size()
            });
            drop(handle);
            read.map_err(|code| self.cannot(no_bytes(code)))?
        };
        if let Some(log) = &log
            && log.has(1)
        {
            let mut page = vec![0; log.page_bytes()];
            log.read(1, &mut page).map_err(|error| self.cannot(error.to_string()))?;
            first = page;
        }
        let header = Header::read(&first).map_err(|error| self.cannot(error.to_string()))?;
        let stored = u32::try_from(size / header.page_bytes as u64).unwrap_or(u32::MAX);
        let of_log = log.as_ref().and_then(Log::pages);
        let pages = of_log.unwrap_or(if header.pages == 0 { stored } else { header.pages });
        let search = order.sample.map(|sample| Search::new(sample, header.encoding));
        let scan = Scan::new(header, pages, stored, trees.all.clone(), search);
        Ok(Begun { scan, page_bytes: header.page_bytes, log, trees })
    }

    fn beside(&self, suffix: &str) -> Beside {
        Beside::of(&self.file, suffix)
    }

    /// Whoever has the database open has made its log.
    fn open_log(&self) -> Result<Option<Log>, SourceError> {
        Log::open(&self.beside("-wal").path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.cannot(no_log()),
            _ => self.cannot(error.to_string()),
        })
    }

    async fn stretch(
        &mut self,
        scan: &mut Scan,
        log: Option<&Log>,
        page_bytes: usize,
        limit: Duration,
    ) -> Result<Result<bool, Unread>, SourceError> {
        let handle = self.connection.lock_handle().await;
        let mut handle = handle.map_err(|error| SourceError::query("lock a connection", error))?;
        let file = match MainFile::of(&mut handle) {
            Ok(file) => file,
            Err(code) => return Ok(Err(Unread::Failed(code))),
        };
        let mut pages = Snapshot { file, log, page_bytes };
        let watch = Stopwatch::start();
        Ok(loop {
            match scan.step(&mut pages) {
                Ok(true) if watch.elapsed() >= limit => break Ok(true),
                Ok(true) => {}
                other => break other,
            }
        })
    }

    /// Looks at the files beside the database, and makes the report.
    async fn conclude(
        &mut self,
        order: &ProofOrder<'_>,
        scanned: Scanned,
        log: Option<Log>,
        trees: &Trees,
    ) -> Result<ProofReport, SourceError> {
        let Scanned { residue, unmoved, mut faults, mut search } = scanned;
        let io = |error: std::io::Error| error.to_string();
        let mut in_log = None;
        if let Some(log) = &log {
            in_log = Some(log.look(search.as_mut()).map_err(|error| self.cannot(io(error)))?);
        } else if self.has_wal {
            let unread = self.beside("-wal").look(search.as_mut(), Layer::Wal, Region::WalTail);
            let unread = unread.map_err(|error| self.cannot(io(error)))?;
            faults.extend(unread.filter(|seen| seen.nonzero > 0).map(|_| unreadable_log()));
        }
        let journal = self.beside("-journal").look(search.as_mut(), Layer::Journal, Region::Journal);
        let journal = journal.map_err(|error| self.cannot(io(error)))?;
        if let Some(search) = &mut search {
            self.look_at_living_terms(search, trees).await?;
            if let Some(state) = order.state {
                look_at_state(state, search).await?;
            }
        }
        let names = |tree: u16| trees.all.get(usize::from(tree)).map_or_else(String::new, |tree| tree.name.clone());
        let settled = search.as_ref().map(|search| search.settle(&names));
        let mut report = ProofReport { faults, values: settled.as_ref().map(|s| s.values.clone()), layers: Vec::new() };
        let judge = Judge {
            settled: settled.as_ref(),
            is_empty: search.as_ref().is_some_and(Search::is_empty),
            unmoved,
            was_emptied: order.log_was_emptied,
        };
        report.layers.push(judge.database(residue));
        report.layers.push(judge.log(in_log));
        report.layers.push(judge.journal(journal));
        if order.state.is_some() && settled.is_some() {
            report.layers.extend([Layer::State, Layer::StateWal].map(|layer| judge.plain(layer)));
        }
        report.layers.extend(unseen());
        Ok(report)
    }

    /// A term that a living row is indexed under is in use. What a row says itself counts, not what the index says of it.
    async fn look_at_living_terms(&mut self, search: &mut Search, trees: &Trees) -> Result<(), SourceError> {
        let indexes: BTreeSet<String> = trees.all.iter().filter_map(trees::index_of).collect();
        for term in search.terms() {
            let own = term.tree.and_then(|tree| trees.all.get(usize::from(tree))).and_then(trees::index_of);
            let candidates = own.map_or_else(|| indexes.iter().cloned().collect(), |own| vec![own]);
            for index in candidates {
                let contents = trees.contents.get(&index).into_iter().flatten();
                for contents in contents {
                    if self.is_living_term(&index, contents, &term).await {
                        search.term_lives(&term);
                    }
                }
            }
        }
        Ok(())
    }

    async fn is_living_term(&mut self, index: &str, contents: &Contents, term: &FoundTerm) -> bool {
        // What was cut may have been cut within a letter.
        let text = term.bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        if text.is_empty() || (text.len() < term.bytes.len() && !term.is_cut) {
            return false;
        }
        let number = contents.number.as_deref().map_or_else(|| "rowid".to_owned(), quote);
        let (index, table) = (quote(index), quote(&contents.table));
        // A row that is gone says nothing, whatever the index says of it.
        let sql = format!(
            "SELECT c.* FROM {index} f CROSS JOIN {table} c ON c.{number} = f.rowid WHERE f.{index} MATCH ?1 \
             LIMIT {ROWS_OF_TERM_MAX}"
        );
        let asked = Value::text(&format!("\"{text}\"{}", if term.is_cut { " *" } else { "" }));
        // An index that cannot be asked proves nothing in favour of the term.
        let Ok(rows) = fetch(&mut self.connection, "ask an index", sql, vec![asked]).await else { return false };
        let is_said = |word: &String| if term.is_cut { word.starts_with(text) } else { word == text };
        rows.iter().any(|row| {
            let mut columns = (0..sqlx::Row::len(row)).map(|column| value(row, column).unwrap_or(Value::Null));
            columns.any(|column| column.as_str().is_some_and(|text| words(text).iter().any(is_said)))
        })
    }
}

/// Searches the daemon's own state, and the log beside it.
async fn look_at_state(path: &Path, search: &mut Search) -> Result<(), SourceError> {
    let mut connection = connection::reading(path, Duration::from_secs(5)).await?;
    let cannot = |code: i32| SourceError::Bytes { path: path.to_owned(), what: no_bytes(code) };
    {
        let handle = connection.lock_handle().await;
        let mut handle = handle.map_err(|error| SourceError::query("lock a connection", error))?;
        let mut file = MainFile::of(&mut handle).map_err(cannot)?;
        let size = file.size().map_err(cannot)?;
        let spot = Spot { layer: Layer::State, region: Region::File, tree: None };
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut at = 0;
        while at < size {
            let bytes = CHUNK_BYTES.min(usize::try_from(size - at).unwrap_or(CHUNK_BYTES));
            let part = &mut chunk[..bytes];
            file.read(at, part).map_err(cannot)?;
            search.look(part, &mut |_| Judgement::Dead(spot, 0));
            at += (bytes.saturating_sub(Search::overlap())).max(1) as u64;
            if bytes < CHUNK_BYTES {
                break;
            }
        }
    }
    let file = connection::file(&mut connection).await?;
    let beside = Beside::of(&file, "-wal").look(Some(search), Layer::StateWal, Region::File);
    beside.map_err(|error| SourceError::Bytes { path: path.to_owned(), what: error.to_string() })?;
    // Closing tidies up; a failure leaves nothing undone.
    let _ = connection.close().await;
    Ok(())
}
