//! How the application fares: alone, beside the script, beside the daemon's prepare and beside its final run, with a
//! write-ahead log and with a rollback journal.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::application::{AT_WORK, Fared, Spec};
use crate::daemon::{Site, remove};
use crate::erase::SCRIPT_BATCH;
use crate::fault::{Fault, Outcome, go_on};
use crate::job;
use crate::measure::{rounded, told, told_ms};
use crate::process::{Part, ask};
use crate::report::{Figures, talk};
use crate::script::{Erase, Erased};
use crate::sql::Sql;
use crate::stage::Stage;

/// Records that are erased beside the application.
const CONFIRMED_MAX: u64 = 60_000;
/// How long the application is watched alone, and beside what could go on for ever.
const WINDOW: Duration = Duration::from_secs(10);
/// The same with few customers, where it is only to be shown that it works.
const WINDOW_SMALL: Duration = Duration::from_millis(1_500);
/// What few customers are.
const SMALL: u64 = 50_000;
/// Runs of prepare that are made at most to fill the time.
const PREPARES_MAX: usize = 10;

/// One way for the application to fare, and how fast the other one was meanwhile.
struct Beside {
    fared: Fared,
    rate: Option<f64>,
}

impl Beside {
    fn report(&self) -> Value {
        json!({
            "writes": self.fared.writes.report(),
            "reads": self.fared.reads.report(),
            "errors": self.fared.errors,
            "error_examples": self.fared.told,
            "rows_per_s": told(self.rate),
        })
    }
}

/// An application that is at work.
struct Neighbour(Part);

impl Neighbour {
    fn start(stage: &Stage, site: &Site, seed: u64) -> Outcome<Self> {
        let (database, customers) = (site.database(), stage.arguments.customers);
        let spec = Spec { database, customers, today: stage.today.to_string(), seed };
        let mut part = Part::start("application", &spec)?;
        let line = part.line()?;
        if line.trim() == AT_WORK { Ok(Self(part)) } else { Err(Fault::new(format!("the application says {line}"))) }
    }

    fn finish(self) -> Outcome<Fared> {
        self.0.finish()
    }
}

/// What the application met with in one journal mode.
struct Mode {
    name: &'static str,
    alone: Beside,
    script: Beside,
    prepare: Beside,
    erase: Beside,
}

/// Measures it.
pub fn measure(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    let (confirmed, _) = stage.confirm("confirmed-some", CONFIRMED_MAX)?;
    let window = if stage.arguments.customers < SMALL { WINDOW_SMALL } else { WINDOW };
    let mut modes = Vec::new();
    for (name, pragma) in [("wal", "PRAGMA journal_mode = WAL"), ("rollback", "PRAGMA journal_mode = DELETE")] {
        let with_mode = |folder: &str| -> Outcome<Site> {
            let site = stage.site(folder)?;
            let mut sql = Sql::application(&site.database())?;
            sql.script(pragma)?;
            sql.close()?;
            Ok(site)
        };
        let site = with_mode(&format!("beside-script-{name}"))?;
        let alone = alone(stage, &site, window)?;
        let script = beside_script(stage, &site, window)?;
        remove(&site.database());
        let site = with_mode(&format!("beside-erasured-{name}"))?;
        let prepare = beside_prepare(stage, &site, window)?;
        site.take_state(&confirmed)?;
        let erase = beside_erase(stage, &site)?;
        remove(&site.database());
        let p99 = |beside: &Beside| told_ms(beside.fared.writes.at(0.99));
        talk(format_args!(
            "neighbour {name}: p99 of writes alone {} ms, beside script {}, prepare {}, erase {}",
            p99(&alone),
            p99(&script),
            p99(&prepare),
            p99(&erase)
        ));
        modes.push(Mode { name, alone, script, prepare, erase });
    }
    note(figures, &modes);
    Ok(())
}

fn alone(stage: &Stage, site: &Site, window: Duration) -> Outcome<Beside> {
    let neighbour = Neighbour::start(stage, site, 1)?;
    let began = Instant::now();
    while began.elapsed() < window {
        go_on()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Beside { fared: neighbour.finish()?, rate: None })
}

fn beside_script(stage: &Stage, site: &Site, window: Duration) -> Outcome<Beside> {
    let spec = Erase {
        source: site.database(),
        proposals: stage.script_proposals()?.to_owned(),
        cutoff: stage.cutoff.clone(),
        batch: Some(SCRIPT_BATCH),
        seconds_max: Some(window.as_secs_f64()),
    };
    let neighbour = Neighbour::start(stage, site, 2)?;
    let erased: Erased = ask("script-erase", &spec)?;
    let fared = neighbour.finish()?;
    Ok(Beside { fared, rate: Some(erased.records as f64 / erased.seconds) })
}

/// One prepare may be over soon, so there are several, each with a new state; the application rests while a daemon starts.
fn beside_prepare(stage: &Stage, site: &Site, window: Duration) -> Outcome<Beside> {
    let mut fared = Fared::default();
    let (mut records, mut seconds) = (0, 0.0);
    for turn in 0..PREPARES_MAX {
        site.forget()?;
        let daemon = site.start()?;
        let neighbour = Neighbour::start(stage, site, 1_000 * (3 + turn as u64))?;
        let run = job::run(site, &daemon, "prepare", None)?;
        fared.add(neighbour.finish()?);
        daemon.stop()?;
        records += run.records;
        seconds += run.seconds;
        if seconds > window.as_secs_f64() {
            break;
        }
    }
    Ok(Beside { fared, rate: Some(records as f64 / seconds) })
}

fn beside_erase(stage: &Stage, site: &Site) -> Outcome<Beside> {
    let daemon = site.start()?;
    let neighbour = Neighbour::start(stage, site, 1_000_000)?;
    let run = job::run(site, &daemon, "erase", None)?;
    let fared = neighbour.finish()?;
    daemon.stop()?;
    Ok(Beside { fared, rate: Some(run.records as f64 / run.seconds) })
}

fn note(figures: &mut Figures, modes: &[Mode]) {
    let mut report = Map::new();
    let mut errors = 0;
    for mode in modes {
        let ms = |value: Option<u64>| value.unwrap_or(0) as f64 / 1_000.0;
        for beside in [&mode.prepare, &mode.erase] {
            figures.raise("write_p99_ms", ms(beside.fared.writes.at(0.99)));
            figures.raise("write_max_ms", ms(beside.fared.writes.max()));
            figures.raise("read_p99_ms", ms(beside.fared.reads.at(0.99)));
        }
        figures.raise("write_max_alone_ms", ms(mode.alone.fared.writes.max()));
        let (here, alone) = (mode.erase.fared.writes.at(0.5), mode.alone.fared.writes.at(0.5));
        figures.raise("write_p50_ratio", ms(here) / ms(alone).max(0.001));
        let all =
            [("alone", &mode.alone), ("script", &mode.script), ("prepare", &mode.prepare), ("erase", &mode.erase)];
        errors += all.iter().map(|(_, beside)| beside.fared.errors).sum::<u64>();
        let ratio = rounded(ms(here) / ms(alone).max(0.001));
        let mut told: Map<String, Value> =
            all.iter().map(|(name, beside)| ((*name).to_owned(), beside.report())).collect();
        told.insert("write_p50_ratio".to_owned(), json!(ratio));
        report.insert(mode.name.to_owned(), Value::Object(told));
    }
    figures.set("neighbour_errors", errors);
    figures.set("neighbour", Value::Object(report));
}
