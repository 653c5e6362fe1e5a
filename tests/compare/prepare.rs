//! Proposing: one statement by hand against the daemon's prepare.

use serde_json::json;

use crate::daemon::{copy, remove};
use crate::fault::{Fault, Outcome};
use crate::job;
use crate::measure::{median, rounded, told};
use crate::report::{Figures, talk};
use crate::script::Proposed;
use crate::stage::Stage;

/// Measures it, and leaves on the stage what was proposed last.
pub fn measure(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    let site = stage.site("preparing")?;
    site.check()?;
    let (source, target) = (stage.path("script-source.db"), stage.path("proposals.db"));
    copy(stage.original()?, &source)?;
    let (mut ours, mut walls, mut theirs, mut script_peak, mut peak) = (Vec::new(), Vec::new(), Vec::new(), 0, 0);
    for round in 1..=stage.arguments.runs {
        site.forget()?;
        let daemon = site.start()?;
        let run = job::run(&site, &daemon, "prepare", None)?;
        peak = peak.max(daemon.peak_kib()?);
        daemon.stop()?;
        remove(&target);
        let Proposed { rows, seconds, peak_kib } = stage.propose(&source, &site.state(), &target)?;
        talk(format_args!("prepare {round}: script {seconds:.2} s, erasured {:.2} s, {rows} rows", run.seconds));
        if rows != stage.due() || run.records != rows {
            let due = stage.due();
            return Err(Fault::new(format!("{due} are due, the script proposes {rows} and erasured {}", run.records)));
        }
        script_peak = script_peak.max(peak_kib);
        ours.push(run.seconds);
        walls.push(run.wall_seconds);
        theirs.push(seconds);
    }
    remove(&source);
    figures.set("state_bytes_per_proposal", per_record(&site.state(), stage.due()));
    stage.is_prepared(&site)?;
    stage.is_proposed(target)?;
    let (ours_s, theirs_s) = (median(&ours).unwrap_or(0.0), median(&theirs).unwrap_or(0.0));
    figures.set("prepare_time_ratio", told(Some(ours_s / theirs_s)));
    figures.set("prepare_rows_per_s", told(Some(stage.due() as f64 / ours_s)));
    figures.raise("peak_rss_mib", peak as f64 / 1024.0);
    let seconds = |list: &[f64]| list.iter().copied().map(rounded).collect::<Vec<_>>();
    figures.set(
        "prepare",
        json!({
            "script_s": seconds(&theirs),
            "script_rows_per_s": told(Some(stage.due() as f64 / theirs_s)),
            "script_peak_rss_mib": rounded(script_peak as f64 / 1024.0),
            "erasured_s": seconds(&ours),
            "erasured_with_client_s": seconds(&walls),
            "erasured_peak_rss_mib": rounded(peak as f64 / 1024.0),
        }),
    );
    Ok(())
}

/// Confirms everything, and notes how fast that goes. It is no bar: clerks are slower.
pub fn confirm(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    let confirmed = stage.confirm_all()?;
    let rate = confirmed.records as f64 / confirmed.seconds;
    talk(format_args!("confirm: {rate:.0} records/s"));
    figures.set("confirm_rows_per_s", told(Some(rate)));
    figures.set("confirm_peak_rss_mib", rounded(confirmed.peak_kib as f64 / 1024.0));
    Ok(())
}

/// Size of a database that nobody has open, by records.
pub fn per_record(database: &std::path::Path, records: u64) -> serde_json::Value {
    let size = std::fs::metadata(database).map_or(0, |file| file.len());
    told(Some(size as f64 / records.max(1) as f64))
}
