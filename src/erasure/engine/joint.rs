//! A batch over several categories of one source: groups of records, each erased whole or not at all.
//!
//! All records are looked at before anything is changed. Then each category is laid out, changed and verified in its
//! turn, those whose rows refer to another's first, so that the other's records need not stay because of them. One intent,
//! one commit marker and one outcome stand for all of it, and settlement is the same as ever: the intent has to be durable
//! before the source commits, not before it changes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Attempt, BatchReport, Engine, EngineError, intent};
use crate::clock::Stopwatch;
use crate::erasure::journal::{Intent, Journal};
use crate::erasure::plan::{BatchPlan, Claim, Fresh, PlannedRecord, RuledOut, Ruling, planned, rulings};
use crate::erasure::point::pass;
use crate::proposal::{BatchId, Outcome, ProposalId};
use crate::record::{CategoryName, RecordKey};
use crate::source::{Mapping, SourceError};

/// A confirmed record of a group.
#[derive(Debug, Clone)]
pub struct Joined {
    /// Its category.
    pub category: CategoryName,
    /// The claim on it.
    pub claim: Claim,
}

/// What batches of groups have come to.
#[derive(Debug, Clone, Default)]
pub struct JointReport {
    /// By category; the times in it are not set.
    pub categories: BTreeMap<CategoryName, BatchReport>,
    /// The longest time for which the source's lock was held.
    pub longest_lock: Duration,
}

/// A group of which every record is erasable, with what they are now; or of which it was not seen.
type Group = Vec<(CategoryName, Claim, Option<Fresh>)>;

/// What is to be done about some groups.
#[derive(Default)]
struct Sorted {
    erased: Vec<Group>,
    ruled_out: Vec<(CategoryName, RuledOut)>,
    /// How many go back because of those.
    returned: Vec<CategoryName>,
}

/// What one attempt has come to.
enum Tried {
    Done(JointReport),
    /// Some of the groups are held by now; nothing has happened. These are not, to be tried again.
    Held {
        groups: Vec<Vec<Joined>>,
        report: JointReport,
    },
    Refused {
        groups: Vec<Group>,
        /// For how long the lock was held all the same.
        held: Duration,
        error: SourceError,
    },
}

impl JointReport {
    fn of(&mut self, category: &CategoryName) -> &mut BatchReport {
        self.categories.entry(category.clone()).or_default()
    }

    fn ruled_out(sorted: &Sorted) -> Self {
        let mut report = Self::default();
        for (category, out) in &sorted.ruled_out {
            let of = report.of(category);
            match out.ruling {
                Ruling::Withdraw(_) => of.withdrawn += 1,
                Ruling::Return(..) | Ruling::Erase(_) => of.returned += 1,
            }
        }
        for category in &sorted.returned {
            report.of(category).returned += 1;
        }
        report
    }

    fn add_erased(&mut self, category: &CategoryName, record: &PlannedRecord) {
        let of = self.of(category);
        match record.outcome {
            Outcome::Deleted => of.deleted += 1,
            Outcome::Anonymised => of.anonymised += 1,
        }
        of.dependents += record.counts();
    }
}

impl std::ops::AddAssign for JointReport {
    fn add_assign(&mut self, other: Self) {
        for (category, report) in other.categories {
            *self.of(&category) += report;
        }
        self.longest_lock = self.longest_lock.max(other.longest_lock);
    }
}

