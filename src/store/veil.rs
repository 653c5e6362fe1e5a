//! Between records and what the state holds of them, where keys are themselves personal.
//!
//! The one place that knows: the other files of this room write and read through it, and the rooms below know nothing of it.
//! Of a category whose keys are personal the state holds a key sealed while it is needed to find the record in its
//! source – open proposals, batches under way, holds that stand, access in force, anonymised rows –, and otherwise, as the
//! trail does from the first entry on, its name alone, which is a keyed digest.
//!
//! May be relied on: a category whose keys were ever taken for personal stays one in this state, whatever the settings say
//! later; where the secret is missing nothing of such a category is read or written.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{StoreError, rows};
use crate::record::{CategoryName, KeySeal, RecordKey, RecordRef};

/// Which categories have personal keys, and the secret under which those are sealed and named.
#[derive(Debug, Clone, Default)]
pub(super) struct Veil {
    pub(super) seal: Option<KeySeal>,
    pub(super) personal: Arc<BTreeSet<CategoryName>>,
}

/// A key in both the forms that the state may hold it in: while it is needed, and when it no longer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forms<'k> {
    /// Sealed, where it is personal.
    pub(super) open: Cow<'k, str>,
    /// The name, where the key is personal; else none: the key itself goes on standing there.
    pub(super) name: Option<String>,
}

impl Forms<'_> {
    /// What stands for the record where its key is no longer needed.
    pub(super) fn closed(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.open)
    }
}

impl Veil {
    fn seal_of(&self, category: &CategoryName) -> Result<Option<&KeySeal>, StoreError> {
        if !self.personal.contains(category) {
            return Ok(None);
        }
        let missing =
            || StoreError::Unreadable { what: format!("keys of {category}: they are sealed, and no key is here") };
        self.seal.as_ref().map(Some).ok_or_else(missing)
    }

    /// The key in both its forms. A name is what it is in both.
    pub(super) fn forms<'k>(&self, category: &CategoryName, key: &'k RecordKey) -> Result<Forms<'k>, StoreError> {
        Ok(match self.seal_of(category)? {
            None => Forms { open: key.as_str().into(), name: None },
            Some(_) if key.is_name() => Forms { open: key.as_str().into(), name: Some(key.as_str().to_owned()) },
            Some(seal) => {
                let name = seal.name(category, key).as_str().to_owned();
                Forms { open: seal.seal(category, key).into(), name: Some(name) }
            }
        })
    }

    /// What the trail calls the record.
    pub(super) fn told(&self, record: &RecordRef) -> Result<String, StoreError> {
        Ok(match self.seal_of(&record.category)? {
            None => record.key.as_str().to_owned(),
            Some(seal) => seal.name(&record.category, &record.key).as_str().to_owned(),
        })
    }

    /// The record as the trail calls it, where that is otherwise.
    pub(super) fn told_otherwise(&self, record: &RecordRef) -> Result<Option<RecordRef>, StoreError> {
        let key = self.told(record)?;
        let is_other = key != record.key.as_str();
        Ok(is_other.then(|| RecordRef { category: record.category.clone(), key: RecordKey::from_text(&key) }))
    }

    /// The key that stands so in a row: opened where it is sealed; a name stays one.
    pub(super) fn read(&self, category: &CategoryName, stored: &str) -> Result<RecordKey, StoreError> {
        let unreadable = |why: &str| StoreError::Unreadable { what: format!("a sealed key of {category}: {why}") };
        if !RecordKey::is_sealed(stored) {
            self.seal_of(category)?;
            return Ok(RecordKey::from_text(stored));
        }
        let seal = self.seal.as_ref().ok_or_else(|| unreadable("the key that it was sealed with is not here"))?;
        seal.open(category, stored).ok_or_else(|| unreadable("this is not the key that it was sealed with"))
    }

    /// Records that are asked for.
    pub(super) fn asked<'r>(&self, records: impl IntoIterator<Item = &'r RecordRef>) -> Result<Asked, StoreError> {
        let mut asked = Asked { rows: Vec::new(), real: HashMap::new() };
        for record in records {
            let forms = self.forms(&record.category, &record.key)?;
            let category = record.category.as_str().to_owned();
            asked.rows.push((category, forms.open.clone().into_owned(), forms.closed().to_owned()));
            if let Some(name) = forms.name {
                let named = RecordRef { category: record.category.clone(), key: RecordKey::from_text(&name) };
                asked.real.insert(named, record.clone());
            }
        }
        Ok(asked)
    }
}

/// Records that are asked for, in the forms in which rows may hold them.
pub(super) struct Asked {
    rows: Vec<(String, String, String)>,
    real: HashMap<RecordRef, RecordRef>,
}

impl Asked {
    /// As `json_each` reads them: category, key as what is open holds it, key as what is closed does.
    pub(super) fn json(&self) -> Result<String, StoreError> {
        rows::json(&self.rows)
    }

    /// The same, and of each record one thing more.
    pub(super) fn json_with(&self, more: &[impl serde::Serialize]) -> Result<String, StoreError> {
        let rows = self.rows.iter().zip(more).map(|((category, open, closed), more)| (category, open, closed, more));
        rows::json(&rows.collect::<Vec<_>>())
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The record that was asked for, where a row only names it.
    pub(super) fn real(&self, found: RecordRef) -> RecordRef {
        self.real.get(&found).cloned().unwrap_or(found)
    }
}
