//! Opens a source and lays the categories over its schema.

use std::collections::BTreeMap;

use super::{JobError, Workshop};
use crate::config::{Finding, Settings};
use crate::record::{CategoryName, SourceName};
use crate::source::check::{self, Depth};
use crate::source::{Mapping, Reader, Source};

/// A category that cannot take part in a run, and why.
#[derive(Debug, Clone)]
pub struct Stopped {
    /// The category.
    pub category: CategoryName,
    /// What is wrong, in one sentence.
    pub reason: String,
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

impl Workshop {
    /// Opens a source and lays its categories over the schema as it is now.
    pub(super) async fn open(&self, name: &SourceName) -> Result<Open, JobError> {
        open(&self.settings, name).await
    }
}

/// Opens a source and lays its categories over the schema as it is now.
///
/// # Errors
/// When the source cannot be read.
pub async fn open(settings: &Settings, name: &SourceName) -> Result<Open, JobError> {
    let failed = |source| JobError::Source { name: name.to_string(), source };
    let Some(described) = settings.sources.get(name) else {
        let path = std::path::PathBuf::from(name.as_str());
        return Err(failed(crate::source::SourceError::Missing { path }));
    };
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
            None => stopped.push(Stopped { category: category.name.clone(), reason: reason(&checked.findings) }),
        }
    }
    Ok(Open { source, reader, mappings, stopped })
}

fn reason(findings: &[Finding]) -> String {
    let errors: Vec<String> =
        findings.iter().filter(|finding| finding.is_error()).map(|finding| finding.message.clone()).collect();
    match errors.as_slice() {
        [] => "the settings do not fit the schema".to_owned(),
        [one] => format!("the settings do not fit the schema: {one}"),
        [one, more @ ..] => format!("the settings do not fit the schema: {one} (and {} more)", more.len()),
    }
}
