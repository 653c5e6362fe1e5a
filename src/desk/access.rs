//! Who may see and do what: looking at it, and changing what is assigned while the daemon runs.
//!
//! May be relied on: what is assigned is about a record that is there, and about the person that it is about now; nobody
//! widens what they have themselves; and what is taken away is gone, or else it is refused with the reason. Whoever is
//! denied a record does not find it here either.

mod change;

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Desk, DeskError};
use crate::actor::{Area, Asker, Assigned, Authorised, Ground, Permission, SingleRecord, grounds};
use crate::config::causes;
use crate::erasure::{Examined, examine, open};
use crate::proposal::ReasonError;
use crate::record::{CategoryName, RecordKey, RecordRef};
use crate::store::{AccessEntry, AccessWhat, Page};

/// What stands between who asked for a denial and why, in the one text that the trail has a digest of.
const BETWEEN: char = '\n';

/// What is to be assigned or denied to somebody, or no longer to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessAsked {
    /// A unit is assigned.
    AddUnit(String),
    /// It no longer is.
    RemoveUnit(String),
    /// A single record is given.
    AddRecord(RecordRef),
    /// It no longer is.
    RemoveRecord(RecordRef),
    /// A record is denied.
    AddDeny {
        /// Which.
        record: RecordRef,
        /// Who asked for it: the subject, a works council, the user themselves.
        asked_by: String,
        /// Why.
        reason: String,
    },
    /// It no longer is.
    RemoveDeny(RecordRef),
    /// Somebody's place is taken.
    StandIn {
        /// Whose.
        represents: String,
        /// Through this day.
        until: Date,
    },
    /// It no longer is.
    EndStandIn {
        /// Whose.
        represents: String,
    },
}

/// Whose access is looked at or changed.
#[derive(Debug, Clone)]
pub struct Whose {
    /// The user, by login name.
    pub user: String,
    /// Who that is, with what they have; `None` where the machine does not know the name.
    pub known: Option<Asker>,
    /// The user the daemon runs as.
    pub own_uid: u32,
}

/// Why access cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// The machine knows no such user.
    #[error("this machine knows no user {0}")]
    UnknownUser(String),
    /// Nobody widens what they have themselves.
    #[error("nobody changes their own access to have more of it")]
    Own,
    /// It is there already.
    #[error("it is so already, since entry {0}")]
    Already(u64),
    /// There is nothing to end.
    #[error("there is no such entry")]
    NoEntry,
    /// It is not assigned, or not only: grants of the settings give it.
    #[error("the settings give it, in grant {0}")]
    ByGrant(usize),
    /// The record would still be theirs, through a unit or a category.
    #[error("{user} has it through {through} and would keep it")]
    Otherwise {
        /// Whose it would be.
        user: String,
        /// Which.
        record: RecordRef,
        /// Through what.
        through: &'static str,
    },
    /// There is no such record, or none that the asker may see.
    #[error("there is no such record")]
    NoSuchRecord,
    /// Nothing tells whom the record is about, so that it could not be told from the next one under the same key.
    #[error("nothing in the columns that make it the same person is filled")]
    Nobody,
    /// The source does not say whom the record is about.
    #[error("its source cannot be read: {0}")]
    Unreadable(String),
    /// It cannot be a unit.
    #[error("this cannot be the name of a unit")]
    NoUnit,
    /// The day has passed.
    #[error("the day has passed, it is {0}")]
    Past(Date),
    /// Somebody cannot take their own place.
    #[error("nobody stands in for themselves")]
    Themselves,
    /// What was typed is no reason.
    #[error("{0}")]
    Reason(ReasonError),
}

/// How an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessStanding {
    /// It holds.
    InForce,
    /// It holds no longer: the record is about another person now, or gone.
    Lapsed,
    /// It holds no longer: the last day has passed.
    Over,
    /// It was ended, or another took its place.
    Ended,
    /// It holds for the person that it was given for; whether the record is still about them cannot be told.
    Untold(String),
}

