//! The route table: verb, path, permission, handler. Reading it is the security review of the socket.

use std::fmt;

use futures_util::future::BoxFuture;
use hyper::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::dispatch::{Answer, Call};
use super::{
    access, audit, brake, confirm, hold, holds, list, mark, metrics, openapi, policy, postpone, reasons, release,
    restore, run, runs, schema, show, status,
};
use crate::actor::Permission;
use crate::actor::Permission::Configure;
use crate::actor::Permission::{Audit, Brake, Decide, Hold, Mark, Restore, Run, View};
use crate::admin::Backend;
use crate::api;
use crate::api::Problem;

/// What a handler is.
pub(super) type Handler<B> = fn(Call<B>) -> BoxFuture<'static, Result<Answer, Problem>>;

/// Every route there is. `{name}` stands for one part of a path, `{name*}` for all that is left of it.
#[must_use]
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "two lines a route: one table is what makes it reviewable")]
pub fn routes<B: Backend>() -> Vec<Route<B>> {
    vec![
        get("/v1/status", View, |call| Box::pin(status::get(call)))
            .says("How the daemon is").gives::<api::Status>(),
        get("/metrics", View, |call| Box::pin(metrics::get(call)))
            .says("The same in numbers, as Prometheus reads them"),
        get("/v1/proposals", View, |call| Box::pin(list::get(call)))
            .says("Lists proposals").asks::<api::ListQuery>().gives::<api::ProposalPage>(),
        get("/v1/proposals/totals", View, |call| Box::pin(list::totals(call)))
            .says("Counts proposals by category and state").asks::<api::ProposalSet>().gives::<api::ProposalTotals>(),
        get("/v1/proposals/digest", Decide, |call| Box::pin(list::digest(call)))
            .says("Gives what stands for a set of proposals").asks::<api::ProposalSet>().gives::<api::SetDigest>(),
        get("/v1/proposals/{category}/{key*}", View, |call| Box::pin(show::get(call)))
            .says("Shows one record in full").gives::<api::RecordView>(),
        post("/v1/confirm", Decide, |call| Box::pin(confirm::post(call)))
            .says("Confirms that records may be erased").takes::<api::ConfirmRequest>().gives::<api::DecisionAnswers>(),
        post("/v1/postpone", Decide, |call| Box::pin(postpone::post(call)))
            .says("Postpones records").takes::<api::PostponeRequest>().gives::<api::DecisionAnswers>(),
        post("/v1/restore", Restore, |call| Box::pin(restore::post(call)))
            .says("Takes confirmations back").takes::<api::RestoreRequest>().gives::<api::DecisionAnswers>(),
        post("/v1/hold", Hold, |call| Box::pin(hold::post(call)))
            .says("Sets a legal hold on a record").takes::<api::HoldRequest>().gives::<api::Hold>(),
        post("/v1/release", Hold, |call| Box::pin(release::post(call)))
            .says("Releases a legal hold, or asks for its release").takes::<api::ReleaseRequest>().gives::<api::ReleaseAnswer>(),
        get("/v1/holds", Hold, |call| Box::pin(holds::get(call)))
            .says("Lists legal holds").asks::<api::HoldQuery>().gives::<api::HoldPage>(),
        get("/v1/reasons", View, |call| Box::pin(reasons::get(call)))
            .says("Lists the reasons that people choose from").asks::<api::ReasonQuery>().gives::<api::ReasonList>(),
        post("/v1/mark", Mark, |call| Box::pin(mark::post(call)))
            .says("Marks a record, whatever the criteria say").takes::<api::MarkRequest>().gives::<api::MarkAnswer>(),
        post("/v1/runs", Run, |call| Box::pin(run::post(call)))
            .says("Queues a run").asks::<api::WaitQuery>().takes::<api::RunRequest>().gives::<api::Run>()
            .or_promises(),
        get("/v1/runs", Run, |call| Box::pin(runs::list(call)))
            .says("Lists runs").asks::<api::RunQuery>().gives::<api::RunPage>(),
        get("/v1/runs/{id}", Run, |call| Box::pin(runs::get(call)))
            .says("Shows one run").asks::<api::WaitQuery>().gives::<api::Run>(),
        get("/v1/brake", Run, |call| Box::pin(brake::get(call)))
            .says("Shows what the brake has stopped in the newest run of a job").asks::<api::BrakeQuery>().gives::<api::ClosedBrakes>(),
        post("/v1/brake/override", Brake, |call| Box::pin(brake::post(call))).also(Run)
            .says("Queues a run that goes on over it").asks::<api::WaitQuery>().takes::<api::OverrideRequest>().gives::<api::Run>(),
        get("/v1/audit", Audit, |call| Box::pin(audit::list(call)))
            .says("Lists the audit trail").asks::<api::AuditQuery>().gives::<api::AuditPage>(),
        get("/v1/audit/export", Audit, |call| Box::pin(audit::export(call)))
            .says("Exports the audit trail, one JSON object a line"),
        get("/v1/audit/verify", Audit, |call| Box::pin(audit::verify(call)))
            .says("Verifies the audit trail").gives::<api::VerifyReport>(),
        get("/v1/audit/checkpoints", Audit, |call| Box::pin(audit::checkpoints(call)))
            .says("Gives the signed checkpoints and their key").gives::<api::Checkpoints>(),
        get("/v1/policy", View, |call| Box::pin(policy::get(call)))
            .says("Tells the rules in force").gives::<api::Policy>(),
        get("/v1/access", Configure, |call| Box::pin(access::list(call)))
            .says("Lists what is assigned and denied to users").asks::<api::AccessQuery>().gives::<api::AccessPage>(),
        get("/v1/access/{user}", Configure, |call| Box::pin(access::show(call)))
            .says("Tells what a user may see and do, and through what").gives::<api::AccessView>(),
        post("/v1/access", Configure, |call| Box::pin(access::post(call)))
            .says("Assigns or denies something to a user, or ends it").takes::<api::AccessRequest>().gives::<api::AccessAnswer>(),
        post("/v1/policy/set", Configure, |call| Box::pin(policy::set(call)))
            .says("Changes a rule while the daemon runs").takes::<api::RuleSetRequest>().gives::<api::RuleAnswer>(),
        post("/v1/policy/unset", Configure, |call| Box::pin(policy::unset(call)))
            .says("Lets a rule be as in its file again").takes::<api::RuleUnsetRequest>().gives::<api::RuleAnswer>(),
        post("/v1/policy/approve", Configure, |call| Box::pin(policy::approve(call)))
            .says("Approves another person's change of a rule").takes::<api::RuleDecisionRequest>().gives::<api::RuleAnswer>(),
        post("/v1/policy/reject", Configure, |call| Box::pin(policy::reject(call)))
            .says("Drops a change of a rule that waits").takes::<api::RuleDecisionRequest>().gives::<api::RuleAnswer>(),
        get("/v1/schema", View, |call| Box::pin(schema::get(call)))
            .says("Tells which categories their schema stops").gives::<api::SchemaGates>(),
        post("/v1/schema/accept", Configure, |call| Box::pin(schema::accept(call)))
            .says("Accepts what has changed in a category's schema").takes::<api::SchemaAcceptRequest>().gives::<api::SchemaStanding>(),
        get("/openapi.json", View, |call| Box::pin(openapi::get(call)))
            .says("Describes this interface"),
    ]
}

