//! What the brake has stopped, and going on over it.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply, run, runs};
use crate::api::{BrakeQuery, OverrideRequest, WaitQuery};

/// `GET /v1/brake`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: BrakeQuery = call.query()?;
    Answer::json(&call.backend.closed_brake(&call.leave, query.job).await?)
}

/// `POST /v1/brake/override`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let wait = runs::wait(call.query::<WaitQuery>()?);
    let request: OverrideRequest = call.json()?;
    let queued = call.backend.override_brake(&call.leave, &call.id, request).await?;
    run::queued(&call, queued, wait).await
}
