//! What can be said of each layer, in words.

use super::beside::Seen;
use super::log::InLog;
use crate::proof::{Layer, LayerReport, Owner, ProofReport, Region, Residue, Settled, Verdict};

/// The application has written whenever it was looked.
pub(super) fn disturbed() -> ProofReport {
    unfinished("the application kept writing while it was looked through; it has to be looked at again")
}

/// It was not to go on.
pub(super) fn broken_off() -> ProofReport {
    unfinished("it was broken off, and has to be looked at again")
}

fn unfinished(reason: &str) -> ProofReport {
    let database = LayerReport::new(Layer::Database, Verdict::Pending { reason: reason.to_owned() });
    ProofReport { layers: vec![database], ..ProofReport::default() }
}

/// Why there is no telling what has been committed.
pub(super) fn no_log() -> String {
    "it uses a write-ahead log, and none is beside it".to_owned()
}

/// What may lie in a log is not known.
pub(super) fn unreadable_log() -> String {
    "the write-ahead log cannot be read as one".to_owned()
}

/// Why bytes could not be read.
pub(super) fn no_bytes(id: i32) -> String {
    format!("the system does not give its bytes (SQLite's code {id})")
}

/// What the layers are to be judged by.
pub(super) struct Judge<'a> {
    pub(super) settled: Option<&'a Settled>,
    /// Whether there was nothing distinctive to look for.
    pub(super) is_empty: bool,
    pub(super) unmoved: u64,
    /// Whether the logs were emptied after the last erasure.
    pub(super) was_emptied: bool,
}

impl Judge<'_> {
    /// By values: how many are there for good, how many will pass.
    fn by_value(&self, layer: Layer) -> (u64, u64, LayerReport) {
        let found = self.settled.and_then(|settled| settled.layers.get(&layer)).cloned().unwrap_or_default();
        let mut report = LayerReport::new(layer, Verdict::Clean);
        report.places = found.places;
        (found.found.len() as u64, found.pending.len() as u64, report)
    }

    pub(super) fn database(&self, residue: Vec<Residue>) -> LayerReport {
        let (found, pending, mut report) = self.by_value(Layer::Database);
        // What we have freed is overwritten: without values, only what lies in what categories reach can be of ours.
        let ours = residue.iter().filter(|residue| residue.owner == Owner::Ours);
        let nonzero: u64 = ours.map(|residue| residue.nonzero).sum();
        let count = if self.settled.is_some() { found } else { nonzero };
        report.verdict = if count > 0 {
            Verdict::Found { count }
        } else if pending > 0 || self.unmoved > 0 {
            let rows = self.unmoved;
            let reason = format!("{rows} pages have a newer version in the write-ahead log");
            Verdict::Pending { reason }
        } else if self.is_empty {
            let reason = "no value of the erased records is distinctive enough to be looked for".to_owned();
            Verdict::CannotBeSeen { reason }
        } else {
            Verdict::Clean
        };
        report.residue = residue;
        report
    }

    pub(super) fn log(&self, log: Option<InLog>) -> LayerReport {
        let (found, pending, mut report) = self.by_value(Layer::Wal);
        if let Some(log) = log.filter(|log| log.frames + log.old_frames > 0) {
            let is_new = self.was_emptied && found + pending == 0;
            if !is_new {
                let (count, rows) = (log.frames, log.old_frames);
                let reason = format!("it holds {count} frames and {rows} old ones, and was not emptied");
                report.verdict = Verdict::Pending { reason };
            }
            report.residue = log.residue;
        }
        report
    }

    pub(super) fn journal(&self, journal: Option<Seen>) -> LayerReport {
        let (found, _, mut report) = self.by_value(Layer::Journal);
        let Some(seen) = journal else { return report };
        let count = match self.settled {
            Some(_) => found,
            None if self.was_emptied => 0,
            None => seen.nonzero,
        };
        report.verdict = if seen.is_in_use {
            Verdict::Pending { reason: "a transaction is going on, or waits to be rolled back".to_owned() }
        } else if count > 0 {
            Verdict::Found { count }
        } else {
            Verdict::Clean
        };
        report.residue = vec![seen.residue(Region::Journal)];
        report
    }

    pub(super) fn plain(&self, layer: Layer) -> LayerReport {
        let (found, _, mut report) = self.by_value(layer);
        if found > 0 {
            report.verdict = Verdict::Found { count: found };
        }
        report
    }
}

/// What nothing that runs beside the application can see.
pub(super) fn unseen() -> [LayerReport; 4] {
    let unseen = |layer, reason: &str| LayerReport::new(layer, Verdict::CannotBeSeen { reason: reason.to_owned() });
    [
        unseen(Layer::Log, "the journal or whoever takes the daemon's output keeps it; it holds keys, never values"),
        unseen(Layer::Snapshots, "file systems and machines keep earlier versions where no program sees them"),
        unseen(Layer::Device, "blocks that files have let go of keep their bytes until the device reuses them"),
        unseen(Layer::Backups, "copies made before lie elsewhere; the ledger knows who must not come back with them"),
    ]
}
