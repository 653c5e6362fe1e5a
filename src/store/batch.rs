//! Batches: what is about to be erased, and what has been.

use std::collections::{BTreeMap, HashMap};

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::error::{expect_rows, failed};
use super::moves::{Standing, standing_columns};
use super::{Change, Proposal, RunId, Store, StoreError, rows};
use crate::audit::{Batched, By, Kind, Planned, Settlement};
use crate::proposal::{BatchId, DependentCounts, Move, Outcome, ProposalId};
use crate::record::{CategoryName, Fingerprint, SourceName, hex};

/// A record that a batch is to erase, with all that its outcome will need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedErasure {
    /// The proposal.
    pub proposal: ProposalId,
    /// What is to happen to the record.
    pub outcome: Outcome,
    /// What is to happen to its dependents.
    pub dependents: DependentCounts,
    /// The person it is about, as a digest.
    pub before: Fingerprint,
    /// The digest of what an anonymised record holds instead.
    pub after: Option<Fingerprint>,
}

/// What turned out otherwise than it was planned, for one record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedRecord {
    /// The proposal.
    pub proposal: ProposalId,
    /// What happened to its dependents.
    pub dependents: DependentCounts,
    /// The digest of what an anonymised record holds now.
    pub after: Option<Fingerprint>,
}

/// A batch with an intent and no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBatch {
    /// Its id.
    pub id: BatchId,
    /// The source.
    pub source: SourceName,
    /// The run that began it.
    pub run: RunId,
}

/// A record of a batch, as it was planned.
struct BatchRecord {
    standing: Standing,
    outcome: Outcome,
    dependents: DependentCounts,
}

/// Confirmed proposals of a category in the order in which they were proposed.
pub(super) const CONFIRMED: &str = concat!(
    "SELECT ",
    rows::proposal_columns!(),
    " FROM proposal p JOIN fingerprint_form f ON f.id = p.form \
     WHERE p.state = 'confirmed' AND p.category = ?1 AND p.id > ?2 ORDER BY p.id LIMIT ?3"
);

impl Store {
    /// Confirmed proposals of a category in the order in which they were proposed, which is the order of the source's keys
    /// within each run of prepare; at most `limit` after `after`.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn confirmed(
        &self,
        category: &CategoryName,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        sqlx::query(CONFIRMED)
            .bind(category.as_str())
            .bind(after.map_or(0, |id| id.0))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read what is confirmed"))?
            .iter()
            .map(rows::proposal)
            .collect()
    }

    /// Batches that have an intent and no outcome.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn open_batches(&self) -> Result<Vec<OpenBatch>, StoreError> {
        sqlx::query("SELECT id, source, run FROM batch WHERE state = 'open' ORDER BY source")
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read which batches are open"))?
            .iter()
            .map(|row| {
                Ok(OpenBatch {
                    id: BatchId(rows::bytes(row, "id")?),
                    source: rows::parsed(row, "source")?,
                    run: RunId(rows::get(row, "run")?),
                })
            })
            .collect()
    }
}

