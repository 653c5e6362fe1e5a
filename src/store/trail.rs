//! The trail as it is stored.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::{Change, Page, Store, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{By, Entry, Head, Kind, actor_to_json};
use crate::record::RecordRef;

/// Entries read at a time when the end of the trail is checked.
/// Each may name [`BATCH_MAX_RECORDS`](super::BATCH_MAX_RECORDS) records.
const CHECK_PAGE_ENTRIES: u32 = 100;
/// Most entries that are checked before a start is over.
const CHECK_TAIL_ENTRIES: u64 = 1_000;
/// Bytes of details in the lines that are read at a time, but for the last line.
const LINES_BYTES: u32 = 64 * 1024;
/// A peer's refusals within this time are one entry.
const REFUSAL_QUIET: SignedDuration = SignedDuration::from_secs(60);

/// Which entries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this kind alone.
    pub kind: Option<String>,
    /// Caused by this run alone.
    pub run: Option<i64>,
    /// About this record, alone or among others.
    pub record: Option<RecordRef>,
}

/// What an entry has to be like under the filter's kind, run, category and key. Entries name records in groups by
/// category.
macro_rules! filtered {
    () => {
        "seq >= coalesce((SELECT entries FROM cut), 0) AND (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR run = ?2) \
         AND (?3 IS NULL OR EXISTS \
         (SELECT 1 FROM json_each(details, '$.records') g, json_each(g.value, '$.keys') k \
         WHERE g.value->>'category' = ?3 AND k.value IN (?4, ?5)))"
    };
}

/// Lines of the exported trail, the first first, and the number of the last: so many entries, and as many as fill so many
/// bytes; and with which entry the trail begins. How long a text is stands in its row's head: no text is read for that.
const AUDIT_LINES: &str = "WITH begin AS (SELECT coalesce((SELECT entries FROM cut), 1) AS first), \
     size AS (SELECT seq, octet_length(details) AS bytes FROM audit WHERE seq > ?1 \
     AND seq >= (SELECT first FROM begin) ORDER BY seq LIMIT ?2), \
     page AS (SELECT max(seq) AS last FROM (SELECT seq, sum(bytes) OVER (ORDER BY seq) - bytes AS before FROM size) \
     WHERE before < ?3) \
     SELECT max(seq) AS last, group_concat(line, '') AS lines, (SELECT first FROM begin) AS first FROM (SELECT seq, \
     '{\"actor\":' || actor || ',\"at\":\"' || at || '\",\"details\":' || details || ',\"hash\":\"' || lower(hex(hash)) || \
     '\",\"kind\":' || json_quote(kind) || ',\"prev\":\"' || lower(hex(prev)) || '\",\"request\":' || json_quote(request) || \
     ',\"run\":' || coalesce(run, 'null') || ',\"seq\":' || seq || '}' || char(10) AS line \
     FROM audit WHERE seq > ?1 AND seq >= (SELECT first FROM begin) AND seq <= (SELECT last FROM page) ORDER BY seq)";

/// A text that somebody typed, as it lies beside the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedText {
    /// What its digest was salted with.
    pub salt: [u8; 16],
    /// The text.
    pub text: String,
}

macro_rules! entry_columns {
    () => {
        "seq, at, actor, run, request, kind, details, prev, hash"
    };
}

fn entry(row: &SqliteRow) -> Result<Entry, StoreError> {
    let actor = rows::actor(row, "actor")?;
    let actor = actor.ok_or_else(|| StoreError::Unreadable { what: "an entry of the trail by nobody".into() })?;
    Ok(Entry {
        seq: rows::count(row, "seq")?,
        at: rows::parsed(row, "at")?,
        by: By { actor, run: rows::get(row, "run")?, request: rows::get(row, "request")? },
        kind: rows::get(row, "kind")?,
        details: rows::get(row, "details")?,
        prev: rows::bytes(row, "prev")?,
        hash: rows::bytes(row, "hash")?,
    })
}

/// The end of the chain.
pub(super) async fn head(connection: &mut SqliteConnection) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(connection)
        .await
        .map_err(failed("read the end of the audit trail"))?;
    match row {
        None => Ok(Head::EMPTY),
        Some(row) => Ok(Head { entries: rows::count(&row, "seq")?, hash: rows::bytes(&row, "hash")? }),
    }
}

/// Checks the newest checkpoint's entry, and the chain from there on, or the last [`CHECK_TAIL_ENTRIES`] where there are
/// more: a start takes no longer for what a run has written that was cut short. Between the two, `check_since_checkpoint`
/// looks.
pub(super) async fn check_tail(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    check_beginning(connection).await?;
    let signed = checkpoint(connection).await?;
    let last = head(connection).await?;
    let tail = last.entries.saturating_sub(CHECK_TAIL_ENTRIES);
    let from = if tail > signed.entries { begin_at(connection, tail).await? } else { signed };
    if check_from(connection, from, &|| false).await? == Head::EMPTY {
        return Err(StoreError::BrokenChain { seq: 1, what: "there is none" });
    }
    Ok(())
}

