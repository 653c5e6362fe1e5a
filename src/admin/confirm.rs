//! The clerk's word that records may be erased.

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply, Target, With, decide};
use crate::api::{Code, ConfirmRequest, RecordAt};

/// `POST /v1/confirm`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: ConfirmRequest = call.json()?;
    let targets = decide::targets(request.records)?;
    let with = with(&targets, request.with, request.with_linked)?;
    decide::answers(&call.backend.confirm(&call.leave, &call.id, targets, with).await?)
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
