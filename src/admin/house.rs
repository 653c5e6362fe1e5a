//! The real house behind the socket: every call goes to the desk, and what it says becomes words of the socket.
//!
//! May be relied on: what the desk does not show is answered as if it did not exist. Never looks at the state itself.

mod access;
mod decisions;
mod faults;
mod holds;
mod linked;
mod metrics;
mod policy;
mod proof;
mod proposals;
mod report;
mod runs;
mod schema;
mod status;
mod trail;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::watch;

use self::faults::{Asked, problem_of};
use super::WhoIsNamed;
use super::backend::RuleWish;
use super::backend::{Backend, Lines, Page, Release, Reply, RequestId, Selection, Set, Target, TrailSelection, With};
use super::problem::{problem, with_hint};
use super::refusals::Refusal;
use crate::actor::{Actor, Authorised, Identity, Permission};
use crate::api;
use crate::api::Code;
use crate::desk::{Cursor, Desk, DeskError, HoldId, Reason, ReasonKind, ReasonRefused, RunId, Wanted, Wish};
use crate::record::{CategoryName, RecordRef};
use crate::scheduler::Timetable;

/// What the handlers call, over the desk.
pub struct House {
    /// Where people look and decide.
    pub desk: Desk,
    /// When jobs are due next.
    pub timetable: watch::Receiver<Arc<Timetable>>,
    /// Tells the scheduler that a run was queued.
    pub ring: Box<dyn Fn() + Send + Sync>,
    /// Changes whenever a run has ended.
    pub ended: watch::Receiver<u64>,
    /// Becomes true when the daemon stops.
    pub stopping: watch::Receiver<bool>,
    /// Since when the daemon is up.
    pub started_at: Timestamp,
    /// Who a login name is.
    pub who_is_named: WhoIsNamed,
    /// The user that the daemon runs as.
    pub own_uid: u32,
}

impl Backend for House {
    async fn authorise(&self, identity: Identity, permission: Permission) -> Reply<Authorised> {
        self.admit(identity, permission).await
    }

    async fn refused(&self, refusal: Refusal) {
        let Refusal { uid, user, route, permission, .. } = refusal;
        let noted = self.desk.note_refusal(Actor::User { uid, name: user }, permission, &route).await;
        if let Err(error) = noted {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot write down a refusal");
        }
    }

    async fn status(&self, leave: &Authorised) -> Reply<api::Status> {
        let overview = self.desk.status(leave).await.map_err(|error| problem_of(Asked::Status, error))?;
        Ok(self.status_of(overview))
    }

    async fn metrics(&self, leave: &Authorised) -> Reply<String> {
        let (overview, erased) = self.desk.measure(leave).await.map_err(|error| problem_of(Asked::Status, error))?;
        Ok(self.metrics_of(&overview, &erased))
    }

    async fn list(&self, leave: &Authorised, selection: Selection) -> Reply<api::ProposalPage> {
        let (limit, after) = (selection.page.limit, cursor::<Cursor>(selection.page.cursor.as_deref())?);
        let order = proposals::order(selection.sort, selection.descending);
        if after.as_ref().is_some_and(|after| after.order() != order) {
            return Err(with_hint(
                problem(Code::Invalid, "cannot go on from this cursor: it is of a list in another order"),
                "give the same filters and the same order as for the page before",
            ));
        }
        let filter = proposals::filter(&self.desk, selection.set);
        let listing =
            self.desk.list(leave, Wanted { filter, order, text: selection.text }, after.as_ref(), limit).await;
        listing.map(proposals::page).map_err(|error| problem_of(Asked::List, error))
    }

    async fn totals(&self, leave: &Authorised, set: Set) -> Reply<api::ProposalTotals> {
        let counts = self.desk.totals(leave, proposals::filter(&self.desk, set)).await;
        counts.map(proposals::totals).map_err(|error| problem_of(Asked::List, error))
    }

