//! Names of rules of categories, and where they lead.

use std::fmt;

use super::RuleValue;
use super::keys::{Access, KEYS, Key, Misfit};
use super::name::place_of;
use crate::config::load::{self, is_key_of_files, listed, nearest};
use crate::config::{Category, Criterion, Finding, Place, Settings};
use crate::record::CategoryName;

/// `CATEGORY.CRITERION.KEY` or `CATEGORY.KEY`.
#[derive(Debug, Clone)]
pub(super) struct CategoryRule {
    category: CategoryName,
    criterion: Option<String>,
    key: &'static Key,
}

impl fmt::Display for CategoryRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.criterion {
            Some(criterion) => write!(f, "{}.{criterion}.{}", self.category, self.key.name),
            None => write!(f, "{}.{}", self.category, self.key.name),
        }
    }
}

impl CategoryRule {
    pub(super) fn parse(text: &str) -> Result<Self, Finding> {
        let place = place_of(text);
        let parts: Vec<&str> = text.split('.').collect();
        let (category, criterion, key) = match parts.as_slice() {
            [category, key] => (*category, None, *key),
            [category, criterion, key] => (*category, Some(*criterion), *key),
            _ => {
                let finding = Finding::error("name", &place, format!("{text:?} is not the name of a rule"));
                return Err(finding.hint("write it like prospect.inactive.period or prospect.cooling_off"));
            }
        };
        let category: CategoryName = category.parse().map_err(|error| {
            Finding::error("name", &place, format!("{text:?} is not the name of a rule: {error}"))
                .hint("write it like prospect.inactive.period or prospect.cooling_off")
        })?;
        let Some(known) = KEYS.iter().find(|known| known.name == key) else {
            return Err(unknown_key(&place, key));
        };
        if known.is_of_criterion() != criterion.is_some() {
            let finding = Finding::error("name", &place, format!("{text:?} is not the name of a rule"));
            let means = if known.is_of_criterion() { format!("{category}.CRITERION") } else { category.to_string() };
            return Err(finding.hint(format!("write {means}.{key}")));
        }
        Ok(Self { category, criterion: criterion.map(str::to_owned), key: known })
    }

    /// Every rule of a category that can be changed, in the order in which they are listed.
    pub(super) fn all_of(category: &Category) -> Vec<Self> {
        let name = |criterion: Option<&Criterion>, key| Self {
            category: category.name.clone(),
            criterion: criterion.map(|criterion| criterion.name.clone()),
            key,
        };
        let of_criteria = category.criteria.iter().flat_map(|criterion| {
            KEYS.iter().filter(|key| key.is_of_criterion()).map(move |key| name(Some(criterion), key))
        });
        let of_category = KEYS.iter().filter(|key| !key.is_of_criterion()).map(|key| name(None, key));
        of_criteria.chain(of_category).filter(|name| name.get(category).is_ok()).collect()
    }

    pub(super) const fn category(&self) -> &CategoryName {
        &self.category
    }

    pub(super) fn read(&self, text: &str) -> Result<RuleValue, Finding> {
        load::value(self.key.kind, self.key.name, text, &place_of(&self.to_string()))
    }

    pub(super) fn value_in(&self, settings: &Settings) -> Result<RuleValue, Finding> {
        let category = settings.categories.get(&self.category).ok_or_else(|| self.no_category())?;
        self.get(category)
    }

    pub(super) fn put(&self, settings: &mut Settings, value: RuleValue) -> Result<(), Finding> {
        let category = settings.categories.get_mut(&self.category).ok_or_else(|| self.no_category())?;
        // What cannot be got cannot be put.
        self.get(category)?;
        match &self.key.access {
            Access::Category { put, .. } => put(category, value),
            Access::Criterion { put, .. } => {
                let place = self.place_in(category)?;
                if let Some(criterion) = category.criteria.get_mut(place) {
                    put(criterion, value);
                }
            }
        }
        Ok(())
    }

    fn get(&self, category: &Category) -> Result<RuleValue, Finding> {
        let misfit = |(message, hint): Misfit| Finding::error("rule", &self.place(), message).hint(hint);
        match &self.key.access {
            Access::Category { get, .. } => get(category).map_err(misfit),
            Access::Criterion { get, .. } => {
                let place = self.place_in(category)?;
                let criterion = category.criteria.get(place).ok_or_else(|| self.no_criterion(category))?;
                get(criterion).map_err(misfit)
            }
        }
    }

    fn place_in(&self, category: &Category) -> Result<usize, Finding> {
        let found = category.criteria.iter().position(|of| Some(&of.name) == self.criterion.as_ref());
        found.ok_or_else(|| self.no_criterion(category))
    }

    fn place(&self) -> Place {
        place_of(&self.to_string())
    }

    fn no_category(&self) -> Finding {
        let message = format!("there is no category {}", self.category);
        Finding::error("unknown-category", &self.place(), message).hint("erasurectl policy shows those there are")
    }

    fn no_criterion(&self, category: &Category) -> Finding {
        let typed = self.criterion.as_deref().unwrap_or_default();
        let names = || category.criteria.iter().map(|of| of.name.as_str());
        let message = format!("{} has no criterion {typed:?}", self.category);
        let hint = match nearest(typed, names()) {
            Some(meant) => format!("did you mean {}.{meant}.{}?", self.category, self.key.name),
            None if category.criteria.is_empty() => "it has none: its records are marked".to_owned(),
            None => format!("its criteria are {}", listed(names())),
        };
        Finding::error("unknown-criterion", &self.place(), message).hint(hint)
    }
}

fn unknown_key(place: &Place, key: &str) -> Finding {
    let names = || KEYS.iter().map(|known| known.name);
    if is_key_of_files(key) {
        let message = format!("`{key}` stands in the files alone, and cannot be changed while the daemon runs");
        let hint = format!("an operator changes it there; what can be changed here is {}", listed(names()));
        return Finding::error("files-only", place, message).hint(hint);
    }
    let hint = match nearest(key, names()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("what can be changed is {}", listed(names())),
    };
    Finding::error("unknown-key", place, format!("`{key}` is not a rule")).hint(hint)
}
