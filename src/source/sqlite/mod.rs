//! SQLite.
//!
//! Three kinds of connection, each for one purpose: *guarded* ones run the settings' SQL and can only read; *reading* ones
//! run our own statements for labels, dry runs and the catalogue; *writing* ones erase. On none of them do foreign keys
//! or recursive triggers act by themselves, and the journal mode is never touched.

mod anonymise;
mod apply;
mod catalogue;
mod compile;
mod connection;
mod cut;
mod expression;
mod failing;
mod guard;
mod personal;
mod place;
mod proof;
mod removal;
mod seen;
mod select;
mod settle;
mod shape;
mod stage;
mod survey;
mod text;
mod tied;
mod trial;
mod verify;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use self::connection::{count, execute, fetch, value};
use self::place::Place;
use self::seen::Seen;
use self::select::{Selection, keyed, keys_as_json};
use self::stage::Layout;
use self::survey::Survey;
use self::text::{qualified, quote};
use super::mapping::Mapping;
use super::rows::{Applied, Cursor, Label, Page, Retained, Row, Staged, Surveyed};
use super::schema::Schema;
use super::shape::Shape;
use super::{SourceError, label};
use crate::config::{Category, SourceSettings};
use crate::record::{RecordKey, Value};

pub(super) use self::compile::ExpressionFault;
pub use self::proof::{Ours, ProofOrder, reached};
pub(super) use self::removal::SqliteRemover;
pub use self::tied::Step;
pub(super) use self::trial::TrialFault;

/// The longest that one statement with the settings' SQL may take.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

/// Where a source is and how long it may be waited for.
#[derive(Debug, Clone)]
pub(super) struct Location {
    path: PathBuf,
    lock_wait: Duration,
}

impl Location {
    pub(super) fn of(settings: &SourceSettings) -> Self {
        Self { path: settings.path.value.clone(), lock_wait: settings.lock_wait }
    }

    pub(super) fn at(path: &Path, lock_wait: Duration) -> Self {
        Self { path: path.to_owned(), lock_wait }
    }

    pub(super) async fn reader(&self) -> Result<SqliteReader, SourceError> {
        let place = Place::of(&self.path)?;
        let mut reading = connection::reading(&self.path, self.lock_wait).await?;
        let seen = Seen::read(&mut reading).await?;
        let has_wal = connection::has_wal(&mut reading).await?;
        let guarded = connection::guarded(&self.path, self.lock_wait).await?;
        place.check()?;
        Ok(SqliteReader { guarded, reading, place, seen, has_wal, laid_out: None, activity: Activity::default() })
    }

    pub(super) async fn prove(&self, order: &ProofOrder<'_>) -> Result<crate::proof::ProofReport, SourceError> {
        proof::prove(self, order).await
    }

    pub(super) async fn remover(&self) -> Result<SqliteRemover, SourceError> {
        SqliteRemover::open(&self.path, self.lock_wait).await
    }

    pub(super) async fn writer(&self) -> Result<SqliteWriter, SourceError> {
        let place = Place::of(&self.path)?;
        let connection = connection::writing(&self.path, self.lock_wait).await?;
        place.check()?;
        let activity = Activity::default();
        Ok(SqliteWriter { connection, place, laid_out: None, is_joint: false, activity, survey: None })
    }
}

/// Reads a source: records by the settings' SQL, labels, dry runs.
pub(super) struct SqliteReader {
    guarded: SqliteConnection,
    reading: SqliteConnection,
    place: Place,
    seen: Seen,
    has_wal: bool,
    laid_out: Option<String>,
    activity: Activity,
}

/// What a connection has last seen of other connections' commits.
#[derive(Default)]
struct Activity {
    data_version: Option<u64>,
}

impl Activity {
    async fn has_changed(&mut self, connection: &mut SqliteConnection) -> Result<bool, SourceError> {
        let version = Some(survey::data_version(connection).await?);
        Ok(std::mem::replace(&mut self.data_version, version) != version)
    }
}

impl SqliteReader {
    pub(super) fn schema(&self) -> &Schema {
        self.seen.schema()
    }

    /// What the category relies on in the schema.
    pub(super) fn shape(&self, mapping: &Mapping, category: &Category) -> Shape {
        shape::of(self.schema(), mapping, category)
    }

    /// What was read, if the schema is still the one that mappings were made over.
    pub(super) async fn under_one_schema<T>(&mut self, read: Result<T, SourceError>) -> Result<T, SourceError> {
        self.seen.under_it(&mut self.reading, read).await
    }

