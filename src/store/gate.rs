//! The schema gates: what each category's part of a schema looked like when it was last accepted, and whether it is closed.
//!
//! A shape is kept as text: what is in it is for whoever compares it to say. Names of tables and columns are no personal
//! data, and of what the application has written into its schema only digests are in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;

use super::error::{expect_rows, failed};
use super::{Change, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::record::CategoryName;

/// The gate of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaGate {
    /// The category.
    pub category: CategoryName,
    /// What its part of the schema looked like, as JSON; `None` where it has never fitted.
    pub shape: Option<String>,
    /// Since when and why it is closed, as the last run has found it.
    pub closed: Option<(Timestamp, String)>,
}

const COLUMNS: &str = "SELECT category, shape, closed_reason, closed_at FROM schema_gate ORDER BY category";

fn gate(row: &SqliteRow) -> Result<SchemaGate, StoreError> {
    let closed_at: Option<Timestamp> = rows::optional(row, "closed_at")?;
    Ok(SchemaGate {
        category: rows::parsed(row, "category")?,
        shape: rows::get(row, "shape")?,
        closed: closed_at.zip(rows::get(row, "closed_reason")?),
    })
}

/// The shapes of those gates that have one, as what they are.
///
/// # Errors
/// When one cannot be read: nobody can tell then what has changed.
pub fn shapes<T: DeserializeOwned>(gates: &[SchemaGate]) -> Result<BTreeMap<CategoryName, T>, StoreError> {
    let known = gates.iter().filter_map(|gate| Some((&gate.category, gate.shape.as_ref()?)));
    known
        .map(|(category, shape)| match serde_json::from_str(shape) {
            Ok(shape) => Ok((category.clone(), shape)),
            Err(error) => Err(StoreError::Unreadable { what: format!("the schema of {category}: {error}") }),
        })
        .collect()
}

impl Store {
    /// Every gate that something is known of.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn schema_gates(&self) -> Result<Vec<SchemaGate>, StoreError> {
        let found = sqlx::query(COLUMNS).fetch_all(&self.readers).await.map_err(failed("read the schema gates"))?;
        found.iter().map(gate).collect()
    }
}

impl Change<'_> {
    /// The same as [`Store::schema_gates`], within the change.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn schema_gates(&mut self) -> Result<Vec<SchemaGate>, StoreError> {
        let found = sqlx::query(COLUMNS).fetch_all(&mut *self.transaction).await;
        found.map_err(failed("read the schema gates"))?.iter().map(gate).collect()
    }

    /// What these categories rely on looks so from now on: they have not been seen before, or rely on more or on less.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn note_shapes(&mut self, by: &By, shapes: &[(CategoryName, String)]) -> Result<(), StoreError> {
        for (category, shape) in shapes {
            self.keep_shape(category, shape).await?;
        }
        let categories = shapes.iter().map(|(category, _)| category.to_string()).collect();
        self.append(by, &Kind::SchemaNoted { categories }).await.map(drop)
    }

    /// Somebody has looked at what has changed: it looks so from now on, and the gate is open.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn accept_shape(
        &mut self,
        by: &By,
        category: &CategoryName,
        shape: &str,
        differences: Vec<String>,
    ) -> Result<(), StoreError> {
        self.keep_shape(category, shape).await?;
        self.unlock_gate(category).await?;
        self.append(by, &Kind::SchemaAccepted { category: category.to_string(), differences }).await.map(drop)
    }

    /// The category is stopped, for this reason.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn close_gate(&mut self, by: &By, category: &CategoryName, reason: &str) -> Result<(), StoreError> {
        const DOING: &str = "close a schema gate";
        let done = sqlx::query(
            "INSERT INTO schema_gate (category, closed_reason, closed_at) VALUES (?1, ?2, ?3) ON CONFLICT (category) \
             DO UPDATE SET closed_reason = excluded.closed_reason, closed_at = excluded.closed_at",
        )
        .bind(category.as_str())
        .bind(reason)
        .bind(rows::instant(self.now))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, 1, done.rows_affected())?;
        let kind = Kind::SchemaGateClosed { category: category.to_string(), reason: reason.to_owned() };
        self.append(by, &kind).await.map(drop)
    }

    /// The category fits again.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn open_gate(&mut self, by: &By, category: &CategoryName) -> Result<(), StoreError> {
        expect_rows("open a schema gate", 1, self.unlock_gate(category).await?)?;
        self.append(by, &Kind::SchemaGateOpened { category: category.to_string() }).await.map(drop)
    }

    async fn unlock_gate(&mut self, category: &CategoryName) -> Result<u64, StoreError> {
        let sql = "UPDATE schema_gate SET closed_reason = NULL, closed_at = NULL \
                   WHERE category = ?1 AND closed_at IS NOT NULL";
        let done = sqlx::query(sql).bind(category.as_str()).execute(&mut *self.transaction).await;
        Ok(done.map_err(failed("open a schema gate"))?.rows_affected())
    }

    async fn keep_shape(&mut self, category: &CategoryName, shape: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO schema_gate (category, shape) VALUES (?1, ?2) ON CONFLICT (category) \
             DO UPDATE SET shape = excluded.shape",
        )
        .bind(category.as_str())
        .bind(shape)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("keep the shape of a schema"))?;
        Ok(())
    }
}
