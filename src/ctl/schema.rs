//! The schema gates, and accepting what has changed.

use super::Session;
use super::args::{Schema as What, SchemaVerb};
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::table::{clean, or_dash, table};
use super::tongue::told;
use crate::api::{ClosedGate, SchemaAcceptRequest, SchemaGates, SchemaStanding};

pub(super) async fn run(session: &mut Session<'_>, what: What) -> Result<Exit, Failure> {
    match what.verb {
        None => show(session).await,
        Some(SchemaVerb::Accept { category, digest }) => accept(session, category, digest).await,
    }
}

async fn show(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let got = session.client.get::<SchemaGates>("/v1/schema", &()).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let rows = got.value.categories.iter().map(|of| {
        let stands = match (&of.gate, &of.problem) {
            (Some(_), _) => "closed",
            (None, Some(_)) => "not known",
            (None, None) => "open",
        };
        let since = of.gate.as_ref().and_then(|gate| gate.since.as_deref());
        let change = of.gate.as_ref().and_then(|gate| gate.digest.as_deref());
        [of.category.clone(), of.source.clone(), stands.to_owned(), or_dash(since), or_dash(change)]
    });
    let mut parts = vec![table(["CATEGORY", "SOURCE", "GATE", "SINCE", "CHANGE"], rows)];
    for of in &got.value.categories {
        match (&of.gate, &of.problem) {
            (Some(gate), _) => parts.push(closed(&of.category, gate)),
            (None, Some(problem)) => parts.push(format!("{}: {}\n", clean(&of.category), told(&clean(problem)))),
            (None, None) => {}
        }
    }
    session.console.data(&parts.join("\n"))?;
    Ok(Exit::Done)
}

/// What closes a category's gate, and what to do.
pub(super) fn closed(category: &str, gate: &ClosedGate) -> String {
    let mut lines = vec![told(&clean(&format!("{category} is stopped:")))];
    for finding in &gate.findings {
        lines.push(format!("  {}", told(&clean(&finding.message))));
        if let Some(hint) = &finding.hint {
            let said = match &finding.file {
                Some(file) => format!("in {file}: {hint}"),
                None => hint.clone(),
            };
            lines.push(format!("    {}", told(&clean(&said))));
        }
    }
    lines.iter().map(|line| line.clone() + "\n").collect()
}

/// Without a digest that was seen before, what has changed is shown first, and that is what is accepted.
async fn accept(session: &mut Session<'_>, category: String, digest: Option<String>) -> Result<Exit, Failure> {
    let digest = match digest {
        Some(digest) => digest,
        None => shown(session, &category).await?,
    };
    let request = SchemaAcceptRequest { category, digest };
    let got = session.client.post::<SchemaStanding>("/v1/schema/accept", &request).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else {
        session.console.data(&told(&clean(&format!("{} goes on with its schema as it is", got.value.category))))?;
    }
    Ok(Exit::Done)
}

/// Shows what has changed, and gives what stands for it. Where there is nothing to accept, the daemon says so.
async fn shown(session: &mut Session<'_>, category: &str) -> Result<String, Failure> {
    let got = session.client.get::<SchemaGates>("/v1/schema", &()).await?;
    let gate = got.value.categories.into_iter().find(|of| of.category == category).and_then(|of| of.gate);
    let digest = gate.as_ref().and_then(|gate| gate.digest.clone()).unwrap_or_default();
    if let Some(gate) = gate.filter(|_| !digest.is_empty()) {
        for finding in &gate.findings {
            session.console.talk(clean(&finding.message));
        }
    }
    Ok(digest)
}
