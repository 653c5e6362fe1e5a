//! The daemon's own database: proposals, decisions, runs, batches, the ledger, the audit trail.
//!
//! One SQLite file. May be relied on: every change is made through a [`Change`], one at a time, which writes the change's
//! entry in the trail within the same transaction, and which has not happened unless it was committed; a state that is
//! missing, damaged, newer, or whose trail has been changed is refused, never replaced. Every move of a proposal is decided
//! by `proposal`'s rules; the tables' own CHECKs hold the same line. Readers never wait for the writer. What works on a
//! batch costs a few statements, however many records the batch has.
//!
//! Never stores a label, a name or any content of a source: records are keys, sealed or named by a digest where the key is
//! itself personal (`veil`). Nothing of the database library shows in the
//! public interface.

mod access;
mod all;
mod batch;
mod brake;
mod confirmed;
mod decide;
mod digest;
mod doubt;
mod error;
mod exchange;
mod filter;
mod gate;
mod hold;
mod intent;
mod ledger;
mod list;
mod mark;
mod moves;
mod newest;
mod open;
mod owned;
mod personal;
mod place;
mod propose;
mod prune;
mod queue;
mod removal;
mod report;
mod rows;
mod rule;
mod run;
mod scope;
mod source_state;
mod span;
mod time;
mod together;
mod totals;
mod trail;
mod turn;
mod veil;
mod walk;
mod whole;
mod within;

use std::fmt;

use jiff::Timestamp;

pub use access::{AccessAbout, AccessEntry, AccessWhat};
pub use all::{AllError, NAMED_MAX, Named, SetDifference};
pub use batch::{Intended, OpenBatch, PlannedErasure, Settled};
pub use brake::{ClosedBrake, Override, Spread, SpreadPart};
pub use confirmed::Ripe;
pub use decide::{Decided, Decision, DecisionError, DecisionFailure, DecisionFault, Target};
pub use digest::{SeenSet, SetDigest};
pub use doubt::ClockDoubt;
pub use error::{Cause, StoreError};
pub use filter::{ListOrder, ListSort, ProposalFilter};
pub use gate::{SchemaGate, shapes};
pub use hold::{Announcement, AskedRelease, Hold, HoldId, NewHold};
pub use ledger::{ErasedSoFar, LedgerEntry};
pub use list::{Event, EventKind, GivenReason, Page};
pub use mark::MarkError;
pub use newest::noted_without_state;
pub use owned::{folder_of, make_file, open_file, own};
pub use propose::{Fresh, NewProposal, Proposed};
pub use prune::Cut;
pub use removal::{Left, Owed, Remaining, StepEnd};
pub use report::{
    Counts, Doing, ReasonCounts, Reasons, Refusals, Removed, RunReport, Stage, Unreadable, add_reasons, add_refusals,
    count_erased, reason_name, reason_parts,
};
pub use rule::{NewRule, StoredRule};
pub use run::{JobKind, Run, RunOutcome, RunState, RunTrigger};
pub use source_state::SourceState;
pub use span::{RunEntries, Signed};
pub use totals::StateCounts;
pub use trail::{AuditFilter, TypedText};
pub use turn::{Change, WriteTurn};
pub use walk::Cursor;

use crate::clock::SharedClock;
use crate::proposal::{Life, Origin, ProposalId};
use crate::record::{Fingerprint, RecordRef, SourceName};

/// Most records that one call may carry: bounds memory, the size of an audit entry, and how long the writer is taken.
pub const BATCH_MAX_RECORDS: u32 = 1_000;

/// The state, open.
#[derive(Debug)]
pub struct Store {
    path: std::path::PathBuf,
    writer: tokio::sync::Mutex<sqlx::SqliteConnection>,
    readers: sqlx::SqlitePool,
    clock: SharedClock,
    times: time::Times,
    /// The file that was opened.
    place: place::Place,
    installation: String,
    /// Holds that wait for the write turn.
    announced: hold::Announced,
    /// Which keys are personal.
    veil: std::sync::RwLock<veil::Veil>,
    /// Held by whoever must not miss a row that is being covered.
    covering: tokio::sync::RwLock<()>,
}

impl Store {
    /// Where its file is. Whoever opens it with anything but SQLite drops every lock that this process holds on it.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Names this installation for ever: in the trail, its checkpoints, and the commit marker of the sources.
    #[must_use]
    pub fn installation(&self) -> &str {
        &self.installation
    }
}

/// Names a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A proposal as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// The record it is about.
    pub record: RecordRef,
    /// The source that the record is in.
    pub source: SourceName,
    /// The department or branch that the record belonged to when it was proposed.
    pub unit: Option<String>,
    /// Why it is proposed.
    pub origin: Origin,
    /// The person it is about, as a digest.
    pub fingerprint: Fingerprint,
    /// Where it stands.
    pub life: Life,
    /// Counts its changes, from 1.
    pub version: u32,
    /// The run that proposed it first; none where a clerk has marked it.
    pub run: Option<RunId>,
    /// When it was proposed first.
    pub proposed_at: Timestamp,
    /// When it changed last.
    pub changed_at: Option<Timestamp>,
    /// The group of what was confirmed together with it.
    pub together: Option<ProposalId>,
    /// Who decided last, by login name.
    pub decided_by: Option<String>,
    /// When the last of the confirmations was given that the category asked for.
    pub confirmed_at: Option<Timestamp>,
    /// Whether two different people have confirmed it.
    pub has_two: bool,
}

impl Proposal {
    /// Whether a rule has confirmed it, and no person since.
    #[must_use]
    pub fn is_confirmed_by_rule(&self) -> bool {
        // What is confirmed at once has not changed since it was proposed.
        let is_at_once = self.decided_by.is_none() || self.changed_at.is_none();
        *self.life.state() == crate::proposal::State::Confirmed && self.origin.criterion().is_none() && is_at_once
    }
}

#[cfg(test)]
mod tests;
