//! The list of proposals.

use super::Session;
use super::args::List;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::{or_dash, table};
use crate::api::{ListQuery, Origin, Outcome, Proposal, ProposalPage, State};

pub(super) async fn run(session: &mut Session<'_>, what: List) -> Result<Exit, Failure> {
    let List { category, state, criterion, page } = what;
    let query = ListQuery { category, state, criterion, limit: page.limit, cursor: page.cursor };
    let got = session.client.get::<ProposalPage>("/v1/proposals", &query).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let page = got.value;
    let rows = page.items.iter().map(row);
    session.console.data(&table(["RECORD", "STATE", "CRITERION", "DUE ON", "OUTCOME", "LABEL", "REMARK"], rows))?;
    tell_rest(&mut session.console, page.items.len(), page.total, page.next.as_deref());
    Ok(Exit::Done)
}

/// Says how many there are besides, and how to see them.
pub(super) fn tell_rest(console: &mut Console<'_>, shown: usize, total: u64, next: Option<&str>) {
    console.talk(format!("{shown} of {total}"));
    if let Some(next) = next {
        console.talk(format!("hint: go on with --cursor {next}"));
    }
}

fn row(item: &Proposal) -> [String; 7] {
    [
        item.record.clone(),
        state_name(item.state).to_owned(),
        item.criterion.clone().unwrap_or_else(|| origin_name(item.origin).to_owned()),
        or_dash(item.due_on.as_deref()),
        or_dash(item.outcome.map(outcome_name)),
        or_dash(item.label.as_deref()),
        remark(item),
    ]
}

fn remark(item: &Proposal) -> String {
    let until = item.postponed_until.as_ref().map(|until| format!("until {until}"));
    let parts = [until, item.reason.clone(), item.problem.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Proposed => "proposed",
        State::Confirmed => "confirmed",
        State::Postponed => "postponed",
        State::Erasing => "erasing",
        State::Erased => "erased",
        State::Withdrawn => "withdrawn",
    }
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delete => "delete",
        Outcome::Anonymise => "anonymise",
    }
}

/// Why a record is proposed, in words.
pub(super) const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Criterion => "due under a criterion",
        Origin::Application => "marked by the application",
        Origin::Clerk => "marked by a clerk",
        Origin::Shell => "anonymised before, kept by nothing",
    }
}
