//! The application's database: its schema, selection by the settings' SQL, and one batch of erasing.
//!
//! What the rooms above see is in no dialect: [`Reader`] and [`Writer`] take a [`Mapping`] and keys, and answer with rows
//! and plans. Everything that speaks SQLite is below `sqlite`; another kind of database is another module beside it and
//! another variant here. May be relied on: the settings' SQL runs on guarded connections only; a mapping exists only for
//! settings that fit the live schema. Never changes the schema, but for the commit marker's table.

pub mod check;
mod error;
mod label;
mod mapping;
mod removal;
mod rows;
pub mod sample;
mod schema;
mod shape;
mod sqlite;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use jiff::civil::Date;

pub use self::error::{FileFault, SourceError};
pub use self::mapping::{Change, Direction, Fate, Mapping, Node, NodeLink, Reference, Tie};
pub use self::removal::{Emptied, FullTextIndex, Gathered, Remover, Samples};
pub use self::rows::{
    Applied, Cursor, DependentCount, Finding, KeyProblem, Label, Outcome, Page, Retained, Row, Staged, StagedRecord,
    Surveyed,
};
pub use self::schema::{
    Affinity, ForeignKey, OnDelete, RowId, Schema, Table, TableColumn, TableKind, Trigger, TriggerEvent, holds,
    same_columns,
};
pub use self::shape::Shape;
pub use self::sqlite::{Ours, ProofOrder, Step, reached};
use crate::config::SourceSettings;
use crate::proof::ProofReport;
use crate::record::{RecordKey, SourceName, Value};

/// An application's database, where it is and what it is called. Opens nothing by itself.
#[derive(Debug, Clone)]
pub struct Source {
    name: SourceName,
    location: sqlite::Location,
}

impl Source {
    /// The source that these settings describe.
    #[must_use]
    pub fn of(settings: &SourceSettings) -> Self {
        Self { name: settings.name.clone(), location: sqlite::Location::of(settings) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &SourceName {
        &self.name
    }

    /// Opens it for reading, and reads its schema.
    ///
    /// # Errors
    /// When there is no such database, or it cannot be read.
    pub async fn reader(&self) -> Result<Reader, SourceError> {
        self.location.reader().await.map(Reader)
    }

    /// Opens it for removing what was erased from its files.
    ///
    /// # Errors
    /// When there is no such database, or it cannot be opened.
    pub async fn remover(&self) -> Result<Remover, SourceError> {
        self.location.remover().await.map(Remover::new)
    }

    /// The SQLite database at this path, which none of the settings describes: the daemon's own.
    #[must_use]
    pub fn at(name: SourceName, path: &Path, lock_wait: Duration) -> Self {
        Self { name, location: sqlite::Location::at(path, lock_wait) }
    }

    /// Looks through its files for what should be gone.
    ///
    /// # Errors
    /// When they cannot be read, or are no database.
    pub async fn prove(&self, order: &ProofOrder<'_>) -> Result<ProofReport, SourceError> {
        self.location.prove(order).await
    }

    /// Opens it for erasing.
    ///
    /// # Errors
    /// When there is no such database, or it cannot be opened.
    pub async fn writer(&self) -> Result<Writer, SourceError> {
        self.location.writer().await.map(Writer)
    }
}

/// Reads a source; changes nothing in it.
pub struct Reader(sqlite::SqliteReader);

impl Reader {
    /// The schema, as it was when the reader was opened.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        self.0.schema()
    }

    /// The first values of a column that are not NULL, so many at most.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn values(&mut self, table: &str, column: &str, max: u32) -> Result<Vec<Value>, SourceError> {
        self.0.values(table, column, max).await
    }

