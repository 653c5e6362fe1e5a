//! Copies from before: of the database, of the state, of both; and another installation at the same database.

use serde_json::Value;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::common::Bench;
use crate::office::{CUSTOMER, erased, names, office, settings, source};
use crate::process::{Answer, Site, copied, wait_until};
use crate::source::confirmed;
use crate::told::{assert_writable, problem, undone, why};

/// What a job says of a source that is closed, and that it leaves it and what is decided about it alone.
async fn assert_left_alone(site: &Site, bench: &Bench) {
    let (before, decided) = (bench.dump().await, site.now(DECIDED).await);
    // Nothing is on record yet when the dry runs look.
    for words in ["prepare --dry-run", "erase --dry-run", "prepare", "erase"] {
        let answer = site.ctl(&[vec!["run", "--wait", "--json"], words.split(' ').collect()].concat());
        let run = answer.json();
        assert_eq!((answer.code, &run["state"]), (1, &Value::from("partly")), "{words}: {run}");
        assert!(why(&run).contains("app: closed until an operator decides: erasured reopen app"), "{run}");
        let counts = ["proposed", "withdrawn", "deleted", "anonymised", "returned"].map(|name| run[name].as_u64());
        assert_eq!(counts.map(Option::unwrap_or_default), [0; 5], "{words}: {run}");
    }
    assert_eq!(bench.dump().await, before);
    assert_eq!(site.now(DECIDED).await, decided);
}

/// Where every proposal stands.
const DECIDED: &str = "SELECT category, key, state, postponed_count FROM proposal ORDER BY id";

/// Whoever comes back with a backup is due as before; the ledger knows them, and the run says how many they are.
#[tokio::test]
async fn whoever_a_backup_brings_back_is_counted() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let backup = std::fs::read(bench.database()).unwrap();
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    assert_eq!(site.json(&["run", "prepare", "--wait"])["came_back"], 0);
    std::fs::write(bench.database(), backup).unwrap();
    bench.sql("UPDATE customers SET last_name = 'Another' WHERE id = 1").await;
    let (_, run) = undone(&site, "prepare", "partly");
    assert!(why(&run).contains("closed until an operator decides"), "{run}");
    daemon.stop();
    let plan = Answer::of(&mut site.erasured(&["plan"]));
    assert!(plan.code == 1 && plan.stderr.contains("left out: app: closed until an operator decides"), "{plan:?}");
    assert_eq!(plan.stdout.matches("  = nothing, but not all could be looked at\n").count(), 2, "{plan:?}");
    assert_eq!(Answer::of(&mut site.erasured(&["reopen", "app"])).code, 0);
    let daemon = site.daemon();
    let run = site.json(&["run", "prepare", "--wait"]);
    assert_eq!(
        (&run["proposed"], &run["came_back"]),
        (&Value::from(9), &Value::from(8)),
        "one is somebody else: {run}"
    );
    let notes = run["notes"].to_string();
    assert!(notes.contains("customer: 5 records were erased before and came back"), "{notes}");
    let records = site.records("proposed");
    site.json(&[vec!["confirm"], records.iter().map(String::as_str).collect()].concat());
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    assert_writable(&bench).await;
    site.assert_trail_holds();
    daemon.stop();
}

/// A source from elsewhere tells nothing about what was decided: marks and postponements outlast it.
#[tokio::test]
async fn decisions_outlast_a_database_from_elsewhere() {
    let bench = office(6).await;
    let site = Site::at(bench.dir.path());
    let backup = std::fs::read(bench.database()).unwrap();
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    site.json(&["confirm", "customer/1"]);
    site.json(&["run", "erase", "--wait"]);
    bench.sql("INSERT INTO customers (id, last_name, last_contact_on) VALUES (70, 'New', '2026-10-01')").await;
    site.json(&["mark", "customer/70", "--reason", "request"]);
    site.json(&["postpone", "customer/2", "--until", "2199-01-01", "--reason", "complaint"]);
    let right = std::fs::read(bench.database()).unwrap();
    std::fs::write(bench.database(), backup).unwrap();
    assert_left_alone(&site, &bench).await;
    std::fs::write(bench.database(), right).unwrap();
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["reopen", "app"])).code, 0);
    let daemon = site.daemon();
    let run = site.json(&["run", "prepare", "--wait"]);
    assert_eq!(run["withdrawn"], 0, "{run}");
    assert!(site.records("proposed").contains(&"customer/70".to_owned()), "{:?}", site.records("proposed"));
    assert_eq!(site.records("postponed"), ["customer/2"]);
    daemon.stop();
}

