//! Changing what is assigned or denied, or saying why not.

use super::{AccessAsked, AccessChanged, AccessFault, AccessStanding, BETWEEN, Whose, item};
use crate::actor::{Area, Authorised, Permission, is_unit};
use crate::audit::By;
use crate::desk::{Desk, DeskError};
use crate::erasure::Examined;
use crate::proposal::Reason;
use crate::record::{Fingerprint, RecordRef};
use crate::store::{AccessAbout, AccessEntry, AccessWhat};

/// What was typed, as one text.
fn typed(asked_by: &str, reason: &str) -> Result<Reason, AccessFault> {
    let asked_by: Vec<&str> = asked_by.split_whitespace().collect();
    for text in [asked_by.join(" ").as_str(), reason] {
        Reason::new(text).map_err(AccessFault::Reason)?;
    }
    Reason::new(&format!("{}{BETWEEN}{}", asked_by.join(" "), reason.trim())).map_err(AccessFault::Reason)
}

impl Desk {
    /// Changes what is assigned or denied to somebody.
    ///
    /// # Errors
    /// [`DeskError::Access`] when it cannot be changed so; nothing was changed then.
    pub async fn change_access(
        &self,
        leave: &Authorised,
        request: &str,
        whose: &Whose,
        asked: AccessAsked,
    ) -> Result<AccessChanged, DeskError> {
        let is_own = self.is_theirs(leave, &whose.user).await?;
        let fault = |fault| Err(DeskError::Access(fault));
        match asked {
            AccessAsked::AddUnit(_)
            | AccessAsked::AddRecord(_)
            | AccessAsked::RemoveDeny(_)
            | AccessAsked::StandIn { .. }
                if is_own =>
            {
                fault(AccessFault::Own)
            }
            AccessAsked::AddUnit(unit) if !is_unit(&unit) => fault(AccessFault::NoUnit),
            AccessAsked::AddUnit(unit) => self.give(leave, request, whose, AccessWhat::Unit(unit), None).await,
            AccessAsked::AddRecord(record) => {
                let (fingerprint, is_blank) = self.whom(leave, &record).await?;
                if is_blank {
                    return fault(AccessFault::Nobody);
                }
                self.give(leave, request, whose, AccessWhat::Record(record, fingerprint), None).await
            }
            AccessAsked::AddDeny { record, asked_by, reason } => {
                let text = typed(&asked_by, &reason).map_err(DeskError::Access)?;
                let (fingerprint, _) = self.whom(leave, &record).await?;
                self.give(leave, request, whose, AccessWhat::Deny(record, fingerprint), Some(text)).await
            }
            AccessAsked::StandIn { represents, until } => {
                if represents == whose.user {
                    return fault(AccessFault::Themselves);
                }
                if until < self.today() {
                    return fault(AccessFault::Past(self.today()));
                }
                self.give(leave, request, whose, AccessWhat::StandIn { represents, until }, None).await
            }
            AccessAsked::RemoveUnit(unit) => self.end(leave, request, whose, AccessAbout::Unit(unit)).await,
            AccessAsked::RemoveRecord(record) => self.end(leave, request, whose, AccessAbout::Record(record)).await,
            AccessAsked::RemoveDeny(record) => self.end(leave, request, whose, AccessAbout::Deny(record)).await,
            AccessAsked::EndStandIn { represents } => {
                self.end(leave, request, whose, AccessAbout::StandIn(represents)).await
            }
        }
    }

    /// Whether whoever asks has what the user has: as themselves, or as a stand-in.
    async fn is_theirs(&self, leave: &Authorised, user: &str) -> Result<bool, DeskError> {
        let asker = leave.actor().to_string();
        let entries = self.access_of(&asker).await?;
        let stands_in =
            |entry: &AccessEntry| entry.user == asker && entry.what.about() == AccessAbout::StandIn(user.to_owned());
        let today = self.today();
        let is_over = |entry: &AccessEntry| matches!(entry.what, AccessWhat::StandIn { until, .. } if until < today);
        Ok(asker == user || entries.iter().any(|entry| stands_in(entry) && !is_over(entry)))
    }

    async fn give(
        &self,
        leave: &Authorised,
        request: &str,
        whose: &Whose,
        what: AccessWhat,
        text: Option<Reason>,
    ) -> Result<AccessChanged, DeskError> {
        if whose.known.is_none() {
            return Err(DeskError::Access(AccessFault::UnknownUser(whose.user.clone())));
        }
        let by = By::request(leave.actor().clone(), request);
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        let before = change.access_about(&whose.user, &what.about()).await.map_err(DeskError::Store)?;
        match &before {
            // A denial stands whoever the record is about; of all else, what is the same needs no second entry.
            Some(entry) if entry.what == what || matches!(what, AccessWhat::Deny(..)) => {
                return Err(DeskError::Access(AccessFault::Already(entry.seq)));
            }
            Some(entry) => drop(change.end_access(&by, entry).await.map_err(DeskError::Store)?),
            None => {}
        }
        change.give_access(&by, &whose.user, &what, text.as_ref()).await.map_err(DeskError::Store)?;
        let made = change.access_about(&whose.user, &what.about()).await.map_err(DeskError::Store)?;
        change.commit().await.map_err(DeskError::Store)?;
        drop(turn);
        let made = made.map(|entry| item(entry, AccessStanding::InForce));
        // What is replaced was about another person, or until another day.
        Ok(AccessChanged { made, ended: before.map(|entry| item(entry, AccessStanding::Ended)) })
    }

