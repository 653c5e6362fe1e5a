//! Proposals: the list, and one record in full.

use super::runs::instant;
use crate::actor::Scope;
use crate::admin::Selection;
use crate::api;
use crate::desk::{self, Card, Event, EventKind, Item, Listing, ProposalFilter, Rule, StateName};

/// What the list is asked for. The desk sets the scope.
pub(super) fn filter(selection: Selection) -> ProposalFilter {
    let states = match selection.state {
        Some(state) => vec![state_of(state)],
        None => StateName::ALL.into_iter().filter(|state| state.is_open()).collect(),
    };
    ProposalFilter { category: selection.category, criterion: selection.criterion, states, scope: Scope::everything() }
}

/// A page of the list.
pub(super) fn page(listing: Listing) -> api::ProposalPage {
    api::ProposalPage {
        total: listing.total,
        items: listing.items.iter().map(proposal).collect(),
        next: listing.next.map(|cursor| cursor.to_string()),
    }
}

/// One record in full.
pub(super) fn view(card: Card) -> api::RecordView {
    let preview = card.item.preview.as_ref();
    let planned = preview.map(|preview| preview.planned.dependents.as_slice()).unwrap_or_default();
    let dependents = planned.iter().map(|of| api::DependentCount {
        table: of.name.clone(),
        rule: rule(of.rule),
        rows: of.deleted + of.changed + of.left,
    });
    let blocked = card
        .blocked
        .iter()
        .map(|by| api::Blocked { until: by.until.map(|until| until.to_string()), reason: by.reason.clone() });
    api::RecordView {
        proposal: proposal(&card.item),
        outcome_reason: card.outcome_reason.clone(),
        dependents: dependents.collect(),
        blocked: blocked.collect(),
        linked: card.linked.as_ref().map(super::linked::verdict),
        history: history(&card),
    }
}

fn proposal(item: &Item) -> api::Proposal {
    let of = &item.proposal;
    let desk::Origin::Criterion { name, due_on, .. } = &of.origin;
    let postponed_until = match of.life.state() {
        desk::State::Postponed { until } => Some(until.to_string()),
        _ => None,
    };
    api::Proposal {
        record: of.record.to_string(),
        state: state_name(of.life.state().name()),
        criterion: Some(name.clone()),
        label: item.label.as_ref().map(|label| label.reveal().to_owned()),
        due_on: due_on.map(|due_on| due_on.to_string()),
        outcome: item.outcome().map(outcome),
        version: u64::from(of.version),
        unit: of.unit.clone(),
        postponed_until,
        postponed_count: of.life.postponed_count(),
        reason: item.reason.clone(),
        problem: item.problem.clone(),
    }
}

/// Every move, from being proposed to where the proposal stands.
fn history(card: &Card) -> Vec<api::Move> {
    let of = &card.item.proposal;
    let desk::Origin::Criterion { name, .. } = &of.origin;
    let mut moves = vec![api::Move {
        at: instant(of.proposed_at),
        from: None,
        to: api::State::Proposed,
        by: crate::actor::Actor::Daemon.to_string(),
        reason: Some(format!("due under {name}")),
        run: Some(of.run.0.unsigned_abs()),
    }];
    let mut from = api::State::Proposed;
    for event in &card.history {
        let step = step(event, from);
        from = step.to;
        moves.push(step);
    }
    let stands = state_name(of.life.state().name());
    if matches!(stands, api::State::Erasing | api::State::Erased) {
        moves.push(api::Move {
            at: instant(of.changed_at.unwrap_or(of.proposed_at)),
            from: Some(from),
            to: stands,
            by: crate::actor::Actor::Daemon.to_string(),
            reason: match of.life.state() {
                desk::State::Erased { outcome } => Some(outcome.as_str().to_owned()),
                _ => None,
            },
            run: None,
        });
    }
    moves
}

fn step(event: &Event, from: api::State) -> api::Move {
    let (to, reason) = match &event.what {
        EventKind::Confirmed => (api::State::Confirmed, None),
        EventKind::Postponed { until, reason } => {
            let because = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            (api::State::Postponed, Some(format!("until {until}{because}")))
        }
        EventKind::Restored => (api::State::Proposed, Some("the confirmation was taken back".to_owned())),
        EventKind::Withdrawn(reason) => (api::State::Withdrawn, Some(reason.to_string())),
        EventKind::PostponementOver => (api::State::Proposed, Some("the postponement is over".to_owned())),
        EventKind::Returned(reason) => (api::State::Proposed, Some(reason.to_string())),
    };
    api::Move {
        at: instant(event.at),
        from: Some(from),
        to,
        by: event.actor.to_string(),
        reason,
        run: event.run.map(|run| run.0.unsigned_abs()),
    }
}

/// A state by its name on the socket.
pub(super) const fn state_name(state: StateName) -> api::State {
    match state {
        StateName::Proposed => api::State::Proposed,
        StateName::Confirmed => api::State::Confirmed,
        StateName::Postponed => api::State::Postponed,
        StateName::Erasing => api::State::Erasing,
        StateName::Erased => api::State::Erased,
        StateName::Withdrawn => api::State::Withdrawn,
    }
}

const fn state_of(state: api::State) -> StateName {
    match state {
        api::State::Proposed => StateName::Proposed,
        api::State::Confirmed => StateName::Confirmed,
        api::State::Postponed => StateName::Postponed,
        api::State::Erasing => StateName::Erasing,
        api::State::Erased => StateName::Erased,
        api::State::Withdrawn => StateName::Withdrawn,
    }
}

pub(super) const fn outcome(outcome: desk::Outcome) -> api::Outcome {
    match outcome {
        desk::Outcome::Deleted => api::Outcome::Delete,
        desk::Outcome::Anonymised => api::Outcome::Anonymise,
    }
}

const fn rule(rule: Rule) -> api::DependentRule {
    match rule {
        Rule::Keep => api::DependentRule::Keep,
        Rule::Delete => api::DependentRule::Delete,
        Rule::Unlink => api::DependentRule::Unlink,
    }
}
