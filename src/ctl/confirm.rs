//! The clerk's word that records may be erased.

use super::args::Records;
use super::exit::{Exit, Failure};
use super::{Session, decide};
use crate::api::{ConfirmRequest, DecisionAnswers};

pub(super) async fn run(session: &mut Session<'_>, what: Records) -> Result<Exit, Failure> {
    let request = ConfirmRequest { records: what.records };
    let got = session.client.post::<DecisionAnswers>("/v1/confirm", &request).await?;
    decide::tell(&mut session.console, request.records.len(), &got)
}
