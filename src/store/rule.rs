//! Rules that were changed while the daemon ran: what holds over the files, and what waits for a second person.
//!
//! Kept by name and as text: what a name leads to and what a value means is for `config` to say. A name has at most one
//! change that holds and one that waits. There are as many rows as rules that somebody has changed: dozens.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::error::{expect_rows, failed};
use super::{Change, Store, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{By, Kind, RuleChanged, actor_to_json};

/// A rule as it was set while the daemon ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRule {
    /// The rule's name.
    pub name: String,
    /// Whether it waits for a second person; otherwise it holds.
    pub waits: bool,
    /// Its value; `None`: the file's is to hold again, which only waits.
    pub value: Option<String>,
    /// What the file said then.
    pub file: String,
    /// The number of the entry that tells of it, which names the change.
    pub seq: u64,
    /// When it was set.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// Who has approved it, and when.
    pub approved: Option<(Actor, Timestamp)>,
}

/// A rule that is being changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// The value that holds now.
    pub old: &'a str,
    /// The value that is to hold; `None`: the file's.
    pub new: Option<&'a str>,
    /// What the file says.
    pub file: &'a str,
}

const COLUMNS: &str = "SELECT name, waits, value, file, seq, at, actor, approved_at, approved_by FROM rule_change \
     ORDER BY name, waits";

fn stored(row: &SqliteRow) -> Result<StoredRule, StoreError> {
    let by = rows::actor(row, "actor")?;
    let approved_at: Option<Timestamp> = rows::optional(row, "approved_at")?;
    Ok(StoredRule {
        name: rows::get(row, "name")?,
        waits: rows::get(row, "waits")?,
        value: rows::get(row, "value")?,
        file: rows::get(row, "file")?,
        seq: rows::count(row, "seq")?,
        at: rows::parsed(row, "at")?,
        by: by.ok_or_else(|| StoreError::Unreadable { what: "a rule that nobody has set".into() })?,
        approved: rows::actor(row, "approved_by")?.zip(approved_at),
    })
}

impl Store {
    /// Every rule that was changed, by name; what holds before what waits.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn rules(&self) -> Result<Vec<StoredRule>, StoreError> {
        let found = sqlx::query(COLUMNS).fetch_all(&self.readers).await.map_err(failed("read the changed rules"))?;
        found.iter().map(stored).collect()
    }
}

impl Change<'_> {
    /// The same as [`Store::rules`], within the change.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn rules(&mut self) -> Result<Vec<StoredRule>, StoreError> {
        let found = sqlx::query(COLUMNS).fetch_all(&mut *self.transaction).await;
        found.map_err(failed("read the changed rules"))?.iter().map(stored).collect()
    }

    /// The rule has this value from now on. What waited under its name is dropped, and that is told.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn set_rule(&mut self, by: &By, rule: &NewRule<'_>) -> Result<(), StoreError> {
        self.drop_waiting(by, rule.name).await?;
        let seq = self.append(by, &Kind::RuleChanged(told(rule, None))).await?;
        match rule.new {
            Some(_) => self.keep_rule(by, rule, seq, false).await,
            None => self.forget_rule(rule.name, false).await.map(drop),
        }
    }

    /// The rule is to have this value when a second person approves it. What waited under its name is dropped, and that is
    /// told.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn ask_for_rule(&mut self, by: &By, rule: &NewRule<'_>) -> Result<(), StoreError> {
        self.drop_waiting(by, rule.name).await?;
        let seq = self.append(by, &Kind::RuleChangeAsked(told(rule, None))).await?;
        self.keep_rule(by, rule, seq, true).await
    }

    /// A second person approves a change that waits, or one that holds no longer for want of approval; `rule` is that
    /// change as it holds from now on.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn approve_rule(&mut self, by: &By, change: &StoredRule, rule: &NewRule<'_>) -> Result<(), StoreError> {
        const DOING: &str = "approve a change of a rule";
        self.append(by, &Kind::RuleChangeApproved(told(rule, Some(change.seq)))).await?;
        if change.waits {
            self.forget_rule(&change.name, false).await?;
        }
        if change.value.is_none() {
            return self.forget_rule(&change.name, true).await.map(drop);
        }
        let done = sqlx::query(
            "UPDATE rule_change SET waits = 0, file = ?3, approved_at = ?4, approved_by = ?5 WHERE name = ?1 AND waits = ?2",
        )
        .bind(&change.name)
        .bind(change.waits)
        .bind(rule.file)
        .bind(rows::instant(self.now))
        .bind(actor_to_json(&by.actor).to_string())
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, 1, done.rows_affected())
    }

    /// What waits under this name is dropped. Gives whether anything did.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn reject_rule(&mut self, by: &By, name: &str) -> Result<bool, StoreError> {
        self.drop_waiting(by, name).await
    }

    async fn drop_waiting(&mut self, by: &By, name: &str) -> Result<bool, StoreError> {
        let Some(waiting) = self.rules().await?.into_iter().find(|rule| rule.waits && rule.name == name) else {
            return Ok(false);
        };
        let StoredRule { name, value: new, seq: asked, .. } = waiting;
        self.forget_rule(&name, true).await?;
        self.append(by, &Kind::RuleChangeRejected { rule: name, new, asked }).await?;
        Ok(true)
    }

    async fn forget_rule(&mut self, name: &str, waits: bool) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM rule_change WHERE name = ?1 AND waits = ?2")
            .bind(name)
            .bind(waits)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("forget a changed rule"))?;
        Ok(done.rows_affected())
    }

    async fn keep_rule(&mut self, by: &By, rule: &NewRule<'_>, seq: u64, waits: bool) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR REPLACE INTO rule_change (name, waits, value, file, seq, at, actor) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(rule.name)
        .bind(waits)
        .bind(rule.new)
        .bind(rule.file)
        .bind(seq.cast_signed())
        .bind(rows::instant(self.now))
        .bind(actor_to_json(&by.actor).to_string())
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("keep a changed rule"))?;
        Ok(())
    }
}

fn told(rule: &NewRule<'_>, asked: Option<u64>) -> RuleChanged {
    RuleChanged {
        rule: rule.name.to_owned(),
        old: rule.old.to_owned(),
        new: rule.new.unwrap_or(rule.file).to_owned(),
        from_file: rule.new.is_none(),
        asked,
    }
}
