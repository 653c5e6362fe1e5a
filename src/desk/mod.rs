//! What people see and decide: lists with labels, verdicts, decisions, the rules in words.
//!
//! The one place where a decision is made, whoever asks for it. May be relied on: nothing is shown or decided without the
//! permission in hand ([`Authorised`]), and what is outside its scope does not exist for whoever asks. Labels are read
//! from the source for the answer and kept nowhere.

mod access;
mod all;
mod board;
mod decide;
mod gate;
mod health;
mod holds;
mod linked;
mod list;
mod mark;
mod notice;
mod policy;
mod reasons;
mod rules;
mod runs;
mod search;
mod show;
mod status;
mod together;
mod trail;
mod why;
mod words;

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use tokio::sync::Mutex;

pub use self::access::{
    AccessAsked, AccessChanged, AccessFault, AccessItem, AccessStanding, AccessView, Whose, assigned_of,
};
pub use self::all::ConfirmedSet;
pub use self::board::{Board, held};
pub use self::decide::Wish;
pub use self::gate::{ClosedGate, GateError, GateFinding, GateStanding};
pub use self::health::{Complaint, Severity, complaints, told};
pub use self::holds::{HeldRecord, HoldRefused, Released, WhichHold};
pub use self::linked::{LinkedRecord, LinkedVerdict, Standing};
pub use self::list::{Item, Listing, Wanted};
pub use self::mark::Marked;
pub use self::notice::{AlreadyTold, Digest, Health};
pub use self::policy::{CriterionRule, DependentRule, Rules};
pub use self::reasons::ReasonRefused;
pub use self::rules::{RuleError, RuleOutcome, RuleStanding, RuleWish};
pub use self::show::{Blocked, Card};
pub use self::status::{
    CategoryStanding, DecisionsStanding, ErasedCounts, JobStanding, Overview, RemovalStanding, SourceStanding,
    SourceTrouble,
};
pub use self::together::{LinkedFailure, LinkedFault, With};
pub use self::trail::{Told, TrailFilter, Verified};
// What is seen and decided here is named as the rooms below name it.
use crate::actor::Authorised;
use crate::audit::{CheckpointKey, VerifierKey};
use crate::clock::SharedClock;
pub use crate::config::Rule;
use crate::config::Settings;
pub use crate::config::{ReasonKind, Reasons};
use crate::erasure::Day;
pub use crate::proof::{LayerReport, ProofReport, Verdict};
pub use crate::proposal::{MoveError, Origin, Outcome, ProposalId, Reason, ReasonError, RemovalStep, State, StateName};
use crate::record::{CategoryName, FingerprintKey, RecordRef};
pub use crate::store::{AccessAbout, AccessEntry, AccessWhat};
use crate::store::{Change, ErasedSoFar, Store};
pub use crate::store::{
    ClosedBrake, Counts, Cursor, Decided, DecisionFailure, DecisionFault, Doing, Event, EventKind, GivenReason, Hold,
    HoldId, JobKind, Owed, Page, Proposal, ProposalFilter, ReasonCounts, Removed, Run, RunEntries, RunId, RunOutcome,
    RunReport, RunState, RunTrigger, Signed, Spread, SpreadPart, Stage, StoreError, StoredRule, Target, reason_parts,
};
pub use crate::store::{ListOrder, ListSort, Named, SeenSet, SetDifference, SetDigest, StateCounts};

/// More days than anything has been waiting: ten thousand years.
const DAYS_MAX: i64 = 3_652_500;

/// Where people look and decide.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Arc<Store>,
    board: Board,
    key: FingerprintKey,
    verifier: VerifierKey,
    clock: SharedClock,
    /// How many records were erased since the daemon was started, as far as somebody has counted.
    erased: Arc<Mutex<ErasedSoFar>>,
}

/// The settings, the day and the key with which a source is looked at.
struct Glass<'d> {
    settings: Arc<Settings>,
    day: Day,
    now: Timestamp,
    key: &'d FingerprintKey,
}

