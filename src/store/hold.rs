//! Legal holds: records that may not be erased until somebody releases them.
//!
//! A hold is on the key, whoever is under it; several may stand on one record, each under a reference of its own. They are
//! few: what goes over holds reads all that stand, what goes over a batch looks each of its records up in an index of
//! nothing else.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::error::{expect_rows, failed};
use super::list::cut;
use super::moves::grouped;
use super::turn::Texts;
use super::veil::Veil;
use super::{Change, GivenReason, Page, Store, StoreError, rows};
use crate::actor::{Actor, Scope};
use crate::audit::{By, HoldRelease, HoldSet, Kind};
use crate::proposal::Reason;
use crate::record::{Fingerprint, RecordRef};

/// Names a hold, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub i64);

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its number.
    pub id: HoldId,
    /// The record.
    pub record: RecordRef,
    /// The department or branch that the record belonged to when it was held.
    pub unit: Option<String>,
    /// The person that it was set for, as a digest.
    pub fingerprint: Fingerprint,
    /// Since when.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: Actor,
    /// Why.
    pub reason: GivenReason,
    /// Under which reference; none once the text is gone. It may name people.
    pub reference: Option<String>,
    /// The first of two people has asked for its release.
    pub asked: Option<AskedRelease>,
}

/// Somebody wants a hold released, and another has to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRelease {
    /// When, as far as the wait behind it goes: what the clock showed counts only where it is believed.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// Why, where something was said.
    pub reason: GivenReason,
}

/// A record that is to be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Which.
    pub record: RecordRef,
    /// The department or branch that it belongs to.
    pub unit: Option<String>,
    /// The person that it is about, as a digest.
    pub fingerprint: Fingerprint,
}

/// Records that somebody is about to hold and waits for the write turn: a batch without an intent leaves them out, so that
/// no hold comes too late because it had to wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Announced(Arc<Mutex<BTreeMap<RecordRef, u32>>>);

impl Announced {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<RecordRef, u32>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn among<'r>(&self, records: &[&'r RecordRef]) -> Vec<&'r RecordRef> {
        self.with(|announced| records.iter().copied().filter(|record| announced.contains_key(record)).collect())
    }
}

/// A hold that is on its way. It counts until this is dropped: keep it until the hold is committed, or refused.
#[derive(Debug)]
pub struct Announcement {
    all: Announced,
    record: RecordRef,
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.all.with(|announced| {
            if let Some(count) = announced.get_mut(&self.record) {
                *count -= 1;
                if *count == 0 {
                    announced.remove(&self.record);
                }
            }
        });
    }
}

/// What is read of a hold, and from where.
macro_rules! hold_rows {
    () => {
        "h.id, h.category, h.key, h.unit, h.fingerprint, f.key_id, f.identity, h.standard, coalesce(a.at, k.at) AS at, \
         coalesce(a.actor, k.actor) AS actor, r.text AS reason, n.text AS reference, h.asked_standard, \
         h.asked_at, coalesce(q.actor, l.actor) AS asked_by, t.text AS asked_reason \
         FROM hold h JOIN fingerprint_form f ON f.id = h.form \
         LEFT JOIN audit a ON a.seq = h.set_seq LEFT JOIN kept k ON k.seq = h.set_seq \
         LEFT JOIN audit_text r ON r.seq = h.set_seq AND r.field = 'reason' \
         LEFT JOIN audit_text n ON n.seq = h.set_seq AND n.field = 'reference' \
         LEFT JOIN audit q ON q.seq = h.asked_seq LEFT JOIN kept l ON l.seq = h.asked_seq LEFT JOIN audit_text t ON t.seq = h.asked_seq AND t.field = 'reason' \
         WHERE h.released_seq IS NULL"
    };
}

