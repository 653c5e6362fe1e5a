//! Against a plain search through the files, on databases made at random.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::app::{App, PERSON, found, name, persons};

/// What an application may do.
#[derive(Debug, Clone)]
enum Step {
    Add(u32, u32),
    Delete(u32, u32),
    Rename(u32),
    Lengthen(u32, u32),
    CareOn,
    CareOff,
    Vacuum,
    Checkpoint(&'static str),
    Index,
    Copy(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..500_u32, 1..120_u32).prop_map(|(from, count)| Step::Add(from, count)),
        4 => (0..500_u32, 1..200_u32).prop_map(|(from, count)| Step::Delete(from, count)),
        2 => (0..500_u32).prop_map(Step::Rename),
        2 => (0..500_u32, 0..3_000_u32).prop_map(|(who, bytes)| Step::Lengthen(who, bytes)),
        1 => Just(Step::CareOn),
        1 => Just(Step::CareOff),
        1 => Just(Step::Vacuum),
        1 => prop_oneof![Just("PASSIVE"), Just("RESTART"), Just("TRUNCATE")].prop_map(Step::Checkpoint),
        1 => Just(Step::Index),
        1 => (0..500_u32).prop_map(Step::Copy),
    ];
    proptest::collection::vec(step, 1..14)
}

fn sql(step: &Step) -> String {
    match step {
        Step::Add(from, count) => persons(*from..from + count).replace("INSERT INTO", "INSERT OR IGNORE INTO"),
        Step::Delete(from, count) => format!("DELETE FROM person WHERE id BETWEEN {from} AND {};", from + count),
        Step::Rename(who) => format!("UPDATE person SET name = 'somebody else' WHERE id = {who};"),
        Step::Lengthen(who, bytes) => format!(
            "UPDATE person SET note = '{}' || name WHERE id BETWEEN {who} AND {};",
            "+".repeat(*bytes as usize),
            who + 3
        ),
        Step::CareOn => "PRAGMA secure_delete = ON;".to_owned(),
        Step::CareOff => "PRAGMA secure_delete = OFF;".to_owned(),
        Step::Vacuum => "VACUUM;".to_owned(),
        Step::Checkpoint(kind) => format!("PRAGMA wal_checkpoint({kind});"),
        Step::Index => "CREATE INDEX IF NOT EXISTS by_name ON person (name);".to_owned(),
        Step::Copy(who) => format!("INSERT INTO visit SELECT name FROM person WHERE id = {who};"),
    }
}

async fn check(page: u32, mode: &str, steps: &[Step]) {
    let mut app = App::new(&format!(
        "PRAGMA page_size = {page}; PRAGMA journal_mode = {mode}; {PERSON} CREATE TABLE visit (who TEXT);"
    ))
    .await;
    for step in steps {
        app.sql(&sql(step)).await;
    }
    let files = app.bytes();
    let there = |number: &u32| files.iter().any(|(_, bytes)| super::app::holds(bytes, name(*number).as_bytes()));
    let grepped: Vec<String> = (0..620).filter(there).map(name).collect();
    let all: Vec<String> = (0..620).map(name).collect();
    let report = app.prove(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(report.faults, Vec::<String>::new());
    let values = report.values.as_ref().unwrap();
    assert!(values.found + values.in_use >= grepped.len() as u64, "{values:?}, and {} by grep", grepped.len());
    // Whole values are told from their halves one at a time.
    for one in grepped.iter().step_by(grepped.len() / 3 + 1) {
        let report = app.prove(&[one]).await;
        let is_in_use = report.values.as_ref().unwrap().in_use == 1;
        assert!(found(&report) == 1 || is_in_use, "{one}");
        assert!(is_in_use || !report.is_clean(), "{one}");
    }
    for gone in all.iter().filter(|name| !grepped.contains(name)).step_by(97) {
        let report = app.prove(&[gone]).await;
        assert!(!report.is_clean() || !app.grep(gone), "{gone}");
    }
}

#[test]
fn what_grep_finds_is_found_or_in_use() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cases = std::env::var("PROOF_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let modes = prop_oneof![Just("DELETE"), Just("PERSIST"), Just("TRUNCATE"), Just("WAL")];
    let strategy = (prop_oneof![Just(512_u32), Just(1024), Just(4096), Just(65_536)], modes, steps());
    runner
        .run(&strategy, |(page, mode, steps)| {
            runtime.block_on(check(page, mode, &steps));
            Ok(())
        })
        .unwrap();
}