    /// How the first texts of a column begin, so many at most.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn beginnings(&mut self, table: &str, column: &str, max: u32) -> Result<Vec<String>, SourceError> {
        self.0.beginnings(table, column, max).await
    }

    /// Of the first values of a column that are not NULL, so many at most: how many there are, and how many of them stand
    /// in `key` of `parent`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn led_to(
        &mut self,
        (table, column): (&str, &str),
        (parent, key): (&str, &str),
        max: u32,
    ) -> Result<(u64, u64), SourceError> {
        self.0.led_to((table, column), (parent, key), max).await
    }

    /// What was read, if the schema is still the one that mappings were made over.
    ///
    /// # Errors
    /// [`SourceError::SchemaChanged`] when it is not, whatever was read.
    pub async fn under_one_schema<T>(&mut self, read: Result<T, SourceError>) -> Result<T, SourceError> {
        self.0.under_one_schema(read).await
    }

    /// The next stretch of at most `rows_max` rows of the category's table: those that may be due on `today`, or whose
    /// dates cannot be read.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn page(
        &mut self,
        mapping: &Mapping,
        today: Date,
        after: Option<&Cursor>,
        rows_max: u32,
    ) -> Result<Page, SourceError> {
        self.0.page(mapping, today, after, rows_max).await
    }

    /// How many rows the next stretch of at most `rows_max` of the category's table has, and where the one after it begins.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn rows_of_stretch(
        &mut self,
        mapping: &Mapping,
        after: Option<&Cursor>,
        rows_max: u32,
    ) -> Result<(u64, Option<Cursor>), SourceError> {
        self.0.rows_of_stretch(mapping, after, rows_max).await
    }

    /// The records with these keys, each in its place; `None` where there is none.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn by_key(
        &mut self,
        mapping: &Mapping,
        today: Date,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Row>>, SourceError> {
        self.0.by_key(mapping, today, keys).await
    }

    /// The dependents' rows that may still be within a period of their own, for the records with these keys.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn retained(
        &mut self,
        mapping: &Mapping,
        today: Date,
        keys: &[RecordKey],
    ) -> Result<Vec<Retained>, SourceError> {
        self.0.retained(mapping, today, keys).await
    }

    /// What the records with these keys are called, each in its place.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn labels(&mut self, mapping: &Mapping, keys: &[RecordKey]) -> Result<Vec<Option<Label>>, SourceError> {
        self.0.labels(mapping, keys).await
    }

    /// What erasing the records with these keys would do now. Runs the statements of a real batch, up to the first that
    /// would change anything.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn stage(&mut self, mapping: &Mapping, keys: &[RecordKey]) -> Result<Staged, SourceError> {
        self.0.stage(mapping, keys).await
    }

    /// The personal values of these records, and of their dependents as far as an index finds them.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn personal(&mut self, mapping: &Mapping, keys: &[RecordKey]) -> Result<Vec<Value>, SourceError> {
        self.0.personal(mapping, keys).await
    }

    /// The keys of the records that a tie leads to from any of these, each once, at most `limit`.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn tied(
        &mut self,
        step: &Step<'_>,
        from: &[RecordKey],
        limit: u32,
    ) -> Result<Vec<RecordKey>, SourceError> {
        self.0.tied(step, from, limit).await
    }

    /// Lays out what erasing these records would do once those of other categories in `gone` have been deleted.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn stage_after(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
        gone: &[(&Mapping, Vec<RecordKey>)],
    ) -> Result<Staged, SourceError> {
        self.0.stage_after(mapping, keys, gone).await
    }

    /// Whether nobody can write while something is read.
    #[must_use]
    pub fn keeps_writers_out(&self) -> bool {
        self.0.keeps_writers_out()
    }

    /// Whether anybody else has changed the source since this was asked last; the first answer is yes.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn others_have_changed_it(&mut self) -> Result<bool, SourceError> {
        self.0.others_have_changed_it().await
    }

    /// Those of the records with these keys of which every personal column holds what anonymising would put there.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn anonymised(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
    ) -> Result<HashSet<RecordKey>, SourceError> {
        self.0.anonymised(mapping, keys).await
    }

    /// How many other installations the commit marker knows.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn other_installations(&mut self, installation: &str) -> Result<u64, SourceError> {
        self.0.other_installations(installation).await
    }

    /// The batch that the commit marker carries for this installation.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn marker(&mut self, installation: &str) -> Result<Option<String>, SourceError> {
        self.0.marker(installation).await
    }

    /// Closes the connections.
    pub async fn close(self) {
        self.0.close().await;
    }
}

