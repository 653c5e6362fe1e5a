//! The report on a run: what it was, how many, why, how long, what is left, and where the trail has it.
//!
//! An auditor is handed it, so it names nobody but whoever has asked for the run.

use super::brake;
use super::list::origin_name;
use super::run::{counts, found, job_of, state_name, step_name, trigger_name, what};
use super::sheet::{Body, Section};
use super::table::or_dash;
use super::tongue::told;
use crate::api::{
    ClosedBrake, Doing, EraseCounts, PrepareCounts, Proof, ProofLayer, Run, RunCategory, RunProgress, RunReason,
    RunState, RunTrail, Work,
};

/// Milliseconds from which on a time is told in seconds, and seconds from which on in minutes.
const TOLD_IN_SECONDS_MS: u64 = 10_000;
const TOLD_IN_MINUTES_S: u64 = 600;

/// All of it, in the order in which it is read.
pub(super) fn sections(run: &Run) -> Vec<Section> {
    let section = |heading, body| Section { heading, body };
    let mut sections = vec![
        section("What it was", Body::Facts(head(run))),
        section("What it did", Body::Facts(sums(run))),
        section("By category", categories(run)),
        section("By the reason for which they were due", reasons(run)),
        section("Categories that were left out", left_out(run)),
        section("Brakes that closed", Body::Facts(run.brakes.iter().flat_map(brake_facts).collect())),
        section("Removed from the files", removal(run)),
        section("Whether it is gone", proofs(run)),
        section("What somebody should know", Body::Lines(run.notes.clone())),
        section("What could not be done", Body::Lines(problem(run))),
    ];
    if let Some(trail) = &run.trail {
        sections.push(section("In the audit trail", Body::Facts(entries(trail))));
        let note = trail.checkpoint.as_ref().and_then(|checkpoint| checkpoint.note.clone());
        sections.push(section("The checkpoint that is signed over it", Body::Verbatim(note.unwrap_or_default())));
    }
    sections.retain(|section| !section.is_empty());
    sections
}

/// Who, when, how long.
pub(super) fn head(run: &Run) -> Vec<(&'static str, String)> {
    let ended = run.duration_ms.map(duration);
    let lines = [
        ("run", Some(run.id.to_string())),
        ("job", Some(what(run))),
        ("state", Some(state_name(run.state).to_owned())),
        ("begun by", Some(format!("{}, {}", run.by, trigger_name(run.trigger)))),
        ("overrides", run.overrides.map(|id| format!("the brake of run {id}"))),
        ("tries again", (run.tries > 0).then(|| format!("what was left, attempt {}", run.tries))),
        ("queued", Some(run.queued_at.clone())),
        ("not before", run.not_before.clone()),
        ("started", run.started_at.clone()),
        ("finished", run.finished_at.clone()),
        ("duration", ended),
        ("longest lock", run.longest_lock_us.map(lock)),
    ];
    lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// What it did in all.
pub(super) fn sums(run: &Run) -> Vec<(&'static str, String)> {
    let counted = if run.started_at.is_some() { counts(run.work) } else { Vec::new() };
    counted.into_iter().map(|(name, count)| (name, count.to_string())).collect()
}

/// How long something took, as exactly as anybody wants to know.
fn duration(millis: u64) -> String {
    match (millis, millis / 1_000) {
        (millis, _) if millis < TOLD_IN_SECONDS_MS => format!("{millis} ms"),
        (_, seconds) if seconds < TOLD_IN_MINUTES_S => format!("{seconds} s"),
        (_, seconds) => format!("{} min", seconds / 60),
    }
}

fn lock(micros: u64) -> String {
    if micros < 1_000 { format!("{micros} µs") } else { duration(micros / 1_000) }
}

/// The counts that a category has in a run of this job, with their names; none where they may not be seen.
fn counts_of(category: &RunCategory) -> Vec<(&'static str, u64)> {
    match (category.prepared, category.erased) {
        (Some(prepared), _) => counts(Work::Prepare(prepared)),
        (None, Some(erased)) => counts(Work::Erase(erased)),
        (None, None) => Vec::new(),
    }
}

/// Categories by what became of them; what became of none is left out.
pub(super) fn categories(run: &Run) -> Body {
    let names = match run.work {
        Work::Prepare(_) => counts(Work::Prepare(PrepareCounts::default())),
        Work::Erase(_) => counts(Work::Erase(EraseCounts::default())),
        Work::Remove(_) => Vec::new(),
    };
    let of: Vec<(&RunCategory, Vec<(&str, u64)>)> = run
        .categories
        .iter()
        .map(|category| (category, counts_of(category)))
        .filter(|(_, counts)| counts.iter().any(|(_, count)| *count > 0))
        .collect();
    let is_told = |name: &str| of.iter().flat_map(|(_, counts)| counts).any(|(of, count)| *of == name && *count > 0);
    let told: Vec<&'static str> = names.into_iter().map(|(name, _)| name).filter(|name| is_told(name)).collect();
    let row = |(category, counts): &(&RunCategory, Vec<(&str, u64)>)| {
        let cell = |name: &&'static str| {
            counts.iter().find(|(of, _)| of == name).map_or_else(String::new, |(_, count)| count.to_string())
        };
        std::iter::once(category.category.clone()).chain(told.iter().map(cell)).collect()
    };
    Body::Grid { rows: of.iter().map(row).collect(), head: std::iter::once("CATEGORY").chain(told.clone()).collect() }
}

