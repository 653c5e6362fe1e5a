//! Who acts, with which permissions, and what a grant covers.
//!
//! What is granted in the settings and what is assigned while the daemon runs come together in [`access`], whose doc has the
//! rules. Pure: identities come in as values (the socket's peer, looked up by `admin`), permissions are decided here and nowhere
//! else. May be relied on: an [`Authorised`] exists only after its permission was granted; without any grant only root
//! and the daemon's own user may do anything. Never trusts a name that a client sent.

pub mod access;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use access::{
    Area, Asker, Assigned, Ground, Person, Represented, Through, UNIT_MAX_BYTES, authorise, grounds, is_unit,
};

use crate::record::{CategoryName, RecordRef};

/// What somebody may be permitted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See proposals with their labels.
    View,
    /// Confirm and postpone.
    Decide,
    /// Ask for the erasure of one record by hand.
    Mark,
    /// Take back a confirmation.
    Restore,
    /// Set and release legal holds.
    Hold,
    /// Start jobs by hand and see runs.
    Run,
    /// Let a run go on that the brake has stopped.
    Brake,
    /// Change rules and assignments while the daemon runs.
    Configure,
    /// Read, export and verify the audit trail.
    Audit,
}

impl Permission {
    /// Every permission, in the order of the documents.
    pub const ALL: [Self; 9] = [
        Self::View,
        Self::Decide,
        Self::Mark,
        Self::Restore,
        Self::Hold,
        Self::Run,
        Self::Brake,
        Self::Configure,
        Self::Audit,
    ];

    /// The word in settings and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Decide => "decide",
            Self::Mark => "mark",
            Self::Restore => "restore",
            Self::Hold => "hold",
            Self::Run => "run",
            Self::Brake => "brake",
            Self::Configure => "configure",
            Self::Audit => "audit",
        }
    }

    /// Whether it may be limited, to categories or units, and given for single records. Jobs and the trail cover everything.
    #[must_use]
    pub const fn is_by_category(self) -> bool {
        !matches!(self, Self::Run | Self::Audit | Self::Brake | Self::Configure)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is not a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a permission")]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| UnknownPermission(text.to_owned()))
    }
}

/// Who did something, as the state and the trail name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The daemon itself: a scheduled run, settlement at start.
    Daemon,
    /// A user of the machine, named by the kernel.
    User {
        /// Numeric user id.
        uid: u32,
        /// Login name, or the number where the machine knows no name.
        name: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon => f.write_str("erasured"),
            Self::User { name, .. } => f.write_str(name),
        }
    }
}

/// A peer of the socket, as the kernel and the machine's user database know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Numeric user id.
    pub uid: u32,
    /// Login name, or the number where the machine knows no name.
    pub user: String,
    /// Names of all groups, the primary one among them.
    pub groups: BTreeSet<String>,
}

impl Identity {
    /// The actor that this peer is.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User { uid: self.uid, name: self.user.clone() }
    }
}

/// Records that a grant reaches: those that are within both limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Of these categories; `None`: of every one.
    pub categories: Option<BTreeSet<CategoryName>>,
    /// Of these units; `None`: of every one, and of none at all. A record without a unit is in none of these.
    pub units: Option<BTreeSet<String>>,
    /// But for these records: what a stand-in does not have, because whose place they take does not.
    pub except: BTreeSet<RecordRef>,
}

impl Reach {
    /// Whether it reaches nothing at all: no category, or no unit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.categories.as_ref().is_some_and(BTreeSet::is_empty) || self.units.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Whether it may reach records of the category.
    #[must_use]
    pub fn sees(&self, category: &CategoryName) -> bool {
        !self.is_empty() && self.categories.as_ref().is_none_or(|categories| categories.contains(category))
    }

    /// Whether it reaches every record of the category.
    #[must_use]
    pub fn sees_all_of(&self, category: &CategoryName) -> bool {
        let is_of_category = |record: &RecordRef| record.category == *category;
        self.sees(category) && self.units.is_none() && !self.except.iter().any(is_of_category)
    }

    /// Whether it reaches the record, which is in this unit.
    #[must_use]
    pub fn covers(&self, record: &RecordRef, unit: Option<&str>) -> bool {
        let is_in_unit = |units: &BTreeSet<String>| unit.is_some_and(|unit| units.contains(unit));
        self.sees(&record.category) && self.units.as_ref().is_none_or(is_in_unit) && !self.except.contains(record)
    }
}

