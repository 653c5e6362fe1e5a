//! Taking a confirmation back.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply, decide};
use crate::api::RestoreRequest;

/// `POST /v1/restore`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: RestoreRequest = call.json()?;
    let targets = decide::targets(request.records)?;
    decide::answers(&call.backend.restore(&call.leave, &call.id, targets).await?)
}
