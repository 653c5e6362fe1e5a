//! `erasured plan`: what prepare and erase would do now, record by record.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::PlanArgs;
use super::over::Over;
use super::state::StateError;
use super::{check, keys, output, state};
use crate::clock::{SharedClock, SystemClock};
use crate::config::causes;
use crate::erasure::Preview;
use crate::jobs::{self, Foreseen, Future, JobError, Workshop};
use crate::proposal::Outcome;
use crate::store::{ClosedBrake, JobKind, RunReport, Store, StoreError};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
enum PlanError {
    #[error(transparent)]
    State(StateError),
    #[error("cannot make room for a plan")]
    Room(#[source] std::io::Error),
    #[error("cannot make room for a plan")]
    Store(#[source] StoreError),
    #[error(transparent)]
    Key(keys::KeyError),
    #[error("cannot foresee")]
    Job(#[source] JobError),
}

pub(super) async fn run(arguments: &PlanArgs) -> ExitCode {
    let accepted = match check::load(&arguments.config.config) {
        Ok(accepted) => accepted,
        Err(findings) => {
            findings.iter().for_each(|finding| output::talk(&finding.to_string()));
            return output::failed("the settings cannot be used", None);
        }
    };
    match plan(arguments, accepted).await {
        Ok(code) => code,
        Err(PlanError::State(error)) => output::failed(&causes(&error), Some(error.hint())),
        Err(error) => output::failed(&causes(&error), None),
    }
}

async fn plan(arguments: &PlanArgs, accepted: check::Accepted) -> Result<ExitCode, PlanError> {
    let clock: SharedClock = Arc::new(SystemClock);
    let dir = &arguments.state.state_dir;
    let looked = state::look(dir, Arc::clone(&clock)).await.map_err(PlanError::State)?;
    let has_state = looked.is_some();
    let room = Room::new().map_err(PlanError::Room)?;
    let (store, keys) = match looked {
        Some(looked) => looked,
        None => {
            // Nothing has been proposed or decided yet: an empty state, for as long as the plan is made.
            let store = Store::create(&room.0.join("state.db"), Arc::clone(&clock)).await.map_err(PlanError::Store)?;
            (store, keys::passing().map_err(PlanError::Key)?)
        }
    };
    if !has_state {
        output::talk(&format!("note: there is no state in {} yet: as if nothing had been proposed", dir.display()));
    }
    let over = Over::of(&accepted.loaded.settings, store.rules().await.map_err(PlanError::Store)?);
    over.notes().iter().for_each(|note| output::talk(note));
    let rules = over.json();
    let workshop = Workshop { store: Arc::new(store), settings: Arc::new(over.settings), keys, clock };
    let prepare = Part::foresee(&workshop, JobKind::Prepare, arguments.json).await.map_err(PlanError::Job)?;
    let erase = Part::foresee(&workshop, JobKind::Erase, arguments.json).await.map_err(PlanError::Job)?;
    let is_whole = prepare.troubles.is_empty() && erase.troubles.is_empty();
    if arguments.json {
        let today = workshop.today().to_string();
        let (prepare, erase) = (prepare.json(), erase.json());
        output::data(&check::pretty(&json!({
            "today": today,
            "rules": rules,
            "prepare": prepare,
            "erase": erase,
        })));
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A folder that goes when it is no longer needed.
struct Room(std::path::PathBuf);

impl Room {
    fn new() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let name = crate::record::random_bytes::<8>().map_err(std::io::Error::other)?;
        let dir = std::env::temp_dir().join(format!("erasured-plan-{}", crate::record::hex(&name)));
        std::fs::DirBuilder::new().mode(0o700).create(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "a temporary folder is left");
        }
    }
}

/// What one job would do.
struct Part {
    records: Vec<Value>,
    report: RunReport,
    troubles: Vec<String>,
}

impl Part {
    /// As text, records are printed as they come, so that a long plan needs no memory; as JSON they are one document.
    async fn foresee(workshop: &Workshop, job: JobKind, as_json: bool) -> Result<Self, JobError> {
        let mut records = Vec::new();
        if !as_json {
            output::data(&format!("{job}, if it ran now:"));
        }
        let mut watcher = |foreseen: Foreseen| {
            if as_json {
                records.push(record_json(&foreseen));
            } else {
                output::data(&format!("  {}", sentence(&foreseen)));
            }
        };
        let (report, troubles) = jobs::foresee(workshop, job, &mut watcher).await?;
        if !as_json {
            let total = report.total();
            let counts: Vec<String> = total.named().map(|(name, count)| format!("{name} {count}")).collect();
            let counts = match (counts.is_empty(), troubles.is_empty()) {
                (false, _) => counts.join(", "),
                (true, true) => "nothing to do".to_owned(),
                (true, false) => "nothing, but not all could be looked at".to_owned(),
            };
            output::data(&format!("  = {counts}"));
            troubles.iter().for_each(|trouble| output::talk(&format!("left out: {trouble}")));
            report.brakes.iter().for_each(|(category, brake)| output::talk(&braked(category, brake)));
        }
        Ok(Self { records, report, troubles })
    }

    fn json(&self) -> Value {
        let total = self.report.total();
        let counts: serde_json::Map<String, Value> = total.named().map(|(name, count)| (name, count.into())).collect();
        json!({
            "records": self.records,
            "counts": counts,
            "left_out": self.troubles,
            "brakes": self.report.brakes,
        })
    }
}

/// How the records are spread over which the brake would close.
fn braked(category: &str, brake: &ClosedBrake) -> String {
    let ClosedBrake { criteria, units, due_years, .. } = brake;
    format!("  {category} by criterion: {criteria}; by unit: {units}; by year due: {due_years}")
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Deleted => "delete",
        Outcome::Anonymised => "anonymise",
    }
}

fn why(preview: &Preview) -> String {
    match (preview.planned.outcome, preview.kept_by.as_slice()) {
        (Outcome::Deleted, _) => "nothing that stays refers to it".to_owned(),
        (Outcome::Anonymised, kept_by) => {
            let rows: Vec<String> = kept_by.iter().map(|(name, rows)| format!("{name} ({rows})")).collect();
            format!("rows that stay refer to it: {}", rows.join(", "))
        }
    }
}

fn dependents(preview: &Preview) -> String {
    let each: Vec<String> = preview
        .planned
        .dependents
        .iter()
        .map(|dependent| {
            let counts =
                [("deleted", dependent.deleted), ("changed", dependent.changed), ("left as they are", dependent.left)];
            let counts: Vec<String> = counts
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(word, count)| format!("{count} {word}"))
                .collect();
            format!("{}: {}", dependent.name, counts.join(", "))
        })
        .collect();
    if each.is_empty() { String::new() } else { format!("; {}", each.join("; ")) }
}

fn sentence(foreseen: &Foreseen) -> String {
    let record = &foreseen.record;
    match &foreseen.future {
        Future::Proposed { due, is_open, is_confirmed, preview } => {
            let origin = due.origin();
            let since = origin.due_on().map_or_else(String::new, |day| format!(" since {day}"));
            let proposed = match (is_open, is_confirmed) {
                (true, _) => "is proposed",
                (false, true) => "proposed and confirmed by the rule",
                (false, false) => "proposed",
            };
            let outcome = outcome_word(preview.planned.outcome);
            format!(
                "{record} {proposed}: {origin}{since}; would {outcome}, because {}{}",
                why(preview),
                dependents(preview)
            )
        }
        Future::BackFromPostponement => format!("{record} proposed again: its postponement is over"),
        Future::Withdrawn(reason) => format!("{record} withdrawn: {reason}"),
        Future::Returned(reason) => format!("{record} back to the clerk: {reason}"),
        Future::Held => format!("{record} held: it stays confirmed until its legal hold is released"),
        Future::Shell(preview) => format!(
            "{record} deleted: it was anonymised before, and nothing keeps its row any more{}",
            dependents(preview)
        ),
        Future::Erased(preview) => {
            format!("{record} {}, because {}{}", preview.planned.outcome.as_str(), why(preview), dependents(preview))
        }
    }
}

fn record_json(foreseen: &Foreseen) -> Value {
    let mut value = match &foreseen.future {
        Future::Proposed { due, is_open, is_confirmed, preview } => {
            let origin = due.origin();
            let mut value = preview_json(preview);
            value["action"] = if *is_open { "already-proposed" } else { "propose" }.into();
            value["origin"] = origin.code().into();
            value["criterion"] = origin.criterion().into();
            value["due_on"] = origin.due_on().map(|day| day.to_string()).into();
            value["confirmed"] = (*is_confirmed && !*is_open).into();
            value
        }
        Future::BackFromPostponement => json!({ "action": "propose-again" }),
        Future::Withdrawn(reason) => json!({ "action": "withdraw", "reason": reason.to_string() }),
        Future::Returned(reason) => json!({ "action": "return", "reason": reason.to_string() }),
        Future::Held => json!({ "action": "hold" }),
        Future::Shell(preview) => {
            let mut value = preview_json(preview);
            value["action"] = "remove-shell".into();
            value
        }
        Future::Erased(preview) => {
            let mut value = preview_json(preview);
            value["action"] = "erase".into();
            value
        }
    };
    value["record"] = foreseen.record.to_string().into();
    value
}

fn preview_json(preview: &Preview) -> Value {
    let dependents: Vec<Value> = preview
        .planned
        .dependents
        .iter()
        .map(|dependent| {
            json!({
                "name": dependent.name,
                "rule": dependent.rule.as_str(),
                "deleted": dependent.deleted,
                "changed": dependent.changed,
                "left": dependent.left,
            })
        })
        .collect();
    json!({ "outcome": outcome_word(preview.planned.outcome), "why": why(preview), "dependents": dependents })
}
