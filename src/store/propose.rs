//! What prepare and the final job do to proposals: propose, withdraw, propose again, send back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sqlx::{Row as _, SqliteExecutor};

use super::error::{expect_rows, failed};
use super::moves::{Note, Standing, grouped, reasoned};
use super::veil::{Forms, Veil};
use super::{Change, Reasons, RunId, Store, StoreError, reason_name, rows};
use crate::audit::{By, Kind, ProposedGroup};
use crate::proposal::{Move, Origin, Parted, ProposalId, ReturnReason, StateName, WithdrawReason};
use crate::record::{CategoryName, Fingerprint, RecordRef, SourceName, hex};

/// A record to be proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProposal {
    /// The record.
    pub record: RecordRef,
    /// The source it is in.
    pub source: SourceName,
    /// The department or branch it belongs to.
    pub unit: Option<String>,
    /// Why it is proposed.
    pub origin: Origin,
    /// The person it is about, as a digest.
    pub fingerprint: Fingerprint,
    /// Whether a rule says in so many words that nobody is asked.
    pub is_confirmed: bool,
}

/// What came of proposing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposed {
    /// Proposed now.
    pub proposed: u64,
    /// Proposed before, and open still.
    pub already_open: u64,
    /// Those proposed now, by category and by the reason for which they are due.
    pub reasons: Reasons,
}

/// What a record is now that goes back to the clerks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// Why it is due now.
    pub origin: Origin,
    /// The person it is about now.
    pub fingerprint: Fingerprint,
    /// The department or branch it belongs to now.
    pub unit: Option<String>,
}

/// What many records of one page have in common: bound once instead of written for each of them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Common<'a> {
    category: &'a CategoryName,
    source: &'a SourceName,
    origin: &'static str,
    criterion: Option<&'a str>,
    version: Option<&'a str>,
    form: i64,
    is_confirmed: bool,
}

impl Common<'_> {
    fn state(&self) -> StateName {
        if self.is_confirmed { StateName::Confirmed } else { StateName::Proposed }
    }
}

/// What one record has of its own.
struct Own<'a> {
    key: Forms<'a>,
    unit: Option<&'a str>,
    due_on: Option<Date>,
    digest: &'a [u8; 32],
}