impl Engine<'_> {
    /// Erases groups of records, each whole or not at all. `mappings` are the categories in the order in which they are
    /// to be erased. Where the database refuses a batch, its groups are halved, until the one that is in the way stands
    /// alone; all of it goes back to the clerk.
    ///
    /// # Errors
    /// When source or journal are in the way. Nothing is half done then, and what is still open is for settlement.
    pub async fn erase_joint<J: Journal>(
        &mut self,
        journal: &mut J,
        mappings: &[&Mapping],
        groups: Vec<Vec<Joined>>,
    ) -> Result<JointReport, EngineError> {
        let mut report = JointReport::default();
        self.erase_joint_into(journal, mappings, groups, &mut report).await?;
        Ok(report)
    }

    /// The same; what was done before an error is in the report.
    ///
    /// # Errors
    /// As [`erase_joint`](Self::erase_joint).
    pub async fn erase_joint_into<J: Journal>(
        &mut self,
        journal: &mut J,
        mappings: &[&Mapping],
        groups: Vec<Vec<Joined>>,
        report: &mut JointReport,
    ) -> Result<(), EngineError> {
        let mut waiting = vec![groups];
        while let Some(mut groups) = waiting.pop() {
            if self.released.is_some() {
                let of: Vec<ProposalId> = groups.iter().flatten().map(|joined| joined.claim.proposal).collect();
                let standing = journal.give_way(&of, self.gap).await.map_err(EngineError::Journal)?;
                let Some(standing) = standing else { return Ok(()) };
                groups.retain(|group| group.iter().all(|joined| standing.contains(&joined.claim.proposal)));
            }
            if groups.is_empty() {
                continue;
            }
            match self.attempt_joint(journal, mappings, groups, report).await? {
                Tried::Done(done) => *report += done,
                Tried::Held { groups, report: held } => {
                    *report += held;
                    waiting.push(groups);
                }
                Tried::Refused { mut groups, held, error } => {
                    *report += JointReport { longest_lock: held, ..JointReport::default() };
                    let second = groups.split_off(groups.len() / 2);
                    if groups.is_empty() {
                        *report += give_back(journal, second, &error).await?;
                        continue;
                    }
                    let again = |groups: Vec<Group>| groups.into_iter().map(claimed).collect();
                    waiting.push(again(second));
                    waiting.push(again(groups));
                }
            }
        }
        Ok(())
    }

    /// Who was ruled out is in the report as soon as the journal has it, whatever becomes of the batch.
    async fn attempt_joint<J: Journal>(
        &mut self,
        journal: &mut J,
        mappings: &[&Mapping],
        groups: Vec<Vec<Joined>>,
        report: &mut JointReport,
    ) -> Result<Tried, EngineError> {
        let (all, batch) = (groups.clone(), BatchId::generate().map_err(EngineError::Entropy)?);
        self.writer.begin_joint(self.reader).await.map_err(EngineError::Source)?;
        let locked = Stopwatch::start();
        pass("batch-locked");
        if let Err(error) = self.is_where_it_was_left().await {
            return self.give_up(error).await;
        }
        let sorted = match self.sort(mappings, groups).await {
            Ok(sorted) => sorted,
            Err(error) if error.is_about_the_database() => return self.give_up(EngineError::Source(error)).await,
            Err(error) => {
                self.writer.roll_back().await.map_err(EngineError::Source)?;
                self.released = Some(Stopwatch::start());
                return Ok(not_looked_at(all, error, locked.elapsed()));
            }
        };
        pass("batch-planned");
        let ruled_out = JointReport::ruled_out(&sorted);
        let mut erased = JointReport::default();
        let mut plan = BatchPlan {
            batch,
            records: Vec::new(),
            proposals: Vec::new(),
            shells: 0,
            ruled_out: sorted.ruled_out.into_iter().map(|(_, out)| out).collect(),
        };
        let changed = self.change_joint(mappings, &sorted.erased, &mut plan, &mut erased).await;
        if changed.is_err() || plan.records.is_empty() {
            self.writer.roll_back().await.map_err(EngineError::Source)?;
            let held = locked.elapsed();
            let tried = self.without_batch(journal, plan, sorted.erased, changed, held).await?;
            *report += ruled_out;
            return Ok(tried);
        }
        match intent(journal, &plan).await {
            Ok(Intent::Written) => *report += ruled_out,
            Ok(Intent::Held(held)) => {
                self.writer.roll_back().await.map_err(EngineError::Source)?;
                self.released = Some(Stopwatch::start());
                return Ok(left_out(all, &held, locked.elapsed()));
            }
            Err(error) => {
                self.take_back().await;
                return Err(EngineError::Journal(error));
            }
        }
        let committed = self.commit(plan.batch).await;
        let held = locked.elapsed();
        self.released = Some(Stopwatch::start());
        let attempt = match committed {
            Ok(()) => self.conclude(journal, &plan, held).await?,
            Err(error) => self.settle(journal, &plan, Vec::new(), error, held).await?,
        };
        Ok(match attempt {
            Attempt::Done(_) | Attempt::Held { .. } => Tried::Done(JointReport { longest_lock: held, ..erased }),
            Attempt::Refused { error, .. } => Tried::Refused { groups: sorted.erased, held, error },
        })
    }

    /// The source is as it was: those that were ruled out are dealt with, and a refusal is told.
    async fn without_batch<J: Journal>(
        &mut self,
        journal: &mut J,
        plan: BatchPlan,
        groups: Vec<Group>,
        changed: Result<(), SourceError>,
        held: Duration,
    ) -> Result<Tried, EngineError> {
        self.released = Some(Stopwatch::start());
        match changed {
            Err(error) if error.is_about_the_database() => Err(EngineError::Source(error)),
            Err(error) => {
                let plan = BatchPlan { records: Vec::new(), proposals: Vec::new(), ..plan };
                if !plan.ruled_out.is_empty() {
                    journal.intent(&plan).await.map_err(EngineError::Journal)?;
                }
                Ok(Tried::Refused { groups, held, error })
            }
            Ok(()) => {
                journal.intent(&plan).await.map_err(EngineError::Journal)?;
                Ok(Tried::Done(JointReport { longest_lock: held, ..JointReport::default() }))
            }
        }
    }

    /// Step 1: looks at all records again, before anything is changed. A group with one that is not to be erased is
    /// ruled out whole.
    async fn sort(&mut self, mappings: &[&Mapping], groups: Vec<Vec<Joined>>) -> Result<Sorted, SourceError> {
        let mut seen: BTreeMap<(CategoryName, RecordKey), _> = BTreeMap::new();
        for mapping in mappings {
            let own = |joined: &&Joined| joined.category == mapping.category;
            let claims: Vec<Claim> = groups.iter().flatten().filter(own).map(|joined| joined.claim.clone()).collect();
            if claims.is_empty() {
                continue;
            }
            let ruled = rulings(self.reader, mapping, self.day, self.key, &claims).await;
            let named = claims.into_iter().map(|claim| (mapping.category.clone(), claim.key));
            seen.extend(named.zip(ruled?));
        }
        let mut sorted = Sorted::default();
        for group in groups {
            sorted.add(group, |joined| seen.remove(&(joined.category.clone(), joined.claim.key.clone())));
        }
        Ok(sorted)
    }

    /// Step 3 but for the commit: each category is laid out, changed and verified before the next is looked at.
    async fn change_joint(
        &mut self,
        mappings: &[&Mapping],
        groups: &[Group],
        plan: &mut BatchPlan,
        report: &mut JointReport,
    ) -> Result<(), SourceError> {
        for mapping in mappings {
            let own: Vec<&Claim> = groups
                .iter()
                .flatten()
                .filter(|(category, ..)| *category == mapping.category)
                .map(|(_, claim, _)| claim)
                .collect();
            if own.is_empty() {
                continue;
            }
            let keys: Vec<RecordKey> = own.iter().map(|claim| claim.key.clone()).collect();
            let staged = self.writer.stage(mapping, &keys).await?;
            if !staged.is_of(&keys) {
                let (planned, changed) = (own.len() as u64, staged.records.len() as u64);
                let table = mapping.table().to_owned();
                return Err(SourceError::Miscounted { doing: "lay out", table, planned, changed });
            }
            for record in staged.records.iter().map(|record| planned(mapping, self.key, record)) {
                report.add_erased(&mapping.category, &record);
                plan.records.push(record);
            }
            plan.proposals.extend(own.iter().map(|claim| claim.proposal));
            self.writer.apply(mapping).await?;
            pass("category-changed");
        }
        Ok(())
    }
}