    fn columns(&self, table: &str) -> Vec<String> {
        let table = self.schema().table(table);
        table.map(|table| table.columns.iter().map(|column| column.name.clone()).collect()).unwrap_or_default()
    }

    pub(super) fn keeps_writers_out(&self) -> bool {
        !self.has_wal
    }

    pub(super) async fn others_have_changed_it(&mut self) -> Result<bool, SourceError> {
        self.activity.has_changed(&mut self.reading).await
    }

    pub(super) async fn page(
        &mut self,
        mapping: &Mapping,
        today: Date,
        after: Option<&Cursor>,
        rows_max: u32,
    ) -> Result<Page, SourceError> {
        self.place.check()?;
        connection::limit(&mut self.guarded, STATEMENT_LIMIT).await?;
        let columns = self.columns(mapping.table());
        Selection::new(mapping, &columns, today).page(&mut self.guarded, after, rows_max).await
    }

    pub(super) async fn rows_of_stretch(
        &mut self,
        mapping: &Mapping,
        after: Option<&Cursor>,
        rows_max: u32,
    ) -> Result<(u64, Option<Cursor>), SourceError> {
        connection::limit(&mut self.guarded, STATEMENT_LIMIT).await?;
        // No rule is asked, so that it is all one which day it is.
        Selection::new(mapping, &[], Date::default()).rows_of_stretch(&mut self.guarded, after, rows_max).await
    }