/// A record given to somebody singly, about the person that it was about then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SingleRecord {
    /// The record.
    pub record: RecordRef,
    /// Digest of the person that it was about. Another person under the same key is not meant.
    pub digest: [u8; 32],
}

/// Which records somebody may see or touch: what a grant reaches and what was given to them singly, without what they
/// are denied. What is outside does not exist for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// What grants reach.
    pub reaches: Vec<Reach>,
    /// What was given singly.
    pub records: BTreeSet<SingleRecord>,
    /// What is denied, whoever the person under the key is. It beats everything else.
    pub denied: BTreeSet<RecordRef>,
}

impl Scope {
    /// Every record there is.
    #[must_use]
    pub fn everything() -> Self {
        Self { reaches: vec![Reach::default()], ..Self::default() }
    }

    /// Whether nothing at all is outside.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.denied.is_empty() && self.reaches.contains(&Reach::default())
    }

    /// Whether the category exists for whoever has the scope: some record of it may be within.
    #[must_use]
    pub fn sees(&self, category: &CategoryName) -> bool {
        self.reaches.iter().any(|reach| reach.sees(category))
            || self.records.iter().any(|single| single.record.category == *category)
    }

    /// Whether every record of the category is within, so that its sums may be told.
    #[must_use]
    pub fn sees_all_of(&self, category: &CategoryName) -> bool {
        let is_of_category = |record: &RecordRef| record.category == *category;
        !self.denied.iter().any(is_of_category) && self.reaches.iter().any(|reach| reach.sees_all_of(category))
    }

    /// Whether the record is within. `unit` and `digest` are its own, as it is now or as it was proposed.
    #[must_use]
    pub fn covers(&self, record: &RecordRef, unit: Option<&str>, digest: &[u8; 32]) -> bool {
        let is_given = |single: &SingleRecord| single.record == *record && single.digest == *digest;
        !self.denied.contains(record)
            && (self.reaches.iter().any(|reach| reach.covers(record, unit)) || self.records.iter().any(is_given))
    }
}

/// One `[[grant]]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Users it holds for, by login name.
    pub users: BTreeSet<String>,
    /// Groups it holds for, by name.
    pub groups: BTreeSet<String>,
    /// What it permits.
    pub permissions: BTreeSet<Permission>,
    /// Where it permits it.
    pub reach: Reach,
}

impl Grant {
    /// Whether it holds for them.
    #[must_use]
    pub fn holds_for(&self, identity: &Identity) -> bool {
        self.users.contains(&identity.user) || !self.groups.is_disjoint(&identity.groups)
    }
}

/// Leave to do one kind of thing, within a scope. Whoever holds one has been asked for its permission.
#[derive(Debug, Clone)]
pub struct Authorised {
    actor: Actor,
    permission: Permission,
    scope: Scope,
    as_of: Option<u64>,
}

impl Authorised {
    /// Who may.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What they may.
    #[must_use]
    pub fn permission(&self) -> Permission {
        self.permission
    }

    /// Where they may.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The trail's newest entry when that was found out: who acts later has to be asked again if something of it has
    /// changed. `None`: it does not change.
    #[must_use]
    pub fn as_of(&self) -> Option<u64> {
        self.as_of
    }
}

/// The peer lacks a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{user} has no grant with the permission {permission}")]
pub struct Refused {
    /// Who was refused.
    pub user: String,
    /// What they lack.
    pub permission: Permission,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_read_from_the_word_that_it_is_written_as() {
        let words = Permission::ALL.map(|permission| permission.to_string());
        assert_eq!(words, ["view", "decide", "mark", "restore", "hold", "run", "brake", "configure", "audit"]);
        for permission in Permission::ALL {
            assert_eq!(permission.to_string().parse(), Ok(permission));
        }
        assert_eq!("all".parse::<Permission>(), Err(UnknownPermission("all".into())));
    }

    #[test]
    fn whoever_acts_goes_by_a_name() {
        let vera = Identity { uid: 1000, user: "vera".into(), groups: BTreeSet::new() };
        assert_eq!([Actor::Daemon.to_string(), vera.actor().to_string()], ["erasured", "vera"]);
    }
}
