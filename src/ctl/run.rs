//! Starting a job by hand, and following it.

use super::Session;
use super::client::Got;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::sheet::Body;
use super::table::{facts, grid};
use super::{args, brake, report};
use crate::api::{
    Job, Proof, ProofLayer, ProofVerdict, RemovalStep, Run, RunRequest, RunState, Trigger, WaitQuery, Work,
};

/// How long one request waits for news of a run, in seconds.
const NEWS_SECONDS: u32 = 2;

pub(super) async fn run(session: &mut Session<'_>, what: &args::Run) -> Result<Exit, Failure> {
    let queued = if what.override_brake {
        brake::overridden(session, what).await?
    } else {
        let request = RunRequest { job: what.job.into(), dry_run: what.dry_run };
        session.client.post::<Run>("/v1/runs", &request).await?
    };
    if what.wait {
        let ended = follow(session, queued).await?;
        return tell(&mut session.console, ended);
    }
    let id = queued.value.id;
    let exit = tell(&mut session.console, queued)?;
    session.console.flush()?;
    session.console.talk(format!("hint: see how it goes on with erasurectl runs show {id}"));
    Ok(exit)
}

/// Asks for news until the run has ended, and tells what is new.
async fn follow(session: &mut Session<'_>, queued: Got<Run>) -> Result<Got<Run>, Failure> {
    let mut got = queued;
    let mut told = String::new();
    loop {
        let line = report::progress(&got.value);
        if line != told {
            session.console.progress(&line);
            told = line;
        }
        if matches!(got.value.state, RunState::Done | RunState::Partly | RunState::Failed | RunState::Stopped) {
            return Ok(got);
        }
        let path = format!("/v1/runs/{}", got.value.id);
        got = session.client.get(&path, &WaitQuery { wait: Some(NEWS_SECONDS) }).await?;
    }
}

/// Shows a run; one that failed is a failure of the verb.
pub(super) fn tell(console: &mut Console<'_>, got: Got<Run>) -> Result<Exit, Failure> {
    let shown = if console.json { pretty(&got.json) } else { written(&got.value) };
    console.data(&shown)?;
    console.flush()?;
    let run = got.value;
    let cannot = |why: &str| Failure::new(Exit::Refused, format!("cannot finish run {}: {why}", run.id));
    match (run.state, run.problem) {
        (RunState::Queued | RunState::Running | RunState::Done, _) => Ok(Exit::Done),
        (RunState::Failed | RunState::Partly, Some(problem)) => Err(problem.into()),
        (RunState::Failed | RunState::Partly, None) => Err(cannot("the daemon's log says why")),
        (RunState::Stopped, _) => Err(cannot("the daemon was stopped").hint("it goes on with the next run")),
    }
}

/// A run on a screen.
fn written(run: &Run) -> String {
    let mut lines = report::head(run);
    lines.extend(report::sums(run));
    let brakes = run.brakes.iter().flat_map(brake::lines);
    lines.extend(brakes.filter_map(|(name, value)| Some((name, value?))));
    let removed = run.removal.iter().filter(|of| of.pending.is_empty() && !of.done.is_empty());
    lines.extend(removed.map(|of| ("removed from files", format!("{}: {}", of.source, steps(&of.done)))));
    lines.extend(run.notes.iter().map(|note| ("note", note.clone())));
    lines.extend(run.progress.iter().map(|progress| ("at present", report::stage(progress))));
    lines.extend(run.trail.iter().flat_map(report::entries));
    let mut shown = facts(lines.into_iter().map(|(name, value)| (name, Some(value))));
    for part in [report::categories(run), report::reasons(run), report::left_out(run), report::proofs(run)] {
        if let Body::Grid { head, rows } = part
            && !rows.is_empty()
        {
            shown.push('\n');
            shown.push_str(&grid(&head, &rows));
        }
    }
    shown
}

/// What was found in a layer.
pub(super) fn found(proof: &Proof, layer: &ProofLayer) -> String {
    let (count, reason) = (layer.found, layer.reason.as_deref().unwrap_or_default());
    match layer.verdict {
        ProofVerdict::Clean => "clean".to_owned(),
        // Without values, nothing else can be counted.
        ProofVerdict::Found if proof.records == 0 => format!("found {count} bytes that are not zero"),
        ProofVerdict::Found => format!("found {count}"),
        ProofVerdict::Pending => format!("pending: {reason}"),
        ProofVerdict::CannotBeSeen => format!("cannot be seen: {reason}"),
    }
}

fn steps(steps: &[RemovalStep]) -> String {
    steps.iter().copied().map(step_name).collect::<Vec<_>>().join(", ")
}

pub(super) fn step_name(step: RemovalStep) -> &'static str {
    match step {
        RemovalStep::FullText => "full-text indexes",
        RemovalStep::Statistics => "statistics",
        RemovalStep::Vacuum => "whole file",
        RemovalStep::Rebuild => "full-text indexes once more",
        RemovalStep::Checkpoint => "write-ahead log",
        RemovalStep::Proof => "proof",
    }
}

/// The counts of a run, with their names.
pub(super) fn counts(work: Work) -> Vec<(&'static str, u64)> {
    match work {
        Work::Prepare(counts) => vec![
            ("proposed", counts.proposed),
            ("resumed", counts.resumed),
            ("withdrawn", counts.withdrawn),
            ("unchanged", counts.unchanged),
            ("came back", counts.came_back),
            ("retained", counts.retained),
            ("no start date", counts.no_start_date),
            ("unreadable date", counts.unreadable_date),
            ("null key", counts.null_key),
            ("unusable key", counts.unusable_key),
            ("empty identity", counts.empty_identity),
            ("already anonymised", counts.already_anonymised),
        ],
        Work::Erase(counts) => vec![
            ("deleted", counts.deleted),
            ("anonymised", counts.anonymised),
            ("returned", counts.returned),
            ("withdrawn", counts.withdrawn),
            ("shells", counts.shells),
            ("cooling off", counts.cooling_off),
            ("held", counts.held),
            ("left", counts.left),
            ("dependents", counts.dependents),
        ],
        Work::Remove(counts) => {
            vec![("steps done", counts.steps_done), ("steps still to be done", counts.steps_pending)]
        }
    }
}

/// The job of a run, and whether it only counts.
pub(super) fn what(run: &Run) -> String {
    let job = job_of(run);
    if run.dry_run { format!("{job} (dry run)") } else { job.to_owned() }
}

/// The job of a run.
pub(super) fn job_of(run: &Run) -> &'static str {
    job_name(match run.work {
        Work::Prepare(_) => Job::Prepare,
        Work::Erase(_) => Job::Erase,
        Work::Remove(_) => Job::Remove,
    })
}

pub(super) fn job_name(job: Job) -> &'static str {
    match job {
        Job::Prepare => "prepare",
        Job::Erase => "erase",
        Job::Remove => "remove",
    }
}

pub(super) fn state_name(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "queued",
        RunState::Running => "running",
        RunState::Done => "done",
        RunState::Partly => "partly done",
        RunState::Failed => "failed",
        RunState::Stopped => "stopped",
    }
}

pub(super) fn trigger_name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "on schedule",
        Trigger::CatchUp => "catching up",
        Trigger::Request => "by hand",
    }
}
