//! Who acts, with which permissions, and what a grant covers.
//!
//! Pure: identities come in as values (the socket's peer, looked up by `admin`), permissions are decided here and nowhere
//! else. May be relied on: an [`Authorised`] exists only after its permission was granted; without any grant only root
//! and the daemon's own user may do anything. Never trusts a name that a client sent.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::record::CategoryName;

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

    /// Whether a grant of it may be limited to categories. Jobs and the trail cover every category.
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

/// Which categories somebody may see or touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every category.
    All,
    /// These and no others.
    Categories(BTreeSet<CategoryName>),
}

impl Scope {
    /// Whether `category` is within the scope.
    #[must_use]
    pub fn covers(&self, category: &CategoryName) -> bool {
        match self {
            Self::All => true,
            Self::Categories(categories) => categories.contains(category),
        }
    }

    fn add(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Categories(mine), Self::Categories(theirs)) => mine.extend(theirs.iter().cloned()),
            _ => *self = Self::All,
        }
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
    pub scope: Scope,
}

impl Grant {
    fn holds_for(&self, identity: &Identity) -> bool {
        self.users.contains(&identity.user) || !self.groups.is_disjoint(&identity.groups)
    }
}

/// Leave to do one kind of thing, within a scope. Whoever holds one has been asked for its permission.
#[derive(Debug, Clone)]
pub struct Authorised {
    actor: Actor,
    permission: Permission,
    scope: Scope,
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

/// Asks for a permission on behalf of a peer. `own_uid` is the user the daemon runs as.
///
/// # Errors
/// [`Refused`] when no grant gives the permission anywhere; when there is no grant at all, to everybody but root and the
/// daemon's own user.
pub fn authorise(
    identity: &Identity,
    permission: Permission,
    grants: &[Grant],
    own_uid: u32,
) -> Result<Authorised, Refused> {
    let authorised = |scope| Authorised { actor: identity.actor(), permission, scope };
    if grants.is_empty() && (identity.uid == 0 || identity.uid == own_uid) {
        return Ok(authorised(Scope::All));
    }
    grants
        .iter()
        .filter(|grant| grant.permissions.contains(&permission) && grant.holds_for(identity))
        .map(|grant| grant.scope.clone())
        .reduce(|mut sum, scope| {
            sum.add(&scope);
            sum
        })
        .map(authorised)
        .ok_or_else(|| Refused { user: identity.user.clone(), permission })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(uid: u32, user: &str, groups: &[&str]) -> Identity {
        Identity { uid, user: user.into(), groups: groups.iter().map(ToString::to_string).collect() }
    }

    fn grant(users: &[&str], groups: &[&str], permission: Permission, categories: &[&str]) -> Grant {
        Grant {
            users: users.iter().map(ToString::to_string).collect(),
            groups: groups.iter().map(ToString::to_string).collect(),
            permissions: BTreeSet::from([permission]),
            scope: if categories.is_empty() {
                Scope::All
            } else {
                Scope::Categories(categories.iter().map(|name| name.parse().unwrap()).collect())
            },
        }
    }

    #[test]
    fn without_a_grant_only_root_and_the_daemon_itself() {
        for (uid, allowed) in [(0, true), (990, true), (1000, false)] {
            let answer = authorise(&identity(uid, "somebody", &[]), Permission::View, &[], 990);
            assert_eq!(answer.is_ok(), allowed, "uid {uid}");
        }
    }

    #[test]
    fn with_a_grant_root_has_only_what_grants_give() {
        let grants = [grant(&["vera"], &[], Permission::View, &[])];
        assert!(authorise(&identity(0, "root", &["root"]), Permission::View, &grants, 0).is_err());
        assert!(authorise(&identity(7, "vera", &[]), Permission::View, &grants, 0).is_ok());
        assert!(authorise(&identity(7, "vera", &[]), Permission::Decide, &grants, 0).is_err());
    }

    #[test]
    fn grants_add_up() {
        let grants = [
            grant(&["vera"], &[], Permission::View, &["member"]),
            grant(&[], &["privacy"], Permission::View, &["prospect"]),
            grant(&[], &["boss"], Permission::View, &[]),
        ];
        let scope = |groups: &[&str]| {
            authorise(&identity(7, "vera", groups), Permission::View, &grants, 0).unwrap().scope().clone()
        };
        let (member, prospect) = ("member".parse().unwrap(), "prospect".parse().unwrap());
        assert!(scope(&[]).covers(&member) && !scope(&[]).covers(&prospect));
        assert!(scope(&["privacy"]).covers(&member) && scope(&["privacy"]).covers(&prospect));
        assert_eq!(scope(&["boss"]), Scope::All);
    }
}
