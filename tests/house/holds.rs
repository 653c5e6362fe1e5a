//! Holds and reasons in the words of the client.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const SETTINGS: &str = "\n[reasons.postpone]\nfree_text = false\nguarantee = \"the guarantee has not run out\"\n\
     court = \"a court has the file\"\n[reasons.hold]\nlawsuit = \"a lawsuit is pending\"\n";

impl Living {
    fn add(&self, toml: &str) {
        let path = self.bench.dir.path().join("erasured.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{before}{toml}")).unwrap();
        self.settings.post(Arc::new(self.bench.settings()), &[]);
    }
}

#[tokio::test]
async fn a_hold_from_being_set_to_being_released() {
    let living = Living::prepared().await;
    living.add(SETTINGS);
    living.json(&["confirm", "customer/1", "customer/2"]).await;
    let hold = living.json(&["hold", "customer/1", "--reason", "1", "--reference", " 3 Cg 17/26 "]).await;
    assert_eq!((&hold["reason"], &hold["standard_reason"]), (&json!("a lawsuit is pending"), &json!("lawsuit")));
    assert_eq!((&hold["reference"], &hold["label"], &hold["hold"]), (&json!("3 Cg 17/26"), &json!("Maier"), &json!(1)));
    let typed = living.json(&["hold", "customer/4", "--reason", "the heirs have asked", "--reference", "A 1"]).await;
    assert_eq!((&typed["reason"], &typed["standard_reason"]), (&json!("the heirs have asked"), &Value::Null));
    living.json(&["hold", "customer/1", "--reason", "lawsuit", "--reference", "A 2"]).await;
    let show = living.json(&["show", "customer/1"]).await;
    assert_eq!(show["blocked"][0]["reason"], "held since 2026-11-21: a lawsuit is pending (3 Cg 17/26)");
    assert_eq!(show["held_since"], "2026-11-21");
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["held"], &run["left"], &run["anonymised"]), (&json!(1), &json!(1), &json!(1)));

    let first = living.json(&["holds", "--limit", "2"]).await;
    let rest = living.json(&["holds", "--cursor", first["next"].as_str().unwrap()]).await;
    assert_eq!((&first["total"], &rest["items"][0]["hold"], &rest["next"]), (&json!(3), &json!(3), &Value::Null));
    assert_eq!(living.ctl(&["release", "customer/1"]).await.exit, Exit::Conflict);
    let released = living.json(&["release", "customer/1", "--reference", "A 2", "--reason", "settled"]).await;
    assert_eq!(released["released"], true);
    living.json(&["release", "customer/1", "--hold", "1"]).await;
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["deleted"], 1);
    let trail = living.json(&["audit", "list", "--record", "customer/1"]).await;
    let kinds: Vec<_> = trail["items"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds[..4], ["erased", "batch_intent", "hold_released", "hold_released"]);
    assert_eq!(trail["items"][3]["summary"], "hold 3 was released: settled");
}

#[tokio::test]
async fn what_is_said_to_who_cannot_hold_or_release() {
    let living = Living::prepared().await;
    living.add(SETTINGS);
    living.json(&["confirm", "customer/1"]).await;
    living.json(&["run", "erase", "--wait"]).await;
    living.json(&["hold", "customer/4", "--reason", "1", "--reference", "A 1"]).await;
    let mut told = String::new();
    for words in [
        ["hold", "customer/1", "--reason", "lawsuit", "--reference", "A 1"].as_slice(),
        &["hold", "customer/4", "--reason", "lawsuit", "--reference", "A 1"],
        &["hold", "customer/99", "--reason", "lawsuit", "--reference", "A 1"],
        &["hold", "nothing/99", "--reason", "lawsuit", "--reference", "A 1"],
        &["hold", "customer/4", "--reason", "2", "--reference", "A 2"],
        &["hold", "customer/4", "--reason", "lawsuit", "--reference", "A\n2"],
        &["release", "customer/99"],
        &["release", "customer/4", "--hold", "17"],
        &["holds", "--cursor", "nowhere"],
        &["postpone", "customer/2", "--until", "2027-06-30", "--reason", "garantee"],
        &["postpone", "customer/2", "--until", "2027-06-30", "--reason", "because"],
    ] {
        let said = living.ctl(words).await;
        told.push_str(&format!("{} -> {:?}\n{}", words.join(" "), said.exit, said.err));
    }
    insta::assert_snapshot!(told);
    living.json(&["postpone", "customer/2", "--until", "2027-06-30", "--reason", "2"]).await;
    let listed = living.json(&["list", "--state", "postponed"]).await;
    assert_eq!(listed["items"][0]["reason"], "a court has the file");
    let show = living.json(&["show", "customer/2"]).await;
    assert_eq!(show["history"][1]["reason"], "until 2027-06-30: a court has the file");
    assert_eq!(living.json(&["reasons", "hold"]).await["kinds"][0]["reasons"][0]["name"], "lawsuit");
    living.grant("permissions = [\"view\"]");
    assert_eq!(living.ctl(&["holds"]).await.exit, Exit::NotPermitted);
}

