//! What becomes of a run when a source is not what it was: that one stops, by name, and the others go on.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::common::Bench;
use crate::office::{CUSTOMER, erased, names, office, settings};
use crate::process::{Answer, Site, aside};

/// Two applications of the same kind: `customer` and `user` in one, `client` in the other.
async fn two_offices() -> Bench {
    let bench = office(6).await;
    std::fs::copy(bench.database(), bench.dir.path().join("second.db")).unwrap();
    settings(&bench, "[source.app]\nurl = \"sqlite:app.db\"\n[source.second]\nurl = \"sqlite:second.db\"");
    let client = format!("version = 1\nsource = \"second\"\n{CUSTOMER}");
    std::fs::write(bench.dir.path().join("categories/client.toml"), client).unwrap();
    bench
}

fn confirm(site: &Site, records: &[&str]) {
    site.json(&[&["confirm"], records].concat());
}

/// A run that can be done in part only: what it says about that, and its counts.
fn partly(site: &Site, job: &str) -> (Answer, Value) {
    let answer = site.ctl(&["run", job, "--wait", "--json"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let run = answer.json();
    assert_eq!(run["state"], "partly", "{run}");
    (answer, run)
}

fn problem(status: &Value, list: &str, name: &str, of: &str) -> Value {
    let named = status[list].as_array().unwrap().iter().find(|one| one[name] == of);
    named.unwrap_or_else(|| panic!("{of} is not in {status}"))["problem"].clone()
}

#[tokio::test]
async fn a_source_restored_from_an_older_copy_is_closed_until_an_operator_opens_it() {
    let bench = two_offices().await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let backup = std::fs::read(bench.database()).unwrap();
    confirm(&site, &["customer/1", "customer/3", "client/1"]);
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [2, 1, 0, 0, 0]);
    std::fs::write(bench.database(), &backup).unwrap();
    let restored = bench.dump().await;
    confirm(&site, &["customer/2", "client/2"]);
    let (answer, run) = partly(&site, "erase");
    assert_eq!(erased(&run)[..2], [1, 0], "the other goes on: {run}");
    assert!(answer.stderr.contains("app: closed until an operator decides"), "{answer:?}");
    assert!(bench.dump().await == restored, "nothing is erased in the restored one");
    let closed = problem(&site.json(&["status"]), "sources", "source", "app");
    assert!(closed.as_str().unwrap().contains("restored from elsewhere"), "{closed}");
    assert_eq!(site.entries("source_closed").len(), 1);
    daemon.stop();
    let daemon = site.daemon();
    partly(&site, "erase");
    assert!(bench.dump().await == restored, "it stays closed");
    daemon.stop();
    let opened = Answer::of(&mut site.erasured(&["reopen", "app"]));
    assert_eq!((opened.code, opened.stderr.as_str()), (0, ""), "{opened:?}");
    let daemon = site.daemon();
    assert_eq!(problem(&site.json(&["status"]), "sources", "source", "app"), Value::Null);
    // What the copy has brought back is due again; the one that was confirmed meanwhile still is.
    let again = site.json(&["run", "prepare", "--wait"]);
    assert_eq!(again["proposed"], 2, "{again}");
    confirm(&site, &["customer/1", "customer/3"]);
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [2, 1, 0, 0, 0]);
    assert_eq!(names(&bench).await, ["'Name 4'", "'Name 5'", "'Name 6'"]);
    assert_eq!(site.entries("source_opened").len(), 1);
    site.assert_trail_holds();
    daemon.stop();
}

#[tokio::test]
async fn a_state_restored_from_an_older_copy_closes_the_sources_that_have_gone_on() {
    let bench = two_offices().await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    confirm(&site, &["customer/1", "client/1"]);
    site.json(&["run", "erase", "--wait"]);
    confirm(&site, &["customer/2", "customer/3"]);
    daemon.stop();
    let backup = std::fs::read(site.state_db()).unwrap();
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [1, 1, 0, 0, 0]);
    daemon.stop();
    std::fs::write(site.state_db(), backup).unwrap();
    site.take_older_state();
    let before = bench.dump().await;
    let daemon = site.daemon();
    let status = site.json(&["status"]);
    assert!(problem(&status, "sources", "source", "app").is_string(), "{status}");
    assert_eq!(problem(&status, "sources", "source", "second"), Value::Null, "nothing was erased there since");
    partly(&site, "erase");
    assert!(bench.dump().await == before);
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["reopen", "app"])).code, 0);
    let daemon = site.daemon();
    let run = site.json(&["run", "erase", "--wait"]);
    assert_eq!(erased(&run), [0, 0, 0, 2, 0], "one is gone, and the other is the anonymised one: {run}");
    assert!(bench.dump().await == before);
    daemon.stop();
}

