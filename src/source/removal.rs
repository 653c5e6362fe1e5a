//! Removing from a source's files what was erased from its tables. No step changes what any table holds.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{SourceError, sqlite};

/// An index for full-text search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTextIndex {
    /// Its name.
    pub name: String,
    /// Whether it can be written anew a few pages at a time; otherwise all at once.
    pub goes_in_steps: bool,
    /// Whether it can take words out when rows go.
    pub can_take_out: bool,
}

/// Samples that the planner's statistics hold of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// The table.
    pub table: String,
    /// The index; the table again where the table is its own index.
    pub index: String,
}

/// What has become of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathered {
    /// They are gathered anew, of what is there now.
    Anew,
    /// They are gone: gathering them would have taken longer than is allowed, or would have made tables that are not there.
    Dropped,
}

/// What is left beside the main file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptied {
    /// Nothing of what was there.
    Nothing,
    /// Somebody reads or writes by the write-ahead log, so that it cannot be emptied: so many of its pages are left.
    Held(u64),
}

/// Removes what was erased from a source's files.
pub struct Remover(sqlite::SqliteRemover);

impl Remover {
    pub(super) fn new(remover: sqlite::SqliteRemover) -> Self {
        Self(remover)
    }

    /// The indexes for full-text search.
    #[must_use]
    pub fn full_text(&self) -> Vec<FullTextIndex> {
        self.0.full_text()
    }

    /// From now on the index takes words out when rows go, whoever deletes them. What is left of them where blocks begin goes
    /// only when it is written anew.
    ///
    /// # Errors
    /// When the source cannot be written.
    pub async fn take_out(&mut self, index: &FullTextIndex) -> Result<(), SourceError> {
        self.0.take_out(index).await
    }

    /// Writes about so many pages of the index anew, without the words of what is gone; an index that does not go in steps
    /// is written anew whole. Gives whether there is more to be done. The first call decides what belongs to it.
    ///
    /// # Errors
    /// When the source cannot be written.
    pub async fn write_anew(&mut self, index: &FullTextIndex, pages: u32, is_first: bool) -> Result<bool, SourceError> {
        self.0.write_anew(index, pages, is_first).await
    }

    /// The samples of these tables, and of the tables in which indexes for full-text search keep their data.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn samples(&mut self, tables: &BTreeSet<String>) -> Result<Vec<Samples>, SourceError> {
        self.0.samples(tables).await
    }

    /// Gathers samples anew, within this time; otherwise drops them.
    ///
    /// # Errors
    /// When the source cannot be written.
    pub async fn gather(&mut self, samples: &Samples, limit: Duration) -> Result<Gathered, SourceError> {
        self.0.gather(samples, limit).await
    }

    /// The room that writing the whole file anew takes, and the room that there is, in bytes.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn room(&mut self) -> Result<(u64, u64), SourceError> {
        self.0.room().await
    }

    /// Why the whole file cannot be written anew without harm; `None` where it can.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn vacuum_fault(&mut self) -> Result<Option<String>, SourceError> {
        self.0.vacuum_fault().await
    }

    /// Writes the whole file anew, for as long as it `may` go on. Nobody else can write meanwhile.
    ///
    /// # Errors
    /// When the source cannot be written, or the time is over.
    pub async fn vacuum(&mut self, may: impl Fn() -> bool + Send + 'static) -> Result<(), SourceError> {
        self.0.vacuum(may).await
    }

    /// How often the schema was changed, as the database counts it: to write the whole file anew counts, too.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn schema_changes(&mut self) -> Result<u64, SourceError> {
        self.0.schema_changes().await
    }

    /// The indexes for full-text search that have to be made anew after that.
    #[must_use]
    pub fn rebuilt(&self) -> Vec<FullTextIndex> {
        self.0.rebuilt()
    }

    /// Makes an index for full-text search anew from what it indexes.
    ///
    /// # Errors
    /// When the source cannot be written.
    pub async fn rebuild(&mut self, index: &FullTextIndex) -> Result<(), SourceError> {
        self.0.rebuild(index).await
    }

    /// Lets nothing be left beside the main file. Waits no longer than this for whoever is in the way.
    ///
    /// # Errors
    /// When the source cannot be written.
    pub async fn empty(&mut self, wait: Duration) -> Result<Emptied, SourceError> {
        self.0.empty(wait).await
    }

    /// Whether anybody else has changed the source since this was asked last; the first answer is yes.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn others_have_changed_it(&mut self) -> Result<bool, SourceError> {
        self.0.others_have_changed_it().await
    }

    /// Closes the connection.
    pub async fn close(self) {
        self.0.close().await;
    }
}
