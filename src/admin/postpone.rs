//! The clerk's word that records may not be erased before a date.

use jiff::civil::Date;

use super::dispatch::{Answer, Call};
use super::problem::{problem, with_hint};
use super::{Backend, Reply, decide};
use crate::api::{Code, PostponeRequest};

/// `POST /v1/postpone`
pub(super) async fn post<B: Backend>(call: Call<B>) -> Reply<Answer> {
    let request: PostponeRequest = call.json()?;
    let targets = decide::targets(request.records)?;
    let until = date(&request.until)?;
    let reason = decide::reason("postpone", &request.reason)?;
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
