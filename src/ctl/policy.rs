//! The rules in force, in words.

use super::Session;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::clean;
use super::tongue::told;
use crate::api::{CategoryPolicy, Policy};

pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let got = session.client.get::<Policy>("/v1/policy", &()).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        let parts: Vec<String> = got.value.categories.iter().map(written).collect();
        session.console.data(&parts.join("\n"))?;
    }
    Ok(Exit::Done)
}

fn written(policy: &CategoryPolicy) -> String {
    let mut lines = vec![format!("{} (table {} of {})", policy.category, policy.table, policy.source)];
    for criterion in &policy.criteria {
        lines.push(format!("  due, {}: {}", criterion.name, criterion.words));
        lines.extend(criterion.reason.as_ref().map(|reason| format!("    because: {reason}")));
    }
    lines.extend(policy.problem.as_ref().map(|problem| format!("  stopped: {problem}")));
    lines.push(format!("  erased: {}", policy.erasure));
    lines.extend(policy.dependents.iter().map(|dependent| format!("  {}: {}", dependent.table, dependent.words)));
    lines.iter().map(|line| told(&clean(line)) + "\n").collect()
}
