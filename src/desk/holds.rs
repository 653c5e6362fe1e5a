//! Legal holds: set, listed, released.
//!
//! A record is held at once: from the moment that somebody who may hold it asks, no batch without an intent takes it. Who
//! comes later waits for the batch and is told what became of the record.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Desk, DeskError, GivenReason, Glass, Reason};
use crate::actor::{Actor, Authorised, Scope};
use crate::audit::By;
use crate::config::{ReasonKind, causes};
use crate::erasure::{Examined, Open, examine, open};
use crate::proposal::State;
use crate::record::{CategoryName, RecordKey, RecordRef, SourceName};
use crate::source::Label;
use crate::store::{Hold, HoldId, LedgerEntry, NewHold, Page, Proposal};

/// A hold, with what the source says of its record now.
#[derive(Debug)]
pub struct HeldRecord {
    /// The hold, its reasons in words.
    pub hold: Hold,
    /// Who is under the key now.
    pub label: Option<Label>,
    /// For how many days it has stood.
    pub days: u64,
    /// The key has been given to another person since.
    pub has_changed: bool,
    /// From when on another person may release it, where the release was asked for.
    pub release_from: Option<Timestamp>,
    /// What keeps the daemon from saying more.
    pub problem: Option<String>,
}

/// Which of the holds on a record is meant.
#[derive(Clone, PartialEq, Eq)]
pub enum WhichHold {
    /// The only one.
    Only,
    /// The one of this number.
    Number(i64),
    /// The one under this reference.
    Reference(String),
}

/// What became of a hold that somebody wanted released.
#[derive(Debug)]
pub enum Released {
    /// It is over.
    Over(HeldRecord),
    /// It stands until another person releases it.
    Asked(HeldRecord),
}

/// Why a hold is not set or not released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoldRefused {
    /// The record goes with a batch.
    #[error("it is too late: the record is being erased")]
    BeingErased,
    /// The record is erased.
    #[error("it is too late: the record was erased at {0:.0}")]
    Erased(Timestamp),
    /// There is a hold under the same reference.
    #[error("it is held under this reference already, by hold {0}")]
    HeldAlready(HoldId),
    /// There is no such hold, or none that the asker may see.
    #[error("there is no such hold on it")]
    NoSuchHold,
    /// There are several.
    #[error("there are {} holds on it", .0.len())]
    Several(Vec<HoldId>),
    /// Two people are needed.
    #[error("you have asked for the release yourself, and another person has to agree")]
    SamePerson,
    /// The waiting time is not over.
    #[error("its release was asked for, and it stands until {0:.0}")]
    NotYet(Timestamp),
    /// Whether it is over cannot be told.
    #[error("its waiting time is not known to be over: the clock is not believed")]
    ClockDoubted,
}

impl Desk {
    /// Sets a hold on a record, whatever the state of its proposal, and also where it has none.
    ///
    /// # Errors
    /// When there is no such record that the asker may see, its source cannot be read, or it is too late.
    pub async fn hold(
        &self,
        leave: &Authorised,
        request: &str,
        record: &RecordRef,
        reason: &Reason,
        reference: &str,
    ) -> Result<HeldRecord, DeskError> {
        if !leave.scope().sees(&record.category) {
            return Err(DeskError::NoSuchRecord(record.clone()));
        }
        let erased_before = self.last_erasure(record).await?;
        let found = self.look_for(record).await?;
        self.may_hold(leave, record, &found).await?;
        // Until this is dropped no batch takes the record; nobody who may not hold it comes as far as here.
        let announced = self.store.announce_hold(record);
        let mut turn = self.store.turn().await;
        let by = By::request(leave.actor().clone(), request);
        if let Some(refused) = self.too_late(record, &found, erased_before.as_ref()).await? {
            let mut change = turn.begin().await.map_err(DeskError::Store)?;
            self.still_may(&mut change, leave).await?;
            change.hold_too_late(&by, record).await.map_err(DeskError::Store)?;
            change.commit().await.map_err(DeskError::Store)?;
            return Err(DeskError::Hold(record.clone(), refused));
        }
        let Examined::Found { fingerprint, unit, .. } = found else {
            return Err(DeskError::NoSuchRecord(record.clone()));
        };
        let standing = self.holds_on(record).await?;
        if let Some(same) = standing.iter().find(|hold| hold.reference.as_deref() == Some(reference)) {
            return Err(DeskError::Hold(record.clone(), HoldRefused::HeldAlready(same.id)));
        }
        let new = NewHold { record: record.clone(), unit, fingerprint };
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        let id = change.hold(&by, &new, reason, reference).await.map_err(DeskError::Store)?;
        change.commit().await.map_err(DeskError::Store)?;
        drop((turn, announced));
        let hold = self.holds_on(record).await?.into_iter().find(|hold| hold.id == id);
        let hold = hold.ok_or_else(|| DeskError::Hold(record.clone(), HoldRefused::NoSuchHold))?;
        self.shown(leave, vec![hold]).await.pop().ok_or_else(|| DeskError::NoSuchRecord(record.clone()))
    }

