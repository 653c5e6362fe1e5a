//! Lists of proposals, with what the source says of them at this moment.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Desk, DeskError, Glass};
use crate::actor::Authorised;
use crate::config::{ReasonKind, causes};
use crate::erasure::{Open, Preview, open, persons, preview};
use crate::proposal::{Outcome, State};
use crate::record::{CategoryName, RecordKey, SourceName};
use crate::source::Label;
use crate::store::{Cursor, ListOrder, Proposal, ProposalFilter};

/// Under the key of the record stands somebody else now, whom whoever asks need not have access to.
pub(super) const ANOTHER_PERSON: &str = "it is not the same person as when it was proposed";

/// A proposal with what the source says of it now.
#[derive(Debug)]
pub struct Item {
    /// The proposal.
    pub proposal: Proposal,
    /// Who it is about.
    pub label: Option<Label>,
    /// What erasing it would do now.
    pub preview: Option<Preview>,
    /// What keeps the daemon from saying more.
    pub problem: Option<String>,
    /// Why it stands where it stands.
    pub reason: Option<String>,
    /// Since when it may not be erased because of a legal hold.
    pub held_since: Option<Date>,
    /// How many different people have to confirm it; 0 where it is over.
    pub decisions: u8,
}

impl Item {
    pub(super) fn bare(proposal: Proposal) -> Self {
        let reason = match proposal.life.state() {
            State::Proposed { returned, .. } => returned.as_ref().map(ToString::to_string),
            State::Withdrawn { reason } => Some(reason.to_string()),
            _ => None,
        };
        Self { proposal, label: None, preview: None, problem: None, reason, held_since: None, decisions: 0 }
    }

    /// What the final job would do to the record, or did.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        match self.proposal.life.state() {
            State::Erased { outcome } => Some(*outcome),
            _ => self.preview.as_ref().map(|preview| preview.planned.outcome),
        }
    }
}

/// What somebody wants to see of the proposals.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which; the desk sets the scope.
    pub filter: ProposalFilter,
    /// In which order.
    pub order: ListOrder,
    /// Only those with this text in their label.
    pub text: Option<String>,
}

/// A page of proposals.
#[derive(Debug)]
pub struct Listing {
    /// Those of this page.
    pub items: Vec<Item>,
    /// How many there are on all pages, whatever their labels.
    pub total: u64,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// Where a text was looked for: at how many labels this page has looked.
    pub searched: Option<u64>,
}

