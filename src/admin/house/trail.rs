//! The audit trail: pages, export, verification.

use tokio::sync::mpsc;

use super::faults::{Asked, problem_of};
use crate::actor::Authorised;
use crate::admin::{Lines, TrailSelection};
use crate::api::{AuditEntry, AuditPage, VerifyFault, VerifyReport};
use crate::desk::{Desk, Page, Told, TrailFilter, Verified};
use crate::record::hex;

/// Pieces of an export that wait for the reader.
const PIECES_WAITING: usize = 1;

/// What is asked for; none where no run can have that number.
pub(super) fn filter(selection: TrailSelection) -> Option<TrailFilter> {
    let run = selection.run.map(i64::try_from).transpose().ok()?;
    Some(TrailFilter { record: selection.record, run })
}

/// A page without anything on it.
pub(super) fn nothing() -> AuditPage {
    AuditPage { total: 0, items: Vec::new(), next: None }
}

/// A page of the trail.
pub(super) fn page(page: Page<Told, u64>) -> AuditPage {
    AuditPage {
        total: page.total,
        items: page.items.into_iter().map(entry).collect(),
        next: page.next.map(|seq| seq.to_string()),
    }
}

fn entry(told: Told) -> AuditEntry {
    let entry = told.entry;
    AuditEntry {
        seq: entry.seq,
        // To the millisecond, as it stands in the trail.
        at: format!("{:.3}", entry.at),
        actor: entry.by.actor.to_string(),
        kind: entry.kind,
        record: told.record,
        run: entry.by.run.map(i64::unsigned_abs),
        summary: told.summary,
        hash: hex(&entry.hash),
    }
}

/// The whole trail, as fast as the reader reads. Ends when the reader goes.
pub(super) fn export(desk: Desk, leave: Authorised) -> Lines {
    let (into, lines) = mpsc::channel(PIECES_WAITING);
    tokio::spawn(async move {
        let mut after = 0;
        loop {
            match desk.export(&leave, after).await {
                Ok(None) => return,
                Ok(Some((mut page, last))) => {
                    page.truncate(page.trim_end_matches('\n').len());
                    if into.send(Ok(page)).await.is_err() {
                        return;
                    }
                    after = last;
                }
                Err(error) => {
                    // Nobody there to be told is no matter.
                    let _ = into.send(Err(problem_of(Asked::Trail, error))).await;
                    return;
                }
            }
        }
    });
    lines
}

/// What verification has found.
pub(super) fn report(verified: Verified) -> VerifyReport {
    let Verified { report, checkpoints } = verified;
    VerifyReport {
        intact: report.fault.is_none(),
        entries: report.entries,
        pruned: report.pruned,
        checkpoints,
        signed: report.verified_to,
        unsigned: report.unsigned_after,
        fault: report.fault.map(|fault| VerifyFault { seq: fault.seq, detail: fault.what }),
    }
}
