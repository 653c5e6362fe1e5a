//! The brake: what is far more than expected is stopped before it is done, in both jobs.

use std::sync::atomic::{AtomicBool, Ordering};

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

    /// The entries of this kind, as they are exported.
    pub(super) async fn entries(&self, kind: &str) -> Vec<Value> {
        let exported = self.ctl(&["audit", "export"]).await.out;
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).filter(|e: &Value| e["kind"] == kind).collect()
    }

    /// A run that the brake stops, and what was said of it.
    async fn braked(&self, words: &[&str]) -> (Value, String) {
        let said = self.ctl(&[&["run"], words, &["--wait", "--json"]].concat()).await;
        let run = said.json();
        assert_eq!((said.exit, &run["state"]), (Exit::Refused, &json!("partly")), "{run}");
        (run, said.err)
    }

    /// All that is due, proposed without a brake and confirmed.
    async fn all_confirmed() -> Self {
        Self::confirmed_of(DUE).await
    }

    /// The same with so many customers who are due.
    async fn confirmed_of(due: u64) -> Self {
        let living = office("3 years", "share = \"100 %\"").await;
        living.bench.sql(&format!("UPDATE customers SET last_contact_on = '2020-01-01' WHERE id <= {due}")).await;
        assert_eq!(living.json(&["run", "prepare", "--wait"]).await["proposed"], due + 1);
        let seen = living.json(&["list", "--digest"]).await;
        let count = (due + 1).to_string();
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

    let entries = living.entries("brake_closed").await;
    assert_eq!(entries.len(), 1, "and none of the dry run");
    assert_eq!(entries[0]["details"]["categories"][0]["digest"], brake["digest"]);
    assert!(!entries[0].to_string().contains("keys"));

    living.set_brake("");
    let (run, _) = living.braked(&["prepare"]).await;
    assert_eq!(run["proposed"], 0, "150 of 2000 are more than 5 % still");
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
    let living = Living::all_confirmed().await;
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

/// Nobody has counted what is released during the run: the brake's limit holds for it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_during_a_run_does_not_pass_the_brake() {
    let (due, counted) = (260, 200);
    let living = Living::confirmed_of(due).await;
    living.set_brake(&format!("count = {counted}"));
    let held: Vec<String> = (counted + 1..=due).map(|id| format!("customer/{id}")).collect();
    for record in &held {
        living.json(&["hold", record, "--reason", "lawsuit", "--reference", "3 Cg 17/26"]).await;
    }
    let is_released = AtomicBool::new(false);
    let release = async || {
        let left = living.bench.rows("SELECT count(*) FROM customers").await;
        if left == [(ROWS - counted).to_string()] && !is_released.swap(true, Ordering::SeqCst) {
            for record in &held {
                living.json(&["release", record, "--reason", "settled"]).await;
            }
        }
    };
    let stop = || {
        at_once(release());
        false
    };
    let run = living.carry_out("erase", &stop).await;
    assert!(is_released.load(Ordering::SeqCst));
    assert_eq!((&run["state"], &run["deleted"], &run["left"]), (&json!("partly"), &json!(counted + 1), &json!(60)));
    let told =
        "customer: more can be erased since it was counted than the brake allows; the rest waits for the next run";
    assert!(run["problem"]["detail"].as_str().unwrap().contains(told), "{run}");
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["deleted"], 60, "which counts anew");
}

#[tokio::test]
async fn a_look_ends_when_the_run_is_to_stop() {
    let living = Living::all_confirmed().await;
    let run = living.carry_out("erase", &|| true).await;
    assert_eq!((&run["state"], &run["deleted"], &run["brakes"]), (&json!("stopped"), &json!(0), &json!([])), "{run}");
}

#[tokio::test]
async fn a_look_ends_when_the_hours_of_its_source_are_over() {
    let living = Living::all_confirmed().await;
    let path = living.bench.dir.path().join("erasured.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{settings}hours = \"09:00-11:00\"\n")).unwrap();
    living.set_brake("");
    let stop = || {
        living.clock.advance_to("2026-11-21T10:00:00Z".parse().unwrap());
        false
    };
    let run = living.carry_out("erase", &stop).await;
    assert_eq!((&run["state"], &run["deleted"], &run["brakes"]), (&json!("partly"), &json!(0), &json!([])), "{run}");
    assert!(run["problem"]["detail"].as_str().unwrap().contains("outside its hours"), "{run}");
}

