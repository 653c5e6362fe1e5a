//! One record in full.

use super::Session;
use super::args::Show;
use super::client::path_part;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::list::{origin_name, outcome_name, state_name};
use super::table::{facts, or_dash, table};
use crate::api::{DependentRule, LinkedStanding, LinkedVerdict, Origin, Proposal, RecordView};

pub(super) async fn run(session: &mut Session<'_>, what: &Show) -> Result<Exit, Failure> {
    // The parser has seen that there is a slash.
    let (category, key) = what.record.record.split_once('/').unwrap_or_default();
    let path = format!("/v1/proposals/{}/{}", path_part(category), path_part(key));
    let got = session.client.get::<RecordView>(&path, &()).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        session.console.data(&written(&got.value))?;
    }
    Ok(Exit::Done)
}

fn written(view: &RecordView) -> String {
    let mut parts = vec![head(view)];
    if !view.dependents.is_empty() {
        let rows =
            view.dependents.iter().map(|of| [of.table.clone(), rule_name(of.rule).to_owned(), of.rows.to_string()]);
        parts.push(table(["DEPENDENT", "RULE", "ROWS"], rows));
    }
    if !view.blocked.is_empty() {
        let rows = view.blocked.iter().map(|by| [or_dash(by.until.as_deref()), by.reason.clone()]);
        parts.push(table(["BLOCKED UNTIL", "BECAUSE"], rows));
    }
    if let Some(linked) = &view.linked {
        parts.push(linked_records(linked));
    }
    let moves = view.history.iter().map(|step| {
        [
            step.at.clone(),
            step.from.map_or_else(|| or_dash(None), |from| state_name(from).to_owned()),
            state_name(step.to).to_owned(),
            step.by.clone(),
            step.run.map_or_else(|| or_dash(None), |run| run.to_string()),
            or_dash(step.reason.as_deref()),
        ]
    });
    parts.push(table(["AT", "FROM", "TO", "BY", "RUN", "REASON"], moves));
    parts.join("\n")
}

fn head(view: &RecordView) -> String {
    let of = &view.proposal;
    let outcome = of.outcome.map(outcome_name).map(|outcome| match &view.outcome_reason {
        Some(reason) => format!("{outcome}: {reason}"),
        None => outcome.to_owned(),
    });
    facts([
        ("record", Some(of.record.clone())),
        ("label", of.label.clone()),
        ("state", Some(state_name(of.state).to_owned())),
        ("version", Some(of.version.to_string())),
        ("proposed as", (of.origin != Origin::Criterion).then(|| origin_name(of.origin).to_owned())),
        ("criterion", of.criterion.clone()),
        ("rule version", of.rule_version.clone()),
        ("due on", of.due_on.clone()),
        ("outcome", outcome),
        ("unit", of.unit.clone()),
        ("postponed until", of.postponed_until.clone()),
        ("confirmations", confirmations(of)),
        ("decided by", of.decided_by.clone()),
        ("times postponed", (of.postponed_count > 0).then(|| of.postponed_count.to_string())),
        ("reason", of.reason.clone()),
        ("problem", of.problem.clone()),
    ])
}

/// How many people have confirmed it, and of how many where one is not enough.
fn confirmations(of: &Proposal) -> Option<String> {
    match (of.confirmations, of.confirmations_needed) {
        (count, total @ 2..) => Some(format!("{count} of {total}")),
        (count, _) => (count > 0).then(|| count.to_string()),
    }
}

/// The same person's records, and what is to be said of all of them.
fn linked_records(linked: &LinkedVerdict) -> String {
    let rows = linked.records.iter().map(|one| {
        let outcome = match (one.outcome, one.outcome_together) {
            (Some(alone), Some(together)) if alone != together => {
                format!("{} (together: {})", outcome_name(alone), outcome_name(together))
            }
            (alone, _) => or_dash(alone.map(outcome_name)),
        };
        let with = if !one.same_source {
            "another source, erased alone"
        } else if one.confirmed_together {
            "confirmed together"
        } else {
            "same source"
        };
        [
            one.record.clone().unwrap_or_else(|| "another record".to_owned()),
            or_dash(one.state.map(state_name)),
            standing_name(one.standing).to_owned(),
            or_dash(one.until.as_deref()),
            or_dash(one.reason.as_deref()),
            outcome,
            if one.record.is_some() { with.to_owned() } else { or_dash(None) },
        ]
    });
    let records = table(["LINKED", "STATE", "STANDING", "UNTIL", "BECAUSE", "OUTCOME", "ERASED"], rows);
    format!("{records}\n{}", facts([("verdict", Some(linked.verdict.clone()))]))
}

fn standing_name(standing: LinkedStanding) -> &'static str {
    match standing {
        LinkedStanding::Due => "due",
        LinkedStanding::Blocked => "blocked",
        LinkedStanding::Free => "free",
        LinkedStanding::Erased => "erased",
        LinkedStanding::Unknown => "unknown",
    }
}

fn rule_name(rule: DependentRule) -> &'static str {
    match rule {
        DependentRule::Keep => "keep",
        DependentRule::Delete => "delete",
        DependentRule::Unlink => "unlink",
    }
}