/// Nobody but a clerk had asked for it, and no rule finds them: the run says so once, and the trail names them.
#[tokio::test]
async fn whoever_was_erased_by_a_mark_and_comes_back_is_named() {
    let bench = office(6).await;
    let marked = "INSERT INTO customers VALUES (70, 'Marked', 'm@example.org', '2026-10-01'),
        (71, 'Too', 't@example.org', '2026-10-01'), (72, 'Stays', 's@example.org', '2026-10-01')";
    bench.sql(marked).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let backup = std::fs::read(bench.database()).unwrap();
    for record in ["customer/70", "customer/71"] {
        site.json(&["mark", record, "--reason", "request"]);
        site.json(&["confirm", record]);
    }
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [2, 0, 0, 0, 0]);
    std::fs::write(bench.database(), backup).unwrap();
    bench.sql("UPDATE customers SET last_name = 'Another' WHERE id = 71").await;
    undone(&site, "prepare", "partly");
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["reopen", "app"])).code, 0);
    let daemon = site.daemon();
    let told = "customer: 1 record was erased before, came back with a restored backup, and would not be proposed";
    for words in ["prepare --dry-run", "prepare"] {
        let run = site.json(&[vec!["run", "--wait"], words.split(' ').collect()].concat());
        assert!(run["notes"].to_string().contains(told), "{words}: {run}");
        assert_eq!(run["came_back"], 0, "{run}");
    }
    let named = serde_json::json!([{ "records": [{ "category": "customer", "keys": ["70"] }] }]);
    assert_eq!(Value::from(site.entries("came_back")), named);
    let listed = site.json(&["audit", "list", "--record", "customer/70"]);
    assert_eq!(listed["items"][0]["kind"], "came_back", "{listed}");
    assert_eq!(site.json(&["run", "prepare", "--wait"])["notes"], Value::Array(Vec::new()), "once");
    site.assert_trail_holds();
    daemon.stop();
}

/// An office in which two were erased because a clerk had asked, and whose database is from before that, opened again; `meanwhile`
/// is what happens to it before anybody looks.
async fn brought_back(meanwhile: impl AsyncFnOnce(&Bench)) -> (Bench, Site) {
    let bench = office(6).await;
    let marked = "INSERT INTO customers VALUES (70, 'Marked', 'm@example.org', '2026-10-01'),
        (71, 'Too', 't@example.org', '2026-10-01')";
    bench.sql(marked).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let backup = std::fs::read(bench.database()).unwrap();
    for record in ["customer/70", "customer/71"] {
        site.json(&["mark", record, "--reason", "request"]);
        site.json(&["confirm", record]);
    }
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [2, 0, 0, 0, 0]);
    std::fs::write(bench.database(), backup).unwrap();
    undone(&site, "prepare", "partly");
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["reopen", "app"])).code, 0);
    meanwhile(&bench).await;
    (bench, site)
}

/// What makes it the same person is other columns by now: the ledger cannot tell, and that is said.
#[tokio::test]
async fn whoever_may_have_come_back_is_counted_where_it_cannot_be_told() {
    let other = CUSTOMER.replace("identity = [\"last_name\", \"email\"]", "identity = [\"last_name\"]");
    let (_bench, site) = brought_back(async |bench| _ = bench.category("customer", &other)).await;
    let daemon = site.daemon();
    let told = "customer: 2 records were erased before, and the same key is there again; whether a restored backup brought the same person back cannot be told";
    for words in ["prepare --dry-run", "prepare"] {
        let run = site.json(&[vec!["run", "--wait"], words.split(' ').collect()].concat());
        assert!(run["notes"].to_string().contains(told), "{words}: {run}");
    }
    assert_eq!(site.entries("came_back").len(), 0, "nobody is named who may be somebody else");
    assert_eq!(site.json(&["run", "prepare", "--wait"])["notes"], Value::Array(Vec::new()), "once");
    daemon.stop();
}

