//! What somebody may do, and through what: grants of the settings, and what was assigned while the daemon runs.
//!
//! Pure. The rules:
//!
//! - Permissions come from grants of the settings alone. An assignment widens where somebody has those of their
//!   permissions that can be limited, and never adds one.
//! - A unit that was assigned reaches the records of that unit in the categories that the grant with the permission names.
//!   A record that was given singly is reached whatever its category, as long as it is about the same person.
//! - A stand-in has, through the last day named, what the other has of the permissions that can be limited, exactly where the
//!   other has it: somebody who is ill has left decisions behind, and seeing them would not be enough. `run`, `brake`,
//!   `configure` and `audit` are not passed on, nor is what the other has as a stand-in themselves.
//! - A deny entry beats everything. Those of a stand-in bind them wherever they act; those of the person they stand in for
//!   bind what they have through that person.
//! - What cannot be limited cannot be widened. Deny entries apply to it where single records are looked at.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Authorised, Grant, Identity, Permission, Reach, Refused, Scope, SingleRecord};
use crate::record::RecordRef;

/// Longest name of a unit, in bytes.
pub const UNIT_MAX_BYTES: usize = 200;

/// Whether a text can be the name of a unit: as an application's database would hold it.
#[must_use]
pub fn is_unit(text: &str) -> bool {
    !text.is_empty() && text.len() <= UNIT_MAX_BYTES && text.trim() == text && !text.contains(char::is_control)
}

/// What was assigned to somebody while the daemon runs, as far as it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assigned {
    /// Units.
    pub units: BTreeSet<String>,
    /// Single records.
    pub records: BTreeSet<SingleRecord>,
    /// Records that are denied.
    pub denied: BTreeSet<RecordRef>,
}

/// Somebody, with what was assigned to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub identity: Identity,
    /// What was assigned to them.
    pub assigned: Assigned,
}

/// Somebody whose place another takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Represented {
    /// Who.
    pub person: Person,
    /// The last day on which the other does.
    pub until: Date,
}

/// Whoever asks for a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Themselves.
    pub person: Person,
    /// Those whose place they take.
    pub represents: Vec<Represented>,
    /// The trail's newest entry when all of this was read; `None`: nothing was.
    pub as_of: Option<u64>,
}

impl Asker {
    /// Somebody to whom nothing is assigned.
    #[must_use]
    pub fn alone(identity: Identity) -> Self {
        Self { person: Person { identity, assigned: Assigned::default() }, represents: Vec::new(), as_of: None }
    }
}

/// One reason why somebody has a permission somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Where.
    pub area: Area,
    /// Through what.
    pub through: Through,
    /// Whose place they take, and the last day on which they do; `None`: they have it themselves.
    pub represents: Option<(String, Date)>,
}

/// Which records a ground covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Area {
    /// All that are within limits.
    Reach(Reach),
    /// These.
    Records(BTreeSet<SingleRecord>),
}

/// What gives somebody a permission somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// Being root or the daemon's own user, while there is no grant at all.
    Machine,
    /// The grant of this number in the settings, from 1.
    Grant(usize),
    /// What was assigned to them while the daemon runs.
    Assignment,
}

/// Why somebody has a permission, and where. `None`: they do not have it. No ground at all: they have it nowhere yet.
/// `own_uid` is the user the daemon runs as.
#[must_use]
pub fn grounds(
    asker: &Asker,
    permission: Permission,
    grants: &[Grant],
    today: Date,
    own_uid: u32,
) -> Option<Vec<Ground>> {
    let own = &asker.person;
    if grants.is_empty() && (own.identity.uid == 0 || own.identity.uid == own_uid) {
        let area = Area::Reach(Reach::default());
        return Some(vec![Ground { area, through: Through::Machine, represents: None }]);
    }
    let mut found = of_person(own, permission, grants);
    let represents = asker.represents.iter().filter(|other| permission.is_by_category() && today <= other.until);
    for other in represents {
        let Some(grounds) = of_person(&other.person, permission, grants) else { continue };
        let as_represented = grounds.into_iter().filter_map(|ground| {
            let ground = ground.without(&other.person.assigned.denied)?;
            Some(Ground { represents: Some((other.person.identity.user.clone(), other.until)), ..ground })
        });
        found.get_or_insert_default().extend(as_represented);
    }
    found
}

/// What somebody has by themselves.
fn of_person(person: &Person, permission: Permission, grants: &[Grant]) -> Option<Vec<Ground>> {
    let Person { identity, assigned } = person;
    let is_given = |grant: &Grant| grant.permissions.contains(&permission) && grant.holds_for(identity);
    let given: Vec<_> = grants.iter().enumerate().filter(|(_, grant)| is_given(grant)).collect();
    if given.is_empty() {
        return None;
    }
    let ground = |area, through| Ground { area, through, represents: None };
    let mut grounds = Vec::new();
    for (index, grant) in given {
        if !grant.reach.is_empty() {
            grounds.push(ground(Area::Reach(grant.reach.clone()), Through::Grant(index + 1)));
        }
        // A grant without units covers every unit anyway.
        if grant.reach.units.is_some() && !assigned.units.is_empty() {
            let reach = Reach { units: Some(assigned.units.clone()), ..grant.reach.clone() };
            let widened = ground(Area::Reach(reach), Through::Assignment);
            if !grounds.contains(&widened) {
                grounds.push(widened);
            }
        }
    }
    if permission.is_by_category() && !assigned.records.is_empty() {
        grounds.push(ground(Area::Records(assigned.records.clone()), Through::Assignment));
    }
    Some(grounds)
}

impl Ground {
    /// The ground without these records; `None` when nothing is left.
    #[must_use]
    pub fn without(self, denied: &BTreeSet<RecordRef>) -> Option<Self> {
        Some(Self { area: self.area.without(denied)?, ..self })
    }
}

impl Area {
    fn without(self, denied: &BTreeSet<RecordRef>) -> Option<Self> {
        match self {
            Self::Reach(mut reach) => {
                reach.except.extend(denied.iter().cloned());
                Some(Self::Reach(reach))
            }
            Self::Records(mut records) => {
                records.retain(|single| !denied.contains(&single.record));
                (!records.is_empty()).then_some(Self::Records(records))
            }
        }
    }
}

/// Asks for a permission. `own_uid` is the user the daemon runs as.
///
/// # Errors
/// [`Refused`] when no grant gives the permission anywhere; when there is no grant at all, to everybody but root and the
/// daemon's own user.
pub fn authorise(
    asker: &Asker,
    permission: Permission,
    grants: &[Grant],
    today: Date,
    own_uid: u32,
) -> Result<Authorised, Refused> {
    let identity = &asker.person.identity;
    let grounds = grounds(asker, permission, grants, today, own_uid);
    let grounds = grounds.ok_or_else(|| Refused { user: identity.user.clone(), permission })?;
    let mut scope = Scope { denied: asker.person.assigned.denied.clone(), ..Scope::default() };
    for ground in grounds {
        match ground.area {
            Area::Reach(reach) if !scope.reaches.contains(&reach) => scope.reaches.push(reach),
            Area::Reach(_) => {}
            Area::Records(records) => scope.records.extend(records),
        }
    }
    Ok(Authorised { actor: identity.actor(), permission, scope, as_of: asker.as_of })
}

#[cfg(test)]
mod tests;