impl Desk {
    /// A page of proposals within the asker's scope. `after` is a place in the same order.
    ///
    /// # Errors
    /// When the category is none that the asker may see, or the state cannot be read. A source that cannot be read is no
    /// error: its records then have no label, and the reason instead.
    pub async fn list(
        &self,
        leave: &Authorised,
        wanted: Wanted,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Listing, DeskError> {
        let glass = self.glass();
        let Wanted { filter, order, text } = wanted;
        let filter = self.within_scope(leave, filter)?;
        let mut listing = match text {
            Some(text) => self.search(&glass, &filter, order, &text, (after, limit)).await?,
            None => {
                let page = self.store.list(&filter, order, after, limit).await.map_err(DeskError::Store)?;
                let items = page.items.into_iter().map(Item::bare).collect();
                Listing { items, total: page.total, next: page.next, searched: None }
            }
        };
        self.add_reasons(&mut listing.items).await?;
        self.add_holds(&mut listing.items).await?;
        look(&glass, &mut listing.items).await;
        Ok(listing)
    }

    /// Adds to each postponed item why it was postponed.
    pub(super) async fn add_reasons(&self, items: &mut [Item]) -> Result<(), DeskError> {
        let is_postponed = |item: &&mut Item| matches!(item.proposal.life.state(), State::Postponed { .. });
        let postponed: Vec<&mut Item> = items.iter_mut().filter(is_postponed).collect();
        let ids: Vec<_> = postponed.iter().map(|item| item.proposal.id).collect();
        let mut reasons = self.store.postponed_because(&ids).await.map_err(DeskError::Store)?;
        for item in postponed {
            let given = reasons.remove(&item.proposal.id).unwrap_or_default();
            item.reason = self.worded(ReasonKind::Postpone, given).text;
        }
        Ok(())
    }
}

impl Desk {
    /// Adds to each open item since when it is held.
    pub(super) async fn add_holds(&self, items: &mut [Item]) -> Result<(), DeskError> {
        let open = |item: &&mut Item| item.proposal.life.state().is_open();
        let open: Vec<&mut Item> = items.iter_mut().filter(open).collect();
        let records: Vec<_> = open.iter().map(|item| item.proposal.record.clone()).collect();
        let holds = self.store.holds_on(&records).await.map_err(DeskError::Store)?;
        let zone = self.settings().time_zone.clone();
        for item in open {
            let oldest = holds.get(&item.proposal.record).and_then(|holds| holds.first());
            item.held_since = oldest.map(|hold| hold.set_at.to_zoned(zone.clone()).date());
        }
        Ok(())
    }
}

/// Adds to each open item what its category asks for, and what its source says of it.
pub(super) async fn look(glass: &Glass<'_>, items: &mut [Item]) {
    for item in items.iter_mut().filter(|item| item.proposal.life.state().is_open()) {
        let category = glass.settings.categories.get(&item.proposal.record.category);
        item.decisions = category.map_or(1, |category| category.decisions);
    }
    let mut by_source: BTreeMap<SourceName, BTreeMap<CategoryName, Vec<usize>>> = BTreeMap::new();
    for (place, item) in items.iter().enumerate().filter(|(_, item)| item.proposal.life.state().is_open()) {
        let record = &item.proposal.record;
        let places = by_source.entry(item.proposal.source.clone()).or_default();
        places.entry(record.category.clone()).or_default().push(place);
    }
    for (source, categories) in by_source {
        let mut opened = open(&glass.settings, &source).await.map_err(|error| causes(&error));
        for (category, places) in categories {
            let looked = match &mut opened {
                Ok(opened) => look_at(glass, opened, &category, &places, items).await,
                Err(problem) => Err(problem.clone()),
            };
            if let Err(problem) = looked {
                for place in places {
                    items[place].problem = Some(problem.clone());
                }
            }
        }
        if let Ok(opened) = opened {
            opened.reader.close().await;
        }
    }
}

async fn look_at(
    glass: &Glass<'_>,
    opened: &mut Open,
    category: &CategoryName,
    places: &[usize],
    items: &mut [Item],
) -> Result<(), String> {
    let Some(mapping) = opened.mappings.get(category) else {
        return Err(opened.why_stopped(category).unwrap_or("its category is not in the settings").to_owned());
    };
    let keys: Vec<RecordKey> = places.iter().map(|place| items[*place].proposal.record.key.clone()).collect();
    let said = |error| causes(&error);
    let labels = opened.reader.labels(mapping, &keys).await.map_err(said)?;
    let previews = preview(&mut opened.reader, mapping, glass.key, &keys).await.map_err(said)?;
    // Last: what was read before was about these persons, or has not been there since.
    let persons = persons(&mut opened.reader, mapping, &glass.day, glass.key, &keys).await.map_err(said)?;
    let mut previews: BTreeMap<RecordKey, Preview> =
        previews.into_iter().map(|preview| (preview.planned.key.clone(), preview)).collect();
    for (((place, key), label), person) in places.iter().zip(&keys).zip(labels).zip(persons) {
        let item = &mut items[*place];
        let preview = previews.remove(key);
        if person.as_ref().is_some_and(|person| *person != item.proposal.fingerprint) {
            item.problem = Some(ANOTHER_PERSON.to_owned());
        } else if person.is_none() || preview.is_none() {
            item.problem = Some("the record is gone".to_owned());
        } else {
            (item.label, item.preview) = (label, preview);
        }
    }
    Ok(())
}