/// The look is one over the whole source: while a category is stopped it waits, and names nobody twice.
#[tokio::test]
async fn whoever_came_back_is_named_once_however_long_a_category_is_stopped() {
    let (bench, site) = brought_back(async |bench| {
        bench.sql("ALTER TABLE users RENAME COLUMN last_seen_on TO seen_on").await;
    })
    .await;
    let daemon = site.daemon();
    for _ in 0..2 {
        let (_, run) = undone(&site, "prepare", "partly");
        assert!(
            why(&run).contains("app: who came back with a backup is looked for once no category is stopped"),
            "{run}"
        );
        assert_eq!(site.entries("came_back").len(), 0, "{run}");
    }
    bench.sql("ALTER TABLE users RENAME COLUMN seen_on TO last_seen_on").await;
    for _ in 0..2 {
        site.json(&["run", "prepare", "--wait"]);
        assert_eq!(site.entries("came_back").len(), 1);
    }
    site.assert_trail_holds();
    daemon.stop();
}

/// Put back together they agree, as they did then: nothing closes, and the rest of the story is told anew.
#[tokio::test]
async fn both_from_the_same_moment_go_on_from_there() {
    let start = confirmed().await;
    let (first, second) = (copied(&start), copied(&start));
    for bench in [&first, &second] {
        let site = Site::at(bench.dir.path());
        let daemon = site.daemon();
        assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
        assert_eq!(problem(&site), Value::Null);
        assert_eq!(site.erased().len(), 9);
        site.assert_trail_holds();
        daemon.stop();
    }
    assert_eq!(names(&second).await, Vec::<String>::new());
}

/// A new state at a source in which somebody has erased: another daemon's, or what was lost, with a legal hold in it.
#[tokio::test]
async fn a_state_that_knows_nothing_of_what_was_erased_closes_the_source() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let credentials = bench.dir.path().join("credentials");
    std::fs::rename(site.state_dir().join("keys"), &credentials).unwrap();
    let passed = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
    let start = || {
        let mut daemon = site.start(&passed);
        daemon.ready();
        daemon
    };
    let daemon = start();
    site.json(&["hold", "customer/2", "--reason", "lawsuit", "--reference", "3 Cg 17/26"]);
    let run = site.json(&["run", "erase", "--wait"]);
    assert_eq!((&run["state"], &run["held"]), (&Value::from("done"), &Value::from(1)), "{run}");
    assert_eq!(site.json(&["run", "prepare", "--wait"])["state"], "done", "it is the one that it was");
    daemon.stop();
    std::fs::remove_dir_all(site.state_dir()).unwrap();
    let daemon = start();
    let told = problem(&site).as_str().unwrap().to_owned();
    assert!(
        told.contains("another installation of erasured has erased in it, and this state has never erased in it:"),
        "{told}"
    );
    assert!(told.contains("the state was lost, with its holds and decisions; restore the state"), "{told}");
    assert_left_alone(&site, &bench).await;
    daemon.stop();
    let opened = Answer::of(site.erasured(&["reopen", "app"]).envs(passed));
    assert_eq!(opened.code, 0, "{opened:?}");
    for _ in 0..2 {
        let daemon = start();
        let run = site.json(&["run", "prepare", "--wait"]);
        assert_eq!((&run["state"], problem(&site)), (&Value::from("done"), Value::Null), "{run}");
        daemon.stop();
    }
}

/// Two daemons with states of their own at one source: the second one works there as soon as an operator says so.
#[tokio::test]
async fn a_second_installation_waits_for_an_operators_word() {
    let bench = confirmed().await;
    let other = office(1).await;
    std::fs::remove_file(other.database()).unwrap();
    std::os::unix::fs::symlink(bench.database(), other.database()).unwrap();
    let (site, other_site) = (Site::at(bench.dir.path()), Site::at(other.dir.path()));
    let daemon = site.daemon();
    site.json(&["run", "erase", "--wait"]);
    let second = other_site.daemon();
    assert!(why(&undone(&other_site, "prepare", "partly").1).contains("closed until an operator decides"));
    second.stop();
    assert_eq!(Answer::of(&mut other_site.erasured(&["reopen", "app"])).code, 0);
    let second = other_site.daemon();
    bench.sql("INSERT INTO customers (id, last_name, last_contact_on) VALUES (71, 'New', '2015-01-01')").await;
    other_site.json(&["run", "prepare", "--wait"]);
    other_site.json(&["confirm", "customer/71"]);
    assert_eq!(erased(&other_site.json(&["run", "erase", "--wait"]))[0], 1);
    assert_eq!(site.json(&["run", "prepare", "--wait"])["state"], "done", "the first has a marker of its own");
    second.stop();
    daemon.stop();
}

