//! Batches: what is about to be erased, and what has been.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::error::{expect_rows, failed};
use super::intent::{self, BatchRecord, StoredFingerprint, erased_groups, planned_groups};
use super::report::{self, ReasonCounts, Reasons, reason_name};
use super::{Change, RunId, Store, StoreError, rows};
use crate::audit::{Batched, By, Kind, Settlement};
use crate::proposal::{BatchId, DependentCounts, Life, Move, Origin, Outcome, ProposalId, State, StateName};
use crate::record::{CategoryName, Fingerprint, RecordKey, RecordRef, SourceName, hex};

/// A record that a batch is to erase, with all that its outcome will need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedErasure {
    /// The proposal.
    pub proposal: ProposalId,
    /// The record that it is about.
    pub record: RecordRef,
    /// What is to happen to the record.
    pub outcome: Outcome,
    /// What is to happen to its dependents.
    pub dependents: DependentCounts,
    /// The person it is about, as a digest.
    pub before: Fingerprint,
    /// The digest of what an anonymised record holds instead.
    pub after: Option<Fingerprint>,
}

/// What an intent was written for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intended {
    /// Those that the batch erases.
    pub taken: Vec<ProposalId>,
    /// Those that it leaves out because they are held, or about to be.
    pub held: Vec<ProposalId>,
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

/// What a batch has come to that was found committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The run that began it.
    pub run: RunId,
    /// What was erased, by category; no other counts are set.
    pub categories: BTreeMap<CategoryName, report::Counts>,
    /// The same by the reason for which it was due.
    pub reasons: Reasons,
}

/// A batch that has been ended, with its records.
struct Ended {
    batch: OpenBatch,
    records: Vec<BatchRecord>,
}

impl Store {
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
    /// Writes down what the batch is to erase. Reads once more what is held and where the proposals stand, and leaves out
    /// those that are held or no longer confirmed; gives those that were taken. Where none was, there is no batch.
    ///
    /// # Errors
    /// When the source is closed, its last batch is not settled, or it could not be written.
    pub async fn intent(
        &mut self,
        run: RunId,
        batch: BatchId,
        source: &SourceName,
        records: &[PlannedErasure],
    ) -> Result<Intended, StoreError> {
        self.check_source(source).await?;
        let asked: Vec<&RecordRef> = records.iter().map(|record| &record.record).collect();
        let found = self.held_among(&asked).await?;
        let is_held = |record: &&PlannedErasure| found.contains(&record.record);
        let held = records.iter().filter(is_held).map(|record| record.proposal).collect();
        let ids: Vec<ProposalId> = records.iter().map(|record| record.proposal).collect();
        let confirmed = self.confirmed_among(&ids).await?;
        let taken: Vec<&PlannedErasure> =
            records.iter().filter(|record| confirmed.contains(&record.proposal) && !is_held(record)).collect();
        if taken.is_empty() {
            return Ok(Intended { taken: Vec::new(), held });
        }
        let mut planned = Vec::with_capacity(taken.len());
        let mut forms = Vec::new();
        for record in &taken {
            planned.push(self.batch_record(&mut forms, record).await?);
        }
        sqlx::query("INSERT INTO batch (id, source, run, state, opened_at, plan) VALUES (?1, ?2, ?3, 'open', ?4, ?5)")
            .bind(batch.0.as_slice())
            .bind(source.as_str())
            .bind(run.0)
            .bind(rows::instant(self.now))
            .bind(rows::json(&planned)?)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("write the intent of a batch"))?;
        let ids: Vec<ProposalId> = taken.iter().map(|record| record.proposal).collect();
        self.move_alike(&ids, &State::Confirmed, &Move::Claim(batch), None).await?;
        let records = planned_groups(&planned);
        let kind = Kind::BatchIntent(Batched { batch: batch.to_string(), source: source.to_string(), records });
        self.append(&By::run(run.0), &kind).await?;
        Ok(Intended { taken: ids, held })
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

