//! The rules in force.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply};

/// `GET /v1/policy`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Answer::json(&call.backend.policy(&call.leave).await?)
}
