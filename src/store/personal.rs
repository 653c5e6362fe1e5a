//! Which categories have personal keys, and what happens when one is found to.
//!
//! The settings say so, and the state remembers it for ever. What it held before is brought into the form that `veil` tells
//! of, in one change; the trail alone stays as it was written. There is no way back: nothing leads from a name to a key.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::error::failed;
use super::veil::Veil;
use super::{Change, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::record::{CategoryName, KeySeal, RecordKey};

/// Rows that are rewritten at a time.
const ROWS_AT_A_TIME: u32 = 1_000;
const DOING: &str = "seal personal keys";

/// Rows that hold a key: where they are, what numbers them, and which of them still need it.
struct Place {
    table: &'static str,
    id: &'static str,
    needed: &'static str,
}

const PLACES: [Place; 3] = [
    Place { table: "proposal", id: "id", needed: "state IN ('proposed', 'confirmed', 'postponed', 'erasing')" },
    Place { table: "hold", id: "id", needed: "released_seq IS NULL" },
    Place { table: "access", id: "seq", needed: "ended IS NULL" },
];

/// What the state remembers; without the secret.
pub(super) async fn remembered(connection: &mut SqliteConnection) -> Result<Veil, StoreError> {
    let names: Vec<String> = sqlx::query_scalar("SELECT category FROM personal_key")
        .fetch_all(connection)
        .await
        .map_err(failed("read which keys are personal"))?;
    let parsed =
        |name: String| name.parse().map_err(|_| StoreError::Unreadable { what: format!("the category {name:?}") });
    Ok(Veil { seal: None, personal: Arc::new(names.into_iter().map(parsed).collect::<Result<_, _>>()?) })
}

impl Store {
    pub(super) fn veil(&self) -> Veil {
        self.veil.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the state the secret that personal keys are sealed with. Before that nothing of a category with personal keys
    /// can be read or written.
    pub fn unseal(&self, seal: KeySeal) {
        self.veil.write().unwrap_or_else(PoisonError::into_inner).seal = Some(seal);
    }

    /// Categories whose keys are personal, whatever the settings say by now.
    #[must_use]
    pub fn personal_keys(&self) -> Arc<BTreeSet<CategoryName>> {
        self.veil().personal
    }

    /// From now on keys of these categories are personal. What the state holds of those that were not is rewritten, in one
    /// change; nobody else changes the state meanwhile. Gives those that were not.
    ///
    /// # Errors
    /// When it could not be written; everything is as it was then.
    pub async fn take_for_personal(
        &self,
        categories: &BTreeSet<CategoryName>,
    ) -> Result<Vec<CategoryName>, StoreError> {
        let mut turn = self.turn().await;
        let before = self.veil();
        let fresh: Vec<CategoryName> = categories.difference(&before.personal).cloned().collect();
        if fresh.is_empty() {
            return Ok(fresh);
        }
        let personal = Arc::new(before.personal.iter().cloned().chain(fresh.iter().cloned()).collect());
        let after = Veil { personal, ..before };
        let mut change = turn.begin().await?;
        change.veil = after.clone();
        for category in &fresh {
            change.cover(category).await?;
        }
        // Between the two nobody is to look a row up by what it held before.
        let covering = self.covering.write().await;
        change.commit().await?;
        *self.veil.write().unwrap_or_else(PoisonError::into_inner) = after;
        drop(covering);
        // Older pages in the log still hold the keys.
        turn.forget_log().await?;
        Ok(fresh)
    }
}

impl Change<'_> {
    async fn cover(&mut self, category: &CategoryName) -> Result<(), StoreError> {
        for place in &PLACES {
            self.cover_place(category, place).await?;
        }
        self.cover_ledger(category).await?;
        let veil = self.veil.clone();
        self.rewrite_plans(DOING, |record| {
            if record.category == category.as_str() {
                let key = RecordKey::from_text(&record.key);
                let forms = veil.forms(category, &key)?;
                (record.key, record.name) = (forms.open.into_owned(), forms.name);
            }
            Ok(())
        })
        .await?;
        let seq = self.append(&By::daemon(), &Kind::KeysPersonal { category: category.to_string() }).await?;
        sqlx::query("INSERT INTO personal_key (category, since) VALUES (?1, ?2)")
            .bind(category.as_str())
            .bind(seq.cast_signed())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        Ok(())
    }

    async fn cover_place(&mut self, category: &CategoryName, place: &Place) -> Result<(), StoreError> {
        let Place { table, id, needed } = place;
        let read = format!(
            "SELECT {id} AS id, key, {needed} AS is_needed FROM {table} WHERE category = ?1 AND {id} > ?2 ORDER BY {id} LIMIT ?3"
        );
        let write = format!(
            "UPDATE {table} SET key = j.value->>1, name = j.value->>2 FROM json_each(?1) j WHERE {table}.{id} = j.value->>0"
        );
        let mut after = 0;
        loop {
            let rows = self.page(&read, category, after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = rows::get(last, "id")?;
            let mut covered = Vec::with_capacity(rows.len());
            for row in &rows {
                let key = self.veil.read(category, rows::get(row, "key")?)?;
                let forms = self.veil.forms(category, &key)?;
                let id: i64 = rows::get(row, "id")?;
                covered.push(if rows::get(row, "is_needed")? {
                    (id, forms.open.clone().into_owned(), forms.name)
                } else {
                    (id, forms.closed().to_owned(), None)
                });
            }
            self.rewrite(&write, &covered).await?;
        }
    }

    async fn cover_ledger(&mut self, category: &CategoryName) -> Result<(), StoreError> {
        const READ: &str = "SELECT id, key, outcome = 'anonymised' AND id = (SELECT max(id) FROM ledger n \
             WHERE n.category = l.category AND n.key = l.key) AS is_needed FROM ledger l \
             WHERE category = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
        const WRITE: &str = "UPDATE ledger SET key = j.value->>1, sealed = j.value->>2 FROM json_each(?1) j \
             WHERE ledger.id = j.value->>0";
        let mut after = 0;
        loop {
            let rows = self.page(READ, category, after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = rows::get(last, "id")?;
            let mut covered = Vec::with_capacity(rows.len());
            for row in &rows {
                let key = self.veil.read(category, rows::get(row, "key")?)?;
                let forms = self.veil.forms(category, &key)?;
                let id: i64 = rows::get(row, "id")?;
                let sealed = rows::get::<bool>(row, "is_needed")?.then(|| forms.open.clone().into_owned());
                covered.push((id, forms.closed().to_owned(), sealed));
            }
            self.rewrite(WRITE, &covered).await?;
        }
    }

    async fn page(&mut self, sql: &str, category: &CategoryName, after: i64) -> Result<Vec<SqliteRow>, StoreError> {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(category.as_str())
            .bind(after)
            .bind(ROWS_AT_A_TIME)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed(DOING))
    }

    async fn rewrite(&mut self, sql: &str, covered: &[(i64, String, Option<String>)]) -> Result<(), StoreError> {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(rows::json(&covered)?)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        Ok(())
    }
}
