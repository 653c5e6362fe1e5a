//! What prepare decides about a record, from what is there and what is on record. Pure.

use std::collections::HashMap;

use crate::config::Category;
use crate::erasure::{Candidate, Examined, Verdict, no_longer_due};
use crate::proposal::{Origin, State, WithdrawReason};
use crate::record::{RecordKey, RecordRef};
use crate::store::{LedgerEntry, NewProposal, Proposal, Reasons, reason_name};

/// What looking again at an open proposal has come to.
pub(super) enum Again {
    Stays,
    IsBack,
    Withdrawn(WithdrawReason),
}

/// What becomes of an open proposal whose record is now so. A confirmed one that is still due is for the final job.
pub(super) fn again(proposal: &Proposal, now: &Examined, today: jiff::civil::Date) -> Again {
    let Examined::Found { fingerprint, verdict, .. } = now else {
        return Again::Withdrawn(WithdrawReason::Gone);
    };
    let (state, origin) = (proposal.life.state(), &proposal.origin);
    // Where people are told apart otherwise by now, nobody can tell whether it is the same: neither a person's request nor
    // a postponement is lost by that. Before anything is erased, it goes back to a clerk.
    let is_unclear = !fingerprint.is_comparable(&proposal.fingerprint)
        && (*origin == Origin::Clerk || matches!(state, State::Postponed { .. }));
    let is_same = is_unclear || *fingerprint == proposal.fingerprint;
    match (verdict, state) {
        (Verdict::NotDue(_), _) | (_, State::Proposed { .. } | State::Postponed { .. }) if !is_same => {
            return Again::Withdrawn(WithdrawReason::AnotherPerson);
        }
        // What was asked for by hand is due because it was asked for.
        (Verdict::NotDue(reason), _) if !origin.is_own() => return Again::Withdrawn(no_longer_due(origin, reason)),
        (Verdict::Due(due), State::Proposed { .. }) if due.still(origin).is_err() => {
            let why = match origin.criterion() {
                Some(name) => format!("{name} is not met any more as it was worded"),
                None => "the application's mark is not there any more as it was worded".to_owned(),
            };
            return Again::Withdrawn(WithdrawReason::NoLongerDue { why });
        }
        _ => {}
    }
    match state {
        State::Postponed { until } if *until <= today => Again::IsBack,
        _ => Again::Stays,
    }
}

/// Whether the row is one that was anonymised, and not somebody new under its key. Where the fingerprints were taken over
/// other columns, or with another key, nobody can tell: it is then taken for the anonymised one, and counted.
pub(super) fn is_anonymised(candidate: &Candidate, ledger: &HashMap<RecordKey, LedgerEntry>) -> bool {
    ledger.get(&candidate.key).is_some_and(|entry| entry.is_left_in(&candidate.fingerprint))
}

/// Whether this very person was erased before, under the same key: a backup has brought them back.
pub(super) fn is_back(candidate: &Candidate, ledger: &HashMap<RecordKey, LedgerEntry>) -> bool {
    ledger.get(&candidate.key).is_some_and(|entry| entry.before == candidate.fingerprint)
}

/// How many would be proposed for which reason.
pub(super) fn foreseen_reasons(new: &[NewProposal]) -> Reasons {
    let mut reasons = Reasons::new();
    for NewProposal { record, origin, .. } in new {
        let of_category = reasons.entry(record.category.as_str().to_owned()).or_default();
        of_category.entry(reason_name(origin.code(), origin.criterion())).or_default().proposed += 1;
    }
    reasons
}

pub(super) fn proposal(category: &Category, candidate: &Candidate) -> NewProposal {
    let origin = candidate.due.origin();
    NewProposal {
        record: RecordRef { category: category.name.clone(), key: candidate.key.clone() },
        source: category.source.value.clone(),
        unit: candidate.unit.clone(),
        is_confirmed: category.confirms_marks() && matches!(origin, Origin::Application { .. }),
        origin,
        fingerprint: candidate.fingerprint.clone(),
    }
}
