//! Killed in a final run, at every place that a batch passes.

use std::os::unix::process::ExitStatusExt as _;

use erasured::erasure::POINTS;

use crate::people::{CUSTOMERS, Ending, Left, assert_same_end, confirmed, expected};
use crate::process::{Daemon, Site, copied};

/// Places that a final run does not pass, or that other tests are about.
const ELSEWHERE: [&str; 9] = [
    "category-changed",
    "brake-looked",
    "prepare-proposed",
    "removal-begun",
    "removal-step-done",
    "removal-vacuumed",
    "start-noted",
    "source-settled",
    "trail-cut",
];
/// The place that is passed once a run.
const LAST: &str = "run-finishing";

async fn killed_everywhere(journal: &str) {
    let start = confirmed(journal, CUSTOMERS).await;
    let reference = Ending::undisturbed(&copied(&start)).await;
    for point in POINTS.into_iter().filter(|point| !ELSEWHERE.contains(point)) {
        for time in 1..=if point == LAST { 1 } else { 2 } {
            let what = format!("{journal}, {point} for the {time}. time");
            let bench = copied(&start);
            let site = Site::at(bench.dir.path());
            killed_in_a_run(&site, "erase", point, time);
            let left = Left::behind(&bench, &site).await;
            if point == LAST {
                assert_eq!((left.open, left.committed > 1), (0, true), "{what}");
            } else {
                assert_eq!(left, expected(point, time), "{what}");
            }
            let daemon = site.daemon();
            assert_eq!(
                ends(&site),
                ["done", "stopped", "done"],
                "{what}: prepare, the one that was killed, and the rest"
            );
            assert_same_end(&bench, &site, &reference, &what).await;
            daemon.stop();
        }
    }
}

/// How the runs have ended, the first first, when none is left to be done.
pub fn ends(site: &Site) -> Vec<String> {
    site.idle().iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
}

/// A daemon that is killed when a run passes this place, and by nothing else.
pub fn killed_in_a_run(site: &Site, job: &str, point: &str, time: usize) {
    let action = if time == 1 { "return".to_owned() } else { format!("{}*off->return", time - 1) };
    let mut daemon = site.start(&[("FAILPOINTS", &format!("{point}={action}"))]);
    daemon.ready();
    // It may be killed before it has answered.
    site.ctl(&["run", job]);
    assert_killed_at(site, &mut daemon, point);
}

fn assert_killed_at(site: &Site, daemon: &mut Daemon, point: &str) {
    let ended = daemon.ended();
    assert_eq!(ended.signal(), Some(9), "{point}: {}", site.log());
    let last_words = site.log().lines().last().unwrap().to_owned();
    assert!(last_words.contains("killed at a failpoint"), "{last_words}");
    assert!(last_words.contains(point), "{last_words}");
}

#[tokio::test]
async fn a_kill_anywhere_in_a_final_run_changes_nothing() {
    killed_everywhere("DELETE").await;
}

#[tokio::test]
async fn nor_does_one_beside_a_write_ahead_log() {
    killed_everywhere("WAL").await;
}

#[tokio::test]
async fn a_kill_while_the_last_one_is_mended_changes_nothing() {
    let start = confirmed("DELETE", CUSTOMERS).await;
    let reference = Ending::undisturbed(&copied(&start)).await;
    for first in ["batch-changed", "batch-committed"] {
        for second in ["start-noted", "source-settled"] {
            let what = format!("{first}, then {second}");
            let bench = copied(&start);
            let site = Site::at(bench.dir.path());
            killed_in_a_run(&site, "erase", first, 2);
            let mut daemon = site.start(&[("FAILPOINTS", &format!("{second}=return"))]);
            assert_killed_at(&site, &mut daemon, second);
            assert_eq!(daemon.news(), None, "{what}: it is not ready before all is settled");
            let left = Left::behind(&bench, &site).await;
            let is_settled = second == "source-settled";
            assert_eq!(left.open, usize::from(!is_settled), "{what}");
            assert_eq!(left.committed, 1 + usize::from(is_settled && first == "batch-committed"), "{what}");
            let daemon = site.daemon();
            assert_eq!(ends(&site), ["done", "stopped", "done"], "{what}");
            assert_same_end(&bench, &site, &reference, &what).await;
            daemon.stop();
        }
    }
}