#[tokio::test]
async fn a_source_that_is_missing_at_the_start_does_not_keep_the_daemon_down() {
    let bench = two_offices().await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    confirm(&site, &["customer/1"]);
    site.json(&["run", "erase", "--wait"]);
    daemon.stop();
    // Now there is a marker to be read at the start, and no database that it could be read in.
    let hidden = bench.dir.path().join("hidden.db");
    std::fs::rename(bench.database(), &hidden).unwrap();
    let daemon = site.daemon();
    let status = site.json(&["status"]);
    for (list, name, of) in [("sources", "source", "app"), ("categories", "category", "customer")] {
        let problem = problem(&status, list, name, of);
        assert!(problem.as_str().unwrap().contains("app.db"), "{problem}");
    }
    assert_eq!(problem(&status, "sources", "source", "second"), Value::Null);
    confirm(&site, &["client/1", "customer/2"]);
    for job in ["prepare", "erase"] {
        let (answer, run) = partly(&site, job);
        assert!(answer.stderr.contains("app.db"), "{answer:?}");
        assert!(job == "prepare" || erased(&run) == [1, 0, 0, 0, 1], "the other goes on: {run}");
    }
    assert!(!bench.database().exists(), "and no empty one is made");
    std::fs::rename(&hidden, bench.database()).unwrap();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [1, 0, 0, 0, 0], "it is back, and all is well");
    daemon.stop();
}

#[tokio::test]
async fn a_new_column_stops_its_category_by_name() {
    let bench = office(6).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    bench.sql("ALTER TABLE customers ADD COLUMN phone TEXT").await;
    let before = bench.dump().await;
    let (answer, run) = partly(&site, "erase");
    assert_eq!(erased(&run)[..2], [3, 0], "users are erased: {run}");
    assert!(answer.stderr.contains("customer") && answer.stderr.contains("phone"), "{answer:?}");
    let after = bench.dump().await;
    assert_eq!((&after["customers"], &after["orders"]), (&before["customers"], &before["orders"]));
    let stopped = problem(&site.json(&["status"]), "categories", "category", "customer");
    assert!(stopped.as_str().unwrap().contains("phone"), "{stopped}");
    assert_eq!(site.records("confirmed").len(), 6, "they wait");
    // Somebody has looked at it and says what is to become of it.
    bench.category("customer", &CUSTOMER.replace("[erase.anonymise]", "[erase.anonymise]\nphone = \"null\""));
    daemon.signal(Signal::SIGHUP);
    daemon.says("the settings are reloaded");
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [4, 2, 0, 0, 0]);
    daemon.stop();
}

/// Everything in the state that a dry run must leave alone.
const BESIDE_RUNS: &str = "SELECT 'proposal', id, version, state FROM proposal
     UNION ALL SELECT 'batch', count(*), 0, '' FROM batch
     UNION ALL SELECT 'ledger', count(*), 0, '' FROM ledger
     UNION ALL SELECT 'decision', count(*), 0, '' FROM decision
     UNION ALL SELECT 'audit', count(*), 0, kind FROM audit
               WHERE kind NOT IN ('run_queued', 'run_started', 'run_finished', 'checkpoint') GROUP BY kind";

/// What a run has counted, without what is told of the run itself.
fn counts(run: &Value) -> Value {
    assert_eq!(run["state"], "done", "{run}");
    let mut run = run.clone();
    for of_the_run in ["id", "dry_run", "queued_at", "started_at", "finished_at"] {
        run.as_object_mut().unwrap().remove(of_the_run).unwrap();
    }
    // Where nothing is erased, nothing is removed and there is nothing to prove.
    // How long it took, and where the trail has it, is each run's own.
    for afterwards in ["removal", "proofs", "notes", "duration_ms", "longest_lock_us", "trail"] {
        run.as_object_mut().unwrap().remove(afterwards);
    }
    run
}

#[tokio::test]
async fn a_dry_run_is_the_run() {
    let bench = office(9).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    for job in ["prepare", "erase"] {
        let before = (aside(&bench.database()).dump().await, site.now(BESIDE_RUNS).await);
        let dry = counts(&site.json(&["run", job, "--dry-run", "--wait"]));
        assert!((aside(&bench.database()).dump().await, site.now(BESIDE_RUNS).await) == before, "{job} only looks");
        let real = counts(&site.json(&["run", job, "--wait"]));
        assert_eq!(dry, real, "{job}");
        if job == "prepare" {
            assert_eq!(real["proposed"], 12);
            confirm(&site, &site.records("proposed").iter().map(String::as_str).collect::<Vec<_>>());
            bench.sql("UPDATE customers SET last_name = 'Another' WHERE id = 3").await;
            bench.sql("UPDATE customers SET last_contact_on = date('now') WHERE id = 4").await;
            bench.sql("DELETE FROM users WHERE login = 'anna'").await;
        } else {
            assert_eq!(erased(&real), [7, 2, 1, 2, 0], "each of the ways was gone");
        }
    }
    daemon.stop();
}
