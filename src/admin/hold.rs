//! Setting a legal hold.

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply, decide};
use crate::api::{Code, HoldRequest};

/// Longest reference, in bytes: a line.
const REFERENCE_MAX_BYTES: usize = 200;

/// `POST /v1/hold`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: HoldRequest = call.json()?;
    let record = decide::record(&request.record)?;
    let reason = decide::reason("hold a record", &request.reason)?;
    let reference = reference(&request.reference)?;
    Answer::json(&call.backend.hold(&call.leave, &call.id, record, reason, reference).await?)
}

/// One line that is not blank, without blanks around it: it is what a hold is found by.
pub(super) fn reference(text: &str) -> Reply<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(with_hint(
            problem(Code::Invalid, "cannot hold a record without a reference"),
            "write the file number or the court's sign that the hold belongs to",
        ));
    }
    if text.len() > REFERENCE_MAX_BYTES || text.chars().any(char::is_control) {
        return Err(with_hint(
            problem(Code::Invalid, "cannot take this reference: it is too long, or more than a line"),
            format!("write one line of at most {REFERENCE_MAX_BYTES} bytes"),
        ));
    }
    Ok(text.to_owned())
}