impl Sorted {
    fn add(&mut self, group: Vec<Joined>, mut ruled: impl FnMut(&Joined) -> Option<Ruling>) {
        let (mut whole, mut out, mut others): (Group, Vec<_>, Vec<CategoryName>) = Default::default();
        for joined in group {
            // Of a category that cannot be looked at nothing is erased: the caller leaves such groups out.
            let Some(ruling) = ruled(&joined) else {
                others.push(joined.category);
                continue;
            };
            match ruling {
                Ruling::Erase(fresh) => whole.push((joined.category, joined.claim, Some(fresh))),
                ruling => out.push((joined.category, RuledOut { claim: joined.claim, ruling })),
            }
        }
        if out.is_empty() && others.is_empty() {
            self.erased.push(whole);
            return;
        }
        // The state sends them back in the change that deals with those that were ruled out.
        self.returned.extend(whole.into_iter().map(|(category, ..)| category).chain(others));
        self.ruled_out.extend(out);
    }
}

/// A group of which one record is held by now stays as it is. Nothing was written about the others, either.
fn left_out(all: Vec<Vec<Joined>>, held: &[ProposalId], lock: Duration) -> Tried {
    let is_held = |group: &Vec<Joined>| group.iter().any(|joined| held.contains(&joined.claim.proposal));
    let (out, groups): (Vec<_>, Vec<_>) = all.into_iter().partition(is_held);
    let mut report = JointReport { longest_lock: lock, ..JointReport::default() };
    for joined in out.iter().flatten() {
        report.of(&joined.category).held += 1;
    }
    Tried::Held { groups, report }
}

