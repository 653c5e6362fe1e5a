//! Taking a confirmation back.

use super::args::Records;
use super::exit::{Exit, Failure};
use super::{Session, decide};
use crate::api::{DecisionAnswers, RestoreRequest};

pub(super) async fn run(session: &mut Session<'_>, what: Records) -> Result<Exit, Failure> {
    let request = RestoreRequest { records: what.records };
    let got = session.client.post::<DecisionAnswers>("/v1/restore", &request).await?;
    decide::tell(&mut session.console, request.records.len(), &got)
}
