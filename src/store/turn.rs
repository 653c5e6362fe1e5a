//! Changing the state: one at a time, and never without its entry in the trail.

use jiff::Timestamp;
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::MutexGuard;

use super::error::{expect_rows, failed};
use super::hold::Announced;
use super::newest::Newest;
use super::time::Times;
use super::totals::Totals;
use super::veil::Veil;
use super::{Store, StoreError, rows};
use crate::audit::{Because, By, Checkpoint, CheckpointKey, Entry, Head, Kind, actor_to_json, text_digest};
use crate::proposal::Reason;
use crate::record::{hex, random_bytes};

/// The right to change the state; nobody else has it meanwhile.
#[derive(Debug)]
pub struct WriteTurn<'s> {
    store: &'s Store,
    writer: MutexGuard<'s, SqliteConnection>,
}

/// One change of the state. It holds from [`commit`](Self::commit) on; dropped before, nothing has happened.
pub struct Change<'t> {
    pub(super) transaction: Transaction<'t, Sqlite>,
    pub(super) now: Timestamp,
    pub(super) times: Times,
    /// What it moves, by the sums that tell of it.
    pub(super) totals: Totals,
    /// Holds that wait for the write turn.
    pub(super) announced: Announced,
    /// Which keys are personal.
    pub(super) veil: Veil,
    /// Where the end of the trail is noted; nowhere, as long as the state is only made.
    newest: Option<Newest>,
    head: Head,
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change").field("now", &self.now).field("head", &self.head).finish_non_exhaustive()
    }
}

/// Texts that somebody typed, on their way to where they lie beside the chain.
#[derive(Default)]
pub(super) struct Texts(Vec<Text>);

struct Text {
    field: &'static str,
    salt: [u8; 16],
    text: String,
}

impl Texts {
    /// Takes a reason in; gives what the entry says of it.
    pub(super) fn reason(&mut self, reason: &Reason) -> Result<Because, StoreError> {
        match (reason.name(), reason.typed()) {
            (Some(name), _) => Ok(Because::Standard(name.to_owned())),
            (None, typed) => self.add("reason", typed.unwrap_or_default()).map(Because::Typed),
        }
    }

    /// Takes in what was typed into a field of the table; gives the digest that stands for it in the entry.
    pub(super) fn add(&mut self, field: &'static str, text: &str) -> Result<String, StoreError> {
        let salt: [u8; 16] = random_bytes().map_err(|error| StoreError::Random(Box::new(error)))?;
        let digest = text_digest(&salt, text);
        self.0.push(Text { field, salt, text: text.to_owned() });
        Ok(digest)
    }
}

impl Store {
    /// Waits for the right to change the state.
    pub async fn turn(&self) -> WriteTurn<'_> {
        WriteTurn { store: self, writer: self.writer.lock().await }
    }
}

impl WriteTurn<'_> {
    /// Begins a change.
    ///
    /// # Errors
    /// When the state's file cannot be locked or read.
    pub async fn begin(&mut self) -> Result<Change<'_>, StoreError> {
        self.store.place.check()?;
        self.renew_if_stuck().await?;
        let (now, times) = (self.store.clock.now(), self.store.times.clone());
        let mut change =
            Change::begin(&mut self.writer, now, times, self.store.announced.clone(), self.store.veil()).await?;
        change.newest = Some(Newest::beside(&self.store.path));
        Ok(change)
    }

    /// After some errors – a full disk – the database has taken a change back by itself, and the connection goes on
    /// believing that it is in the middle of it. Such a one is replaced: nothing else could be written until the next start.
    async fn renew_if_stuck(&mut self) -> Result<(), StoreError> {
        const DOING: &str = "open the state again";
        if !self.writer.is_in_transaction() {
            return Ok(());
        }
        // A change that was dropped may just be on its way back.
        self.writer.ping().await.map_err(failed(DOING))?;
        if self.writer.is_in_transaction() {
            let path = self.store.path.clone();
            *self.writer = super::open::writing(&path, false).connect().await.map_err(failed(DOING))?;
        }
        Ok(())
    }

    /// Empties the write-ahead log, where older pages still hold what has just been removed.
    pub(super) async fn forget_log(&mut self) -> Result<(), StoreError> {
        empty_log(&mut self.writer).await
    }
}

/// Empties the write-ahead log. Nobody is to wait for readers: where somebody is reading, the next start does it, or the end
/// of the next prepare.
pub(super) async fn empty_log(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let restored = format!("PRAGMA busy_timeout = {}", super::open::BUSY_TIMEOUT.as_millis());
    for sql in ["PRAGMA busy_timeout = 0", "PRAGMA wal_checkpoint(TRUNCATE)", &restored] {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::query(sql).fetch_all(&mut *writer).await.map_err(failed("empty the state's write-ahead log"))?;
    }
    Ok(())
}

impl<'t> Change<'t> {
    pub(super) async fn begin(
        writer: &'t mut SqliteConnection,
        now: Timestamp,
        times: Times,
        announced: Announced,
        veil: Veil,
    ) -> Result<Self, StoreError> {
        let mut transaction =
            writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin a change of the state"))?;
        let head = super::trail::head(&mut transaction).await?;
        Ok(Self { transaction, now, times, totals: Totals::default(), announced, veil, newest: None, head })
    }

