//! Lets a daemon work for long, with clerks who decide at random and an application that writes all the while.
//!
//! The daemon is not killed. At the end the same must hold as after kills, and its memory must not have grown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::application::{ANOTHER, Application, BUSY_TIMEOUT, Phase};
use crate::belief::Belief;
use crate::clerks;
use crate::dice::Dice;
use crate::process::{Daemon, Site};
use crate::reckoning::{Record, assert_none, assert_settled, assert_trail_verifies};
use crate::tell;
use crate::world::{JOURNALS, LONG_AGO, table_of, world};

/// In the last quarter the daemon may have more memory than in the first, by so many percent and so many KiB.
const GROWTH_PERCENT: u64 = 15;
const GROWTH_KIB: u64 = 4_096;
/// So many records are looked at by a clerk at a time.
const DESK: usize = 12;
/// At most so many are held, so that somebody is left to be erased.
const HELD_MAX: usize = 40;

/// What came of it.
#[derive(Debug, Default)]
pub struct Counts {
    pub runs: usize,
    pub erased: usize,
    pub batches: u64,
    pub decisions: usize,
    pub writes: u64,
    pub longest_ms: u64,
    pub first_kib: u64,
    pub last_kib: u64,
}

impl Counts {
    pub fn sentence(&self, minutes: u64) -> String {
        format!(
            "in {minutes} minutes, {} runs, {} decisions of clerks and {} writes of the application, none of which waited longer \
             than {} ms, {} records were erased once, in {} batches; the daemon had {} KiB in the first quarter and {} in the \
             last, and trail, ledger and every row are as they must be.",
            self.runs,
            self.decisions,
            self.writes,
            self.longest_ms,
            self.erased,
            self.batches,
            self.first_kib,
            self.last_kib
        )
    }
}

/// Who must not have been erased, and how the daemon's memory was.
#[derive(Default)]
struct Watch {
    /// Held before the intent, and never released.
    held: BTreeSet<String>,
    /// Postponed into a future that does not come.
    postponed: BTreeSet<String>,
    memory: Vec<u64>,
}

/// Goes on for so long.
pub async fn soak(minutes: u64, seed: u64, counts: &mut Counts) {
    let mut dice = Dice::new(seed);
    let bench = world(JOURNALS[usize::try_from(dice.below(2)).unwrap()]).await;
    let (start, log) = (Belief::read(&bench).await, bench.dir.path().join("application.log"));
    let mut application = Application::start(&bench.database(), &log, dice.throw());
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    application.go_on(Phase::Everything);
    let (since, limit, mut watch) = (Instant::now(), Duration::from_secs(60 * minutes), Watch::default());
    while since.elapsed() < limit {
        turn(&site, &daemon, &mut dice, &mut watch, counts);
    }
    application.go_on(Phase::Calm);
    clerks::run_to_the_end(&site, "erase");
    let fared = application.end();
    assert_none("the application was locked out", &fared.errors);
    assert!(u128::from(fared.longest_ms) < BUSY_TIMEOUT.as_millis(), "the application waited {} ms", fared.longest_ms);
    let record = Record::read(&site).await;
    let after = start.after(&log, None);
    assert_none("erased, and should not have been", &wrongly(&record, &watch, &after));
    record.assert_explains(&bench, &after).await;
    bench.assert_sound().await;
    assert_settled(&bench, &site).await;
    assert_trail_verifies(&site);
    daemon.stop();
    (counts.erased, counts.batches) = (record.erased.len(), record.batches);
    (counts.writes, counts.longest_ms) = (fared.committed, fared.longest_ms);
    assert!(counts.erased > 0, "nobody was erased");
    look_at_memory(&watch.memory, counts);
}

/// What happens in one turn: a run, a clerk, or both at once.
fn turn(site: &Site, daemon: &Daemon, dice: &mut Dice, watch: &mut Watch, counts: &mut Counts) {
    let job = if dice.below(3) == 0 { "prepare" } else { "erase" };
    if dice.below(2) == 0 {
        clerks::run_to_the_end(site, job);
    } else {
        // The clerk works beside it.
        site.json(&["run", job]);
    }
    counts.runs += 1;
    counts.decisions += clerk(site, dice, watch);
    watch.memory.push(resident_kib(Path::new(&format!("/proc/{}/status", daemon.id()))));
    if counts.runs.is_multiple_of(100) {
        tell(format_args!("{} runs, {} decisions", counts.runs, counts.decisions));
    }
}