/// Whoever has the key now is held as well, and is not told why somebody else was.
#[tokio::test]
async fn what_was_said_about_one_person_is_not_told_of_another() {
    let living = Living::prepared().await;
    living.json(&["hold", "customer/1", "--reason", "the heirs of Maier have asked", "--reference", "A 1"]).await;
    living.bench.sql("UPDATE customers SET last_name = 'Moser' WHERE id = 1").await;
    assert_eq!(living.json(&["run", "prepare", "--wait"]).await["withdrawn"], 1);
    let show = living.json(&["show", "customer/1"]).await;
    assert_eq!(show["blocked"][0]["reason"], "held since 2026-11-21, for another person under the key", "{show}");
    living.json(&["confirm", "customer/1"]).await;
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["held"], 1);
}

/// A batch that the application's trigger refuses is halved until the culprits stand alone.
async fn refusing() -> Living {
    let living = living().await;
    living.bench.sql("CREATE TRIGGER guard BEFORE DELETE ON customers BEGIN SELECT RAISE(ABORT, 'no'); END").await;
    living.bench.category("customer", &format!("triggers = [\"guard\"]\n{CUSTOMER}"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.json(&["run", "prepare", "--wait"]).await;
    living.json(&["confirm", "customer/1", "customer/2", "customer/3"]).await;
    living
}

impl Living {
    /// Whether a batch has been refused by now.
    async fn is_refused(&self) -> bool {
        self.store.audit_after(0, 1_000).await.unwrap().iter().any(|entry| entry.kind == "batch_settled")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_batch_that_is_halved_and_what_is_decided_meanwhile_holds() {
    let living = refusing().await;
    let is_done = AtomicBool::new(false);
    let meddle = async || {
        if living.is_refused().await && !is_done.swap(true, Ordering::SeqCst) {
            living.json(&["hold", "customer/3", "--reason", "a lawsuit", "--reference", "A 1"]).await;
            living.json(&["restore", "customer/2"]).await;
        }
    };
    let stop = || {
        at_once(meddle());
        false
    };
    let run = living.carry_out("erase", &stop).await;
    assert!(is_done.load(Ordering::SeqCst), "{run}");
    let counts = ["deleted", "anonymised", "returned", "held", "left"].map(|name| run[name].as_u64().unwrap());
    assert_eq!((&run["state"], counts), (&json!("done"), [0, 0, 1, 1, 1]), "{run}");
    for (record, state) in [("customer/1", "proposed"), ("customer/2", "proposed"), ("customer/3", "confirmed")] {
        assert_eq!(living.json(&["show", record]).await["state"], state, "{record}");
    }
    assert_eq!(living.bench.rows("SELECT count(*) FROM customers WHERE last_name IS NOT NULL").await, ["5"]);
}

#[tokio::test]
async fn what_the_database_says_against_it_is_told_of_the_record_and_of_the_run() {
    let living = refusing().await;
    let run = living.json(&["run", "erase", "--wait"]).await;
    let told = "customer: 2 records were not erased, for the database refused it: cannot delete from customers: no";
    assert!(run["notes"].as_array().unwrap().contains(&json!(told)), "{run}");
    assert_eq!((&run["returned"], &run["anonymised"]), (&json!(2), &json!(1)), "{run}");
    let shown = living.json(&["show", "customer/1"]).await;
    assert_eq!(shown["reason"], "the database refused to erase it: cannot delete from customers: no");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_halved_ends_when_the_run_is_to_stop() {
    let living = refusing().await;
    let run = living.carry_out("erase", &|| at_once(living.is_refused())).await;
    assert_eq!((&run["state"], &run["returned"], &run["left"]), (&json!("stopped"), &json!(0), &json!(3)), "{run}");
    assert!(living.store.open_batches().await.unwrap().is_empty());
}