fn hold(row: &SqliteRow, veil: &Veil) -> Result<Hold, StoreError> {
    let broken = |what: &str| StoreError::Unreadable { what: format!("a hold {what}") };
    let asked = match (rows::optional(row, "asked_at")?, rows::actor(row, "asked_by")?) {
        (Some(at), Some(by)) => {
            let reason =
                GivenReason { standard: rows::get(row, "asked_standard")?, text: rows::get(row, "asked_reason")? };
            Some(AskedRelease { at, by, reason })
        }
        _ => None,
    };
    Ok(Hold {
        id: HoldId(rows::get(row, "id")?),
        record: rows::record(row, veil)?,
        unit: rows::get(row, "unit")?,
        fingerprint: rows::fingerprint(row, ["fingerprint", "key_id", "identity"])?
            .ok_or_else(|| broken("without a fingerprint"))?,
        set_at: rows::parsed(row, "at")?,
        set_by: rows::actor(row, "actor")?.ok_or_else(|| broken("set by nobody"))?,
        reason: GivenReason { standard: rows::get(row, "standard")?, text: rows::get(row, "reason")? },
        reference: rows::get(row, "reference")?,
        asked,
    })
}

/// Which of these records are held, by their places. Each is looked up in the index of what is held, and none where
/// nothing is.
pub(super) const HELD: &str = "SELECT DISTINCT j.key FROM json_each(?1) j \
     CROSS JOIN hold h INDEXED BY hold_standing ON h.category = j.value->>0 AND h.key = j.value->>1 \
     AND h.released_seq IS NULL WHERE EXISTS (SELECT 1 FROM hold WHERE released_seq IS NULL)";

async fn held<'r>(
    connection: &mut SqliteConnection,
    announced: &Announced,
    veil: &Veil,
    records: &[&'r RecordRef],
) -> Result<HashSet<&'r RecordRef>, StoreError> {
    // First those that wait: one that is written meanwhile is found by the statement.
    let mut held: HashSet<&RecordRef> = announced.among(records).into_iter().collect();
    let asked = veil.asked(records.iter().copied())?;
    let places: Vec<i64> = sqlx::query_scalar(HELD)
        .bind(asked.json()?)
        .fetch_all(connection)
        .await
        .map_err(failed("read what is held"))?;
    held.extend(places.into_iter().filter_map(|place| records.get(usize::try_from(place).ok()?).copied()));
    Ok(held)
}

impl Store {
    /// Says that a hold on the record is on its way: from now on no batch takes the record that has no intent yet.
    #[must_use]
    pub fn announce_hold(&self, record: &RecordRef) -> Announcement {
        let all = self.announced.clone();
        all.with(|announced| *announced.entry(record.clone()).or_default() += 1);
        Announcement { all, record: record.clone() }
    }

    /// Those of these records that are held, or about to be.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn held_among<'r>(&self, records: &[&'r RecordRef]) -> Result<HashSet<&'r RecordRef>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(failed("read what is held"))?;
        held(&mut connection, &self.announced, &self.veil(), records).await
    }

    /// The holds that stand on each of these records, the oldest first; records without any are left out.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn holds_on<'r>(
        &self,
        records: impl IntoIterator<Item = &'r RecordRef>,
    ) -> Result<BTreeMap<RecordRef, Vec<Hold>>, StoreError> {
        let veil = self.veil();
        let asked = veil.asked(records)?;
        let found = sqlx::query(concat!(
            "SELECT ",
            hold_rows!(),
            " AND h.id IN (SELECT s.id FROM json_each(?1) j CROSS JOIN hold s INDEXED BY hold_standing \
             ON s.category = j.value->>0 AND s.key = j.value->>1 AND s.released_seq IS NULL) ORDER BY h.id"
        ))
        .bind(asked.json()?)
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what is held"))?;
        let mut holds: BTreeMap<RecordRef, Vec<Hold>> = BTreeMap::new();
        for row in &found {
            let hold = hold(row, &veil)?;
            holds.entry(hold.record.clone()).or_default().push(hold);
        }
        Ok(holds)
    }

    /// The holds that stand within a scope, the oldest first, at most `limit` of those behind `after`. The scope is asked
    /// with the unit and the person that the record had when it was held.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn holds(
        &self,
        scope: &Scope,
        after: Option<HoldId>,
        limit: u32,
    ) -> Result<Page<Hold, HoldId>, StoreError> {
        // All that stand are read: they are few, and of the total nothing may be told that is outside the scope.
        let found = sqlx::query(concat!("SELECT ", hold_rows!(), " ORDER BY h.id"))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read what is held"))?;
        let veil = self.veil();
        let (mut total, mut items) = (0, Vec::new());
        for row in &found {
            let hold = hold(row, &veil)?;
            if !scope.covers(&hold.record, hold.unit.as_deref(), &hold.fingerprint.digest) {
                continue;
            }
            total += 1;
            if after.is_none_or(|after| hold.id > after) && items.len() <= limit as usize {
                items.push(hold);
            }
        }
        let next = cut(&mut items, limit).map(|hold| hold.id);
        Ok(Page { items, total, next })
    }
}