/// What a clerk decides now; gives about how many records.
fn clerk(site: &Site, dice: &mut Dice, watch: &mut Watch) -> usize {
    let state = if dice.below(3) == 0 { "confirmed" } else { "proposed" };
    let mut records = site.records(state);
    dice.shuffle(&mut records);
    records.truncate(DESK);
    // What has no unit of the first kind is never confirmed by anybody.
    let words: Vec<&str> = records.iter().map(String::as_str).collect();
    match dice.below(10) {
        _ if words.is_empty() => 0,
        0 => {
            let postpone = ["postpone", "--until", clerks::UNTIL, "--reason", "complaint under way"];
            let answer = site.ctl(&postpone.iter().copied().chain(words.iter().copied()).collect::<Vec<_>>());
            if answer.code == 0 {
                watch.postponed.extend(records.iter().cloned());
            }
            records.len()
        }
        1 if watch.held.len() < HELD_MAX => {
            let words = ["hold", words[0], "--reason", "lawsuit", "--reference", "3 Cg 17/26"];
            if site.ctl(&words).code == 0 {
                watch.held.insert(records[0].clone());
            }
            1
        }
        2 => {
            site.ctl(&["restore"].into_iter().chain(words.iter().copied()).collect::<Vec<_>>());
            records.len()
        }
        3 => {
            site.ctl(&["show", words[0]]);
            0
        }
        _ => confirm_what_may_be(site, dice),
    }
}

fn confirm_what_may_be(site: &Site, dice: &mut Dice) -> usize {
    let category = if dice.below(3) == 0 { "user" } else { "customer" };
    // Somebody may have decided otherwise meanwhile: nothing is confirmed then.
    usize::try_from(clerks::try_to_confirm_unit(site, category)).unwrap()
}

/// Records that are erased on the record, and were held, postponed, never confirmed, or not due.
fn wrongly(record: &Record, watch: &Watch, after: &Belief) -> Vec<String> {
    let why = |name: &String| {
        let (category, key) = name.split_once('/').unwrap();
        let table = table_of(category);
        let row = after.row(table, key)?;
        let (since, called, unit) = match category {
            "customer" => ("last_contact_on", "last_name", 1),
            "user" => ("last_seen_on", "real_name", 1),
            _ => return Some("of a category that nobody confirms"),
        };
        // Whoever has another name since may be somebody else: what was decided about the one before is withdrawn.
        let is_another = after.cell(table, row, called).as_str().is_some_and(|name| name.starts_with(ANOTHER));
        if watch.held.contains(name) {
            Some("held")
        } else if watch.postponed.contains(name) && !is_another {
            Some("postponed")
        } else if after.cell(table, row, "branch_id") != unit {
            Some("of a unit that nobody confirms")
        } else if after.cell(table, row, since) != LONG_AGO {
            Some("not due")
        } else {
            None
        }
    };
    record.erased.keys().filter_map(|name| why(name).map(|why| format!("{name} is {why}"))).collect()
}

fn resident_kib(status: &Path) -> u64 {
    let text = std::fs::read_to_string(PathBuf::from(status)).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The middle of each quarter counts: a single peak is no growth.
fn look_at_memory(memory: &[u64], counts: &mut Counts) {
    let quarter = memory.len() / 4;
    let middle = |part: &[u64]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part[part.len() / 2]
    };
    assert!(quarter > 0, "too few runs to say anything about memory: {}", memory.len());
    counts.first_kib = middle(&memory[..quarter]);
    counts.last_kib = middle(&memory[memory.len() - quarter..]);
    let allowed = counts.first_kib * (100 + GROWTH_PERCENT) / 100 + GROWTH_KIB;
    assert!(counts.last_kib <= allowed, "memory grew from {} to {} KiB", counts.first_kib, counts.last_kib);
}
