//! Linked records: the verdict over them, and confirming them together.

use super::House;
use super::decisions;
use super::faults::{Asked, problem_of};
use super::proposals::{outcome, state_name};
use crate::actor::Authorised;
use crate::admin::problem::{problem, with_hint};
use crate::admin::{Reply, RequestId, Target, With};
use crate::api;
use crate::api::{Code, LinkedStanding};
use crate::desk::{self, DeskError, LinkedFailure, Origin, Standing, Wish};

/// What a record is called that the asker may not see.
const ANOTHER_RECORD: &str = "another record";

/// The verdict in the words of the socket.
pub(super) fn verdict(of: &desk::LinkedVerdict) -> api::LinkedVerdict {
    let is_clear = !of.is_too_large && of.troubles.is_empty() && !of.records.iter().any(|one| one.standing.blocks());
    api::LinkedVerdict { verdict: of.to_string(), is_clear, records: of.records.iter().map(record).collect() }
}

fn record(one: &desk::LinkedRecord) -> api::LinkedRecord {
    let (standing, reason, until) = match &one.standing {
        Standing::Due { origin } => (LinkedStanding::Due, Some(due(origin)), None),
        Standing::Blocked { until, reason } => (LinkedStanding::Blocked, Some(reason.clone()), *until),
        Standing::Free { reason } => (LinkedStanding::Free, Some(reason.clone()), None),
        Standing::Erased => (LinkedStanding::Erased, None, None),
        Standing::Unknown { problem } => (LinkedStanding::Unknown, Some(problem.clone()), None),
    };
    let proposal = one.proposal.as_ref();
    api::LinkedRecord {
        record: one.record.as_ref().map(ToString::to_string),
        label: one.label.as_ref().map(|label| label.reveal().to_owned()),
        state: proposal.map(|proposal| state_name(proposal.life.state().name())),
        version: proposal.map(|proposal| u64::from(proposal.version)),
        standing,
        reason,
        until: until.map(|until| until.to_string()),
        outcome: one.alone.map(outcome),
        outcome_together: one.together.map(outcome),
        same_source: one.is_beside,
        confirmed_together: proposal.is_some_and(|proposal| proposal.together.is_some()),
    }
}

/// Why a record is to be erased.
fn due(origin: &Origin) -> String {
    match (origin.criterion(), origin.due_on()) {
        (Some(criterion), Some(since)) => format!("due under {criterion} since {since}"),
        (Some(criterion), None) => format!("due under {criterion}"),
        (None, _) if *origin == Origin::Clerk => "marked by a clerk".to_owned(),
        (None, _) => "marked by the application".to_owned(),
    }
}

impl House {
    /// Confirms, alone or together with what is linked, and says what linked records block.
    pub(super) async fn confirmed(
        &self,
        leave: &Authorised,
        request: &RequestId,
        targets: &[Target],
        with: &With,
    ) -> Reply<api::DecisionAnswers> {
        let targets = decisions::targets(targets);
        let failed = |error| problem_of(Asked::Decide("confirm"), error);
        let decided = if with.records.is_empty() && !with.all_linked {
            self.desk.decide(leave, request.as_str(), Wish::Confirm, &targets).await
        } else {
            let with = desk::With { records: decisions::targets(&with.records), all_linked: with.all_linked };
            self.desk.confirm_together(leave, request.as_str(), &targets, &with).await
        };
        let decided = match decided {
            Ok(decided) => decided,
            Err(DeskError::Refused(failures)) => return Ok(decisions::refused("confirm", failures)),
            Err(DeskError::NotTogether(failures)) => return Ok(not_together(failures)),
            Err(error) => return Err(failed(error)),
        };
        let verdicts = self.desk.verdicts(leave, &decided).await.map_err(failed)?;
        let waits = self.desk.still_waits(&decided);
        let mut answers = decisions::confirmed(decided, waits);
        for (record, verdict) in verdicts {
            let record = record.to_string();
            if let Some(answer) = answers.answers.iter_mut().find(|answer| answer.record == record) {
                answer.linked = Some(verdict.to_string());
            }
        }
        Ok(answers)
    }
}

/// None was confirmed: these stood in the way.
fn not_together(failures: Vec<LinkedFailure>) -> api::DecisionAnswers {
    let answers: Vec<api::DecisionAnswer> = failures
        .into_iter()
        .map(|LinkedFailure { record, fault }| {
            let record = record.map_or_else(|| ANOTHER_RECORD.to_owned(), |record| record.to_string());
            let refused = problem(Code::Conflict, format!("cannot confirm together with {record}: {fault}"));
            let problem = Some(with_hint(refused, fault.hint()));
            api::DecisionAnswer { record, state: None, version: None, problem, blocked: Vec::new(), linked: None }
        })
        .collect();
    api::DecisionAnswers { refused: answers.len() as u64, answers, ..api::DecisionAnswers::default() }
}
