//! What is assigned to people while the daemon runs, and what they are denied.
//!
//! May be relied on: each entry was made by one of the trail and bears its number; none is altered, another entry of the
//! trail ends it. Users are known by login name, as grants of the settings know them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;

use super::error::{expect_rows, failed};
use super::moves::grouped;
use super::turn::Texts;
use super::veil::Veil;
use super::{Change, Page, Store, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{Access, AccessEnd, Because, By, Kind};
use crate::proposal::Reason;
use crate::record::{Fingerprint, RecordRef};

/// What an entry assigns or denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessWhat {
    /// The records of a unit.
    Unit(String),
    /// A single record, about the person that it was about then.
    Record(RecordRef, Fingerprint),
    /// A single record is denied, whoever it is about; the person that it was about then is remembered.
    Deny(RecordRef, Fingerprint),
    /// Taking somebody's place.
    StandIn {
        /// Whose.
        represents: String,
        /// Through this day.
        until: Date,
    },
}

/// What an entry is about. A user has one entry about the same at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessAbout {
    /// This unit.
    Unit(String),
    /// This record, as a single one.
    Record(RecordRef),
    /// This record, as a denied one.
    Deny(RecordRef),
    /// Taking this user's place.
    StandIn(String),
}

impl AccessWhat {
    /// What it is about.
    #[must_use]
    pub fn about(&self) -> AccessAbout {
        match self {
            Self::Unit(unit) => AccessAbout::Unit(unit.clone()),
            Self::Record(record, _) => AccessAbout::Record(record.clone()),
            Self::Deny(record, _) => AccessAbout::Deny(record.clone()),
            Self::StandIn { represents, .. } => AccessAbout::StandIn(represents.clone()),
        }
    }

    /// The record, where it is about one.
    #[must_use]
    pub fn record(&self) -> Option<(&RecordRef, &Fingerprint)> {
        match self {
            Self::Record(record, fingerprint) | Self::Deny(record, fingerprint) => Some((record, fingerprint)),
            Self::Unit(_) | Self::StandIn { .. } => None,
        }
    }

    /// As the trail tells it.
    fn told(&self, veil: &Veil, user: &str, because: Option<Because>) -> Result<Access, StoreError> {
        let user = user.to_owned();
        Ok(match self {
            Self::Unit(unit) => Access::Unit { user, unit: unit.clone() },
            Self::Record(record, _) => Access::Record { user, records: grouped(veil, [record])? },
            Self::Deny(record, _) => Access::Deny { user, records: grouped(veil, [record])?, because },
            Self::StandIn { represents, until } => {
                Access::StandIn { user, represents: represents.clone(), until: until.to_string() }
            }
        })
    }
}

/// An entry that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEntry {
    /// The number of the entry of the trail that made it.
    pub seq: u64,
    /// Whose access it is.
    pub user: String,
    /// What is assigned or denied.
    pub what: AccessWhat,
    /// The record as what is closed names it, where its key is personal: it is assigned or denied under that name, too.
    pub named: Option<RecordRef>,
    /// Who made it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What was typed with it, while the text is there: who asked for a denial and why.
    pub text: Option<String>,
}

macro_rules! entry_columns {
    () => {
        "SELECT e.seq, e.what, e.user, e.unit, e.category, e.key, e.fingerprint, f.key_id, f.identity, e.other, e.until, \
         coalesce(a.actor, k.actor) AS actor, coalesce(a.at, k.at) AS at, t.text FROM access e \
         LEFT JOIN audit a ON a.seq = e.seq LEFT JOIN kept k ON k.seq = e.seq LEFT JOIN audit_text t ON t.seq = e.seq \
         LEFT JOIN fingerprint_form f ON f.id = e.form WHERE e.ended IS NULL "
    };
}

/// What a listed entry has to be like: of this user, and about none of these records.
macro_rules! listed {
    () => {
        "AND (?1 IS NULL OR e.user = ?1) AND (e.key IS NULL OR NOT EXISTS \
         (SELECT 1 FROM json_each(?2) WHERE value->>0 = e.category AND value->>1 = e.key)) "
    };
}