impl Change<'_> {
    pub(super) async fn held_among<'r>(
        &mut self,
        records: &[&'r RecordRef],
    ) -> Result<HashSet<&'r RecordRef>, StoreError> {
        held(&mut self.transaction, &self.announced, &self.veil, records).await
    }

    /// Sets a hold; gives its number.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn hold(
        &mut self,
        by: &By,
        new: &NewHold,
        reason: &Reason,
        reference: &str,
    ) -> Result<HoldId, StoreError> {
        const DOING: &str = "set a hold";
        let form = self.form_among(&mut Vec::new(), &new.fingerprint).await?;
        let key = self.veil.forms(&new.record.category, &new.record.key)?;
        let id: i64 =
            sqlx::query_scalar("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'hold'), 0) + 1")
                .fetch_one(&mut *self.transaction)
                .await
                .map_err(failed(DOING))?;
        let mut texts = Texts::default();
        let because = texts.reason(reason)?;
        let reference_digest = texts.add("reference", reference)?;
        let records = grouped(&self.veil, [&new.record])?;
        let kind = Kind::HoldSet(HoldSet { hold: id, because, reference_digest, records });
        let seq = self.append_with_texts(by, texts, &kind).await?;
        sqlx::query(
            "INSERT INTO hold (id, category, key, unit, fingerprint, form, standard, set_seq, name) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .bind(id)
        .bind(new.record.category.as_str())
        .bind(key.open.as_ref())
        .bind(new.unit.as_deref())
        .bind(new.fingerprint.digest.as_slice())
        .bind(form)
        .bind(reason.name())
        .bind(seq.cast_signed())
        .bind(key.name.as_deref())
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        Ok(HoldId(id))
    }

    /// Writes down that a hold was wanted when it was too late.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn hold_too_late(&mut self, by: &By, record: &RecordRef) -> Result<(), StoreError> {
        let records = grouped(&self.veil, [record])?;
        self.append(by, &Kind::HoldTooLate { records }).await.map(drop)
    }

    /// The first of two people wants the hold released. No earlier than what is on record, as with a confirmation: a clock
    /// that was set back does not shorten the wait behind it.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn ask_release(&mut self, by: &By, hold: &Hold, reason: Option<&Reason>) -> Result<(), StoreError> {
        let seq = self.tell_release(by, hold, reason, Kind::HoldReleaseAsked).await?;
        let done = sqlx::query(
            "UPDATE hold SET asked_seq = ?2, asked_standard = ?3, \
             asked_at = max(?4, coalesce((SELECT newest_at FROM clock), ?4)) \
             WHERE id = ?1 AND asked_seq IS NULL AND released_seq IS NULL",
        )
        .bind(hold.id.0)
        .bind(seq.cast_signed())
        .bind(reason.and_then(Reason::name))
        .bind(rows::instant(self.now))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("ask for the release of a hold"))?;
        expect_rows("ask for the release of a hold", 1, done.rows_affected())
    }

    /// The hold is over.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn release(&mut self, by: &By, hold: &Hold, reason: Option<&Reason>) -> Result<(), StoreError> {
        let seq = self.tell_release(by, hold, reason, Kind::HoldReleased).await?;
        let done = sqlx::query("UPDATE hold SET released_seq = ?2 WHERE id = ?1 AND released_seq IS NULL")
            .bind(hold.id.0)
            .bind(seq.cast_signed())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("release a hold"))?;
        expect_rows("release a hold", 1, done.rows_affected())
    }

    async fn tell_release(
        &mut self,
        by: &By,
        hold: &Hold,
        reason: Option<&Reason>,
        kind: impl FnOnce(HoldRelease) -> Kind,
    ) -> Result<u64, StoreError> {
        let mut texts = Texts::default();
        let because = reason.map(|reason| texts.reason(reason)).transpose()?;
        let kind = kind(HoldRelease { hold: hold.id.0, because, records: grouped(&self.veil, [&hold.record])? });
        self.append_with_texts(by, texts, &kind).await
    }
}
