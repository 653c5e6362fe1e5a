//! What the handlers call.
//!
//! One method for each route, in the words of the house; the handlers around them deal with HTTP alone.

use std::future::Future;
use std::time::Duration;

use jiff::civil::Date;
use tokio::sync::mpsc;

use super::Refusal;
use crate::actor::{Authorised, Identity, Permission};
use crate::api::RuleAnswer;
use crate::api::{AccessAnswer, AccessPage, AccessRequest, AccessView, SchemaGates, SchemaStanding};
use crate::api::{
    AuditPage, Checkpoints, ClosedBrakes, DecisionAnswers, Hold, HoldPage, Job, MarkAnswer, OverrideRequest, Policy,
    Problem, ProposalPage, ProposalTotals, ReasonKind, ReasonList, RecordView, ReleaseAnswer, Run, RunPage, SetDigest,
    Sort, State, Status, VerifyReport,
};
pub use crate::desk::RuleWish;
use crate::record::{CategoryName, RecordRef};

/// An answer, or why there is none.
pub type Reply<T> = Result<T, Problem>;

/// Lines of text that follow one another, one or more at a time, without the line end of the last. An error ends them, and
/// the peer learns that they are incomplete.
pub type Lines = mpsc::Receiver<Reply<String>>;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most so many items; never 0.
    pub limit: u32,
    /// Where the page before ended, as the list itself wrote it.
    pub cursor: Option<String>,
}

/// Which proposals are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// Only this category.
    pub category: Option<CategoryName>,
    /// Only this state; `None` means every open one.
    pub state: Option<State>,
    /// Only those due under this criterion.
    pub criterion: Option<String>,
    /// Only records of this unit.
    pub unit: Option<String>,
    /// Only what has been waiting for at least so many days.
    pub age: Option<u32>,
    /// Only what is due since this day or a later one.
    pub due_from: Option<Date>,
    /// Only what is due since this day or an earlier one.
    pub due_to: Option<Date>,
    /// Only what this user has decided about last.
    pub decided_by: Option<String>,
}

/// Which proposals to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Of which.
    pub set: Set,
    /// Only those with this text in their label.
    pub text: Option<String>,
    /// In which order; by record if it is not given.
    pub sort: Option<Sort>,
    /// The last first.
    pub descending: bool,
    /// Which part of them.
    pub page: Page,
}

/// Which entries of the trail to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailSelection {
    /// Only those about this record.
    pub record: Option<RecordRef>,
    /// Only those of this run.
    pub run: Option<u64>,
    /// Which part of them.
    pub page: Page,
}

/// A record that is decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which.
    pub record: RecordRef,
    /// The version that the clerk has seen.
    pub version: Option<u64>,
}

/// What else is confirmed together with the records of a request, because it is linked to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct With {
    /// These; then there is a single record.
    pub records: Vec<Target>,
    /// All that each record is linked to.
    pub all_linked: bool,
}

/// A hold that is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The record that it is on.
    pub record: RecordRef,
    /// Its number; `None`: the only one, or the one under the reference.
    pub hold: Option<u64>,
    /// Its reference.
    pub reference: Option<String>,
    /// Why; not blank.
    pub reason: Option<String>,
}