/// Checks the chain from the newest checkpoint to its end, until that `is_unwanted`. What is before it can be checked by
/// whoever has an export.
pub(super) async fn check_since_checkpoint(
    connection: &mut SqliteConnection,
    is_unwanted: &impl Fn() -> bool,
) -> Result<(), StoreError> {
    let signed = checkpoint(connection).await?;
    check_from(connection, signed, is_unwanted).await.map(drop)
}

/// Checks that the trail begins with its first entry, or with the one at which it was pruned, as that was signed.
async fn check_beginning(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    const DOING: &str = "read where the audit trail begins";
    let cut = sqlx::query("SELECT k.entries, k.hash FROM cut JOIN checkpoint k ON k.entries = cut.entries")
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed(DOING))?;
    let Some(row) = cut else {
        let first: Option<i64> =
            sqlx::query_scalar("SELECT min(seq) FROM audit").fetch_one(connection).await.map_err(failed(DOING))?;
        return match first {
            None | Some(1) => Ok(()),
            Some(_) => Err(StoreError::BrokenChain { seq: 1, what: "it is missing" }),
        };
    };
    let cut = Head { entries: rows::count(&row, "entries")?, hash: rows::bytes(&row, "hash")? };
    if begin_at(&mut *connection, cut.entries).await? != cut {
        return Err(StoreError::BrokenChain { seq: cut.entries, what: "its hash is not the one that was signed" });
    }
    let is_told: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM audit WHERE kind = 'pruned' AND details->>'first' = ?1 \
         AND seq <= (SELECT max(entries) FROM checkpoint))",
    )
    .bind(cut.entries.cast_signed())
    .fetch_one(connection)
    .await
    .map_err(failed(DOING))?;
    if is_told {
        return Ok(());
    }
    let what = "the trail begins with it, and no entry that was signed tells that what came before was pruned";
    Err(StoreError::BrokenChain { seq: cut.entries, what })
}

/// What the newest checkpoint was signed over, which the trail must still hold.
async fn checkpoint(connection: &mut SqliteConnection) -> Result<Head, StoreError> {
    let signed = sqlx::query("SELECT entries, hash FROM checkpoint ORDER BY entries DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed("read the newest checkpoint"))?;
    let Some(row) = signed else {
        return Ok(Head::EMPTY);
    };
    let head = Head { entries: rows::count(&row, "entries")?, hash: rows::bytes(&row, "hash")? };
    let what = "its hash is not the one that a checkpoint was signed over";
    match begin_at(connection, head.entries).await {
        Ok(found) if found == head => Ok(head),
        Ok(_) | Err(StoreError::BrokenChain { .. }) => Err(StoreError::BrokenChain { seq: head.entries, what }),
        Err(error) => Err(error),
    }
}

/// The end of the chain as it was after entry `seq`, which is taken at its word for what comes before it.
async fn begin_at(connection: &mut SqliteConnection, seq: u64) -> Result<Head, StoreError> {
    let entries = page(&mut *connection, seq - 1, 1).await?;
    let before = Head { entries: seq - 1, hash: entries.first().map_or([0; 32], |entry| entry.prev) };
    entries.first().map_or(Err(StoreError::BrokenChain { seq, what: "it is missing" }), |entry| follow(&before, entry))
}

/// Follows the chain from `head` to its end, and gives that.
async fn check_from(
    connection: &mut SqliteConnection,
    mut head: Head,
    is_unwanted: &impl Fn() -> bool,
) -> Result<Head, StoreError> {
    loop {
        let entries = page(&mut *connection, head.entries, CHECK_PAGE_ENTRIES).await?;
        if entries.is_empty() || is_unwanted() {
            return Ok(head);
        }
        for entry in entries {
            head = follow(&head, &entry)?;
        }
    }
}

fn follow(head: &Head, entry: &Entry) -> Result<Head, StoreError> {
    let broken = |seq, what| Err(StoreError::BrokenChain { seq, what });
    if entry.seq != head.entries + 1 {
        return broken(head.entries + 1, "it is missing");
    }
    if entry.prev != head.hash {
        return broken(entry.seq, "it is not tied to the entry before it");
    }
    if entry.computed_hash() != entry.hash {
        return broken(entry.seq, "its hash does not fit its content");
    }
    Ok(entry.head())
}

async fn page<'e>(executor: impl sqlx::SqliteExecutor<'e>, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
    sqlx::query(concat!(
        "SELECT ",
        entry_columns!(),
        " FROM audit WHERE seq > ?1 AND seq >= coalesce((SELECT entries FROM cut), 0) ORDER BY seq LIMIT ?2"
    ))
    .bind(after.cast_signed())
    .bind(limit)
    .fetch_all(executor)
    .await
    .map_err(failed("read the audit trail"))?
    .iter()
    .map(entry)
    .collect()
}

