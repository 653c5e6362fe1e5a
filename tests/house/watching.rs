//! Watching: the report on a run, whether all is well, and the same in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use erasured::audit::By;

use super::*;

/// A house in which two customers were confirmed as due and one because a clerk has asked for it, and all were erased; with
/// the number of that run.
async fn erased() -> (Living, Value) {
    let living = Living::prepared().await;
    living.json(&["mark", "customer/4", "--reason", "asked for by letter"]).await;
    living.json(&["confirm", "customer/1", "customer/2", "customer/4"]).await;
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!(run["state"], "done", "{run}");
    let shown = living.json(&["runs", "show", &run["id"].to_string()]).await;
    (living, shown)
}

/// What the report says of a category's reasons: origin, criterion, proposed, deleted, anonymised.
fn reasons(run: &Value, category: &str) -> Vec<(String, Value, u64, u64, u64)> {
    let categories = run["categories"].as_array().unwrap();
    let of = categories.iter().find(|of| of["category"] == category).unwrap();
    let count = |reason: &Value, name: &str| reason[name].as_u64().unwrap();
    let reason = |one: &Value| {
        let origin = one["origin"].as_str().unwrap().to_owned();
        let counts = ["proposed", "deleted", "anonymised"].map(|name| count(one, name));
        (origin, one["criterion"].clone(), counts[0], counts[1], counts[2])
    };
    of["reasons"].as_array().unwrap().iter().map(reason).collect()
}

#[tokio::test]
async fn a_run_is_accounted_for_by_category_and_reason() {
    let (living, run) = erased().await;
    let prepared = living.json(&["runs", "show", "1"]).await;
    assert_eq!(reasons(&prepared, "customer"), [("criterion".into(), json!("inactive"), 3, 0, 0)]);
    assert_eq!(reasons(&prepared, "user"), [("criterion".into(), json!("unseen"), 1, 0, 0)]);
    assert_eq!(prepared["categories"][0]["prepared"]["unreadable_date"], 1);
    assert_eq!(
        reasons(&run, "customer"),
        [("clerk".into(), Value::Null, 0, 1, 0), ("criterion".into(), json!("inactive"), 0, 1, 1)]
    );
    assert_eq!((&run["categories"][0]["erased"]["deleted"], &run["deleted"]), (&json!(2), &json!(2)));
    assert!(run["longest_lock_us"].as_u64().unwrap() > 0, "{run}");
    assert_eq!(run["duration_ms"], 0, "the clock stands still here");
    assert_eq!(run["progress"], Value::Null);
}

#[tokio::test]
async fn a_dry_run_foretells_the_same_reasons() {
    let living = Living::prepared().await;
    living.json(&["mark", "customer/4", "--reason", "asked for by letter"]).await;
    living.json(&["confirm", "customer/1", "customer/2", "customer/4"]).await;
    let dry = living.json(&["run", "erase", "--dry-run", "--wait"]).await;
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!(reasons(&dry, "customer"), reasons(&run, "customer"));
    living.bench.sql("INSERT INTO customers VALUES (6, 'Moser', '2019-01-01')").await;
    let dry = living.json(&["run", "prepare", "--dry-run", "--wait"]).await;
    assert_eq!(reasons(&dry, "customer"), [("criterion".into(), json!("inactive"), 1, 0, 0)]);
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!(reasons(&dry, "customer"), reasons(&run, "customer"));
}

