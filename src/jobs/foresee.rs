//! What the jobs would do now, record by record: the dry run with somebody watching.

use super::run::{Progress, dispatch};
use super::{JobError, Workshop};
use crate::erasure::{Due, Preview};
use crate::proposal::{ReturnReason, WithdrawReason};
use crate::record::RecordRef;
use crate::store::{JobKind, RunReport};

/// What would happen to a record.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The record.
    pub record: RecordRef,
    /// What would happen to it.
    pub future: Future,
}

/// What would happen.
#[derive(Debug, Clone)]
pub enum Future {
    /// Prepare: it is due, and is or would be proposed.
    Proposed {
        /// Why.
        due: Due,
        /// Whether it would be confirmed at once.
        is_confirmed: bool,
        /// Whether it is proposed already.
        is_open: bool,
        /// What erasing it would do.
        preview: Preview,
    },
    /// Prepare: its postponement is over.
    BackFromPostponement,
    /// Either job: it would be withdrawn.
    Withdrawn(WithdrawReason),
    /// The final job: it would go back to the clerk.
    Returned(ReturnReason),
    /// The final job: it would be left out, because it is held.
    Held,
    /// The final job: it would be erased.
    Erased(Preview),
    /// The final job: it was anonymised before, nothing keeps its row any more, and it would be deleted.
    Shell(Preview),
}

/// What a job would do now. It runs the job's own code, up to where it would be written down; `watcher` is told of every
/// record. Gives the counts, and what would have to be left out.
///
/// # Errors
/// When the state cannot be read.
pub async fn foresee(
    workshop: &Workshop,
    job: JobKind,
    watcher: &mut (dyn FnMut(Foreseen) + Send + Sync),
) -> Result<(RunReport, Vec<String>), JobError> {
    let mut progress = Progress { watcher: Some(watcher), ..Progress::default() };
    dispatch(workshop, job, None, &mut progress, &|| false).await?;
    Ok((progress.report, progress.troubles))
}
