//! Which fingerprint key the state needs, and how another takes its place.
//!
//! The state never holds a person, only digests of one; what it holds of those who are gone can be taken from nobody any more.
//! So the new key digests what the one before it has digested, in one change: from then on everything can be compared as
//! before, and whoever has seen the key before cannot compare anybody with what is here.

use super::error::failed;
use super::intent::StoredFingerprint;
use super::{Change, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::record::{FingerprintKey, FingerprintKeyId, hex, unhex};

/// Rows that are rewritten at a time.
const ROWS_AT_A_TIME: u32 = 10_000;
const DOING: &str = "bring fingerprints under another key";

/// Where fingerprints are: the table, what numbers its rows, the digest and its form.
pub(super) const PLACES: [(&str, &str, &str, &str); 5] = [
    ("proposal", "id", "fingerprint", "form"),
    ("hold", "id", "fingerprint", "form"),
    ("access", "seq", "fingerprint", "form"),
    ("ledger", "id", "before", "before_form"),
    ("ledger", "id", "after", "after_form"),
];

impl Store {
    /// A fingerprint key other than this one without which an open proposal, a hold, an assignment or an entry of the ledger
    /// could not be compared any more, nor a sealed key opened; or that has taken this one's place. Looks at them only where
    /// another key was ever used.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn needs_other_key(&self, than: &FingerprintKeyId) -> Result<Option<FingerprintKeyId>, StoreError> {
        const DOING: &str = "read which fingerprint keys are needed";
        if let Some(key) = self.exchanged_fingerprint_key().await?.filter(|key| key != than) {
            return Ok(Some(key));
        }
        let key: Option<String> = sqlx::query_scalar(
            "SELECT key_id FROM fingerprint_form f WHERE key_id <> ?1 AND (EXISTS (SELECT 1 FROM proposal p \
             WHERE p.form = f.id AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing')) \
             OR EXISTS (SELECT 1 FROM hold WHERE form = f.id AND released_seq IS NULL) \
             OR EXISTS (SELECT 1 FROM access WHERE form = f.id AND ended IS NULL) \
             OR EXISTS (SELECT 1 FROM ledger WHERE before_form = f.id OR after_form = f.id)) ORDER BY key_id LIMIT 1",
        )
        .bind(than.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed(DOING))?;
        Ok(key.map(|key| FingerprintKeyId::from_stored(&key)))
    }

    /// The fingerprint key that the last exchange has put in the place of another.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn exchanged_fingerprint_key(&self) -> Result<Option<FingerprintKeyId>, StoreError> {
        let key: Option<String> = sqlx::query_scalar(
            "SELECT details->>'to' FROM audit WHERE kind = 'fingerprint_key_changed' ORDER BY seq DESC LIMIT 1",
        )
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("read which fingerprint key was exchanged last"))?;
        Ok(key.map(|key| FingerprintKeyId::from_stored(&key)))
    }

    /// Brings all that was taken with one key under the key that an exchange of it has made, and tells the trail; or nothing
    /// at all. After an error from emptying the log it is done all the same.
    ///
    /// # Errors
    /// When it could not be written, or the one key is not made from the other.
    pub async fn exchange_fingerprint_key(
        &self,
        by: &By,
        from: &FingerprintKeyId,
        to: &FingerprintKey,
    ) -> Result<(), StoreError> {
        if to.exchanges_since(from) != Some(1) {
            return Err(StoreError::NotExchanged { from: from.clone(), to: to.id().clone() });
        }
        let mut turn = self.turn().await;
        let mut change = turn.begin().await?;
        for place in PLACES {
            change.renew(place, from, to).await?;
        }
        change.renew_plans(from, to).await?;
        sqlx::query("UPDATE fingerprint_form SET key_id = ?2 WHERE key_id = ?1")
            .bind(from.as_str())
            .bind(to.id().as_str())
            .execute(&mut *change.transaction)
            .await
            .map_err(failed(DOING))?;
        let told = Kind::FingerprintKeyChanged { from: from.to_string(), to: to.id().to_string() };
        change.append(by, &told).await?;
        change.commit().await?;
        // Older pages in the log still hold what the key before has digested.
        turn.forget_log().await
    }
}

impl Change<'_> {
    async fn renew(
        &mut self,
        (table, id, digest, form): (&str, &str, &str, &str),
        from: &FingerprintKeyId,
        to: &FingerprintKey,
    ) -> Result<(), StoreError> {
        let read = format!(
            "SELECT {id} AS id, {digest} AS digest FROM {table} WHERE {id} > ?2 AND {form} IN \
             (SELECT id FROM fingerprint_form WHERE key_id = ?1) ORDER BY {id} LIMIT ?3"
        );
        let write = format!(
            "UPDATE {table} SET {digest} = unhex(j.value->>1) FROM json_each(?1) j WHERE {table}.{id} = j.value->>0"
        );
        let mut after = i64::MIN;
        loop {
            let page = sqlx::query(sqlx::AssertSqlSafe(read.clone()))
                .bind(from.as_str())
                .bind(after)
                .bind(ROWS_AT_A_TIME)
                .fetch_all(&mut *self.transaction)
                .await
                .map_err(failed(DOING))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = rows::get(last, "id")?;
            let renewed = page
                .iter()
                .map(|row| Ok((rows::get::<i64>(row, "id")?, hex(&to.renewed(rows::bytes(row, "digest")?)))));
            let renewed: Vec<_> = renewed.collect::<Result<_, StoreError>>()?;
            sqlx::query(sqlx::AssertSqlSafe(write.clone()))
                .bind(rows::json(&renewed)?)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed(DOING))?;
        }
    }

    /// What was cut short is settled under the new key.
    async fn renew_plans(&mut self, from: &FingerprintKeyId, to: &FingerprintKey) -> Result<(), StoreError> {
        let forms: Vec<i64> = sqlx::query_scalar("SELECT id FROM fingerprint_form WHERE key_id = ?1")
            .bind(from.as_str())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        self.rewrite_plans(DOING, |record| {
            for StoredFingerprint(digest, form) in std::iter::once(&mut record.before).chain(&mut record.after) {
                if forms.contains(form) {
                    let unreadable = || StoreError::Unreadable { what: "a fingerprint in the plan of a batch".into() };
                    *digest = hex(&to.renewed(unhex(digest).ok_or_else(unreadable)?));
                }
            }
            Ok(())
        })
        .await
    }
}
