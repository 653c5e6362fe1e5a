//! The clerk's word that records may be erased.

use super::args::Confirm;
use super::exit::{Exit, Failure};
use super::{Session, decide};
use crate::api::{ConfirmRequest, DecisionAnswers};

pub(super) async fn run(session: &mut Session<'_>, what: Confirm) -> Result<Exit, Failure> {
    let Confirm { records, with, with_linked } = what;
    let request = ConfirmRequest { records: records.records, with, with_linked };
    let got = session.client.post::<DecisionAnswers>("/v1/confirm", &request).await?;
    let asked = request.records.len() + request.with.len();
    let exit = decide::tell(&mut session.console, asked, &got)?;
    if !session.console.json {
        for answer in &got.value.answers {
            if let Some(verdict) = &answer.linked {
                session.console.talk(format!("linked with {}: {verdict}", answer.record));
            }
        }
    }
    Ok(exit)
}
