//! Opens a source and lays the categories over its schema.

use std::collections::BTreeMap;

use crate::config::{Finding, Settings};
use crate::record::{CategoryName, SourceName};
use crate::source::check::{self, Depth};
use crate::source::{Mapping, Reader, Source, SourceError};

/// A category that cannot take part, and why.
#[derive(Debug, Clone)]
pub struct Stopped {
    /// The category.
    pub category: CategoryName,
    /// What is wrong, in one sentence that says what to write and where.
    pub reason: String,
    /// All that is wrong.
    pub findings: Vec<Finding>,
}

/// A source, open for reading, with its categories.
pub struct Open {
    /// Where it is.
    pub source: Source,
    /// Reads it.
    pub reader: Reader,
    /// The categories that fit the schema as it is now.
    pub mappings: BTreeMap<CategoryName, Mapping>,
    /// Those that do not.
    pub stopped: Vec<Stopped>,
}

impl Open {
    /// Why this category cannot be looked at, where it cannot.
    #[must_use]
    pub fn why_stopped(&self, category: &CategoryName) -> Option<&str> {
        self.stopped.iter().find(|stopped| stopped.category == *category).map(|stopped| stopped.reason.as_str())
    }
}

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none of this name in the settings.
    #[error("there is no source {0} in the settings")]
    Unknown(SourceName),
    /// It cannot be read.
    #[error("cannot use the source {name}")]
    Source {
        /// Its name.
        name: SourceName,
        /// Why.
        #[source]
        source: SourceError,
    },
}

/// Opens a source and lays its categories over the schema as it is now.
///
/// # Errors
/// When the source cannot be read. A category that does not fit is no error: it is stopped, by name.
pub async fn open(settings: &Settings, name: &SourceName) -> Result<Open, OpenError> {
    let described = settings.sources.get(name).ok_or_else(|| OpenError::Unknown(name.clone()))?;
    let failed = |source| OpenError::Source { name: name.clone(), source };
    let source = Source::of(described);
    let mut reader = source.reader().await.map_err(failed)?;
    let mut mappings = BTreeMap::new();
    let mut stopped = Vec::new();
    for category in settings.categories.values().filter(|category| category.source.value == *name) {
        let checked = check::category(&mut reader, settings, category, Depth::Schema).await.map_err(failed)?;
        match checked.mapping {
            Some(mapping) => {
                mappings.insert(category.name.clone(), mapping);
            }
            None => stopped.push(Stopped::by(category.name.clone(), checked.findings)),
        }
    }
    Ok(Open { source, reader, mappings, stopped })
}

impl Stopped {
    /// A category that these findings stop, those that are no errors left aside.
    fn by(category: CategoryName, mut findings: Vec<Finding>) -> Self {
        findings.retain(Finding::is_error);
        let reason = match findings.as_slice() {
            [] => "the settings do not fit the schema".to_owned(),
            [one] => format!("the settings do not fit the schema: {}", told(one)),
            [one, more @ ..] => {
                format!("the settings do not fit the schema: {} (and {} more)", told(one), more.len())
            }
        };
        Self { category, reason, findings }
    }
}

/// What is wrong, with what to write and in which file.
fn told(finding: &Finding) -> String {
    let Some(hint) = &finding.hint else { return finding.message.clone() };
    match &finding.place {
        Some(place) => format!("{}; in {}: {hint}", finding.message, place.file),
        None => format!("{}; {hint}", finding.message),
    }
}
