//! A daemon that has nothing to do: what it costs to have it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::daemon::{Daemon, Site};
use crate::fault::{Doing as _, Outcome, go_on};
use crate::measure::{median, rounded, told};
use crate::process::status;
use crate::report::{Figures, talk};
use crate::stage::Stage;
use crate::{data, erase};

/// Until then it has done what a start entails.
const SETTLING: Duration = Duration::from_secs(3);
/// How long its wake-ups are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// The same with few customers, where it is only to be shown that it works.
const WINDOW_SMALL: Duration = Duration::from_secs(10);
/// What few customers are.
const SMALL: u64 = 50_000;
/// Customers of its source: it has nothing to do with them.
const CUSTOMERS: u64 = 1_000;

/// Measures it.
pub fn measure(stage: &Stage, figures: &mut Figures) -> Outcome<()> {
    let site = Site::new(stage.path("idling"))?;
    data::make(&site.database(), CUSTOMERS, stage.today)?;
    // The first start makes the state and its keys.
    let first = site.start()?;
    let first_ms = first.ready_after.as_secs_f64() * 1_000.0;
    first.stop()?;
    figures.set("start_to_ready_ms", told(starts(stage, &site)?));
    let daemon = site.start()?;
    rest(&daemon, SETTLING)?;
    let window = if stage.arguments.customers < SMALL { WINDOW_SMALL } else { WINDOW };
    let (began, before) = (Instant::now(), wakeups(&daemon.proc())?);
    rest(&daemon, window)?;
    let (lasted, after) = (began.elapsed(), wakeups(&daemon.proc())?);
    let kib = status(&daemon.proc().join("status"), "VmRSS")?;
    let private_kib = status(&daemon.proc().join("status"), "RssAnon")?;
    let threads = status(&daemon.proc().join("status"), "Threads")?;
    daemon.stop()?;
    erase::discard(&site)?;
    let per_hour = after.saturating_sub(before) as f64 * 3_600.0 / lasted.as_secs_f64();
    figures.set("idle_rss_mib", rounded(kib as f64 / 1_024.0));
    figures.set("idle_wakeups_per_hour", per_hour.round());
    figures.set(
        "idle",
        json!({
            "first_start_to_ready_ms": rounded(first_ms),
            "private_rss_mib": rounded(private_kib as f64 / 1_024.0),
            "threads": threads,
            "window_s": rounded(lasted.as_secs_f64()),
        }),
    );
    talk(format_args!("idle: {per_hour:.0} wake-ups an hour, {:.1} MiB", kib as f64 / 1_024.0));
    Ok(())
}

/// How many milliseconds it takes until the daemon is ready, with the state that is there.
pub fn starts(stage: &Stage, site: &Site) -> Outcome<Option<f64>> {
    let mut took = Vec::new();
    for _ in 0..stage.arguments.runs {
        let daemon = site.start()?;
        took.push(daemon.ready_after.as_secs_f64() * 1_000.0);
        daemon.stop()?;
    }
    Ok(median(&took))
}

/// Leaves the daemon to itself.
fn rest(daemon: &Daemon<'_>, time: Duration) -> Outcome<()> {
    let began = Instant::now();
    while began.elapsed() < time {
        go_on()?;
        daemon.listen();
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// How often the threads of a process have waited for something, and were woken.
fn wakeups(proc: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(proc.join("task")).doing("see the daemon's threads")? {
        let path = thread.doing("see the daemon's threads")?.path().join("status");
        // A thread may have ended in between.
        sum += status(&path, "voluntary_ctxt_switches").unwrap_or(0);
    }
    Ok(sum)
}
