//! Killed at any moment: while it starts, while it settles, in a batch, between two.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::people::{Ending, Left, assert_same_end, confirmed};
use crate::process::{Site, copied, wait_until};

/// How often it is killed.
const KILLS: u64 = 10;
/// Customers: enough that there is something left to do after every kill.
const CUSTOMERS: usize = 600;
/// Small batches, so that there are many.
const SETTINGS: &str =
    "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\nmax_lock = \"5 ms\"\n";

/// Some duration up to this one, another at every call. It is told when the test fails.
fn some(up_to: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    up_to * u32::try_from(random).unwrap() / 1_000
}

/// How many runs have begun here, by the log.
fn told_of_runs(site: &Site) -> usize {
    site.log().matches("the run begins").count()
}

/// Whether there is nothing left that a kill could cut short.
async fn is_done(site: &Site) -> bool {
    site.state().rows("SELECT 1 FROM proposal WHERE state IN ('confirmed', 'erasing') LIMIT 1").await.is_empty()
}

/// Whether a run stands in the book that does the rest.
async fn is_owed(site: &Site) -> bool {
    !site.state().rows("SELECT 1 FROM run WHERE job = 'erase' AND state IN ('queued', 'running')").await.is_empty()
}

#[tokio::test]
async fn a_kill_at_any_moment_changes_nothing() {
    let start = confirmed("DELETE", CUSTOMERS).await;
    std::fs::write(start.dir.path().join("erasured.toml"), SETTINGS).unwrap();
    let reference = Ending::undisturbed(&copied(&start)).await;
    let site = Site::at(start.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "erase"]);
    daemon.kill();
    let (mut told, mut in_a_run) = (Vec::new(), 0);
    for time in 0..KILLS {
        let before = told_of_runs(&site);
        let daemon = site.start(&[]);
        if time % 3 > 0 && !is_done(&site).await {
            wait_until("a run begins", || told_of_runs(&site) > before);
        }
        // Nothing to wait for here: it is the moment that is looked for.
        let moment = some(Duration::from_millis(80));
        std::thread::sleep(moment);
        daemon.kill();
        told.push(moment);
        Left::behind(&start, &site).await;
        assert!(is_done(&site).await || is_owed(&site).await, "the rest is lost after {told:?}");
        in_a_run += usize::from(!site.state().rows("SELECT 1 FROM run WHERE state = 'running'").await.is_empty());
    }
    assert!(in_a_run >= 3, "the kills missed the runs: {told:?}");
    let daemon = site.daemon();
    site.idle();
    assert_same_end(&start, &site, &reference, &format!("killed after {told:?}")).await;
    daemon.stop();
}

#[tokio::test]
async fn a_first_start_that_is_cut_short_does_not_prevent_the_next() {
    let start = confirmed("DELETE", 30).await;
    std::fs::remove_dir_all(start.dir.path().join("state")).unwrap();
    for _ in 0..KILLS {
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        let daemon = site.start(&[]);
        std::thread::sleep(some(Duration::from_millis(60)));
        daemon.kill();
        // What does not come up tells its whole log.
        site.daemon().stop();
    }
}
