//! One run of the daemon's jobs, as an operator starts it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::daemon::{Daemon, Site};
use crate::fault::{Doing as _, Fault, Outcome, go_on};
use crate::measure::Latencies;
use crate::sql::{Bind, Sql};

/// Between two looks at the size of a file.
const LOOK: Duration = Duration::from_millis(10);

/// What a run was.
pub struct Run {
    /// By its own account, or until it was stopped: runs tell their times to the millisecond.
    pub seconds: f64,
    /// From the client's beginning to its end.
    pub wall_seconds: f64,
    /// What it proposed, or erased.
    pub records: u64,
    /// The largest that the source's write-ahead log has been, in bytes.
    pub log_bytes_max: u64,
    /// Whether it was stopped because it took too long.
    pub is_cut: bool,
}

/// Runs a job to its end, or for so long.
pub fn run(site: &Site, daemon: &Daemon<'_>, job: &str, limit: Option<Duration>) -> Outcome<Run> {
    let watcher = SizeWatcher::start(site);
    let began = Instant::now();
    let mut is_cut = false;
    let said = site.ctl(&["run", job, "--wait"], || {
        daemon.listen();
        if !is_cut && limit.is_some_and(|limit| began.elapsed() > limit) {
            is_cut = true;
            daemon.ask_to_stop()?;
        }
        Ok(())
    })?;
    let wall_seconds = began.elapsed().as_secs_f64();
    let log_bytes_max = watcher.stop();
    if is_cut {
        return Ok(Run { seconds: wall_seconds, wall_seconds, records: 0, log_bytes_max, is_cut });
    }
    let run: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    if said.code != Some(0) || run["state"] != "done" {
        return Err(Fault::new(format!("erasurectl run {job} fails: {}{}", said.stdout, said.stderr)));
    }
    let count = |name: &str| run[name].as_u64().unwrap_or(0);
    let records = count("proposed") + count("deleted") + count("anonymised");
    let seconds = lasted(site, run["id"].as_i64().unwrap_or(0))?;
    Ok(Run { seconds, wall_seconds, records, log_bytes_max, is_cut })
}

/// How long a run has lasted, in seconds. The state has it to the millisecond, the client does not.
fn lasted(site: &Site, run: i64) -> Outcome<f64> {
    const TIMES: &str = "SELECT value FROM run, json_each(json_array(started_at, finished_at)) WHERE run.id = ?1";
    let mut state = Sql::reading(&site.state())?;
    let times: Vec<String> = state.column(TIMES, &[Bind::Number(run)])?;
    state.close()?;
    let at =
        |index: usize| times.get(index).map_or("", String::as_str).parse::<Timestamp>().doing("read a run's times");
    Ok(at(1)?.duration_since(at(0)?).as_secs_f64())
}

/// How many records the state of a stopped daemon has as erased.
pub fn erased(site: &Site) -> Outcome<u64> {
    let mut state = Sql::reading(&site.state())?;
    let count = state.number("SELECT count(*) FROM proposal WHERE state = 'erased'")?;
    state.close()?;
    u64::try_from(count).doing("count what was erased")
}

/// How long each batch had the database: what the daemon logs of them. Empty where it does not say.
pub fn locks(site: &Site) -> Outcome<Latencies> {
    let log = fs::File::open(site.log()).doing("read the daemon's log")?;
    let mut locks = Vec::new();
    for line in BufReader::new(log).lines() {
        let line = line.doing("read the daemon's log")?;
        // Most lines are about something else.
        if !line.contains("lock_us") {
            continue;
        }
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        locks.extend(event["fields"]["lock_us"].as_u64());
    }
    Ok(Latencies(locks))
}

/// Watches how large the source's write-ahead log gets.
struct SizeWatcher {
    is_over: Arc<AtomicBool>,
    largest: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl SizeWatcher {
    fn start(site: &Site) -> Self {
        let path = format!("{}-wal", site.database().display());
        let (is_over, largest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (over, most) = (Arc::clone(&is_over), Arc::clone(&largest));
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let size = fs::metadata(&path).map_or(0, |file| file.len());
                most.fetch_max(size, Ordering::Relaxed);
                std::thread::sleep(LOOK);
            }
        });
        Self { is_over, largest, thread }
    }

    fn stop(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        // It only looks, and has nothing to say.
        let _ = self.thread.join();
        self.largest.load(Ordering::Relaxed)
    }
}

/// Confirms so many of the records that are proposed, through the socket; gives how many it were.
pub fn confirm(site: &Site, limit: u64) -> Outcome<u64> {
    let mut state = Sql::reading(&site.state())?;
    let of_state = "SELECT json_group_array(record) FROM (SELECT category || '/' || key AS record FROM proposal \
                    WHERE state = 'proposed' ORDER BY id LIMIT ?1)";
    let limit = i64::try_from(limit).doing("count records")?;
    let records: Vec<String> = state.list(of_state, &[Bind::Number(limit)])?;
    state.close()?;
    for request in records.chunks(erasured::api::RECORDS_MAX) {
        go_on()?;
        let records: Vec<Value> = request.iter().map(|record| serde_json::json!({ "record": record })).collect();
        site.post("/v1/confirm", &serde_json::json!({ "records": records }).to_string())?;
    }
    Ok(records.len() as u64)
}
