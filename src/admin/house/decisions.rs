//! Decisions: what the desk has moved, or why it has not.

use super::faults::{no_such_record, not_in_the_future};
use super::proposals::{blocked, state_name};
use crate::admin::problem::{problem, with_hint};
use crate::admin::{Reply, Target};
use crate::api::{self, Code, DecisionAnswer, DecisionAnswers, Problem};
use crate::desk::{
    self, ConfirmedSet, Decided, DecisionFailure, DecisionFault, MoveError, Named, SeenSet, SetDifference, SetDigest,
    Wish,
};
use crate::record::RecordRef;

/// What the clerk does.
pub(super) const fn word(wish: &Wish) -> &'static str {
    match wish {
        Wish::Confirm => "confirm",
        Wish::Postpone { .. } => "postpone",
        Wish::Restore => "restore",
    }
}

/// The records as the desk takes them. A version beyond all that can be is one that the record does not have.
pub(super) fn targets(targets: &[Target]) -> Vec<desk::Target> {
    let target = |target: &Target| desk::Target {
        record: target.record.clone(),
        version: target.version.map(|version| u32::try_from(version).unwrap_or(u32::MAX)),
    };
    targets.iter().map(target).collect()
}

/// All were moved.
pub(super) fn done(decided: Vec<Decided>) -> DecisionAnswers {
    let answers: Vec<DecisionAnswer> = decided
        .into_iter()
        .map(|now| DecisionAnswer {
            record: now.record.to_string(),
            state: Some(state_name(now.state)),
            version: Some(u64::from(now.version)),
            problem: None,
            blocked: Vec::new(),
            linked: None,
        })
        .collect();
    DecisionAnswers { done: answers.len() as u64, answers, ..DecisionAnswers::default() }
}

/// All were confirmed, and these wait for something yet.
pub(super) fn confirmed(decided: Vec<Decided>, waits: Vec<Option<desk::Blocked>>) -> DecisionAnswers {
    let mut answers = done(decided);
    for (answer, wait) in answers.answers.iter_mut().zip(waits) {
        match (&wait, answer.state) {
            (Some(_), Some(api::State::Confirmed)) => answers.cooling_off += 1,
            (Some(_), _) => answers.await_second += 1,
            (None, _) => {}
        }
        answer.blocked = wait.iter().map(blocked).collect();
    }
    answers
}

/// None was moved: these stood in the way.
pub(super) fn refused(doing: &str, failures: Vec<DecisionFailure>) -> DecisionAnswers {
    let answers: Vec<DecisionAnswer> = failures.into_iter().map(|failure| answer(doing, failure)).collect();
    DecisionAnswers { refused: answers.len() as u64, answers, ..DecisionAnswers::default() }
}

/// What stands for a set.
pub(super) fn seen(seen: SeenSet) -> api::SetDigest {
    let SeenSet { digest, proposed } = seen;
    api::SetDigest { records: digest.records, proposed, digest: digest.to_string() }
}

/// The digest that somebody wrote.
pub(super) fn digest(text: &str) -> Reply<SetDigest> {
    text.parse().map_err(|_| {
        with_hint(
            problem(Code::Malformed, "cannot read the digest: it is none that a list has given"),
            "erasurectl list with the same filters and --digest gives it",
        )
    })
}

/// A whole set was confirmed.
pub(super) fn all_done(set: ConfirmedSet) -> DecisionAnswers {
    let ConfirmedSet { records, await_second, cooling_off } = set;
    DecisionAnswers { done: records, await_second, cooling_off, ..DecisionAnswers::default() }
}

/// Nothing of a set was confirmed, because it is not what was seen.
pub(super) fn different(difference: &SetDifference) -> DecisionAnswers {
    let part = |named: &Named| api::SetPart {
        count: named.count,
        records: named.records.iter().map(ToString::to_string).collect(),
    };
    let SetDifference { then, now, new, gone, changed, more } = difference;
    let is_told = *more || new.count + gone.count + changed.count > 0;
    let detail = if is_told {
        "cannot confirm all of the set: it has changed since the digest was made"
    } else {
        "cannot confirm all of the set: the digest stands for another one"
    };
    let hint = if is_told {
        "look at what has changed, and take a new digest: erasurectl list with the same filters and --digest"
    } else {
        "give the filters that the digest was made with; somebody else's digest may be of records that you do not see"
    };
    let difference = api::SetDifference {
        then: *then,
        now: *now,
        new: part(new),
        gone: part(gone),
        changed: part(changed),
        more: *more,
        problem: with_hint(problem(Code::Conflict, detail), hint),
    };
    DecisionAnswers { difference: Some(difference), ..DecisionAnswers::default() }
}

fn answer(doing: &str, failure: DecisionFailure) -> DecisionAnswer {
    let DecisionFailure { record, fault } = failure;
    let (state, version) = match &fault {
        DecisionFault::Changed { now, .. } => (None, Some(u64::from(*now))),
        DecisionFault::Rule(MoveError::WrongState { state, .. }) => (Some(state_name(state.name())), None),
        DecisionFault::NotProposed | DecisionFault::Rule(_) => (None, None),
    };
    let problem = Some(problem_with(doing, &record, &fault));
    DecisionAnswer { record: record.to_string(), state, version, problem, blocked: Vec::new(), linked: None }
}

fn problem_with(doing: &str, record: &RecordRef, fault: &DecisionFault) -> Problem {
    match fault {
        DecisionFault::NotProposed => no_such_record(doing, &record.to_string()),
        DecisionFault::Changed { .. } => with_hint(
            problem(Code::Conflict, format!("cannot {doing} {record}: {fault}")),
            format!("look at it again: erasurectl show {record}"),
        ),
        DecisionFault::Rule(MoveError::NotInTheFuture { until, today }) => {
            not_in_the_future(&format!("{doing} {record}"), *until, *today)
        }
        DecisionFault::Rule(rule) => {
            let detail = match rule {
                MoveError::WrongState { state, .. } => format!("cannot {doing} {record}: it is {state}"),
                fault => format!("cannot {doing} {record}: {fault}"),
            };
            with_hint(problem(Code::Conflict, detail), rule.hint())
        }
    }
}
