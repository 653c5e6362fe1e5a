//! The schema gates.

use super::faults::{Asked, problem_of};
use super::runs::instant;
use crate::admin::problem::{problem, with_hint};
use crate::api::{self, Code, Problem, SchemaFinding, SchemaGates, SchemaStanding};
use crate::desk::{ClosedGate, DeskError, GateError, GateStanding};
use crate::record::CategoryName;

/// The gates in words of the socket.
pub(super) fn gates(standings: Vec<GateStanding>) -> SchemaGates {
    SchemaGates { categories: standings.into_iter().map(standing).collect() }
}

/// How one gate stands.
pub(super) fn standing(of: GateStanding) -> SchemaStanding {
    SchemaStanding {
        category: of.category.to_string(),
        source: of.source.to_string(),
        problem: of.problem,
        gate: of.gate.map(closed),
    }
}

/// A closed gate.
pub(super) fn closed(gate: ClosedGate) -> api::ClosedGate {
    let findings = gate.findings.into_iter();
    api::ClosedGate {
        since: gate.since.map(instant),
        findings: findings.map(|f| SchemaFinding { message: f.message, file: f.file, hint: f.hint }).collect(),
        digest: gate.digest,
    }
}

/// No category is called so.
pub(super) fn no_such_category(name: &str) -> Problem {
    with_hint(
        problem(Code::NoSuchCategory, format!("cannot accept the schema of {name}: there is no such category")),
        "erasurectl policy shows those there are",
    )
}

/// Why a change was not accepted.
pub(super) fn problem_with(category: &CategoryName, error: GateError) -> Problem {
    let detail = format!("cannot accept the schema of {category}: {error}");
    let told = |code, hint: &str| with_hint(problem(code, detail.clone()), hint);
    match error {
        GateError::NoSuchCategory(_) => told(Code::NoSuchCategory, "erasurectl policy shows those there are"),
        GateError::Unread(_) => {
            told(Code::SourceUnavailable, "try again when the source can be read; erasurectl status says what is wrong")
        }
        GateError::Unfit(_) => told(Code::Conflict, "put the settings right first, and reload them"),
        GateError::IsOpen => {
            told(Code::Conflict, "there is nothing to accept; erasurectl schema shows how every gate stands")
        }
        GateError::OtherChange | GateError::Overtaken => told(Code::Conflict, "look at it again: erasurectl schema"),
        GateError::Store(error) => problem_of(Asked::Decide("accept"), DeskError::Store(error)),
    }
}
