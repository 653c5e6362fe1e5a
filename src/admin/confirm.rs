//! The clerk's word that records may be erased: some that are named, or all of a set that the clerk has seen.

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply, decide, list};
use crate::api::{Code, ConfirmRequest};

/// `POST /v1/confirm`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: ConfirmRequest = call.json()?;
    match (request.all, request.digest) {
        (None, None) => {
            let targets = decide::targets(request.records)?;
            decide::answers(&call.backend.confirm(&call.leave, &call.id, targets).await?)
        }
        (Some(_), _) if !request.records.is_empty() => {
            Err(problem(Code::Invalid, "cannot confirm single records and all of a set in one request"))
        }
        (Some(set), Some(digest)) => {
            let set = list::set(set)?;
            decide::answers(&call.backend.confirm_all(&call.leave, &call.id, set, digest).await?)
        }
        (Some(_), None) => Err(with_hint(
            problem(Code::Invalid, "cannot confirm all of a set without its digest"),
            "erasurectl list with the same filters and --digest gives it",
        )),
        (None, Some(_)) => Err(with_hint(
            problem(Code::Invalid, "cannot confirm by a digest without the set that it stands for"),
            "name the set in `all`, with the same filters that the digest was made with",
        )),
    }
}
