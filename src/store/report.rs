//! What a run did, in numbers.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ClosedBrake;
use crate::proof::ProofReport;
use crate::proposal::{DependentCounts, Origin, Outcome, RemovalStep};
use crate::record::CategoryName;

/// Records that could not be judged, by what is wrong with them. None of them is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unreadable {
    /// Without a start date.
    pub no_start_date: u64,
    /// With a start date that is no date.
    pub unreadable_date: u64,
    /// With NULL in the key.
    pub null_key: u64,
    /// With a key that cannot be told from another.
    pub unusable_key: u64,
    /// With nothing in the columns that make it the same person.
    pub empty_identity: u64,
    /// Anonymised before, and still the anonymised one.
    pub already_anonymised: u64,
}

/// Counts of one category, or of all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Proposed by this run.
    pub proposed: u64,
    /// Due, and proposed before.
    pub already_open: u64,
    /// Withdrawn.
    pub withdrawn: u64,
    /// Sent back to the clerks.
    pub returned: u64,
    /// Proposed again after a postponement.
    pub postponed_returned: u64,
    /// Found due.
    pub due: u64,
    /// Found due, and erased before: a backup has brought them back.
    pub came_back: u64,
    /// Erased before, brought back by a backup, and not due.
    pub back_undue: u64,
    /// Erased before, there under the same key and not due; nobody can say whether they are the same, and a backup has
    /// brought them back.
    pub back_unsure: u64,
    /// Would be due, but for the period of a row that depends on them.
    pub retained: u64,
    /// Deleted.
    pub deleted: u64,
    /// Anonymised.
    pub anonymised: u64,
    /// Deleted, and anonymised before: nothing keeps their rows any more.
    pub shells: u64,
    /// Confirmed, and not to be erased before their cooling-off is over.
    pub cooling_off: u64,
    /// Skipped because of a hold.
    pub held: u64,
    /// Confirmed, and still to be erased when the run ended.
    pub left: u64,
    /// What happened to dependents.
    pub dependents: DependentCounts,
    /// What could not be judged.
    pub unreadable: Unreadable,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.proposed += other.proposed;
        self.already_open += other.already_open;
        self.withdrawn += other.withdrawn;
        self.returned += other.returned;
        self.postponed_returned += other.postponed_returned;
        self.due += other.due;
        self.came_back += other.came_back;
        self.back_undue += other.back_undue;
        self.back_unsure += other.back_unsure;
        self.retained += other.retained;
        self.deleted += other.deleted;
        self.anonymised += other.anonymised;
        self.shells += other.shells;
        self.cooling_off += other.cooling_off;
        self.held += other.held;
        self.left += other.left;
        self.dependents += other.dependents;
        self.unreadable += other.unreadable;
    }
}

impl AddAssign for Unreadable {
    fn add_assign(&mut self, other: Self) {
        self.no_start_date += other.no_start_date;
        self.unreadable_date += other.unreadable_date;
        self.null_key += other.null_key;
        self.unusable_key += other.unusable_key;
        self.empty_identity += other.empty_identity;
        self.already_anonymised += other.already_anonymised;
    }
}

impl Counts {
    /// The counts that are not zero, by name; those of dependents and of the unreadable with what they belong to in front.
    pub fn named(&self) -> impl Iterator<Item = (String, u64)> {
        let plain = [
            ("proposed", self.proposed),
            ("already_open", self.already_open),
            ("withdrawn", self.withdrawn),
            ("returned", self.returned),
            ("postponed_returned", self.postponed_returned),
            ("due", self.due),
            ("came_back", self.came_back),
            ("back_undue", self.back_undue),
            ("back_unsure", self.back_unsure),
            ("retained", self.retained),
            ("deleted", self.deleted),
            ("anonymised", self.anonymised),
            ("shells", self.shells),
            ("cooling_off", self.cooling_off),
            ("held", self.held),
            ("left", self.left),
        ];
        let unreadable = [
            ("no_start_date", self.unreadable.no_start_date),
            ("unreadable_date", self.unreadable.unreadable_date),
            ("null_key", self.unreadable.null_key),
            ("unusable_key", self.unreadable.unusable_key),
            ("empty_identity", self.unreadable.empty_identity),
            ("already_anonymised", self.unreadable.already_anonymised),
        ];
        let prefixed = |prefix: &'static str| move |(name, count): (&str, u64)| (format!("{prefix}{name}"), count);
        plain
            .into_iter()
            .map(prefixed(""))
            .chain(self.dependents.named().map(prefixed("dependents_")))
            .chain(unreadable.into_iter().map(prefixed("unreadable_")))
            .filter(|(_, count)| *count > 0)
    }
}

/// How far a run has removed what was erased from a source's files: the steps by their words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Removed {
    /// What was done.
    pub done: Vec<String>,
    /// What was not, and why.
    pub pending: BTreeMap<String, String>,
    /// What the settings do not ask for.
    pub not_wanted: Vec<String>,
}

