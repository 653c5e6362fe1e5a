//! `erasured.toml` as meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Category, Finding, Hours, Located, Period, Reasons};
use crate::actor::Grant;
use crate::record::{CategoryName, SourceName};

/// Everything the operator has set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The zone of schedules, of "today" and of year ends.
    pub time_zone: TimeZone,
    /// Its IANA name.
    pub time_zone_name: String,
    /// When jobs run.
    pub schedule: Schedule,
    /// The applications' databases.
    pub sources: BTreeMap<SourceName, SourceSettings>,
    /// Who may do what.
    pub grants: Vec<Grant>,
    /// What is erased, by which rules.
    pub categories: BTreeMap<CategoryName, Category>,
    /// How legal holds end.
    pub holds: Holds,
    /// What people choose from when they say why.
    pub reasons: Reasons,
    /// How long the daemon keeps what it has on record.
    pub retention: Keeping,
    /// What the operator wants to be told of.
    pub notice: Notice,
}

impl Settings {
    /// Whether a run does the same by either: who may do what, and when jobs run, is no part of that.
    #[must_use]
    pub fn rules_are(&self, other: &Self) -> bool {
        self.time_zone == other.time_zone
            && self.sources == other.sources
            && self.categories == other.categories
            && self.retention == other.retention
    }

    /// Categories whose keys are personal.
    #[must_use]
    pub fn personal_keys(&self) -> BTreeSet<CategoryName> {
        let personal = self.categories.iter().filter(|(_, category)| category.key_is_personal);
        personal.map(|(name, _)| name.clone()).collect()
    }

    /// What is wrong with settings that take keys of these categories for harmless, once they were taken for personal.
    #[must_use]
    pub fn bared_keys(&self, personal: &BTreeSet<CategoryName>) -> Vec<Finding> {
        let bared = personal.iter().filter_map(|name| self.categories.get(name)).filter(|one| !one.key_is_personal);
        let finding = |category: &Category| {
            let message =
                "keys of this category were personal before, and the daemon's files name its records by digests only";
            Finding::error("key-is-personal", &category.place, message)
                .hint("write key_is_personal = true: what is named by a digest cannot be named by its key again")
        };
        bared.map(finding).collect()
    }
}

/// How long the daemon keeps what it has on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// How long records' keys stay in the trail and in the ledger.
    pub keys: Period,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { keys: Period::of_years(10) }
    }
}

/// What the operator wants to be told of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    /// For how long a decision may wait before that is told; `None`: for as long as it takes.
    pub decisions_after: Option<Located<Period>>,
    /// The command that tells somebody, with its arguments; `None`: nobody is told.
    pub command: Option<Vec<String>>,
}

/// How legal holds end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    /// One person asks for the release, and another releases.
    pub release_needs_two: bool,
    /// How long the other has to wait.
    pub release_after: Option<Located<Period>>,
}

/// When jobs run. A job without an expression runs by hand only.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Five-field cron expression of the prepare job, in the time zone of the settings. Checked for form here; the
    /// scheduler reads it.
    pub prepare: Option<Located<String>>,
    /// Five-field cron expression of the erase job.
    pub erase: Option<Located<String>>,
    /// Whether a run missed while the daemon was off is run once at start.
    pub catch_up: bool,
}

/// One application's database.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSettings {
    /// Its name.
    pub name: SourceName,
    /// The path of the SQLite file of `url = "sqlite:PATH"`; a relative one is resolved against the settings directory.
    pub path: Located<PathBuf>,
    /// How long a batch may wait for the application's lock before the run goes on without it. Default 5 s.
    pub lock_wait: Duration,
    /// The longest time that a page of reading or a batch of erasing should hold the database. Default 100 ms.
    pub max_lock: Duration,
    /// When jobs may work on it, in the time zone of the settings; `None`: at any time.
    pub hours: Option<Hours>,
    /// How what was erased is removed from its files.
    pub removal: Removal,
}

/// How what was erased from a source is removed from the source's files too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// What becomes of the words that indexes for full-text search keep of rows that are gone.
    pub full_text: FullText,
    /// Whether statistics that hold values are gathered anew. Default: yes.
    pub statistics: bool,
    /// Whether the write-ahead log is moved to the main file and emptied. Default: yes.
    pub checkpoint: bool,
    /// The hours of the day in which the whole file may be written anew, which locks the application out; `None`: never.
    pub vacuum: Option<Located<Hours>>,
    /// The longest time from a confirmation to the verified removal; `None`: it is not watched.
    pub within: Option<Located<Period>>,
}

impl Default for Removal {
    fn default() -> Self {
        Self { full_text: FullText::Optimise, statistics: true, checkpoint: true, vacuum: None, within: None }
    }
}

/// What becomes of the words that an index for full-text search keeps of rows that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullText {
    /// The index is written anew without them, after each run that has erased something.
    Optimise,
    /// The index is told, once and lasting, to take words out when rows go; where it cannot, it is written anew.
    SecureDelete,
    /// They stay.
    Leave,
}

impl FullText {
    /// The words of the settings.
    pub const WORDS: [(&'static str, Self); 3] =
        [("optimise", Self::Optimise), ("secure-delete", Self::SecureDelete), ("leave", Self::Leave)];
}