    pub(super) async fn by_key(
        &mut self,
        mapping: &Mapping,
        today: Date,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Row>>, SourceError> {
        self.place.check()?;
        connection::limit(&mut self.guarded, STATEMENT_LIMIT).await?;
        let columns = self.columns(mapping.table());
        Selection::new(mapping, &columns, today).by_key(&mut self.guarded, keys).await
    }

    pub(super) async fn retained(
        &mut self,
        mapping: &Mapping,
        today: Date,
        keys: &[RecordKey],
    ) -> Result<Vec<Retained>, SourceError> {
        let mut found = Vec::new();
        for (place, node) in mapping.nodes.iter().enumerate().filter(|(_, node)| node.retention.is_some()) {
            connection::limit(&mut self.guarded, STATEMENT_LIMIT).await?;
            let (own, columns) = (self.columns(mapping.table()), self.columns(&node.table));
            let selection = Selection::new(mapping, &own, today);
            found.extend(selection.retained(&mut self.guarded, place, &columns, keys).await?);
        }
        Ok(found)
    }

    pub(super) async fn labels(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Label>>, SourceError> {
        let mut labels = vec![None; keys.len()];
        let Some(template) = &mapping.label else {
            return Ok(labels);
        };
        let columns = template.columns();
        let selected: Vec<String> = columns.iter().map(|column| qualified("t", column)).collect();
        let key: Vec<String> = mapping.key.iter().map(|column| qualified("t", column)).collect();
        let sql = format!(
            "SELECT k.key, {} FROM json_each(?1) k CROSS JOIN {} t ON {}",
            selected.join(", "),
            quote(mapping.table()),
            keyed(&key)
        );
        for row in fetch(&mut self.reading, "read labels", sql, vec![keys_as_json(&mapping.key_types, keys)]).await? {
            let values = (0..columns.len()).map(|i| value(&row, i + 1)).collect::<Result<Vec<_>, _>>()?;
            let place = match value(&row, 0)? {
                Value::Integer(integer) => usize::try_from(integer).ok(),
                _ => None,
            };
            if let Some(slot) = place.and_then(|place| labels.get_mut(place)) {
                *slot = Some(label::render(template, &columns, &values));
            }
        }
        Ok(labels)
    }

    /// The personal values of these records and of what goes or is changed with them.
    pub(super) async fn personal(&mut self, mapping: &Mapping, keys: &[RecordKey]) -> Result<Vec<Value>, SourceError> {
        let columns = self.columns(mapping.table());
        // Of what day it is nothing here depends.
        let selection = Selection::new(mapping, &columns, Date::constant(2000, 1, 1));
        personal::personal(&mut self.reading, self.seen.schema(), mapping, &selection, keys).await
    }

    pub(super) async fn tied(
        &mut self,
        step: &Step<'_>,
        from: &[RecordKey],
        limit: u32,
    ) -> Result<Vec<RecordKey>, SourceError> {
        tied::tied(&mut self.reading, step, from, limit).await
    }

    /// Lays out a batch without touching anything: what a real run would do.
    pub(super) async fn stage(&mut self, mapping: &Mapping, keys: &[RecordKey]) -> Result<Staged, SourceError> {
        self.stage_after(mapping, keys, &[]).await
    }

    /// The same as if records of other categories had been deleted before.
    pub(super) async fn stage_after(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
        gone: &[(&Mapping, Vec<RecordKey>)],
    ) -> Result<Staged, SourceError> {
        let layout = Layout { mapping, is_surveyed: false };
        if self.laid_out.as_deref() != Some(mapping.category.as_str()) {
            layout.make(&mut self.reading).await?;
            self.laid_out = Some(mapping.category.as_str().to_owned());
        }
        layout.stage_after(&mut self.reading, keys, gone).await
    }

    pub(super) async fn anonymised(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
    ) -> Result<HashSet<RecordKey>, SourceError> {
        let Some(node) = mapping.nodes.first() else { return Ok(HashSet::new()) };
        let key: Vec<String> = mapping.key.iter().map(|column| qualified("t", column)).collect();
        // Given its own result each expression gives the same again.
        let is_done: Vec<String> = node
            .changes
            .iter()
            .map(|change| {
                format!(" AND {} IS ({})", qualified("t", &change.column), anonymise::expression(node, change, "t"))
            })
            .collect();
        let sql = format!(
            "SELECT k.key FROM json_each(?1) k CROSS JOIN {} t ON {} WHERE 1{}",
            quote(mapping.table()),
            keyed(&key),
            is_done.concat()
        );
        let found = fetch(&mut self.reading, "read records", sql, vec![keys_as_json(&mapping.key_types, keys)]).await?;
        let places = found.iter().map(|row| count(row, 0)).collect::<Result<Vec<_>, _>>()?;
        Ok(places.into_iter().filter_map(|place| keys.get(usize::try_from(place).ok()?)).cloned().collect())
    }

    pub(super) async fn other_installations(&mut self, installation: &str) -> Result<u64, SourceError> {
        apply::other_installations(&mut self.reading, installation).await
    }

    pub(super) async fn marker(&mut self, installation: &str) -> Result<Option<String>, SourceError> {
        apply::marker(&mut self.reading, installation).await
    }

    pub(super) async fn close(self) {
        // Closing tidies up; a failure leaves nothing undone.
        let _ = self.guarded.close().await;
        let _ = self.reading.close().await;
    }
}

/// Erases in a source, one transaction a batch.
pub(super) struct SqliteWriter {
    connection: SqliteConnection,
    place: Place,
    laid_out: Option<String>,
    /// Whether layouts are made within the batch's own transaction, and go with it when it is taken back.
    is_joint: bool,
    activity: Activity,
    survey: Option<Survey>,
}

impl SqliteWriter {
    /// Takes the source's lock, waiting for as long as the settings allow. The schema has to be the one that `reader` has
    /// seen: nobody can change it from here on.
    pub(super) async fn begin(&mut self, mapping: &Mapping, reader: &mut SqliteReader) -> Result<(), SourceError> {
        if let laid_out @ Err(_) = self.lay_out(mapping).await {
            return reader.seen.under_it(&mut self.connection, laid_out).await;
        }
        self.is_joint = false;
        self.lock(reader).await?;
        let Some(survey) = &self.survey else {
            return Ok(());
        };
        match survey.holds(&mut self.connection).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.survey = None;
                Ok(())
            }
            Err(error) => self.let_go(error).await,
        }
    }

    /// Takes the lock, of the file that the path leads to, over the schema that the reader has seen.
    async fn lock(&mut self, reader: &mut SqliteReader) -> Result<(), SourceError> {
        execute(&mut self.connection, "begin a batch", "BEGIN IMMEDIATE".to_owned(), Vec::new()).await?;
        if let Err(error) = self.place.check() {
            return self.let_go(error).await;
        }
        match reader.seen.holds_in_transaction(&mut self.connection).await {
            Ok(true) => Ok(()),
            Ok(false) => self.let_go(SourceError::SchemaChanged).await,
            Err(error) => self.let_go(error).await,
        }
    }

    /// Nobody is kept out because of an error of ours.
    async fn let_go(&mut self, error: SourceError) -> Result<(), SourceError> {
        self.roll_back().await?;
        Err(error)
    }