/// Erases in a source.
pub struct Writer(sqlite::SqliteWriter);

impl Writer {
    /// Looks once, for all these records, for rows that no index finds, so that not every batch has to. What was found
    /// is used for as long as nobody else changes the source.
    ///
    /// # Errors
    /// When the source cannot be read, or its schema is not the one that `reader` has seen.
    pub async fn survey(
        &mut self,
        mapping: &Mapping,
        keys: &[RecordKey],
        reader: &mut Reader,
    ) -> Result<Surveyed, SourceError> {
        self.0.survey(mapping, keys, &mut reader.0).await
    }

    /// Whether what a survey has found still holds, as far as was seen by the last batch.
    #[must_use]
    pub fn is_surveyed(&self) -> bool {
        self.0.is_surveyed()
    }

    /// Takes the source's lock and begins a batch of this mapping, which was made over the schema that `reader` has seen.
    /// Nobody else can change the source, or its schema, until [`commit`](Self::commit) or [`roll_back`](Self::roll_back).
    ///
    /// # Errors
    /// [`SourceError::Locked`] when the application keeps its lock for too long, [`SourceError::SchemaChanged`] when the
    /// schema is another by now. Nothing has begun then.
    pub async fn begin(&mut self, mapping: &Mapping, reader: &mut Reader) -> Result<(), SourceError> {
        self.0.begin(mapping, &mut reader.0).await
    }

    /// Takes the source's lock and begins a batch of several mappings: each is laid out and applied before the next.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_joint(&mut self, reader: &mut Reader) -> Result<(), SourceError> {
        self.0.begin_joint(&mut reader.0).await
    }

    /// Lays out every row that erasing the records with these keys reaches, and decides what happens to each.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn stage(&mut self, mapping: &Mapping, keys: &[RecordKey]) -> Result<Staged, SourceError> {
        self.0.stage(mapping, keys).await
    }

    /// Does what was laid out last, and verifies it.
    ///
    /// # Errors
    /// When the database refuses a change, or verification finds that something is not as planned. The batch is then to
    /// be rolled back.
    pub async fn apply(&mut self, mapping: &Mapping) -> Result<Applied, SourceError> {
        self.0.apply(mapping).await
    }

    /// Writes the batch's id to the commit marker.
    ///
    /// # Errors
    /// When the source cannot be written.
    pub async fn mark(&mut self, installation: &str, batch: &str) -> Result<(), SourceError> {
        self.0.mark(installation, batch).await
    }

    /// Makes the batch lasting.
    ///
    /// # Errors
    /// When the source cannot be written; the marker then says whether it was lasting already.
    pub async fn commit(&mut self) -> Result<(), SourceError> {
        self.0.commit().await
    }

    /// Lets what was committed reach the database's main file where more pages than this lie beside it, as far as nobody
    /// is in the way. Blocks nobody.
    ///
    /// # Errors
    /// When the source cannot be written.
    pub async fn checkpoint(&mut self, log_pages_max: u64) -> Result<(), SourceError> {
        self.0.checkpoint(log_pages_max).await
    }

    /// Whether anybody else has changed the source since this was asked last; the first answer is yes.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn others_have_changed_it(&mut self) -> Result<bool, SourceError> {
        self.0.others_have_changed_it().await
    }

    /// Takes the batch back.
    ///
    /// # Errors
    /// When even that fails.
    pub async fn roll_back(&mut self) -> Result<(), SourceError> {
        self.0.roll_back().await
    }

    /// The batch that the commit marker carries for this installation.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn marker(&mut self, installation: &str) -> Result<Option<String>, SourceError> {
        self.0.marker(installation).await
    }

    /// How many installations but this one have erased here, as the commit marker tells.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn other_installations(&mut self, installation: &str) -> Result<u64, SourceError> {
        self.0.other_installations(installation).await
    }

    /// Closes the connection.
    pub async fn close(self) {
        self.0.close().await;
    }
}
