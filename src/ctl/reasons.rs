//! The reasons that people choose from.

use super::Session;
use super::args::Reasons;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::table;
use crate::api::{ReasonKind, ReasonList, ReasonQuery};

pub(super) async fn run(session: &mut Session<'_>, what: Reasons) -> Result<Exit, Failure> {
    let query = ReasonQuery { kind: what.kind.map(Into::into) };
    let got = session.client.get::<ReasonList>("/v1/reasons", &query).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let kinds = &got.value.kinds;
    let rows = kinds.iter().flat_map(|choice| {
        choice.reasons.iter().map(|reason| {
            [kind_name(choice.kind).to_owned(), reason.number.to_string(), reason.name.clone(), reason.text.clone()]
        })
    });
    session.console.data(&table(["FOR", "NUMBER", "NAME", "REASON"], rows))?;
    for choice in kinds {
        let kind = kind_name(choice.kind);
        session.console.talk(if choice.free_text {
            format!("{kind}: anything else may be written too")
        } else {
            format!("{kind}: nothing else may be written")
        });
    }
    Ok(Exit::Done)
}

fn kind_name(kind: ReasonKind) -> &'static str {
    match kind {
        ReasonKind::Erase => "erase",
        ReasonKind::Postpone => "postpone",
        ReasonKind::Hold => "hold",
    }
}