fn entry(row: &SqliteRow, veil: &Veil) -> Result<AccessEntry, StoreError> {
    let unreadable = |what: &str| StoreError::Unreadable { what: what.to_owned() };
    let single = || -> Result<_, StoreError> {
        let fingerprint = rows::fingerprint(row, ["fingerprint", "key_id", "identity"])?;
        Ok((rows::record(row, veil)?, fingerprint.ok_or_else(|| unreadable("an access entry without a fingerprint"))?))
    };
    let what = match rows::get::<&str>(row, "what")? {
        "unit" => AccessWhat::Unit(rows::get(row, "unit")?),
        "record" => single().map(|(record, fingerprint)| AccessWhat::Record(record, fingerprint))?,
        "deny" => single().map(|(record, fingerprint)| AccessWhat::Deny(record, fingerprint))?,
        "stand_in" => AccessWhat::StandIn { represents: rows::get(row, "other")?, until: rows::parsed(row, "until")? },
        other => return Err(unreadable(&format!("the access entry {other:?}"))),
    };
    Ok(AccessEntry {
        seq: rows::count(row, "seq")?,
        user: rows::get(row, "user")?,
        named: match what.record() {
            Some((record, _)) => veil.told_otherwise(record)?,
            None => None,
        },
        what,
        by: rows::actor(row, "actor")?.ok_or_else(|| unreadable("an access entry by nobody"))?,
        at: rows::parsed(row, "at")?,
        text: rows::get(row, "text")?,
    })
}

/// Entries of a user and of those whose place they take.
pub(super) const ACCESS_OF: &str = concat!(
    entry_columns!(),
    "AND e.user IN (SELECT ?1 UNION SELECT other FROM access \
     WHERE user = ?1 AND ended IS NULL AND what = 'stand_in' AND until >= ?2) ORDER BY e.seq"
);

impl Store {
    /// What a user has now, and what those have whose place they take on that day; all of it as of one instant.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn access_of(&self, user: &str, today: Date) -> Result<Vec<AccessEntry>, StoreError> {
        let veil = self.veil();
        sqlx::query(ACCESS_OF)
            .bind(user)
            .bind(today.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read what is assigned to a user"))?
            .iter()
            .map(|row| entry(row, &veil))
            .collect()
    }

    /// Entries that have not ended, the latest first, at most `limit` of those before number `before`; of one user alone
    /// where one is named. Entries about these records are left out: they do not exist for whoever asks.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn access(
        &self,
        user: Option<&str>,
        but: &BTreeSet<RecordRef>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page<AccessEntry, u64>, StoreError> {
        const DOING: &str = "list what is assigned to users";
        let veil = self.veil();
        let but = veil.asked(but)?.json()?;
        let total: i64 = sqlx::query_scalar(concat!("SELECT count(*) FROM access e WHERE e.ended IS NULL ", listed!()))
            .bind(user)
            .bind(&but)
            .fetch_one(&self.readers)
            .await
            .map_err(failed(DOING))?;
        let mut items: Vec<AccessEntry> =
            sqlx::query(concat!(entry_columns!(), listed!(), "AND e.seq < ?3 ORDER BY e.seq DESC LIMIT ?4"))
                .bind(user)
                .bind(&but)
                .bind(before.map_or(i64::MAX, u64::cast_signed))
                .bind(i64::from(limit) + 1)
                .fetch_all(&self.readers)
                .await
                .map_err(failed(DOING))?
                .iter()
                .map(|row| entry(row, &veil))
                .collect::<Result<_, _>>()?;
        let next = super::list::cut(&mut items, limit).map(|entry| entry.seq);
        Ok(Page { items, total: total.cast_unsigned(), next })
    }
}

