//! What is not well, by how bad it is. Pure.
//!
//! The one place where that is judged: `status`, its exit code for monitoring, the metrics, the service manager's status line
//! all tell what is said here. May be relied on: no sentence names a person or a record, so that it may go anywhere; a source
//! or a category is named where it is the only one.

use super::status::{CategoryStanding, Overview, SourceTrouble};
use crate::store::{Run, RunOutcome, RunState};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Everything, or a whole source, stands still until somebody does something.
    Critical,
    /// A part is not done, or not in time.
    Warning,
}

impl Severity {
    /// Every one, the worst first.
    pub const ALL: [Self; 2] = [Self::Critical, Self::Warning];

    /// The word on the socket and in the metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// Something that is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// How bad it is.
    pub severity: Severity,
    /// What it is: a stable word.
    pub code: &'static str,
    /// What it is about, by name: sources, categories, a job or a run. Nothing where it is about everything.
    pub about: Vec<String>,
    /// The same in a sentence.
    pub sentence: String,
}

fn complaint(severity: Severity, code: &'static str, about: Vec<String>, sentence: String) -> Complaint {
    Complaint { severity, code, about, sentence }
}

/// All that is not well, the worst first.
pub fn complaints(of: &Overview) -> Vec<Complaint> {
    let mut found = Vec::new();
    if of.clock.is_some() {
        found.push(complaint(
            Severity::Critical,
            "clock",
            Vec::new(),
            "the clock is not believed: no job runs".to_owned(),
        ));
    }
    sources(of, &mut found);
    categories(of, &mut found);
    found.extend(of.jobs.iter().filter_map(|job| run(job.last_ended.as_ref()?)));
    removal(of, &mut found);
    if let (Some(at), Some(after), true) = (of.decisions.oldest_at, &of.decisions.after, of.decisions.is_overdue) {
        let sentence = format!("a decision has waited since {at:.0}, longer than {after}");
        found.push(complaint(Severity::Warning, "decisions-overdue", Vec::new(), sentence));
    }
    found.sort_by_key(|complaint| complaint.severity);
    found
}

/// All of it in one line; none where all is well.
#[must_use]
pub fn told(complaints: &[Complaint]) -> Option<String> {
    let worst = complaints.first()?.severity;
    let sentences: Vec<&str> = complaints.iter().map(|complaint| complaint.sentence.as_str()).collect();
    Some(format!("{}: {}", worst.as_str(), sentences.join("; ")))
}

fn sources(of: &Overview, found: &mut Vec<Complaint>) {
    for standing in &of.sources {
        let (source, about) = (&standing.source, vec![standing.source.to_string()]);
        found.extend(standing.trouble.map(|trouble| match trouble {
            SourceTrouble::Closed => complaint(
                Severity::Critical,
                "source-closed",
                about,
                format!("{source} is closed: nothing is erased from it until an operator decides"),
            ),
            SourceTrouble::Unreadable => {
                complaint(Severity::Critical, "source-unreadable", about, format!("{source} cannot be read"))
            }
            SourceTrouble::Forgotten => complaint(
                Severity::Warning,
                "source-forgotten",
                about,
                format!("{source} is not in the settings, and what was erased from it is not known to be gone"),
            ),
        }));
    }
}

