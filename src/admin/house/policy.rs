//! The rules in force, and what became of a change.

use super::faults::{Asked, problem_of};
use super::runs::instant;
use crate::admin::problem::{problem, with_hint};
use crate::api::{self, CategoryPolicy, Code, CriterionPolicy, DependentPolicy, Policy, Problem};
use crate::desk::{DeskError, RuleError, RuleOutcome, RuleStanding, RuleWish, Rules, StoredRule};

/// The rules in words of the socket.
pub(super) fn policy(rules: Vec<Rules>, standings: Vec<RuleStanding>) -> Policy {
    Policy {
        categories: rules.into_iter().map(category).collect(),
        rules: standings.into_iter().map(standing).collect(),
    }
}

fn category(rules: Rules) -> CategoryPolicy {
    let criteria = rules.criteria.into_iter().map(|of| CriterionPolicy {
        name: of.name,
        words: of.words,
        reason: of.reason,
        enabled: of.enabled,
        version: of.version,
    });
    let dependents = rules.dependents.into_iter();
    CategoryPolicy {
        category: rules.category.to_string(),
        source: rules.source.to_string(),
        table: rules.table,
        criteria: criteria.collect(),
        erasure: rules.erasure,
        marks: rules.marks,
        decisions: rules.decisions,
        brake: rules.brake,
        dependents: dependents.map(|d| DependentPolicy { table: d.table, words: d.words }).collect(),
        problem: rules.problem,
    }
}

/// What became of a change.
pub(super) fn answer(outcome: RuleOutcome, rule: RuleStanding) -> api::RuleAnswer {
    let outcome = match outcome {
        RuleOutcome::Holds => api::RuleOutcome::Holds,
        RuleOutcome::Waits => api::RuleOutcome::Waits,
        RuleOutcome::Dropped => api::RuleOutcome::Dropped,
    };
    api::RuleAnswer { outcome, rule: standing(rule) }
}

fn standing(of: RuleStanding) -> api::RuleStanding {
    let aside = of.aside;
    let set = of.set.map(|set| {
        let StoredRule { value, seq, at, by, approved, .. } = set;
        let (approved_by, approved_at) = approved.map(|(by, at)| (by.to_string(), instant(at))).unzip();
        api::RuleSet {
            value: value.unwrap_or_default(),
            change: seq,
            by: by.to_string(),
            at: instant(at),
            approved_by,
            approved_at,
            waits: aside.as_ref().is_some_and(|aside| aside.waits),
            aside: aside.map(|aside| aside.why),
        }
    });
    let waiting = of.waiting.map(|waiting| api::RuleWaiting {
        value: waiting.value,
        change: waiting.seq,
        by: waiting.by.to_string(),
        at: instant(waiting.at),
    });
    api::RuleStanding { name: of.name, value: of.in_force, file: of.file, set, waiting }
}

/// Why a rule was not changed.
pub(super) fn problem_with(wish: &RuleWish, name: &str, error: RuleError) -> Problem {
    let rule_name = name;
    let verb = match wish {
        RuleWish::Set(_) => "set",
        RuleWish::Unset => "unset",
        RuleWish::Approve(_) => "approve",
        RuleWish::Reject(_) => "reject",
    };
    let detail = format!("cannot {verb} {rule_name}: {error}");
    let told = |code, hint: &str| with_hint(problem(code, detail.clone()), hint);
    match error {
        RuleError::NoSuchCategory(_) => told(Code::NoSuchCategory, "erasurectl policy shows those there are"),
        RuleError::Wrong(finding) => match finding.hint {
            Some(hint) => told(Code::Invalid, &hint),
            None => problem(Code::Invalid, detail),
        },
        RuleError::Unfit(findings) => match findings.into_iter().find_map(|finding| finding.hint) {
            Some(hint) => told(Code::Invalid, &hint),
            None => problem(Code::Invalid, detail),
        },
        RuleError::Unread(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a rule cannot be held against the schema");
            told(Code::SourceUnavailable, "try again when the source can be read; erasurectl status says what is wrong")
        }
        RuleError::AlreadySo(_) | RuleError::NotSet | RuleError::NothingWaits => {
            told(Code::Conflict, "erasurectl policy list shows how every rule stands")
        }
        RuleError::OtherChange { .. } | RuleError::Overtaken => {
            told(Code::Conflict, "look at it again: erasurectl policy list")
        }
        RuleError::SamePerson(_) => told(
            Code::Conflict,
            "another person with the permission configure can approve it; erasurectl policy reject drops it",
        ),
        RuleError::Store(error) => problem_of(Asked::Decide(verb), DeskError::Store(error)),
    }
}
