//! What was changed while the daemon ran, for the commands that work without it.

use serde_json::{Value, json};

use crate::config::Settings;
use crate::config::change::{Aside, over};
use crate::desk::held;
use crate::store::StoredRule;

/// The files with what the state knows over them.
pub(super) struct Over {
    pub(super) settings: Settings,
    /// What holds instead of the files.
    pub(super) rules: Vec<StoredRule>,
    /// What does not hold over these files.
    pub(super) asides: Vec<Aside>,
}

impl Over {
    /// The files with these changes over them.
    pub(super) fn of(files: &Settings, mut rules: Vec<StoredRule>) -> Self {
        let (settings, asides) = over(files, &held(&rules));
        rules.retain(|rule| !rule.waits && !asides.iter().any(|aside| aside.name == rule.name));
        Self { settings, rules, asides }
    }

    /// One line for each change: where a value comes from, or why it does not hold.
    pub(super) fn notes(&self) -> Vec<String> {
        let set = self.rules.iter().map(|rule| {
            let value = rule.value.as_deref().unwrap_or_default();
            format!(
                "note: {} is {value}, set by {} at {:.0}; the file said {} then",
                rule.name, rule.by, rule.at, rule.file
            )
        });
        let asides = self.asides.iter().map(|aside| {
            format!("note: {} was changed while the daemon ran, and the file holds: {}", aside.name, aside.why)
        });
        set.chain(asides).collect()
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Value {
        let set = self.rules.iter().map(|rule| {
            json!({
                "rule": rule.name,
                "value": rule.value,
                "file": rule.file,
                "by": rule.by.to_string(),
                "at": format!("{:.0}", rule.at),
            })
        });
        let asides = self.asides.iter().map(|aside| json!({ "rule": aside.name, "why": aside.why }));
        json!({ "set": set.collect::<Vec<_>>(), "aside": asides.collect::<Vec<_>>() })
    }
}
