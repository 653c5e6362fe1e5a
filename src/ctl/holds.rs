//! The list of legal holds.

use super::Session;
use super::args::Page;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::list::tell_rest;
use super::table::{or_dash, table};
use crate::api::{Hold, HoldPage, HoldQuery};

pub(super) async fn run(session: &mut Session<'_>, page: Page) -> Result<Exit, Failure> {
    let query = HoldQuery { limit: page.limit, cursor: page.cursor };
    let got = session.client.get::<HoldPage>("/v1/holds", &query).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let page = got.value;
    session.console.data(&shown(&page.items))?;
    tell_rest(&mut session.console, page.items.len(), page.total, page.next.as_deref());
    Ok(Exit::Done)
}

/// Holds, a line each.
pub(super) fn shown<'h>(holds: impl IntoIterator<Item = &'h Hold>) -> String {
    let head = ["HOLD", "RECORD", "SINCE", "DAYS", "BY", "REASON", "REFERENCE", "LABEL", "REMARK"];
    table(head, holds.into_iter().map(row))
}

fn row(hold: &Hold) -> [String; 9] {
    [
        hold.hold.to_string(),
        hold.record.clone(),
        hold.since.clone(),
        hold.days.to_string(),
        hold.by.clone(),
        or_dash(hold.reason.as_deref()),
        or_dash(hold.reference.as_deref()),
        or_dash(hold.label.as_deref()),
        remark(hold),
    ]
}

fn remark(hold: &Hold) -> String {
    let changed = hold.person_changed.then(|| "another person has been given the key since".to_owned());
    let release = hold.release.as_ref().map(|release| match &release.from {
        Some(from) => format!("release asked for by {}; another person can release it from {from} on", release.by),
        None => format!("release asked for by {}", release.by),
    });
    [changed, release, hold.problem.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
