//! The proof that bytes are gone: looks through the files of a source, and those of the state.
//!
//! It reads for as long as the files are large, on a thread of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::run::Progress;
use super::{JobError, Workshop, store};
use crate::audit::{By, Kind};
use crate::config::{Settings, SourceSettings, causes};
use crate::erasure::open;
use crate::proof::{ProofReport, Sample};
use crate::record::SourceName;
use crate::source::{Ours, ProofOrder, Source, SourceError, reached};
use crate::store::{RunId, StoreError};

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
    let ours = Ours::Tables(ours(settings, described).await?);
    let report = run(Source::of(described), ours, described.max_lock, Wanted::default()).await;
    report.map_err(|error| failed(described, error))
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

/// Looks, after a run, whether what it has erased is gone from the files of each source, and notes in the trail and in the
/// run's report what was found. What is owed of removal must have been done, as far as it can be; `emptied` are the sources
/// whose write-ahead log was emptied after the last batch.
///
/// # Errors
/// When the state cannot be written.
pub(super) async fn prove(
    workshop: &Workshop,
    run: RunId,
    progress: &mut Progress<'_>,
    emptied: &BTreeSet<SourceName>,
) -> Result<(), JobError> {
    for described in workshop.settings.sources.values() {
        let of_source = workshop.settings.categories.values().filter(|one| one.source.value == described.name);
        let counts = of_source.filter_map(|category| progress.report.categories.get(category.name.as_str()));
        let erased: u64 = counts.map(|counts| counts.deleted + counts.anonymised).sum();
        if erased > 0 {
            let sample = Arc::new(progress.samples.of(&described.name));
            let report = prove_source(workshop, described, sample, emptied.contains(&described.name)).await;
            note(workshop, run, described, &report).await.map_err(store)?;
            progress.report.proofs.insert(described.name.to_string(), report);
        }
    }
    Ok(())
}

/// That something cannot be looked through is a finding, too.
async fn prove_source(
    workshop: &Workshop,
    described: &SourceSettings,
    sample: Arc<Sample>,
    log_was_emptied: bool,
) -> ProofReport {
    let looked = async {
        let ours = Ours::Tables(ours(&workshop.settings, described).await?);
        let state = Some(workshop.store.path().to_owned());
        let wanted = Wanted { sample: Some(sample), state, log_was_emptied };
        run(Source::of(described), ours, described.max_lock, wanted).await.map_err(|error| failed(described, error))
    };
    looked.await.unwrap_or_else(|error| ProofReport { faults: vec![causes(&error)], ..ProofReport::default() })
}

async fn note(
    workshop: &Workshop,
    run: RunId,
    described: &SourceSettings,
    report: &ProofReport,
) -> Result<(), StoreError> {
    match report.trouble() {
        None => tracing::info!(source = %described.name, "nothing is left of what was erased, as far as can be seen"),
        Some(trouble) => tracing::warn!(source = %described.name, %trouble, "what was erased is not known to be gone"),
    }
    let layers = report.layers.iter();
    let layers = layers.map(|layer| (layer.layer.as_str().to_owned(), layer.verdict.as_str().to_owned())).collect();
    let (source, clean, counts) = (described.name.to_string(), report.is_clean(), report.named());
    let mut turn = workshop.store.turn().await;
    let mut change = turn.begin().await?;
    change.record(&By::run(run.0), &Kind::RemovalVerified { source, clean, layers, counts }).await?;
    change.commit().await
}

fn failed(described: &SourceSettings, source: SourceError) -> JobError {
    JobError::Source { name: described.name.to_string(), source }
}

/// The tables of the source that its categories reach.
async fn ours(settings: &Settings, described: &SourceSettings) -> Result<BTreeSet<String>, JobError> {
    let opened = open(settings, &described.name).await.map_err(JobError::Open)?;
    let mut ours = reached(opened.reader.schema(), opened.mappings.values());
    opened.reader.close().await;
    // What a category that is stopped reaches is not known, but for its own table.
    let of_source = settings.categories.values().filter(|category| category.source.value == described.name);
    ours.extend(of_source.map(|category| category.table.value.to_lowercase()));
    Ok(ours)
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
