//! Erasing: two scripts against the daemon's final run, with the application quiet. Also where a dependent column has no
//! index.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::{Site, copy, remove};
use crate::fault::{Fault, Outcome};
use crate::measure::{Latencies, median, rounded, told};
use crate::prepare::per_record;
use crate::report::{Figures, talk};
use crate::script::{Erase, Erased};
use crate::stage::Stage;
use crate::{job, process, same};

/// Records of a transaction of the script.
pub const SCRIPT_BATCH: usize = 1_000;
/// Where it takes longer than this without an index, the rate until then has to do.
const UNINDEXED_LIMIT: Duration = Duration::from_secs(600);

/// What several runs of one kind come to.
#[derive(Default)]
struct Series {
    rates: Vec<f64>,
    records: u64,
    locks: Latencies,
    peak_kib: u64,
}

impl Series {
    fn add(&mut self, records: u64, seconds: f64, locks: Latencies, peak_kib: u64) {
        self.rates.push(records as f64 / seconds.max(1e-6));
        self.records = records;
        self.locks.0.extend(locks.0);
        self.peak_kib = self.peak_kib.max(peak_kib);
    }

    fn rate(&self) -> Option<f64> {
        median(&self.rates)
    }

    fn report(&self) -> Value {
        let rates: Vec<f64> = self.rates.iter().copied().map(rounded).collect();
        let locks = if self.locks.0.is_empty() { Value::Null } else { self.locks.report() };
        json!({
            "records": self.records,
            "rows_per_s": rates,
            "lock": locks,
            "peak_rss_mib": rounded(self.peak_kib as f64 / 1024.0),
        })
    }
}

fn ratio(one: &Series, other: &Series) -> Value {
    told(one.rate().zip(other.rate()).map(|(one, other)| one / other))
}

/// Measures it where every reference has an index.
pub fn measure(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    let (mut looped, mut at_once, mut ours) = (Series::default(), Series::default(), Series::default());
    let mut log_bytes_max = 0;
    for round in 1..=stage.arguments.runs {
        let file = stage.path("script.db");
        let batched = by_script(stage, &file, Some(SCRIPT_BATCH), true)?;
        let site = stage.site(&format!("erasing-{round}"))?;
        let run = by_daemon(stage, &site, None)?;
        let differences = same::differences(&file, &site.database())?;
        if !differences.is_empty() || batched.records != stage.due() || run.records != stage.due() {
            return Err(Fault::new(format!(
                "of {} due records the script erased {} and erasured {}; {}",
                stage.due(),
                batched.records,
                run.records,
                differences.join("; ")
            )));
        }
        log_bytes_max = log_bytes_max.max(run.log_bytes_max);
        figures.set("state_bytes_per_record", per_record(&site.state(), run.records));
        ours.add(run.records, run.seconds, run.locks, run.peak_kib);
        looped.add(batched.records, batched.seconds, batched.locks, batched.peak_kib);
        remove(&file);
        if round == stage.arguments.runs {
            stage.is_erased(site)?;
        } else {
            discard(&site)?;
        }
        let single = by_script(stage, &file, None, true)?;
        remove(&file);
        at_once.add(single.records, single.seconds, single.locks, single.peak_kib);
        let last = |series: &Series| series.rates.last().copied().unwrap_or(0.0);
        talk(format_args!(
            "erase {round}: script {:.0}/s, in one transaction {:.0}/s, erasured {:.0}/s",
            last(&looped),
            last(&at_once),
            last(&ours)
        ));
    }
    figures.set("erase_rate_ratio", ratio(&ours, &looped));
    figures.set("erase_rate_ratio_one_transaction", ratio(&ours, &at_once));
    figures.set("erase_rows_per_s", told(ours.rate()));
    figures.set("erase_lock_p99_ms", ours.report()["lock"]["p99_ms"].clone());
    figures.set("erase_lock_max_ms", ours.report()["lock"]["max_ms"].clone());
    figures.set("source_log_max_mib", rounded(log_bytes_max as f64 / 1_048_576.0));
    figures.raise("peak_rss_mib", ours.peak_kib as f64 / 1024.0);
    let scripts = json!({"script": looped.report(), "script_one_transaction": at_once.report()});
    figures.set("erase", json!({"erasured": ours.report(), "by_hand": scripts}));
    Ok(())
}

/// Measures it where the addresses' reference has no index.
pub fn unindexed(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    let (mut at_once, mut ours) = (Series::default(), Series::default());
    let mut is_cut = false;
    for round in 1..=stage.arguments.runs {
        let file = stage.path("script.db");
        let single = by_script(stage, &file, None, false)?;
        remove(&file);
        at_once.add(single.records, single.seconds, single.locks, single.peak_kib);
        let site = stage.site("erasing")?;
        Stage::unindex(&site.database())?;
        let run = by_daemon(stage, &site, Some(UNINDEXED_LIMIT))?;
        discard(&site)?;
        ours.add(run.records, run.seconds, run.locks, run.peak_kib);
        let rate = run.records as f64 / run.seconds;
        talk(format_args!(
            "unindexed {round}: erasured {rate:.0}/s, script in one transaction {:.0}/s",
            at_once.rates[round - 1]
        ));
        is_cut |= run.is_cut;
        // What takes so long is not better known for being repeated.
        if run.seconds > UNINDEXED_LIMIT.as_secs_f64() / 3.0 {
            break;
        }
    }
    let indexed = figures.number("erase_rows_per_s");
    figures.set("unindexed_rate_ratio", told(ours.rate().zip(indexed).map(|(one, other)| one / other)));
    figures.set("unindexed_rows_per_s", told(ours.rate()));
    let by_hand = at_once.report();
    figures.set(
        "unindexed",
        json!({"erasured": ours.report(), "script_one_transaction": by_hand, "was_cut_short": is_cut}),
    );
    Ok(())
}

fn by_script(stage: &Stage, file: &Path, batch: Option<usize>, is_indexed: bool) -> Outcome<Erased> {
    copy(stage.original()?, file)?;
    if !is_indexed {
        Stage::unindex(file)?;
    }
    let (proposals, cutoff) = (stage.script_proposals()?.to_owned(), stage.cutoff.clone());
    process::ask("script-erase", &Erase { source: file.to_owned(), proposals, cutoff, batch, seconds_max: None })
}

/// What the daemon's final run came to.
pub struct DaemonRun {
    records: u64,
    seconds: f64,
    locks: Latencies,
    peak_kib: u64,
    log_bytes_max: u64,
    is_cut: bool,
}

/// Lets the daemon erase at this site all that is due.
pub fn by_daemon(stage: &Stage, site: &Site, limit: Option<Duration>) -> Outcome<DaemonRun> {
    site.take_state(stage.confirmed()?)?;
    let daemon = site.start_talkative()?;
    let run = job::run(site, &daemon, "erase", limit)?;
    let peak_kib = if run.is_cut { 0 } else { daemon.peak_kib()? };
    daemon.stop()?;
    let records = job::erased(site)?;
    let locks = job::locks(site)?;
    let (seconds, log_bytes_max, is_cut) = (run.seconds, run.log_bytes_max, run.is_cut);
    Ok(DaemonRun { records, seconds, locks, peak_kib, log_bytes_max, is_cut })
}

/// Removes a site.
pub fn discard(site: &Site) -> Outcome<()> {
    fs::remove_dir_all(&site.dir).map_err(|error| Fault::new(format!("cannot remove a site: {error}")))
}
