//! How things stand: jobs, sources, categories, the trail.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::gate::ClosedGate;
use super::health::complaints;
use super::notice::Health;
use super::{Desk, DeskError};
use crate::actor::{Authorised, Scope};
use crate::config::{Settings, SourceSettings, causes};
use crate::erasure::{is_overdue, is_wanted, open_as_remembered};
use crate::proposal::{Outcome, StateName};
use crate::record::{CategoryName, SourceName};
use crate::store::{ClosedBrake, JobKind, Left, ListOrder, ListSort, ProposalFilter, Run, RunState, Signed};

/// How things stand, as far as the asker may see.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Every job.
    pub jobs: Vec<JobStanding>,
    /// Every source with a category that the asker may see.
    pub sources: Vec<SourceStanding>,
    /// Every category that the asker may see and that is in the settings, or has open proposals.
    pub categories: Vec<CategoryStanding>,
    /// Why the clock is not believed, and jobs wait.
    pub clock: Option<String>,
    /// How many entries the trail has.
    pub entries: u64,
    /// The newest checkpoint.
    pub signed: Option<Signed>,
    /// What waits for a decision.
    pub decisions: DecisionsStanding,
}

/// What waits for a decision, as far as the asker may see.
#[derive(Debug, Clone)]
pub struct DecisionsStanding {
    /// How many records.
    pub waiting: u64,
    /// Since when the one has waited that was proposed first.
    pub oldest_at: Option<Timestamp>,
    /// For how long one may wait; `None` where nobody watches that.
    pub after: Option<String>,
    /// Whether that is exceeded.
    pub is_overdue: bool,
}

/// One job.
#[derive(Debug, Clone)]
pub struct JobStanding {
    /// Which.
    pub job: JobKind,
    /// Its cron expression; `None` where it runs by hand only.
    pub schedule: Option<String>,
    /// The instant after which its slots count.
    pub last_slot: Option<Timestamp>,
    /// Its newest run, with the counts of the categories that the asker may see.
    pub last_run: Option<Run>,
    /// The newest that has ended, dry runs aside, likewise.
    pub last_ended: Option<Run>,
    /// When it is tried again, where it runs because something is owed.
    pub owed_at: Option<Timestamp>,
}

/// One source.
#[derive(Debug, Clone)]
pub struct SourceStanding {
    /// Which.
    pub source: SourceName,
    /// Why nothing is prepared or erased in it.
    pub problem: Option<String>,
    /// What the problem is, where it does not pass by itself.
    pub trouble: Option<SourceTrouble>,
    /// How far what was erased is removed from its files.
    pub removal: RemovalStanding,
}

/// What is wrong with a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceTrouble {
    /// It cannot be read.
    Unreadable,
    /// It is closed until an operator decides.
    Closed,
    /// It is not in the settings any more, and owes something.
    Forgotten,
}

/// How far what was erased in a source is removed from its files.
#[derive(Debug, Clone)]
pub struct RemovalStanding {
    /// The steps that are still owed, and the oldest confirmation of what is not known to be gone; `None` for whoever does
    /// not see everything: they are about the whole source.
    pub left: Option<Left>,
    /// The longest time from a confirmation to the verified removal.
    pub within: Option<String>,
    /// Whether it is exceeded.
    pub is_overdue: bool,
    /// The hours in which the whole file may be written anew, which locks the application out.
    pub vacuum: Option<String>,
}

/// One category.
#[derive(Debug, Clone)]
pub struct CategoryStanding {
    /// Which.
    pub category: CategoryName,
    /// How many of its proposals are in each state.
    pub counts: BTreeMap<StateName, u64>,
    /// Why it is stopped.
    pub problem: Option<String>,
    /// What closes its schema gate; `None` where that is open, or cannot be looked at.
    pub gate: Option<ClosedGate>,
    /// Whether the brake has stopped it, and nothing has come after.
    pub is_braked: bool,
    /// Whether the settings have it.
    pub is_configured: bool,
}

/// How many records were erased since the daemon was started, by category and by what was done.
pub type ErasedCounts = BTreeMap<(CategoryName, Outcome), u64>;

