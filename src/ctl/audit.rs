//! The audit trail.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use super::Session;
use super::args::{Audit, AuditVerb, Verify};
use super::console::Console;
use super::exit::{Exit, Failure};
use super::json::pretty;
use super::list::tell_rest;
use super::table::{facts, or_dash, table};
use crate::api::{AuditPage, AuditQuery, Checkpoints, VerifyFault, VerifyReport};
use crate::audit::{Checkpoint, Verifier, VerifierKey};

pub(super) async fn run(session: &mut Session<'_>, asked: Audit) -> Result<Exit, Failure> {
    match asked.verb {
        AuditVerb::List { record, run, page } => {
            let record = record.map(|at| at.record);
            list(session, AuditQuery { record, run, limit: page.limit, cursor: page.cursor }).await
        }
        AuditVerb::Export => {
            session.client.pour("/v1/audit/export", &mut session.console).await?;
            Ok(Exit::Done)
        }
        AuditVerb::Checkpoints { public_key } => checkpoints(session, public_key).await,
        AuditVerb::Verify(Verify { file: None, .. }) => {
            let got = session.client.get::<VerifyReport>("/v1/audit/verify", &()).await?;
            tell(&mut session.console, &got.json, &got.value)
        }
        AuditVerb::Verify(Verify { file: Some(file), checkpoints, public_key }) => {
            // The parser has seen to it that the three come together.
            let report = verify_file(&file, &checkpoints.unwrap_or_default(), &public_key.unwrap_or_default())?;
            let json = serde_json::to_string(&report);
            let json =
                json.map_err(|error| Failure::new(Exit::Refused, format!("cannot write the report: {error}")))?;
            tell(&mut session.console, &json, &report)
        }
    }
}

async fn list(session: &mut Session<'_>, query: AuditQuery) -> Result<Exit, Failure> {
    let got = session.client.get::<AuditPage>("/v1/audit", &query).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
        return Ok(Exit::Done);
    }
    let page = got.value;
    let rows = page.items.iter().map(|entry| {
        [
            entry.seq.to_string(),
            entry.at.clone(),
            entry.actor.clone(),
            entry.kind.clone(),
            or_dash(entry.record.as_deref()),
            entry.summary.clone(),
        ]
    });
    session.console.data(&table(["ENTRY", "AT", "BY", "WHAT", "RECORD", "SUMMARY"], rows))?;
    tell_rest(&mut session.console, page.items.len(), page.total, page.next.as_deref());
    Ok(Exit::Done)
}

async fn checkpoints(session: &mut Session<'_>, public_key: bool) -> Result<Exit, Failure> {
    let got = session.client.get::<Checkpoints>("/v1/audit/checkpoints", &()).await?;
    if session.console.json {
        session.console.data(&pretty(&got.json))?;
    } else if public_key {
        session.console.data(&got.value.public_key)?;
    } else {
        for note in &got.value.checkpoints {
            session.console.data(note)?;
        }
    }
    Ok(Exit::Done)
}

/// Verifies an exported trail without any daemon, and in constant memory: whoever doubts the daemon need not ask it.
fn verify_file(export: &Path, checkpoints: &Path, public_key: &str) -> Result<VerifyReport, Failure> {
    let key = verifier_key(public_key)?;
    let notes = Checkpoint::split(&fs::read_to_string(checkpoints).map_err(|error| unread(checkpoints, &error))?);
    if notes.is_empty() {
        return Err(Failure::new(Exit::Refused, format!("cannot find a checkpoint in {}", checkpoints.display()))
            .hint("erasurectl audit checkpoints writes them, and so does the daemon's log"));
    }
    let mut trail = BufReader::new(File::open(export).map_err(|error| unread(export, &error))?);
    let mut verifier = Verifier::new(&notes, &key);
    let mut line = Vec::new();
    while trail.read_until(b'\n', &mut line).map_err(|error| unread(export, &error))? > 0 {
        // What is no UTF-8 is no entry either, and is found to be none.
        verifier.line(&String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)));
        line.clear();
    }
    let report = verifier.finish();
    Ok(VerifyReport {
        intact: report.fault.is_none(),
        entries: report.entries,
        pruned: report.pruned,
        checkpoints: notes.len() as u64,
        signed: report.verified_to,
        unsigned: report.unsigned_after,
        fault: report.fault.map(|fault| VerifyFault { seq: fault.seq, detail: fault.what }),
    })
}

/// The key as typed, or as it stands in the file that was named instead.
fn verifier_key(typed: &str) -> Result<VerifierKey, Failure> {
    if let Ok(key) = typed.parse() {
        return Ok(key);
    }
    let path = Path::new(typed);
    let text = fs::read_to_string(path).map_err(|error| {
        unread(path, &error)
            .hint("give the key itself, as erasurectl audit checkpoints --public-key writes it, or its file")
    })?;
    let read = text.trim().parse();
    read.map_err(|error| Failure::new(Exit::Refused, format!("cannot read the key in {typed}: {error}")))
}

fn unread(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Refused, format!("cannot read {}: {error}", path.display()))
}

/// Shows a report; a trail that does not hold is a failure of the verb.
fn tell(console: &mut Console<'_>, json: &str, report: &VerifyReport) -> Result<Exit, Failure> {
    let shown = if console.json { pretty(json) } else { written(report) };
    console.data(&shown)?;
    if report.intact {
        return Ok(Exit::Done);
    }
    let what = match &report.fault {
        Some(VerifyFault { seq: Some(seq), detail }) => format!("entry {seq}: {detail}"),
        Some(VerifyFault { seq: None, detail }) => detail.clone(),
        None => "it does not hold".to_owned(),
    };
    Err(Failure::new(Exit::Refused, format!("cannot vouch for the audit trail: {what}"))
        .hint("keep the trail as it is, and compare it with the checkpoints in the daemon's log"))
}

fn written(report: &VerifyReport) -> String {
    facts([
        ("trail", Some(if report.intact { "intact" } else { "NOT INTACT" }.to_owned())),
        ("entries", Some(report.entries.to_string())),
        (
            "pruned",
            (report.pruned > 0).then(|| format!("{} entries before entry {}", report.pruned, report.pruned + 1)),
        ),
        ("checkpoints", Some(report.checkpoints.to_string())),
        ("signed", Some(format!("up to entry {}", report.signed))),
        ("unsigned", Some(format!("{} entries after it", report.unsigned))),
    ])
}