/// An auditor finds the run in the trail by the numbers of the report, and the checkpoint that is signed over all of it.
#[tokio::test]
async fn a_report_leads_to_its_entries_in_the_trail() {
    let (living, run) = erased().await;
    let entry = |name: &str| run["trail"][name].as_u64().unwrap();
    let (first, last) = (entry("first_entry"), entry("last_entry"));
    let exported = living.ctl(&["audit", "export"]).await.out;
    let entries: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let own: Vec<(u64, &str)> = entries
        .iter()
        .filter(|entry| entry["run"] == run["id"])
        .map(|entry| (entry["seq"].as_u64().unwrap(), entry["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(own.first(), Some(&(entry("queued_entry"), "run_queued")));
    assert_eq!(own[1], (first, "run_started"));
    let finished = own.iter().find(|(_, kind)| *kind == "run_finished").unwrap();
    assert_eq!(finished.0, last);
    assert!(own.iter().all(|(seq, kind)| *seq <= last || *kind == "checkpoint"), "{own:?}");
    let checkpoint = &run["trail"]["checkpoint"];
    assert!(checkpoint["entries"].as_u64().unwrap() >= last, "{checkpoint}");
    let known = living.json(&["audit", "checkpoints"]).await;
    let known = known["checkpoints"].as_array().unwrap().clone();
    assert!(known.contains(&checkpoint["note"]), "{known:?}");
    assert_eq!(living.json(&["runs"]).await["items"][0]["trail"], Value::Null, "a list has none");
}

/// Who may see runs may see all of them; of a category of which one record is denied to somebody, its sums are hidden.
#[tokio::test]
async fn nobody_learns_from_a_report_what_they_may_not_see() {
    let office = access::Office::open(access::GRANTS).await;
    let told = |run: &Value| -> Vec<String> {
        let names = run["categories"].as_array().unwrap().iter().map(|of| of["category"].as_str().unwrap().to_owned());
        names.collect()
    };
    let whole = office.json("olga", &["runs", "show", "1"]).await;
    assert_eq!(told(&whole), ["member", "prospect", "user"]);
    assert!(whole["trail"]["checkpoint"]["note"].is_string(), "{whole}");
    office.json("dora", &["confirm", "member/1", "user/anna"]).await;
    let erased = office.json("olga", &["run", "erase", "--wait"]).await;
    assert!(erased["longest_lock_us"].is_u64(), "{erased}");
    let id = erased["id"].to_string();

    office.dora(&["deny", "add", "olga", "member/2", "--asked-by", "her", "--reason", "kin"]).await;
    let seen = office.json("olga", &["runs", "show", "1"]).await;
    assert_eq!(told(&seen), ["prospect", "user"]);
    assert_eq!(seen["trail"]["checkpoint"]["note"], Value::Null);
    assert_eq!(seen["trail"]["last_entry"], whole["trail"]["last_entry"]);
    let seen = office.json("olga", &["runs", "show", &id]).await;
    assert_eq!((told(&seen), &seen["longest_lock_us"]), (vec!["user".to_owned()], &Value::Null));
    let paper = office.says("olga", &["runs", "show", &id, "--html"]).await.out;
    assert!(paper.contains("user") && !paper.contains("member"), "{paper}");
}

#[tokio::test]
async fn a_report_on_paper_says_the_same_and_names_nobody() {
    let (living, run) = erased().await;
    let said = living.ctl(&["runs", "show", &run["id"].to_string(), "--html"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.err);
    let paper = said.out;
    for name in ["Maier", "Huber", "Bauer", "customer/1", "by letter"] {
        assert!(!paper.contains(name), "{name}:\n{paper}");
    }
    assert!(
        paper.contains("<td>customer</td><td>inactive</td><td class=\"n\">1</td><td class=\"n\">1</td>"),
        "{paper}"
    );
    assert!(paper.contains("<td>customer</td><td>marked by a clerk</td><td class=\"n\">1</td>"), "{paper}");
    assert!(paper.contains("<html lang=\"en\">") && !paper.contains("<script"), "{paper}");
    let note = run["trail"]["checkpoint"]["note"].as_str().unwrap();
    assert!(paper.contains(note.lines().last().unwrap()), "the signature, letter for letter:\n{paper}");
}

/// Between two batches: what is on record of the run that goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_tells_how_far_it_is() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1", "user/anna%403"]).await;
    let seen: Mutex<Vec<Value>> = Mutex::default();
    let look = || {
        let run = at_once(living.json(&["runs", "--limit", "1"]))["items"][0].clone();
        seen.lock().unwrap().push(run);
        false
    };
    let run = living.carry_out("erase", &look).await;
    assert_eq!((&run["state"], &run["progress"]), (&json!("done"), &Value::Null), "{run}");
    let seen = seen.into_inner().unwrap();
    let told: BTreeSet<String> = seen
        .iter()
        .filter(|run| run["progress"] != Value::Null)
        .map(|run| format!("{} {}", run["progress"]["doing"], run["progress"]["of"]).replace('"', ""))
        .collect();
    for stage in ["erasing customer", "erasing user"] {
        assert!(told.contains(stage), "{told:?}");
    }
    let waits_for_two = |run: &&Value| run["progress"]["waiting"] == 2;
    assert!(seen.iter().filter(|run| run["progress"]["doing"] == "erasing").all(|run| waits_for_two(&run)), "{seen:?}");
    let listed = living.ctl(&["runs", "show", &run["id"].to_string()]).await.out;
    assert!(!listed.contains("at present"), "{listed}");
}

impl Living {
    /// What monitoring is told: the exit code, and the first line.
    async fn checked(&self) -> (u8, String) {
        let said = self.ctl(&["status", "--check"]).await;
        (said.exit.code(), said.out.lines().next().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn monitoring_is_told_in_one_line_whether_all_is_well() {
    let living = Living::prepared().await;
    let (code, line) = living.checked().await;
    assert_eq!((code, line.as_str()), (0, "OK: 4 to be decided, the oldest since 2026-11-21T09:00:00Z"));

    // Decisions that wait for longer than the settings say.
    let path = living.bench.dir.path().join("erasured.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{before}\n[notice]\ndecisions_after = \"14 days\"\n")).unwrap();
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.clock.advance_to("2026-12-05T09:00:00Z".parse().unwrap());
    assert_eq!(living.checked().await.0, 0, "not yet");
    living.clock.advance_to("2026-12-05T09:00:01Z".parse().unwrap());
    let overdue = "a decision has waited since 2026-11-21T09:00:00Z, longer than 14 days";
    assert_eq!(living.checked().await, (1, format!("WARNING: {overdue}")));

    // A category that its schema stops.
    living.bench.sql("ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    assert_eq!(living.checked().await, (1, format!("WARNING: customer is stopped by its schema; {overdue}")));
    living.ctl(&["run", "prepare", "--wait"]).await;
    let partly = "run 2 of prepare could do only a part";
    assert_eq!(living.checked().await, (1, format!("WARNING: customer is stopped by its schema; {partly}; {overdue}")));

    // A source that is not there; what is worst comes first.
    std::fs::rename(living.bench.dir.path().join("app.db"), living.bench.dir.path().join("away.db")).unwrap();
    let (code, line) = living.checked().await;
    assert_eq!((code, line), (2, format!("CRITICAL: app cannot be read; {partly}; {overdue}")));
    let status = living.json(&["status"]).await;
    assert_eq!((&status["health"]["state"], &status["decisions"]["overdue"]), (&json!("critical"), &json!(true)));
    assert_eq!(status["health"]["complaints"][0]["code"], "source-unreadable");

    // Whoever may not look does not know.
    living.grant("permissions = [\"decide\"]");
    let (code, line) = living.checked().await;
    assert_eq!(code, 3, "{line}");
    assert!(line.starts_with("UNKNOWN: cannot do this: "), "{line}");
}

#[tokio::test]
async fn what_is_done_and_in_time_is_well() {
    let (living, _) = erased().await;
    let (code, line) = living.checked().await;
    assert_eq!((code, line.as_str()), (0, "OK: 2 to be decided, the oldest since 2026-11-21T09:00:00Z"));
    let status = living.ctl(&["status"]).await.out;
    assert!(status.contains("health           well\n"), "{status}");
    assert!(status.contains("last checkpoint  up to entry "), "{status}");
}

/// It passes by itself. What a job could not do meanwhile is told with its run.
#[tokio::test]
async fn an_application_at_work_is_nothing_to_be_told_of() {
    let living = Living::prepared().await;
    let path = living.bench.dir.path().join("erasured.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, settings.replace("[source.app]", "[source.app]\nlock_wait = \"50 ms\"")).unwrap();
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    let mut application = living.bench.connect().await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut application).await.unwrap();
    let locked = "cannot use the source app: the application keeps the database locked";
    assert_eq!(living.json(&["status"]).await["sources"][0]["problem"], locked);
    let (code, line) = living.checked().await;
    assert_eq!((code, line.as_str()), (0, "OK: 4 to be decided, the oldest since 2026-11-21T09:00:00Z"));
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
}

/// A number in Prometheus' text format: its labels, in their order, and its value.
type Samples = BTreeMap<(String, Vec<(String, String)>), f64>;

/// Reads the text format, version 0.0.4, and takes nothing that is not exactly so: each family with its help, its type and
/// its numbers in one piece, no number twice, nothing behind the last line.
fn parse(text: &str) -> Samples {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    assert!(text.ends_with('\n'), "the last line has no end");
    let (mut samples, mut families) = (Samples::new(), BTreeMap::new());
    let mut helped = String::new();
    let mut family = (String::new(), String::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
            assert!(is_name(name) && !help.trim().is_empty(), "{line}");
            assert!(!families.contains_key(name), "a family in two pieces: {line}");
            helped = name.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
            assert_eq!(name, helped, "a type without help");
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            families.insert(name.to_owned(), kind.to_owned());
            family = (name.to_owned(), kind.to_owned());
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line:?}"));
            let (name, labels) = match series.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("open: {line}"))),
                None => (series, ""),
            };
            assert_eq!(name, family.0, "a number outside of its family");
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(value.is_finite() && value >= 0.0, "{line}");
            let before = samples.insert((name.to_owned(), parse_labels(labels)), value);
            assert_eq!(before, None, "twice: {line}");
        }
    }
    samples
}

