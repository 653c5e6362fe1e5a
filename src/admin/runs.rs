//! What has run, and what runs.

use std::time::Duration;

use super::dispatch::{Answer, Call};
use super::list::page;
use super::problem::problem;
use super::{Backend, Reply};
use crate::api::{Code, RunQuery, WaitQuery};

/// Longest wait for a run in one request, in seconds.
pub(super) const WAIT_MAX_SECONDS: u32 = 60;

/// `GET /v1/runs`
pub(super) async fn list<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: RunQuery = call.query()?;
    Answer::json(&call.backend.runs(&call.leave, page(query.limit, query.cursor)?).await?)
}

/// `GET /v1/runs/{id}`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let wait = wait(call.query()?);
    let text = call.capture(0)?;
    let id = text.parse().map_err(|_| problem(Code::Malformed, format!("cannot read {text:?} as a run's number")))?;
    Answer::json(&call.backend.run(&call.leave, id, wait).await?)
}

/// How long to wait; longer than the longest wait is that.
pub(super) fn wait(query: WaitQuery) -> Duration {
    Duration::from_secs(u64::from(query.wait.unwrap_or(0).min(WAIT_MAX_SECONDS)))
}
