//! How the daemon is, in numbers: what `status` tells, for machines that watch.
//!
//! May be relied on: no label has anything of a record in it, nor a person's name: categories, sources, jobs, states and the
//! version, which are the operator's words and ours.

use jiff::Timestamp;

use super::House;
use crate::admin::exposition::{Exposition, Kind};
use crate::desk::{
    CategoryStanding, ErasedCounts, JobStanding, Outcome, Overview, RunOutcome, RunState, Severity, SourceTrouble,
    StateName, complaints,
};

/// Microseconds of a second.
const MICROS: i64 = 1_000_000;

/// Seconds, exact to the microsecond.
fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros / MICROS, micros % MICROS)
}

/// How long ago something was; nothing, where it was not, or the clock was set back.
fn ago(now: Timestamp, then: Option<Timestamp>) -> i64 {
    then.map_or(0, |then| now.duration_since(then).as_secs().max(0))
}

impl House {
    /// The numbers in Prometheus' text format.
    pub(super) fn metrics_of(&self, overview: &Overview, erased: &ErasedCounts) -> String {
        let mut out = Exposition::default();
        let version = env!("CARGO_PKG_VERSION");
        out.family("erasured_build_info", Kind::Gauge, "Which version this is.").sample(&[("version", version)], 1);
        let mut family = out.family("erasured_start_time_seconds", Kind::Gauge, "When the daemon was started.");
        family.sample(&[], self.started_at.as_second());
        let mut family =
            out.family("erasured_clock_believed", Kind::Gauge, "Whether the clock is believed, and jobs run.");
        family.flag(&[], overview.clock.is_none());
        let mut family = out.family("erasured_complaints", Kind::Gauge, "How much is not well, by how bad it is.");
        let found = complaints(overview);
        for severity in Severity::ALL {
            let count = found.iter().filter(|complaint| complaint.severity == severity).count();
            family.sample(&[("severity", severity.as_str())], count);
        }
        self.proposals(&mut out, overview, erased);
        self.jobs(&mut out, overview);
        categories(&mut out, overview);
        self.sources(&mut out, overview);
        trail(&mut out, overview);
        out.text()
    }

    fn proposals(&self, out: &mut Exposition, overview: &Overview, erased: &ErasedCounts) {
        let mut family = out.family(
            "erasured_records_erased_total",
            Kind::Counter,
            "Records erased since the daemon was started, by category and by what was done.",
        );
        for ((category, outcome), count) in erased {
            let outcome = match outcome {
                Outcome::Deleted => "deleted",
                Outcome::Anonymised => "anonymised",
            };
            family.sample(&[("category", category.as_str()), ("outcome", outcome)], count);
        }
        let mut family = out.family("erasured_proposals", Kind::Gauge, "Open proposals, by category and state.");
        for CategoryStanding { category, counts, .. } in &overview.categories {
            for state in StateName::ALL.into_iter().filter(|state| state.is_open()) {
                let count = counts.get(&state).copied().unwrap_or_default();
                family.sample(&[("category", category.as_str()), ("state", state.as_str())], count);
            }
        }
        let mut family = out.family(
            "erasured_oldest_decision_wait_seconds",
            Kind::Gauge,
            "For how long the oldest proposal has waited for a decision; 0 where none waits.",
        );
        family.sample(&[], ago(self.desk.now(), overview.decisions.oldest_at));
    }

