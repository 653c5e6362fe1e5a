//! A clerk's mark: one record is to be erased, whatever the criteria say.

use super::decide::Decided;
use super::error::failed;
use super::{Change, NewProposal, StoreError, rows};
use crate::actor::Actor;
use crate::audit::{By, Kind};
use crate::proposal::{ProposalId, Reason, State, StateName};
use crate::record::hex;

/// Why a record is not marked.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// It has an open proposal already.
    #[error("it is {0} already")]
    IsOpen(State),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Change<'_> {
    /// Proposes a record because a clerk asks for it; confirmed at once where `new` says so.
    ///
    /// # Errors
    /// [`MarkError::IsOpen`] when it has an open proposal; nothing has been written then.
    pub async fn mark(
        &mut self,
        actor: &Actor,
        request: &str,
        new: &NewProposal,
        reason: &Reason,
    ) -> Result<Decided, MarkError> {
        if let Some(standing) = self.open_standing(&new.record).await? {
            return Err(MarkError::IsOpen(standing));
        }
        let newest = self.newest().await?;
        let (id, version) = self.insert_mark(actor, new).await?;
        let records = super::moves::grouped(&self.veil, [&new.record])?;
        let by = By::request(actor.clone(), request);
        let confirmed = new.is_confirmed;
        let kind = |because| Kind::Marked { records, because, confirmed };
        let seq = self.append_with_text(&by, reason, kind).await?;
        let note = super::moves::Note { standard: reason.name(), ..super::moves::Note::default() };
        self.write_decisions(seq, "marked", [(id, note)]).await?;
        if confirmed {
            // The rule has, not the clerk: an entry of its own, because each tells of one thing.
            let records = super::moves::grouped(&self.veil, [&new.record])?;
            let seq = self.append(&By { actor: Actor::Daemon, ..by }, &Kind::Confirmed { records }).await?;
            self.tell_confirmed(seq, newest).await?;
        }
        let state = if confirmed { StateName::Confirmed } else { StateName::Proposed };
        self.totals.add(&new.record.category, "", new.unit.as_deref(), state, 1);
        Ok(Decided { record: new.record.clone(), state, version })
    }

    async fn open_standing(&mut self, record: &crate::record::RecordRef) -> Result<Option<State>, StoreError> {
        let latest = self.latest(&[record]).await?.remove(record);
        Ok(latest.map(|standing| standing.life.state().clone()).filter(State::is_open))
    }

    /// Gives its id and its version, which goes on where that of the record's last proposal ended.
    async fn insert_mark(&mut self, actor: &Actor, new: &NewProposal) -> Result<(ProposalId, u32), StoreError> {
        let form = self.form_among(&mut Vec::new(), &new.fingerprint).await?;
        let key = self.veil.forms(&new.record.category, &new.record.key)?;
        let at = rows::instant(self.now);
        let state = if new.is_confirmed { StateName::Confirmed } else { StateName::Proposed };
        sqlx::query_as(
            "INSERT INTO proposal (category, key, source, unit, origin, fingerprint, form, proposed_at, decided_by, \
             confirmed_at, version, postponed_count, state, name) \
             VALUES (?1, ?2, ?3, ?4, 'clerk', unhex(?5), ?6, ?7, ?8, \
             max(?9, coalesce((SELECT newest_at FROM clock), ?9)), 1 + coalesce((SELECT max(version) \
             FROM proposal INDEXED BY proposal_closed WHERE category = ?1 AND key = coalesce(?11, ?2) \
             AND state IN ('erased', 'withdrawn')), 0), 0, ?10, ?11) RETURNING id, version",
        )
        .bind(new.record.category.as_str())
        .bind(key.open.as_ref())
        .bind(new.source.as_str())
        .bind(new.unit.as_deref())
        .bind(hex(&new.fingerprint.digest))
        .bind(form)
        .bind(&at)
        .bind(actor.to_string())
        .bind(new.is_confirmed.then_some(&at))
        .bind(state.as_str())
        .bind(key.name.as_deref())
        .fetch_one(&mut *self.transaction)
        .await
        .map(|(id, version)| (ProposalId(id), version))
        .map_err(failed("mark a record"))
    }
}
