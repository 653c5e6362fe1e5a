//! Who may do what: asking for a permission, looking at what is assigned, changing it.
//!
//! Never from memory: what is assigned is read for every request, and what groups somebody is in is asked of the machine,
//! for those too whose place the asker takes.

use super::House;
use super::faults::{Asked, problem_of};
use super::runs::instant;
use crate::actor::{Area, Asker, Authorised, Ground, Identity, Permission, Person, Represented, Through, authorise};
use crate::admin::problem::{not_permitted, problem, with_hint};
use crate::admin::{PeerError, Reply, decide};
use crate::api::{self, AccessKind, AccessRequest, AccessThrough, Code, Problem};
use crate::desk::{
    AccessAsked, AccessChanged, AccessEntry, AccessFault, AccessItem, AccessStanding, AccessView, AccessWhat,
    DeskError, Page, Whose, assigned_of,
};

impl House {
    /// Asks for a permission.
    pub(super) async fn admit(&self, identity: Identity, permission: Permission) -> Reply<Authorised> {
        let asker = self.asker(identity).await?;
        let grants = &self.desk.settings().grants;
        authorise(&asker, permission, grants, self.desk.today(), self.own_uid)
            .map_err(|refused| not_permitted(&refused))
    }

    /// Somebody with all that is assigned to them now, and with those whose place they take today.
    async fn asker(&self, identity: Identity) -> Reply<Asker> {
        // First: what is changed from here on is found again by whoever acts.
        let as_of = Some(self.desk.newest_entry().await.map_err(|error| problem_of(Asked::Access, error))?);
        let entries = self.desk.access_of(&identity.user).await.map_err(|error| problem_of(Asked::Access, error))?;
        let today = self.desk.today();
        let mut represents = Vec::new();
        for entry in entries.iter().filter(|entry| entry.user == identity.user) {
            if let AccessWhat::StandIn { represents: user, until } = &entry.what
                && today <= *until
            {
                // Whoever is not known, or cannot be asked about, has nothing to pass on.
                match self.named(user).await {
                    Ok(Some(identity)) => {
                        let assigned = assigned_of(user, &entries);
                        represents.push(Represented { person: Person { identity, assigned }, until: *until });
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot find out what a stand-in has through another user"
                    ),
                }
            }
        }
        let assigned = assigned_of(&identity.user, &entries);
        Ok(Asker { person: Person { identity, assigned }, represents, as_of })
    }

    /// The user of this name, where the machine knows one.
    async fn named(&self, user: &str) -> Result<Option<Identity>, PeerError> {
        let (who_is_named, user) = (std::sync::Arc::clone(&self.who_is_named), user.to_owned());
        let looked_up = tokio::task::spawn_blocking(move || who_is_named(&user)).await;
        looked_up.unwrap_or(Ok(None))
    }

    /// The user whose access is looked at or changed.
    async fn whose(&self, user: String) -> Reply<Whose> {
        let named = self.named(&user).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot find out who a user is");
            let unknown = problem(Code::UnknownPeer, format!("cannot find out who {user} is"));
            with_hint(unknown, "the machine's user database does not answer; the daemon's log says why")
        })?;
        // The machine may know a user by several names. Entries are kept under the one that requests are made under.
        let (user, known) = match named {
            Some(identity) => (identity.user.clone(), Some(self.asker(identity).await?)),
            None => (user, None),
        };
        Ok(Whose { user, known, own_uid: self.own_uid })
    }

    /// A page of entries.
    pub(super) async fn access_page(
        &self,
        leave: &Authorised,
        user: Option<String>,
        before: Option<u64>,
        limit: u32,
    ) -> Reply<api::AccessPage> {
        let user = match user {
            Some(user) => Some(self.whose(user).await?.user),
            None => None,
        };
        let page = self.desk.access_entries(leave, user.as_deref(), before, limit).await;
        let Page { items, total, next } = page.map_err(|error| problem_of(Asked::Access, error))?;
        let items = items.into_iter().map(entry).collect();
        Ok(api::AccessPage { total, items, next: next.map(|seq| seq.to_string()) })
    }

    /// What one user may see and do, and through what.
    pub(super) async fn access_view(&self, leave: &Authorised, user: String) -> Reply<api::AccessView> {
        let whose = self.whose(user).await?;
        let view = self.desk.access_view(leave, &whose).await;
        let AccessView { permissions, entries } =
            view.map_err(|error| fault_or(error, "show what somebody may do", Asked::Access))?;
        let permissions = permissions.into_iter().flat_map(|(permission, grounds)| told(permission, grounds));
        Ok(api::AccessView {
            known: whose.known.is_some(),
            user: whose.user,
            permissions: permissions.collect(),
            entries: entries.into_iter().map(entry).collect(),
        })
    }

    /// Changes what is assigned or denied.
    pub(super) async fn access_changed(
        &self,
        leave: &Authorised,
        request: &str,
        change: AccessRequest,
    ) -> Reply<api::AccessAnswer> {
        let (user, mut asked, doing) = asked(change)?;
        let is_new = matches!(asked, AccessAsked::StandIn { .. });
        if let AccessAsked::StandIn { represents, .. } | AccessAsked::EndStandIn { represents } = &mut asked {
            let other = self.whose(represents.clone()).await?;
            if is_new && other.known.is_none() {
                return Err(problem_with(&doing, &AccessFault::UnknownUser(other.user)));
            }
            *represents = other.user;
        }
        let whose = self.whose(user).await?;
        let changed = self.desk.change_access(leave, request, &whose, asked).await;
        let AccessChanged { made, ended } = changed.map_err(|error| fault_or(error, &doing, Asked::Access))?;
        Ok(api::AccessAnswer { made: made.map(entry), ended: ended.map(entry) })
    }
}