fn parse_labels(text: &str) -> Vec<(String, String)> {
    let (mut labels, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (name, behind) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {rest}"));
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !name.starts_with("__"), "{name}");
        let end = behind.find('"').unwrap_or_else(|| panic!("a label without end: {rest}"));
        assert!(!behind[..end].contains('\\'), "no name of ours has to be escaped: {rest}");
        labels.push((name.to_owned(), behind[..end].to_owned()));
        rest = &behind[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    labels
}

impl Living {
    async fn metrics(&self) -> (Samples, String) {
        let said = self.ctl(&["metrics"]).await;
        assert_eq!(said.exit, Exit::Done, "{}", said.err);
        (parse(&said.out), said.out)
    }
}

fn sample(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    samples.get(&(name.to_owned(), labels)).copied()
}

#[tokio::test]
async fn the_metrics_say_what_the_status_says() {
    let living = Living::prepared().await;
    let erased = |samples: &Samples, outcome| {
        sample(samples, "erasured_records_erased_total", &[("category", "customer"), ("outcome", outcome)])
    };
    let (before, _) = living.metrics().await;
    assert_eq!((erased(&before, "deleted"), erased(&before, "anonymised")), (Some(0.0), Some(0.0)), "before the first");
    assert_eq!(sample(&before, "erasured_last_run_timestamp_seconds", &[("job", "erase")]), None);
    living.json(&["confirm", "customer/1", "customer/2"]).await;
    living.json(&["run", "erase", "--wait"]).await;
    living.clock.advance_to("2026-11-21T10:00:00Z".parse().unwrap());
    let (samples, text) = living.metrics().await;
    let of = |name: &str, labels: &[(&str, &str)]| sample(&samples, name, labels);
    assert_eq!((erased(&samples, "deleted"), erased(&samples, "anonymised")), (Some(1.0), Some(1.0)));
    assert_eq!(of("erasured_proposals", &[("category", "customer"), ("state", "proposed")]), Some(1.0));
    assert_eq!(of("erasured_proposals", &[("category", "user"), ("state", "proposed")]), Some(1.0));
    assert_eq!(of("erasured_oldest_decision_wait_seconds", &[]), Some(3_600.0));
    let ended_at = 1_795_251_600.0;
    assert_eq!(of("erasured_last_run_timestamp_seconds", &[("job", "erase")]), Some(ended_at));
    assert_eq!(of("erasured_last_run_state", &[("job", "erase"), ("state", "done")]), Some(1.0));
    assert_eq!(of("erasured_last_run_state", &[("job", "erase"), ("state", "failed")]), Some(0.0));
    assert_eq!(of("erasured_run_running", &[("job", "erase")]), Some(0.0));
    assert_eq!(of("erasured_gate_closed", &[("category", "customer")]), Some(0.0));
    assert_eq!(of("erasured_brake_closed", &[("category", "customer")]), Some(0.0));
    assert_eq!(of("erasured_source_closed", &[("source", "app")]), Some(0.0));
    assert_eq!(of("erasured_removal_pending_steps", &[("source", "app")]), Some(0.0));
    assert_eq!(of("erasured_clock_believed", &[]), Some(1.0));
    assert_eq!(of("erasured_complaints", &[("severity", "warning")]), Some(0.0));
    let status = living.json(&["status"]).await;
    assert_eq!(of("erasured_trail_entries", &[]), status["audit"]["entries"].as_f64());
    assert_eq!(of("erasured_trail_signed_entries", &[]), status["audit"]["signed"].as_f64());
    for personal in ["Maier", "Huber", "Gruber", "anna"] {
        assert!(!text.contains(personal), "{personal}:\n{text}");
    }
    // What was counted once is not counted again.
    assert_eq!(living.metrics().await.0, samples);

    living.bench.sql("ALTER TABLE customers ADD COLUMN nickname TEXT").await;
    let (samples, _) = living.metrics().await;
    assert_eq!(sample(&samples, "erasured_gate_closed", &[("category", "customer")]), Some(1.0));
    assert_eq!(sample(&samples, "erasured_complaints", &[("severity", "warning")]), Some(1.0));
}

#[tokio::test]
async fn the_metrics_count_only_what_the_asker_sees_whole() {
    let (living, _) = erased().await;
    living.grant("permissions = [\"view\"]\ncategories = [\"user\"]");
    let (samples, text) = living.metrics().await;
    assert!(!text.contains("customer"), "{text}");
    assert_eq!(sample(&samples, "erasured_proposals", &[("category", "user"), ("state", "proposed")]), Some(1.0));
    let erased = [("category", "user"), ("outcome", "deleted")];
    assert_eq!(sample(&samples, "erasured_records_erased_total", &erased), Some(0.0));
}

/// What is owed in a source is about everybody in it, whatever their units.
#[tokio::test]
async fn whoever_does_not_see_all_of_a_source_learns_only_whether_removing_is_overdue() {
    let office = access::Office::open(access::GRANTS).await;
    let path = office.living.bench.dir.path().join("erasured.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{before}\n[source.app.removal]\nwithin = \"1 day\"\nvacuum = \"02:00-03:00\"\n"))
        .unwrap();
    office.living.settings.post(Arc::new(office.living.bench.settings()), &[]);
    office.json("dora", &["confirm", "member/1"]).await;
    let run = office.json("olga", &["run", "erase", "--wait"]).await;
    assert_eq!(run["state"], "done", "{run}");
    office.living.clock.advance(jiff::SignedDuration::from_hours(48));
    let whole = office.json("dora", &["status"]).await["sources"][0]["removal"].clone();
    assert_eq!(whole["pending"][0]["step"], "vacuum", "{whole}");
    assert!(whole["oldest_confirmed_at"].is_string(), "{whole}");
    let seen = office.json("vera", &["status"]).await;
    let removal = json!({"pending": [], "oldest_confirmed_at": null, "within": "1 day", "overdue": true, "vacuum": "02:00-03:00"});
    assert_eq!(seen["sources"][0]["removal"], removal);
    assert!(seen["jobs"].as_array().unwrap().iter().all(|job| job["next_at"] == Value::Null), "{seen}");
    let source = [("source", "app")];
    for (user, told) in [("dora", true), ("vera", false)] {
        office.sit(user);
        let (samples, text) = office.living.metrics().await;
        let of = |name: &str| sample(&samples, name, &source);
        assert_eq!(of("erasured_removal_pending_steps").is_some(), told, "{user}");
        assert_eq!(of("erasured_removal_oldest_confirmation_seconds").is_some(), told, "{user}");
        assert_eq!(of("erasured_removal_overdue"), Some(1.0), "{user}: {text}");
    }
}

