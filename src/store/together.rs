//! What was confirmed together: erased in one source transaction, all of it or none.
//!
//! The proposals of a group carry the lowest of their ids in the column `together`. May be relied on: a group lies in one
//! source; when one of its proposals goes anywhere but into a batch, the group is taken apart in the same change, and the
//! others that were confirmed go back to the clerks: nobody has agreed to erase them without it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::moves::{Note, Standing, grouped, reasoned, standing_columns};
use super::{Change, Proposal, Store, StoreError, rows};
use crate::audit::{By, Kind};
use crate::proposal::{Move, Parted, ProposalId, ReturnReason};
use crate::record::{RecordRef, SourceName};

/// Groups of a source of which every proposal is confirmed, by their ids.
pub(super) const CONFIRMED_TOGETHER: &str = "SELECT p.together FROM proposal p INDEXED BY proposal_together \
     WHERE p.together > ?2 AND p.together IS NOT NULL AND p.state IN ('proposed', 'confirmed') \
     GROUP BY p.together HAVING min(p.state = 'confirmed' AND p.source = ?1) = 1 ORDER BY p.together LIMIT ?3";

/// The proposals of groups, each group's side by side.
pub(super) const MEMBERS: &str = concat!(
    "SELECT ",
    rows::proposal_columns!(),
    " FROM json_each(?1) j CROSS JOIN proposal p INDEXED BY proposal_together ON p.together = j.value \
     CROSS JOIN fingerprint_form f ON f.id = p.form \
     WHERE p.together IS NOT NULL AND p.state IN ('proposed', 'confirmed') ORDER BY p.together, p.id"
);

/// Those of the groups that are not among the given proposals.
const OTHERS: &str = concat!(
    "SELECT ",
    standing_columns!(),
    " FROM json_each(?1) j CROSS JOIN proposal p INDEXED BY proposal_together ON p.together = j.value \
     WHERE p.together IS NOT NULL AND p.state IN ('proposed', 'confirmed') \
     AND p.id NOT IN (SELECT value FROM json_each(?2)) ORDER BY p.id"
);

impl Store {
    /// Groups of confirmed proposals of a source, at most `limit` behind the group of `after`. A group of which one
    /// proposal still waits for a confirmation is none of them.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn confirmed_together(
        &self,
        source: &SourceName,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<Vec<Proposal>>, StoreError> {
        const DOING: &str = "read what is confirmed together";
        let groups: Vec<i64> = sqlx::query_scalar(CONFIRMED_TOGETHER)
            .bind(source.as_str())
            .bind(after.map_or(0, |id| id.0))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed(DOING))?;
        let mut found: BTreeMap<ProposalId, Vec<Proposal>> = BTreeMap::new();
        let (groups, veil) = (rows::json(&groups)?, self.veil());
        let mut stream = sqlx::query(MEMBERS).bind(groups).fetch(&self.readers);
        while let Some(row) = stream.try_next().await.map_err(failed(DOING))? {
            let proposal = rows::proposal(&row, &veil)?;
            if let Some(group) = proposal.together {
                found.entry(group).or_default().push(proposal);
            }
        }
        Ok(found.into_values().collect())
    }
}

