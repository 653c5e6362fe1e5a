//! How the daemon is.

use super::Session;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::run::{job_name, state_name};
use super::schema::closed;
use super::table::{facts, or_dash, table};
use crate::api::{Run, Status};

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
            job.schedule.clone().unwrap_or_else(|| "by hand".to_owned()),
            or_dash(job.next_at.as_deref()),
            last.map_or_else(|| or_dash(None), last_run),
        ]
    });
    let sources = status.sources.iter().map(|source| {
        let state = source.problem.clone().unwrap_or_else(|| "open".to_owned());
        let remains = source.remains.iter().cloned();
        [source.source.clone(), std::iter::once(state).chain(remains).collect::<Vec<_>>().join("; ")]
    });
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
    let mut parts = vec![
        head,
        table(["JOB", "SCHEDULE", "NEXT", "LAST RUN"], jobs),
        table(["SOURCE", "STATE"], sources),
        table(["CATEGORY", "PROPOSED", "CONFIRMED", "POSTPONED", "ERASING", "PROBLEM"], categories),
    ];
    let gates = status.categories.iter().filter_map(|of| Some(closed(&of.category, of.gate.as_ref()?)));
    parts.extend(gates);
    parts.join("\n")
}
