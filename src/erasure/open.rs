//! Opens a source and lays the categories over its schema.

use std::collections::BTreeMap;

use crate::config::{Finding, Settings};
use crate::record::{CategoryName, SourceName};
use crate::source::check::{self, Checked, Depth};
use crate::source::{Mapping, Reader, Schema, Shape, Source, SourceError};

/// What categories rely on in their schemas.
pub type Shapes = BTreeMap<CategoryName, Shape>;

/// A category that cannot take part, and why.
#[derive(Debug, Clone)]
pub struct Stopped {
    /// The category.
    pub category: CategoryName,
    /// What is wrong, in one sentence that says what to write and where.
    pub reason: String,
    /// All that is wrong.
    pub findings: Vec<Finding>,
    /// What somebody may accept, where the settings fit and the schema has changed.
    pub change: Option<SchemaChange>,
}

/// What has changed in the schema since somebody last looked.
#[derive(Debug, Clone)]
pub struct SchemaChange {
    /// In sentences.
    pub differences: Vec<String>,
    /// What the category relies on now.
    pub now: Shape,
    /// Stands for the change.
    pub digest: String,
}

/// A source, open for reading, with its categories.
pub struct Open {
    /// Where it is.
    pub source: Source,
    /// Reads it.
    pub reader: Reader,
    /// The categories that fit the schema as it is now.
    pub mappings: BTreeMap<CategoryName, Mapping>,
    /// What these rely on.
    pub shapes: Shapes,
    /// Those that do not.
    pub stopped: Vec<Stopped>,
}

impl Open {
    /// What is wrong with this category, where it is stopped.
    #[must_use]
    pub fn stopped(&self, category: &CategoryName) -> Option<&Stopped> {
        self.stopped.iter().find(|stopped| stopped.category == *category)
    }

    /// Why this category cannot be looked at, where it cannot.
    #[must_use]
    pub fn why_stopped(&self, category: &CategoryName) -> Option<&str> {
        self.stopped(category).map(|stopped| stopped.reason.as_str())
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

impl OpenError {
    /// Whether the application may just be at work: trying again later is all that it takes.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Source { source, .. } if source.is_passing())
    }
}

/// Opens a source to look at it: lays its categories over the schema as it is now, whatever it was before.
///
/// # Errors
/// When the source cannot be read. A category that does not fit is no error: it is stopped, by name.
pub async fn open(settings: &Settings, name: &SourceName) -> Result<Open, OpenError> {
    open_as_remembered(settings, name, &Shapes::new()).await
}

/// Opens a source to work on it: lays its categories over the schema as it is now, and stops those that what they rely on is
/// not what is remembered of it.
///
/// # Errors
/// As [`open`].
pub async fn open_as_remembered(
    settings: &Settings,
    name: &SourceName,
    remembered: &Shapes,
) -> Result<Open, OpenError> {
    let described = settings.sources.get(name).ok_or_else(|| OpenError::Unknown(name.clone()))?;
    let failed = |source| OpenError::Source { name: name.clone(), source };
    let source = Source::of(described);
    let reader = source.reader().await.map_err(failed)?;
    let (mappings, shapes, stopped) = (BTreeMap::new(), Shapes::new(), Vec::new());
    let mut open = Open { source, reader, mappings, shapes, stopped };
    for category in settings.categories.values().filter(|category| category.source.value == *name) {
        let checked = check::category(&mut open.reader, settings, category, Depth::Schema).await.map_err(failed)?;
        open.add(&category.name, checked, remembered.get(&category.name));
    }
    Ok(open)
}

impl Open {
    fn add(&mut self, category: &CategoryName, checked: Checked, then: Option<&Shape>) {
        let Checked { mapping: Some(mapping), shape: Some(shape), .. } = checked else {
            self.stopped.push(Stopped::by(category.clone(), checked.findings));
            return;
        };
        match then.and_then(|then| SchemaChange::from(then, &shape, self.reader.schema())) {
            Some(change) => self.stopped.push(Stopped::changed(category.clone(), change)),
            None => {
                self.mappings.insert(category.clone(), mapping);
                self.shapes.insert(category.clone(), shape);
            }
        }
    }
}

impl SchemaChange {
    /// What has changed from one shape to the other; `None` where nothing has.
    #[must_use]
    pub fn from(then: &Shape, now: &Shape, schema: &Schema) -> Option<Self> {
        let differences = then.differences(now, schema);
        let digest = then.change_digest(now);
        (!differences.is_empty()).then(|| Self { differences, now: now.clone(), digest })
    }
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
        Self { category, reason, findings, change: None }
    }

    /// A category whose settings fit a schema that is not the one that somebody last looked at.
    fn changed(category: CategoryName, change: SchemaChange) -> Self {
        let hint = accept_hint(&category);
        let finding = |what: &String| Finding::nowhere("schema-changed", what.clone()).hint(hint.clone());
        let findings: Vec<Finding> = change.differences.iter().map(finding).collect();
        let reason = match findings.as_slice() {
            [] => "the schema has changed".to_owned(),
            [one] => format!("the schema has changed: {}", told(one)),
            [one, more @ ..] => format!("the schema has changed: {} (and {} more)", told(one), more.len()),
        };
        Self { category, reason, findings, change: Some(change) }
    }
}

/// What to do about a schema that has changed and that the settings fit.
#[must_use]
pub fn accept_hint(category: &CategoryName) -> String {
    format!("if the settings still mean what they should, accept it: erasurectl schema accept {category}")
}

/// What is wrong, with what to write and in which file.
fn told(finding: &Finding) -> String {
    let Some(hint) = &finding.hint else { return finding.message.clone() };
    match &finding.place {
        Some(place) => format!("{}; in {}: {hint}", finding.message, place.file),
        None => format!("{}; {hint}", finding.message),
    }
}