    async fn confirmed_among(&mut self, ids: &[ProposalId]) -> Result<HashSet<ProposalId>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let found: Vec<i64> = sqlx::query_scalar(
            "SELECT p.id FROM json_each(?1) j CROSS JOIN proposal p ON p.id = j.value WHERE p.state = 'confirmed'",
        )
        .bind(rows::json(&ids)?)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("read what is confirmed"))?;
        Ok(found.into_iter().map(ProposalId).collect())
    }

    async fn batch_record(
        &mut self,
        forms: &mut Vec<(Fingerprint, i64)>,
        planned: &PlannedErasure,
    ) -> Result<BatchRecord, StoreError> {
        let before = StoredFingerprint(hex(&planned.before.digest), self.form_among(forms, &planned.before).await?);
        let after = match &planned.after {
            Some(after) => Some(StoredFingerprint(hex(&after.digest), self.form_among(forms, after).await?)),
            None => None,
        };
        let key = self.veil.forms(&planned.record.category, &planned.record.key)?;
        Ok(BatchRecord {
            proposal: planned.proposal.0,
            category: planned.record.category.as_str().to_owned(),
            key: key.open.into_owned(),
            name: key.name,
            outcome: planned.outcome.as_str().to_owned(),
            dependents: planned.dependents,
            before,
            after,
        })
    }

    /// The batch has been committed by this very process: its records are erased as planned.
    ///
    /// # Errors
    /// When the batch is not open, or it could not be written.
    pub async fn outcome(&mut self, batch: BatchId) -> Result<(), StoreError> {
        self.end_committed(batch, None).await.map(drop)
    }

    /// The batch is found committed in the source: its records are erased as planned. Gives what it has come to.
    ///
    /// # Errors
    /// When the batch is not open, or it could not be written.
    pub async fn settle_committed(&mut self, batch: BatchId) -> Result<Settled, StoreError> {
        let ended = self.end_committed(batch, Some(Settlement::Committed)).await?;
        self.counted(&ended).await
    }

    /// The batch is found not committed in the source: its records are confirmed as before.
    ///
    /// # Errors
    /// When the batch is not open, or it could not be written.
    pub async fn settle_rolled_back(&mut self, batch: BatchId) -> Result<(), StoreError> {
        let ended = self.end_batch(batch, "rolled_back").await?;
        let ids: Vec<ProposalId> = ended.records.iter().map(|record| ProposalId(record.proposal)).collect();
        self.move_alike(&ids, &State::Erasing { batch }, &Move::RollBack(batch), None).await?;
        self.tell_settled(&ended.batch, Settlement::RolledBack).await
    }

    async fn end_committed(&mut self, batch: BatchId, found: Option<Settlement>) -> Result<Ended, StoreError> {
        let ended = self.end_batch(batch, "committed").await?;
        for outcome in [Outcome::Deleted, Outcome::Anonymised] {
            let so = ended.records.iter().filter(|record| record.outcome == outcome.as_str());
            let ids: Vec<ProposalId> = so.map(|record| ProposalId(record.proposal)).collect();
            self.move_alike(&ids, &State::Erasing { batch }, &Move::Erase { batch, outcome }, Some(batch)).await?;
        }
        self.write_ledger(batch, &ended.records).await?;
        let erased: Vec<i64> = ended.records.iter().map(|record| record.proposal).collect();
        self.owe_removal(&ended.batch, &erased).await?;
        sqlx::query(
            "INSERT INTO source_state (source, last_batch) VALUES (?1, ?2) \
             ON CONFLICT (source) DO UPDATE SET last_batch = excluded.last_batch",
        )
        .bind(ended.batch.source.as_str())
        .bind(batch.0.as_slice())
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write which batch was the last of the source"))?;
        if let Some(settled) = found {
            self.tell_settled(&ended.batch, settled).await?;
        }
        let erased = Kind::Erased { batch: batch.to_string(), records: erased_groups(&ended.records) };
        self.append(&By::run(ended.batch.run.0), &erased).await?;
        Ok(ended)
    }

    /// Counts the records of a batch as the report of its run does.
    async fn counted(&mut self, ended: &Ended) -> Result<Settled, StoreError> {
        let ids: Vec<i64> = ended.records.iter().map(|record| record.proposal).collect();
        let found = sqlx::query(
            "SELECT p.id, p.origin, p.criterion FROM json_each(?1) j CROSS JOIN proposal p ON p.id = j.value",
        )
        .bind(rows::json(&ids)?)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("read why the records of a batch were due"))?;
        let mut due: HashMap<i64, (&str, Option<&str>)> = HashMap::new();
        for row in &found {
            due.insert(rows::get(row, "id")?, (rows::get(row, "origin")?, rows::get(row, "criterion")?));
        }
        let mut settled = Settled { run: ended.batch.run, categories: BTreeMap::new(), reasons: Reasons::new() };
        for record in &ended.records {
            let unreadable = || StoreError::Unreadable { what: format!("the category {} of a batch", record.category) };
            let category = record.category.parse().map_err(|_| unreadable())?;
            let counts = settled.categories.entry(category).or_default();
            let mut by_reason = ReasonCounts::default();
            if record.outcome == Outcome::Deleted.as_str() {
                (counts.deleted, by_reason.deleted) = (counts.deleted + 1, 1);
            } else {
                (counts.anonymised, by_reason.anonymised) = (counts.anonymised + 1, 1);
            }
            counts.dependents += record.dependents;
            if let Some((origin, criterion)) = due.get(&record.proposal) {
                counts.shells += u64::from(*origin == Origin::Shell.code());
                let of_category = settled.reasons.entry(record.category.clone()).or_default();
                *of_category.entry(reason_name(origin, *criterion)).or_default() += by_reason;
            }
        }
        Ok(settled)
    }

    async fn tell_settled(&mut self, open: &OpenBatch, settled: Settlement) -> Result<(), StoreError> {
        let kind = Kind::BatchSettled { batch: open.id.to_string(), source: open.source.to_string(), settled };
        self.append(&By::run(open.run.0), &kind).await?;
        Ok(())
    }

    /// Closes the batch and gives its records; nothing is done to them.
    async fn end_batch(&mut self, id: BatchId, state: &'static str) -> Result<Ended, StoreError> {
        const DOING: &str = "end a batch";
        let row = sqlx::query("SELECT source, run, plan FROM batch WHERE id = ?1 AND state = 'open'")
            .bind(id.0.as_slice())
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?
            .ok_or(StoreError::BatchNotOpen(id))?;
        let plan: String = rows::get(&row, "plan")?;
        let records = intent::read(&plan)?;
        let batch = OpenBatch { id, source: rows::parsed(&row, "source")?, run: RunId(rows::get(&row, "run")?) };
        sqlx::query("UPDATE batch SET state = ?2, closed_at = ?3, plan = NULL WHERE id = ?1")
            .bind(id.0.as_slice())
            .bind(state)
            .bind(rows::instant(self.now))
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(DOING))?;
        Ok(Ended { batch, records })
    }

    /// Moves proposals that all stand alike, or none: that one stands otherwise contradicts what is known of the batch.
    /// `batch` is the batch of those that are erased.
    async fn move_alike(
        &mut self,
        ids: &[ProposalId],
        from: &State,
        step: &Move,
        batch: Option<BatchId>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write where the records of a batch stand";
        let what = || StoreError::Unreadable { what: format!("a move of {} by {step:?}", from.name().as_str()) };
        let life = Life::from_stored(from.clone(), 0).ok_or_else(what)?;
        let moved = life.after(step, self.any_day()).map_err(|_| what())?;
        let to = rows::state_columns(moved.state(), batch);
        let from_columns = rows::state_columns(from, None);
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        self.note_moved(&ids, from.name(), moved.state().name()).await?;
        let done = sqlx::query(
            "UPDATE proposal SET version = version + 1, changed_at = ?2, state = ?3, batch = unhex(?4), outcome = ?5 \
             WHERE id IN (SELECT value FROM json_each(?1)) AND state = ?6 AND batch IS unhex(?7)",
        )
        .bind(rows::json(&ids)?)
        .bind(rows::instant(self.now))
        .bind(to.state)
        .bind(to.batch)
        .bind(to.outcome)
        .bind(from_columns.state)
        .bind(from_columns.batch)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, ids.len(), done.rows_affected())
    }

    /// Notes that these proposals go from one state to another.
    async fn note_moved(&mut self, ids: &[i64], from: StateName, to: StateName) -> Result<(), StoreError> {
        let found = sqlx::query(
            "SELECT p.category, coalesce(p.criterion, '') AS criterion, p.unit, count(*) AS count \
             FROM json_each(?1) j CROSS JOIN proposal p ON p.id = j.value GROUP BY 1, 2, 3",
        )
        .bind(rows::json(&ids)?)
        .fetch_all(&mut *self.transaction)
        .await
        .map_err(failed("count the records of a batch"))?;
        for row in &found {
            let category = rows::parsed(row, "category")?;
            let (criterion, count): (&str, i64) = (rows::get(row, "criterion")?, rows::get(row, "count")?);
            let unit: Option<&str> = rows::get(row, "unit")?;
            self.totals.add(&category, criterion, unit, from, -count);
            self.totals.add(&category, criterion, unit, to, count);
        }
        Ok(())
    }

    async fn write_ledger(&mut self, batch: BatchId, records: &[BatchRecord]) -> Result<(), StoreError> {
        const DOING: &str = "write to the ledger";
        let at = rows::instant(self.now);
        self.forget_shells(records).await?;
        const ENTRIES: rows::Insert = rows::Insert {
            into: "ledger (batch, erased_at, category, key, sealed, outcome, before, before_form, after, after_form)",
            common: "?, ?",
            own: "?, ?, ?, ?, unhex(?), ?, unhex(?), ?",
            tail: "",
        };
        let inserted = ENTRIES
            .run(
                &mut self.transaction,
                records,
                |query| query.bind(batch.0.to_vec()).bind(at.clone()),
                |query, record| {
                    let StoredFingerprint(before, before_form) = &record.before;
                    let (after, after_form) =
                        record.after.as_ref().map(|StoredFingerprint(digest, form)| (digest.clone(), *form)).unzip();
                    let query = query.bind(record.category.clone()).bind(record.told().to_owned());
                    let query = query.bind(record.sealed()).bind(record.outcome.clone());
                    query.bind(before.clone()).bind(*before_form).bind(after).bind(after_form)
                },
            )
            .await
            .map_err(failed(DOING))?;
        expect_rows(DOING, records.len(), inserted)
    }
}

