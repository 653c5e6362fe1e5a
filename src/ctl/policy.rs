//! The rules in force, in words, and changing them.

use super::Session;
use super::args::{Policy as What, PolicyVerb};
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::{clean, or_dash, table};
use super::tongue::told;
use crate::api::{
    CategoryPolicy, Policy, RuleAnswer, RuleOutcome, RuleSetRequest, RuleStanding, RuleUnsetRequest, RuleWaiting,
};

pub(super) async fn run(session: &mut Session<'_>, what: What) -> Result<Exit, Failure> {
    match what.verb {
        None => show(session, false).await,
        Some(PolicyVerb::List) => show(session, true).await,
        Some(PolicyVerb::Set { name, value }) => {
            change(session, "/v1/policy/set", &RuleSetRequest { name, value }).await
        }
        Some(PolicyVerb::Unset { name }) => change(session, "/v1/policy/unset", &RuleUnsetRequest { name }).await,
        Some(PolicyVerb::Approve { rule }) => change(session, "/v1/policy/approve", &rule).await,
        Some(PolicyVerb::Reject { rule }) => change(session, "/v1/policy/reject", &rule).await,
    }
}

/// The rules in words, with those that were changed behind them; or every rule that can be changed.
async fn show(session: &mut Session<'_>, as_list: bool) -> Result<Exit, Failure> {
    let got = session.client.get::<Policy>("/v1/policy", &()).await?;
    let Policy { categories, rules } = &got.value;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else if as_list {
        session.console.data(&listed(rules.iter()))?;
    } else {
        let mut parts: Vec<String> = categories.iter().map(written).collect();
        let changed = || rules.iter().filter(|rule| rule.set.is_some() || rule.waiting.is_some());
        if changed().next().is_some() {
            parts.push(format!("{}\n{}", told("changed while running:"), listed(changed())));
        }
        session.console.data(&parts.join("\n"))?;
    }
    if !session.console.json {
        session.console.flush()?;
        rules.iter().filter_map(aside).for_each(|note| session.console.talk(note));
    }
    Ok(Exit::Done)
}

fn listed<'a>(rules: impl Iterator<Item = &'a RuleStanding>) -> String {
    let rows = rules.map(|rule| {
        let set = rule.set.as_ref();
        [
            rule.name.clone(),
            or_dash(rule.value.as_deref()),
            or_dash(rule.file.as_deref()),
            or_dash(set.map(|set| set.by.as_str())),
            or_dash(set.map(|set| set.at.as_str())),
            or_dash(set.and_then(|set| set.approved_by.as_deref())),
            or_dash(rule.waiting.as_ref().map(waits).as_deref()),
        ]
    });
    table(["RULE", "IN FORCE", "FILE", "SET BY", "AT", "APPROVED BY", "WAITS FOR A SECOND PERSON"], rows)
}

fn waits(waiting: &RuleWaiting) -> String {
    let value = waiting.value.as_deref().unwrap_or("as in the file");
    format!("{value}, asked by {} (change {})", waiting.by, waiting.change)
}

/// What is said of a change that does not hold.
fn aside(rule: &RuleStanding) -> Option<String> {
    let set = rule.set.as_ref()?;
    let why = set.aside.as_ref()?;
    let (name, value, by) = (&rule.name, &set.value, &set.by);
    Some(clean(&format!("{name} {value}, set by {by}, is set aside: {why}")))
}

async fn change(session: &mut Session<'_>, path: &str, request: &impl serde::Serialize) -> Result<Exit, Failure> {
    let got = session.client.post::<RuleAnswer>(path, request).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        session.console.data(&told(&clean(&said(&got.value))))?;
    }
    Ok(Exit::Done)
}

fn said(answer: &RuleAnswer) -> String {
    let RuleAnswer { outcome, rule } = answer;
    let in_force = rule.value.as_deref().unwrap_or("gone from the files");
    match (outcome, &rule.waiting) {
        (RuleOutcome::Waits, Some(waiting)) => {
            let value = waiting.value.as_deref().or(rule.file.as_deref()).unwrap_or_default();
            format!(
                "{} stays {in_force}: {value} is looser, and a second person must approve it (change {})",
                rule.name, waiting.change
            )
        }
        (RuleOutcome::Dropped, _) => format!("{} stays {in_force}: what waited is dropped", rule.name),
        (RuleOutcome::Holds | RuleOutcome::Waits, _) => format!("{} is {in_force} from now on", rule.name),
    }
}

fn written(policy: &CategoryPolicy) -> String {
    let mut lines = vec![format!("{} (table {} of {})", policy.category, policy.table, policy.source)];
    for criterion in &policy.criteria {
        let (name, words) = (&criterion.name, &criterion.words);
        lines.push(if criterion.enabled {
            format!("  due, {name}: {words}")
        } else {
            format!("  switched off, {name}: {words}")
        });
        lines.extend(criterion.reason.as_ref().map(|typed| format!("    because: {typed}")));
    }
    lines.extend(policy.problem.as_ref().map(|problem| format!("  stopped: {problem}")));
    lines.push(format!("  marked: {}", policy.marks));
    lines.push(format!("  decided: {}", policy.decisions));
    lines.push(format!("  brake: {}", policy.brake));
    lines.push(format!("  erased: {}", policy.erasure));
    lines.extend(policy.dependents.iter().map(|dependent| format!("  {}: {}", dependent.table, dependent.words)));
    lines.iter().map(|line| told(&clean(line)) + "\n").collect()
}