    async fn digest(&self, leave: &Authorised, set: Set) -> Reply<api::SetDigest> {
        let seen = self.desk.seen(leave, proposals::filter(&self.desk, set)).await;
        seen.map(decisions::seen).map_err(|error| problem_of(Asked::List, error))
    }

    async fn confirm_all(
        &self,
        leave: &Authorised,
        request: &RequestId,
        set: Set,
        digest: String,
    ) -> Reply<api::DecisionAnswers> {
        let filter = proposals::filter(&self.desk, set);
        let digest = decisions::digest(&digest)?;
        match self.desk.confirm_all(leave, request.as_str(), filter, &digest).await {
            Ok(set) => Ok(decisions::all_done(set)),
            Err(DeskError::Refused(failures)) => Ok(decisions::refused("confirm", failures)),
            Err(DeskError::Different(difference)) => Ok(decisions::different(&difference)),
            Err(error) => Err(problem_of(Asked::Decide("confirm"), error)),
        }
    }

    async fn show(&self, leave: &Authorised, record: RecordRef) -> Reply<api::RecordView> {
        let card = self.desk.show(leave, &record).await;
        card.map(proposals::view).map_err(|error| problem_of(Asked::Show, error))
    }

    async fn confirm(
        &self,
        leave: &Authorised,
        request: &RequestId,
        targets: Vec<Target>,
        with: With,
    ) -> Reply<api::DecisionAnswers> {
        self.confirmed(leave, request, &targets, &with).await
    }

    async fn postpone(
        &self,
        leave: &Authorised,
        request: &RequestId,
        targets: Vec<Target>,
        until: Date,
        reason: String,
    ) -> Reply<api::DecisionAnswers> {
        let reason = self.reason_of(ReasonKind::Postpone, "postpone", &reason)?;
        let today = self.desk.today();
        if until <= today {
            return Err(faults::not_in_the_future("postpone", until, today));
        }
        self.decide(leave, request, Wish::Postpone { until, reason }, &targets).await
    }

    async fn restore(
        &self,
        leave: &Authorised,
        request: &RequestId,
        targets: Vec<Target>,
    ) -> Reply<api::DecisionAnswers> {
        self.decide(leave, request, Wish::Restore, &targets).await
    }

    async fn mark(
        &self,
        leave: &Authorised,
        request: &RequestId,
        record: RecordRef,
        reason: String,
    ) -> Reply<api::MarkAnswer> {
        let reason = self.reason_of(ReasonKind::Erase, "mark", &reason)?;
        let marked = self.desk.mark(leave, request.as_str(), &record, &reason).await;
        marked.map(proposals::mark_answer).map_err(|error| match error {
            DeskError::NoSuchRecord(record) => faults::nothing_to_mark(&record),
            error => problem_of(Asked::Mark, error),
        })
    }

    async fn hold(
        &self,
        leave: &Authorised,
        request: &RequestId,
        record: RecordRef,
        reason: String,
        reference: String,
    ) -> Reply<api::Hold> {
        let reason = self.reason_of(ReasonKind::Hold, "hold a record", &reason)?;
        let held = self.desk.hold(leave, request.as_str(), &record, &reason, &reference).await;
        held.map(holds::hold).map_err(|error| problem_of(Asked::Hold, error))
    }

    async fn release(&self, leave: &Authorised, request: &RequestId, release: Release) -> Reply<api::ReleaseAnswer> {
        let reason = release.reason.as_deref();
        let reason = reason.map(|text| self.reason_of(ReasonKind::Hold, "release a hold", text)).transpose()?;
        let (record, which) = (&release.record, holds::which(&release));
        let released = self.desk.release(leave, request.as_str(), record, &which, reason.as_ref()).await;
        released.map(holds::released).map_err(|error| problem_of(Asked::Release, error))
    }

    async fn holds(&self, leave: &Authorised, page: Page) -> Reply<api::HoldPage> {
        let after: Option<i64> = cursor(page.cursor.as_deref())?;
        let page = self.desk.holds(leave, after.map(HoldId), page.limit).await;
        page.map(holds::page).map_err(|error| problem_of(Asked::Holds, error))
    }

