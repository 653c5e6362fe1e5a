//! Lists, trail and start where there is much in the state.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use erasured::audit::{By, Checkpoint, CheckpointKey, Entry, Head, Kind, RecordGroup};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::daemon::{Site, program};
use crate::fault::{Doing as _, Fault, Outcome, go_on};
use crate::measure::{median, rounded, told};
use crate::process::answer;
use crate::report::{Figures, talk};
use crate::settings::CATEGORY;
use crate::stage::Stage;
use crate::{erase, idle};

/// Entries of the trail that is made to be verified.
const ENTRIES: u64 = 200_000;
/// The same with few customers, where it is only to be shown that it works.
const ENTRIES_SMALL: u64 = 20_000;
/// What few customers are.
const SMALL: u64 = 50_000;
const INSTALLATION: &str = "00112233445566778899aabbccddeeff";

/// Measures it.
pub fn measure(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    lists(stage, figures)?;
    let made;
    let site = match stage.erased() {
        Some(site) => site,
        None => {
            made = stage.site("erasing")?;
            erase::by_daemon(stage, &made, None)?;
            &made
        }
    };
    figures.set("start_to_ready_big_ms", told(idle::starts(stage, site)?));
    let (seconds, entries, bytes) = own_trail(stage, site)?;
    figures.set("audit_verify_mib_per_s", told(Some(bytes as f64 / 1_048_576.0 / seconds)));
    let rate = made_trail(stage)?;
    figures.set("audit_verify_entries_per_s", told(Some(rate)));
    figures.set("scale", json!({"trail_entries": entries, "trail_mib": rounded(bytes as f64 / 1_048_576.0)}));
    talk(format_args!("scale: {rate:.0} entries of a trail verified a second"));
    Ok(())
}

/// The first pages of a list of everything that is proposed.
fn lists(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    let site = stage.site("listing")?;
    site.take_state(stage.prepared()?)?;
    let daemon = site.start()?;
    let (mut first, mut next) = (Vec::new(), Vec::new());
    for _ in 0..stage.arguments.runs {
        let began = Instant::now();
        let page = site.json(&["list"])?;
        first.push(began.elapsed().as_secs_f64() * 1_000.0);
        if page["total"].as_u64() != Some(stage.due()) {
            return Err(Fault::new(format!("the list has {} proposals", page["total"])));
        }
        if let Some(cursor) = page["next"].as_str() {
            let began = Instant::now();
            site.json(&["list", "--cursor", cursor])?;
            next.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    daemon.stop()?;
    erase::discard(&site)?;
    figures.set("list_first_page_ms", told(median(&first)));
    figures.set("list_next_page_ms", told(median(&next)));
    Ok(())
}

/// Verifies the trail that the daemon has written: seconds, entries, bytes.
fn own_trail(stage: &Stage, site: &Site) -> Outcome<(f64, u64, u64)> {
    let daemon = site.start()?;
    let [trail, notes, key] = ["trail.jsonl", "checkpoints.txt", "key.txt"].map(|name| stage.path(name));
    site.save(&["audit", "export"], &trail)?;
    site.save(&["audit", "checkpoints"], &notes)?;
    site.save(&["audit", "checkpoints", "--public-key"], &key)?;
    daemon.stop()?;
    let bytes = fs::metadata(&trail).map_or(0, |file| file.len());
    let (seconds, entries) = verified(stage, &trail, &notes, &key.to_string_lossy())?;
    Ok((seconds, entries, bytes))
}

/// Verifies a trail of many entries of one record each, as clerks make them; gives entries a second.
fn made_trail(stage: &Stage) -> Outcome<f64> {
    let (trail, notes) = (stage.path("made.jsonl"), stage.path("made-checkpoints.txt"));
    let count = if stage.arguments.customers < SMALL { ENTRIES_SMALL } else { ENTRIES };
    let at = Timestamp::from_second(1_700_000_000).doing("reckon with times")?;
    let mut out = BufWriter::new(File::create(&trail).doing("make a trail")?);
    let mut head = Head::EMPTY;
    for number in 0..count {
        let kind = match number {
            0 => Kind::StateCreated { installation: INSTALLATION.to_owned() },
            _ => confirmed(number),
        };
        let entry = Entry::next(&head, at, By::daemon(), &kind);
        writeln!(out, "{}", entry.to_line()).doing("make a trail")?;
        head = entry.head();
    }
    out.flush().doing("make a trail")?;
    let key = CheckpointKey::from_secret(&[7; 32]);
    let note = key.sign(&Checkpoint::over(INSTALLATION.to_owned(), head));
    fs::write(&notes, note).doing("write checkpoints")?;
    let (seconds, entries) = verified(stage, &trail, &notes, &key.verifier(INSTALLATION).to_string())?;
    if entries == count { Ok(count as f64 / seconds) } else { Err(Fault::new("the client has not read all entries")) }
}

fn confirmed(number: u64) -> Kind {
    let records = vec![RecordGroup { category: CATEGORY.to_owned(), keys: vec![number.to_string()] }];
    Kind::Confirmed { records }
}

/// Verifies a trail without any daemon; gives the median of the seconds, and how many entries there are.
fn verified(stage: &Stage, trail: &Path, notes: &Path, key: &str) -> Outcome<(f64, u64)> {
    let (mut took, mut entries) = (Vec::new(), 0);
    for _ in 0..stage.arguments.runs {
        let mut command: Command = program(env!("CARGO_BIN_EXE_erasurectl"));
        command.args(["--json", "audit", "verify", "--file"]).arg(trail).arg("--checkpoints").arg(notes);
        let began = Instant::now();
        let said = answer(command.args(["--public-key", key]), go_on)?;
        took.push(began.elapsed().as_secs_f64());
        let report: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
        if said.code != Some(0) || report["intact"] != true {
            return Err(Fault::new(format!("the trail does not hold: {}{}", said.stdout, said.stderr)));
        }
        entries = report["entries"].as_u64().unwrap_or(0);
    }
    Ok((median(&took).unwrap_or(0.0), entries))
}