/// Sources, and by category what is wrong, and which gates are closed.
type Sources = (Vec<SourceStanding>, BTreeMap<CategoryName, String>, BTreeMap<CategoryName, ClosedGate>);

impl Desk {
    /// How things stand within the asker's scope.
    ///
    /// # Errors
    /// When the state cannot be read. A source that cannot be read is no error: it is told with the source.
    pub async fn status(&self, leave: &Authorised) -> Result<Overview, DeskError> {
        self.overview(leave.scope()).await
    }

    /// How things stand within the asker's scope, and how many records were erased since the daemon was started, of each
    /// category that is wholly within it.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn measure(&self, leave: &Authorised) -> Result<(Overview, ErasedCounts), DeskError> {
        let scope = leave.scope();
        let overview = self.overview(scope).await?;
        let mut so_far = self.erased.lock().await;
        self.store.count_erased(&mut so_far).await.map_err(DeskError::Store)?;
        let mut counts = so_far.counts.clone();
        drop(so_far);
        counts.retain(|(category, _), _| scope.sees_all_of(category));
        // What has not been erased yet is counted, too: otherwise nobody would see the first.
        let whole = overview.categories.iter().map(|of| &of.category).filter(|category| scope.sees_all_of(category));
        for category in whole {
            for outcome in [Outcome::Deleted, Outcome::Anonymised] {
                counts.entry((category.clone(), outcome)).or_default();
            }
        }
        Ok((overview, counts))
    }

    /// What is not well, for the daemon itself to tell: of everything, and in sentences that name no person.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn health(&self) -> Result<Health, DeskError> {
        let overview = self.overview(&Scope::everything()).await?;
        Ok(Health { complaints: complaints(&overview), decisions: overview.decisions })
    }

    async fn overview(&self, scope: &Scope) -> Result<Overview, DeskError> {
        let settings = self.settings();
        let (sources, mut problems, mut gates) = self.sources(&settings, scope).await?;
        let left = sources.iter().filter_map(|source| source.removal.left.as_ref());
        let owed_at = left.flat_map(|left| &left.owed).map(|owed| owed.next_at).min();
        let mut jobs = Vec::new();
        for job in JobKind::ALL {
            let owed_at = owed_at.filter(|_| job == JobKind::Remove);
            jobs.push(JobStanding { owed_at, ..self.job(&settings, job).await? });
        }
        let braked = self.add_brakes(scope, &jobs, &mut problems);
        let all = ProposalFilter { scope: scope.clone(), ..ProposalFilter::everything() };
        let mut counts = self.store.totals(&all).await.map_err(DeskError::Store)?;
        counts.retain(|category, counts| scope.sees(category) && counts.keys().any(|state| state.is_open()));
        let configured = settings.categories.keys().filter(|category| scope.sees(category));
        let names: BTreeSet<CategoryName> = configured.chain(counts.keys()).cloned().collect();
        let categories = names.into_iter().map(|category| CategoryStanding {
            counts: counts.remove(&category).unwrap_or_default(),
            problem: if settings.categories.contains_key(&category) {
                problems.remove(&category)
            } else {
                Some("it is not in the settings".to_owned())
            },
            gate: gates.remove(&category),
            is_braked: braked.contains(&category),
            is_configured: settings.categories.contains_key(&category),
            category,
        });
        let categories: Vec<CategoryStanding> = categories.collect();
        let entries = self.store.audit_head().await.map_err(DeskError::Store)?.entries;
        let signed = self.store.newest_checkpoint().await.map_err(DeskError::Store)?;
        let clock = self.store.clock_doubt().map(|doubt| doubt.to_string());
        let waiting = categories.iter().filter_map(|category| category.counts.get(&StateName::Proposed)).sum();
        let decisions = self.decisions(&settings, scope, waiting).await?;
        jobs.iter_mut().for_each(|job| job.hide(scope));
        Ok(Overview { jobs, sources, categories, clock, entries, signed, decisions })
    }

    async fn decisions(
        &self,
        settings: &Settings,
        scope: &Scope,
        waiting: u64,
    ) -> Result<DecisionsStanding, DeskError> {
        let states = vec![StateName::Proposed];
        let filter = ProposalFilter { states, scope: scope.clone(), ..ProposalFilter::everything() };
        let order = ListOrder { sort: ListSort::Proposed, descending: false };
        let oldest_at = if waiting > 0 {
            let first = self.store.list(&filter, order, None, 1).await.map_err(DeskError::Store)?;
            first.items.first().map(|proposal| proposal.proposed_at)
        } else {
            None
        };
        let after = settings.notice.decisions_after.as_ref().map(|after| &after.value);
        let now = self.now().to_zoned(settings.time_zone.clone());
        let earliest = after.and_then(|after| after.before(&now));
        Ok(DecisionsStanding {
            waiting,
            oldest_at,
            after: after.map(ToString::to_string),
            is_overdue: oldest_at.zip(earliest).is_some_and(|(oldest, earliest)| oldest < earliest),
        })
    }

    /// A job with all of its runs' counts.
    async fn job(&self, settings: &Settings, job: JobKind) -> Result<JobStanding, DeskError> {
        let written = match job {
            JobKind::Prepare => settings.schedule.prepare.as_ref(),
            JobKind::Erase => settings.schedule.erase.as_ref(),
            JobKind::Remove => None,
        };
        Ok(JobStanding {
            job,
            schedule: written.map(|written| written.value.clone()),
            last_slot: self.store.last_slot(job).await.map_err(DeskError::Store)?,
            last_run: self.store.newest_run(job).await.map_err(DeskError::Store)?,
            last_ended: self.store.newest_ended(job).await.map_err(DeskError::Store)?,
            owed_at: None,
        })
    }

    /// Adds the brakes that closed in the newest run of each job, and that nothing has come after; gives their categories.
    fn add_brakes(
        &self,
        scope: &Scope,
        jobs: &[JobStanding],
        problems: &mut BTreeMap<CategoryName, String>,
    ) -> BTreeSet<CategoryName> {
        let mut stopped = BTreeSet::new();
        for run in jobs.iter().filter_map(|job| job.last_ended.as_ref()) {
            for (category, brake) in &run.report.brakes {
                let Ok(category) = category.parse::<CategoryName>() else { continue };
                let told = braked(run, brake, scope.sees_all_of(&category));
                stopped.insert(category.clone());
                problems.entry(category).and_modify(|before| *before = format!("{before}; {told}")).or_insert(told);
            }
        }
        stopped
    }

    /// The sources with what is wrong with them, what is wrong with their categories, and whose gates are closed.
    async fn sources(&self, settings: &Settings, scope: &Scope) -> Result<Sources, DeskError> {
        let known = self.store.sources().await.map_err(DeskError::Store)?;
        let remembered = self.remembered().await?;
        let (mut sources, mut problems, mut gates) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (source, described) in &settings.sources {
            let of_source = settings.categories.values().filter(|category| category.source.value == *source);
            let visible: Vec<_> = of_source.map(|category| &category.name).filter(|name| scope.sees(name)).collect();
            if visible.is_empty() && !scope.is_everything() {
                continue;
            }
            let closed = known.iter().find(|state| state.source == *source).and_then(|state| state.closed.as_ref());
            let mut problem = closed.map(|(_, reason)| format!("nothing is erased from it: {reason}"));
            let mut trouble = closed.map(|_| SourceTrouble::Closed);
            match open_as_remembered(settings, source, &remembered.shapes).await {
                Err(error) => {
                    // A lock passes by itself, also where it is that of a VACUUM of our own.
                    let is_broken = !error.is_passing();
                    let error = causes(&error);
                    problems.extend(visible.into_iter().map(|category| (category.clone(), error.clone())));
                    problem = Some(error);
                    trouble = trouble.or(is_broken.then_some(SourceTrouble::Unreadable));
                }
                Ok(opened) => {
                    let stopped = |name: &CategoryName| Some((name.clone(), opened.why_stopped(name)?.to_owned()));
                    let closed = |name: &CategoryName| Some((name.clone(), remembered.closed(&opened, name)?));
                    gates.extend(visible.iter().copied().filter_map(closed));
                    problems.extend(visible.into_iter().filter_map(stopped));
                    opened.reader.close().await;
                }
            }
            let removal = self.removal(settings, described, scope).await?;
            sources.push(SourceStanding { source: source.clone(), problem, trouble, removal });
        }
        if scope.is_everything() {
            sources.extend(self.forgotten(settings).await?);
        }
        Ok((sources, problems, gates))
    }

    /// Sources that owe something and are not in the settings any more: nobody does it, and nobody is to forget it.
    async fn forgotten(&self, settings: &Settings) -> Result<Vec<SourceStanding>, DeskError> {
        let owed = self.store.owed().await.map_err(DeskError::Store)?;
        let names: BTreeSet<SourceName> = owed.into_iter().map(|owed| owed.source).collect();
        let mut forgotten = Vec::new();
        for source in names.into_iter().filter(|name| !settings.sources.contains_key(name)) {
            let left = self.store.left_in(&source, |_| true).await.map_err(DeskError::Store)?;
            let problem = "it is not in the settings, and what was erased from it is not known to be gone".to_owned();
            let removal = RemovalStanding { left: Some(left), within: None, is_overdue: false, vacuum: None };
            let trouble = Some(SourceTrouble::Forgotten);
            forgotten.push(SourceStanding { source, problem: Some(problem), trouble, removal });
        }
        Ok(forgotten)
    }

    async fn removal(
        &self,
        settings: &Settings,
        described: &SourceSettings,
        scope: &Scope,
    ) -> Result<RemovalStanding, DeskError> {
        let removal = &described.removal;
        let wanted = |step| is_wanted(step, removal);
        let left = self.store.left_in(&described.name, wanted).await.map_err(DeskError::Store)?;
        let now = self.now().to_zoned(settings.time_zone.clone());
        Ok(RemovalStanding {
            is_overdue: is_overdue(removal, left.oldest, &now),
            left: scope.is_everything().then_some(left),
            within: removal.within.as_ref().map(|within| within.value.to_string()),
            vacuum: removal.vacuum.as_ref().map(|hours| hours.value.to_string()),
        })
    }
}