/// Whether an entry behind a number says that access has changed: by the index of kinds, whose entries are in the order of
/// the trail.
pub(super) const HAS_CHANGED: &str = "SELECT EXISTS (SELECT 1 FROM audit \
     WHERE kind IN ('access_given', 'access_ended', 'settings_loaded') AND seq > ?1)";

impl Change<'_> {
    /// Whether what anybody may see and do has changed since this entry of the trail, through an assignment or the settings.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn has_access_changed_since(&mut self, seq: u64) -> Result<bool, StoreError> {
        sqlx::query_scalar(HAS_CHANGED)
            .bind(seq.cast_signed())
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed("read whether access has changed"))
    }

    /// The user's entry about the same, where there is one that has not ended.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn access_about(&mut self, user: &str, about: &AccessAbout) -> Result<Option<AccessEntry>, StoreError> {
        let entries: Vec<AccessEntry> = sqlx::query(concat!(entry_columns!(), "AND e.user = ?1"))
            .bind(user)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed("read what is assigned to a user"))?
            .iter()
            .map(|row| entry(row, &self.veil))
            .collect::<Result<_, _>>()?;
        Ok(entries.into_iter().find(|entry| entry.what.about() == *about))
    }

    /// Assigns or denies something; what was typed with it lies beside the chain. Gives the number of its entry.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn give_access(
        &mut self,
        by: &By,
        user: &str,
        what: &AccessWhat,
        text: Option<&Reason>,
    ) -> Result<u64, StoreError> {
        let seq = match text {
            None => self.append(by, &Kind::AccessGiven(what.told(&self.veil, user, None)?)).await?,
            Some(text) => {
                let mut texts = Texts::default();
                let because = texts.reason(text)?;
                let kind = Kind::AccessGiven(what.told(&self.veil, user, Some(because))?);
                self.append_with_texts(by, texts, &kind).await?
            }
        };
        let key = match what.record() {
            Some((record, _)) => Some(self.veil.forms(&record.category, &record.key)?),
            None => None,
        };
        let form = match what.record() {
            Some((_, fingerprint)) => Some(self.form_among(&mut Vec::new(), fingerprint).await?),
            None => None,
        };
        let (word, unit, other) = match what {
            AccessWhat::Unit(unit) => ("unit", Some(unit.as_str()), None),
            AccessWhat::Record(..) => ("record", None, None),
            AccessWhat::Deny(..) => ("deny", None, None),
            AccessWhat::StandIn { represents, until } => ("stand_in", None, Some((represents.as_str(), until))),
        };
        let single = what.record();
        sqlx::query(
            "INSERT INTO access (seq, what, user, unit, category, key, fingerprint, form, other, until, name) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(seq.cast_signed())
        .bind(word)
        .bind(user)
        .bind(unit)
        .bind(single.map(|(record, _)| record.category.as_str()))
        .bind(key.as_ref().map(|key| key.open.as_ref()))
        .bind(single.map(|(_, fingerprint)| fingerprint.digest.to_vec()))
        .bind(form)
        .bind(other.map(|(represents, _)| represents))
        .bind(other.map(|(_, until)| until.to_string()))
        .bind(key.as_ref().and_then(|key| key.name.as_deref()))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write what is assigned to a user"))?;
        Ok(seq)
    }

    /// Ends an entry. Gives the number of the entry that says so.
    ///
    /// # Errors
    /// When it could not be written, or has ended before.
    pub async fn end_access(&mut self, by: &By, entry: &AccessEntry) -> Result<u64, StoreError> {
        const DOING: &str = "end what is assigned to a user";
        let access = entry.what.told(&self.veil, &entry.user, None)?;
        let seq = self.append(by, &Kind::AccessEnded(AccessEnd { entry: entry.seq, access })).await?;
        let done = sqlx::query("UPDATE access SET ended = ?2 WHERE seq = ?1 AND ended IS NULL")
            .bind(entry.seq.cast_signed())
            .bind(seq.cast_signed())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        expect_rows(DOING, 1, done.rows_affected())?;
        Ok(seq)
    }
}
