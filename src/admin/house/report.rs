//! What a run is accounted for by: category by category, by reasons, and in the trail.

use std::collections::BTreeSet;

use super::runs::{erased, instant, prepared};
use crate::api::{self, Doing, RunCategory, RunProgress, RunReason, RunTrail, SignedCheckpoint};
use crate::desk::{self, JobKind, ReasonCounts, RunEntries, RunReport, Signed, reason_parts};

/// Every category that something became of in the run, or that was left out.
pub(super) fn categories(job: JobKind, report: &RunReport) -> Vec<RunCategory> {
    let names: BTreeSet<&String> = report.categories.keys().chain(report.stopped.keys()).collect();
    let of = |name: &String| {
        let counts = report.categories.get(name);
        RunCategory {
            category: name.clone(),
            prepared: counts.filter(|_| job == JobKind::Prepare).map(prepared),
            erased: counts.filter(|_| job == JobKind::Erase).map(erased),
            reasons: report.reasons.get(name).into_iter().flatten().map(reason).collect(),
            stopped: report.stopped.get(name).cloned(),
        }
    };
    names.into_iter().map(of).collect()
}

fn reason((name, counts): (&String, &ReasonCounts)) -> RunReason {
    let (origin, criterion) = reason_parts(name);
    RunReason {
        origin: match origin {
            "application" => api::Origin::Application,
            "clerk" => api::Origin::Clerk,
            "shell" => api::Origin::Shell,
            _ => api::Origin::Criterion,
        },
        criterion: criterion.map(str::to_owned),
        proposed: counts.proposed,
        deleted: counts.deleted,
        anonymised: counts.anonymised,
    }
}

/// How far a run is.
pub(super) fn progress(report: &RunReport) -> Option<RunProgress> {
    let stage = report.stage.as_ref()?;
    let doing = match stage.doing {
        desk::Doing::Looking => Doing::Looking,
        desk::Doing::Counting => Doing::Counting,
        desk::Doing::Together => Doing::Together,
        desk::Doing::Erasing => Doing::Erasing,
        desk::Doing::Removing => Doing::Removing,
        desk::Doing::Proving => Doing::Proving,
    };
    Some(RunProgress { doing, of: stage.of.clone(), rows: stage.rows, waiting: report.waiting })
}

/// What the trail has of a run.
pub(super) fn trail(entries: RunEntries) -> RunTrail {
    RunTrail {
        queued_entry: entries.queued,
        override_entry: entries.overridden,
        first_entry: entries.first,
        last_entry: entries.last,
        checkpoint: entries.signed.map(checkpoint),
    }
}

/// A checkpoint in words of the socket.
pub(super) fn checkpoint(signed: Signed) -> SignedCheckpoint {
    let Signed { entries, at, note } = signed;
    SignedCheckpoint { entries, at: instant(at), note: (!note.is_empty()).then_some(note) }
}
