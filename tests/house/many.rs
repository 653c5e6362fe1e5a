//! Many records: found, counted, and confirmed as a whole.

use erasured::ctl::Exit;
use serde_json::{Value, json};

use super::{Living, identity_of};

/// The records of a list.
async fn records(living: &Living, words: &[&str]) -> Vec<String> {
    let list = living.json(&[&["list"], words].concat()).await;
    list["items"].as_array().unwrap().iter().map(|item| item["record"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_counted() {
    let living = Living::prepared().await;
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap().user;
    living.json(&["confirm", "customer/2"]).await;
    assert_eq!(records(&living, &["--sort", "due"]).await, ["user/anna%403", "customer/1", "customer/2", "customer/3"]);
    assert_eq!(records(&living, &["--sort", "due", "--descending", "--limit", "1"]).await, ["customer/3"]);
    assert_eq!(records(&living, &["--due-from", "2023-01-03", "--due-to", "2023-02-28"]).await, ["customer/2"]);
    assert_eq!(records(&living, &["--decided-by", &me]).await, ["customer/2"]);
    assert_eq!(records(&living, &["--decided-by", "nobody"]).await, Vec::<String>::new());
    assert_eq!(records(&living, &["--criterion", "unseen"]).await, ["user/anna%403"]);
    assert_eq!(records(&living, &["--age", "0"]).await.len(), 4);
    assert_eq!(records(&living, &["--age", "1"]).await.len(), 0);
    living.clock.advance_to("2026-11-22T00:30:00Z".parse().unwrap());
    assert_eq!(records(&living, &["--age", "1"]).await.len(), 4, "days are those of the zone");
    assert_eq!(records(&living, &["--age", "2"]).await.len(), 0);
    assert_eq!(records(&living, &["--age", "4294967295"]).await.len(), 0);
    let totals = living.json(&["list", "--totals"]).await;
    assert_eq!((&totals["total"], &totals["categories"][0]["proposed"]), (&json!(4), &json!(2)));
    assert_eq!(totals["categories"][0]["confirmed"], 1);
    let first = living.json(&["list", "--limit", "1"]).await;
    let cursor = first["next"].as_str().unwrap();
    let elsewhere = living.ctl(&["list", "--cursor", cursor, "--sort", "due"]).await;
    assert_eq!(elsewhere.exit, Exit::Refused);
    assert!(elsewhere.err.contains("of a list in another order"), "{}", elsewhere.err);
}

#[tokio::test]
async fn people_are_found_by_what_they_are_called() {
    let living = Living::prepared().await;
    for text in ["uber", "UBER"] {
        let found = living.json(&["list", "--text", text, "--limit", "1"]).await;
        assert_eq!((&found["items"][0]["record"], &found["searched"]), (&json!("customer/2"), &json!(2)));
        assert_eq!(found["items"][0]["label"], "Huber");
        let next = found["next"].as_str().unwrap();
        let found = living.json(&["list", "--text", text, "--cursor", next]).await;
        assert_eq!((&found["items"][0]["record"], &found["searched"]), (&json!("customer/3"), &json!(2)));
        assert_eq!(found["next"], Value::Null);
    }
    let found = living.json(&["list", "--text", "Nobody"]).await;
    assert_eq!((&found["items"], &found["searched"], &found["total"]), (&json!([]), &json!(4), &json!(4)));
    let csv = living.ctl(&["list", "--text", "anna", "--csv"]).await;
    assert_eq!(csv.out.lines().count(), 2, "{}", csv.out);
}

#[tokio::test]
async fn a_set_is_confirmed_as_it_was_seen_or_not_at_all() {
    let living = Living::prepared().await;
    let customers = ["--category", "customer", "--state", "proposed"];
    let seen = living.json(&[&["list", "--digest"][..], &customers].concat()).await;
    assert_eq!((&seen["records"], &seen["proposed"]), (&json!(3), &json!(3)));
    let digest = seen["digest"].as_str().unwrap();
    let confirm = |digest: &str, count: &str| {
        let typed = ["confirm", "--all", "--digest", digest, "--yes-confirm", count].map(str::to_owned);
        let (living, customers) = (&living, customers);
        async move {
            let words: Vec<&str> = typed.iter().map(String::as_str).chain(customers).collect();
            living.ctl(&words).await
        }
    };
    living.json(&["postpone", "customer/2", "--until", "2027-06-30", "--reason", "court case"]).await;
    let refused = confirm(digest, "3").await;
    assert_eq!(refused.exit, Exit::Conflict);
    insta::assert_snapshot!(format!("{}{}", refused.out, refused.err), @r"
    RECORD      IN THE SET
    customer/2  gone
    error: cannot confirm all of the set: it has changed since the digest was made
    hint: look at what has changed, and take a new digest: erasurectl list with the same filters and --digest
    nothing was decided: the set had 3 records, and has 2 now
    ");
    assert_eq!(living.json(&["show", "customer/1"]).await["state"], "proposed");
    let seen = living.json(&[&["list", "--digest"][..], &customers].concat()).await;
    let done = confirm(seen["digest"].as_str().unwrap(), "2").await;
    assert_eq!((done.exit, done.err.as_str()), (Exit::Done, "2 done\n"));
    assert_eq!(records(&living, &["--state", "confirmed"]).await, ["customer/1", "customer/3"]);
    assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "proposed");
}

#[tokio::test]
async fn a_set_ends_where_the_scope_of_its_digest_ends() {
    let living = Living::prepared().await;
    let all = living.json(&["list", "--digest"]).await;
    assert_eq!(all["records"], 4);
    living.grant("permissions = [\"view\", \"decide\"]\ncategories = [\"user\"]");
    let refused =
        living.ctl(&["confirm", "--all", "--digest", all["digest"].as_str().unwrap(), "--yes-confirm", "4"]).await;
    assert_eq!(refused.exit, Exit::Conflict);
    assert!(refused.err.contains("the digest stands for another one"), "{}", refused.err);
    assert!(!refused.out.contains("customer"), "{}", refused.out);
    let mine = living.json(&["list", "--digest"]).await;
    assert_eq!(mine["records"], 1);
    let digest = mine["digest"].as_str().unwrap();
    let done = living.json(&["confirm", "--all", "--digest", digest, "--yes-confirm", "1"]).await;
    assert_eq!(done["done"], 1);
    for words in [["list", "--totals", "--category", "customer"], ["list", "--digest", "--category", "customer"]] {
        assert_eq!(living.ctl(&words).await.exit, Exit::NoSuchRecord, "{words:?}");
    }
}