/// The user, what is asked, and how a refusal names it.
fn asked(change: AccessRequest) -> Reply<(String, AccessAsked, String)> {
    Ok(match change {
        AccessRequest::AddUnit { user, unit } => {
            let doing = format!("assign the unit {unit} to {user}");
            (user, AccessAsked::AddUnit(unit), doing)
        }
        AccessRequest::RemoveUnit { user, unit } => {
            let doing = format!("take the unit {unit} away from {user}");
            (user, AccessAsked::RemoveUnit(unit), doing)
        }
        AccessRequest::AddRecord { user, record } => {
            let doing = format!("give {record} to {user}");
            (user, AccessAsked::AddRecord(decide::record(&record)?), doing)
        }
        AccessRequest::RemoveRecord { user, record } => {
            let doing = format!("take {record} away from {user}");
            (user, AccessAsked::RemoveRecord(decide::record(&record)?), doing)
        }
        AccessRequest::AddDeny { user, record, asked_by, reason } => {
            let doing = format!("deny {record} to {user}");
            let record = decide::record(&record)?;
            (user, AccessAsked::AddDeny { record, asked_by, reason }, doing)
        }
        AccessRequest::RemoveDeny { user, record } => {
            let doing = format!("no longer deny {record} to {user}");
            (user, AccessAsked::RemoveDeny(decide::record(&record)?), doing)
        }
        AccessRequest::StandIn { user, stands_in_for: represents, until } => {
            let until =
                until.parse::<jiff::civil::Date>().ok().filter(|date| date.to_string() == until).ok_or_else(|| {
                    let detail = format!("cannot let {user} stand in until {until:?}: it is not a date");
                    with_hint(problem(Code::Malformed, detail), "write it as YEAR-MONTH-DAY, for example 2027-06-30")
                })?;
            let doing = format!("let {user} stand in for {represents}");
            (user, AccessAsked::StandIn { represents, until }, doing)
        }
        AccessRequest::EndStandIn { user, stands_in_for: represents } => {
            let doing = format!("no longer let {user} stand in for {represents}");
            (user, AccessAsked::EndStandIn { represents }, doing)
        }
    })
}

fn fault_or(error: DeskError, doing: &str, asked: Asked) -> Problem {
    match error {
        DeskError::Access(fault) => problem_with(doing, &fault),
        error => problem_of(asked, error),
    }
}

