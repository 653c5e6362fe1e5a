//! The clerk's word that records may be erased: some that are named, or all of a set that the clerk has seen.

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply, Target, With, decide, list};
use crate::api::{Code, ConfirmRequest, RecordAt};

/// `POST /v1/confirm`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: ConfirmRequest = call.json()?;
    let is_with = !request.with.is_empty() || request.with_linked;
    match (request.all, request.digest) {
        (None, None) => {
            let targets = decide::targets(request.records)?;
            let with = with(&targets, request.with, request.with_linked)?;
            decide::answers(&call.backend.confirm(&call.leave, &call.id, targets, with).await?)
        }
        (Some(_), _) if is_with => Err(with_hint(
            problem(Code::Invalid, "cannot confirm all of a set together with what it is linked to"),
            "name the records, with all that each is linked to: with_linked, --with-linked",
        )),
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

/// What is linked is named beside one record: beside several nobody could tell what belongs to which.
fn with(targets: &[Target], records: Vec<RecordAt>, all_linked: bool) -> Reply<With> {
    if records.is_empty() {
        return Ok(With { records: Vec::new(), all_linked });
    }
    if targets.len() > 1 {
        let hint = "name one record, or confirm each with all that it is linked to: with_linked, --with-linked";
        return Err(with_hint(problem(Code::Invalid, "cannot confirm several records with others"), hint));
    }
    Ok(With { records: decide::targets(records)?, all_linked })
}
