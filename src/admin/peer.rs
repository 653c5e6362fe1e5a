//! Who a peer is: the kernel gives its user id, the machine's user database the rest.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::sync::Arc;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use crate::actor::Identity;

/// The user database gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// About the user.
    #[error("cannot look up user {uid}")]
    User {
        /// The user id that the kernel gave.
        uid: u32,
        /// Why not.
        #[source]
        source: nix::Error,
    },
    /// About the user of a name.
    #[error("cannot look up user {name}")]
    Name {
        /// The login name.
        name: String,
        /// Why not.
        #[source]
        source: nix::Error,
    },
    /// About the groups that the user is in.
    #[error("cannot look up the groups of user {uid}")]
    Groups {
        /// The user id that the kernel gave.
        uid: u32,
        /// Why not.
        #[source]
        source: nix::Error,
    },
}

/// Finds out who a login name is; none where the machine knows no such user.
pub type WhoIsNamed = Arc<dyn Fn(&str) -> Result<Option<Identity>, PeerError> + Send + Sync>;

/// Who the user of this login name is, likewise.
///
/// # Errors
/// [`PeerError`] when the database cannot be asked.
pub fn identity_named(name: &str) -> Result<Option<Identity>, PeerError> {
    let failed = |source| PeerError::Name { name: name.to_owned(), source };
    let Some(user) = User::from_name(name).map_err(failed)? else {
        return Ok(None);
    };
    let groups = groups_of(&user).map_err(failed)?;
    Ok(Some(Identity { uid: user.uid.as_raw(), user: user.name, groups }))
}

/// Finds out who a user id is.
pub type WhoIs = Arc<dyn Fn(u32) -> Result<Identity, PeerError> + Send + Sync>;

/// Who `uid` is, with every group that the user database puts them in now. The groups of the peer's process are not
/// asked: they are those of its login, and somebody taken out of a group since must not act through an old session.
///
/// Blocks while the user database is asked, which may be a network away.
///
/// # Errors
/// [`PeerError`] when the database cannot be asked. That it does not know the user is no error: they are then named by their
/// number, in no group.
pub fn identity_of(uid: u32) -> Result<Identity, PeerError> {
    let user = User::from_uid(Uid::from_raw(uid)).map_err(|source| PeerError::User { uid, source })?;
    let Some(user) = user else {
        return Ok(Identity { uid, user: uid.to_string(), groups: BTreeSet::new() });
    };
    let groups = groups_of(&user).map_err(|source| PeerError::Groups { uid, source })?;
    Ok(Identity { uid, user: user.name, groups })
}

fn groups_of(user: &User) -> Result<BTreeSet<String>, nix::Error> {
    let name = CString::new(user.name.as_bytes()).map_err(|_| nix::Error::EINVAL)?;
    getgrouplist(&name, user.gid)?.into_iter().map(group_name).collect()
}

fn group_name(gid: Gid) -> Result<String, nix::Error> {
    Ok(Group::from_gid(gid)?.map_or_else(|| gid.to_string(), |group| group.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_in_its_own_group() {
        let root = identity_of(0).unwrap();
        assert_eq!((root.uid, root.user.as_str()), (0, "root"));
        assert!(root.groups.contains("root"), "{:?}", root.groups);
    }

    #[test]
    fn a_number_nobody_has_is_in_no_group() {
        let nobody = identity_of(3_999_999_999).unwrap();
        assert_eq!(nobody.user, "3999999999");
        assert!(nobody.groups.is_empty());
    }
}