    /// The holds within the asker's scope, the oldest first.
    ///
    /// # Errors
    /// When the state cannot be read. A source that cannot be read is told with its records.
    pub async fn holds(
        &self,
        leave: &Authorised,
        after: Option<HoldId>,
        limit: u32,
    ) -> Result<Page<HeldRecord, HoldId>, DeskError> {
        let page = self.store.holds(leave.scope(), after, limit).await.map_err(DeskError::Store)?;
        Ok(Page { items: self.shown(leave, page.items).await, total: page.total, next: page.next })
    }

    /// Releases a hold, or asks for its release where the settings want two people.
    ///
    /// # Errors
    /// When there is no such hold that the asker may see, it is not said which, or the rules are against it.
    pub async fn release(
        &self,
        leave: &Authorised,
        request: &str,
        record: &RecordRef,
        which: &WhichHold,
        reason: Option<&Reason>,
    ) -> Result<Released, DeskError> {
        let mut turn = self.store.turn().await;
        let mut holds = self.holds_on(record).await?;
        holds.retain(|hold| leave.scope().covers(record, hold.unit.as_deref(), &hold.fingerprint.digest));
        let refuse = |refused| DeskError::Hold(record.clone(), refused);
        let hold = one_of(holds, which).map_err(refuse)?;
        let is_over = self.is_releasable(leave.actor(), &hold).map_err(refuse)?;
        let by = By::request(leave.actor().clone(), request);
        let mut change = turn.begin().await.map_err(DeskError::Store)?;
        self.still_may(&mut change, leave).await?;
        if is_over {
            change.release(&by, &hold, reason).await.map_err(DeskError::Store)?;
        } else {
            change.ask_release(&by, &hold, reason).await.map_err(DeskError::Store)?;
        }
        change.commit().await.map_err(DeskError::Store)?;
        drop(turn);
        let now = self.holds_on(record).await?.into_iter().find(|now| now.id == hold.id);
        let shown = self.shown(leave, vec![now.unwrap_or(hold)]).await.pop();
        let shown = shown.ok_or_else(|| refuse(HoldRefused::NoSuchHold))?;
        Ok(if is_over { Released::Over(shown) } else { Released::Asked(shown) })
    }

    /// Whether a release by this person ends the hold; otherwise it is the first of two.
    fn is_releasable(&self, actor: &Actor, hold: &Hold) -> Result<bool, HoldRefused> {
        if !self.settings().holds.release_needs_two {
            return Ok(true);
        }
        let Some(asked) = &hold.asked else { return Ok(false) };
        if is_same_person(&asked.by, actor) {
            return Err(HoldRefused::SamePerson);
        }
        match self.release_from(hold) {
            Some(from) if from > self.now() => Err(HoldRefused::NotYet(from)),
            Some(from) if from > asked.at && self.store.clock_doubt().is_some() => Err(HoldRefused::ClockDoubted),
            _ => Ok(true),
        }
    }

    /// From when on another person may release the hold.
    fn release_from(&self, hold: &Hold) -> Option<Timestamp> {
        let settings = self.settings();
        let asked = hold.asked.as_ref().filter(|_| settings.holds.release_needs_two)?;
        match &settings.holds.release_after {
            None => Some(asked.at),
            Some(period) => {
                Some(period.value.after(&asked.at.to_zoned(settings.time_zone.clone())).unwrap_or(Timestamp::MAX))
            }
        }
    }

