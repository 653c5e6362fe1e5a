//! The rules in force, in words.

use std::fmt::Write as _;

use super::Session;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::clean;
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
    let mut text =
        format!("{} (table {} of {})\n", clean(&policy.category), clean(&policy.table), clean(&policy.source));
    // Writing to a String cannot fail.
    for criterion in &policy.criteria {
        let _ = writeln!(text, "  due, {}: {}", clean(&criterion.name), clean(&criterion.words));
        if let Some(reason) = &criterion.reason {
            let _ = writeln!(text, "    because: {}", clean(reason));
        }
    }
    if let Some(problem) = &policy.problem {
        let _ = writeln!(text, "  stopped: {}", clean(problem));
    }
    let _ = writeln!(text, "  erased: {}", clean(&policy.erasure));
    for dependent in &policy.dependents {
        let _ = writeln!(text, "  {}: {}", clean(&dependent.table), clean(&dependent.words));
    }
    text
}
