//! The schedules of the settings, read.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Cron, Slot, due_slot, next_slot};
use crate::config::{Finding, Settings};
use crate::store::JobKind;

/// When each job runs.
#[derive(Debug, Clone)]
pub struct Timetable {
    zone: TimeZone,
    catch_up: bool,
    crons: Vec<(JobKind, Cron)>,
}

impl Timetable {
    /// Reads the schedules of the settings.
    ///
    /// # Errors
    /// A finding for every schedule that cannot be read.
    pub fn from_settings(settings: &Settings) -> Result<Self, Vec<Finding>> {
        let schedule = &settings.schedule;
        let mut crons = Vec::new();
        let mut findings = Vec::new();
        for (job, written) in [(JobKind::Prepare, &schedule.prepare), (JobKind::Erase, &schedule.erase)] {
            let Some(written) = written else { continue };
            match written.value.parse::<Cron>() {
                Ok(cron) => crons.push((job, cron)),
                Err(error) => {
                    let finding = Finding::error("schedule", &written.place, error.to_string());
                    findings.push(finding.hint(error.hint()));
                }
            }
        }
        if findings.is_empty() {
            Ok(Self { zone: settings.time_zone.clone(), catch_up: schedule.catch_up, crons })
        } else {
            Err(findings)
        }
    }

    /// The jobs that have a schedule, with it.
    pub fn crons(&self) -> impl Iterator<Item = (JobKind, &Cron)> {
        self.crons.iter().map(|(job, cron)| (*job, cron))
    }

    /// The slot of `job` that is due; see [`due_slot`].
    #[must_use]
    pub fn due(&self, job: JobKind, last_slot: Option<Timestamp>, now: Timestamp) -> Option<Slot> {
        due_slot(self.cron(job)?, &self.zone, last_slot, now, self.catch_up)
    }

    /// The next slot of `job`, for the status; see [`next_slot`].
    #[must_use]
    pub fn next(&self, job: JobKind, last_slot: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        next_slot(self.cron(job)?, &self.zone, last_slot, now)
    }

    /// Whether `job` has the same slots in both.
    pub(super) fn agrees_on(&self, job: JobKind, other: &Self) -> bool {
        self.zone == other.zone && self.cron(job) == other.cron(job)
    }

    fn cron(&self, job: JobKind) -> Option<&Cron> {
        self.crons.iter().find(|(of, _)| *of == job).map(|(_, cron)| cron)
    }
}

#[cfg(test)]
impl Timetable {
    pub(super) fn of(zone: &str, catch_up: bool, crons: &[(JobKind, &str)]) -> Self {
        let crons = crons.iter().map(|(job, text)| (*job, text.parse().unwrap())).collect();
        Self { zone: TimeZone::get(zone).unwrap(), catch_up, crons }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Located, Place, Schedule};

    fn settings(prepare: &str, erase: &str) -> Settings {
        let located =
            |text: &str, line| Located::new(text.to_owned(), Place { file: "erasured.toml".into(), line, column: 11 });
        Settings {
            time_zone: TimeZone::get("Europe/Vienna").unwrap(),
            time_zone_name: "Europe/Vienna".into(),
            schedule: Schedule { prepare: Some(located(prepare, 5)), erase: Some(located(erase, 6)), catch_up: true },
            sources: BTreeMap::new(),
            grants: Vec::new(),
            categories: BTreeMap::new(),
            holds: crate::config::Holds::default(),
            reasons: crate::config::Reasons::default(),
            retention: crate::config::Keeping::default(),
            notice: crate::config::Notice::default(),
        }
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_place() {
        let findings = Timetable::from_settings(&settings("0 2 * *", "0 4 31 2 *")).unwrap_err();
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "error: erasured.toml:5:11: the schedule \"0 2 * *\" has 4 fields where a schedule has five\n  \
                 hint: write minute, hour, day of month, month and day of week: \"0 4 * * Sun\" is Sundays at 4:00",
                "error: erasured.toml:6:11: the schedule \"0 4 31 2 *\" names a day that does not exist: the job would \
                 never run\n  hint: write a day that the month has, or name the days of the week instead",
            ]
        );
    }

    #[test]
    fn a_job_without_a_schedule_is_never_due() {
        let table = Timetable::of("Europe/Vienna", true, &[(JobKind::Prepare, "0 2 * * *")]);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (last, now) = (Some(at("2027-01-01T00:00:00Z")), at("2027-01-05T12:00:00Z"));
        assert!(table.due(JobKind::Prepare, last, now).is_some());
        assert_eq!(table.due(JobKind::Erase, last, now), None);
        assert_eq!(table.next(JobKind::Prepare, None, now), Some(at("2027-01-06T01:00:00Z")));
        assert_eq!(table.next(JobKind::Erase, None, now), None);
    }
}
