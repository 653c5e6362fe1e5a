//! Releasing a legal hold.

use super::Session;
use super::args::Release;
use super::exit::{Exit, Failure};
use super::holds::shown;
use super::json::pretty;
use crate::api::{ReleaseAnswer, ReleaseRequest};

pub(super) async fn run(session: &mut Session<'_>, what: Release) -> Result<Exit, Failure> {
    let Release { record, hold, reference, reason } = what;
    let request = ReleaseRequest { record: record.record, hold, reference, reason };
    let got = session.client.post::<ReleaseAnswer>("/v1/release", &request).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let ReleaseAnswer { released, hold } = got.value;
    session.console.data(&shown([&hold]))?;
    session.console.talk(if released {
        format!("hold {} is released", hold.hold)
    } else {
        format!("hold {} stands until another person releases it", hold.hold)
    });
    Ok(Exit::Done)
}
