//! Killed behind a commit, and the source then put back from a copy: first a wrong one, then the right one.

use crate::erase::{ends, killed_in_a_run};
use crate::people::{CUSTOMERS, Ending, assert_same_end, confirmed};
use crate::process::{Answer, Site, copied};

#[tokio::test]
async fn a_batch_that_had_committed_is_not_taken_for_one_that_had_not() {
    let start = confirmed("DELETE", CUSTOMERS).await;
    let reference = Ending::undisturbed(&copied(&start)).await;
    let bench = copied(&start);
    let site = Site::at(bench.dir.path());
    killed_in_a_run(&site, "erase", "batch-committed", 2);
    let right = std::fs::read(bench.database()).unwrap();
    std::fs::copy(start.database(), bench.database()).unwrap();
    let daemon = site.daemon();
    assert_eq!(ends(&site), ["done", "stopped", "partly"], "the source is closed");
    assert_eq!(bench.dump().await, start.dump().await, "nothing is erased in a copy from before");
    daemon.stop();
    std::fs::write(bench.database(), right).unwrap();
    let opened = Answer::of(&mut site.erasured(&["reopen", "app"]));
    assert_eq!(opened.code, 0, "{opened:?}");
    let daemon = site.daemon();
    let rest = site.json(&["run", "erase", "--wait"]);
    assert_eq!((&rest["state"], &rest["withdrawn"]), (&"done".into(), &0.into()), "{rest}");
    assert_same_end(&bench, &site, &reference, "put back").await;
    daemon.stop();
}
