//! The proof that bytes are gone: looks through the files of a source, and those of the state.
//!
//! It reads for as long as the files are large, on a thread of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::JobError;
use crate::config::{Settings, SourceSettings};
use crate::erasure::open;
use crate::proof::{ProofReport, Sample};
use crate::record::SourceName;
use crate::source::{Mapping, Ours, ProofOrder, Reader, Source, SourceError, reached};

/// How long the state may be waited for.
const STATE_WAIT: Duration = Duration::from_secs(10);

/// What is looked for, beside what is not zero.
#[derive(Default)]
struct Wanted {
    sample: Option<Arc<Sample>>,
    state: Option<PathBuf>,
    log_was_emptied: bool,
}

/// Looks through the structure of a source's files: what is not zero where nothing is.
///
/// # Errors
/// When they cannot be read, or are no database.
pub async fn look_through(settings: &Settings, described: &SourceSettings) -> Result<ProofReport, JobError> {
    let opened = open(settings, &described.name).await.map_err(JobError::Open)?;
    let mut ours = ours(&opened.reader, opened.mappings.values());
    opened.reader.close().await;
    // What a category that is stopped reaches is not known, but for its own table.
    let stopped = settings.categories.values().filter(|category| category.source.value == described.name);
    ours.extend(stopped.map(|category| category.table.value.to_lowercase()));
    run(Source::of(described), Ours::Tables(ours), described.max_lock, Wanted::default())
        .await
        .map_err(|source| JobError::Source { name: described.name.to_string(), source })
}

/// The same for the daemon's own state.
///
/// # Errors
/// When it cannot be read.
pub async fn look_through_state(name: SourceName, path: &Path) -> Result<ProofReport, JobError> {
    let source = Source::at(name.clone(), path, STATE_WAIT);
    let report = run(source, Ours::All, STATE_WAIT, Wanted::default()).await;
    report.map_err(|source| JobError::Source { name: name.to_string(), source })
}

fn ours<'m>(reader: &Reader, mappings: impl Iterator<Item = &'m Mapping>) -> BTreeSet<String> {
    reached(reader.schema(), mappings)
}

async fn run(source: Source, ours: Ours, max_lock: Duration, wanted: Wanted) -> Result<ProofReport, SourceError> {
    let runtime = tokio::runtime::Handle::current();
    let look = move || {
        runtime.block_on(async {
            let order = ProofOrder {
                ours,
                sample: wanted.sample.as_deref(),
                max_lock,
                state: wanted.state.as_deref(),
                log_was_emptied: wanted.log_was_emptied,
            };
            source.prove(&order).await
        })
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(report) => report,
        // It is never aborted, and what it runs does not panic; where it does after all, the run does too.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
