//! What goes over the socket.
//!
//! The words that daemon and client share: requests, answers, problems. Plain data in JSON; dates are `YYYY-MM-DD`, instants
//! RFC 3339 in UTC, records `category/key`. May be relied on: a field is never renamed and never changes its meaning;
//! new ones may come, so a client ignores those it does not know, while the daemon refuses requests that have any.
//! Converts nothing and imports nothing of the crate.

mod access;
mod audit;
mod decisions;
mod holds;
mod linked;
mod policy;
mod problem;
mod proof;
mod proposals;
mod report;
mod runs;
mod schema;
mod status;

pub use access::{
    AccessAnswer, AccessEntry, AccessGround, AccessKind, AccessPage, AccessQuery, AccessRequest, AccessStanding,
    AccessThrough, AccessView,
};
pub use audit::{AuditEntry, AuditPage, AuditQuery, Checkpoints, VerifyFault, VerifyReport};
pub use decisions::{
    ConfirmRequest, DecisionAnswer, DecisionAnswers, MarkAnswer, MarkRequest, PostponeRequest, RECORDS_MAX, RecordAt,
    RestoreRequest, SetDifference, SetPart,
};
pub use holds::{
    Hold, HoldPage, HoldQuery, HoldRequest, PendingRelease, ReasonChoice, ReasonKind, ReasonList, ReasonQuery,
    ReleaseAnswer, ReleaseRequest, StandardReason,
};
pub use linked::{LinkedRecord, LinkedStanding, LinkedVerdict};
pub use policy::{CategoryPolicy, CriterionPolicy, DependentPolicy, Policy};
pub use policy::{
    RuleAnswer, RuleDecisionRequest, RuleOutcome, RuleSet, RuleSetRequest, RuleStanding, RuleUnsetRequest, RuleWaiting,
};
pub use problem::{Code, Problem};
pub use proof::{Proof, ProofLayer, ProofPlace, ProofVerdict};
pub use proposals::{
    Blocked, CategoryTotal, DependentCount, DependentRule, ListQuery, Move, Origin, Outcome, PAGE_MAX_ITEMS, Proposal,
    ProposalPage, ProposalSet, ProposalTotals, RecordView, SetDigest, Sort, State,
};
pub use report::{Doing, RunCategory, RunProgress, RunReason, RunTrail, SignedCheckpoint};
pub use runs::{
    BrakeQuery, ClosedBrake, ClosedBrakes, DependentRows, EraseCounts, Job, OverrideRequest, PrepareCounts,
    RemovalStep, RemoveCounts, Run, RunPage, RunQuery, RunRequest, RunState, SourceRemoval, Spread, SpreadPart,
    StepLeft, Trigger, WaitQuery, Work,
};
pub use schema::{ClosedGate, SchemaAcceptRequest, SchemaFinding, SchemaGates, SchemaStanding};
pub use status::{
    AuditStatus, CategoryStatus, Complaint, DecisionStatus, Health, HealthState, JobStatus, PendingStep, RemovalStatus,
    SourceStatus, Status,
};
