//! What the final job finds when it looks again: only who is still due and still the same person is erased.

use serde_json::Value;

use crate::office::{erased, office};
use crate::process::Site;

fn show(site: &Site, record: &str) -> Value {
    site.json(&["show", record])
}

#[tokio::test]
async fn who_is_no_longer_due_or_not_the_same_is_not_erased_and_the_others_are() {
    let bench = office(6).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    // One has called again. One was deleted, and its number given to somebody just as long out of touch. One is gone.
    bench.sql("UPDATE customers SET last_contact_on = '2100-02-03' WHERE id = 1").await;
    bench.sql("DELETE FROM customers WHERE id IN (2, 4)").await;
    bench.sql("INSERT INTO customers VALUES (2, 'Somebody else', 'else@example.org', '2015-01-01')").await;
    let run = site.json(&["run", "erase", "--wait"]);
    assert_eq!(erased(&run), [4, 2, 1, 2, 0], "deleted, anonymised, returned, withdrawn, left");
    assert_eq!(
        bench.rows("SELECT id, last_name FROM customers ORDER BY id").await,
        ["1|'Name 1'", "2|'Somebody else'", "3|NULL", "6|NULL"]
    );
    assert_eq!(bench.rows("SELECT count(*) FROM users").await, ["0"]);

    let other = show(&site, "customer/2");
    assert_eq!((&other["state"], &other["label"]), (&"proposed".into(), &"Somebody else".into()), "{other}");
    let told = ["customer/1", "customer/2", "customer/4"].map(|record| said(&show(&site, record)));
    insta::assert_snapshot!(told.concat(), @"
    customer/1: withdrawn, no longer due: inactive is met from 2103-02-04 only
      - to proposed by run 1: due under inactive
      proposed to confirmed by a clerk: -
      confirmed to withdrawn by run 2: no longer due: inactive is met from 2103-02-04 only
    customer/2: proposed, it is not the same person as when it was decided
      - to proposed by run 1: due under inactive
      proposed to confirmed by a clerk: -
      confirmed to proposed by run 2: it is not the same person as when it was decided
    customer/4: withdrawn, the record is gone
      - to proposed by run 1: due under inactive
      proposed to confirmed by a clerk: -
      confirmed to withdrawn by run 2: the record is gone
    ");
    for (record, outcome) in [("customer/3", "anonymise"), ("customer/5", "delete"), ("user/anna", "delete")] {
        let erased = show(&site, record);
        assert_eq!((&erased["state"], &erased["outcome"]), (&"erased".into(), &outcome.into()), "{erased}");
    }
    let on_record = ["withdrawn", "returned"].iter().flat_map(|kind| site.entries(kind));
    insta::assert_snapshot!(on_record.map(|entry| format!("{entry}\n")).collect::<String>(), @r#"
    {"records":[{"category":"customer","keys":["4"],"reason":"gone"},{"category":"customer","detail":"inactive is met from 2103-02-04 only","keys":["1"],"reason":"no_longer_due"}]}
    {"records":[{"category":"customer","keys":["2"],"reason":"changed_person"}]}
    "#);
    site.assert_trail_holds();
    // The other person's turn comes only when somebody has decided about them.
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [0, 0, 0, 0, 0]);
    daemon.stop();
}

/// Where it stands and why, and every move with its reason.
fn said(record: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut said = format!("{}: {}, {}\n", text(&record["record"]), text(&record["state"]), text(&record["reason"]));
    for step in record["history"].as_array().unwrap() {
        let by = if step["run"].is_null() { "a clerk".to_owned() } else { format!("run {}", step["run"]) };
        said += &format!("  {} to {} by {by}: {}\n", text(&step["from"]), text(&step["to"]), text(&step["reason"]));
    }
    said
}
