//! Starting a job by hand.

use std::time::Duration;

use super::dispatch::{Answer, Call};
use super::{Backend, Reply, runs};
use crate::api::{Run, RunRequest, WaitQuery};

/// `POST /v1/runs`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let wait = runs::wait(call.query::<WaitQuery>()?);
    let request: RunRequest = call.json()?;
    let queued = call.backend.queue_run(&call.leave, &call.id, request.job, request.dry_run).await?;
    self::queued(&call, queued, wait).await
}

/// A run that has just been queued, or what has become of it after so long.
pub(super) async fn queued<B: Backend>(call: &Call<B>, queued: Run, wait: Duration) -> Reply<Answer> {
    let run = if wait.is_zero() { queued } else { call.backend.run(&call.leave, queued.id, wait).await? };
    let answer = Answer::json(&run)?;
    // A run that has ended in the meantime is a whole answer, and not a promise of one.
    Ok(if run.finished_at.is_some() { answer } else { answer.accepted(format!("/v1/runs/{}", run.id)) })
}
