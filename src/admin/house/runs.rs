//! Runs, with their counts at the top level.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::proof::proof;
use super::report::{categories, progress};
use crate::actor::Actor;
use crate::admin::problem::{problem, with_hint};
use crate::api::{
    self, Code, DependentRows, EraseCounts, PrepareCounts, Problem, RemoveCounts, RunState, SourceRemoval, StepLeft,
    Trigger, Work,
};
use crate::desk::{
    self, Counts, JobKind, Page, ProofReport, RemovalStep, Removed, Run, RunId, RunOutcome, RunReport, RunTrigger,
};
use crate::scheduler::ON_TIME_MAX_MINUTES;

/// An instant as the socket writes it.
pub(super) fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// What the brake has stopped in a run.
pub(super) fn closed_brakes(run: Run, digest: String) -> api::ClosedBrakes {
    let records = run.report.brakes.values().map(|brake| brake.records).sum();
    api::ClosedBrakes {
        run: run.id.0.unsigned_abs(),
        job: job_of(run.job),
        records,
        digest,
        brakes: brakes(run.report.brakes),
    }
}

/// The job that is asked for.
pub(super) const fn kind_of(job: api::Job) -> JobKind {
    match job {
        api::Job::Prepare => JobKind::Prepare,
        api::Job::Erase => JobKind::Erase,
        api::Job::Remove => JobKind::Remove,
    }
}

/// The job by its name on the socket.
pub(super) const fn job_of(kind: JobKind) -> api::Job {
    match kind {
        JobKind::Prepare => api::Job::Prepare,
        JobKind::Erase => api::Job::Erase,
        JobKind::Remove => api::Job::Remove,
    }
}

/// Whether nothing more will come of it.
pub(super) const fn is_over(run: &Run) -> bool {
    matches!(run.state, desk::RunState::Finished { .. })
}

/// A page of runs.
pub(super) fn page(page: Page<Run, RunId>) -> api::RunPage {
    api::RunPage {
        total: page.total,
        items: page.items.into_iter().map(run).collect(),
        next: page.next.map(|id| id.to_string()),
    }
}

/// One run.
pub(super) fn run(run: Run) -> api::Run {
    let (by, trigger) = trigger(&run);
    let total = run.report.total();
    let mut notes = notes(&run);
    let (state, started_at, finished_at, trouble) = match &run.state {
        desk::RunState::Queued => (RunState::Queued, None, None, None),
        desk::RunState::Running { started_at } => (RunState::Running, Some(*started_at), None, None),
        desk::RunState::Finished { started_at, finished_at, outcome, reason } => {
            (ended(*outcome), *started_at, Some(*finished_at), reason.clone())
        }
    };
    let problem = match state {
        RunState::Partly | RunState::Failed => Some(incomplete(&run, trouble)),
        _ => {
            notes.extend(trouble);
            None
        }
    };
    let duration = started_at.zip(finished_at).map(|(from, to)| to.duration_since(from).as_millis());
    api::Run {
        id: run.id.0.unsigned_abs(),
        dry_run: run.dry_run,
        state,
        trigger,
        by: by.to_string(),
        queued_at: instant(run.queued_at),
        not_before: run.not_before.filter(|_| state == RunState::Queued).map(instant),
        started_at: started_at.map(instant),
        finished_at: finished_at.map(instant),
        // The clock may have been set back meanwhile.
        duration_ms: duration.map(|millis| u64::try_from(millis).unwrap_or(0)),
        longest_lock_us: run.report.longest_lock_us,
        tries: run.tries,
        progress: (state == RunState::Running).then(|| progress(&run.report)).flatten(),
        categories: categories(run.job, &run.report),
        work: match run.job {
            JobKind::Prepare => Work::Prepare(prepared(&total)),
            JobKind::Erase => Work::Erase(erased(&total)),
            JobKind::Remove => Work::Remove(removed(&run.report)),
        },
        overrides: run.report.overrides.map(i64::unsigned_abs),
        brakes: brakes(run.report.brakes),
        removal: run.report.removal.iter().map(source_removal).collect(),
        notes,
        problem,
        proofs: run.report.proofs.iter().map(|(source, report)| (source.clone(), proof(report))).collect(),
        trail: None,
    }
}

