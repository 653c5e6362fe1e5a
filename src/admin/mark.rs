//! The clerk's word that a record is to be erased, whatever the criteria say.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply, decide};
use crate::api::MarkRequest;

/// `POST /v1/mark`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: MarkRequest = call.json()?;
    let record = decide::record(&request.record)?;
    let reason = decide::reason("mark", &request.reason)?;
    Answer::json(&call.backend.mark(&call.leave, &call.id, record, reason).await?)
}
