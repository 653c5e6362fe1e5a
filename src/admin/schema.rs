//! The schema gates, and accepting what has changed.

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply};
use crate::api::{Code, SchemaAcceptRequest};

/// Longest name of a category and longest digest, in bytes.
const NAME_MAX_BYTES: usize = 1000;

/// `GET /v1/schema`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    Answer::json(&call.backend.schema(&call.leave).await?)
}

/// `POST /v1/schema/accept`
pub(super) async fn accept<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let SchemaAcceptRequest { category, digest } = call.json()?;
    if category.len() > NAME_MAX_BYTES || digest.len() > NAME_MAX_BYTES {
        let detail = "cannot take a category's name or a digest of that length";
        return Err(with_hint(problem(Code::TooLarge, detail), format!("write at most {NAME_MAX_BYTES}")));
    }
    Answer::json(&call.backend.accept_schema(&call.leave, &call.id, category, digest).await?)
}
