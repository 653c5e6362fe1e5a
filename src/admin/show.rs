//! One record in full.

use super::dispatch::{Answer, Call};
use super::{Backend, Reply, decide};

/// `GET /v1/proposals/{category}/{key*}`
pub(super) async fn get<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let record = decide::record(&format!("{}/{}", call.capture(0)?, call.capture(1)?))?;
    Answer::json(&call.backend.show(&call.leave, record).await?)
}
