//! How the daemon is.

use super::Session;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::run::{job_name, state_name, step_name};
use super::schema::closed;
use super::table::{facts, or_dash, table};
use crate::api::{Job, PendingStep, Run, SourceStatus, Status};

pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let got = session.client.get::<Status>("/v1/status", &()).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        session.console.data(&written(&got.value))?;
    }
    Ok(Exit::Done)
}

/// A job's newest run: how it stands, or from when on it may begin.
fn last_run(run: &Run) -> String {
    let standing = format!("{}: {}", run.id, state_name(run.state));
    run.not_before.as_ref().map_or_else(|| standing.clone(), |at| format!("{standing}, not before {at}"))
}

fn written(status: &Status) -> String {
    let signed = format!("{} entries, {} of them signed", status.audit.entries, status.audit.signed);
    let head = facts([
        ("version", Some(status.version.clone())),
        ("up since", Some(status.started_at.clone())),
        ("today", Some(format!("{} ({})", status.today, status.time_zone))),
        ("clock", status.clock_problem.clone()),
        ("trail", Some(signed)),
    ]);
    let jobs = status.jobs.iter().map(|job| {
        let last = job.last_run.as_ref();
        [
            job_name(job.job).to_owned(),
            job.schedule.clone().unwrap_or_else(|| without_schedule(job.job).to_owned()),
            or_dash(job.next_at.as_deref()),
            last.map_or_else(|| or_dash(None), last_run),
        ]
    });
    let sources = status
        .sources
        .iter()
        .map(|source| [source.source.clone(), source.problem.clone().unwrap_or_else(|| "open".to_owned())]);
    let owed =
        status.sources.iter().flat_map(|source| source.removal.pending.iter().map(move |step| owed(source, step)));
    let owed: Vec<[String; 5]> = owed.collect();
    let categories = status.categories.iter().map(|category| {
        [
            category.category.clone(),
            category.proposed.to_string(),
            category.confirmed.to_string(),
            category.postponed.to_string(),
            category.erasing.to_string(),
            or_dash(category.problem.as_deref()),
        ]
    });
    let mut parts =
        vec![head, table(["JOB", "SCHEDULE", "NEXT", "LAST RUN"], jobs), table(["SOURCE", "STATE"], sources)];
    if !owed.is_empty() {
        parts.push(table(["SOURCE", "STILL TO BE REMOVED", "SINCE", "NEXT", "BECAUSE"], owed));
    }
    parts.extend(status.sources.iter().filter_map(overdue));
    parts.push(table(["CATEGORY", "PROPOSED", "CONFIRMED", "POSTPONED", "ERASING", "PROBLEM"], categories));
    parts.extend(status.categories.iter().filter_map(|of| Some(closed(&of.category, of.gate.as_ref()?))));
    parts.join("\n")
}

/// When a job without a schedule runs.
const fn without_schedule(job: Job) -> &'static str {
    match job {
        Job::Prepare | Job::Erase => "by hand",
        Job::Remove => "when owed",
    }
}

fn owed(source: &SourceStatus, step: &PendingStep) -> [String; 5] {
    [
        source.source.clone(),
        step_name(step.step).to_owned(),
        step.since.clone(),
        step.next_at.clone(),
        or_dash(step.why.as_deref()),
    ]
}

/// That what was confirmed is not known to be gone for longer than it may take.
fn overdue(source: &SourceStatus) -> Option<String> {
    let removal = &source.removal;
    let (within, oldest) = (removal.within.as_ref()?, removal.oldest_confirmed_at.as_ref()?);
    let said = format!(
        "{}: confirmed at {oldest} and not known to be gone, longer than the {within} that it may take\n",
        source.source
    );
    removal.overdue.then_some(said)
}