impl Store {
    /// The end of the chain.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn audit_head(&self) -> Result<Head, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(failed("read the end of the audit trail"))?;
        head(&mut connection).await
    }

    /// Entries in the order of the trail, at most `limit` of those after number `after`: what is exported, page by page.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn audit_after(&self, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        page(&self.readers, after, limit).await
    }

    /// Lines of the exported trail, each with its line feed: those of at most `limit` entries after number `after`, fewer
    /// where they are long, and the number of the last; none: the trail ends there. The database writes the lines as [`Entry::to_line`] does, all of
    /// them in one text: to read a million entries field by field takes longer than to verify them.
    ///
    /// # Errors
    /// When they could not be read, or what comes after that entry has been pruned.
    pub async fn audit_lines(&self, after: u64, limit: u32) -> Result<Option<(String, u64)>, StoreError> {
        let row = sqlx::query(AUDIT_LINES)
            .bind(after.cast_signed())
            .bind(limit)
            .bind(LINES_BYTES)
            .fetch_one(&self.readers)
            .await
            .map_err(failed("read the audit trail"))?;
        let first = rows::count(&row, "first")?;
        if after > 0 && first > after + 1 {
            return Err(StoreError::PrunedMeanwhile { first });
        }
        match rows::get::<Option<String>>(&row, "lines")? {
            Some(lines) => Ok(Some((lines, rows::count(&row, "last")?))),
            None => Ok(None),
        }
    }

    /// Entries, the latest first, at most `limit` of those before number `before`.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn audit_list(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page<Entry, u64>, StoreError> {
        let doing = "list the audit trail";
        let record = filter.record.as_ref();
        let (category, key) = (record.map(|of| of.category.as_str()), record.map(|of| of.key.as_str()));
        // Where keys are personal now, what was written before names the record by its key.
        let veil = self.veil();
        let name = record.map(|of| veil.told(of)).transpose()?;
        let total = if *filter == AuditFilter::default() {
            // Entries are numbered without a gap: nobody has to count them.
            self.audit_head().await?.entries.saturating_sub(self.pruned_entries().await?)
        } else {
            let total: i64 = sqlx::query_scalar(concat!("SELECT count(*) FROM audit WHERE ", filtered!()))
                .bind(filter.kind.as_deref())
                .bind(filter.run)
                .bind(category)
                .bind(key)
                .bind(name.as_deref())
                .fetch_one(&self.readers)
                .await
                .map_err(failed(doing))?;
            total.cast_unsigned()
        };
        let mut items: Vec<Entry> = sqlx::query(concat!(
            "SELECT ",
            entry_columns!(),
            " FROM audit WHERE ",
            filtered!(),
            " AND seq < ?6 ORDER BY seq DESC LIMIT ?7"
        ))
        .bind(filter.kind.as_deref())
        .bind(filter.run)
        .bind(category)
        .bind(key)
        .bind(name)
        .bind(before.map_or(i64::MAX, u64::cast_signed))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.readers)
        .await
        .map_err(failed(doing))?
        .iter()
        .map(entry)
        .collect::<Result<_, _>>()?;
        let next = super::list::cut(&mut items, limit).map(|entry| entry.seq);
        Ok(Page { items, total, next })
    }

    /// The reason that the entry `seq` has a digest of, where it has one and the text is still there.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn typed_text(&self, seq: u64) -> Result<Option<TypedText>, StoreError> {
        Ok(self.typed_texts(seq).await?.remove("reason"))
    }

    /// The texts that the entry `seq` has digests of, by what they are (`reason`, `reference`), as far as they are still
    /// there.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn typed_texts(&self, seq: u64) -> Result<BTreeMap<String, TypedText>, StoreError> {
        sqlx::query("SELECT field, salt, text FROM audit_text WHERE seq = ?1")
            .bind(seq.cast_signed())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read what was typed"))?
            .iter()
            .map(|row| {
                let typed = TypedText { salt: rows::bytes(row, "salt")?, text: rows::get(row, "text")? };
                Ok((rows::get(row, "field")?, typed))
            })
            .collect()
    }

    /// Every checkpoint as it was signed, the first first.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn checkpoints(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT note FROM checkpoint ORDER BY entries")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read the checkpoints"))
    }
}

impl Change<'_> {
    /// Somebody was refused. Gives whether there is an entry: a peer's refusals within a minute are one.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn refused(&mut self, by: &By, permission: &str, route: &str) -> Result<bool, StoreError> {
        if self.was_refused_just_now(&by.actor).await? {
            return Ok(false);
        }
        let kind = Kind::Refused { permission: permission.to_owned(), route: route.to_owned() };
        self.append(by, &kind).await?;
        Ok(true)
    }

    async fn was_refused_just_now(&mut self, actor: &Actor) -> Result<bool, StoreError> {
        let since = self.now.checked_sub(REFUSAL_QUIET).unwrap_or(self.now);
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM audit WHERE kind = 'refused' AND actor = ?1 AND at > ?2 AND at <= ?3)",
        )
        .bind(actor_to_json(actor).to_string())
        .bind(rows::instant(since))
        .bind(rows::instant(self.now))
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed("read whether somebody was refused before"))
    }
}
