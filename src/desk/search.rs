//! Finding people by what they are called.
//!
//! Labels are read from the source for each question and kept nowhere, so there is no index: one goes through the list
//! page by page, no further than a bound, and says how far.

use std::collections::BTreeMap;

use super::list::{Item, Listing};
use super::{Desk, DeskError, Glass};
use crate::config::causes;
use crate::erasure::{Open, open, persons};
use crate::record::{CategoryName, RecordKey, SourceName};
use crate::store::{Cursor, ListOrder, Proposal, ProposalFilter};

/// Labels that are read from a source at a time.
const PAGE_LABELS: u32 = 1_000;
/// Most labels that are read for one request: some seconds' work, whatever the source.
const SEARCHED_MAX: u64 = 10_000;

/// The sources that were opened for one request, or why they could not be.
type Sources = BTreeMap<SourceName, Result<Open, String>>;

impl Desk {
    /// The next proposals with this text in their label, in capitals or not: at most so many of those behind a cursor.
    pub(super) async fn search(
        &self,
        glass: &Glass<'_>,
        filter: &ProposalFilter,
        order: ListOrder,
        text: &str,
        (after, limit): (Option<&Cursor>, u32),
    ) -> Result<Listing, DeskError> {
        let text = text.to_lowercase();
        let mut sources = Sources::new();
        let mut listing = Listing { items: Vec::new(), total: 0, next: after.cloned(), searched: None };
        let mut searched = 0;
        loop {
            let page = self.store.list(filter, order, listing.next.as_ref(), PAGE_LABELS).await;
            let page = page.map_err(DeskError::Store)?;
            (listing.total, listing.next) = (page.total, page.next);
            let found = found(glass, &mut sources, &page.items, &text).await;
            for (proposal, is_found) in page.items.into_iter().zip(found) {
                if listing.items.len() == limit as usize {
                    break;
                }
                searched += 1;
                // Until another page is needed, the next one begins behind what was looked at last.
                let here = Cursor::behind(&proposal, order);
                if is_found {
                    listing.items.push(Item::bare(proposal));
                    if listing.items.len() == limit as usize {
                        listing.next = Some(here);
                    }
                }
            }
            if listing.items.len() == limit as usize || listing.next.is_none() || searched >= SEARCHED_MAX {
                break;
            }
        }
        for opened in sources.into_values().flatten() {
            opened.reader.close().await;
        }
        listing.searched = Some(searched);
        Ok(listing)
    }
}

/// In whose label, as the sources have it, the text stands, which is in small letters. Where that cannot be told, in none.
async fn found(glass: &Glass<'_>, sources: &mut Sources, proposals: &[Proposal], text: &str) -> Vec<bool> {
    let mut found = vec![false; proposals.len()];
    let mut places: BTreeMap<(&SourceName, &CategoryName), Vec<usize>> = BTreeMap::new();
    for (place, proposal) in proposals.iter().enumerate().filter(|(_, proposal)| proposal.life.state().is_open()) {
        places.entry((&proposal.source, &proposal.record.category)).or_default().push(place);
    }
    for ((source, category), mut places) in places {
        if !sources.contains_key(source) {
            sources.insert(source.clone(), open(&glass.settings, source).await.map_err(|error| causes(&error)));
        }
        let Some(Ok(Open { reader, mappings, .. })) = sources.get_mut(source) else { continue };
        let Some(mapping) = mappings.get(category) else { continue };
        let keys = |places: &[usize]| -> Vec<RecordKey> {
            places.iter().map(|place| proposals[*place].record.key.clone()).collect()
        };
        // Whoever is shown the list without a text is told why there are no labels.
        let Ok(labels) = reader.labels(mapping, &keys(&places)).await else { continue };
        let mut has_text =
            labels.iter().map(|label| label.as_ref().is_some_and(|label| label.reveal().to_lowercase().contains(text)));
        places.retain(|_| has_text.next().unwrap_or(false));
        // A label that stands under the key of another person is not theirs.
        let Ok(persons) = persons(reader, mapping, &glass.day, glass.key, &keys(&places)).await else { continue };
        for (place, person) in places.into_iter().zip(persons) {
            found[place] = person.as_ref() == Some(&proposals[place].fingerprint);
        }
    }
    found
}
