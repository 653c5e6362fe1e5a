//! The audit trail: read, exported, verified.
//!
//! Verification reads every entry as it is exported and holds it against the checkpoints, as an auditor would who has
//! nothing but the export. It vouches for the trail, not for whoever answers: who doubts the daemon verifies the export.

use super::access::asked;
use super::words::{because_of, record_of, summary_of, with_texts};
use super::{Desk, DeskError, GivenReason};
use crate::actor::{Actor, Authorised, Permission};
use crate::audit::{Because, By, Entry, Report, Verifier, VerifierKey};
use crate::record::RecordRef;
use crate::store::{AuditFilter, Page, StoreError};

/// Entries that are read at a time.
const ENTRIES_AT_A_TIME: u32 = 500;

/// Which entries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Only those about this record.
    pub record: Option<RecordRef>,
    /// Only those of this run.
    pub run: Option<i64>,
}

/// An entry, and what it says in words.
#[derive(Debug, Clone)]
pub struct Told {
    /// The entry.
    pub entry: Entry,
    /// The record it is about, `category/key`, where it is about a single one.
    pub record: Option<String>,
    /// What it says.
    pub summary: String,
}

/// What verification has found.
#[derive(Debug, Clone)]
pub struct Verified {
    /// What was found.
    pub report: Report,
    /// How many checkpoints the trail was held against.
    pub checkpoints: u64,
}

impl Desk {
    /// Entries, the latest first, at most `limit` of those before number `before`.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn trail(
        &self,
        _: &Authorised,
        filter: TrailFilter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page<Told, u64>, DeskError> {
        let filter = AuditFilter { kind: None, run: filter.run, record: filter.record };
        let page = self.store.audit_list(&filter, before, limit).await.map_err(DeskError::Store)?;
        let mut items = Vec::with_capacity(page.items.len());
        for entry in page.items {
            items.push(self.told(entry).await?);
        }
        Ok(Page { items, total: page.total, next: page.next })
    }

    async fn told(&self, entry: Entry) -> Result<Told, DeskError> {
        let kind = entry.known_kind();
        let mut summary = kind.as_ref().map_or_else(|| "an entry of a later version".to_owned(), summary_of);
        if let Some((of, because)) = kind.as_ref().and_then(because_of) {
            let typed = self.store.typed_texts(entry.seq).await.map_err(DeskError::Store)?;
            let text = |field| typed.get(field).map(|typed| typed.text.clone());
            let standard = if let Some(Because::Standard(name)) = because { Some(name.clone()) } else { None };
            let given = self.worded(of, GivenReason { standard, text: text("reason") });
            summary = with_texts(summary, given.text, text("reference"));
        }
        if entry.kind == "brake_overridden"
            && let Some(typed) = self.store.typed_text(entry.seq).await.map_err(DeskError::Store)?
        {
            summary = with_texts(summary, Some(typed.text), None);
        }
        if entry.kind == "access_given"
            && let Some(typed) = self.store.typed_text(entry.seq).await.map_err(DeskError::Store)?
            && let (Some(asked_by), reason) = asked(&typed.text)
        {
            summary = format!("{summary}, asked for by {asked_by}: {reason}");
        }
        Ok(Told { record: kind.as_ref().and_then(record_of), summary, entry })
    }

    /// Lines of the exported trail, each with its line feed: some of those after entry `after`, in their order, and the
    /// number of the last. None: the trail ends there.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn export(&self, _: &Authorised, after: u64) -> Result<Option<(String, u64)>, DeskError> {
        self.store.audit_lines(after, ENTRIES_AT_A_TIME).await.map_err(DeskError::Store)
    }

    /// Whether the trail holds, from its first entry, or where it was pruned, to its last.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn verify(&self, leave: &Authorised) -> Result<Verified, DeskError> {
        loop {
            match self.verify_once(leave).await {
                // It is pruned once a week at most.
                Err(DeskError::Store(StoreError::PrunedMeanwhile { .. })) => {}
                verified => return verified,
            }
        }
    }

    async fn verify_once(&self, leave: &Authorised) -> Result<Verified, DeskError> {
        let notes = self.store.checkpoints().await.map_err(DeskError::Store)?;
        let mut verifier = Verifier::new(&notes, &self.verifier);
        let mut after = 0;
        while let Some((lines, last)) = self.export(leave, after).await? {
            lines.split_terminator('\n').for_each(|line| verifier.line(line));
            after = last;
        }
        Ok(Verified { report: verifier.finish(), checkpoints: notes.len() as u64 })
    }

    /// Every checkpoint as it was signed, the first first, and the key that they are signed with.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn checkpoints(&self, _: &Authorised) -> Result<(VerifierKey, Vec<String>), DeskError> {
        Ok((self.verifier.clone(), self.store.checkpoints().await.map_err(DeskError::Store)?))
    }

    /// Writes down that somebody was refused.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn note_refusal(&self, actor: Actor, permission: Permission, route: &str) -> Result<(), DeskError> {
        let by = By { actor, run: None, request: None };
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        change.refused(&by, permission.as_str(), route).await.map_err(DeskError::Store)?;
        change.commit().await.map_err(DeskError::Store)
    }
}
