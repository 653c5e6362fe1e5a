//! What somebody is to be told of, in one digest: what has become wrong, and what was newly proposed.
//!
//! May be relied on: no name and no key of a record is in it; what was told once is not told again before [`REMIND_AFTER`],
//! unless it went away meanwhile. What was told stands in the trail, where a start finds it again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::status::DecisionsStanding;
use super::{Complaint, Counts, Desk, DeskError, Run, Severity};
use crate::audit::{By, Kind, ToldComplaint};
use crate::store::AuditFilter;

/// After so long what still stands is told of again.
const REMIND_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What a daemon before this one has told counts for so long: it may have gone away and come back since.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// At most so many complaints stand in the text.
const LINES_MAX: usize = 50;
/// More ended runs than this are not counted one by one.
const RUNS_MAX: u32 = 1_000;

/// What is not well, and what waits.
#[derive(Debug, Clone)]
pub struct Health {
    /// All that is not well, the worst first.
    pub complaints: Vec<Complaint>,
    /// What waits for a decision.
    pub decisions: DecisionsStanding,
}

/// What was told, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlreadyTold {
    complaints: BTreeMap<String, Timestamp>,
    /// Runs that have ended up to then were told of.
    runs_until: Timestamp,
}

/// What is to be told now.
#[derive(Debug, Clone)]
pub struct Digest {
    /// When it was made.
    pub at: Timestamp,
    /// What is not well and was not told of, the worst first.
    pub complaints: Vec<Complaint>,
    /// Records that were proposed since somebody was told last, by category.
    pub proposed: BTreeMap<String, u64>,
    /// What waits for a decision.
    pub decisions: DecisionsStanding,
    /// What counts as told once this was.
    told: AlreadyTold,
}

impl Digest {
    /// How bad the worst of it is; none where only new proposals are told.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.complaints.first().map(|complaint| complaint.severity)
    }

    /// All of it in one line.
    #[must_use]
    pub fn subject(&self) -> String {
        let proposed: u64 = self.proposed.values().sum();
        let proposed = match proposed {
            0 => None,
            1 => Some("one new proposal".to_owned()),
            more => Some(format!("{more} new proposals")),
        };
        super::told(&self.complaints).into_iter().chain(proposed).collect::<Vec<_>>().join("; ")
    }

    /// The same in sentences, one a line.
    #[must_use]
    pub fn text(&self) -> String {
        let complaints = self.complaints.iter().map(|one| format!("{}: {}", one.severity.as_str(), one.sentence));
        let complaints = complaints.take(LINES_MAX);
        let proposed = self.proposed.iter().map(|(category, count)| format!("newly proposed: {count} of {category}"));
        let waiting = self
            .decisions
            .oldest_at
            .map(|at| format!("waiting for a decision: {}, the oldest since {at:.0}", self.decisions.waiting));
        let mut text = complaints.chain(proposed).chain(waiting).collect::<Vec<_>>().join("\n");
        text.push('\n');
        text
    }
}

impl Desk {
    /// What daemons before this one have told. Where none ever has, what is older than a day is nothing new.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn already_told(&self) -> Result<AlreadyTold, DeskError> {
        let filter = AuditFilter { kind: Some("notice_given".to_owned()), ..AuditFilter::default() };
        let page = self.store.audit_list(&filter, None, 1).await.map_err(DeskError::Store)?;
        let newest = page.items.first().and_then(|entry| entry.known_kind());
        let now = self.now();
        // A sum that the calendar does not have is not looked back upon.
        let a_day_ago = now.checked_sub(REMEMBERED_FOR).unwrap_or(now);
        let nothing = AlreadyTold { complaints: BTreeMap::new(), runs_until: a_day_ago };
        let Some(Kind::NoticeGiven { runs_until, complaints, .. }) = newest else { return Ok(nothing) };
        let recent = |one: ToldComplaint| {
            let at: Timestamp = one.told_at.parse().ok()?;
            (now.duration_since(at) < REMEMBERED_FOR).then_some((one.what, at))
        };
        let runs_until = runs_until.parse().unwrap_or(nothing.runs_until);
        Ok(AlreadyTold { complaints: complaints.into_iter().filter_map(recent).collect(), runs_until })
    }

    /// What is to be told by now; none where there is nothing new.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn digest(&self, told: &mut AlreadyTold, health: &Health) -> Result<Option<Digest>, DeskError> {
        let ended = self.store.runs_ended_after(told.runs_until, RUNS_MAX).await.map_err(DeskError::Store)?;
        Ok(digest(told, health, &ended, self.now()))
    }

    /// Writes down that somebody was told; gives what is told by now.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn note_told(&self, digest: Digest) -> Result<AlreadyTold, DeskError> {
        let Digest { proposed, told, .. } = digest;
        let complaints =
            told.complaints.iter().map(|(what, at)| ToldComplaint { what: what.clone(), told_at: text(*at) });
        let kind = Kind::NoticeGiven {
            runs_until: text(told.runs_until),
            complaints: complaints.collect(),
            proposed: proposed.values().sum(),
        };
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        change.record(&By::daemon(), &kind).await.map_err(DeskError::Store)?;
        change.commit().await.map_err(DeskError::Store)?;
        Ok(told)
    }
}