    /// The same for a batch of several mappings, each of which is laid out and applied in its turn.
    pub(super) async fn begin_joint(&mut self, reader: &mut SqliteReader) -> Result<(), SourceError> {
        self.survey = None;
        self.is_joint = true;
        self.lock(reader).await
    }

    async fn lay_out(&mut self, mapping: &Mapping) -> Result<(), SourceError> {
        if self.laid_out.as_deref() != Some(mapping.category.as_str()) {
            self.survey = None;
            Layout { mapping, is_surveyed: false }.make(&mut self.connection).await?;
            self.laid_out = Some(mapping.category.as_str().to_owned());
        }
        Ok(())
    }

    /// Looks once, for all these records, for what no index finds. Holds until somebody else changes the database.
    pub(super) async fn survey(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
        reader: &mut SqliteReader,
    ) -> Result<Surveyed, SourceError> {
        let made = self.make_survey(mapping, keys).await;
        let (found, survey) = reader.seen.under_it(&mut self.connection, made).await?;
        self.survey = survey;
        Ok(found)
    }

    async fn make_survey(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
    ) -> Result<(Surveyed, Option<Survey>), SourceError> {
        self.lay_out(mapping).await?;
        // Its tables are made anew: whatever comes of it, the last one holds no longer.
        self.survey = None;
        Survey::make(&mut self.connection, mapping, keys).await
    }

    pub(super) fn is_surveyed(&self) -> bool {
        self.survey.is_some()
    }

    pub(super) async fn stage(&mut self, mapping: &Mapping, keys: &[RecordKey]) -> Result<Staged, SourceError> {
        self.lay_out(mapping).await?;
        let layout = Layout { mapping, is_surveyed: self.survey.is_some() };
        layout.stage(&mut self.connection, keys).await
    }

    pub(super) async fn apply(&mut self, mapping: &Mapping) -> Result<Applied, SourceError> {
        let layout = Layout { mapping, is_surveyed: self.survey.is_some() };
        apply::apply(&mut self.connection, layout).await
    }

    pub(super) async fn mark(&mut self, installation: &str, batch: &str) -> Result<(), SourceError> {
        apply::mark(&mut self.connection, installation, batch).await
    }

    pub(super) async fn commit(&mut self) -> Result<(), SourceError> {
        // In a file that nobody sees any more nothing would be erased, whatever was said of it.
        self.place.check()?;
        execute(&mut self.connection, "commit a batch", "COMMIT".to_owned(), Vec::new()).await.map(drop)
    }

    /// Moves what was committed from the WAL to the database where the WAL has more pages than this, as far as no reader
    /// is in the way; without a WAL there is nothing to move. Blocks nobody.
    pub(super) async fn checkpoint(&mut self, log_pages_max: u64) -> Result<(), SourceError> {
        const DOING: &str = "move changes from the WAL to the database";
        let looked = fetch(&mut self.connection, DOING, "PRAGMA wal_checkpoint(NOOP)".to_owned(), Vec::new()).await?;
        let log_pages = looked.first().map_or(Ok(0), |row| count(row, 1))?;
        if log_pages <= log_pages_max {
            return Ok(());
        }
        fetch(&mut self.connection, DOING, "PRAGMA wal_checkpoint(PASSIVE)".to_owned(), Vec::new()).await.map(drop)
    }

    pub(super) async fn others_have_changed_it(&mut self) -> Result<bool, SourceError> {
        self.activity.has_changed(&mut self.connection).await
    }

    /// Takes everything back; where there is nothing to take back any more, that is as good.
    pub(super) async fn roll_back(&mut self) -> Result<(), SourceError> {
        if self.is_joint {
            self.laid_out = None;
        }
        let sql = "ROLLBACK".to_owned();
        match execute(&mut self.connection, "roll a batch back", sql, Vec::new()).await {
            Err(SourceError::Query { source, .. }) if is_no_transaction(&source) => Ok(()),
            answer => answer.map(drop),
        }
    }

    pub(super) async fn marker(&mut self, installation: &str) -> Result<Option<String>, SourceError> {
        apply::marker(&mut self.connection, installation).await
    }

    pub(super) async fn other_installations(&mut self, installation: &str) -> Result<u64, SourceError> {
        apply::other_installations(&mut self.connection, installation).await
    }

    pub(super) async fn close(self) {
        // Closing tidies up; a failure leaves nothing undone.
        let _ = self.connection.close().await;
    }
}

/// SQLite rolls back by itself after some errors (a full disk) and then says so.
fn is_no_transaction(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("no transaction is active"))
}