/// An entry, and how it stands.
#[derive(Debug, Clone)]
pub struct AccessItem {
    /// The entry.
    pub entry: AccessEntry,
    /// How it stands.
    pub standing: AccessStanding,
    /// Who asked for it, where it is a denial and the text is still there.
    pub asked_by: Option<String>,
    /// Why, likewise.
    pub reason: Option<String>,
}

/// What came of a change.
#[derive(Debug, Clone)]
pub struct AccessChanged {
    /// What was made.
    pub made: Option<AccessItem>,
    /// What has ended.
    pub ended: Option<AccessItem>,
}

/// What somebody may see and do, and through what.
#[derive(Debug, Clone)]
pub struct AccessView {
    /// Every permission that they have, with the reasons why; none: they have it nowhere yet.
    pub permissions: Vec<(Permission, Vec<Ground>)>,
    /// What is assigned and denied to them.
    pub entries: Vec<AccessItem>,
}

/// What a user's entries come to. Of those of several users, the named one's alone.
#[must_use]
pub fn assigned_of(user: &str, entries: &[AccessEntry]) -> Assigned {
    let mut assigned = Assigned::default();
    for entry in entries.iter().filter(|entry| entry.user == user) {
        match &entry.what {
            AccessWhat::Unit(unit) => drop(assigned.units.insert(unit.clone())),
            AccessWhat::Record(record, fingerprint) => {
                let single = |record: &RecordRef| SingleRecord { record: record.clone(), digest: fingerprint.digest };
                assigned.records.extend([Some(record), entry.named.as_ref()].into_iter().flatten().map(single));
            }
            AccessWhat::Deny(record, _) => {
                assigned.denied.extend([Some(record), entry.named.as_ref()].into_iter().flatten().cloned());
            }
            AccessWhat::StandIn { .. } => {}
        }
    }
    assigned
}

/// Who asked for a denial and why, from the text that lies beside the chain.
pub(super) fn asked(text: &str) -> (Option<&str>, &str) {
    text.split_once(BETWEEN).map_or((None, text), |(asked_by, reason)| (Some(asked_by), reason))
}

