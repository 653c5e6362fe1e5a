//! The schema that the settings were laid over, and whether it is still the live one.
//!
//! SQLite counts the changes of a schema. While the count is the same nothing has to be read again: that is one number
//! out of the file's first page. When it is another, the catalogue is read and compared: our own commit marker, or
//! statistics gathered anew, raise the count too and change nothing.

use sqlx::sqlite::SqliteConnection;

use super::catalogue;
use super::connection::{execute, fetch, value};
use crate::record::Value;
use crate::source::SourceError;
use crate::source::schema::Schema;

const DOING: &str = "read the schema";

/// A schema as it was read.
pub(super) struct Seen {
    schema: Schema,
    version: Value,
}

impl Seen {
    /// Reads the schema, all of it as it was at one moment.
    pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Self, SourceError> {
        execute(connection, DOING, "BEGIN".to_owned(), Vec::new()).await?;
        let read = Self::read_in_transaction(connection).await;
        // Nothing was written: to commit and to roll back are the same.
        execute(connection, DOING, "ROLLBACK".to_owned(), Vec::new()).await?;
        read
    }

    async fn read_in_transaction(connection: &mut SqliteConnection) -> Result<Self, SourceError> {
        let version = version(connection).await?;
        Ok(Self { schema: catalogue::read(connection).await?, version })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether the schema is still this one, asked outside any transaction.
    pub(super) async fn still_holds(&mut self, connection: &mut SqliteConnection) -> Result<bool, SourceError> {
        if version(connection).await? == self.version {
            return Ok(true);
        }
        let now = Self::read(connection).await?;
        Ok(self.is_the_same(now))
    }

    /// The same within a transaction that nobody can change the schema beside.
    pub(super) async fn holds_in_transaction(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<bool, SourceError> {
        if version(connection).await? == self.version {
            return Ok(true);
        }
        let now = Self::read_in_transaction(connection).await?;
        Ok(self.is_the_same(now))
    }

    /// Takes the newer count over where nothing else is new, so that the next look is cheap again.
    fn is_the_same(&mut self, now: Self) -> bool {
        let is_same = self.schema == now.schema;
        if is_same {
            self.version = now.version;
        }
        is_same
    }

    /// What was read or done outside any lock, if the schema is still this one. Where it is not, whatever has failed has
    /// failed because of that.
    pub(super) async fn under_it<T>(
        &mut self,
        connection: &mut SqliteConnection,
        done: Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        match (self.still_holds(connection).await, done) {
            (Ok(false), _) => Err(SourceError::SchemaChanged),
            (Ok(true), done) | (Err(_), done @ Err(_)) => done,
            (Err(error), Ok(_)) => Err(error),
        }
    }
}

/// How often the schema has been changed.
async fn version(connection: &mut SqliteConnection) -> Result<Value, SourceError> {
    let found = fetch(connection, DOING, "PRAGMA schema_version".to_owned(), Vec::new()).await?;
    found.first().map_or(Ok(Value::Null), |row| value(row, 0))
}
