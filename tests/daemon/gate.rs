//! The schema gate over the real daemon: told in the log when it closes and when it opens again, and no more often; known
//! to `check` without the daemon.

use serde_json::json;

use crate::office::office;
use crate::process::{Answer, Site};

const OTHER_TYPE: &str = "
    CREATE TABLE anew (login TEXT PRIMARY KEY NOT NULL, last_seen_on BLOB);
    INSERT INTO anew SELECT * FROM users; DROP TABLE users; ALTER TABLE anew RENAME TO users";
const CHANGED: &str = "the type of last_seen_on of users was TEXT and is BLOB";

#[tokio::test]
async fn a_closed_gate_is_told_once_and_survives_a_restart() {
    let bench = office(3).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let check = Answer::of(&mut site.erasured(&["check"]));
    assert!(!check.stdout.contains("was TEXT"), "{check:?}");
    bench.sql(OTHER_TYPE).await;
    let check = Answer::of(&mut site.erasured(&["check"]));
    assert_eq!(check.code, 0, "a warning: {check:?}");
    assert!(check.stdout.contains(CHANGED) && check.stdout.contains("erasurectl schema accept user"), "{check:?}");

    for _ in 0..2 {
        let run = site.ctl(&["run", "prepare", "--wait", "--json"]);
        assert!(run.stdout.contains("partly") && run.stdout.contains(CHANGED), "{run:?}");
        site.json(&["status"]);
    }
    daemon.says("the schema gate of a category is closed");
    daemon.kill();
    let daemon = site.daemon();
    let status = site.json(&["status"]);
    let of = |name: &str| status["categories"].as_array().unwrap().iter().find(|of| of["category"] == name).cloned();
    assert_eq!(of("user").unwrap()["gate"]["findings"][0]["message"], CHANGED);
    assert_eq!(of("customer").unwrap()["gate"], json!(null));
    assert_eq!(site.entries("schema_gate_closed").len(), 1);

    // Back as it was: nobody has to accept anything.
    bench.sql(&OTHER_TYPE.replace("BLOB", "TEXT")).await;
    assert_eq!(site.json(&["run", "prepare", "--wait"])["state"], "done");
    daemon.says("the schema gate of a category is open again");
    assert_eq!((site.entries("schema_gate_opened").len(), site.entries("schema_noted").len()), (1, 1));
    site.assert_trail_holds();
    daemon.stop();
}