impl Change<'_> {
    /// Ties these records, whose proposals are confirmed, all of them or by the first of two people, to one another: those
    /// of each source that are more than one. False, with nothing written, where one of them is not confirmed so, or is
    /// tied to others that are not among them.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn join(&mut self, by: &By, records: &[RecordRef]) -> Result<bool, StoreError> {
        const DOING: &str = "write what is confirmed together";
        let asked = self.veil.asked(records)?;
        let found = sqlx::query(
            "SELECT p.id, p.category, p.key, p.source, p.together FROM json_each(?1) j CROSS JOIN proposal p \
             ON p.category = j.value->>0 AND p.key = j.value->>1 \
             AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing') WHERE p.state = 'confirmed' \
             OR (p.state = 'proposed' AND p.first_by IS NOT NULL) ORDER BY p.id",
        )
        .bind(asked.json()?)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        if found.len() != records.len() || self.is_tied_elsewhere(&found).await? {
            return Ok(false);
        }
        let mut sources: BTreeMap<String, Vec<(i64, RecordRef)>> = BTreeMap::new();
        for row in &found {
            let (id, record) = (rows::get(row, "id")?, rows::record(row, &self.veil)?);
            sources.entry(rows::get(row, "source")?).or_default().push((id, record));
        }
        for (source, members) in sources.into_iter().filter(|(_, members)| members.len() > 1) {
            let ids: Vec<i64> = members.iter().map(|(id, _)| *id).collect();
            sqlx::query("UPDATE proposal SET together = ?2 WHERE id IN (SELECT value FROM json_each(?1))")
                .bind(rows::json(&ids)?)
                .bind(ids.first())
                .execute(&mut *self.transaction)
                .await
                .map_err(failed(DOING))?;
            let records = grouped(&self.veil, members.iter().map(|(_, record)| record))?;
            self.append(by, &Kind::Joined { source, records }).await?;
        }
        Ok(true)
    }

    /// Whether a group of one of these proposals has others in it.
    async fn is_tied_elsewhere(&mut self, proposals: &[SqliteRow]) -> Result<bool, StoreError> {
        let ids: Vec<i64> = proposals.iter().map(|row| rows::get(row, "id")).collect::<Result<_, _>>()?;
        let groups: BTreeSet<i64> = proposals
            .iter()
            .filter_map(|row| rows::get::<Option<i64>>(row, "together").transpose())
            .collect::<Result<_, _>>()?;
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM json_each(?1) j CROSS JOIN proposal p INDEXED BY proposal_together \
             ON p.together = j.value WHERE p.together IS NOT NULL AND p.state IN ('proposed', 'confirmed') \
             AND p.id NOT IN (SELECT value FROM json_each(?2)))",
        )
        .bind(rows::json(&groups)?)
        .bind(rows::json(&ids)?)
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed("read what is confirmed together"))
    }

    /// Takes the groups of these proposals apart, which have just gone elsewhere than into a batch. The others go back to the
    /// clerks, those too that still wait for the second of two confirmations: the first was given for all of them.
    pub(super) async fn take_apart<'s>(
        &mut self,
        by: &By,
        gone: impl IntoIterator<Item = &'s Standing>,
        why: Parted,
    ) -> Result<(), StoreError> {
        const DOING: &str = "take apart what was confirmed together";
        let gone: Vec<(i64, i64)> =
            gone.into_iter().filter_map(|standing| Some((standing.id.0, standing.together?))).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let groups = rows::json(&gone.iter().map(|(_, group)| group).collect::<BTreeSet<_>>())?;
        let gone: Vec<i64> = gone.into_iter().map(|(id, _)| id).collect();
        let others: Vec<Standing> = sqlx::query(OTHERS)
            .bind(&groups)
            .bind(rows::json(&gone)?)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?
            .iter()
            .map(|row| Standing::read(row, &self.veil))
            .collect::<Result<_, _>>()?;
        let ids: Vec<i64> = others.iter().map(|other| other.id.0).chain(gone).collect();
        sqlx::query(
            "UPDATE proposal SET together = NULL WHERE id IN (SELECT value FROM json_each(?1)) \
             AND together IN (SELECT value FROM json_each(?2))",
        )
        .bind(rows::json(&ids)?)
        .bind(&groups)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        self.send_back_together(by, others, why).await
    }

    async fn send_back_together(&mut self, by: &By, others: Vec<Standing>, why: Parted) -> Result<(), StoreError> {
        let reason = ReturnReason::Together(why);
        let (today, step) = (self.any_day(), Move::SendBack(reason.clone()));
        let back: Vec<Standing> = others.into_iter().filter_map(|other| other.after(&step, today).ok()).collect();
        if back.is_empty() {
            return Ok(());
        }
        self.write_standing(&back.iter().collect::<Vec<_>>(), None).await?;
        let told = back.iter().map(|standing| (&standing.record, reason.code(), reason.detail()));
        let told = reasoned(&self.veil, told)?;
        let seq = self.append(by, &Kind::Returned { records: told }).await?;
        let note = Note { reason: Some(reason.code()), detail: reason.detail(), ..Note::default() };
        self.write_decisions(seq, "returned", back.iter().map(|standing| (standing.id, note.clone()))).await
    }
}
