//! The list of legal holds.

use super::dispatch::{Answer, Call};
use super::list::page;
use super::{Backend, Reply};
use crate::api::HoldQuery;

/// `GET /v1/holds`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: HoldQuery = call.query()?;
    Answer::json(&call.backend.holds(&call.leave, page(query.limit, query.cursor)?).await?)
}