fn trigger(run: &Run) -> (Actor, Trigger) {
    match &run.trigger {
        RunTrigger::Manual { actor, .. } => (actor.clone(), Trigger::Request),
        RunTrigger::Schedule { slot } => {
            let late = run.queued_at.duration_since(*slot) > SignedDuration::from_mins(ON_TIME_MAX_MINUTES);
            (Actor::Daemon, if late { Trigger::CatchUp } else { Trigger::Schedule })
        }
    }
}

const fn ended(outcome: RunOutcome) -> RunState {
    match outcome {
        RunOutcome::Done => RunState::Done,
        RunOutcome::Partly => RunState::Partly,
        RunOutcome::Failed => RunState::Failed,
        RunOutcome::Stopped => RunState::Stopped,
    }
}

fn brakes(closed: BTreeMap<String, desk::ClosedBrake>) -> Vec<api::ClosedBrake> {
    let spread = |desk::Spread { most, others }| api::Spread {
        most: most.into_iter().map(|desk::SpreadPart { name, records }| api::SpreadPart { name, records }).collect(),
        others,
    };
    let brake = |(category, closed): (String, desk::ClosedBrake)| api::ClosedBrake {
        category,
        records: closed.records,
        rows: closed.rows,
        count: closed.count,
        share: closed.share,
        digest: closed.digest,
        criteria: spread(closed.criteria),
        units: spread(closed.units),
        due_years: spread(closed.due_years),
    };
    closed.into_iter().map(brake).collect()
}

fn incomplete(run: &Run, trouble: Option<String>) -> Problem {
    let why = trouble.unwrap_or_else(|| "the daemon's log says why".to_owned());
    let hint = if run.report.brakes.is_empty() {
        "put it right and run the job again; what was done so far holds"
    } else {
        "look at the numbers: where they are not right, a rule is not; where they are, erasurectl run JOB --override-brake \
         --reason TEXT"
    };
    let id = run.id;
    with_hint(problem(Code::RunIncomplete, format!("cannot finish run {id}: {why}")), hint)
}

pub(super) fn prepared(total: &Counts) -> PrepareCounts {
    PrepareCounts {
        proposed: total.proposed,
        resumed: total.postponed_returned,
        withdrawn: total.withdrawn,
        unchanged: total.already_open,
        came_back: total.came_back,
        retained: total.retained,
        no_start_date: total.unreadable.no_start_date,
        unreadable_date: total.unreadable.unreadable_date,
        null_key: total.unreadable.null_key,
        unusable_key: total.unreadable.unusable_key,
        empty_identity: total.unreadable.empty_identity,
        already_anonymised: total.unreadable.already_anonymised,
    }
}

pub(super) fn erased(total: &Counts) -> EraseCounts {
    let rows = &total.dependents;
    EraseCounts {
        deleted: total.deleted,
        anonymised: total.anonymised,
        returned: total.returned,
        withdrawn: total.withdrawn,
        shells: total.shells,
        cooling_off: total.cooling_off,
        held: total.held,
        left: total.left,
        // Changed rows alone: what was kept as it was did not notice.
        dependents: rows.deleted + rows.anonymised + rows.unlinked,
        dependent_rows: DependentRows {
            deleted: rows.deleted,
            anonymised: rows.anonymised,
            unlinked: rows.unlinked,
            kept: rows.kept,
            shared_kept: rows.shared_kept,
        },
    }
}

fn removed(report: &RunReport) -> RemoveCounts {
    let count = |of: fn(&Removed) -> usize| report.removal.values().map(|removed| of(removed) as u64).sum();
    RemoveCounts { steps_done: count(|removed| removed.done.len()), steps_pending: count(|r| r.pending.len()) }
}

/// The step by its name on the socket.
pub(super) const fn step_of(step: RemovalStep) -> api::RemovalStep {
    match step {
        RemovalStep::FullText => api::RemovalStep::FullText,
        RemovalStep::Statistics => api::RemovalStep::Statistics,
        RemovalStep::Vacuum => api::RemovalStep::Vacuum,
        RemovalStep::Rebuild => api::RemovalStep::Rebuild,
        RemovalStep::Checkpoint => api::RemovalStep::Checkpoint,
        RemovalStep::Proof => api::RemovalStep::Proof,
    }
}

