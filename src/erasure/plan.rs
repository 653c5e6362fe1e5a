//! What is to happen to the records of a batch.

use std::collections::HashSet;

use super::select::{Day, Examined, examine};
use super::verdict::{NotDue, Verdict};
use crate::config::Rule;
use crate::proposal::{BatchId, DependentCounts, Origin, Outcome, ProposalId, ReturnReason, WithdrawReason};
use crate::record::{Fingerprint, FingerprintKey, RecordKey};
use crate::source::{Direction, Fate, Mapping, Reader, SourceError, StagedRecord};

/// A confirmed record that the final job comes for.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The proposal that was confirmed.
    pub proposal: ProposalId,
    /// The record's key.
    pub key: RecordKey,
    /// Why it was proposed.
    pub origin: Origin,
    /// What its category asks for by now, and the decision lacks.
    pub lacks: Option<ReturnReason>,
    /// Why its category does not ask for it any more, where it does not: shells alone are asked for by a switch.
    pub unwanted: Option<&'static str>,
    /// Digest of the person that was decided about.
    pub fingerprint: Fingerprint,
}

/// What is ruled about a claim, just before erasing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// It is erased.
    Erase(Fresh),
    /// It is withdrawn.
    Withdraw(WithdrawReason),
    /// It goes back to the clerk, as it is now.
    Return(ReturnReason, Fresh),
}

/// A record as it is now, where a decision about it has to be made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// Why it is to be erased now.
    pub origin: Origin,
    /// Digest of the person that it is about now.
    pub fingerprint: Fingerprint,
    /// The unit it belongs to now.
    pub unit: Option<String>,
}

/// A claim that is not erased.
#[derive(Debug, Clone)]
pub struct RuledOut {
    /// The claim.
    pub claim: Claim,
    /// What is ruled about it: never [`Ruling::Erase`].
    pub ruling: Ruling,
}

/// What a batch is going to do.
#[derive(Debug, Clone)]
pub struct BatchPlan {
    /// Its id.
    pub batch: BatchId,
    /// The records that are erased; may be none.
    pub records: Vec<PlannedRecord>,
    /// The proposals of these records, in the same order.
    pub proposals: Vec<ProposalId>,
    /// How many of them are shells: anonymised before, and kept by nothing any more.
    pub shells: u64,
    /// Those that are not erased.
    pub ruled_out: Vec<RuledOut>,
}

/// What is planned for one record.
#[derive(Debug, Clone)]
pub struct PlannedRecord {
    /// Its key.
    pub key: RecordKey,
    /// What happens to its row.
    pub outcome: Outcome,
    /// What happens to the rows of each dependent that has any.
    pub dependents: Vec<DependentPlan>,
    /// Digest of what the row will hold; `None` where it goes.
    pub after: Option<Fingerprint>,
}

/// What happens to the rows of one dependent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependentPlan {
    /// What the settings call it.
    pub name: String,
    /// Its rule.
    pub rule: Rule,
    /// Whether its rows keep the record's row.
    pub keeps: bool,
    /// Rows that go.
    pub deleted: u64,
    /// Rows that stay, changed.
    pub changed: u64,
    /// Rows that stay as they are.
    pub left: u64,
    /// How many of these something else refers to; in the others there is nothing to change, or they are records.
    pub shared: u64,
}

impl PlannedRecord {
    /// The sums over all dependents.
    #[must_use]
    pub fn counts(&self) -> DependentCounts {
        let mut counts = DependentCounts::default();
        for dependent in &self.dependents {
            counts.deleted += dependent.deleted;
            match dependent.rule {
                Rule::Unlink => counts.unlinked += dependent.changed,
                Rule::Keep | Rule::Delete => counts.anonymised += dependent.changed,
            }
            counts.kept += dependent.left.saturating_sub(dependent.shared);
            counts.shared_kept += dependent.shared;
        }
        counts
    }
}

