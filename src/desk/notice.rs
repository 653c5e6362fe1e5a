//! What somebody is to be told of, in one digest: what has become wrong, and what was newly proposed.
//!
//! May be relied on: no name and no key of a record is in it; what was told once is not told again before [`REMIND_AFTER`],
//! unless it went away meanwhile. What was told stands in the trail, where a start finds it again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::status::DecisionsStanding;
use super::{Complaint, Counts, Desk, DeskError, Run, Severity};
use crate::audit::{By, Kind, ToldComplaint};
use crate::store::{AuditFilter, RunId};

/// After so long what still stands is told of again.
const REMIND_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What a daemon before this one has told counts for so long: it may have gone away and come back since.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// What was away for so long is new when it comes back. A source that cannot be read now and then is told of once.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// At most so many complaints stand in the text.
const LINES_MAX: usize = 50;
/// At most so many ended runs are looked at together; the others are for the next look.
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
    /// By what it is and what it is about.
    of: BTreeMap<String, Standing>,
    /// Runs that have ended up to then were told of, or had nothing to tell.
    runs_until: Timestamp,
    /// Runs that were told of before the clock was set back, and have ended later than it showed then.
    ahead: BTreeSet<RunId>,
}

/// Something that was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    told_at: Timestamp,
    /// When it was last found to stand.
    seen_at: Timestamp,
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
        let Some(Kind::NoticeGiven { runs_until, complaints, .. }) = newest else {
            return Ok(AlreadyTold { of: BTreeMap::new(), runs_until: a_day_ago, ahead: BTreeSet::new() });
        };
        let recent = |one: ToldComplaint| {
            let told_at: Timestamp = one.told_at.parse().ok()?;
            // What was told by a clock that was ahead may be told again.
            (a_day_ago..=now).contains(&told_at).then_some((one.what, Standing { told_at, seen_at: now }))
        };
        let runs_until = runs_until.parse().unwrap_or(a_day_ago);
        let of = complaints.into_iter().filter_map(recent).collect();
        Ok(AlreadyTold { of, runs_until, ahead: BTreeSet::new() })
    }

    /// What is to be told by now; none where there is nothing new.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn digest(&self, told: &mut AlreadyTold, health: &Health) -> Result<Option<Digest>, DeskError> {
        let now = self.now();
        if told.runs_until > now {
            // The clock was set back. What ends from here on is new, and what has ended by then is not.
            let later = self.store.prepared_after(now, RUNS_MAX).await.map_err(DeskError::Store)?;
            let known = later.iter().filter(|run| run.finished_at() <= Some(told.runs_until));
            told.ahead.extend(known.map(|run| run.id));
            told.runs_until = now;
        }
        let mut ended = self.store.prepared_after(told.runs_until, RUNS_MAX).await.map_err(DeskError::Store)?;
        ended.retain(|run| !told.ahead.contains(&run.id));
        Ok(digest(told, health, &ended, now))
    }

    /// Writes down that somebody was told; gives what is told by now.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn note_told(&self, digest: Digest) -> Result<AlreadyTold, DeskError> {
        let Digest { proposed, told, .. } = digest;
        let complaints =
            told.of.iter().map(|(what, one)| ToldComplaint { what: what.clone(), told_at: text(one.told_at) });
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

/// What it is, and each thing that it is about.
fn names(of: &Complaint) -> impl Iterator<Item = String> {
    let nothing = of.about.is_empty().then(|| of.code.to_owned());
    nothing.into_iter().chain(of.about.iter().map(|about| format!("{} {about}", of.code)))
}

