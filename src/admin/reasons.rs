//! The reasons that people choose from.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply};
use crate::api::ReasonQuery;

/// `GET /v1/reasons`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: ReasonQuery = call.query()?;
    Answer::json(&call.backend.reasons(&call.leave, query.kind).await?)
}