/// A crash of the application has left a journal that only who may write can roll back: that is done, whoever comes first.
#[tokio::test]
async fn what_a_crash_of_the_application_has_left_half_written_is_rolled_back() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let before = bench.dump().await;
    let mut application = bench.connect().await;
    // More than fits into memory is written to the file before it is committed.
    let half = "PRAGMA cache_size = 1; BEGIN; CREATE TABLE filler (x); UPDATE customers SET last_name = 'Half';
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO filler SELECT randomblob(1000) FROM n";
    sqlx::raw_sql(half).execute(&mut application).await.unwrap();
    let journal = bench.dir.path().join("app.db-journal");
    let (half_written, hot) = (std::fs::read(bench.database()).unwrap(), std::fs::read(&journal).unwrap());
    application.close().await.unwrap();
    let crash = || {
        std::fs::write(bench.database(), &half_written).unwrap();
        std::fs::write(&journal, &hot).unwrap();
    };
    for words in ["status", "list", "run prepare --wait --dry-run", "run erase --wait --dry-run", "run prepare --wait"]
    {
        crash();
        let said = site.json(&words.split(' ').collect::<Vec<_>>());
        assert!(!said.to_string().contains("read-only"), "{words}: {said}");
        assert_eq!(problem(&site), Value::Null, "{words}");
        assert_eq!(bench.dump().await, before, "{words}: as if it had not been");
    }
    crash();
    crate::source::assert_mended(&site);
    daemon.stop();
}

/// The newest time on record lies ahead: the clock was set back, or had been wrong before. An operator decides.
#[tokio::test]
async fn an_operator_decides_which_time_is_right() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    settings(&bench, &format!("[schedule]\nprepare = \"30 2 * * *\"\n{}", source("")));
    let options = SqliteConnectOptions::new().filename(site.state_db());
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    let wrong = "UPDATE clock SET newest_at = '2099-01-01T00:00:00.000Z';
        INSERT INTO schedule VALUES ('prepare', '2026-01-01T00:00:00Z')";
    sqlx::raw_sql(wrong).execute(&mut state).await.unwrap();
    state.close().await.unwrap();
    let daemon = site.daemon();
    daemon.says("the clock is not believed");
    daemon.says("nothing is queued by a clock that is not believed");
    let (_, run) = undone(&site, "erase", "failed");
    assert!(why(&run).contains("the clock was set back"), "{run}");
    let status = site.json(&["status"]);
    assert!(status["clock_problem"].is_string(), "{status}");
    assert_eq!(names(&bench).await.len(), 6);
    daemon.stop();
    let asked = Answer::of(&mut site.erasured(&["clock"]));
    assert_eq!(asked.code, 1, "{asked:?}");
    assert!(asked.stderr.contains("set back") && asked.stderr.contains("hint: set the clock right"), "{asked:?}");
    let accepted = Answer::of(&mut site.erasured(&["clock", "--accept"]));
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    let caught_up = || site.runs().iter().filter(|run| run["trigger"] == "catch-up").count();
    wait_until("the slot was not used up", || caught_up() == 1);
    site.idle();
    assert_eq!(site.entries("clock_accepted").len(), 1);
    site.assert_trail_holds();
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["clock"])).code, 0);
}

/// The clock was set ahead while the machine was up. Starting the daemon again makes it no more credible.
#[tokio::test]
async fn a_clock_that_was_set_ahead_is_not_believed_after_a_restart() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let options = SqliteConnectOptions::new().filename(site.state_db());
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    // The clock of the machine is not ours to set: as if it had shown less when it was believed first.
    let wrong = "UPDATE clock SET anchor_at = strftime('%Y-%m-%dT%H:%M:%fZ', anchor_at, '-30 days')";
    assert_eq!(sqlx::query(wrong).execute(&mut state).await.unwrap().rows_affected(), 1);
    state.close().await.unwrap();
    let asked = Answer::of(&mut site.erasured(&["clock"]));
    assert_eq!(asked.code, 1, "{asked:?}");
    assert!(asked.stderr.contains("set ahead") && asked.stderr.contains("hint: set the clock right"), "{asked:?}");
    let daemon = site.daemon();
    daemon.says("the clock is not believed");
    let (_, run) = undone(&site, "erase", "failed");
    assert!(why(&run).contains("the clock was set ahead"), "{run}");
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["clock", "--accept"])).code, 0);
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
    daemon.stop();
}
