//! One record in full: what would happen to it and why, what keeps it, what was decided before.

use jiff::Timestamp;
use jiff::civil::Date;

use super::linked::LinkedVerdict;
use super::list::{ANOTHER_PERSON, look};
use super::{Desk, DeskError, Glass, Item};
use crate::actor::Authorised;
use crate::config::{ReasonKind, causes};
use crate::erasure::{Examined, NotDue, Verdict, examine, open};
use crate::proposal::{Outcome, State};
use crate::record::{CategoryName, Fingerprint, RecordRef};
use crate::store::{Event, EventKind, Hold, Proposal, RunId};

/// One record in full.
#[derive(Debug)]
pub struct Card {
    /// What the list says of it.
    pub item: Item,
    /// Why it would be deleted or anonymised, in one sentence.
    pub outcome_reason: Option<String>,
    /// What keeps it from being erased now.
    pub blocked: Vec<Blocked>,
    /// What is to be said of it and of the same person's records in other categories, where there are any.
    pub linked: Option<LinkedVerdict>,
    /// What happened to its proposal before it was erased.
    pub history: Vec<Event>,
    /// The run that it is being erased in, or was.
    pub erasing_run: Option<RunId>,
}

/// Something that keeps a record from being erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The first day on which it no longer does; `None` where that cannot be told.
    pub until: Option<Date>,
    /// Why, in words.
    pub reason: String,
}

impl Desk {
    /// One record in full.
    ///
    /// # Errors
    /// When there is no proposal for it that the asker may see, with why where the record itself may be seen; or the state
    /// cannot be read.
    pub async fn show(&self, leave: &Authorised, record: &RecordRef) -> Result<Card, DeskError> {
        let proposal = match self.within(leave, record).await {
            Err(DeskError::NoSuchRecord(_)) => return Err(self.why_not(leave, record).await?),
            found => found?,
        };
        let history = self.store.history(proposal.id).await.map_err(DeskError::Store)?;
        let history = history.into_iter().map(|event| self.event_in_words(event)).collect();
        let erasing_run = self.store.erasing_run(proposal.id).await.map_err(DeskError::Store)?;
        let glass = self.glass();
        let mut items = vec![Item::bare(proposal)];
        self.add_reasons(&mut items).await?;
        self.add_holds(&mut items).await?;
        look(&glass, &mut items).await;
        let Some(item) = items.pop() else {
            return Err(DeskError::NoSuchRecord(record.clone()));
        };
        let mut blocked = blocked(&glass, &item).await;
        let holds = self.holds_on(record).await?;
        blocked.splice(0..0, holds.iter().map(|hold| held(&glass, hold, Some(&item.proposal.fingerprint))));
        // What is linked under the key of somebody else is not linked with whom the proposal is about.
        let linked = match item.problem.as_deref() {
            Some(ANOTHER_PERSON) => None,
            _ => self.linked(leave.scope(), record).await?,
        };
        Ok(Card { linked, outcome_reason: outcome_reason(&item), blocked, history, erasing_run, item })
    }

    /// The event with its reason in words.
    fn event_in_words(&self, mut event: Event) -> Event {
        match &mut event.what {
            EventKind::Postponed { reason, .. } => *reason = self.worded(ReasonKind::Postpone, std::mem::take(reason)),
            EventKind::Marked { reason } => *reason = self.worded(ReasonKind::Erase, std::mem::take(reason)),
            _ => {}
        }
        event
    }
}

/// The hold as a reason for not erasing the record that is about this person. What was said about another, who had the key
/// when it was held, is not told: it may name them.
pub(super) fn held(glass: &Glass<'_>, hold: &Hold, about: Option<&Fingerprint>) -> Blocked {
    let since = hold.set_at.to_zoned(glass.day.zone.clone()).date();
    if about != Some(&hold.fingerprint) {
        return Blocked { until: None, reason: format!("held since {since}, for another person under the key") };
    }
    let reason = hold.reason.text.as_deref().unwrap_or("-");
    let reference = hold.reference.as_deref().unwrap_or("-");
    Blocked { until: None, reason: format!("held since {since}: {reason} ({reference})") }
}