fn source_removal((source, removed): (&String, &Removed)) -> SourceRemoval {
    let step = |word: &String| word.parse().ok().map(step_of);
    let left = |(word, why): (&String, &String)| Some(StepLeft { step: step(word)?, why: why.clone() });
    SourceRemoval {
        source: source.clone(),
        done: removed.done.iter().filter_map(step).collect(),
        pending: removed.pending.iter().filter_map(left).collect(),
        not_wanted: removed.not_wanted.iter().filter_map(step).collect(),
    }
}

/// What somebody should look at: records that could not be judged, and what may still be in files.
fn notes(run: &Run) -> Vec<String> {
    let mut notes = Vec::new();
    if run.job == JobKind::Erase {
        notes.extend(run.report.removal.iter().flat_map(|(source, removed)| removed.left(source)));
    }
    notes.extend(run.report.refused.iter().flat_map(|(category, of_category)| refused(category, of_category)));
    for (category, counts) in &run.report.categories {
        if counts.came_back > 0 {
            let records = if counts.came_back == 1 { "record was" } else { "records were" };
            notes.push(format!(
                "{category}: {} {records} erased before and came back with a restored backup",
                counts.came_back
            ));
        }
        if counts.back_undue > 0 {
            let records = if counts.back_undue == 1 { "record was" } else { "records were" };
            notes.push(format!(
                "{category}: {} {records} erased before, came back with a restored backup, and would not be proposed: the trail names them (came_back); mark those that are to be erased again",
                counts.back_undue
            ));
        }
        if counts.back_unsure > 0 {
            let records = if counts.back_unsure == 1 { "record was" } else { "records were" };
            notes.push(format!(
                "{category}: {} {records} erased before, and the same key is there again; whether a restored backup brought the same person back cannot be told: the key or the columns of the fingerprints are others by now",
                counts.back_unsure
            ));
        }
        let unreadable = &counts.unreadable;
        for (count, what) in [
            (unreadable.unreadable_date, "a start date that cannot be read"),
            (unreadable.null_key, "NULL in the key"),
            (unreadable.unusable_key, "a key that cannot be told from another"),
            (unreadable.empty_identity, "nothing in the columns that make it the same person"),
        ] {
            if count > 0 {
                let records = if count == 1 { "record has" } else { "records have" };
                notes.push(format!("{category}: {count} {records} {what}, and cannot be proposed"));
            }
        }
    }
    notes.extend(run.report.proofs.iter().flat_map(|(source, report)| proven(source, report)));
    notes
}

/// What the database said of records that it refused to erase.
fn refused(category: &str, by_reason: &BTreeMap<String, u64>) -> Vec<String> {
    let told = |(why, count): (&String, &u64)| {
        let records = if *count == 1 { "record was" } else { "records were" };
        format!("{category}: {count} {records} not erased, for the database refused it: {why}")
    };
    by_reason.iter().map(told).collect()
}

/// What a proof has come to. What is not clean is still to be done, and told there.
fn proven(source: &str, report: &ProofReport) -> Vec<String> {
    let in_use = report.values.iter().flat_map(|values| &values.in_use_by);
    let mut notes: Vec<String> = in_use
        .map(|(table, count)| match count {
            1 => format!("{source}: one value is still in use in {table}"),
            _ => format!("{source}: {count} values are still in use in {table}"),
        })
        .collect();
    if report.is_clean() {
        let left = if notes.is_empty() { "nothing is left" } else { "nothing else is left" };
        notes.push(format!("{source}: {left} of what was erased, as far as can be seen"));
    }
    notes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_in_use_is_said_with_its_table() {
        let proven_with = |in_use_by: BTreeMap<String, u64>| {
            let values = json!({ "records": 1, "values": 4, "found": 0, "in_use": 4, "in_use_by": in_use_by });
            let layers = json!([{ "layer": "database", "verdict": { "is": "clean" } }]);
            proven("app", &serde_json::from_value(json!({ "layers": layers, "values": values })).unwrap())
        };
        let nothing = "app: nothing is left of what was erased, as far as can be seen";
        assert_eq!(proven_with(BTreeMap::new()), [nothing]);
        let told = proven_with([("bill".to_owned(), 1), ("log".to_owned(), 3)].into());
        let in_use = ["app: one value is still in use in bill", "app: 3 values are still in use in log"];
        assert_eq!(told[..2], in_use);
        assert_eq!(told[2], "app: nothing else is left of what was erased, as far as can be seen");
    }
}
