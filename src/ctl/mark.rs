//! The clerk's word that a record is to be erased, whatever the criteria say.

use super::Session;
use super::args::Mark;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::list::state_name;
use super::table::table;
use crate::api::{Blocked, MarkAnswer, MarkRequest};

pub(super) async fn run(session: &mut Session<'_>, what: Mark) -> Result<Exit, Failure> {
    let Some(reason) = what.reason.filter(|reason| !reason.trim().is_empty()) else {
        return Err(Failure::new(Exit::Usage, "cannot mark without a reason")
            .hint("write --reason TEXT, for example --reason \"erasure requested (Art. 17 GDPR)\""));
    };
    let request = MarkRequest { record: what.record.record, reason };
    let got = session.client.post::<MarkAnswer>("/v1/mark", &request).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let answer = got.value;
    session.console.data(&table(["RECORD", "STATE"], [[answer.record, state_name(answer.state).to_owned()]]))?;
    for by in &answer.blocked {
        let Blocked { until, reason } = by;
        session.console.talk(match until {
            Some(until) => format!("it cannot be erased before {until}: {reason}"),
            None => format!("it cannot be erased yet: {reason}"),
        });
    }
    Ok(Exit::Done)
}