/// The database refuses to show some record of these groups.
fn not_looked_at(all: Vec<Vec<Joined>>, error: SourceError, held: Duration) -> Tried {
    Tried::Refused { groups: all.into_iter().map(unseen).collect(), held, error }
}

fn unseen(group: Vec<Joined>) -> Group {
    group.into_iter().map(|joined| (joined.category, joined.claim, None)).collect()
}

fn claimed(group: Group) -> Vec<Joined> {
    group.into_iter().map(|(category, claim, _)| Joined { category, claim }).collect()
}

/// The database refuses this group: all of it goes back to the clerk.
async fn give_back<J: Journal>(
    journal: &mut J,
    groups: Vec<Group>,
    error: &SourceError,
) -> Result<JointReport, EngineError> {
    let mut report = JointReport::default();
    for group in groups {
        for (category, ..) in &group {
            report.of(category).returned += 1;
        }
        let refused: Vec<(Claim, Option<Fresh>)> = group.into_iter().map(|(_, claim, fresh)| (claim, fresh)).collect();
        journal.refused(&refused, error.to_string()).await.map_err(EngineError::Journal)?;
    }
    Ok(report)
}

/// The mappings in the order in which records of all of them are erased together: one whose rows refer to another's
/// comes first. Where they refer to one another in a circle, the first by name does.
#[must_use]
pub fn in_order<'m>(mappings: impl IntoIterator<Item = &'m Mapping>) -> Vec<&'m Mapping> {
    let mut waiting: Vec<&Mapping> = mappings.into_iter().collect();
    waiting.sort_by(|one, other| one.category.cmp(&other.category));
    let refers = |from: &Mapping, to: &Mapping| {
        from.table() != to.table() && to.references.iter().any(|r| r.table == from.table() && r.parent == to.table())
    };
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |mapping: &Mapping| !waiting.iter().any(|other| refers(other, mapping));
        let next = waiting.iter().position(|mapping| is_free(mapping)).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}