/// What a route does to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Changes something.
    Post,
}

impl Verb {
    /// As HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    fn is(self, method: &Method) -> bool {
        method.as_str() == self.as_str()
    }
}

/// One row of the table.
pub struct Route<B> {
    /// The verb.
    pub verb: Verb,
    /// The path.
    pub path: &'static str,
    /// What a peer needs to enter.
    pub permission: Permission,
    /// And this, where one is not enough.
    pub also: Option<Permission>,
    /// What it does, in a few words.
    pub summary: &'static str,
    pub(super) handler: Handler<B>,
    pub(super) query: Option<fn() -> Vec<Parameter>>,
    pub(super) request: Option<SchemaOf>,
    pub(super) response: Option<SchemaOf>,
    /// Whether the answer may be the promise of one: 202, and where it will be.
    pub(super) promises: bool,
}

impl<B> fmt::Debug for Route<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} needs {}", self.name(), self.permission)
    }
}

/// How a type of the interface is described.
#[derive(Clone, Copy)]
pub(super) struct SchemaOf {
    pub(super) name: fn() -> String,
    pub(super) schema: fn() -> RefOr<Schema>,
    pub(super) parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl SchemaOf {
    pub(super) fn of<T: ToSchema>() -> Self {
        Self { name: || T::name().into_owned(), schema: T::schema, parts: T::schemas }
    }
}

fn get<B>(path: &'static str, permission: Permission, handler: Handler<B>) -> Route<B> {
    Route {
        verb: Verb::Get,
        path,
        permission,
        also: None,
        summary: "",
        handler,
        query: None,
        request: None,
        response: None,
        promises: false,
    }
}

fn post<B>(path: &'static str, permission: Permission, handler: Handler<B>) -> Route<B> {
    Route { verb: Verb::Post, ..get(path, permission, handler) }
}

impl<B> Route<B> {
    /// Verb and path: `GET /v1/status`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.verb.as_str(), self.path)
    }