    /// The holds that stand on a record, the oldest first, their reasons in words.
    pub(super) async fn holds_on(&self, record: &RecordRef) -> Result<Vec<Hold>, DeskError> {
        let mut holds = self.store.holds_on([record]).await.map_err(DeskError::Store)?;
        Ok(holds.remove(record).unwrap_or_default().into_iter().map(|hold| self.in_words(hold)).collect())
    }

    /// The hold with its reasons in words.
    pub(super) fn in_words(&self, mut hold: Hold) -> Hold {
        let worded = |given: &mut GivenReason| *given = self.worded(ReasonKind::Hold, std::mem::take(given));
        worded(&mut hold.reason);
        if let Some(asked) = &mut hold.asked {
            worded(&mut asked.reason);
        }
        hold
    }

    pub(super) async fn last_erasure(&self, record: &RecordRef) -> Result<Option<LedgerEntry>, DeskError> {
        let key = std::slice::from_ref(&record.key);
        let mut erased = self.store.ledger(&record.category, key).await.map_err(DeskError::Store)?;
        Ok(erased.remove(&record.key))
    }

    /// The record as it is in its source now.
    pub(super) async fn look_for(&self, record: &RecordRef) -> Result<Examined, DeskError> {
        let glass = self.glass();
        let category = glass.settings.categories.get(&record.category);
        let category = category.ok_or_else(|| DeskError::NoSuchRecord(record.clone()))?;
        let unreadable = |why| DeskError::Unreadable(record.category.clone(), why);
        let opened = open(&glass.settings, &category.source.value).await;
        let mut opened = opened.map_err(|error| unreadable(causes(&error)))?;
        let Some(mapping) = opened.mappings.get(&record.category) else {
            let why = opened.why_stopped(&record.category).unwrap_or("it is stopped");
            return Err(unreadable(why.to_owned()));
        };
        let keys = std::slice::from_ref(&record.key);
        let examined = examine(&mut opened.reader, mapping, &glass.day, glass.key, keys).await;
        opened.reader.close().await;
        let found = examined.map_err(|error| unreadable(causes(&error)))?.pop();
        Ok(found.unwrap_or(Examined::Gone))
    }

    /// Whether the record is within the asker's scope: as it is now, or, where it is gone, as it was proposed.
    async fn may_hold(&self, leave: &Authorised, record: &RecordRef, found: &Examined) -> Result<(), DeskError> {
        let is_within = match found {
            Examined::Found { fingerprint, unit, .. } => {
                leave.scope().covers(record, unit.as_deref(), &fingerprint.digest)
            }
            Examined::Gone => self.store.proposal(record).await.map_err(DeskError::Store)?.is_some_and(
                |Proposal { unit, fingerprint, .. }| leave.scope().covers(record, unit.as_deref(), &fingerprint.digest),
            ),
        };
        if is_within { Ok(()) } else { Err(DeskError::NoSuchRecord(record.clone())) }
    }

    /// Whether the record that was found is erased by now, or about to be. Asked under the write turn: nobody erases
    /// anything meanwhile.
    async fn too_late(
        &self,
        record: &RecordRef,
        found: &Examined,
        erased_before: Option<&LedgerEntry>,
    ) -> Result<Option<HoldRefused>, DeskError> {
        let proposal = self.store.proposal(record).await.map_err(DeskError::Store)?;
        if let Some(proposal) = proposal.filter(|proposal| matches!(proposal.life.state(), State::Erasing { .. })) {
            // Nobody erases now: it is not known yet how its batch has ended. Who is there still can be held, and is not
            // erased when it turns out that nothing came of the batch.
            let is_there = matches!(found, Examined::Found { fingerprint, .. } if *fingerprint == proposal.fingerprint);
            return Ok((!is_there).then_some(HoldRefused::BeingErased));
        }
        let Some(erased) = self.last_erasure(record).await? else { return Ok(None) };
        let is_since = erased_before.is_none_or(|before| before.batch != erased.batch);
        let is_it = match found {
            Examined::Gone => true,
            Examined::Found { fingerprint, .. } => is_since || erased.is_left_in(fingerprint),
        };
        Ok(is_it.then_some(HoldRefused::Erased(erased.erased_at)))
    }

