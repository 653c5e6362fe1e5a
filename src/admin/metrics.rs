//! How the daemon is, in numbers.

use super::dispatch::{Answer, Call};
use super::exposition::MEDIA_TYPE;
use super::{Backend, Reply};

/// `GET /metrics`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Ok(Answer::text(MEDIA_TYPE, call.backend.metrics(&call.leave).await?))
}
