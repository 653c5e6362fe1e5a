//! Who may see and do what, and changing it while the daemon runs.

use super::Session;
use super::args::{Access, AccessVerb, DenyVerb, RecordVerb, StandIn, UnitVerb};
use super::client::path_part;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::list::tell_rest;
use super::table::{or_dash, table};
use crate::api::{
    AccessAnswer, AccessEntry, AccessGround, AccessKind, AccessPage, AccessQuery, AccessRequest, AccessStanding,
    AccessThrough, AccessView,
};

pub(super) async fn run(session: &mut Session<'_>, what: Access) -> Result<Exit, Failure> {
    match what.verb {
        AccessVerb::List { user, page } => {
            list(session, AccessQuery { user, limit: page.limit, cursor: page.cursor }).await
        }
        AccessVerb::Show { user } => show(session, &user).await,
        AccessVerb::Unit { verb } => change(session, unit(verb)).await,
        AccessVerb::Record { verb } => change(session, record(verb)).await,
        AccessVerb::Deny { verb } => change(session, deny(verb)?).await,
        AccessVerb::StandIn(what) => change(session, stand_in(what)?).await,
    }
}

async fn list(session: &mut Session<'_>, query: AccessQuery) -> Result<Exit, Failure> {
    let got = session.client.get::<AccessPage>("/v1/access", &query).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let page = got.value;
    session.console.data(&entries(&page.items))?;
    tell_rest(&mut session.console, page.items.len(), page.total, page.next.as_deref());
    Ok(Exit::Done)
}

async fn show(session: &mut Session<'_>, user: &str) -> Result<Exit, Failure> {
    let got = session.client.get::<AccessView>(&format!("/v1/access/{}", path_part(user)), &()).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let view = got.value;
    let grounds = view.permissions.iter().map(ground);
    session.console.data(&table(["PERMISSION", "CATEGORIES", "UNITS", "RECORDS", "THROUGH"], grounds))?;
    if !view.entries.is_empty() {
        session.console.data("\n")?;
        session.console.data(&entries(&view.entries))?;
    }
    if view.known && view.permissions.is_empty() {
        session.console.talk(format!("{} may do nothing here", view.user));
    }
    if !view.known {
        session.console.talk(format!("this machine knows no user {}: nobody can come by that name", view.user));
    }
    Ok(Exit::Done)
}

async fn change(session: &mut Session<'_>, request: AccessRequest) -> Result<Exit, Failure> {
    let got = session.client.post::<AccessAnswer>("/v1/access", &request).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        let AccessAnswer { made, ended } = got.value;
        let both: Vec<AccessEntry> = ended.into_iter().chain(made).collect();
        session.console.data(&entries(&both))?;
    }
    Ok(Exit::Done)
}

fn unit(verb: UnitVerb) -> AccessRequest {
    match verb {
        UnitVerb::Add { user, unit } => AccessRequest::AddUnit { user, unit },
        UnitVerb::Remove { user, unit } => AccessRequest::RemoveUnit { user, unit },
    }
}

fn record(verb: RecordVerb) -> AccessRequest {
    match verb {
        RecordVerb::Add { user, record } => AccessRequest::AddRecord { user, record: record.record },
        RecordVerb::Remove { user, record } => AccessRequest::RemoveRecord { user, record: record.record },
    }
}

fn deny(verb: DenyVerb) -> Result<AccessRequest, Failure> {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    match verb {
        DenyVerb::Add { user, record, asked_by, reason } => match (filled(asked_by), filled(reason)) {
            (Some(asked_by), Some(reason)) => {
                Ok(AccessRequest::AddDeny { user, record: record.record, asked_by, reason })
            }
            _ => Err(Failure::new(
                Exit::Usage,
                "cannot deny a record without who asked for it and why: both are required",
            )
            .hint(
                "write --asked-by WHO --reason TEXT, for example --asked-by \"the member\" --reason \"a neighbour\"",
            )),
        },
        DenyVerb::Remove { user, record } => Ok(AccessRequest::RemoveDeny { user, record: record.record }),
    }
}

fn stand_in(what: StandIn) -> Result<AccessRequest, Failure> {
    let StandIn { user, stands_in_for, until, end } = what;
    match (until, end) {
        (Some(until), false) => Ok(AccessRequest::StandIn { user, stands_in_for, until }),
        (None, true) => Ok(AccessRequest::EndStandIn { user, stands_in_for }),
        _ => Err(Failure::new(
            Exit::Usage,
            "cannot tell how long they stand in: neither a last day nor its end is named",
        )
        .hint("write --until DATE, for example --until 2027-06-30, or --end")),
    }
}

/// Entries as a table.
fn entries(entries: &[AccessEntry]) -> String {
    let rows = entries.iter().map(|entry| {
        [
            entry.entry.to_string(),
            entry.user.clone(),
            kind(entry.kind).to_owned(),
            about(entry),
            or_dash(entry.until.as_deref()),
            standing(entry.standing).to_owned(),
            entry.by.clone(),
            entry.at.clone(),
            remark(entry),
        ]
    });
    table(["ENTRY", "USER", "KIND", "OF", "UNTIL", "STANDING", "BY", "AT", "REMARK"], rows)
}

fn about(entry: &AccessEntry) -> String {
    let about = [&entry.unit, &entry.record, &entry.stands_in_for];
    or_dash(about.into_iter().flatten().next().map(String::as_str))
}

fn remark(entry: &AccessEntry) -> String {
    let asked_by = entry.asked_by.as_ref().map(|who| format!("asked for by {who}"));
    let parts = [asked_by, entry.reason.clone(), entry.problem.clone()];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    or_dash((!parts.is_empty()).then(|| parts.join(": ")).as_deref())
}

fn kind(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Unit => "unit",
        AccessKind::Record => "record",
        AccessKind::Deny => "deny",
        AccessKind::StandIn => "stands in for",
    }
}

fn standing(standing: AccessStanding) -> &'static str {
    match standing {
        AccessStanding::InForce => "in force",
        AccessStanding::Lapsed => "lapsed",
        AccessStanding::Over => "over",
        AccessStanding::Ended => "ended",
        AccessStanding::Untold => "not known",
    }
}

fn ground(ground: &AccessGround) -> [String; 5] {
    let listed = |list: &Option<Vec<String>>| match list {
        None => "all".to_owned(),
        Some(list) if list.is_empty() => "none".to_owned(),
        Some(list) => list.join(", "),
    };
    let through = match (ground.through, ground.grant) {
        (AccessThrough::Machine, _) => "being root or the daemon's user".to_owned(),
        (AccessThrough::Grant, Some(number)) => format!("grant {number}"),
        (AccessThrough::Grant, None) => "a grant".to_owned(),
        (AccessThrough::Entry, _) => "an entry".to_owned(),
        (AccessThrough::Nothing, _) => "nothing yet".to_owned(),
    };
    // What is named singly has no limits.
    let limits = |list| if ground.records.is_some() { or_dash(None) } else { listed(list) };
    let records = ground.records.as_ref().map(|records| records.join(", "));
    let through = match (&ground.stands_in_for, &ground.until) {
        (Some(user), Some(until)) => format!("{through}, standing in for {user} until {until}"),
        _ => through,
    };
    let (categories, units) = (limits(&ground.categories), limits(&ground.units));
    [ground.permission.clone(), categories, units, or_dash(records.as_deref()), through]
}
