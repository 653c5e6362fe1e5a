//! What the daemon keeps of its own goes after its time, and the rest is vouched for.

use serde_json::json;

use erasured::audit::{VerifierKey, verify};

use super::Living;

async fn notes(living: &Living) -> (VerifierKey, Vec<String>) {
    let checkpoints = living.json(&["audit", "checkpoints"]).await;
    let key = checkpoints["public_key"].as_str().unwrap().parse().unwrap();
    (key, serde_json::from_value(checkpoints["checkpoints"].clone()).unwrap())
}

#[tokio::test]
async fn what_is_older_than_ten_years_is_pruned_and_the_rest_is_vouched_for() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1"]).await;
    living.json(&["hold", "customer/3", "--reason", "court case", "--reference", "3 Cg 17/26"]).await;
    living.json(&["run", "erase", "--wait"]).await;
    let (export, (key, before)) = (living.ctl(&["audit", "export"]).await.out, notes(&living).await);
    let signed = living.json(&["status"]).await["audit"]["signed"].as_u64().unwrap();

    // A clock that is eleven years ahead overnight prunes nothing.
    living.clock.advance_to("2037-12-01T09:00:00Z".parse().unwrap());
    living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!(living.json(&["audit", "verify"]).await["pruned"], 0);
    living.clock.advance_to("2037-12-09T09:00:00Z".parse().unwrap());
    living.json(&["run", "prepare", "--dry-run", "--wait"]).await;
    assert_eq!(living.json(&["audit", "verify"]).await["pruned"], 0, "a dry run leaves everything");
    living.json(&["run", "prepare", "--wait"]).await;

    let report = living.json(&["audit", "verify"]).await;
    assert_eq!((&report["intact"], &report["pruned"]), (&json!(true), &json!(signed - 1)), "{report}");
    let said = living.ctl(&["audit", "verify"]).await.out;
    assert!(said.contains(&format!("{} entries before entry {signed}\n", signed - 1)), "{said}");
    let told = living.json(&["audit", "list"]).await["items"].to_string();
    assert!(told.contains(&format!("{} entries before entry {signed} were pruned", signed - 1)), "{told}");
    let known = living.json(&["audit", "list", "--record", "customer/1"]).await["items"].clone();
    assert!(known.as_array().unwrap().iter().all(|entry| entry["seq"].as_u64().unwrap() >= signed), "{known}");
    let held = living.json(&["holds"]).await["items"][0].clone();
    assert_eq!((&held["record"], &held["reference"]), (&json!("customer/3"), &json!("3 Cg 17/26")), "{held}");

    let (exported, after) = (living.ctl(&["audit", "export"]).await.out, notes(&living).await.1);
    let verified = verify(exported.lines(), &after, &key);
    assert_eq!((verified.fault, verified.pruned), (None, signed - 1));
    assert!(verify(exported.lines().skip(1), &after, &key).fault.is_some(), "another beginning is found");
    let verified = verify(export.lines(), &before, &key);
    assert_eq!((verified.fault, verified.pruned), (None, 0), "what was exported before still verifies");
}