impl Removed {
    /// What is left to be removed in this source, in sentences.
    pub fn left(&self, source: &str) -> Vec<String> {
        let said = |(step, why): (&String, &String)| {
            let what = step.parse::<RemovalStep>().map_or("", RemovalStep::in_words);
            format!("{source}: still to be done: {what}: {why}")
        };
        self.pending.iter().map(said).collect()
    }
}

/// What became, in a run, of those records of a category that are due for the same reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReasonCounts {
    /// Proposed by this run.
    pub proposed: u64,
    /// Deleted.
    pub deleted: u64,
    /// Anonymised.
    pub anonymised: u64,
}

impl AddAssign for ReasonCounts {
    fn add_assign(&mut self, other: Self) {
        self.proposed += other.proposed;
        self.deleted += other.deleted;
        self.anonymised += other.anonymised;
    }
}

/// Counts by the category's name and by the reason for which records are due, as [`reason_name`] has it.
pub type Reasons = BTreeMap<String, BTreeMap<String, ReasonCounts>>;

/// How many records the database refused to erase, by the category's name and by what it said.
pub type Refusals = BTreeMap<String, BTreeMap<String, u64>>;

/// Most sentences of the database that are kept of one category in one run; each record knows its own.
const REFUSALS_MAX: usize = 10;

/// Adds refusals to others. Of sentences beyond [`REFUSALS_MAX`] the counts are left out.
pub fn add_refusals(to: &mut Refusals, more: &Refusals) {
    for (category, of_category) in more {
        let own = to.entry(category.clone()).or_default();
        for (why, count) in of_category {
            if own.len() < REFUSALS_MAX || own.contains_key(why) {
                *own.entry(why.clone()).or_default() += count;
            }
        }
    }
}

/// The name of a reason for which records are due, by which a report tells them apart: the word for their origin and, behind
/// a blank, the criterion where it is one.
#[must_use]
pub fn reason_name(origin: &str, criterion: Option<&str>) -> String {
    criterion.map_or_else(|| origin.to_owned(), |name| format!("{origin} {name}"))
}

/// The word for the origin, and the criterion where it is one, of a reason's name.
#[must_use]
pub fn reason_parts(name: &str) -> (&str, Option<&str>) {
    name.split_once(' ').map_or((name, None), |(code, criterion)| (code, Some(criterion)))
}

/// One more record that was erased, to the counts of those that are due for the same reason.
pub fn count_erased(reasons: &mut Reasons, category: &CategoryName, origin: &Origin, outcome: Outcome) {
    let of_category = reasons.entry(category.as_str().to_owned()).or_default();
    let counts = of_category.entry(reason_name(origin.code(), origin.criterion())).or_default();
    match outcome {
        Outcome::Deleted => counts.deleted += 1,
        Outcome::Anonymised => counts.anonymised += 1,
    }
}

/// Adds counts to others.
pub fn add_reasons(to: &mut Reasons, more: &Reasons) {
    for (category, of_category) in more {
        let own = to.entry(category.clone()).or_default();
        of_category.iter().for_each(|(reason, counts)| *own.entry(reason.clone()).or_default() += *counts);
    }
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Looks again at what is open already, and then at what is due.
    Looking,
    /// Counts what it would erase, for the brake.
    Counting,
    /// Erases what was confirmed together, whatever category it is of.
    Together,
    /// Erases.
    Erasing,
    /// Removes what was erased from the files.
    Removing,
    /// Looks for what was erased.
    Proving,
}

/// How far a run is that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// What it is at.
    pub doing: Doing,
    /// With which category or source, by its name.
    pub of: String,
    /// How many rows of it have been looked at.
    #[serde(default)]
    pub rows: u64,
}

/// What a run did, category by category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunReport {
    /// By the category's name.
    pub categories: BTreeMap<String, Counts>,
    /// The same, and by the reason for which they are due.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: Reasons,
    /// How many records the database refused to erase, by the category's name and by what it said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: Refusals,
    /// Why categories were left out, by the category's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stopped: BTreeMap<String, String>,
    /// The longest time for which a batch held a source's lock, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_lock_us: Option<u64>,
    /// How many records waited to be erased when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// What it is at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The brakes that have closed, by the category's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub brakes: BTreeMap<String, ClosedBrake>,
    /// The run over whose closed brakes this one goes on, by its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<i64>,
    /// What was found of the erased afterwards, by the source's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub proofs: BTreeMap<String, ProofReport>,
    /// By the source's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub removal: BTreeMap<String, Removed>,
}

impl RunReport {
    /// The counts of one category, to add to.
    pub fn category(&mut self, name: &CategoryName) -> &mut Counts {
        self.categories.entry(name.as_str().to_owned()).or_default()
    }

    /// Notes for how long a batch has held a source's lock; for no time, where it had nothing to do.
    pub fn note_lock(&mut self, held: Duration) {
        let held = u64::try_from(held.as_micros()).unwrap_or(u64::MAX);
        self.longest_lock_us = self.longest_lock_us.max((held > 0).then_some(held));
    }

    /// The counts of all categories together.
    #[must_use]
    pub fn total(&self) -> Counts {
        self.categories.values().fold(Counts::default(), |mut total, counts| {
            total += *counts;
            total
        })
    }
}
