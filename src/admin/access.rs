//! Who may see and do what, and changing it while the daemon runs.

use super::dispatch::{Answer, Call};
use super::list::page;
use super::{Backend, Reply};
use crate::api::{AccessQuery, AccessRequest};

/// `GET /v1/access`
pub(super) async fn list<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let query: AccessQuery = call.query()?;
    let page = page(query.limit, query.cursor)?;
    Answer::json(&call.backend.access(&call.leave, query.user, page).await?)
}

/// `GET /v1/access/{user}`
pub(super) async fn show<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let user = call.capture(0)?;
    Answer::json(&call.backend.access_of(&call.leave, user).await?)
}

/// `POST /v1/access`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: AccessRequest = call.json()?;
    Answer::json(&call.backend.change_access(&call.leave, &call.id, request).await?)
}