fn outcome_reason(item: &Item) -> Option<String> {
    let preview = item.preview.as_ref()?;
    Some(match (preview.planned.outcome, preview.kept_by.as_slice()) {
        (Outcome::Deleted, _) => "nothing that stays refers to it".to_owned(),
        (Outcome::Anonymised, []) => "something that stays refers to it".to_owned(),
        (Outcome::Anonymised, kept_by) => {
            let rows: Vec<String> = kept_by
                .iter()
                .map(|(named, rows)| match rows {
                    1 => format!("{rows} row of {named}"),
                    _ => format!("{rows} rows of {named}"),
                })
                .collect();
            format!("{} stay and refer to it", rows.join(" and "))
        }
    })
}

/// What keeps the record from being erased: a postponement, a confirmation that is too young, and what the source says
/// today.
async fn blocked(glass: &Glass<'_>, item: &Item) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    if let State::Postponed { until } = item.proposal.life.state() {
        blocked.push(Blocked { until: Some(*until), reason: "it is postponed".to_owned() });
    }
    blocked.extend(cooling_off(glass, &item.proposal));
    let can_be_told = item.problem.as_deref().is_none_or(|problem| problem == ANOTHER_PERSON);
    if item.proposal.life.state().is_open() && can_be_told {
        blocked.extend(not_due(glass, &item.proposal).await);
    }
    blocked
}

/// Whether the last confirmation has not waited for long enough.
fn cooling_off(glass: &Glass<'_>, proposal: &Proposal) -> Option<Blocked> {
    let confirmed_at = proposal.confirmed_at.filter(|_| *proposal.life.state() == State::Confirmed)?;
    too_young(glass, &proposal.record.category, confirmed_at)
}

/// Until when a confirmation of that instant has to wait in the category.
pub(super) fn too_young(glass: &Glass<'_>, category: &CategoryName, confirmed_at: Timestamp) -> Option<Blocked> {
    let period = glass.settings.categories.get(category)?.cooling_off.as_ref()?;
    let end = period.value.after(&confirmed_at.to_zoned(glass.day.zone.clone()))?.to_zoned(glass.day.zone.clone());
    // On the day itself it may still be too young; on the next it is not.
    let until = if end.timestamp() > glass.now { end.date().tomorrow().ok() } else { return None };
    Some(Blocked { until, reason: format!("a confirmation has to wait for {}", period.value) })
}

async fn not_due(glass: &Glass<'_>, proposal: &Proposal) -> Option<Blocked> {
    let plain = |reason| Some(Blocked { until: None, reason });
    let record = &proposal.record;
    let mut opened = match open(&glass.settings, &proposal.source).await {
        Ok(opened) => opened,
        Err(error) => return plain(causes(&error)),
    };
    let mapping = opened.mappings.get(&record.category)?;
    let keys = [record.key.clone()];
    let examined = examine(&mut opened.reader, mapping, &glass.day, glass.key, &keys).await;
    opened.reader.close().await;
    match examined.map(|mut examined| examined.pop()) {
        Err(error) => plain(causes(&error)),
        Ok(None | Some(Examined::Gone)) => plain("the record is gone".to_owned()),
        Ok(Some(Examined::Found { fingerprint, .. })) if fingerprint != proposal.fingerprint => {
            plain(ANOTHER_PERSON.to_owned())
        }
        Ok(Some(Examined::Found { retained, .. })) if proposal.origin.is_own() => retained.as_ref().map(not_due_of),
        Ok(Some(Examined::Found { verdict: Verdict::Due(_), .. })) => None,
        Ok(Some(Examined::Found { verdict: Verdict::NotDue(reason), .. })) => Some(not_due_of(&reason)),
    }
}

/// Until when and why a record is not due.
pub(super) fn not_due_of(reason: &NotDue) -> Blocked {
    let until = match reason {
        NotDue::Running { due_on, .. } => *due_on,
        NotDue::Retained { until, .. } => until.and_then(|until| until.tomorrow().ok()),
        NotDue::NoCondition | NotDue::NoStartDate { .. } | NotDue::UnreadableDate { .. } => None,
    };
    Blocked { until, reason: reason.to_string() }
}
