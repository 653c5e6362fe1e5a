//! The brake: what is far more than expected is stopped before it is done, in both jobs.

use serde_json::json;

use super::*;

/// Two thousand customers: so many were not seen since 2020, and the others since last month.
const ROWS: u64 = 2_000;
const DUE: u64 = 150;

const CUSTOMERS: &str =
    "table = \"customers\"\nlabel = \"{last_name}\"\nidentity = [\"last_name\"]\nunit = \"branch\"\n
    [[criterion]]\nname = \"inactive\"\nsince = \"last_contact_on\"\nperiod = \"PERIOD\"\n
    [erase.anonymise]\nlast_name = \"null\"\nlast_contact_on = \"null\"\nbranch = \"null\"\n";

/// A house over these customers and one user who is due; the customers' criterion has this period, and their brake these limits.
async fn office(period: &str, brake: &str) -> Living {
    let bench = Bench::with_sql(&format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, last_contact_on TEXT, branch TEXT);
         CREATE TABLE users (login TEXT PRIMARY KEY NOT NULL, last_seen_on TEXT);
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
         INSERT INTO customers SELECT n, 'Maier ' || n, iif(n <= {DUE}, '2020-01-01', '2026-10-01'),
                                      CASE n % 10 WHEN 0 THEN NULL WHEN 1 THEN 'linz' ELSE 'graz' END FROM numbers;
         INSERT INTO users VALUES ('anna', '2019-01-01');"
    ))
    .await;
    bench.category("customer", &customers(period, brake)).category("user", USER);
    living_over(bench, Arc::new(identity_of), Arc::new(identity_named)).await
}

fn customers(period: &str, brake: &str) -> String {
    format!("{}[brake]\n{brake}\n", CUSTOMERS.replace("PERIOD", period))
}

impl Living {
    /// From now on the customers' brake has these limits.
    fn set_brake(&self, brake: &str) {
        self.bench.category("customer", &customers("3 years", brake));
        self.settings.post(Arc::new(self.bench.settings()), &[]);
    }

    /// A run that the brake stops, and what was said of it.
    async fn braked(&self, words: &[&str]) -> (Value, String) {
        let said = self.ctl(&[&["run"], words, &["--wait", "--json"]].concat()).await;
        let run = said.json();
        assert_eq!((said.exit, &run["state"]), (Exit::Refused, &json!("partly")), "{run}");
        (run, said.err)
    }

    /// All that is due, proposed without a brake and confirmed.
    async fn confirmed() -> Self {
        let living = office("3 years", "share = \"100 %\"").await;
        assert_eq!(living.json(&["run", "prepare", "--wait"]).await["proposed"], DUE + 1);
        let seen = living.json(&["list", "--digest"]).await;
        let count = (DUE + 1).to_string();
        let digest = seen["digest"].as_str().unwrap();
        living.json(&["confirm", "--all", "--digest", digest, "--yes-confirm", &count]).await;
        living.set_brake("");
        living
    }
}

#[tokio::test]
async fn a_slip_in_a_criterion_is_stopped_before_anything_is_proposed() {
    let living = office("3 days", "").await;
    let sentence = "the brake stopped it: 2000 of 2000 records would be proposed (limits 100 and 5 %)";
    let (run, told) = living.braked(&["prepare"]).await;
    assert_eq!(run["proposed"], 1, "the other category goes on: {run}");
    assert!(told.contains(sentence), "{told}");
    assert_eq!(living.json(&["list"]).await["total"], 1);
    let brake = &run["brakes"][0];
    insta::assert_snapshot!(pretty(brake));

    let (dry, told) = living.braked(&["prepare", "--dry-run"]).await;
    assert_eq!(&dry["brakes"][0], brake, "the same set, and the same digest");
    assert!(told.contains("the brake would stop it: 2000 of 2000"), "{told}");
    assert_eq!((&dry["proposed"], &dry["unchanged"]), (&json!(0), &json!(1)));

    let shown = living.ctl(&["runs", "show", "1"]).await;
    insta::assert_snapshot!(
        shown.out.lines().skip_while(|line| !line.starts_with("brake")).collect::<Vec<_>>().join("\n")
    );
    let listed = living.ctl(&["runs"]).await;
    assert!(listed.out.contains("brake closed: customer"), "{}", listed.out);
    let status = living.json(&["status"]).await;
    let problem = "the brake stopped prepare in run 1: 2000 of 2000 records (limits 100 and 5 %)";
    assert_eq!(
        (&status["categories"][0]["problem"], &status["categories"][1]["problem"]),
        (&json!(problem), &Value::Null)
    );

    let trail = living.json(&["audit", "list"]).await;
    let entries: Vec<_> = trail["items"].as_array().unwrap().iter().filter(|e| e["kind"] == "brake_closed").collect();
    assert_eq!(entries.len(), 1, "and none of the dry run");
    assert_eq!(entries[0]["details"]["categories"][0]["digest"], brake["digest"]);
    assert!(!entries[0].to_string().contains("keys"));

    living.set_brake("");
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!((&run["state"], &run["proposed"]), (&json!("partly"), &json!(0)), "150 of 2000 are more than 5 % still");
}

/// 150 of 2000 are 7.5 %.
#[tokio::test]
async fn both_limits_have_to_be_exceeded() {
    for (brake, stops) in [
        ("count = 149\nshare = \"7.49 %\"", true),
        ("count = 150\nshare = \"7.49 %\"", false),
        ("count = 149\nshare = \"7.5 %\"", false),
        ("count = 0\nshare = \"100 %\"", false),
        ("count = 2000\nshare = \"0 %\"", false),
        ("", true),
    ] {
        let living = office("3 years", brake).await;
        let dry = living.ctl(&["run", "prepare", "--dry-run", "--wait", "--json"]).await.json();
        let run = living.ctl(&["run", "prepare", "--wait", "--json"]).await.json();
        for run in [&dry, &run] {
            let expected = if stops { ("partly", 1) } else { ("done", DUE + 1) };
            assert_eq!((&run["state"], &run["proposed"]), (&json!(expected.0), &json!(expected.1)), "{brake}: {run}");
        }
    }
}