    async fn reasons(&self, leave: &Authorised, kind: Option<api::ReasonKind>) -> Reply<api::ReasonList> {
        Ok(holds::reasons(&self.desk.reasons(leave), kind))
    }

    async fn queue_run(
        &self,
        leave: &Authorised,
        request: &RequestId,
        job: api::Job,
        dry_run: bool,
    ) -> Reply<api::Run> {
        let run = self.desk.queue_run(leave, request.as_str(), runs::kind_of(job), dry_run).await;
        let run = run.map_err(|error| problem_of(Asked::Queue, error))?;
        (self.ring)();
        Ok(runs::run(run))
    }

    async fn closed_brake(&self, leave: &Authorised, job: api::Job) -> Reply<api::ClosedBrakes> {
        let (run, digest) =
            self.desk.closed_brake(leave, runs::kind_of(job)).await.map_err(|e| problem_of(Asked::Brake, e))?;
        Ok(runs::closed_brakes(run, digest))
    }

    async fn override_brake(
        &self,
        leave: &Authorised,
        request: &RequestId,
        override_: api::OverrideRequest,
    ) -> Reply<api::Run> {
        let api::OverrideRequest { job, digest, reason } = override_;
        let reason = Reason::new(&reason)
            .map_err(|error| holds::unreasonable(Asked::Override.words(), &ReasonRefused::Unusable(error)))?;
        let run = self.desk.override_brake(leave, request.as_str(), runs::kind_of(job), &digest, &reason).await;
        let run = run.map_err(|error| problem_of(Asked::Override, error))?;
        (self.ring)();
        Ok(runs::run(run))
    }

    async fn run(&self, leave: &Authorised, id: u64, wait: Duration) -> Reply<api::Run> {
        let asked = i64::try_from(id).map(RunId).map_err(|_| faults::no_such_run(id))?;
        if !wait.is_zero() {
            // Whatever ends the wait, the run is told as it is then.
            let _ = tokio::time::timeout(wait, self.until_over(leave, asked)).await;
        }
        let (run, entries) = self.desk.run_report(leave, asked).await.map_err(|error| problem_of(Asked::Run, error))?;
        Ok(api::Run { trail: Some(report::trail(entries)), ..runs::run(run) })
    }

    async fn runs(&self, leave: &Authorised, page: Page) -> Reply<api::RunPage> {
        let before: Option<i64> = cursor(page.cursor.as_deref())?;
        let page = self.desk.runs(leave, before.map(RunId), page.limit).await;
        page.map(runs::page).map_err(|error| problem_of(Asked::Runs, error))
    }

    async fn audit(&self, leave: &Authorised, selection: TrailSelection) -> Reply<api::AuditPage> {
        let (limit, before) = (selection.page.limit, cursor(selection.page.cursor.as_deref())?);
        let Some(filter) = trail::filter(selection) else {
            return Ok(trail::nothing());
        };
        let page = self.desk.trail(leave, filter, before, limit).await;
        page.map(trail::page).map_err(|error| problem_of(Asked::Trail, error))
    }

    async fn audit_export(&self, leave: &Authorised) -> Reply<Lines> {
        Ok(trail::export(self.desk.clone(), leave.clone()))
    }

    async fn audit_verify(&self, leave: &Authorised) -> Reply<api::VerifyReport> {
        self.desk.verify(leave).await.map(trail::report).map_err(|error| problem_of(Asked::Trail, error))
    }

    async fn audit_checkpoints(&self, leave: &Authorised) -> Reply<api::Checkpoints> {
        let (key, checkpoints) = self.desk.checkpoints(leave).await.map_err(|error| problem_of(Asked::Trail, error))?;
        Ok(api::Checkpoints { public_key: key.to_string(), checkpoints })
    }