/// The problem that a change is refused with.
pub(super) fn problem_with(doing: &str, fault: &AccessFault) -> Problem {
    let refused = |code| problem(code, format!("cannot {doing}: {fault}"));
    match fault {
        AccessFault::UnknownUser(_) => with_hint(refused(Code::Invalid), "name users as `id` shows them"),
        AccessFault::Own => {
            with_hint(refused(Code::NotPermitted), "ask somebody else who has the permission configure")
        }
        AccessFault::Already(_) => refused(Code::Conflict),
        AccessFault::NoEntry => with_hint(refused(Code::Conflict), "erasurectl access list shows those there are"),
        AccessFault::ByGrant(_) => {
            with_hint(refused(Code::Conflict), "the operator can change the grant in erasured.toml")
        }
        AccessFault::Otherwise { user, record, .. } => with_hint(
            refused(Code::Conflict),
            format!("only a deny entry takes it away: erasurectl access deny add {user} {record}"),
        ),
        AccessFault::NoSuchRecord => with_hint(
            refused(Code::NoSuchRecord),
            "write it category/key, with the key that the application's database has",
        ),
        AccessFault::Nobody => with_hint(
            refused(Code::Conflict),
            "put a unit in its place, or fill one of the columns that `identity` names",
        ),
        AccessFault::Unreadable(_) => {
            with_hint(refused(Code::SourceUnavailable), "put it right and ask again; nothing was changed")
        }
        AccessFault::NoUnit => with_hint(
            refused(Code::Invalid),
            "write it as it stands in the application's database, without blanks around it",
        ),
        AccessFault::Past(_) => with_hint(refused(Code::Invalid), "name the last day, today or later"),
        AccessFault::Themselves | AccessFault::Reason(_) => refused(Code::Invalid),
    }
}

fn entry(item: AccessItem) -> api::AccessEntry {
    let AccessItem { entry: AccessEntry { seq, user, what, by, at, .. }, standing, asked_by, reason } = item;
    let (kind, unit, record, other) = match what {
        AccessWhat::Unit(unit) => (AccessKind::Unit, Some(unit), None, None),
        AccessWhat::Record(record, _) => (AccessKind::Record, None, Some(record.to_string()), None),
        AccessWhat::Deny(record, _) => (AccessKind::Deny, None, Some(record.to_string()), None),
        AccessWhat::StandIn { represents, until } => {
            (AccessKind::StandIn, None, None, Some((represents, until.to_string())))
        }
    };
    let (stands_in_for, until) = other.unzip();
    let (standing, problem) = match standing {
        AccessStanding::InForce => (api::AccessStanding::InForce, None),
        AccessStanding::Lapsed => (api::AccessStanding::Lapsed, None),
        AccessStanding::Over => (api::AccessStanding::Over, None),
        AccessStanding::Ended => (api::AccessStanding::Ended, None),
        AccessStanding::Untold(problem) => (api::AccessStanding::Untold, Some(problem)),
    };
    let (by, at) = (by.to_string(), instant(at));
    let (entry, asked_by) = (seq, asked_by);
    api::AccessEntry {
        entry,
        user,
        kind,
        unit,
        record,
        stands_in_for,
        until,
        asked_by,
        reason,
        by,
        at,
        standing,
        problem,
    }
}

/// The grounds of one permission, in words of the socket. A permission without any is told, too.
fn told(permission: Permission, grounds: Vec<Ground>) -> Vec<api::AccessGround> {
    let nothing = api::AccessGround {
        permission: permission.to_string(),
        categories: None,
        units: Some(Vec::new()),
        records: None,
        through: AccessThrough::Nothing,
        grant: None,
        stands_in_for: None,
        until: None,
    };
    if grounds.is_empty() {
        return vec![nothing];
    }
    grounds.into_iter().map(|of| ground(&nothing, of)).collect()
}

fn ground(like: &api::AccessGround, ground: Ground) -> api::AccessGround {
    let (categories, units, records) = match ground.area {
        Area::Reach(reach) => (
            reach.categories.map(|names| names.iter().map(ToString::to_string).collect()),
            reach.units.map(|units| units.into_iter().collect()),
            None,
        ),
        Area::Records(records) => {
            // A personal key is given under its name, too.
            let keys = records.iter().map(|single| &single.record).filter(|record| !record.key.is_name());
            (None, None, Some(keys.map(ToString::to_string).collect()))
        }
    };
    let (through, grant) = match ground.through {
        Through::Machine => (AccessThrough::Machine, None),
        Through::Grant(number) => (AccessThrough::Grant, Some(number as u64)),
        Through::Assignment => (AccessThrough::Entry, None),
    };
    let (stands_in_for, until) = ground.represents.map(|(user, until)| (user, until.to_string())).unzip();
    api::AccessGround { categories, units, records, through, grant, stands_in_for, until, ..like.clone() }
}