/// What waits for a decision since last night is no news.
#[tokio::test]
async fn what_is_proposed_already_is_not_counted_again() {
    let living = office("3 years", "share = \"100 %\"").await;
    living.json(&["run", "prepare", "--wait"]).await;
    living.set_brake("");
    let one = "INSERT INTO customers VALUES (3000, 'Huber', '2020-01-01', 'graz')";
    living.bench.sql(one).await;
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!((&run["state"], &run["proposed"], &run["unchanged"]), (&json!("done"), &json!(1), &json!(DUE + 1)));
}

#[tokio::test]
async fn the_final_job_is_stopped_before_anything_is_erased() {
    let living = Living::confirmed().await;
    let before = living.bench.rows("SELECT * FROM customers ORDER BY id").await;
    let (dry, told) = living.braked(&["erase", "--dry-run"]).await;
    assert!(told.contains("the brake would stop it: 150 of 2000 records would be erased"), "{told}");
    assert_eq!((&dry["deleted"], &dry["left"]), (&json!(1), &json!(DUE)), "{dry}");
    let (run, told) = living.braked(&["erase"]).await;
    assert!(told.contains("the brake stopped it: 150 of 2000 records would be erased (limits 100 and 5 %)"), "{told}");
    assert_eq!((&run["deleted"], &run["left"]), (&json!(1), &json!(DUE)), "the other category goes on: {run}");
    assert_eq!(run["brakes"], dry["brakes"]);
    assert_eq!(living.bench.rows("SELECT * FROM customers ORDER BY id").await, before);
    assert_eq!(living.json(&["list", "--state", "confirmed"]).await["total"], DUE);

    // What is held is not erased, and not counted.
    for id in 1..=50 {
        let record = format!("customer/{id}");
        living.json(&["hold", &record, "--reason", "lawsuit", "--reference", "3 Cg 17/26"]).await;
    }
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["state"], &run["deleted"], &run["held"]), (&json!("done"), &json!(100), &json!(50)), "{run}");
}

/// Nobody has counted what is confirmed after the look.
#[tokio::test]
async fn what_is_confirmed_after_the_look_waits_for_the_next_run() {
    let living = office("3 years", "count = 1000").await;
    living.json(&["run", "prepare", "--wait"]).await;
    living.json(&["confirm", "customer/1"]).await;
    living.clock.set("2026-11-21T10:00:00Z".parse().unwrap());
    living.json(&["confirm", "customer/2"]).await;
    living.clock.set("2026-11-21T09:30:00Z".parse().unwrap());
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["deleted"], &run["left"]), (&json!(1), &json!(1)), "{run}");
    living.clock.set("2026-11-21T10:00:00Z".parse().unwrap());
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["deleted"], 1);
}

/// More records than are kept in memory are read twice; it makes no difference to what is proposed.
#[tokio::test]
async fn few_records_and_many_are_proposed_alike() {
    for (customers, brake) in [(2_000, "count = 20000"), (12_000, "count = 20000"), (12_000, "share = \"100 %\"")] {
        let living = office("3 days", brake).await;
        let more = format!(
            "WITH RECURSIVE numbers (n) AS (SELECT {ROWS} + 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {customers})
             INSERT INTO customers SELECT n, 'Maier ' || n, '2026-10-01', 'graz' FROM numbers WHERE n <= {customers}"
        );
        living.bench.sql(&more).await;
        let dry = living.json(&["run", "prepare", "--dry-run", "--wait"]).await;
        let run = living.json(&["run", "prepare", "--wait"]).await;
        for run in [&dry, &run] {
            assert_eq!((&run["state"], &run["proposed"]), (&json!("done"), &json!(customers + 1)), "{brake}: {run}");
        }
        let total = living.json(&["list", "--totals", "--category", "customer"]).await;
        assert_eq!(total["total"], customers);
        let run = living.json(&["run", "prepare", "--wait"]).await;
        assert_eq!((&run["proposed"], &run["unchanged"]), (&json!(0), &json!(customers + 1)), "{brake}: {run}");
    }
}

/// Who may see a part of a category learns that it is stopped, and no number that others are in.
#[tokio::test]
async fn numbers_are_told_to_those_who_see_all_of_the_category() {
    let living = office("3 days", "").await;
    living.braked(&["prepare"]).await;
    living.grant("permissions = [\"view\"]\nunits = [\"graz\"]");
    let status = living.ctl(&["status", "--json"]).await;
    assert!(status.out.contains("the brake stopped prepare in run 1"), "{}", status.out);
    assert!(!status.out.contains("2000") && !status.out.contains("linz"), "{}", status.out);
}

#[tokio::test]
async fn widening_the_brake_waits_for_a_second_person() {
    let living = office("3 years", "").await;
    for (rule, wider, narrower) in [("customer.brake_count", "1000", "50"), ("customer.brake_share", "10 %", "1 %")] {
        assert_eq!(living.json(&["policy", "set", rule, wider]).await["outcome"], "waits", "{rule}");
        living.braked(&["prepare"]).await;
        living.json(&["policy", "reject", rule]).await;
        assert_eq!(living.json(&["policy", "set", rule, narrower]).await["outcome"], "holds", "{rule}");
    }
    let policy = living.ctl(&["policy"]).await;
    assert!(policy.out.contains("a run stops before it proposes or erases more than 50 records and 1 % of the table"));
}
