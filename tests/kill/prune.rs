//! Killed between the cut of the trail and the sweeping of what lies before it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use erasured::clock::{Clock as _, SetClock, SystemClock};
use erasured::daemon::{Order, Setup, serve};
use erasured::erasure::POINTS;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::erase::{ends, killed_in_a_run};
use crate::people::people;
use crate::process::{Site, copied};

/// Has a daemon come up at this instant, prepare, and stop.
async fn prepared_at(site: &Site, now: Timestamp) {
    let setup = Setup {
        config: site.dir.clone(),
        state_dir: site.state_dir(),
        socket: site.socket(),
        may_make_keys: true,
        clock: Arc::new(SetClock::new(now)),
    };
    let ((orders, heard), (ready, is_ready)) = (mpsc::channel(1), oneshot::channel());
    let again = Site::at(&site.dir);
    let asked = async {
        is_ready.await.unwrap();
        let asked = tokio::task::spawn_blocking(move || again.ctl(&["run", "prepare", "--wait"]));
        let run = asked.await.unwrap();
        orders.send(Order::Stop("it is over")).await.unwrap();
        run
    };
    let (ended, run) = tokio::join!(serve(setup, heard, ready), asked);
    ended.unwrap();
    assert_eq!(run.code, 0, "{run:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_behind_the_cut_leaves_a_trail_that_holds_and_the_rest_to_the_next() {
    let start = people("DELETE", 3).await;
    let settings = start.dir.path().join("erasured.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}[retention]\nkeys = \"1 year\"\n")).unwrap();
    // No two further apart than a daemon may be off, and the last longer ago than the clock has to be proved.
    let now = SystemClock.now();
    for days in [508, 258, 8] {
        let then = now.checked_sub(SignedDuration::from_hours(days * 24)).unwrap();
        prepared_at(&Site::at(start.dir.path()), then).await;
    }
    let bench = copied(&start);
    let site = Site::at(bench.dir.path());
    assert_eq!(site.state().rows("SELECT count(*) FROM cut").await, ["0"], "nothing is pruned before");
    killed_in_a_run(&site, "prepare", "trail-cut", 1);
    let before = "SELECT count(*) > 0 FROM audit WHERE seq < (SELECT entries FROM cut)";
    assert_eq!(site.state().rows("SELECT done FROM cut").await, ["0"]);
    assert_eq!(site.state().rows(before).await, ["1"], "what lies before the cut is there still");
    let daemon = site.daemon();
    site.assert_trail_holds();
    let ends = ends(&site);
    assert_eq!(ends[ends.len() - 2..], ["stopped", "done"], "{ends:?}");
    assert_eq!(site.now("SELECT done FROM cut").await, ["1"]);
    assert_eq!(site.now(before).await, ["0"], "swept by the next");
    assert_eq!(site.entries("pruned").len(), 1, "and cut once");
    site.assert_trail_holds();
    daemon.stop();
}

/// The names of the places that are passed in this file, or in any of this folder.
fn passed(path: &Path) -> BTreeSet<String> {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().flat_map(|entry| passed(&entry.unwrap().path())).collect();
    }
    let text = std::fs::read_to_string(path).unwrap();
    text.split("pass(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

/// A place that is in no list is armed by no test.
#[test]
fn every_place_that_is_passed_is_listed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(passed(&src), POINTS.map(str::to_owned).into_iter().collect());
}
