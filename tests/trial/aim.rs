//! When a daemon is killed: at a named place, or at some moment.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::process::{LIMIT, Site};

/// A start takes about so long.
const START: Duration = Duration::from_millis(200);
/// A run takes longer than this.
const RUN: Duration = Duration::from_millis(150);
/// Between two looks at a daemon that is to be killed by itself.
const LOOK: Duration = Duration::from_millis(5);
/// Looks between two questions whether anything is left to be done.
const LOOKS: u32 = 30;
/// Places that every start passes, or that one passes which has something to settle.
const OF_A_START: [&str; 2] = ["start-noted", "source-settled"];

/// Where or when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// At this place, when it is passed for this time.
    Place(&'static str, u64),
    /// At some moment of a start.
    Start,
    /// At some moment of a run.
    Run,
}

impl Aim {
    /// How it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Place(place, _) => place,
            Self::Start => "some moment of a start",
            Self::Run => "some moment of a run",
        }
    }

    /// Starts a daemon with this job to do, and kills it. Whether it was where it was aimed at: otherwise nothing was left
    /// that would have led there.
    pub fn kill(self, site: &Site, job: &str, dice: &mut Dice) -> bool {
        match self {
            Self::Place(place, time) => killed_at(site, job, place, time),
            Self::Start => {
                let daemon = site.start(&[]);
                std::thread::sleep(dice.moment(START));
                daemon.kill();
                true
            }
            Self::Run => {
                let daemon = site.daemon();
                site.ctl(&["run", job]);
                std::thread::sleep(dice.moment(RUN));
                daemon.kill();
                true
            }
        }
    }
}

fn killed_at(site: &Site, job: &str, place: &str, time: u64) -> bool {
    let action = if time == 1 { "return".to_owned() } else { format!("{}*off->return", time - 1) };
    let mut daemon = site.start(&[("FAILPOINTS", &format!("{place}={action}"))]);
    let (since, mut is_ready) = (Instant::now(), false);
    for look in 1_u32.. {
        if let Some(status) = daemon.has_ended() {
            assert_killed_there(site, status, place);
            return true;
        }
        if !is_ready && daemon.news().is_some_and(|news| news.contains("READY=1")) {
            is_ready = true;
            if OF_A_START.contains(&place) {
                break;
            }
            // It may be killed before it has answered.
            site.ctl(&["run", job]);
        }
        if is_ready && look % LOOKS == 0 && is_idle(site) {
            break;
        }
        assert!(since.elapsed() < LIMIT, "{place}: the daemon neither ends nor comes to an end:\n{}", last_words(site));
        std::thread::sleep(LOOK);
    }
    match daemon.has_ended() {
        Some(status) => assert_killed_there(site, status, place),
        None => daemon.kill(),
    }
    false
}

/// Whether no run waits or goes on. A daemon that is gone has not answered, and is not.
fn is_idle(site: &Site) -> bool {
    let answer = site.ctl(&["runs", "--json"]);
    answer.code == 0
        && answer.json()["items"]
            .as_array()
            .is_some_and(|runs| runs.iter().all(|run| run["state"] != "queued" && run["state"] != "running"))
}

fn assert_killed_there(site: &Site, status: ExitStatus, place: &str) {
    assert_eq!(status.signal(), Some(9), "{place}: the daemon ended by itself:\n{}", last_words(site));
    let log = site.log();
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains("killed at a failpoint") && last.contains(place), "{place}: {last}");
}

/// The end of the log.
fn last_words(site: &Site) -> String {
    let log = site.log();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
