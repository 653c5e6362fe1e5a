//! Who may see and do what, and what is assigned to whom while the daemon runs.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which entries to list, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AccessQuery {
    /// Only those of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// At most so many, up to 1000, which is also the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What an entry assigns or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessKind {
    /// The records of a unit.
    Unit,
    /// A single record.
    Record,
    /// A single record is denied.
    Deny,
    /// Taking somebody's place.
    StandIn,
}

/// How an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessStanding {
    /// It holds.
    InForce,
    /// It holds no longer: its record is about another person now, or gone.
    Lapsed,
    /// It holds no longer: its last day has passed.
    Over,
    /// It was ended, or another took its place.
    Ended,
    /// It holds for the person that it was given for; whether the record is still about them cannot be told now.
    Untold,
}

/// An entry: what is assigned to a user while the daemon runs, or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessEntry {
    /// Its number, which is that of the entry of the trail that made it.
    pub entry: u64,
    /// Whose access it is, by login name.
    pub user: String,
    /// What it is.
    pub kind: AccessKind,
    /// The unit.
    pub unit: Option<String>,
    /// The record.
    pub record: Option<String>,
    /// Whose place the user takes.
    pub stands_in_for: Option<String>,
    /// The last day on which they do.
    pub until: Option<String>,
    /// Who asked for the record to be denied.
    pub asked_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Who made the entry.
    pub by: String,
    /// When.
    pub at: String,
    /// How it stands.
    pub standing: AccessStanding,
    /// Why that cannot be told.
    pub problem: Option<String>,
}

/// A page of entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessPage {
    /// How many there are.
    pub total: u64,
    /// Those of this page.
    pub items: Vec<AccessEntry>,
    /// Where the next page begins; null on the last.
    pub next: Option<String>,
}

/// What is to be assigned or denied, or no longer to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AccessRequest {
    /// The user gets the records of a unit, in the categories that their grants name.
    AddUnit {
        /// The user, by login name.
        user: String,
        /// The unit, as the application's database has it.
        unit: String,
    },
    /// They no longer do.
    RemoveUnit {
        /// The user.
        user: String,
        /// The unit.
        unit: String,
    },
    /// The user gets a single record.
    AddRecord {
        /// The user.
        user: String,
        /// `category/key`.
        record: String,
    },
    /// They no longer do.
    RemoveRecord {
        /// The user.
        user: String,
        /// `category/key`.
        record: String,
    },
    /// The user is denied a record, whatever else is granted.
    AddDeny {
        /// The user.
        user: String,
        /// `category/key`.
        record: String,
        /// Who asked for it.
        asked_by: String,
        /// Why.
        reason: String,
    },
    /// They no longer are.
    RemoveDeny {
        /// The user.
        user: String,
        /// `category/key`.
        record: String,
    },
    /// The user takes another's place for a time.
    StandIn {
        /// The user.
        user: String,
        /// Whose place.
        stands_in_for: String,
        /// The last day on which they do.
        until: String,
    },
    /// They no longer do.
    EndStandIn {
        /// The user.
        user: String,
        /// Whose place.
        stands_in_for: String,
    },
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessAnswer {
    /// The entry that was made.
    pub made: Option<AccessEntry>,
    /// The entry that has ended.
    pub ended: Option<AccessEntry>,
}

/// What one user may see and do, and through what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessView {
    /// The user, by login name.
    pub user: String,
    /// Whether this machine knows the name. Whoever it does not know may do nothing.
    pub known: bool,
    /// What they may do, and where.
    pub permissions: Vec<AccessGround>,
    /// What is assigned and denied to them.
    pub entries: Vec<AccessEntry>,
}

/// One reason why a user has a permission somewhere. Deny entries beat all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessGround {
    /// The permission.
    pub permission: String,
    /// In these categories; null: in every one.
    pub categories: Option<Vec<String>>,
    /// In these units; null: in every one, and in none. An empty list: nowhere yet.
    pub units: Option<Vec<String>>,
    /// For these records alone; null: for all that are within the limits.
    pub records: Option<Vec<String>>,
    /// Through what.
    pub through: AccessThrough,
    /// The number of the grant in the settings, from 1.
    pub grant: Option<u64>,
    /// Whose place they take.
    pub stands_in_for: Option<String>,
    /// The last day on which they do.
    pub until: Option<String>,
}

/// What gives a permission somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessThrough {
    /// Being root or the daemon's own user, while the settings have no grant.
    Machine,
    /// A grant of the settings.
    Grant,
    /// An entry.
    Entry,
    /// Nothing: a grant gives the permission, and reaches nothing by itself.
    Nothing,
}
