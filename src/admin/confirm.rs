//! The clerk's word that records may be erased.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply, decide};
use crate::api::ConfirmRequest;

/// `POST /v1/confirm`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: ConfirmRequest = call.json()?;
    let targets = decide::targets(request.records)?;
    decide::answers(&call.backend.confirm(&call.leave, &call.id, targets).await?)
}
