//! The proof that bytes are gone: looks through the files of a source, and those of the state.
//!
//! It reads for as long as the files are large, on a thread of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::run::{Stop, hearing};
use super::{JobError, Workshop};
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
    sample: Option<Sample>,
    state: Option<PathBuf>,
    log_was_emptied: bool,
}

/// Looks through the structure of a source's files: what is not zero where nothing is.
///
/// # Errors
/// When they cannot be read, or are no database.
pub async fn look_through(settings: &Settings, described: &SourceSettings) -> Result<ProofReport, JobError> {
    let ours = ours(settings, described).await?;
    let report = look(Source::of(described), ours, described.max_lock, Wanted::default(), || true).await;
    report.map_err(|error| failed(described, error))
}

/// The same for the daemon's own state.
///
/// # Errors
/// When it cannot be read.
pub async fn look_through_state(name: SourceName, path: &Path) -> Result<ProofReport, JobError> {
    let source = Source::at(name.clone(), path, STATE_WAIT);
    let report = look(source, Ours::All, STATE_WAIT, Wanted::default(), || true).await;
    report.map_err(|source| JobError::Source { name: name.to_string(), source })
}

/// Looks whether what was erased is gone from the files of a source, and notes in the trail what was found. By the sample's
/// values, or, where there is none any more, by structure alone. What is owed of removal must have been done, as far as it
/// can be; `log_was_emptied` tells whether the write-ahead log was emptied after the last batch.
///
/// That something cannot be looked through is a finding, too. It is broken off when it is to stop, or the hours of the source
/// are over, and is then still to be done.
///
/// # Errors
/// When the state cannot be written.
pub(super) async fn prove(
    workshop: &Workshop,
    run: RunId,
    described: &SourceSettings,
    sample: Option<Sample>,
    log_was_emptied: bool,
    stop: Stop<'_>,
) -> Result<ProofReport, StoreError> {
    let looked = async {
        let ours = ours(&workshop.settings, described).await?;
        let state = Some(workshop.store.path().to_owned());
        let wanted = Wanted { sample, state, log_was_emptied };
        let (is_stopped, hours) = (Arc::new(AtomicBool::new(false)), workshop.hours_of(described));
        let heard = Arc::clone(&is_stopped);
        let may_go_on = move || hours() && !heard.load(Ordering::Relaxed);
        let looking = look(Source::of(described), ours, described.max_lock, wanted, may_go_on);
        hearing(stop, &is_stopped, looking).await.map_err(|error| failed(described, error))
    };
    let report = looked.await;
    let report = report.unwrap_or_else(|error| ProofReport { faults: vec![causes(&error)], ..ProofReport::default() });
    let layers = report.layers.iter();
    let layers = layers.map(|layer| (layer.layer.as_str().to_owned(), layer.verdict.as_str().to_owned())).collect();
    let (source, clean, counts) = (described.name.to_string(), report.is_clean(), report.named());
    let mut turn = workshop.store.turn().await;
    let mut change = turn.begin().await?;
    change.record(&By::run(run.0), &Kind::RemovalVerified { source, clean, layers, counts }).await?;
    change.commit().await?;
    Ok(report)
}

fn failed(described: &SourceSettings, source: SourceError) -> JobError {
    JobError::Source { name: described.name.to_string(), source }
}

/// The tables of the source that its categories reach.
async fn ours(settings: &Settings, described: &SourceSettings) -> Result<Ours, JobError> {
    let opened = open(settings, &described.name).await.map_err(JobError::Open)?;
    let mut reached = reached(opened.reader.schema(), opened.mappings.values());
    opened.reader.close().await;
    // What else a category that is stopped reaches is not known.
    let rows: BTreeSet<String> = tables(settings, described).map(|table| table.to_lowercase()).collect();
    reached.extend(rows.iter().cloned());
    Ok(Ours::Tables { reached, rows })
}

/// The tables of the source that records and their dependents are in.
pub(super) fn tables<'s>(
    settings: &'s Settings,
    described: &'s SourceSettings,
) -> impl Iterator<Item = &'s str> + use<'s> {
    let of_source = settings.categories.values().filter(|category| category.source.value == described.name);
    of_source.flat_map(|category| {
        let dependents = category.dependents.iter().map(|dependent| &*dependent.table.value);
        std::iter::once(&*category.table.value).chain(dependents)
    })
}

async fn look(
    source: Source,
    ours: Ours,
    max_lock: Duration,
    wanted: Wanted,
    may_go_on: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<ProofReport, SourceError> {
    let runtime = tokio::runtime::Handle::current();
    let looking = move || {
        runtime.block_on(async {
            let order = ProofOrder {
                ours,
                sample: wanted.sample.as_ref(),
                max_lock,
                state: wanted.state.as_deref(),
                log_was_emptied: wanted.log_was_emptied,
                may_go_on: &may_go_on,
            };
            source.prove(&order).await
        })
    };
    match tokio::task::spawn_blocking(looking).await {
        Ok(report) => report,
        // It is never aborted, and what it runs does not panic; where it does after all, the run does too.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