/// Names one request: in the trail, beside what it changed, and to the peer, in the answer's `x-request-id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub(super) String);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the handlers call. Whoever implements it looks at the scope of the [`Authorised`] it is handed: the permission
/// is certain, the categories are not yet applied.
pub trait Backend: Send + Sync + 'static {
    /// Asks for a permission under the grants and assignments now in force. The problem is that no grant gives it, or that
    /// this could not be found out.
    fn authorise(&self, identity: Identity, permission: Permission) -> impl Future<Output = Reply<Authorised>> + Send;

    /// A peer was refused; at most one call for each peer and minute.
    fn refused(&self, refusal: Refusal) -> impl Future<Output = ()> + Send;

    /// How the daemon is.
    fn status(&self, leave: &Authorised) -> impl Future<Output = Reply<Status>> + Send;

    /// The same in numbers, as Prometheus reads them.
    fn metrics(&self, leave: &Authorised) -> impl Future<Output = Reply<String>> + Send;

    /// A page of proposals.
    fn list(&self, leave: &Authorised, selection: Selection) -> impl Future<Output = Reply<ProposalPage>> + Send;

    /// How many proposals of a set there are, by category and state.
    fn totals(&self, leave: &Authorised, set: Set) -> impl Future<Output = Reply<ProposalTotals>> + Send;

    /// What stands for a set of proposals.
    fn digest(&self, leave: &Authorised, set: Set) -> impl Future<Output = Reply<SetDigest>> + Send;

    /// All of a set may be erased, if it is what this digest stands for; or none of it.
    fn confirm_all(
        &self,
        leave: &Authorised,
        request: &RequestId,
        set: Set,
        digest: String,
    ) -> impl Future<Output = Reply<DecisionAnswers>> + Send;

    /// One record in full.
    fn show(&self, leave: &Authorised, record: RecordRef) -> impl Future<Output = Reply<RecordView>> + Send;

    /// These may be erased, and what is named with them: all of them, or none.
    fn confirm(
        &self,
        leave: &Authorised,
        request: &RequestId,
        targets: Vec<Target>,
        with: With,
    ) -> impl Future<Output = Reply<DecisionAnswers>> + Send;

    /// These may not be erased before `until`. The reason is not blank; whether the date is in the future is for the
    /// implementer to say.
    fn postpone(
        &self,
        leave: &Authorised,
        request: &RequestId,
        targets: Vec<Target>,
        until: Date,
        reason: String,
    ) -> impl Future<Output = Reply<DecisionAnswers>> + Send;

    /// The confirmation of these is taken back.
    fn restore(
        &self,
        leave: &Authorised,
        request: &RequestId,
        targets: Vec<Target>,
    ) -> impl Future<Output = Reply<DecisionAnswers>> + Send;

    /// This record is to be erased, whatever the criteria say. The reason is not blank.
    fn mark(
        &self,
        leave: &Authorised,
        request: &RequestId,
        record: RecordRef,
        reason: String,
    ) -> impl Future<Output = Reply<MarkAnswer>> + Send;

    /// This record may not be erased until it is released. Neither text is blank; which reasons there are is for the
    /// implementer to say.
    fn hold(
        &self,
        leave: &Authorised,
        request: &RequestId,
        record: RecordRef,
        reason: String,
        reference: String,
    ) -> impl Future<Output = Reply<Hold>> + Send;

    /// A hold is to end.
    fn release(
        &self,
        leave: &Authorised,
        request: &RequestId,
        release: Release,
    ) -> impl Future<Output = Reply<ReleaseAnswer>> + Send;

    /// A page of holds, the oldest first.
    fn holds(&self, leave: &Authorised, page: Page) -> impl Future<Output = Reply<HoldPage>> + Send;

    /// The reasons that people choose from; `None` means of every kind.
    fn reasons(&self, leave: &Authorised, kind: Option<ReasonKind>) -> impl Future<Output = Reply<ReasonList>> + Send;

    /// Puts a run into the queue.
    fn queue_run(
        &self,
        leave: &Authorised,
        request: &RequestId,
        job: Job,
        dry_run: bool,
    ) -> impl Future<Output = Reply<Run>> + Send;

    /// What the brake has stopped in the newest run of a job.
    fn closed_brake(&self, leave: &Authorised, job: Job) -> impl Future<Output = Reply<ClosedBrakes>> + Send;

    /// Puts a run into the queue that goes on over that, if it is what the digest stands for. The asker may also run jobs;
    /// whether the reason is one is for the implementer to say.
    fn override_brake(
        &self,
        leave: &Authorised,
        request: &RequestId,
        override_: OverrideRequest,
    ) -> impl Future<Output = Reply<Run>> + Send;

    /// One run, as soon as it has ended, or after `wait`.
    fn run(&self, leave: &Authorised, id: u64, wait: Duration) -> impl Future<Output = Reply<Run>> + Send;

    /// A page of runs, the newest first.
    fn runs(&self, leave: &Authorised, page: Page) -> impl Future<Output = Reply<RunPage>> + Send;

    /// A page of the trail, the newest first.
    fn audit(&self, leave: &Authorised, selection: TrailSelection) -> impl Future<Output = Reply<AuditPage>> + Send;

    /// The whole trail, the oldest first, one JSON object a line.
    fn audit_export(&self, leave: &Authorised) -> impl Future<Output = Reply<Lines>> + Send;

    /// Whether the trail holds.
    fn audit_verify(&self, leave: &Authorised) -> impl Future<Output = Reply<VerifyReport>> + Send;

    /// The signed checkpoints and their key.
    fn audit_checkpoints(&self, leave: &Authorised) -> impl Future<Output = Reply<Checkpoints>> + Send;

    /// A page of what is assigned and denied, the newest first; of this user alone where one is named.
    fn access(
        &self,
        leave: &Authorised,
        user: Option<String>,
        page: Page,
    ) -> impl Future<Output = Reply<AccessPage>> + Send;

    /// What a user may see and do, and through what.
    fn access_of(&self, leave: &Authorised, user: String) -> impl Future<Output = Reply<AccessView>> + Send;

    /// Something is assigned or denied to a user, or no longer.
    fn change_access(
        &self,
        leave: &Authorised,
        request: &RequestId,
        change: AccessRequest,
    ) -> impl Future<Output = Reply<AccessAnswer>> + Send;

    /// The rules in force, in words.
    fn policy(&self, leave: &Authorised) -> impl Future<Output = Reply<Policy>> + Send;

    /// A rule is changed while the daemon runs.
    fn change_rule(
        &self,
        leave: &Authorised,
        request: &RequestId,
        name: String,
        wish: RuleWish,
    ) -> impl Future<Output = Reply<RuleAnswer>> + Send;

    /// How the schema gates stand.
    fn schema(&self, leave: &Authorised) -> impl Future<Output = Reply<SchemaGates>> + Send;

    /// What has changed in a category's schema is accepted, if it is what the digest stands for.
    fn accept_schema(
        &self,
        leave: &Authorised,
        request: &RequestId,
        category: String,
        digest: String,
    ) -> impl Future<Output = Reply<SchemaStanding>> + Send;
}
