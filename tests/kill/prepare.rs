//! Killed in a prepare run.

use serde_json::Value;

use crate::erase::{ends, killed_in_a_run};
use crate::people::{CUSTOMERS, USERS, people};
use crate::process::{Site, copied};

/// What prepare has come to: the list as clerks see it, and how often the trail says of each record that it was proposed.
fn proposed(site: &Site) -> (Vec<Value>, Vec<String>) {
    let mut listed = site.json(&["list"])["items"].as_array().unwrap().clone();
    for item in &mut listed {
        // When each was proposed differs from run to run.
        item.as_object_mut().unwrap().retain(|name, _| !name.ends_with("_at"));
    }
    let mut told = Vec::new();
    for group in site.entries("proposed").iter().flat_map(|entry| entry["records"].as_array().unwrap()) {
        let keys = group["keys"].as_array().unwrap();
        told.extend(keys.iter().map(|key| format!("{}/{key}", group["category"])));
    }
    told.sort();
    (listed, told)
}

#[tokio::test]
async fn a_kill_anywhere_in_a_prepare_run_changes_nothing() {
    let start = people("DELETE", CUSTOMERS).await;
    let undisturbed = copied(&start);
    let site = Site::at(undisturbed.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let reference = proposed(&site);
    assert_eq!((reference.0.len(), reference.1.len()), (CUSTOMERS + USERS, CUSTOMERS + USERS));
    daemon.stop();
    for (point, time) in [("prepare-proposed", 1), ("prepare-proposed", 2), ("run-finishing", 1)] {
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        killed_in_a_run(&site, "prepare", point, time);
        let left = site.state().rows("SELECT job, state FROM run").await;
        assert_eq!(left, ["'prepare'|'running'"], "{point}");
        assert_ne!(site.state().rows("SELECT count(*) FROM proposal").await, ["0"], "{point}");
        let daemon = site.daemon();
        assert_eq!(ends(&site), ["stopped", "done"], "{point}");
        assert_eq!(proposed(&site), reference, "{point}, {time}");
        site.assert_trail_holds();
        assert!(bench.dump().await == start.dump().await, "prepare changes nothing in the source");
        daemon.stop();
    }
}
