//! Proposals: the list, and one record in full.

use super::runs::instant;
use crate::actor::{Actor, Scope};
use crate::admin::Set;
use crate::api;
use crate::desk::{
    self, Card, Desk, Event, EventKind, Item, ListOrder, ListSort, Listing, ProposalFilter, Rule, StateCounts,
    StateName,
};

/// What a set is found by. The desk sets the scope.
pub(super) fn filter(desk: &Desk, set: Set) -> ProposalFilter {
    let states = match set.state {
        Some(state) => vec![state_of(state)],
        None => StateName::ALL.into_iter().filter(|state| state.is_open()).collect(),
    };
    ProposalFilter {
        category: set.category,
        criterion: set.criterion,
        states,
        unit: set.unit,
        proposed_before: set.age.map(|days| desk.waiting_for(days)),
        due_from: set.due_from,
        due_to: set.due_to,
        decided_by: set.decided_by,
        scope: Scope::everything(),
    }
}

/// The order of a list.
pub(super) fn order(sort: Option<api::Sort>, descending: bool) -> ListOrder {
    let sort = match sort {
        None | Some(api::Sort::Record) => ListSort::Record,
        Some(api::Sort::Due) => ListSort::Due,
        Some(api::Sort::Proposed) => ListSort::Proposed,
    };
    ListOrder { sort, descending }
}

/// How many there are.
pub(super) fn totals(counts: StateCounts) -> api::ProposalTotals {
    let categories: Vec<_> = counts
        .into_iter()
        .map(|(category, counts)| {
            let of = |state| counts.get(&state).copied().unwrap_or(0);
            api::CategoryTotal {
                category: category.as_str().to_owned(),
                total: counts.values().sum(),
                proposed: of(StateName::Proposed),
                confirmed: of(StateName::Confirmed),
                postponed: of(StateName::Postponed),
                erasing: of(StateName::Erasing),
                erased: of(StateName::Erased),
                withdrawn: of(StateName::Withdrawn),
            }
        })
        .collect();
    api::ProposalTotals { total: categories.iter().map(|category| category.total).sum(), categories }
}

/// A page of the list.
pub(super) fn page(listing: Listing) -> api::ProposalPage {
    api::ProposalPage {
        total: listing.total,
        items: listing.items.iter().map(proposal).collect(),
        next: listing.next.map(|cursor| cursor.to_string()),
        searched: listing.searched,
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
    api::RecordView {
        proposal: proposal(&card.item),
        outcome_reason: card.outcome_reason.clone(),
        dependents: dependents.collect(),
        blocked: card.blocked.iter().map(blocked).collect(),
        linked: card.linked.as_ref().map(super::linked::verdict),
        history: history(&card),
    }
}

fn proposal(item: &Item) -> api::Proposal {
    let of = &item.proposal;
    let postponed_until = match of.life.state() {
        desk::State::Postponed { until } => Some(until.to_string()),
        _ => None,
    };
    api::Proposal {
        record: of.record.to_string(),
        state: state_name(of.life.state().name()),
        origin: origin(&of.origin),
        criterion: of.origin.criterion().map(str::to_owned),
        rule_version: of.origin.version().map(str::to_owned),
        confirmations: confirmations(of),
        confirmations_needed: u32::from(item.decisions),
        decided_by: of.decided_by.clone(),
        label: item.label.as_ref().map(|label| label.reveal().to_owned()),
        due_on: of.origin.due_on().map(|due_on| due_on.to_string()),
        outcome: item.outcome().map(outcome),
        version: u64::from(of.version),
        unit: of.unit.clone(),
        proposed_at: instant(of.proposed_at),
        postponed_until,
        postponed_count: of.life.postponed_count(),
        reason: item.reason.clone(),
        problem: item.problem.clone(),
        held_since: item.held_since.map(|since| since.to_string()),
    }
}

/// Every move, from being proposed to where the proposal stands.
fn history(card: &Card) -> Vec<api::Move> {
    let of = &card.item.proposal;
    let mut moves = Vec::new();
    if of.origin != desk::Origin::Clerk {
        moves.push(api::Move {
            at: instant(of.proposed_at),
            from: None,
            to: api::State::Proposed,
            by: Actor::Daemon.to_string(),
            reason: Some(of.origin.to_string()),
            run: of.run.map(|run| run.0.unsigned_abs()),
        });
    }
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
            by: Actor::Daemon.to_string(),
            reason: match of.life.state() {
                desk::State::Erased { outcome } => Some(outcome.as_str().to_owned()),
                _ => None,
            },
            run: card.erasing_run.map(|run| run.0.unsigned_abs()),
        });
    }
    moves
}

fn step(event: &Event, from: api::State) -> api::Move {
    let (to, reason) = match &event.what {
        EventKind::Marked { reason } => (api::State::Proposed, Some(marked(reason.text.as_deref()))),
        EventKind::FirstConfirmed => (api::State::Proposed, Some("confirmed by the first of two".to_owned())),
        EventKind::Confirmed if event.actor == Actor::Daemon => {
            (api::State::Confirmed, Some("the category confirms marks at once".to_owned()))
        }
        EventKind::Confirmed => (api::State::Confirmed, None),
        EventKind::Postponed { until, reason } => {
            let said = match &reason.text {
                Some(typed) => format!("until {until}: {typed}"),
                None => format!("until {until}"),
            };
            (api::State::Postponed, Some(said))
        }
        EventKind::Restored => (api::State::Proposed, Some("the confirmation was taken back".to_owned())),
        EventKind::Withdrawn(reason) => (api::State::Withdrawn, Some(reason.to_string())),
        EventKind::PostponementOver => (api::State::Proposed, Some("the postponement is over".to_owned())),
        EventKind::Returned(reason) => (api::State::Proposed, Some(reason.to_string())),
    };
    api::Move {
        at: instant(event.at),
        from: (!matches!(event.what, EventKind::Marked { .. })).then_some(from),
        to,
        by: event.actor.to_string(),
        reason,
        run: event.run.map(|run| run.0.unsigned_abs()),
    }
}

fn marked(reason: Option<&str>) -> String {
    reason.map_or_else(|| "marked by hand".to_owned(), |typed| format!("marked by hand: {typed}"))
}

/// How many people have confirmed it so far.
const fn confirmations(of: &desk::Proposal) -> u32 {
    match of.life.state() {
        desk::State::Proposed { first: Some(_), .. } => 1,
        desk::State::Confirmed | desk::State::Erasing { .. } if of.has_two => 2,
        // Confirmed by the rule, nobody having been asked.
        desk::State::Confirmed | desk::State::Erasing { .. } if of.decided_by.is_none() => 0,
        desk::State::Confirmed | desk::State::Erasing { .. } => 1,
        _ => 0,
    }
}

/// A record that was marked.
pub(super) fn mark_answer(marked: desk::Marked) -> api::MarkAnswer {
    api::MarkAnswer {
        record: marked.decided.record.to_string(),
        state: state_name(marked.decided.state),
        version: u64::from(marked.decided.version),
        blocked: marked.blocked.iter().map(blocked).collect(),
    }
}

pub(super) fn blocked(by: &desk::Blocked) -> api::Blocked {
    api::Blocked { until: by.until.map(|until| until.to_string()), reason: by.reason.clone() }
}

const fn origin(origin: &desk::Origin) -> api::Origin {
    match origin {
        desk::Origin::Criterion { .. } => api::Origin::Criterion,
        desk::Origin::Application { .. } => api::Origin::Application,
        desk::Origin::Clerk => api::Origin::Clerk,
        desk::Origin::Shell => api::Origin::Shell,
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