/// What is ruled about a claim, from the record as it is now.
#[must_use]
pub fn rule(claim: &Claim, now: Examined) -> Ruling {
    let Examined::Found { fingerprint, unit, verdict, retained, .. } = now else {
        return Ruling::Withdraw(WithdrawReason::Gone);
    };
    let is_same = fingerprint == claim.fingerprint;
    let is_comparable = fingerprint.is_comparable(&claim.fingerprint);
    let (origin, still) = match (&claim.origin, verdict) {
        // Nobody has asked for whoever is there instead.
        (Origin::Clerk, _) if !is_same && is_comparable => return Ruling::Withdraw(WithdrawReason::AnotherPerson),
        (Origin::Shell, _) if !is_same => return Ruling::Withdraw(WithdrawReason::AnotherPerson),
        (Origin::Clerk, _) => {
            (Origin::Clerk, retained.map(|reason| ReturnReason::Retained { why: reason.to_string() }))
        }
        (Origin::Shell, _) => match (claim.unwanted, retained) {
            (Some(why), _) => return Ruling::Withdraw(WithdrawReason::NoLongerDue { why: why.to_owned() }),
            (None, Some(_)) => return Ruling::Withdraw(WithdrawReason::KeptAgain),
            (None, None) => (Origin::Shell, None),
        },
        (_, Verdict::NotDue(_)) if !is_same => return Ruling::Withdraw(WithdrawReason::AnotherPerson),
        (origin, Verdict::NotDue(reason)) => return Ruling::Withdraw(no_longer_due(origin, &reason)),
        (origin, Verdict::Due(due)) => (due.origin(), due.still(origin).err()),
    };
    let reason = if is_same { still } else { Some(ReturnReason::ChangedPerson) };
    let reason = reason.or_else(|| claim.lacks.clone());
    let fresh = Fresh { origin, fingerprint, unit };
    match reason {
        Some(reason) => Ruling::Return(reason, fresh),
        None => Ruling::Erase(fresh),
    }
}

/// What is ruled about claims, from their records as they are now. A shell is one only for as long as its row holds
/// nothing that anonymising would change: the fingerprint alone does not tell it from another row without a name.
///
/// # Errors
/// When the source cannot be read.
pub async fn rulings(
    reader: &mut Reader,
    mapping: &Mapping,
    day: &Day,
    key: &FingerprintKey,
    claims: &[Claim],
) -> Result<Vec<Ruling>, SourceError> {
    let keys: Vec<RecordKey> = claims.iter().map(|claim| claim.key.clone()).collect();
    let now = examine(reader, mapping, day, key, &keys).await?;
    let is_shell = |claim: &&Claim| claim.origin == Origin::Shell;
    let shells: Vec<RecordKey> = claims.iter().filter(is_shell).map(|claim| claim.key.clone()).collect();
    let empty = if shells.is_empty() { HashSet::new() } else { reader.anonymised(mapping, &shells).await? };
    let ruled = claims.iter().zip(now).map(|(claim, now)| match rule(claim, now) {
        Ruling::Erase(_) if is_shell(&claim) && !empty.contains(&claim.key) => Ruling::Withdraw(WithdrawReason::InUse),
        ruling => ruling,
    });
    Ok(ruled.collect())
}

/// Why what was proposed for this reason is not due any more.
#[must_use]
pub fn no_longer_due(origin: &Origin, reason: &NotDue) -> WithdrawReason {
    let why = match (origin, reason) {
        (_, NotDue::Retained { .. }) | (Origin::Criterion { .. }, _) => reason.to_string(),
        _ => "the application's mark is gone".to_owned(),
    };
    WithdrawReason::NoLongerDue { why }
}

/// The plan for a record, from what was laid out in the source.
pub(super) fn planned(mapping: &Mapping, key: &FingerprintKey, staged: &StagedRecord) -> PlannedRecord {
    let outcome = match staged.outcome {
        crate::source::Outcome::Delete => Outcome::Deleted,
        crate::source::Outcome::Anonymise => Outcome::Anonymised,
    };
    let dependents = staged
        .dependents
        .iter()
        .filter_map(|count| {
            let node = mapping.nodes.get(count.node)?;
            let rule = match node.fate {
                Fate::Dependent(rule) => rule,
                Fate::OtherRecord | Fate::Record => Rule::Keep,
            };
            let hangs_on_record =
                node.link.as_ref().is_some_and(|link| link.parent == 0 && link.direction == Direction::Child);
            // Rows under this rule never go: a dependent that has any has some that stay.
            let keeps = hangs_on_record && rule == Rule::Keep && outcome == Outcome::Anonymised;
            Some(DependentPlan {
                name: node.name.clone(),
                rule,
                keeps,
                deleted: count.deleted,
                changed: count.changed,
                left: count.left + count.shared,
                shared: count.shared,
            })
        })
        .collect();
    let after = staged
        .identity_after
        .as_ref()
        .map(|values| key.fingerprint(&mapping.category, &staged.key, &mapping.identity_version, values));
    PlannedRecord { key: staged.key.clone(), outcome, dependents, after }
}

#[cfg(test)]
mod tests;
