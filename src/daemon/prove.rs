//! `erasured prove`: what is not zero in a source's files where nothing should be.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::args::ProveArgs;
use super::{check, output};
use crate::config::causes;
use crate::jobs::{JobError, look_through, look_through_state};
use crate::proof::{LayerReport, ProofReport, Verdict};
use crate::record::SourceName;

/// What the daemon's own state is called beside the sources.
const STATE: &str = "state";

/// What has come of one look, under the name of what was looked through.
type Look = (String, Result<ProofReport, JobError>);

pub(super) async fn run(arguments: &ProveArgs) -> ExitCode {
    let settings = match check::load(&arguments.config.config) {
        Ok(accepted) => accepted.loaded.settings,
        Err(findings) => {
            findings.iter().for_each(|finding| output::talk(&finding.to_string()));
            return output::failed("the settings cannot be used", None);
        }
    };
    let mut looks: Vec<Look> = Vec::new();
    for described in settings.sources.values() {
        looks.push((described.name.to_string(), look_through(&settings, described).await));
    }
    looks.extend(state(&arguments.state.state_dir).await);
    if arguments.json {
        let each: Map<String, Value> = looks.iter().map(|(name, look)| (name.clone(), as_json(look))).collect();
        let is_clean = looks.iter().all(is_clean);
        output::data(&check::pretty(&json!({ "clean": is_clean, "sources": each })));
    } else {
        looks.iter().for_each(tell);
    }
    if looks.iter().all(is_clean) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The state, where there is one and this user may read it.
async fn state(dir: &Path) -> Option<Look> {
    let path = dir.join("state.db");
    if let Err(error) = path.symlink_metadata() {
        output::talk(&format!("note: the state in {} is left out: {error}", dir.display()));
        return None;
    }
    let name: SourceName = STATE.parse().ok()?;
    Some((format!("{STATE} ({})", path.display()), look_through_state(name, &path).await))
}

fn is_clean((_, look): &Look) -> bool {
    look.as_ref().is_ok_and(is_all_zero)
}

/// Here whoever has left it counts.
fn is_all_zero(report: &ProofReport) -> bool {
    report.is_clean() && report.nonzero() == 0
}

fn as_json(look: &Result<ProofReport, JobError>) -> Value {
    match look {
        Ok(report) => {
            let mut value = serde_json::to_value(report).unwrap_or_default();
            value["clean"] = is_all_zero(report).into();
            value
        }
        Err(error) => json!({ "clean": false, "error": causes(error) }),
    }
}

fn tell((name, look): &Look) {
    output::data(&format!("{name}:"));
    let report = match look {
        Ok(report) => report,
        Err(error) => {
            output::data(&format!("  {}", causes(error)));
            return;
        }
    };
    for layer in &report.layers {
        output::data(&format!("  {:<24} {}", layer.layer.as_str(), said(layer)));
        for residue in layer.residue.iter().filter(|residue| residue.bytes > 0) {
            output::data(&format!(
                "    {:<22} {:<13} {:>14} bytes, {:>12} not zero, in {} pages",
                residue.region.as_str(),
                residue.owner.as_str(),
                residue.bytes,
                residue.nonzero,
                residue.pages
            ));
        }
    }
    report.faults.iter().for_each(|fault| output::data(&format!("  {fault}")));
}

fn said(layer: &LayerReport) -> String {
    // What nobody but the application has left is not in the verdict, and counts here.
    let left: u64 = layer.residue.iter().map(|residue| residue.nonzero).sum();
    match &layer.verdict {
        Verdict::Found { count } => format!("{count} bytes that could be zero are not"),
        Verdict::Clean if left > 0 => format!("{left} bytes that could be zero are not, all the application's"),
        verdict => verdict.to_string(),
    }
}