    async fn access(&self, leave: &Authorised, user: Option<String>, page: Page) -> Reply<api::AccessPage> {
        let before = cursor(page.cursor.as_deref())?;
        self.access_page(leave, user, before, page.limit).await
    }

    async fn access_of(&self, leave: &Authorised, user: String) -> Reply<api::AccessView> {
        self.access_view(leave, user).await
    }

    async fn change_access(
        &self,
        leave: &Authorised,
        request: &RequestId,
        change: api::AccessRequest,
    ) -> Reply<api::AccessAnswer> {
        self.access_changed(leave, request.as_str(), change).await
    }

    async fn policy(&self, leave: &Authorised) -> Reply<api::Policy> {
        let rules = self.desk.policy(leave).await.map_err(|error| problem_of(Asked::Policy, error))?;
        let standings = self.desk.rules(leave).await.map_err(DeskError::Store);
        let standings = standings.map_err(|error| problem_of(Asked::Policy, error))?;
        Ok(policy::policy(rules, standings))
    }

    async fn change_rule(
        &self,
        leave: &Authorised,
        request: &RequestId,
        name: String,
        wish: RuleWish,
    ) -> Reply<api::RuleAnswer> {
        match self.desk.change_rule(leave, request.as_str(), &name, &wish).await {
            Ok((outcome, standing)) => Ok(policy::answer(outcome, standing)),
            Err(error) => Err(policy::problem_with(&wish, &name, error)),
        }
    }

    async fn schema(&self, leave: &Authorised) -> Reply<api::SchemaGates> {
        self.desk.gates(leave).await.map(schema::gates).map_err(|error| problem_of(Asked::Policy, error))
    }

    async fn accept_schema(
        &self,
        leave: &Authorised,
        request: &RequestId,
        category: String,
        digest: String,
    ) -> Reply<api::SchemaStanding> {
        let name: CategoryName = category.parse().map_err(|_| schema::no_such_category(&category))?;
        let accepted = self.desk.accept_schema(leave, request.as_str(), &name, &digest).await;
        accepted.map(schema::standing).map_err(|error| schema::problem_with(&name, error))
    }
}

impl House {
    /// The reason that somebody typed, where it may be given.
    fn reason_of(&self, kind: ReasonKind, doing: &str, typed: &str) -> Reply<Reason> {
        self.desk.reason_of(kind, typed).map_err(|refused| holds::unreasonable(doing, &refused))
    }

    /// Decides, and answers for each record: for all that were moved, or for all that stood in the way.
    async fn decide(
        &self,
        leave: &Authorised,
        request: &RequestId,
        wish: Wish,
        targets: &[Target],
    ) -> Reply<api::DecisionAnswers> {
        let word = decisions::word(&wish);
        let targets = decisions::targets(targets);
        match self.desk.decide(leave, request.as_str(), wish, &targets).await {
            Ok(decided) => Ok(decisions::done(decided)),
            Err(DeskError::Refused(failures)) => Ok(decisions::refused(word, failures)),
            Err(error) => Err(problem_of(Asked::Decide(word), error)),
        }
    }

    /// Waits until the run is over, or nobody can wait for it any more: the daemon stops, or there is no such run.
    async fn until_over(&self, leave: &Authorised, id: RunId) {
        let (mut ended, mut stopping) = (self.ended.clone(), self.stopping.clone());
        loop {
            // First what has been seen, then a look: a run that ends in between is a change.
            ended.borrow_and_update();
            let is_over = self.desk.run(leave, id).await.map_or(true, |run| runs::is_over(&run));
            if is_over {
                return;
            }
            tokio::select! {
                changed = ended.changed() => if changed.is_err() { return },
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
        }
    }
}

/// The place in a list that a request names.
fn cursor<T: std::str::FromStr>(text: Option<&str>) -> Reply<Option<T>> {
    text.map(str::parse).transpose().map_err(|_| {
        with_hint(
            problem(Code::Malformed, "cannot go on from this cursor: it is none that a list has given"),
            "give the `next` of the page before",
        )
    })
}