/// The operator's question why somebody is still there, where nothing was ever proposed.
#[tokio::test]
async fn whoever_asks_for_a_record_that_is_not_proposed_is_told_why() {
    let living = Living::prepared().await;
    let asked = |record: &'static str| {
        let living = &living;
        async move {
            let said = living.ctl(&["show", record]).await;
            assert_eq!(said.exit, Exit::NoSuchRecord, "{}", said.err);
            said.err.lines().next().unwrap().replace(&format!("error: cannot show {record}: "), "")
        }
    };
    let none = "there is no proposal for it";
    assert_eq!(asked("customer/4").await, format!("{none}: inactive is met from 2029-10-02 only"));
    assert_eq!(asked("customer/5").await, format!("{none}: the start date of inactive cannot be read"));
    assert_eq!(asked("customer/99").await, none);
    living.bench.sql("INSERT INTO customers VALUES (6, 'Moser', '2019-01-01')").await;
    assert_eq!(asked("customer/6").await, format!("{none}: it is due, and the next run of prepare proposes it"));
    living.json(&["hold", "customer/4", "--reason", "a lawsuit", "--reference", "3 Cg 17/26"]).await;
    let held = "held since 2026-11-21: a lawsuit (3 Cg 17/26)";
    assert_eq!(asked("customer/4").await, format!("{none}: {held}; inactive is met from 2029-10-02 only"));
    // What is out of scope does not exist, whether it is there or not.
    living.grant("permissions = [\"view\"]\ncategories = [\"user\"]");
    assert_eq!((asked("customer/4").await.as_str(), asked("customer/99").await.as_str()), (none, none));
}