    fn jobs(&self, out: &mut Exposition, overview: &Overview) {
        let ended = |job: &JobStanding| {
            let run = job.last_ended.as_ref()?;
            match &run.state {
                RunState::Finished { started_at, finished_at, outcome, .. } => {
                    Some((*started_at, *finished_at, *outcome))
                }
                RunState::Queued | RunState::Running { .. } => None,
            }
        };
        let ended: Vec<_> = overview.jobs.iter().filter_map(|job| Some((job.job.as_str(), ended(job)?))).collect();
        let mut family =
            out.family("erasured_last_run_timestamp_seconds", Kind::Gauge, "When the newest run of a job ended.");
        for (job, (_, finished_at, _)) in &ended {
            family.sample(&[("job", job)], finished_at.as_second());
        }
        let mut family =
            out.family("erasured_last_run_duration_seconds", Kind::Gauge, "How long the newest run of a job went on.");
        for (job, (started_at, finished_at, _)) in &ended {
            let took = started_at.map_or(0, |started_at| finished_at.as_microsecond() - started_at.as_microsecond());
            family.sample(&[("job", job)], seconds(took.max(0)));
        }
        let mut family =
            out.family("erasured_last_run_state", Kind::Gauge, "How the newest run of a job ended: 1 for that state.");
        for (job, (_, _, outcome)) in &ended {
            for state in RunOutcome::ALL {
                family.flag(&[("job", job), ("state", state.as_str())], state == *outcome);
            }
        }
        let mut family = out.family("erasured_run_running", Kind::Gauge, "Whether a run of the job goes on.");
        for job in &overview.jobs {
            let is_running = job.last_run.as_ref().is_some_and(|run| matches!(run.state, RunState::Running { .. }));
            family.flag(&[("job", job.job.as_str())], is_running);
        }
        let mut family = out.family("erasured_next_run_timestamp_seconds", Kind::Gauge, "When a job runs next.");
        for job in &overview.jobs {
            if let Some(next_at) = self.next_at(job) {
                family.sample(&[("job", job.job.as_str())], next_at.as_second());
            }
        }
    }

    fn sources(&self, out: &mut Exposition, overview: &Overview) {
        let flags: [(&str, &str, SourceTrouble); 2] = [
            ("erasured_source_closed", "Whether a source is closed until an operator decides.", SourceTrouble::Closed),
            ("erasured_source_unreadable", "Whether a source cannot be read.", SourceTrouble::Unreadable),
        ];
        for (name, help, trouble) in flags {
            let mut family = out.family(name, Kind::Gauge, help);
            for standing in &overview.sources {
                family.flag(&[("source", standing.source.as_str())], standing.trouble == Some(trouble));
            }
        }
        let mut family = out.family(
            "erasured_removal_pending_steps",
            Kind::Gauge,
            "Steps that are still owed until what was erased is gone from a source's files.",
        );
        let left = || overview.sources.iter().filter_map(|of| Some((of.source.as_str(), of.removal.left.as_ref()?)));
        for (source, left) in left() {
            family.sample(&[("source", source)], left.owed.len());
        }
        let mut family = out.family(
            "erasured_removal_oldest_confirmation_seconds",
            Kind::Gauge,
            "How long ago the oldest confirmation was of what is not known to be gone; 0 where there is none.",
        );
        for (source, left) in left() {
            family.sample(&[("source", source)], ago(self.desk.now(), left.oldest));
        }
        let mut family =
            out.family("erasured_removal_overdue", Kind::Gauge, "Whether that is longer ago than the settings allow.");
        for standing in &overview.sources {
            family.flag(&[("source", standing.source.as_str())], standing.removal.is_overdue);
        }
    }
}

fn categories(out: &mut Exposition, overview: &Overview) {
    let mut family = out.family("erasured_gate_closed", Kind::Gauge, "Whether a category is stopped by its schema.");
    for standing in &overview.categories {
        family.flag(&[("category", standing.category.as_str())], standing.gate.is_some());
    }
    let mut family = out.family("erasured_brake_closed", Kind::Gauge, "Whether the brake has stopped a category.");
    for standing in &overview.categories {
        family.flag(&[("category", standing.category.as_str())], standing.is_braked);
    }
}

fn trail(out: &mut Exposition, overview: &Overview) {
    let mut family = out.family("erasured_trail_entries", Kind::Gauge, "The number of the trail's newest entry.");
    family.sample(&[], overview.entries);
    let signed = overview.signed.as_ref();
    let mut family = out.family(
        "erasured_trail_signed_entries",
        Kind::Gauge,
        "The number of the newest entry that a checkpoint is signed over.",
    );
    family.sample(&[], signed.map_or(0, |signed| signed.entries));
    let mut family =
        out.family("erasured_checkpoint_timestamp_seconds", Kind::Gauge, "When the newest checkpoint was signed.");
    if let Some(signed) = signed {
        family.sample(&[], signed.at.as_second());
    }
}
