//! How the daemon is.

use super::runs::{instant, job_of, run, step_of};
use super::{House, schema};
use crate::api::{AuditStatus, CategoryStatus, JobStatus, PendingStep, RemovalStatus, SourceStatus, Status};
use crate::desk::{CategoryStanding, JobStanding, Overview, RemovalStanding, StateName};

impl House {
    /// The status in words of the socket.
    pub(super) fn status_of(&self, overview: Overview) -> Status {
        let settings = self.desk.settings();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: instant(self.started_at),
            today: self.desk.today().to_string(),
            time_zone: settings.time_zone_name.clone(),
            clock_problem: overview.clock,
            jobs: overview.jobs.into_iter().map(|job| self.job(job)).collect(),
            sources: overview
                .sources
                .into_iter()
                .map(|standing| SourceStatus {
                    source: standing.source.to_string(),
                    problem: standing.problem,
                    removal: removal(standing.removal),
                })
                .collect(),
            categories: overview.categories.into_iter().map(category).collect(),
            audit: AuditStatus { entries: overview.entries, signed: overview.signed },
        }
    }

    fn job(&self, standing: JobStanding) -> JobStatus {
        let next = self.timetable.borrow().next(standing.job, standing.last_slot, self.desk.now());
        JobStatus {
            job: job_of(standing.job),
            schedule: standing.schedule,
            next_at: next.or(standing.owed_at).map(instant),
            last_run: standing.last_run.map(run),
        }
    }
}

fn removal(standing: RemovalStanding) -> RemovalStatus {
    let pending = standing.left.owed.into_iter().map(|owed| PendingStep {
        step: step_of(owed.step),
        since: instant(owed.since),
        records: owed.records,
        tried_at: owed.tried_at.map(instant),
        why: owed.why,
        next_at: instant(owed.next_at),
    });
    RemovalStatus {
        pending: pending.collect(),
        oldest_confirmed_at: standing.left.oldest.map(instant),
        within: standing.within,
        overdue: standing.is_overdue,
        vacuum: standing.vacuum,
    }
}

fn category(standing: CategoryStanding) -> CategoryStatus {
    let count = |state| standing.counts.get(&state).copied().unwrap_or_default();
    CategoryStatus {
        proposed: count(StateName::Proposed),
        confirmed: count(StateName::Confirmed),
        postponed: count(StateName::Postponed),
        erasing: count(StateName::Erasing),
        category: standing.category.to_string(),
        problem: standing.problem,
        gate: standing.gate.map(schema::closed),
    }
}