impl JobStanding {
    /// Leaves what may be seen of its runs.
    fn hide(&mut self, scope: &Scope) {
        self.last_run = self.last_run.take().map(|run| within(run, scope));
        self.last_ended = self.last_ended.take().map(|run| within(run, scope));
    }
}

/// What a brake has stopped. A count would tell of records that are outside of what somebody may see.
fn braked(run: &Run, brake: &ClosedBrake, is_seen_whole: bool) -> String {
    let (job, id) = (run.job, run.id);
    let ClosedBrake { records, rows, count, share, .. } = brake;
    if is_seen_whole {
        format!("the brake stopped {job} in run {id}: {records} of {rows} records (limits {count} and {share})")
    } else {
        format!("the brake stopped {job} in run {id}")
    }
}

/// The run without what it says of categories that the scope does not see whole: a count would tell of records that are
/// outside. What went wrong is told in sentences that may name any category.
pub(super) fn within(mut run: Run, scope: &Scope) -> Run {
    if scope.is_everything() {
        return run;
    }
    run.report.brakes.retain(|name, _| name.parse().is_ok_and(|name| scope.sees_all_of(&name)));
    run.report.proofs.clear();
    run.report.removal.clear();
    run.report.categories.retain(|name, _| name.parse().is_ok_and(|name| scope.sees_all_of(&name)));
    run.report.reasons.retain(|name, _| name.parse().is_ok_and(|name| scope.sees_all_of(&name)));
    run.report.stopped.retain(|name, _| name.parse().is_ok_and(|name| scope.sees(&name)));
    (run.report.stage, run.report.waiting, run.report.longest_lock_us) = (None, None, None);
    if let RunState::Finished { reason, .. } = &mut run.state {
        *reason = None;
    }
    run
}