    fn also(self, permission: Permission) -> Self {
        Self { also: Some(permission), ..self }
    }

    fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    fn asks<T: IntoParams>(self) -> Self {
        Self { query: Some(|| T::into_params(|| Some(ParameterIn::Query))), ..self }
    }

    fn takes<T: ToSchema>(self) -> Self {
        Self { request: Some(SchemaOf::of::<T>()), ..self }
    }

    fn gives<T: ToSchema>(self) -> Self {
        Self { response: Some(SchemaOf::of::<T>()), ..self }
    }

    fn or_promises(self) -> Self {
        Self { promises: true, ..self }
    }
}

/// What the table has for a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This row; the parts of the path that it leaves open, still encoded.
    Route {
        /// Its place in the table.
        index: usize,
        /// The open parts, in the order of the path.
        captures: Vec<String>,
    },
    /// The path, under these verbs only.
    OtherVerbs(Vec<Verb>),
    /// Not even the path.
    Nothing,
}

/// The row for a request.
pub(super) fn find<B>(routes: &[Route<B>], method: &Method, path: &str) -> Found {
    let mut others = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let Some(captures) = capture(route.path, path) else {
            continue;
        };
        if route.verb.is(method) {
            return Found::Route { index, captures };
        }
        others.push(route.verb);
    }
    if others.is_empty() { Found::Nothing } else { Found::OtherVerbs(others) }
}

/// The open parts of `path` under `pattern`, if it is of that form. None of them is empty.
fn capture(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut captures = Vec::new();
    let mut rest = Some(path);
    for part in pattern.split('/') {
        let left = rest?;
        if part.ends_with("*}") {
            captures.push(left.to_owned());
            rest = None;
            break;
        }
        let (segment, after) = left.split_once('/').map_or((left, None), |(segment, after)| (segment, Some(after)));
        if part.starts_with('{') {
            captures.push(segment.to_owned());
        } else if part != segment {
            return None;
        }
        rest = after;
    }
    let whole = rest.is_none() && captures.iter().all(|capture| !capture.is_empty());
    whole.then_some(captures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_whole() {
        assert_eq!(capture("/v1/status", "/v1/status"), Some(vec![]));
        for other in ["/v1/status/", "/v1/statu", "/v1", "/", "", "/v1/status/x", "v1/status"] {
            assert_eq!(capture("/v1/status", other), None, "{other:?}");
        }
    }

    #[test]
    fn a_key_keeps_its_slashes() {
        let pattern = "/v1/proposals/{category}/{key*}";
        let captured = |path| capture(pattern, path);
        assert_eq!(captured("/v1/proposals/visit/12%2C3"), Some(vec!["visit".into(), "12%2C3".into()]));
        assert_eq!(captured("/v1/proposals/visit/2024/17"), Some(vec!["visit".into(), "2024/17".into()]));
        assert_eq!(captured("/v1/proposals/visit/"), None);
        assert_eq!(captured("/v1/proposals/visit"), None);
        assert_eq!(captured("/v1/proposals//17"), None);
    }
}