impl Change<'_> {
    /// Writes down what the batch is to erase. Reads once more where the proposals stand and leaves out those that are no
    /// longer confirmed; gives those that were taken. Where none was, there is no batch.
    ///
    /// # Errors
    /// When the source is closed, its last batch is not settled, or it could not be written.
    pub async fn intent(
        &mut self,
        run: RunId,
        batch: BatchId,
        source: &SourceName,
        records: &[PlannedErasure],
    ) -> Result<Vec<ProposalId>, StoreError> {
        self.check_source(source).await?;
        let ids: Vec<_> = records.iter().map(|record| record.proposal).collect();
        let today = self.any_day();
        let claim = Move::Claim(batch);
        let claimed: Vec<Standing> =
            self.standing(&ids).await?.into_iter().filter_map(|one| one.after(&claim, today).ok()).collect();
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query("INSERT INTO batch (id, source, run, state, opened_at) VALUES (?1, ?2, ?3, 'open', ?4)")
            .bind(batch.0.as_slice())
            .bind(source.as_str())
            .bind(run.0)
            .bind(rows::instant(self.now))
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write the intent of a batch"))?;
        self.write_standing(&claimed.iter().collect::<Vec<_>>(), None).await?;
        let planned: HashMap<_, _> = records.iter().map(|record| (record.proposal, record)).collect();
        let taken: Vec<_> =
            claimed.iter().filter_map(|standing| Some((standing, *planned.get(&standing.id)?))).collect();
        self.insert_batch_records(batch, &taken).await?;
        let records = planned_groups(&taken);
        let kind = Kind::BatchIntent(Batched { batch: batch.to_string(), source: source.to_string(), records });
        self.append(&By::run(run.0), &kind).await?;
        Ok(claimed.iter().map(|standing| standing.id).collect())
    }

    async fn check_source(&mut self, source: &SourceName) -> Result<(), StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT closed_reason FROM source_state WHERE source = ?1) AS closed, \
             (SELECT id FROM batch WHERE source = ?1 AND state = 'open') AS open",
        )
        .bind(source.as_str())
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed("read whether the source is open"))?;
        if let Some(reason) = rows::get::<Option<String>>(&row, "closed")? {
            return Err(StoreError::SourceClosed { source_name: source.clone(), reason });
        }
        match rows::optional_bytes(&row, "open")? {
            Some(open) => Err(StoreError::BatchOpen { source_name: source.clone(), open: BatchId(open) }),
            None => Ok(()),
        }
    }

    async fn insert_batch_records(
        &mut self,
        batch: BatchId,
        taken: &[(&Standing, &PlannedErasure)],
    ) -> Result<(), StoreError> {
        const DOING: &str = "write the records of a batch";
        let mut forms = Vec::new();
        let mut values = Vec::new();
        for (standing, planned) in taken {
            let before_form = self.form_among(&mut forms, &planned.before).await?;
            let after_form = match &planned.after {
                Some(after) => Some(self.form_among(&mut forms, after).await?),
                None => None,
            };
            let after = planned.after.as_ref().map(|after| hex(&after.digest));
            let (outcome, before) = (planned.outcome.as_str(), hex(&planned.before.digest));
            values.push((standing.id.0, outcome, planned.dependents, before, before_form, after, after_form));
        }
        let done = sqlx::query(
            "INSERT INTO batch_record (batch, proposal, outcome, dependents, before, before_form, after, after_form) \
             SELECT ?1, value->>0, value->>1, value->>2, unhex(value->>3), value->>4, unhex(value->>5), value->>6 \
             FROM json_each(?2)",
        )
        .bind(batch.0.as_slice())
        .bind(rows::json(&values)?)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, taken.len(), done.rows_affected())
    }

    /// The batch has been committed by this very process: its records are erased as planned, except for what is told here.
    ///
    /// # Errors
    /// When the batch is not open, or it could not be written.
    pub async fn outcome(&mut self, batch: BatchId, otherwise: &[ErasedRecord]) -> Result<(), StoreError> {
        if !otherwise.is_empty() {
            self.correct(batch, otherwise).await?;
        }
        self.end_committed(batch, None).await
    }

    /// The batch is found committed in the source: its records are erased as planned.
    ///
    /// # Errors
    /// When the batch is not open, or it could not be written.
    pub async fn settle_committed(&mut self, batch: BatchId) -> Result<(), StoreError> {
        self.end_committed(batch, Some(Settlement::Committed)).await
    }

    /// The batch is found not committed in the source: its records are confirmed as before.
    ///
    /// # Errors
    /// When the batch is not open, or it could not be written.
    pub async fn settle_rolled_back(&mut self, batch: BatchId) -> Result<(), StoreError> {
        let open = self.end_batch(batch, "rolled_back").await?;
        let records = self.batch_records(batch).await?;
        self.move_batch(batch, &records, |_| Move::RollBack(batch)).await?;
        self.tell_settled(&open, Settlement::RolledBack).await
    }

    async fn end_committed(&mut self, batch: BatchId, found: Option<Settlement>) -> Result<(), StoreError> {
        let open = self.end_batch(batch, "committed").await?;
        let records = self.batch_records(batch).await?;
        self.move_batch(batch, &records, |record| Move::Erase { batch, outcome: record.outcome }).await?;
        self.write_ledger(batch, records.len()).await?;
        sqlx::query(
            "INSERT INTO source_state (source, last_batch) VALUES (?1, ?2) \
             ON CONFLICT (source) DO UPDATE SET last_batch = excluded.last_batch",
        )
        .bind(open.source.as_str())
        .bind(batch.0.as_slice())
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write which batch was the last of the source"))?;
        if let Some(settled) = found {
            self.tell_settled(&open, settled).await?;
        }
        let kinds: Vec<_> = records.iter().map(|record| record.erased(batch)).collect();
        self.append_all(&By::run(open.run.0), &kinds).await?;
        Ok(())
    }

    async fn tell_settled(&mut self, open: &OpenBatch, settled: Settlement) -> Result<(), StoreError> {
        let kind = Kind::BatchSettled { batch: open.id.to_string(), source: open.source.to_string(), settled };
        self.append(&By::run(open.run.0), &kind).await?;
        Ok(())
    }

    /// Closes the batch; nothing is done to its records.
    async fn end_batch(&mut self, batch: BatchId, state: &'static str) -> Result<OpenBatch, StoreError> {
        let row = sqlx::query(
            "UPDATE batch SET state = ?2, closed_at = ?3 WHERE id = ?1 AND state = 'open' RETURNING source, run",
        )
        .bind(batch.0.as_slice())
        .bind(state)
        .bind(rows::instant(self.now))
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(failed("end a batch"))?
        .ok_or(StoreError::BatchNotOpen(batch))?;
        Ok(OpenBatch { id: batch, source: rows::parsed(&row, "source")?, run: RunId(rows::get(&row, "run")?) })
    }

    async fn batch_records(&mut self, batch: BatchId) -> Result<Vec<BatchRecord>, StoreError> {
        sqlx::query(concat!(
            "SELECT ",
            standing_columns!(),
            ", b.outcome AS planned, b.dependents FROM batch_record b JOIN proposal p ON p.id = b.proposal \
             WHERE b.batch = ?1 ORDER BY p.id"
        ))
        .bind(batch.0.as_slice())
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("read the records of a batch"))?
        .iter()
        .map(BatchRecord::read)
        .collect()
    }

    /// Moves every record of the batch, or none: that one cannot be moved contradicts its intent.
    async fn move_batch(
        &mut self,
        batch: BatchId,
        records: &[BatchRecord],
        step: impl Fn(&BatchRecord) -> Move,
    ) -> Result<(), StoreError> {
        let today = self.any_day();
        let moved: Vec<_> = records
            .iter()
            .map(|record| {
                record
                    .standing
                    .clone()
                    .after(&step(record), today)
                    .map_err(|source| StoreError::Contradiction { record: record.standing.record.clone(), source })
            })
            .collect::<Result<_, _>>()?;
        self.write_standing(&moved.iter().collect::<Vec<_>>(), Some(batch)).await
    }

    async fn correct(&mut self, batch: BatchId, records: &[ErasedRecord]) -> Result<(), StoreError> {
        const DOING: &str = "write what came of a batch";
        let mut forms = Vec::new();
        let mut values = Vec::new();
        for record in records {
            let form = match &record.after {
                Some(after) => Some(self.form_among(&mut forms, after).await?),
                None => None,
            };
            let after = record.after.as_ref().map(|after| hex(&after.digest));
            values.push((record.proposal.0, record.dependents, after, form));
        }
        let done = sqlx::query(
            "UPDATE batch_record SET dependents = j.value->>1, after = coalesce(unhex(j.value->>2), after), \
             after_form = coalesce(j.value->>3, after_form) FROM json_each(?2) j \
             WHERE batch_record.batch = ?1 AND batch_record.proposal = j.value->>0",
        )
        .bind(batch.0.as_slice())
        .bind(rows::json(&values)?)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, records.len(), done.rows_affected())
    }

    async fn write_ledger(&mut self, batch: BatchId, records: usize) -> Result<(), StoreError> {
        const DOING: &str = "write to the ledger";
        let done = sqlx::query(
            "INSERT INTO ledger (category, key, batch, outcome, before, before_form, after, after_form, erased_at) \
             SELECT p.category, p.key, b.batch, b.outcome, b.before, b.before_form, b.after, b.after_form, ?2 \
             FROM batch_record b JOIN proposal p ON p.id = b.proposal WHERE b.batch = ?1 ORDER BY p.id",
        )
        .bind(batch.0.as_slice())
        .bind(rows::instant(self.now))
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, records, done.rows_affected())
    }
}

