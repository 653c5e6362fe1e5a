//! Opens a source for a job, anew where its schema changes while the job is at work.

use std::collections::BTreeSet;

use super::run::Progress;
use super::{JobError, Workshop};
use crate::config::SourceSettings;
use crate::erasure::Open;
use crate::record::CategoryName;
use crate::source::SourceError;

/// As often as this a source's schema may change during one run. An application that changes it more often is not at
/// rest, and what is left is done by the next run.
const SCHEMA_CHANGES_MAX: u32 = 100;

/// The openings of one source in one run.
pub(super) struct Opening<'a> {
    workshop: &'a Workshop,
    described: &'a SourceSettings,
    /// The categories that the run was told of as stopped.
    told: BTreeSet<CategoryName>,
    times: u32,
}

impl<'a> Opening<'a> {
    pub(super) fn of(workshop: &'a Workshop, described: &'a SourceSettings) -> Self {
        Self { workshop, described, told: BTreeSet::new(), times: 0 }
    }

    /// Lays the categories over the schema as it is now. The run is told of those that are stopped, of each once.
    pub(super) async fn open(&mut self, progress: &mut Progress<'_>) -> Result<Open, JobError> {
        if self.times > SCHEMA_CHANGES_MAX {
            return Err(JobError::Source { name: self.described.name.to_string(), source: SourceError::SchemaChanged });
        }
        if self.times > 0 {
            tracing::info!(source = %self.described.name, "the schema has changed: the settings are laid over it anew");
        }
        self.times += 1;
        let open = self.workshop.open(&self.described.name).await?;
        for stopped in &open.stopped {
            if self.told.insert(stopped.category.clone()) {
                progress.trouble(format!("{}: {}", stopped.category, stopped.reason));
            }
        }
        Ok(open)
    }
}