/// The same by the reason for which records were due.
pub(super) fn reasons(run: &Run) -> Body {
    type Column = (&'static str, fn(&RunReason) -> u64);
    let columns: &[Column] = match run.work {
        Work::Prepare(_) => &[("proposed", |reason| reason.proposed)],
        Work::Erase(_) => &[("deleted", |reason| reason.deleted), ("anonymised", |reason| reason.anonymised)],
        Work::Remove(_) => &[],
    };
    let row = |category: &RunCategory, reason: &RunReason| {
        let due = reason.criterion.clone().unwrap_or_else(|| told(origin_name(reason.origin)));
        let told = columns.iter().map(|(_, count)| count(reason).to_string());
        [category.category.clone(), due].into_iter().chain(told).collect()
    };
    let rows = run.categories.iter().flat_map(|of| of.reasons.iter().map(move |reason| row(of, reason))).collect();
    let head = ["CATEGORY", "CRITERION"].into_iter().chain(columns.iter().map(|(name, _)| *name)).collect();
    Body::Grid { head, rows }
}

/// Categories that were stopped.
pub(super) fn left_out(run: &Run) -> Body {
    let row = |of: &RunCategory| Some(vec![of.category.clone(), of.stopped.clone()?]);
    Body::Grid { head: vec!["CATEGORY", "BECAUSE"], rows: run.categories.iter().filter_map(row).collect() }
}

fn brake_facts(brake: &ClosedBrake) -> impl Iterator<Item = (&'static str, String)> + use<> {
    brake::lines(brake).into_iter().filter_map(|(name, value)| Some((name, value?)))
}

fn removal(run: &Run) -> Body {
    let mut rows = Vec::new();
    for of in &run.removal {
        let step = |step, stands: &str, why: Option<&str>| {
            vec![of.source.clone(), step_name(step).to_owned(), stands.to_owned(), or_dash(why)]
        };
        rows.extend(of.done.iter().map(|done| step(*done, "done", None)));
        rows.extend(of.pending.iter().map(|left| step(left.step, "still to be done", Some(&left.why))));
        rows.extend(of.not_wanted.iter().map(|unasked| step(*unasked, "not asked for", None)));
    }
    Body::Grid { head: vec!["SOURCE", "WHAT", "STATE", "BECAUSE"], rows }
}

/// What was found of the erased afterwards, layer by layer.
pub(super) fn proofs(run: &Run) -> Body {
    let of = |(source, proof): (&String, &Proof)| -> Vec<Vec<String>> {
        let row = |layer: &ProofLayer| vec![source.clone(), layer.layer.clone(), found(proof, layer)];
        proof.layers.iter().map(row).collect()
    };
    let head = vec!["SOURCE", "LAYER", "WHETHER IT IS GONE"];
    Body::Grid { head, rows: run.proofs.iter().flat_map(of).collect() }
}

fn problem(run: &Run) -> Vec<String> {
    let Some(problem) = &run.problem else { return Vec::new() };
    std::iter::once(problem.detail.clone()).chain(problem.hint.clone()).collect()
}

/// Where the trail has it.
pub(super) fn entries(trail: &RunTrail) -> Vec<(&'static str, String)> {
    let span = match (trail.first_entry, trail.last_entry) {
        (Some(first), Some(last)) => Some(format!("{first} to {last}")),
        (Some(first), None) => Some(format!("from {first} on")),
        (None, _) => None,
    };
    let signed = trail.checkpoint.as_ref();
    let lines = [
        ("entries", span),
        ("asked for in entry", trail.queued_entry.map(|entry| entry.to_string())),
        ("why, in entry", trail.override_entry.map(|entry| entry.to_string())),
        ("signed", signed.map(|signed| format!("up to entry {}, at {at}", signed.entries, at = signed.at))),
    ];
    lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// How far a run is that goes on, in words.
pub(super) fn stage(progress: &RunProgress) -> String {
    let RunProgress { doing, of, rows, .. } = progress;
    match doing {
        Doing::Looking if *rows > 0 => format!("looking at {of}, {rows} rows so far"),
        Doing::Looking => format!("looking at {of}"),
        Doing::Counting => format!("counting what of {of} is to be erased"),
        Doing::Together => format!("erasing what was confirmed together in {of}"),
        Doing::Erasing => format!("erasing {of}"),
        Doing::Removing => format!("removing what was erased from the files of {of}"),
        Doing::Proving => format!("looking for what was erased in the files of {of}"),
    }
}

/// How far a run is, in one line: what it is at, and what it has done so far.
pub(super) fn progress(run: &Run) -> String {
    let counts = match run.work {
        // Before it runs there is nothing to count.
        _ if run.started_at.is_none() => return format!("run {}: {}", run.id, state_name(run.state)),
        Work::Prepare(counts) => format!("{} proposed", counts.proposed + counts.resumed),
        Work::Erase(counts) => {
            let set_aside = counts.returned + counts.withdrawn + counts.held;
            let erased = counts.deleted + counts.anonymised;
            match run.progress.as_ref().and_then(|progress| progress.waiting) {
                Some(waiting) => format!("{erased} of {waiting} erased, {set_aside} set aside"),
                None => format!("{erased} erased, {set_aside} set aside"),
            }
        }
        Work::Remove(counts) => format!("{} steps done, {} still to be done", counts.steps_done, counts.steps_pending),
    };
    match run.progress.as_ref().filter(|_| run.state == RunState::Running) {
        Some(at) => format!("run {}: {}, {}, {counts}", run.id, state_name(run.state), stage(at)),
        None => format!("run {}: {}, {counts}", run.id, state_name(run.state)),
    }
}

/// The title of a report.
pub(super) fn title(run: &Run) -> String {
    format!("report on run {}: {}", run.id, job_of(run))
}
