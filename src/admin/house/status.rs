//! How the daemon is.

use jiff::Timestamp;

use super::runs::{instant, job_of, run, step_of};
use super::{House, schema};
use crate::api::{
    AuditStatus, CategoryStatus, Complaint, DecisionStatus, Health, HealthState, JobStatus, PendingStep, RemovalStatus,
    SourceStatus, Status,
};
use crate::desk::{
    self, CategoryStanding, DecisionsStanding, JobStanding, Overview, RemovalStanding, Severity, SourceTrouble,
    StateName, complaints,
};

/// Hours of a day on which no clock is changed.
const HOURS_A_DAY: i64 = 24;

impl House {
    /// The status in words of the socket.
    pub(super) fn status_of(&self, overview: Overview) -> Status {
        let settings = self.desk.settings();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: instant(self.started_at),
            today: self.desk.today().to_string(),
            time_zone: settings.time_zone_name.clone(),
            health: health(complaints(&overview)),
            decisions: self.decisions(&overview.decisions),
            clock_problem: overview.clock,
            jobs: overview.jobs.into_iter().map(|job| self.job(job)).collect(),
            sources: overview
                .sources
                .into_iter()
                .map(|standing| SourceStatus {
                    source: standing.source.to_string(),
                    problem: standing.problem,
                    closed: standing.trouble == Some(SourceTrouble::Closed),
                    removal: removal(standing.removal),
                })
                .collect(),
            categories: overview.categories.into_iter().map(category).collect(),
            audit: AuditStatus {
                entries: overview.entries,
                signed: overview.signed.as_ref().map_or(0, |signed| signed.entries),
                signed_at: overview.signed.map(|signed| instant(signed.at)),
            },
        }
    }

    fn decisions(&self, standing: &DecisionsStanding) -> DecisionStatus {
        let age = standing.oldest_at.map(|at| self.desk.now().duration_since(at).as_hours() / HOURS_A_DAY);
        DecisionStatus {
            waiting: standing.waiting,
            oldest_at: standing.oldest_at.map(instant),
            // The clock may have been set back.
            oldest_days: age.map(|days| u64::try_from(days).unwrap_or(0)),
            after: standing.after.clone(),
            overdue: standing.is_overdue,
        }
    }

    /// When a job runs next.
    pub(super) fn next_at(&self, standing: &JobStanding) -> Option<Timestamp> {
        let next = self.timetable.borrow().next(standing.job, standing.last_slot, self.desk.now());
        next.or(standing.owed_at)
    }

    fn job(&self, standing: JobStanding) -> JobStatus {
        JobStatus {
            job: job_of(standing.job),
            next_at: self.next_at(&standing).map(instant),
            schedule: standing.schedule,
            last_run: standing.last_run.map(run),
        }
    }
}

/// Whether all is well, in words of the socket.
fn health(found: Vec<desk::Complaint>) -> Health {
    let severity = |severity| match severity {
        Severity::Critical => HealthState::Critical,
        Severity::Warning => HealthState::Warning,
    };
    let state = found.first().map_or(HealthState::Ok, |worst| severity(worst.severity));
    let complaint = |desk::Complaint { severity: how, code, sentence, .. }| Complaint {
        severity: severity(how),
        code: code.to_owned(),
        message: sentence,
    };
    Health { state, complaints: found.into_iter().map(complaint).collect() }
}

fn removal(standing: RemovalStanding) -> RemovalStatus {
    let (owed, oldest) = standing.left.map_or_else(Default::default, |left| (left.owed, left.oldest));
    let pending = owed.into_iter().map(|owed| PendingStep {
        step: step_of(owed.step),
        since: instant(owed.since),
        records: owed.records,
        tried_at: owed.tried_at.map(instant),
        why: owed.why,
        next_at: instant(owed.next_at),
    });
    RemovalStatus {
        pending: pending.collect(),
        oldest_confirmed_at: oldest.map(instant),
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
        braked: standing.is_braked,
    }
}