impl BatchRecord {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let dependents: &str = row.try_get("dependents").map_err(failed("read the records of a batch"))?;
        Ok(Self {
            standing: Standing::read(row)?,
            outcome: rows::parsed(row, "planned")?,
            dependents: serde_json::from_str(dependents)
                .map_err(|error| StoreError::Unreadable { what: format!("the dependents of a batch: {error}") })?,
        })
    }

    fn erased(&self, batch: BatchId) -> Kind {
        Kind::Erased {
            record: self.standing.record.to_string(),
            batch: batch.to_string(),
            outcome: self.outcome.as_str().to_owned(),
            dependents: self.dependents.named().map(|(name, count)| (name.to_owned(), count)).collect(),
        }
    }
}

fn planned_groups(taken: &[(&Standing, &PlannedErasure)]) -> Vec<Planned> {
    let mut groups: BTreeMap<(&str, Outcome), Vec<String>> = BTreeMap::new();
    for (standing, planned) in taken {
        let group = groups.entry((standing.record.category.as_str(), planned.outcome)).or_default();
        group.push(standing.record.key.as_str().to_owned());
    }
    groups
        .into_iter()
        .map(|((category, outcome), keys)| Planned {
            category: category.to_owned(),
            outcome: outcome.as_str().to_owned(),
            keys,
        })
        .collect()
}