    /// The holds, with what their sources say now, as far as whoever asks may see it: a hold is on the key, and somebody
    /// else may be under it.
    async fn shown(&self, leave: &Authorised, holds: Vec<Hold>) -> Vec<HeldRecord> {
        let glass = self.glass();
        let mut items: Vec<HeldRecord> = holds.into_iter().map(|hold| self.bare(&glass, self.in_words(hold))).collect();
        let mut by_source: BTreeMap<SourceName, BTreeMap<CategoryName, Vec<usize>>> = BTreeMap::new();
        for (place, item) in items.iter_mut().enumerate() {
            let category = &item.hold.record.category;
            match glass.settings.categories.get(category) {
                Some(known) => by_source
                    .entry(known.source.value.clone())
                    .or_default()
                    .entry(category.clone())
                    .or_default()
                    .push(place),
                None => item.problem = Some("its category is not in the settings".to_owned()),
            }
        }
        for (source, categories) in by_source {
            let mut opened = open(&glass.settings, &source).await.map_err(|error| causes(&error));
            for (category, places) in categories {
                let looked = match &mut opened {
                    Ok(opened) => look_at((&glass, leave.scope()), opened, &category, &places, &mut items).await,
                    Err(problem) => Err(problem.clone()),
                };
                if let Err(problem) = looked {
                    places.iter().for_each(|place| items[*place].problem = Some(problem.clone()));
                }
            }
            if let Ok(opened) = opened {
                opened.reader.close().await;
            }
        }
        items
    }

    fn bare(&self, glass: &Glass<'_>, hold: Hold) -> HeldRecord {
        let since = hold.set_at.to_zoned(glass.day.zone.clone()).date();
        let days = (glass.day.today - since).get_days();
        HeldRecord {
            release_from: self.release_from(&hold),
            days: u64::try_from(days).unwrap_or(0),
            label: None,
            has_changed: false,
            problem: None,
            hold,
        }
    }
}

async fn look_at(
    (glass, scope): (&Glass<'_>, &Scope),
    opened: &mut Open,
    category: &CategoryName,
    places: &[usize],
    items: &mut [HeldRecord],
) -> Result<(), String> {
    let Some(mapping) = opened.mappings.get(category) else {
        return Err(opened.why_stopped(category).unwrap_or("it is stopped").to_owned());
    };
    // The same record may be held twice, and is read once.
    let mut keys: Vec<RecordKey> = places.iter().map(|place| items[*place].hold.record.key.clone()).collect();
    keys.sort();
    keys.dedup();
    let said = |error| causes(&error);
    let labels = opened.reader.labels(mapping, &keys).await.map_err(said)?;
    let found = examine(&mut opened.reader, mapping, &glass.day, glass.key, &keys).await.map_err(said)?;
    let found: BTreeMap<&RecordKey, _> = keys.iter().zip(labels.into_iter().zip(found)).collect();
    for place in places {
        let item = &mut items[*place];
        match found.get(&item.hold.record.key) {
            None | Some((_, Examined::Gone)) => item.problem = Some("the record is gone".to_owned()),
            Some((label, Examined::Found { fingerprint, unit, .. })) => {
                let before = &item.hold.fingerprint;
                let is_shown =
                    fingerprint == before || scope.covers(&item.hold.record, unit.as_deref(), &fingerprint.digest);
                item.label = label.clone().filter(|_| is_shown);
                item.has_changed = before.is_comparable(fingerprint) && before != fingerprint;
            }
        }
    }
    Ok(())
}

/// The hold that is meant.
fn one_of(mut holds: Vec<Hold>, which: &WhichHold) -> Result<Hold, HoldRefused> {
    match which {
        WhichHold::Only => {}
        WhichHold::Number(number) => holds.retain(|hold| hold.id.0 == *number),
        WhichHold::Reference(reference) => holds.retain(|hold| hold.reference.as_ref() == Some(reference)),
    }
    let ids: Vec<HoldId> = holds.iter().map(|hold| hold.id).collect();
    match (holds.pop(), ids.len()) {
        (Some(hold), 1) => Ok(hold),
        (None, _) => Err(HoldRefused::NoSuchHold),
        (Some(_), _) => Err(HoldRefused::Several(ids)),
    }
}

/// Names may be given anew; numbers are who somebody is.
fn is_same_person(one: &Actor, other: &Actor) -> bool {
    match (one, other) {
        (Actor::User { uid: one, .. }, Actor::User { uid: other, .. }) => one == other,
        _ => one == other,
    }
}
