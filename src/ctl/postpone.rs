//! The clerk's word that records may not be erased before a date.

use jiff::civil::Date;

use super::args::Postpone;
use super::exit::{Exit, Failure};
use super::{Session, decide};
use crate::api::{DecisionAnswers, PostponeRequest};

pub(super) async fn run(session: &mut Session<'_>, what: Postpone) -> Result<Exit, Failure> {
    let (Some(until), Some(reason)) = (what.until, what.reason.filter(|reason| !reason.trim().is_empty())) else {
        return Err(Failure::new(Exit::Usage, "cannot postpone without a date and a reason: both are required")
            .hint("write --until DATE --reason TEXT, for example --until 2027-06-30 --reason \"court case pending\""));
    };
    // Whether the day is still to come is for the daemon to say: it knows what day it is in its own zone.
    if !until.parse::<Date>().is_ok_and(|date| date.to_string() == until) {
        return Err(Failure::new(Exit::Usage, format!("cannot postpone until {until:?}: it is not a date"))
            .hint("write it as YEAR-MONTH-DAY, for example 2027-06-30"));
    }
    let request = PostponeRequest { records: what.records.records, until, reason };
    let got = session.client.post::<DecisionAnswers>("/v1/postpone", &request).await?;
    decide::tell(&mut session.console, request.records.len(), &got)
}
