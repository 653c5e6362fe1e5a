//! How the daemon is.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply};

/// `GET /v1/status`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Answer::json(&call.backend.status(&call.leave).await?)
}