/// Why somebody gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no proposal for the record, or none that the asker may see.
    #[error("there is no proposal for {0}")]
    NoSuchRecord(RecordRef),
    /// There is none for a record that is there and within what the asker may see.
    #[error("there is no proposal for {record}: {why}")]
    Unproposed {
        /// The record.
        record: RecordRef,
        /// Why not, in a sentence for clerks.
        why: String,
    },
    /// It cannot be marked.
    #[error("cannot mark {record}: {why}")]
    CannotMark {
        /// The record.
        record: RecordRef,
        /// Why not, in a sentence for clerks.
        why: String,
    },
    /// There is no such category, or none that the asker may see.
    #[error("there is no category {0}")]
    NoSuchCategory(CategoryName),
    /// There is no run of this number.
    #[error("there is no run {0}")]
    NoSuchRun(RunId),
    /// The brake has stopped nothing in the newest run of the job.
    #[error("the brake has stopped nothing in the newest run of {0}")]
    NothingBraked(JobKind),
    /// It has stopped something else than what was looked at.
    #[error("the brake has stopped something else in the newest run of {0} than what was looked at")]
    OtherBrake(JobKind),
    /// It has stopped something that the asker does not see whole.
    #[error("the brake has stopped records in the newest run of {0} that are not all within what you may see")]
    BrakeUnseen(JobKind),
    /// It cannot be decided so; nothing was.
    #[error("{} of the records cannot be decided about so, and nothing was decided", .0.len())]
    Refused(Vec<DecisionFailure>),
    /// Linked records stand in the way of confirming together; nothing was confirmed.
    #[error("{} of the linked records stand in the way, and nothing was confirmed", .0.len())]
    NotTogether(Vec<LinkedFailure>),
    /// Access cannot be changed so; nothing was.
    #[error(transparent)]
    Access(AccessFault),
    /// The set is not what was seen; nothing was decided.
    #[error("the set is not what its digest stands for, and nothing was decided")]
    Different(Box<SetDifference>),
    /// Not all of the set waits for a decision; nothing was decided.
    #[error("{proposed} of the {records} records in the set wait for a decision, and nothing was decided")]
    NotProposed {
        /// How many there are.
        records: u64,
        /// How many wait for a decision.
        proposed: u64,
    },
    /// There is nothing in the set.
    #[error("there is nothing in the set")]
    NothingThere,
    /// A hold is not set or not released.
    #[error("{1}")]
    Hold(RecordRef, HoldRefused),
    /// The records of a category cannot be looked at.
    #[error("cannot read the records of {0}: {1}")]
    Unreadable(CategoryName, String),
    /// What somebody may see and do has changed since the asker was let in; nothing was changed.
    #[error("what somebody may see and do has changed in the meantime")]
    Overtaken,
    /// The state is in the way.
    #[error("cannot use the state")]
    Store(#[source] StoreError),
}

impl Desk {
    /// A desk over the state, with the settings as they change. Of the key that checkpoints are signed with it keeps the
    /// public half.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        board: Board,
        key: FingerprintKey,
        checkpoint: &CheckpointKey,
        clock: SharedClock,
    ) -> Self {
        let verifier = checkpoint.verifier(store.installation());
        let erased = Arc::new(Mutex::new(ErasedSoFar::since(clock.now())));
        Self { store, board, key, verifier, clock, erased }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.board.in_force()
    }

    /// What somebody who looks now looks with.
    fn glass(&self) -> Glass<'_> {
        let settings = self.settings();
        let zone = settings.time_zone.clone();
        let (now, today) = (self.clock.now(), self.clock.today(&zone));
        Glass { day: Day { today, zone }, now, settings, key: &self.key }
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The day that decisions are made on.
    #[must_use]
    pub fn today(&self) -> Date {
        self.clock.today(&self.board.in_force().time_zone)
    }

    /// The instant before which everything was proposed that has been waiting for at least so many days by now.
    #[must_use]
    pub fn waiting_for(&self, days: u32) -> Timestamp {
        let zone = self.board.in_force().time_zone.clone();
        let last = self.clock.today(&zone).checked_sub(Span::new().days(i64::from(days).min(DAYS_MAX) - 1));
        // A day before the calendar began: nothing was proposed then.
        let start = last.ok().and_then(|day| day.to_zoned(zone).ok());
        start.map_or(Timestamp::MIN, |start| start.timestamp())
    }

    /// That what the asker may do is what it was when they were let in. What is assigned and denied is changed in turns as
    /// everything else is: between this and the commit nothing of it changes.
    async fn still_may(&self, change: &mut Change<'_>, leave: &Authorised) -> Result<(), DeskError> {
        let Some(as_of) = leave.as_of() else { return Ok(()) };
        let has_changed = change.has_access_changed_since(as_of).await.map_err(DeskError::Store)?;
        if has_changed { Err(DeskError::Overtaken) } else { Ok(()) }
    }

    /// The trail's newest entry.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn newest_entry(&self) -> Result<u64, DeskError> {
        Ok(self.store.audit_head().await.map_err(DeskError::Store)?.entries)
    }

    /// The record's proposal, where the asker may see it: the open one, or else the last.
    async fn within(&self, leave: &Authorised, record: &RecordRef) -> Result<Proposal, DeskError> {
        let proposal = self.store.proposal(record).await.map_err(DeskError::Store)?;
        let covers = |of: &Proposal| leave.scope().covers(record, of.unit.as_deref(), &of.fingerprint.digest);
        proposal.filter(covers).ok_or_else(|| DeskError::NoSuchRecord(record.clone()))
    }
}