impl Change<'_> {
    /// Rows that were anonymised before, and go now or are anonymised anew: nobody looks them up by the older entry again.
    async fn forget_shells(&mut self, records: &[BatchRecord]) -> Result<(), StoreError> {
        let named = records.iter().filter_map(|record| Some((record.category.as_str(), record.name.as_deref()?)));
        self.forget_sealed(&named.collect::<Vec<_>>()).await
    }

    /// The anonymised rows of these records are gone: where their keys are personal, nobody needs them any more. No entry
    /// in the trail: nothing has happened to any record.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn forget_keys(&mut self, category: &CategoryName, keys: &[RecordKey]) -> Result<(), StoreError> {
        let forms: Vec<_> = keys.iter().map(|key| self.veil.forms(category, key)).collect::<Result<_, _>>()?;
        let named = forms.iter().filter_map(|forms| Some((category.as_str(), forms.name.as_deref()?)));
        self.forget_sealed(&named.collect::<Vec<_>>()).await
    }

    async fn forget_sealed(&mut self, named: &[(&str, &str)]) -> Result<(), StoreError> {
        if named.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE ledger SET sealed = NULL FROM json_each(?1) j \
             WHERE ledger.category = j.value->>0 AND ledger.key = j.value->>1 AND ledger.sealed IS NOT NULL",
        )
        .bind(rows::json(&named)?)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("forget keys of rows that are gone"))?;
        Ok(())
    }
}
