//! Killed between the look of the brake and what it lets through.

use crate::erase::{ends, killed_in_a_run};
use crate::people::{CUSTOMERS, USERS, confirmed, people};
use crate::process::{Site, copied};

const POINT: &str = "brake-looked";

#[tokio::test]
async fn a_kill_behind_the_look_of_prepare_has_proposed_nothing() {
    let bench = people("DELETE", CUSTOMERS).await;
    looked_at(&bench);
    let site = Site::at(bench.dir.path());
    killed_in_a_run(&site, "prepare", POINT, 1);
    assert_eq!(site.state().rows("SELECT count(*) FROM proposal").await, ["0"]);
    let daemon = site.daemon();
    assert_eq!(ends(&site), ["stopped", "done"]);
    assert_eq!(site.json(&["list"])["total"], CUSTOMERS + USERS);
    site.assert_trail_holds();
    daemon.stop();
}

#[tokio::test]
async fn a_kill_behind_the_look_of_the_final_job_has_erased_nothing() {
    let start = confirmed("DELETE", CUSTOMERS).await;
    looked_at(&start);
    let bench = copied(&start);
    let site = Site::at(bench.dir.path());
    killed_in_a_run(&site, "erase", POINT, 1);
    assert!(bench.dump().await == start.dump().await, "nothing has been erased");
    let daemon = site.daemon();
    assert_eq!(ends(&site), ["done", "stopped", "done"]);
    assert_eq!(site.json(&["list"])["total"], 0);
    site.assert_trail_holds();
    daemon.stop();
}

/// From now on the customers are looked at, and are not too many.
fn looked_at(bench: &crate::common::Bench) {
    let path = bench.dir.path().join("categories/customer.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, before.replace("brake.share = \"100 %\"", "brake.count = 1000")).unwrap();
}