/// Nobody has counted what is confirmed after the look.
#[tokio::test]
async fn what_is_confirmed_after_the_look_waits_for_the_next_run() {
    let living = office("3 years", "count = 1000").await;
    living.json(&["run", "prepare", "--wait"]).await;
    living.json(&["confirm", "customer/1"]).await;
    living.clock.set("2026-11-21T10:00:00Z".parse().unwrap());
    living.json(&["confirm", "customer/2"]).await;
    living.clock.set("2026-11-21T09:57:00Z".parse().unwrap());
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

const REASON: &str = "the archive was merged";

impl Living {
    /// The digest of what the brake has stopped in the newest run of the job.
    async fn stopped(&self, job: &str) -> String {
        let (status, text) = raw(&self.socket, "GET", &format!("/v1/brake?job={job}"), "").await;
        assert_eq!(status, 200, "{text}");
        let closed: Value = serde_json::from_str(&text).unwrap();
        closed["digest"].as_str().unwrap().to_owned()
    }

    /// What comes of going on over so many records.
    async fn over(&self, job: &str, records: u64) -> Said {
        let records = records.to_string();
        let words =
            ["run", job, "--override-brake", "--reason", REASON, "--yes-override", &records, "--wait", "--json"];
        self.ctl(&words).await
    }
}

#[tokio::test]
async fn somebody_entitled_lets_one_run_go_on_over_the_same_set() {
    let living = office("3 days", "").await;
    let nothing = living.over("prepare", ROWS).await;
    assert_eq!(nothing.exit, Exit::Conflict, "nothing has been stopped: {}", nothing.err);
    living.braked(&["prepare"]).await;
    let digest = living.stopped("prepare").await;
    // The same numbers are told before, and have to be known.
    let unasked = living.ctl(&["run", "prepare", "--override-brake", "--reason", REASON]).await;
    assert_eq!(unasked.exit, Exit::Usage);
    assert!(unasked.err.contains("customer: 2000 of 2000 records") && unasked.err.contains("--yes-override 2000"));
    assert_eq!(living.over("prepare", 1999).await.exit, Exit::Refused);
    assert_eq!(living.json(&["list"]).await["total"], 1, "nothing has been begun");

    let run = living.over("prepare", ROWS).await;
    assert_eq!(run.exit, Exit::Done, "{}", run.err);
    let run = run.json();
    assert_eq!(
        (&run["state"], &run["proposed"], &run["overrides"]),
        (&json!("done"), &json!(ROWS), &json!(1)),
        "{run}"
    );
    let entry = living.entries("brake_overridden").await.remove(0);
    assert_eq!((&entry["details"]["digest"], &entry["details"]["stopped"]), (&json!(digest), &json!(1)));
    assert_eq!(entry["run"], run["id"]);
    assert!(!entry.to_string().contains(REASON), "what is typed lies beside the chain");
    let trail = living.ctl(&["audit", "list"]).await;
    assert!(trail.out.contains(&format!("digest {digest}: {REASON}")), "{}", trail.out);
    assert_eq!(living.json(&["audit", "verify"]).await["intact"], true);

    // Only that run goes on, and once: the newest has been stopped by nothing.
    assert_eq!(living.over("prepare", ROWS).await.exit, Exit::Conflict);
    let again = raw(&living.socket, "POST", "/v1/brake/override", &override_of("prepare", &digest, REASON)).await;
    assert_eq!(again.0, 409, "{}", again.1);
    assert_eq!(living.json(&["status"]).await["categories"][0]["problem"], Value::Null);
}

fn override_of(job: &str, digest: &str, reason: &str) -> String {
    json!({ "job": job, "digest": digest, "reason": reason }).to_string()
}

#[tokio::test]
async fn a_set_that_has_changed_closes_the_brake_anew() {
    let living = office("3 days", "").await;
    living.braked(&["prepare"]).await;
    let before = living.stopped("prepare").await;
    // As many as before, and not the same.
    living.bench.sql("UPDATE customers SET last_name = 'Moser' WHERE id = 7").await;
    let said = living.over("prepare", ROWS).await;
    let run = said.json();
    assert_eq!((said.exit, &run["state"], &run["proposed"]), (Exit::Refused, &json!("partly"), &json!(0)), "{run}");
    assert!(said.err.contains("it is another set by now than the one that somebody has looked at"), "{}", said.err);
    let now = living.stopped("prepare").await;
    assert_ne!(now, before);
    let old = raw(&living.socket, "POST", "/v1/brake/override", &override_of("prepare", &before, REASON)).await;
    assert_eq!(old.0, 409, "{}", old.1);
    assert!(old.1.contains("something else"), "{}", old.1);
    assert_eq!(living.over("prepare", ROWS).await.json()["proposed"], ROWS);
}

#[tokio::test]
async fn the_final_job_goes_on_over_what_was_looked_at_and_no_more() {
    let living = Living::all_confirmed().await;
    living.braked(&["erase"]).await;
    living.bench.sql("INSERT INTO customers VALUES (3000, 'Huber', '2020-01-01', 'graz')").await;
    living.json(&["run", "prepare", "--wait"]).await;
    living.json(&["confirm", "customer/3000"]).await;
    let said = living.over("erase", DUE).await;
    assert!(said.err.contains("it is another set by now"), "{}", said.err);
    assert_eq!(said.json()["deleted"], 0);
    let said = living.over("erase", DUE + 1).await;
    assert_eq!((said.exit, &said.json()["deleted"]), (Exit::Done, &json!(DUE + 1)), "{}", said.err);
}

#[tokio::test]
async fn neither_running_jobs_nor_the_brake_alone_lets_a_run_go_on() {
    let living = office("3 days", "").await;
    living.braked(&["prepare"]).await;
    let digest = living.stopped("prepare").await;
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap().user;
    for (permissions, status) in
        [(r#""run", "decide""#, 403), (r#""brake", "decide""#, 403), (r#""brake", "run", "view""#, 202)]
    {
        living.only_grants(&format!("[[grant]]\nusers = [\"{me}\"]\npermissions = [{permissions}]\n"));
        let body = override_of("prepare", &digest, REASON);
        let (answered, text) = raw(&living.socket, "POST", "/v1/brake/override", &body).await;
        assert_eq!(answered, status, "{permissions}: {text}");
    }
    for reason in ["", " ", &"x".repeat(3000)] {
        let body = override_of("prepare", &digest, reason);
        assert_eq!(raw(&living.socket, "POST", "/v1/brake/override", &body).await.0, 422);
    }
}

/// Where more is read twice, what is let through is what was counted, and no more.
#[tokio::test]
async fn many_records_are_let_through_as_well() {
    let living = office("3 days", "").await;
    living
        .bench
        .sql(
            "WITH RECURSIVE numbers (n) AS (SELECT 2001 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12000)
             INSERT INTO customers SELECT n, 'Maier ' || n, '2026-10-01', 'graz' FROM numbers",
        )
        .await;
    living.braked(&["prepare"]).await;
    let run = living.over("prepare", 12_000).await.json();
    assert_eq!((&run["state"], &run["proposed"]), (&json!("done"), &json!(12_000)), "{run}");
}

/// What was anonymised before and is kept by nothing any more is counted like what is confirmed.
#[tokio::test]
async fn shells_are_counted_too() {
    let living = Living::prepared().await;
    let remove = CUSTOMER.replace("[erase.anonymise]", "[erase]\nremove_shells = true\n[erase.anonymise]");
    living.bench.category("customer", &remove);
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.json(&["confirm", "customer/2"]).await;
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["anonymised"], 1);
    living.bench.sql("DELETE FROM orders").await;
    living.bench.category("customer", &format!("brake = {{ count = 0, share = \"0 %\" }}\n{remove}"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    let (dry, _) = living.braked(&["erase", "--dry-run"]).await;
    let (run, told) = living.braked(&["erase"]).await;
    assert!(told.contains("customer: the brake stopped it: 1 of 5 records would be erased"), "{told}");
    assert_eq!((&run["shells"], &run["brakes"]), (&json!(0), &dry["brakes"]));
    assert_eq!(run["brakes"][0]["criteria"]["most"][0]["name"], "anonymised before");
    let state = living.json(&["show", "customer/2"]).await;
    assert_eq!(state["state"], "erased", "not even confirmed by the rule: {state}");
    assert_eq!(living.over("erase", 1).await.json()["shells"], 1);
}