impl Change<'_> {
    /// Proposes records; those with an open proposal keep it as it is.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn propose(&mut self, run: RunId, records: &[NewProposal]) -> Result<Proposed, StoreError> {
        let mut groups: BTreeMap<Common<'_>, Vec<Own<'_>>> = BTreeMap::new();
        let mut forms = Vec::new();
        let restored = self.restored_marks(records).await?;
        for new in records {
            let form = self.form_among(&mut forms, &new.fingerprint).await?;
            let common = Common {
                category: &new.record.category,
                source: &new.source,
                origin: new.origin.code(),
                criterion: new.origin.criterion(),
                version: new.origin.version(),
                form,
                is_confirmed: new.is_confirmed && !restored.contains(&new.record),
            };
            groups.entry(common).or_default().push(Own {
                key: self.veil.forms(&new.record.category, &new.record.key)?,
                unit: new.unit.as_deref(),
                due_on: new.origin.due_on(),
                digest: &new.fingerprint.digest,
            });
        }
        let newest = if records.iter().any(|new| new.is_confirmed) { Some(self.newest().await?) } else { None };
        let (mut told, mut reasons) = (Vec::new(), Reasons::new());
        for (common, own) in &groups {
            let keys = self.insert_proposals(run, common, own).await?;
            if !keys.is_empty() {
                self.note_proposed(common, own, &keys);
                let of_category = reasons.entry(common.category.as_str().to_owned()).or_default();
                of_category.entry(reason_name(common.origin, common.criterion)).or_default().proposed +=
                    keys.len() as u64;
                told.push(ProposedGroup {
                    category: common.category.as_str().to_owned(),
                    origin: common.origin.to_owned(),
                    criterion: common.criterion.map(str::to_owned),
                    version: common.version.map(str::to_owned),
                    confirmed: common.is_confirmed,
                    keys,
                });
            }
        }
        let proposed: usize = told.iter().map(|group| group.keys.len()).sum();
        if proposed > 0 {
            let newest = newest.unwrap_or_default();
            let is_any_confirmed = told.iter().any(|group| group.confirmed);
            let seq = self.append(&By::run(run.0), &Kind::Proposed { records: told }).await?;
            if is_any_confirmed {
                self.tell_confirmed(seq, newest).await?;
            }
        }
        Ok(Proposed { proposed: proposed as u64, already_open: (records.len() - proposed) as u64, reasons })
    }

    /// Notes of which units the records are that were inserted.
    fn note_proposed(&mut self, common: &Common<'_>, own: &[Own<'_>], keys: &[String]) {
        let mut units: BTreeMap<Option<&str>, i64> = BTreeMap::new();
        let all = keys.len() == own.len();
        let mut left: BTreeSet<&str> = if all { BTreeSet::new() } else { keys.iter().map(String::as_str).collect() };
        // A record that was named twice was inserted once, the first time.
        for new in own.iter().filter(|new| all || left.remove(new.key.closed())) {
            *units.entry(new.unit).or_default() += 1;
        }
        for (unit, proposals) in units {
            let criterion = common.criterion.unwrap_or_default();
            self.totals.add(common.category, criterion, unit, common.state(), proposals);
        }
    }

    /// See [`restored_marks`].
    async fn restored_marks(&mut self, records: &[NewProposal]) -> Result<BTreeSet<RecordRef>, StoreError> {
        restored_marks(&mut *self.transaction, &self.veil, records).await
    }

    pub(super) async fn newest(&mut self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM proposal")
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed("propose records"))
    }

    /// Writes that a rule has confirmed those behind the proposal `newest` that are.
    pub(super) async fn tell_confirmed(&mut self, seq: u64, newest: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO decision (proposal, seq, decision) \
             SELECT id, ?2, 'confirmed' FROM proposal WHERE id > ?1 AND state = 'confirmed'",
        )
        .bind(newest)
        .bind(seq.cast_signed())
        .execute(&mut *self.transaction)
        .await
        .map_err(failed("write decisions"))?;
        Ok(())
    }

    /// Inserts what is not open yet; gives the keys of what was inserted, as the trail names them.
    async fn insert_proposals(
        &mut self,
        run: RunId,
        common: &Common<'_>,
        own: &[Own<'_>],
    ) -> Result<Vec<String>, StoreError> {
        let newest = self.newest().await?;
        let at = rows::instant(self.now);
        const PROPOSALS: rows::Insert = rows::Insert {
            into: "proposal (category, source, criterion, rule_version, form, run, proposed_at, origin, state, \
                   confirmed_at, version, postponed_count, key, name, unit, due_on, fingerprint)",
            common: "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0",
            own: "?, ?, ?, ?, ?",
            tail: "ON CONFLICT (category, key) WHERE state IN ('proposed', 'confirmed', 'postponed', 'erasing') DO NOTHING",
        };
        let inserted = PROPOSALS
            .run(
                &mut self.transaction,
                own,
                |query| {
                    let query = query.bind(common.category.as_str().to_owned()).bind(common.source.as_str().to_owned());
                    let query = query.bind(common.criterion.map(str::to_owned)).bind(common.version.map(str::to_owned));
                    let query = query.bind(common.form).bind(run.0).bind(at.clone()).bind(common.origin);
                    query.bind(common.state().as_str()).bind(common.is_confirmed.then(|| at.clone()))
                },
                |query, new| {
                    let query = query.bind(new.key.open.clone().into_owned()).bind(new.key.name.clone());
                    let query = query.bind(new.unit.map(str::to_owned));
                    query.bind(new.due_on.map(|day| day.to_string())).bind(new.digest.to_vec())
                },
            )
            .await
            .map_err(failed("propose records"))?;
        self.go_on_counting(common.category, newest).await?;
        if inserted == own.len() as u64 {
            return Ok(own.iter().map(|new| new.key.closed().to_owned()).collect());
        }
        sqlx::query_scalar("SELECT coalesce(name, key) FROM proposal WHERE id > ?1 ORDER BY id")
            .bind(newest)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed("read what was proposed"))
    }

    /// Lets the versions of what was inserted behind the proposal `newest` go on where those of each record's last proposal
    /// ended: whoever has seen a version has seen that proposal, and not the next one, which may be about another person.
    async fn go_on_counting(&mut self, category: &CategoryName, newest: i64) -> Result<(), StoreError> {
        const DOING: &str = "count versions on";
        // A first run has a million proposals and none before them.
        let is_any_closed: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM proposal INDEXED BY proposal_closed \
             WHERE category = ?1 AND state IN ('erased', 'withdrawn'))",
        )
        .bind(category.as_str())
        .fetch_one(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        if !is_any_closed {
            return Ok(());
        }
        sqlx::query(
            "UPDATE proposal SET version = before.version + 1 FROM (SELECT p.id, max(c.version) AS version \
             FROM proposal p CROSS JOIN proposal c INDEXED BY proposal_closed ON c.category = p.category \
             AND c.key = coalesce(p.name, p.key) AND c.state IN ('erased', 'withdrawn') WHERE p.id > ?1 GROUP BY p.id) before \
             WHERE proposal.id = before.id",
        )
        .bind(newest)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        Ok(())
    }

    /// The number of the fingerprint's form, which is one of few: asked for once per call.
    pub(super) async fn form_among(
        &mut self,
        known: &mut Vec<(Fingerprint, i64)>,
        fingerprint: &Fingerprint,
    ) -> Result<i64, StoreError> {
        let same = |other: &Fingerprint| other.key_id == fingerprint.key_id && other.identity == fingerprint.identity;
        if let Some((_, form)) = known.iter().find(|(other, _)| same(other)) {
            return Ok(*form);
        }
        let doing = "write which key a fingerprint is taken with";
        let (key_id, identity) = (fingerprint.key_id.as_str(), fingerprint.identity.as_str());
        sqlx::query("INSERT INTO fingerprint_form (key_id, identity) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(key_id)
            .bind(identity)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed(doing))?;
        let form = sqlx::query("SELECT id FROM fingerprint_form WHERE key_id = ?1 AND identity = ?2")
            .bind(key_id)
            .bind(identity)
            .fetch_one(&mut *self.transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(doing))?;
        known.push((fingerprint.clone(), form));
        Ok(form)
    }

    /// Withdraws proposals that are open and not being erased; gives those that were withdrawn.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn withdraw(
        &mut self,
        run: RunId,
        proposals: &[(ProposalId, WithdrawReason)],
    ) -> Result<Vec<ProposalId>, StoreError> {
        let gone = self.withdraw_alone(run, proposals).await?;
        self.take_apart(&By::run(run.0), &gone, Parted::Withdrawn).await?;
        Ok(gone.iter().map(|standing| standing.id).collect())
    }

    /// Withdraws some proposals and sends others back to the clerks. Of what was confirmed together each goes its own way;
    /// the others of a group go back because of it.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn rule_out(
        &mut self,
        run: RunId,
        withdrawn: &[(ProposalId, WithdrawReason)],
        returned: &[(ProposalId, ReturnReason, Option<Fresh>)],
    ) -> Result<(), StoreError> {
        let gone = self.withdraw_alone(run, withdrawn).await?;
        let back = self.return_alone(run, returned).await?;
        let groups: BTreeSet<i64> = gone.iter().filter_map(|standing| standing.together).collect();
        let beside = back.iter().filter(|back| back.together.is_some_and(|group| groups.contains(&group)));
        self.take_apart(&By::run(run.0), gone.iter().chain(beside), Parted::Withdrawn).await?;
        self.take_apart(&By::run(run.0), &back, Parted::Returned).await
    }

    async fn withdraw_alone(
        &mut self,
        run: RunId,
        proposals: &[(ProposalId, WithdrawReason)],
    ) -> Result<Vec<Standing>, StoreError> {
        let today = self.any_day();
        let moved =
            self.move_where_allowed(proposals, today, |reason: &WithdrawReason| Move::Withdraw(reason.clone())).await?;
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let told = moved.iter().map(|(standing, reason)| (&standing.record, reason.code(), reason.detail()));
        let told = reasoned(&self.veil, told)?;
        let seq = self.append(&By::run(run.0), &Kind::Withdrawn { records: told }).await?;
        let notes = moved.iter().map(|(standing, reason)| {
            (standing.id, Note { reason: Some(reason.code()), detail: reason.detail(), ..Note::default() })
        });
        self.write_decisions(seq, "withdrawn", notes).await?;
        Ok(moved.into_iter().map(|(standing, _)| standing).collect())
    }

    /// Proposes again what was postponed until `today` or earlier; gives those that were.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn return_postponed(
        &mut self,
        run: RunId,
        proposals: &[ProposalId],
        today: Date,
    ) -> Result<Vec<ProposalId>, StoreError> {
        let proposals: Vec<_> = proposals.iter().map(|id| (*id, ())).collect();
        let moved = self.move_where_allowed(&proposals, today, |()| Move::EndPostponement).await?;
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let told = grouped(&self.veil, moved.iter().map(|(standing, ())| &standing.record))?;
        let seq = self.append(&By::run(run.0), &Kind::ReturnedToProposed { records: told }).await?;
        let notes = moved.iter().map(|(standing, ())| (standing.id, Note::default()));
        self.write_decisions(seq, "postponement_over", notes).await?;
        Ok(moved.iter().map(|(standing, ())| standing.id).collect())
    }

    /// Sends confirmed proposals back to the clerks, with what the records are now where that has changed; gives those that
    /// went.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn return_to_clerk(
        &mut self,
        run: RunId,
        proposals: &[(ProposalId, ReturnReason, Option<Fresh>)],
    ) -> Result<Vec<ProposalId>, StoreError> {
        let back = self.return_alone(run, proposals).await?;
        self.take_apart(&By::run(run.0), &back, Parted::Returned).await?;
        Ok(back.iter().map(|standing| standing.id).collect())
    }

    async fn return_alone(
        &mut self,
        run: RunId,
        proposals: &[(ProposalId, ReturnReason, Option<Fresh>)],
    ) -> Result<Vec<Standing>, StoreError> {
        let today = self.any_day();
        let steps: Vec<_> = proposals.iter().map(|(id, reason, fresh)| (*id, (reason, fresh))).collect();
        let moved = self.move_where_allowed(&steps, today, |(reason, _)| Move::SendBack((*reason).clone())).await?;
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let fresh: Vec<_> =
            moved.iter().filter_map(|(standing, (_, fresh))| Some((standing, fresh.as_ref()?))).collect();
        self.refresh(&fresh).await?;
        let told = moved.iter().map(|(standing, (reason, _))| (&standing.record, reason.code(), reason.detail()));
        let told = reasoned(&self.veil, told)?;
        let seq = self.append(&By::run(run.0), &Kind::Returned { records: told }).await?;
        let notes = moved.iter().map(|(standing, (reason, _))| {
            (standing.id, Note { reason: Some(reason.code()), detail: reason.detail(), ..Note::default() })
        });
        self.write_decisions(seq, "returned", notes).await?;
        Ok(moved.into_iter().map(|(standing, _)| standing).collect())
    }

    async fn refresh(&mut self, proposals: &[(&Standing, &Fresh)]) -> Result<(), StoreError> {
        const DOING: &str = "write what records are due under now";
        let mut forms = Vec::new();
        let mut values = Vec::new();
        for (standing, Fresh { origin, fingerprint, unit }) in proposals {
            let form = self.form_among(&mut forms, fingerprint).await?;
            self.totals.renamed(standing, origin.criterion().unwrap_or_default(), unit.as_deref());
            values.push((
                standing.id.0,
                origin.criterion(),
                origin.version(),
                origin.due_on().map(|day| day.to_string()),
                unit,
                hex(&fingerprint.digest),
                form,
                origin.code(),
            ));
        }
        let done = sqlx::query(
            "UPDATE proposal SET criterion = j.value->>1, rule_version = j.value->>2, due_on = j.value->>3, \
             unit = j.value->>4, fingerprint = unhex(j.value->>5), form = j.value->>6, origin = j.value->>7 \
             FROM json_each(?1) j WHERE proposal.id = j.value->>0",
        )
        .bind(rows::json(&values)?)
        .execute(&mut *self.transaction)
        .await
        .map_err(failed(DOING))?;
        expect_rows(DOING, values.len(), done.rows_affected())
    }
}

