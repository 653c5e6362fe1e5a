//! The clerk's word that records may not be erased before a date.

use jiff::civil::Date;

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply, decide};
use crate::api::{Code, PostponeRequest};

/// Longest reason, in bytes: a paragraph.
const REASON_MAX_BYTES: usize = 2000;

/// `POST /v1/postpone`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: PostponeRequest = call.json()?;
    let targets = decide::targets(request.records)?;
    let until = date(&request.until)?;
    let reason = reason("postpone", &request.reason)?;
    decide::answers(&call.backend.postpone(&call.leave, &call.id, targets, until, reason).await?)
}

/// A day and nothing else: a time of day or a zone would be dropped in silence.
fn date(text: &str) -> Reply<Date> {
    text.parse::<Date>().ok().filter(|date| date.to_string() == text).ok_or_else(|| {
        with_hint(
            problem(Code::Malformed, format!("cannot postpone until {text:?}: it is not a date")),
            "write it as YEAR-MONTH-DAY, for example 2027-06-30",
        )
    })
}

/// A reason of some words, without blanks around it. What may be said is for the implementer to say.
pub(super) fn reason(doing: &str, text: &str) -> Reply<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(problem(Code::Invalid, format!("cannot {doing} without a reason")));
    }
    if text.len() > REASON_MAX_BYTES {
        let detail = format!("cannot keep a reason of {} bytes", text.len());
        return Err(with_hint(problem(Code::TooLarge, detail), format!("write at most {REASON_MAX_BYTES}")));
    }
    Ok(text.to_owned())
}