/// The next run of prepare does not propose it, and nobody is told that it does.
#[tokio::test]
async fn whoever_asks_for_what_is_due_is_told_what_keeps_prepare_from_it() {
    let living = Living::prepared().await;
    living.bench.sql("INSERT INTO customers VALUES (6, 'Moser', '2019-01-01'), (7, 'Wolf', '2019-01-01')").await;
    let asked = async |language: &str| {
        let socket = living.socket.to_str().unwrap();
        let words = ["erasurectl", "--lang", language, "--socket", socket, "show", "customer/6"];
        let (mut out, mut err) = (Vec::new(), Vec::new());
        ctl::run(words.map(Into::into), &mut out, &mut err).await;
        let told = String::from_utf8(err).unwrap();
        told.lines().next().unwrap().rsplit_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(asked("en").await, "it is due, and the next run of prepare proposes it");

    living.bench.category("customer", &format!("{CUSTOMER}[brake]\ncount = 1\nshare = \"1 %\"\n"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.clock.advance(jiff::SignedDuration::from_hours(1));
    let run = living.ctl(&["run", "prepare", "--wait", "--json"]).await.json();
    assert_eq!(run["state"], "partly", "{run}");
    assert_eq!(asked("en").await, "it is due, but the brake stopped prepare in run 2");
    assert_eq!(asked("de").await, "löschreif, aber die Bremse hat die Vorbereitung in Lauf 2 angehalten");

    let mut turn = living.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.close_source(&By::daemon(), &"app".parse().unwrap(), "another backup").await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    assert_eq!(asked("en").await, "it is due, but app is closed until an operator decides");
    assert_eq!(asked("de").await, "löschreif, aber app ist geschlossen, bis der Betrieb entscheidet");

    living.clock.set("2026-11-20T09:00:00Z".parse().unwrap());
    assert_eq!(asked("en").await, "it is due, but no job runs while the clock is not believed");
    assert_eq!(asked("de").await, "löschreif, aber kein Job läuft, solange der Uhr nicht geglaubt wird");
}

#[tokio::test]
async fn why_a_record_is_not_proposed_is_told_to_those_alone_who_may_see_it() {
    let office = access::Office::open(access::GRANTS).await;
    let none = |record: &str| format!("error: cannot show {record}: there is no proposal for it\n");
    let said = office.says("vera", &["show", "member/9"]).await.err;
    assert!(said.contains("there is no proposal for it: left is met from 2029-11-02 only"), "{said}");
    // He sees other members, of another branch.
    let said = office.says("karl", &["show", "member/9"]).await.err;
    assert!(said.starts_with(&none("member/9")), "{said}");
    // One who was proposed in another branch than the one where she is now.
    office.living.bench.sql("UPDATE members SET branch = 'graz' WHERE id = 2").await;
    let said = office.says("vera", &["show", "member/2"]).await.err;
    assert!(said.starts_with(&none("member/2")), "{said}");
}
