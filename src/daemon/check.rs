//! `erasured check`: the settings against the live schema.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

use super::args::CheckArgs;
use super::over::Over;
use super::{output, state};
use crate::clock::SystemClock;
use crate::config::{self, Category, Finding, Loaded, Severity, causes};
use crate::erasure::{SchemaChange, Shapes, accept_hint};
use crate::scheduler::Timetable;
use crate::source::check::{self, Depth};
use crate::source::{Reader, Shape, Source};

/// Settings that make sense in themselves, with what their schedules mean.
pub(super) struct Accepted {
    pub(super) loaded: Loaded,
    pub(super) timetable: Timetable,
}

/// Reads the settings; everything that is wrong with them in themselves is told at once.
pub(super) fn load(dir: &Path) -> Result<Accepted, Vec<Finding>> {
    let loaded = config::load(dir)?;
    let timetable = Timetable::from_settings(&loaded.settings)?;
    Ok(Accepted { loaded, timetable })
}

pub(super) async fn run(arguments: &CheckArgs) -> ExitCode {
    let (findings, over) = match load(&arguments.config.config) {
        Ok(accepted) => {
            // The files are checked. What is in force over them is told where the state can be read: not everybody may.
            let remembered = state::remembered(&arguments.state.state_dir, Arc::new(SystemClock)).await;
            let bared = remembered.as_ref().map(|known| accepted.loaded.settings.bared_keys(&known.personal));
            let shapes = remembered.as_ref().map(|known| known.shapes.clone()).unwrap_or_default();
            let over = remembered.map(|known| Over::of(&accepted.loaded.settings, known.rules));
            let mut findings = against_schemas(accepted.loaded, &shapes).await;
            findings.extend(bared.unwrap_or_default());
            (findings, over)
        }
        Err(findings) => (findings, None),
    };
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    if arguments.json {
        let findings: Vec<serde_json::Value> = findings.iter().map(as_json).collect();
        let rules = over.as_ref().map(Over::json);
        output::data(&pretty(&json!({ "ok": errors == 0, "findings": findings, "rules": rules })));
    } else {
        for finding in &findings {
            output::data(&finding.to_string());
        }
        if let Some(over) = &over {
            changed(over).iter().for_each(|line| output::talk(line));
        }
        output::talk(&summary(errors, findings.len() - errors, &arguments.config.config));
    }
    if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn against_schemas(loaded: Loaded, remembered: &Shapes) -> Vec<Finding> {
    let Loaded { settings, warnings: mut findings } = loaded;
    for source in settings.sources.values() {
        let mut reader = match Source::of(source).reader().await {
            Ok(reader) => reader,
            Err(error) => {
                findings.push(
                    Finding::error("source", &source.path.place, causes(&error))
                        .hint("check the path in url, and that this user may read the file and its folder"),
                );
                continue;
            }
        };
        for category in settings.categories.values().filter(|category| category.source.value == source.name) {
            match check::category(&mut reader, &settings, category, Depth::Rows).await {
                Ok(checked) => {
                    let changed = changed_schema(category, checked.shape.as_ref(), &reader, remembered);
                    findings.extend(checked.findings.into_iter().chain(changed));
                }
                Err(error) => {
                    findings.push(
                        Finding::error("source", &category.place, causes(&error))
                            .hint("the check could not be finished; try again when the database can be read"),
                    );
                }
            }
        }
        reader.close().await;
    }
    findings
}

/// What is not as it was when somebody last looked: nothing is wrong with the settings, and the next run stops there.
fn changed_schema(category: &Category, shape: Option<&Shape>, reader: &Reader, remembered: &Shapes) -> Vec<Finding> {
    let change = remembered.get(&category.name).zip(shape);
    let change = change.and_then(|(then, now)| SchemaChange::from(then, now, reader.schema()));
    let hint = accept_hint(&category.name);
    let finding = |what| Finding::warning("schema-changed", &category.table.place, what).hint(hint.clone());
    change.into_iter().flat_map(|change| change.differences).map(finding).collect()
}

/// How many changes made while running are in force over the files, and what each of them is.
fn changed(over: &Over) -> Vec<String> {
    let count = match over.rules.len() {
        0 if over.asides.is_empty() => return Vec::new(),
        1 => "1 rule that was changed while the daemon ran is in force over these files".to_owned(),
        many => format!("{many} rules that were changed while the daemon ran are in force over these files"),
    };
    [vec![count], over.notes()].concat()
}

fn summary(errors: usize, warnings: usize, dir: &Path) -> String {
    let counted = |count: usize, one: &str| match count {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    format!("{}: {}, {}", dir.display(), counted(errors, "error"), counted(warnings, "warning"))
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "code": finding.code,
        "file": finding.place.as_ref().map(|place| place.file.to_string()),
        "line": finding.place.as_ref().map(|place| place.line),
        "column": finding.place.as_ref().map(|place| place.column),
        "message": finding.message,
        "hint": finding.hint,
    })
}

/// JSON for people and programs.
pub(super) fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}
