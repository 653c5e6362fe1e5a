//! Starting a job by hand, and following it.

use super::Session;
use super::client::Got;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::{facts, table};
use super::{args, brake};
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
        let line = progress(&got.value);
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

fn progress(run: &Run) -> String {
    let counts = match run.work {
        // Before it runs there is nothing to count.
        _ if run.started_at.is_none() => return format!("run {}: {}", run.id, state_name(run.state)),
        Work::Prepare(counts) => format!("{} proposed", counts.proposed + counts.resumed),
        Work::Erase(counts) => {
            let set_aside = counts.returned + counts.withdrawn + counts.held;
            format!("{} erased, {set_aside} set aside", counts.deleted + counts.anonymised)
        }
        Work::Remove(counts) => format!("{} steps done, {} still to be done", counts.steps_done, counts.steps_pending),
    };
    format!("run {}: {}, {counts}", run.id, state_name(run.state))
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

fn written(run: &Run) -> String {
    let mut lines = vec![
        ("run", Some(run.id.to_string())),
        ("job", Some(what(run))),
        ("state", Some(state_name(run.state).to_owned())),
        ("begun by", Some(format!("{}, {}", run.by, trigger_name(run.trigger)))),
        ("queued", Some(run.queued_at.clone())),
        ("not before", run.not_before.clone()),
        ("started", run.started_at.clone()),
        ("finished", run.finished_at.clone()),
    ];
    let counted = if run.started_at.is_some() { counts(run.work) } else { Vec::new() };
    lines.extend(counted.into_iter().map(|(name, count)| (name, Some(count.to_string()))));
    lines.extend(run.overrides.map(|id| ("overrides", Some(format!("the brake of run {id}")))));
    run.brakes.iter().for_each(|brake| lines.extend(brake::lines(brake)));
    let removed = run.removal.iter().filter(|of| of.pending.is_empty() && !of.done.is_empty());
    lines.extend(removed.map(|of| ("removed from files", Some(format!("{}: {}", of.source, steps(&of.done))))));
    lines.extend(run.notes.iter().map(|note| ("note", Some(note.clone()))));
    let mut shown = facts(lines);
    if !run.proofs.is_empty() {
        let layers = run.proofs.iter().flat_map(|(source, proof)| {
            proof.layers.iter().map(move |layer| [source.clone(), layer.layer.clone(), found(proof, layer)])
        });
        shown.push('\n');
        shown.push_str(&table(["SOURCE", "LAYER", "WHETHER IT IS GONE"], layers));
    }
    shown
}

/// What was found in a layer.
fn found(proof: &Proof, layer: &ProofLayer) -> String {
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
    let job = match run.work {
        Work::Prepare(_) => Job::Prepare,
        Work::Erase(_) => Job::Erase,
        Work::Remove(_) => Job::Remove,
    };
    let job = job_name(job);
    if run.dry_run { format!("{job} (dry run)") } else { job.to_owned() }
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

fn trigger_name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "on schedule",
        Trigger::CatchUp => "catching up",
        Trigger::Request => "by hand",
    }
}