impl Desk {
    /// What is assigned to a user now, and to those whose place they take today.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn access_of(&self, user: &str) -> Result<Vec<AccessEntry>, DeskError> {
        self.store.access_of(user, self.today()).await.map_err(DeskError::Store)
    }

    /// Entries, the latest first, at most `limit` of those before number `before`; of one user where one is named.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn access_entries(
        &self,
        leave: &Authorised,
        user: Option<&str>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page<AccessItem, u64>, DeskError> {
        let denied = &leave.scope().denied;
        let page = self.store.access(user, denied, before, limit).await.map_err(DeskError::Store)?;
        Ok(Page { items: self.items(page.items).await?, total: page.total, next: page.next })
    }

    /// What somebody may see and do, and through what.
    ///
    /// # Errors
    /// When the machine does not know them and nothing is assigned to them, or the state cannot be read.
    pub async fn access_view(&self, leave: &Authorised, whose: &Whose) -> Result<AccessView, DeskError> {
        let entries = self.access_of(&whose.user).await?;
        let own: Vec<_> =
            entries.into_iter().filter(|entry| entry.user == whose.user && may_see(leave, entry)).collect();
        if own.is_empty() && whose.known.is_none() {
            return Err(DeskError::Access(AccessFault::UnknownUser(whose.user.clone())));
        }
        let all = Permission::ALL.into_iter();
        let permissions = all.filter_map(|permission| Some((permission, self.grounds(whose, permission)?)));
        let permissions = permissions.map(|(permission, grounds)| {
            (permission, grounds.into_iter().filter_map(|ground| shown(leave, ground)).collect())
        });
        Ok(AccessView { permissions: permissions.collect(), entries: self.items(own).await? })
    }

    fn grounds(&self, whose: &Whose, permission: Permission) -> Option<Vec<Ground>> {
        let grants = &self.settings().grants;
        grounds(whose.known.as_ref()?, permission, grants, self.today(), whose.own_uid)
    }

    /// Records as their source has them now. The error says why it cannot be read; none: there is no such category.
    async fn examined(&self, category: &CategoryName, keys: &[RecordKey]) -> Result<Vec<Examined>, Option<String>> {
        let glass = self.glass();
        let settled = glass.settings.categories.get(category).ok_or(None)?;
        let mut opened = open(&glass.settings, &settled.source.value).await.map_err(|error| Some(causes(&error)))?;
        let examined = match opened.mappings.get(category) {
            None => Err(opened.why_stopped(category).map(str::to_owned)),
            Some(mapping) => {
                let examined = examine(&mut opened.reader, mapping, &glass.day, glass.key, keys).await;
                examined.map_err(|error| Some(causes(&error)))
            }
        };
        opened.reader.close().await;
        examined
    }

    /// Entries with how each stands.
    async fn items(&self, entries: Vec<AccessEntry>) -> Result<Vec<AccessItem>, DeskError> {
        let standings = self.standings(&entries).await?;
        Ok(entries.into_iter().zip(standings).map(|(entry, standing)| item(entry, standing)).collect())
    }

    async fn standings(&self, entries: &[AccessEntry]) -> Result<Vec<AccessStanding>, DeskError> {
        let today = self.today();
        let (mut standings, mut unproposed) = (Vec::new(), BTreeMap::<CategoryName, Vec<usize>>::new());
        for (place, entry) in entries.iter().enumerate() {
            standings.push(match &entry.what {
                AccessWhat::StandIn { until, .. } if *until < today => AccessStanding::Over,
                AccessWhat::Record(record, fingerprint) => {
                    let proposal = self.store.proposal(record).await.map_err(DeskError::Store)?;
                    match proposal.filter(|proposal| proposal.life.state().is_open()) {
                        Some(proposal) if proposal.fingerprint != *fingerprint => AccessStanding::Lapsed,
                        Some(_) => AccessStanding::InForce,
                        None => {
                            unproposed.entry(record.category.clone()).or_default().push(place);
                            AccessStanding::InForce
                        }
                    }
                }
                AccessWhat::StandIn { .. } | AccessWhat::Unit(_) | AccessWhat::Deny(..) => AccessStanding::InForce,
            });
        }
        for (category, places) in unproposed {
            let keys: Vec<_> = places
                .iter()
                .filter_map(|place| entries[*place].what.record().map(|(record, _)| record.key.clone()))
                .collect();
            let found = self.examined(&category, &keys).await;
            for (index, place) in places.into_iter().enumerate() {
                standings[place] = match &found {
                    Ok(found) => standing_now(&entries[place], found.get(index)),
                    Err(problem) => {
                        let gone = || format!("there is no category {category} in the settings");
                        AccessStanding::Untold(problem.clone().unwrap_or_else(gone))
                    }
                };
            }
        }
        Ok(standings)
    }
}

/// How an entry about a single record stands, of which the source says this now.
fn standing_now(entry: &AccessEntry, now: Option<&Examined>) -> AccessStanding {
    let then = entry.what.record().map(|(_, fingerprint)| fingerprint);
    match now {
        Some(Examined::Found { fingerprint, .. }) if Some(fingerprint) == then => AccessStanding::InForce,
        Some(Examined::Found { .. } | Examined::Gone) | None => AccessStanding::Lapsed,
    }
}

/// Whether the entry exists for the asker: they may be denied the very record.
fn may_see(leave: &Authorised, entry: &AccessEntry) -> bool {
    entry.what.record().is_none_or(|(record, _)| !leave.scope().denied.contains(record))
}

/// The ground without the records that the asker is denied.
fn shown(leave: &Authorised, ground: Ground) -> Option<Ground> {
    match ground.area {
        Area::Records(_) => ground.without(&leave.scope().denied),
        Area::Reach(_) => Some(ground),
    }
}

fn item(entry: AccessEntry, standing: AccessStanding) -> AccessItem {
    let (asked_by, reason) = match entry.text.as_deref().map(asked) {
        Some((asked_by, reason)) => (asked_by.map(str::to_owned), Some(reason.to_owned())),
        None => (None, None),
    };
    AccessItem { entry, standing, asked_by, reason }
}
