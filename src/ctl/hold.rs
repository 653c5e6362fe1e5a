//! Setting a legal hold.

use super::Session;
use super::args::Hold;
use super::exit::{Exit, Failure};
use super::holds::shown;
use super::json::pretty;
use crate::api::{self, HoldRequest};

pub(super) async fn run(session: &mut Session<'_>, what: Hold) -> Result<Exit, Failure> {
    let is_said = |text: &String| !text.trim().is_empty();
    let (Some(reason), Some(reference)) = (what.reason.filter(is_said), what.reference.filter(is_said)) else {
        return Err(Failure::new(Exit::Usage, "cannot hold without a reason and a reference: both are required")
            .hint("write --reason TEXT --reference TEXT; erasurectl reasons hold shows the standard reasons"));
    };
    let request = HoldRequest { record: what.record.record, reason, reference };
    let got = session.client.post::<api::Hold>("/v1/hold", &request).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        session.console.data(&shown([&got.value]))?;
    }
    Ok(Exit::Done)
}