    async fn end(
        &self,
        leave: &Authorised,
        request: &str,
        whose: &Whose,
        about: AccessAbout,
    ) -> Result<AccessChanged, DeskError> {
        let is_denied = match &about {
            AccessAbout::Record(record) | AccessAbout::Deny(record) => leave.scope().denied.contains(record),
            AccessAbout::Unit(_) | AccessAbout::StandIn(_) => false,
        };
        self.is_taken_away(whose, &about, is_denied).await?;
        // What does not exist for the asker is answered as what does not exist, all the way.
        if is_denied {
            return Err(DeskError::Access(AccessFault::NoEntry));
        }
        let by = By::request(leave.actor().clone(), request);
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        let entry = change.access_about(&whose.user, &about).await.map_err(DeskError::Store)?;
        let Some(entry) = entry else {
            return Err(DeskError::Access(AccessFault::NoEntry));
        };
        change.end_access(&by, &entry).await.map_err(DeskError::Store)?;
        change.commit().await.map_err(DeskError::Store)?;
        Ok(AccessChanged { made: None, ended: Some(item(entry, AccessStanding::Ended)) })
    }

    /// That whoever loses an entry loses what it is about: a single record that they have through a unit or a category would
    /// stay theirs, and so would a unit that a grant names.
    async fn is_taken_away(&self, whose: &Whose, about: &AccessAbout, is_denied: bool) -> Result<(), DeskError> {
        match about {
            AccessAbout::Unit(unit) => {
                let by_grant = |grant: &crate::actor::Grant| {
                    let units = grant.reach.units.as_ref();
                    units.is_some_and(|units| units.contains(unit))
                        && whose.known.as_ref().is_some_and(|known| grant.holds_for(&known.person.identity))
                };
                match self.settings().grants.iter().position(by_grant) {
                    Some(index) => Err(DeskError::Access(AccessFault::ByGrant(index + 1))),
                    None => Ok(()),
                }
            }
            AccessAbout::Record(record) => {
                let unit = self.unit_of(record, is_denied).await?.filter(|_| !is_denied);
                match self.through_reach(whose, record, unit.as_deref()) {
                    Some(through) => {
                        let (user, record) = (whose.user.clone(), record.clone());
                        Err(DeskError::Access(AccessFault::Otherwise { user, record, through }))
                    }
                    None => Ok(()),
                }
            }
            AccessAbout::Deny(_) | AccessAbout::StandIn(_) => Ok(()),
        }
    }

    /// Whether somebody has a record otherwise than singly, and through what.
    fn through_reach(&self, whose: &Whose, record: &RecordRef, unit: Option<&str>) -> Option<&'static str> {
        let limited = Permission::ALL.into_iter().filter(|permission| permission.is_by_category());
        let grounds = limited.filter_map(|permission| self.grounds(whose, permission)).flatten();
        let mut reaches = grounds.filter_map(|ground| match ground.area {
            Area::Reach(reach) if reach.covers(record, unit) => Some(reach),
            Area::Reach(_) | Area::Records(_) => None,
        });
        reaches.next().map(|reach| if reach.units.is_some() { "a unit" } else { "a category" })
    }

    /// The unit of a record: of its open proposal, or else as the source has it. A record that is nowhere is in none.
    async fn unit_of(&self, record: &RecordRef, in_source: bool) -> Result<Option<String>, DeskError> {
        match self.looked_up(record, in_source).await {
            Ok((unit, ..)) => Ok(unit),
            // To take a single record away must be possible while its source cannot be read.
            Err(DeskError::Access(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whom the record is about, and whether nothing tells it from others.
    async fn whom(&self, leave: &Authorised, record: &RecordRef) -> Result<(Fingerprint, bool), DeskError> {
        let is_denied = leave.scope().denied.contains(record);
        let (_, fingerprint, is_blank) = self.looked_up(record, is_denied).await?;
        // What does not exist for the asker takes the same way as what is not there: its source is asked.
        if is_denied { Err(DeskError::Access(AccessFault::NoSuchRecord)) } else { Ok((fingerprint, is_blank)) }
    }

    /// Unit and person of a record: of its open proposal, or else as the source has it now; and whether nothing tells the
    /// person from others. `in_source`: whatever is proposed.
    async fn looked_up(
        &self,
        record: &RecordRef,
        in_source: bool,
    ) -> Result<(Option<String>, Fingerprint, bool), DeskError> {
        let proposal = self.store.proposal(record).await.map_err(DeskError::Store)?;
        if let Some(proposal) = proposal.filter(|proposal| proposal.life.state().is_open() && !in_source) {
            return Ok((proposal.unit, proposal.fingerprint, false));
        }
        let mut found = self.examined(&record.category, std::slice::from_ref(&record.key)).await;
        let no_such_record = || DeskError::Access(AccessFault::NoSuchRecord);
        match found.as_mut().map(Vec::pop) {
            Ok(Some(Examined::Found { fingerprint, identity_is_blank, unit, .. })) => {
                Ok((unit, fingerprint, identity_is_blank))
            }
            Ok(Some(Examined::Gone) | None) | Err(None) => Err(no_such_record()),
            Err(Some(problem)) => Err(DeskError::Access(AccessFault::Unreadable(problem.clone()))),
        }
    }
}