fn categories(of: &Overview, found: &mut Vec<Complaint>) {
    type Wrong = fn(&CategoryStanding) -> bool;
    let kinds: [(&'static str, Wrong); 3] = [
        ("category-stopped", |category| category.gate.is_some()),
        ("brake-closed", |category| category.is_braked),
        ("category-forgotten", |category| !category.is_configured),
    ];
    for (code, is_wrong) in kinds {
        let wrong: Vec<_> = of.categories.iter().filter(|category| is_wrong(category)).collect();
        let (Some(first), count) = (wrong.first(), wrong.len()) else { continue };
        let category = &first.category;
        let sentence = match (code, count) {
            ("category-stopped", 1) => format!("{category} is stopped by its schema"),
            ("category-stopped", _) => format!("{count} categories are stopped by their schemas"),
            ("brake-closed", 1) => format!("the brake has stopped {category}"),
            ("brake-closed", _) => format!("the brake has stopped {count} categories"),
            (_, 1) => format!("{category} is not in the settings, and has open proposals"),
            _ => format!("{count} categories are not in the settings, and have open proposals"),
        };
        let about = wrong.iter().map(|category| category.category.to_string()).collect();
        found.push(complaint(Severity::Warning, code, about, sentence));
    }
}

fn run(run: &Run) -> Option<Complaint> {
    let RunState::Finished { outcome, .. } = &run.state else { return None };
    let (id, job) = (run.id, run.job);
    let (code, about, sentence) = match outcome {
        RunOutcome::Done | RunOutcome::Stopped => return None,
        RunOutcome::Failed => ("run-failed", id.to_string(), format!("run {id} of {job} has failed")),
        // Night after night for the same reason, as long as nobody does anything about it.
        RunOutcome::Partly => ("run-partly", job.to_string(), format!("run {id} of {job} could do only a part")),
    };
    Some(complaint(Severity::Warning, code, vec![about], sentence))
}

fn removal(of: &Overview, found: &mut Vec<Complaint>) {
    for standing in of.sources.iter().filter(|standing| standing.removal.is_overdue) {
        let (source, within) = (&standing.source, standing.removal.within.as_deref().unwrap_or_default());
        let sentence = format!("{source}: confirmed and not known to be gone for longer than {within}");
        found.push(complaint(Severity::Warning, "removal-overdue", vec![source.to_string()], sentence));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::desk::{ClosedGate, DecisionsStanding, RemovalStanding, SourceStanding};
    use crate::store::Left;

    fn source(trouble: Option<SourceTrouble>, is_overdue: bool) -> SourceStanding {
        let left = Left { owed: Vec::new(), oldest: None };
        let within = Some("30 days".to_owned());
        let removal = RemovalStanding { left: Some(left), within, is_overdue, vacuum: None };
        SourceStanding { source: "crm".parse().unwrap(), problem: None, trouble, removal }
    }

    fn category(name: &str, is_stopped: bool, is_braked: bool) -> CategoryStanding {
        let gate = is_stopped.then(|| ClosedGate { since: None, findings: Vec::new(), digest: None });
        CategoryStanding {
            category: name.parse().unwrap(),
            counts: BTreeMap::new(),
            problem: None,
            gate,
            is_braked,
            is_configured: true,
        }
    }

    fn overview() -> Overview {
        let decisions = DecisionsStanding { waiting: 0, oldest_at: None, after: None, is_overdue: false };
        Overview {
            jobs: Vec::new(),
            sources: vec![source(None, false)],
            categories: vec![category("member", false, false)],
            clock: None,
            entries: 0,
            signed: None,
            decisions,
        }
    }

    fn codes(of: &Overview) -> Vec<&'static str> {
        complaints(of).iter().map(|complaint| complaint.code).collect()
    }

    #[test]
    fn where_nothing_is_wrong_nobody_complains() {
        assert_eq!((codes(&overview()), told(&complaints(&overview()))), (vec![], None));
    }

    #[test]
    fn the_worst_comes_first() {
        let of = Overview {
            sources: vec![source(None, true), source(Some(SourceTrouble::Forgotten), false)],
            categories: vec![category("member", true, true)],
            ..overview()
        };
        let warnings = ["source-forgotten", "category-stopped", "brake-closed", "removal-overdue"];
        assert_eq!(codes(&of), warnings);
        let sources = [of.sources.clone(), vec![source(Some(SourceTrouble::Closed), false)]].concat();
        let of = Overview { sources, clock: Some("it was set back".to_owned()), ..of };
        assert_eq!(codes(&of), [&["clock", "source-closed"], &warnings[..]].concat());
        let line = told(&complaints(&of)).unwrap();
        assert!(line.starts_with("critical: the clock is not believed: no job runs; crm is closed: "), "{line}");
    }

    #[test]
    fn several_categories_are_counted_and_not_named() {
        let categories = vec![category("member", true, false), category("user", true, false)];
        let of = Overview { categories, ..overview() };
        let found = complaints(&of);
        assert_eq!(found[0].sentence, "2 categories are stopped by their schemas");
    }
}
