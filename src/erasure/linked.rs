//! The same person in other categories: follows links from record to record, as far as they lead.

use std::collections::{BTreeMap, BTreeSet};

use super::open::{Open, open};
use crate::config::{Settings, causes};
use crate::record::{CategoryName, RecordKey, RecordRef, SourceName};
use crate::source::{Mapping, SourceError, Step, Tie};

/// Records that are decided about together at most. A link that leads further ties more than one person.
pub const LINKED_RECORDS_MAX: usize = 50;

/// Sources that are open together, with what is wrong with those that are not.
#[derive(Default)]
pub struct Sources {
    opened: BTreeMap<SourceName, Result<Open, String>>,
}

/// A record and all that links lead to from it.
#[derive(Debug, Clone, Default)]
pub struct Circle {
    /// The records, the one asked about first.
    pub records: Vec<RecordRef>,
    /// Whether there are more than [`LINKED_RECORDS_MAX`].
    pub is_too_large: bool,
    /// Why some links could not be followed.
    pub troubles: BTreeSet<String>,
}

/// The categories that links lead to from this one, itself among them.
#[must_use]
pub fn linked_categories(settings: &Settings, from: &CategoryName) -> BTreeSet<CategoryName> {
    let links = || {
        let of = |category: &crate::config::Category| {
            let own = category.name.clone();
            category.linked.iter().map(move |link| (own.clone(), link.category.value.clone())).collect::<Vec<_>>()
        };
        settings.categories.values().flat_map(of)
    };
    let mut found = BTreeSet::from([from.clone()]);
    loop {
        let before = found.len();
        for (one, other) in links() {
            if found.contains(&one) || found.contains(&other) {
                found.extend([one, other]);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

impl Sources {
    /// The open source; opened when it is asked for first.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub async fn open(&mut self, settings: &Settings, name: &SourceName) -> Result<&mut Open, String> {
        if !self.opened.contains_key(name) {
            let opened = open(settings, name).await.map_err(|error| causes(&error));
            self.opened.insert(name.clone(), opened);
        }
        match self.opened.get_mut(name) {
            Some(Ok(opened)) => Ok(opened),
            Some(Err(error)) => Err(error.clone()),
            None => Err(format!("there is no source {name} in the settings")),
        }
    }

    /// The category's mapping, where its source is open and it fits.
    fn mapping(&self, settings: &Settings, category: &CategoryName) -> Result<&Mapping, String> {
        let unknown = || format!("there is no category {category} in the settings");
        let source = &settings.categories.get(category).ok_or_else(unknown)?.source.value;
        match self.opened.get(source) {
            Some(Ok(opened)) => opened.mappings.get(category).ok_or_else(|| {
                let why = opened.why_stopped(category).unwrap_or("it does not fit the schema");
                format!("{category}: {why}")
            }),
            Some(Err(error)) => Err(format!("{category}: {error}")),
            None => Err(unknown()),
        }
    }

    /// A record and all that links lead to from it, in any direction and through any source. Each step asks for all
    /// records found by the one before.
    ///
    /// # Errors
    /// When a source that was open cannot be read.
    pub async fn circle(&mut self, settings: &Settings, start: &RecordRef) -> Result<Circle, SourceError> {
        let mut circle = Circle { records: vec![start.clone()], ..Circle::default() };
        let categories = linked_categories(settings, &start.category);
        if categories.len() == 1 && !is_linked_to_itself(settings, &start.category) {
            return Ok(circle);
        }
        for category in categories.iter().filter_map(|name| settings.categories.get(name)) {
            // What is wrong is told by the mapping that is missing.
            let _ = self.open(settings, &category.source.value).await;
        }
        let mut ties: Vec<(CategoryName, Tie)> = Vec::new();
        for category in &categories {
            match self.mapping(settings, category) {
                Ok(mapping) => ties.extend(mapping.ties.iter().map(|tie| (category.clone(), tie.clone()))),
                Err(trouble) => {
                    circle.troubles.insert(trouble);
                }
            }
        }
        let mut from = 0;
        while from < circle.records.len() && !circle.is_too_large {
            let reached: Vec<RecordRef> = circle.records.split_off(from);
            circle.records.extend(reached.iter().cloned());
            from = circle.records.len();
            for (home, tie) in &ties {
                self.follow(settings, &mut circle, &reached, (home, tie)).await?;
            }
        }
        Ok(circle)
    }

    /// Follows one tie both ways, from those records that it can be followed from.
    async fn follow(
        &mut self,
        settings: &Settings,
        circle: &mut Circle,
        reached: &[RecordRef],
        (home, tie): (&CategoryName, &Tie),
    ) -> Result<(), SourceError> {
        for (near, far, backwards) in [(home, &tie.other, false), (&tie.other, home, true)] {
            let keys: Vec<RecordKey> =
                reached.iter().filter(|record| record.category == *near).map(|record| record.key.clone()).collect();
            let types = |category| self.mapping(settings, category).map(|mapping| mapping.key_types.clone());
            let (false, Ok(from), Ok(to)) = (keys.is_empty(), types(near), types(far)) else { continue };
            let Some(source) = settings.categories.get(home).map(|category| &category.source.value) else { continue };
            let Some(Ok(opened)) = self.opened.get_mut(source) else { continue };
            let step = Step { tie, backwards, from: &from, to: &to };
            // One more than there may be tells that there are more.
            let limit = u32::try_from(LINKED_RECORDS_MAX).unwrap_or(u32::MAX).saturating_add(1);
            for key in opened.reader.tied(&step, &keys, limit).await? {
                let record = RecordRef { category: far.clone(), key };
                if circle.records.contains(&record) {
                    continue;
                }
                if circle.records.len() == LINKED_RECORDS_MAX {
                    circle.is_too_large = true;
                    return Ok(());
                }
                circle.records.push(record);
            }
        }
        Ok(())
    }

    /// Closes them all.
    pub async fn close(self) {
        for opened in self.opened.into_values().flatten() {
            opened.reader.close().await;
        }
    }
}

fn is_linked_to_itself(settings: &Settings, category: &CategoryName) -> bool {
    let own = settings.categories.get(category);
    own.is_some_and(|own| own.linked.iter().any(|link| link.category.value == *category))
}