impl Store {
    /// Those of the application's marks to be confirmed at once that a clerk has restored or postponed before: they will only
    /// be proposed.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn restored_marks(&self, records: &[NewProposal]) -> Result<BTreeSet<RecordRef>, StoreError> {
        restored_marks(&self.readers, &self.veil(), records).await
    }
}

/// Those of the application's marks to be confirmed at once whose records a clerk has restored or postponed before: they are
/// never confirmed without asking again. Whoever is under the key by now: a name that was spelt otherwise, or another way
/// to tell people apart, does not undo what a clerk has said. Only who came after an erasure starts anew.
async fn restored_marks<'e>(
    executor: impl SqliteExecutor<'e>,
    veil: &Veil,
    records: &[NewProposal],
) -> Result<BTreeSet<RecordRef>, StoreError> {
    let marks = records.iter().filter(|new| new.is_confirmed && matches!(new.origin, Origin::Application { .. }));
    let marks: Vec<_> = marks.collect();
    if marks.is_empty() {
        return Ok(BTreeSet::new());
    }
    let asked = veil.asked(marks.iter().map(|new| &new.record))?;
    let digests: Vec<_> = marks.iter().map(|new| hex(&new.fingerprint.digest)).collect();
    let found = sqlx::query(
        "SELECT p.category, p.key FROM json_each(?1) j CROSS JOIN proposal p INDEXED BY proposal_closed \
         ON p.category = j.value->>0 AND p.key = j.value->>2 AND p.state IN ('erased', 'withdrawn') \
         WHERE (p.state = 'withdrawn' OR p.fingerprint = unhex(j.value->>3)) AND EXISTS \
         (SELECT 1 FROM decision d WHERE d.proposal = p.id AND d.decision IN ('restored', 'postponed')) \
         UNION SELECT p.category, p.key FROM json_each(?1) j CROSS JOIN proposal p INDEXED BY proposal_open \
         ON p.category = j.value->>0 AND p.key = j.value->>1 \
         AND p.state IN ('proposed', 'confirmed', 'postponed', 'erasing') WHERE EXISTS \
         (SELECT 1 FROM decision d WHERE d.proposal = p.id AND d.decision IN ('restored', 'postponed'))",
    )
    .bind(asked.json_with(&digests)?)
    .fetch_all(executor)
    .await
    .map_err(failed("read which marks were taken back before"))?;
    found.iter().map(|row| rows::record(row, veil).map(|record| asked.real(record))).collect()
}
