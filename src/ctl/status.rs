//! How the daemon is.

use super::exit::{Exit, Failure};
use super::json::pretty;
use super::run::{job_name, state_name, step_name};
use super::schema::closed;
use super::table::{clean, facts, or_dash, table};
use super::tongue::told;
use super::{Session, args};
use crate::api::{DecisionStatus, Health, HealthState, Job, PendingStep, Run, SourceStatus, Status};

pub(super) async fn run(session: &mut Session<'_>, asked: args::Status) -> Result<Exit, Failure> {
    if asked.check {
        session.client.hurry();
        return check(session).await;
    }
    let got = session.client.get::<Status>("/v1/status", &()).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        session.console.data(&written(&got.value))?;
    }
    Ok(Exit::Done)
}

/// What a monitoring plugin says and ends with: one line first, then how things stand.
async fn check(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let status = match session.client.get::<Status>("/v1/status", &()).await {
        Ok(got) => got.value,
        Err(Failure::NobodyReads) => return Err(Failure::NobodyReads),
        Err(Failure::Told { exit, sentence, .. }) => {
            let verdict = if exit == Exit::Unreachable { Verdict::Critical } else { Verdict::Unknown };
            session.console.data(&verdict.line(&[&sentence]))?;
            return Ok(verdict.exit());
        }
    };
    let verdict = match status.health.state {
        HealthState::Ok => Verdict::Ok,
        HealthState::Warning => Verdict::Warning,
        HealthState::Critical => Verdict::Critical,
    };
    let sentences: Vec<&str> = status.health.complaints.iter().map(|of| of.message.as_str()).collect();
    let waiting = decisions(&status.decisions);
    let sentences = if sentences.is_empty() { vec![waiting.as_str()] } else { sentences };
    session.console.data(&format!("{}\n\n{}", verdict.line(&sentences), written(&status)))?;
    Ok(verdict.exit())
}

/// The verdicts that monitoring plugins have.
#[derive(Clone, Copy)]
enum Verdict {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl Verdict {
    /// The words are those of every plugin, in every language.
    fn line(self, sentences: &[&str]) -> String {
        let word = match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        };
        let told: Vec<String> = sentences.iter().map(|sentence| told(&clean(sentence))).collect();
        format!("{word}: {}", told.join("; "))
    }

    /// 0 to 3, as monitoring has it: with `--check` an exit code says nothing else.
    const fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Done,
            Self::Warning => Exit::CheckWarning,
            Self::Critical => Exit::CheckCritical,
            Self::Unknown => Exit::CheckUnknown,
        }
    }
}

/// What waits for a decision, and for how long.
fn decisions(of: &DecisionStatus) -> String {
    match (&of.oldest_at, of.oldest_days.unwrap_or(0)) {
        (None, _) => "nothing waits for a decision".to_owned(),
        (Some(at), 0) => format!("{} to be decided, the oldest since {at}", of.waiting),
        (Some(at), 1) => format!("{} to be decided, the oldest since {at}, for 1 day", of.waiting),
        (Some(at), days) => format!("{} to be decided, the oldest since {at}, for {days} days", of.waiting),
    }
}

/// Whether all is well, and what is not.
fn health(of: &Health) -> Vec<(&'static str, Option<String>)> {
    if of.complaints.is_empty() {
        return vec![("health", Some("well".to_owned()))];
    }
    let name = |severity| if severity == HealthState::Critical { "critical" } else { "warning" };
    of.complaints.iter().map(|of| (name(of.severity), Some(of.message.clone()))).collect()
}

/// A job's newest run: how it stands, or from when on it may begin.
fn last_run(run: &Run) -> String {
    let standing = format!("{}: {}", run.id, state_name(run.state));
    run.not_before.as_ref().map_or_else(|| standing.clone(), |at| format!("{standing}, not before {at}"))
}

fn written(status: &Status) -> String {
    let signed = format!("{} entries, {} of them signed", status.audit.entries, status.audit.signed);
    let checkpoint = status.audit.signed_at.as_ref().map(|at| format!("up to entry {}, at {at}", status.audit.signed));
    let mut lines = health(&status.health);
    lines.extend([
        ("decisions", Some(decisions(&status.decisions))),
        ("version", Some(status.version.clone())),
        ("up since", Some(status.started_at.clone())),
        ("today", Some(format!("{} ({})", status.today, status.time_zone))),
        ("clock", status.clock_problem.clone()),
        ("trail", Some(signed)),
        ("last checkpoint", checkpoint),
    ]);
    let head = facts(lines);
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