/// What is new. What has been away for a while is forgotten, so that it is told of when it comes back.
fn digest(told: &mut AlreadyTold, health: &Health, ended: &[Run], now: Timestamp) -> Option<Digest> {
    for name in health.complaints.iter().flat_map(names) {
        told.of.entry(name).and_modify(|one| one.seen_at = now);
    }
    told.of.retain(|_, one| now.duration_since(one.seen_at) < FORGOTTEN_AFTER);
    let is_told = |name: &String| told.of.get(name).is_some_and(|one| now.duration_since(one.told_at) < REMIND_AFTER);
    let is_new = |one: &&Complaint| names(one).any(|name| !is_told(&name));
    let complaints: Vec<Complaint> = health.complaints.iter().filter(is_new).cloned().collect();
    let mut proposed = BTreeMap::new();
    for (category, counts) in ended.iter().flat_map(|run| &run.report.categories) {
        let Counts { proposed: new, postponed_returned: again, .. } = counts;
        if new + again > 0 {
            *proposed.entry(category.clone()).or_default() += new + again;
        }
    }
    let runs_until = ended.iter().filter_map(Run::finished_at).fold(told.runs_until, Timestamp::max);
    if complaints.is_empty() && proposed.is_empty() {
        told.runs_until = runs_until;
        return None;
    }
    let mut of = told.of.clone();
    of.extend(complaints.iter().flat_map(names).map(|name| (name, Standing { told_at: now, seen_at: now })));
    let told = AlreadyTold { of, runs_until, ahead: told.ahead.clone() };
    Some(Digest { at: now, complaints, proposed, decisions: health.decisions.clone(), told })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{JobKind, RunId, RunOutcome, RunReport, RunState, RunTrigger};

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + HOUR * i32::try_from(hours).unwrap()
    }

    fn minutes(of: i64) -> SignedDuration {
        SignedDuration::from_mins(of)
    }

    fn complaint(about: &[&str]) -> Complaint {
        let sentence = format!("the brake has stopped {}", about.len());
        let about = about.iter().map(|name| (*name).to_owned()).collect();
        Complaint { severity: Severity::Warning, code: "brake-closed", about, sentence }
    }

    fn health(complaints: &[&[&str]]) -> Health {
        let decisions = DecisionsStanding { waiting: 7, oldest_at: Some(at(0)), after: None, is_overdue: false };
        Health { complaints: complaints.iter().map(|about| complaint(about)).collect(), decisions }
    }

    fn run(ended: i64, proposed: u64) -> Run {
        let mut report = RunReport::default();
        report.categories.insert("member".to_owned(), Counts { proposed, ..Counts::default() });
        Run {
            id: RunId(ended),
            job: JobKind::Prepare,
            trigger: RunTrigger::Schedule { slot: at(ended) },
            dry_run: false,
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
        AlreadyTold { of: BTreeMap::new(), runs_until: at(0), ahead: BTreeSet::new() }
    }

    #[test]
    fn what_was_told_is_told_again_when_it_comes_back_or_stays_for_long() {
        let (one, mut told) = (health(&[&["member"]]), nothing());
        let first = digest(&mut told, &one, &[], at(1)).unwrap();
        assert_eq!(first.subject(), "warning: the brake has stopped 1");
        told = first.told;
        for hour in 1..=7 * 24 {
            for minute in (0..60).step_by(5) {
                assert!(digest(&mut told, &one, &[], at(hour) + minutes(minute)).is_none(), "{hour}:{minute}");
            }
        }
        assert!(digest(&mut told.clone(), &one, &[], at(7 * 24 + 1)).is_some(), "it still stands");
        let last = at(7 * 24) + minutes(55);
        assert!(digest(&mut told, &health(&[]), &[], last + minutes(3)).is_none());
        assert!(digest(&mut told, &one, &[], last + minutes(4)).is_none(), "it was hardly away");
    }

    #[test]
    fn what_was_away_for_a_while_is_new() {
        let one = health(&[&["member"]]);
        let mut told = digest(&mut nothing(), &one, &[], at(1)).unwrap().told;
        assert!(digest(&mut told, &health(&[]), &[], at(1) + minutes(9)).is_none());
        assert!(digest(&mut told.clone(), &one, &[], at(1) + minutes(9)).is_none());
        assert!(digest(&mut told, &health(&[]), &[], at(1) + minutes(10)).is_none());
        assert!(digest(&mut told, &one, &[], at(1) + minutes(11)).is_some());
    }

    #[test]
    fn what_counts_is_what_it_is_about_and_not_how_many() {
        let mut told = digest(&mut nothing(), &health(&[&["member", "user"]]), &[], at(1)).unwrap().told;
        assert!(digest(&mut told, &health(&[&["member"]]), &[], at(1) + minutes(1)).is_none(), "it has become better");
        let news = digest(&mut told, &health(&[&["member", "visit"]]), &[], at(1) + minutes(2));
        assert!(news.is_some(), "as many as before, and another one");
    }

    #[test]
    fn new_proposals_are_counted_once_and_together() {
        let mut told = nothing();
        let ended = [run(1, 3), run(2, 0), run(3, 2)];
        let news = digest(&mut told, &health(&[]), &ended, at(5)).unwrap();
        assert_eq!((news.subject().as_str(), news.severity()), ("5 new proposals", None));
        let text = "newly proposed: 5 of member\nwaiting for a decision: 7, the oldest since 1970-01-01T00:00:00Z\n";
        assert_eq!(news.text(), text);
        assert_eq!((news.told.runs_until, told.runs_until), (at(3), at(0)), "what could not be told is still new");
        assert!(digest(&mut told, &health(&[]), &[run(1, 0), run(4, 0)], at(5)).is_none());
        assert_eq!(told.runs_until, at(4), "what had nothing to tell is not looked at for ever");
    }

    #[test]
    fn what_is_wrong_comes_before_what_is_new() {
        let news = digest(&mut nothing(), &health(&[&["a"], &["b", "c"]]), &[run(1, 1)], at(2)).unwrap();
        assert_eq!(news.subject(), "warning: the brake has stopped 1; the brake has stopped 2; one new proposal");
        assert_eq!(news.severity(), Some(Severity::Warning));
    }
}