fn text(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// What is new. What went away since is forgotten, so that it is told of when it comes back.
fn digest(told: &mut AlreadyTold, health: &Health, ended: &[Run], now: Timestamp) -> Option<Digest> {
    let name = |one: &Complaint| format!("{}: {}", one.code, one.sentence);
    told.complaints.retain(|what, _| health.complaints.iter().any(|one| name(one) == *what));
    let is_new =
        |one: &&Complaint| told.complaints.get(&name(one)).is_none_or(|at| now.duration_since(*at) >= REMIND_AFTER);
    let complaints: Vec<Complaint> = health.complaints.iter().filter(is_new).cloned().collect();
    let mut proposed = BTreeMap::new();
    for (category, counts) in ended.iter().filter(|run| !run.dry_run).flat_map(|run| &run.report.categories) {
        let Counts { proposed: new, postponed_returned: again, .. } = counts;
        if new + again > 0 {
            *proposed.entry(category.clone()).or_default() += new + again;
        }
    }
    if complaints.is_empty() && proposed.is_empty() {
        return None;
    }
    let mut after = told.clone();
    after.complaints.extend(complaints.iter().map(|one| (name(one), now)));
    after.runs_until = ended.iter().filter_map(Run::finished_at).fold(told.runs_until, Timestamp::max);
    Some(Digest { at: now, complaints, proposed, decisions: health.decisions.clone(), told: after })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{JobKind, RunId, RunOutcome, RunReport, RunState, RunTrigger};

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + HOUR * i32::try_from(hours).unwrap()
    }

    fn health(sentences: &[&str]) -> Health {
        let complaint = |sentence: &&str| Complaint {
            severity: Severity::Warning,
            code: "brake-closed",
            sentence: (*sentence).to_owned(),
        };
        let decisions = DecisionsStanding { waiting: 7, oldest_at: Some(at(0)), after: None, is_overdue: false };
        Health { complaints: sentences.iter().map(complaint).collect(), decisions }
    }

    fn run(ended: i64, proposed: u64, dry_run: bool) -> Run {
        let mut report = RunReport::default();
        report.categories.insert("member".to_owned(), Counts { proposed, ..Counts::default() });
        Run {
            id: RunId(ended),
            job: JobKind::Prepare,
            trigger: RunTrigger::Schedule { slot: at(ended) },
            dry_run,
            queued_at: at(ended),
            state: RunState::Finished {
                started_at: Some(at(ended)),
                finished_at: at(ended),
                outcome: RunOutcome::Done,
                reason: None,
            },
            not_before: None,
            tries: 1,
            report,
        }
    }

    fn nothing() -> AlreadyTold {
        AlreadyTold { complaints: BTreeMap::new(), runs_until: at(0) }
    }

    #[test]
    fn what_was_told_is_told_again_when_it_comes_back_or_stays_for_long() {
        let (one, mut told) = (health(&["the brake has stopped member"]), nothing());
        let first = digest(&mut told, &one, &[], at(1)).unwrap();
        assert_eq!(first.subject(), "warning: the brake has stopped member");
        told = first.told;
        assert!(digest(&mut told, &one, &[], at(2)).is_none());
        assert!(digest(&mut told, &one, &[], at(7 * 24)).is_none());
        assert!(digest(&mut told, &one, &[], at(7 * 24 + 1)).is_some(), "it still stands");
        assert!(digest(&mut told, &health(&[]), &[], at(3)).is_none());
        assert!(digest(&mut told, &one, &[], at(4)).is_some(), "it was away");
    }

    #[test]
    fn new_proposals_are_counted_once_and_together() {
        let mut told = nothing();
        let ended = [run(1, 3, false), run(2, 0, false), run(3, 2, false), run(4, 9, true)];
        let news = digest(&mut told, &health(&[]), &ended, at(5)).unwrap();
        assert_eq!((news.subject().as_str(), news.severity()), ("5 new proposals", None));
        let text = "newly proposed: 5 of member\nwaiting for a decision: 7, the oldest since 1970-01-01T00:00:00Z\n";
        assert_eq!(news.text(), text);
        assert_eq!(news.told.runs_until, at(4));
        assert!(digest(&mut told, &health(&[]), &[run(1, 0, false)], at(5)).is_none());
    }

    #[test]
    fn what_is_wrong_comes_before_what_is_new() {
        let news = digest(&mut nothing(), &health(&["one", "other"]), &[run(1, 1, false)], at(2)).unwrap();
        assert_eq!(news.subject(), "warning: one; other; one new proposal");
        assert_eq!(news.severity(), Some(Severity::Warning));
    }
}
