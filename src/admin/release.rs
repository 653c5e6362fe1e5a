//! Releasing a legal hold.

use super::dispatch::{Answer, Call};
use super::hold::reference;
use super::problem::problem;
use super::{Backend, Release, Reply, decide};
use crate::api::{Code, ReleaseRequest};

/// `POST /v1/release`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: ReleaseRequest = call.json()?;
    if request.hold.is_some() && request.reference.is_some() {
        return Err(problem(Code::Invalid, "cannot release a hold by its number and by its reference at once"));
    }
    let release = Release {
        record: decide::record(&request.record)?,
        hold: request.hold,
        reference: request.reference.as_deref().map(reference).transpose()?,
        reason: request.reason.as_deref().map(|text| decide::reason("release a hold", text)).transpose()?,
    };
    Answer::json(&call.backend.release(&call.leave, &call.id, release).await?)
}