    /// Makes the change hold.
    ///
    /// # Errors
    /// When it could not be written to the disk; nothing has happened then.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.write_totals().await?;
        let noted = self.write_time().await?;
        #[cfg(test)]
        self.count_totals().await;
        self.transaction.commit().await.map_err(failed("commit a change of the state"))?;
        Self::remember(&self.times, noted);
        if let Some(newest) = &self.newest {
            newest.note(&self.head);
        }
        Ok(())
    }

    pub(super) async fn describe(&mut self, installation: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO meta (one, installation, created_at) VALUES (1, ?1, ?2)")
            .bind(installation)
            .bind(rows::instant(self.now))
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("describe the state"))?;
        Ok(())
    }

    /// Adds an entry to the trail, for what is no change of the state itself: starts, stops, settings. Gives its number.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn record(&mut self, by: &By, kind: &Kind) -> Result<u64, StoreError> {
        self.append(by, kind).await
    }

    pub(super) async fn append(&mut self, by: &By, kind: &Kind) -> Result<u64, StoreError> {
        self.append_all(by, std::slice::from_ref(kind)).await
    }

    /// Adds an entry for each of `kinds`; gives the number of the last.
    pub(super) async fn append_all(&mut self, by: &By, kinds: &[Kind]) -> Result<u64, StoreError> {
        const DOING: &str = "write to the audit trail";
        let actor = actor_to_json(&by.actor).to_string();
        let mut head = self.head;
        let entries: Vec<_> = kinds
            .iter()
            .map(|kind| {
                let entry = Entry::next(&head, self.now, by.clone(), kind);
                head = entry.head();
                let Entry { seq, at, kind, details, prev, hash, .. } = entry;
                (seq, rows::instant(at), kind, details, hex(&prev), hex(&hash))
            })
            .collect();
        let done = sqlx::query(
            "INSERT INTO audit (seq, at, actor, run, request, kind, details, prev, hash) \
             SELECT value->>0, value->>1, ?2, ?3, ?4, value->>2, value->>3, unhex(value->>4), unhex(value->>5) \
             FROM json_each(?1)",
        )
        .bind(rows::json(&entries)?)
        .bind(actor)
        .bind(by.run)
        .bind(by.request.as_deref())
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, entries.len(), done.rows_affected())?;
        self.head = head;
        Ok(head.entries)
    }

    /// Adds an entry that has a reason, and beside it what was typed; gives the entry's number.
    pub(super) async fn append_with_text(
        &mut self,
        by: &By,
        reason: &Reason,
        kind: impl FnOnce(Because) -> Kind,
    ) -> Result<u64, StoreError> {
        let mut texts = Texts::default();
        let because = texts.reason(reason)?;
        self.append_with_texts(by, texts, &kind(because)).await
    }

    /// Adds an entry that stands for these texts, and the texts beside it; gives the entry's number.
    pub(super) async fn append_with_texts(&mut self, by: &By, texts: Texts, kind: &Kind) -> Result<u64, StoreError> {
        let seq = self.append(by, kind).await?;
        for Text { field, salt, text } in texts.0 {
            sqlx::query("INSERT INTO audit_text (seq, field, salt, text) VALUES (?1, ?2, ?3, ?4)")
                .bind(seq.cast_signed())
                .bind(field)
                .bind(salt.as_slice())
                .bind(text)
                .execute(&mut *self.transaction)
                .await
                .map_err(failed("write what was typed beside the audit trail"))?;
        }
        Ok(seq)
    }

    /// Signs the trail up to and with an entry that says so; gives the signed note.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn add_checkpoint(&mut self, by: &By, key: &CheckpointKey) -> Result<String, StoreError> {
        let installation = self.installation().await?;
        self.append(by, &Kind::Checkpoint { key: hex(&key.verifier(&installation).id()) }).await?;
        self.keep_checkpoint(key.sign(&Checkpoint::over(installation, self.head))).await
    }

    /// Lets another key sign the trail from here on. Both sign the entry that says so; gives the signed note.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn hand_over_checkpoints(
        &mut self,
        by: &By,
        from: &CheckpointKey,
        to: &CheckpointKey,
    ) -> Result<String, StoreError> {
        let installation = self.installation().await?;
        let [before, after] = [from, to].map(|key| key.verifier(&installation).to_string());
        self.append(by, &Kind::CheckpointKeyChanged { from: before, to: after }).await?;
        self.keep_checkpoint(from.hand_over(Checkpoint::over(installation, self.head), to)).await
    }

    async fn installation(&mut self) -> Result<String, StoreError> {
        sqlx::query_scalar("SELECT installation FROM meta")
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed("read which installation the state is of"))
    }

    async fn keep_checkpoint(&mut self, note: String) -> Result<String, StoreError> {
        sqlx::query("INSERT INTO checkpoint (entries, hash, at, note) VALUES (?1, ?2, ?3, ?4)")
            .bind(self.head.entries.cast_signed())
            .bind(self.head.hash.as_slice())
            .bind(rows::instant(self.now))
            .bind(&note)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write a checkpoint"))?;
        Ok(note)
    }
}
