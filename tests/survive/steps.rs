//! What is done between two attempts at a batch, and what is told of each: the lock is free, the next is begun only then,
//! and nothing that one attempt has come to is lost behind the others.

use std::time::Duration;

use erasured::erasure::{BatchReport, Claim, Engine, EngineError};
use erasured::proposal::ProposalId;

use super::{PERSON, left_with, persons};
use crate::common::watched::Watched;
use crate::common::{Bench, INSTALLATION, MemoryJournal, key};

/// Longer than any lock of so few records.
const LONG: Duration = Duration::from_millis(300);

/// So many people who are due; whose number is `guarded` cannot be deleted.
async fn people(count: u32, guarded: u32) -> (Bench, Vec<Claim>) {
    let people: Vec<String> = (1..=count).map(|id| format!("({id}, 'Huber {id}', '2019-01-01')")).collect();
    let bench = persons(
        &format!(
            "{PERSON} INSERT INTO person VALUES {};
             CREATE TRIGGER guard BEFORE DELETE ON person WHEN old.id = {guarded} BEGIN SELECT RAISE(ABORT, 'no'); END;",
            people.join(", ")
        ),
        "",
    )
    .await;
    bench.category("person", &left_with("triggers = [\"guard\"]"));
    let claims = bench.due("person").await;
    (bench, claims)
}

/// No longer due, that is.
async fn come_back(bench: &Bench, ids: &str) {
    bench.sql(&format!("UPDATE person SET left_on = '2026-01-01' WHERE id IN ({ids})")).await;
}

/// Erases them under this journal, and gives whether the engine knows since when the lock is free. While its connections are
/// open, nobody is kept out.
async fn erase(
    bench: &Bench,
    journal: &mut Watched<'_>,
    claims: Vec<Claim>,
) -> (Result<BatchReport, EngineError>, bool) {
    let mapping = bench.mapping("person").await;
    let source = bench.source(&bench.settings());
    let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
    let mut engine = Engine {
        reader: &mut reader,
        writer: &mut writer,
        mapping: &mapping,
        day: &bench.day(),
        key: &key(),
        installation: INSTALLATION,
        last_committed: None,
        log_pages_max: 0,
        gap: Duration::ZERO,
        released: None,
    };
    let report = engine.erase(journal, claims).await;
    let is_released = engine.released.is_some();
    bench.sql(TAKE_THE_LOCK).await;
    reader.close().await;
    writer.close().await;
    (report, is_released)
}

const TAKE_THE_LOCK: &str = "PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; COMMIT";

fn ids(of: impl IntoIterator<Item = i64>) -> Vec<ProposalId> {
    of.into_iter().map(ProposalId).collect()
}

#[tokio::test]
async fn without_those_who_are_held_the_rest_is_tried_again_when_the_lock_has_been_free() {
    let (bench, claims) = people(4, 0).await;
    come_back(&bench, "1").await;
    let mut journal = Watched::new(|| bench.sql_at_once(TAKE_THE_LOCK));
    (journal.held, journal.takes) = (ids([1]), LONG);
    let (report, is_released) = erase(&bench, &mut journal, claims).await;
    let report = report.unwrap();
    assert_eq!((report.deleted, report.held, report.withdrawn, report.returned), (2, 1, 1, 0));
    assert!(report.longest_lock >= LONG, "{report:?}");
    assert!(is_released);
    assert_eq!(journal.gaps, [ids([0, 2, 3])], "those who were ruled out are among them");
    assert_eq!(journal.journal.calls, ["intent", "outcome"]);
    assert_eq!(bench.rows("SELECT id FROM person").await, ["1", "2"]);
}

#[tokio::test]
async fn where_all_are_held_nothing_more_is_tried() {
    let (bench, claims) = people(2, 0).await;
    let mut journal = Watched::new(|| ());
    journal.held = ids([0, 1]);
    let (report, _) = erase(&bench, &mut journal, claims).await;
    assert_eq!(report.unwrap().held, 2);
    assert_eq!(journal.intents.len(), 1);
    assert!(journal.journal.calls.is_empty());
}

#[tokio::test]
async fn a_batch_of_nobody_but_those_who_are_ruled_out_lets_the_lock_go_and_is_told() {
    let (bench, claims) = people(2, 0).await;
    come_back(&bench, "1, 2").await;
    let mut journal = Watched::new(|| ());
    let (report, is_released) = erase(&bench, &mut journal, claims).await;
    let report = report.unwrap();
    assert_eq!((report.withdrawn, journal.journal.ruled_out.len(), journal.journal.calls.len()), (2, 2, 1));
    assert!(is_released && report.longest_lock > Duration::ZERO, "{report:?}");
}

#[tokio::test]
async fn a_journal_that_fails_at_the_intent_lets_the_lock_go() {
    let (bench, claims) = people(2, 0).await;
    let mut journal = Watched::new(|| ());
    journal.journal = MemoryJournal { fail_at: Some(1), ..MemoryJournal::default() };
    let (report, _) = erase(&bench, &mut journal, claims).await;
    assert!(matches!(report, Err(EngineError::Journal(_))), "{report:?}");
}

#[tokio::test]
async fn the_lock_is_held_until_the_intent_is_written() {
    let (bench, claims) = people(2, 0).await;
    let mut journal = Watched::new(|| ());
    journal.takes = LONG;
    let (report, is_released) = erase(&bench, &mut journal, claims).await;
    assert!(is_released && report.unwrap().longest_lock >= LONG);
}

#[tokio::test]
async fn who_is_ruled_out_beside_the_only_one_that_is_refused_is_counted() {
    let (bench, claims) = people(2, 2).await;
    come_back(&bench, "1").await;
    let mut journal = Watched::new(|| ());
    journal.takes = LONG;
    let (report, _) = erase(&bench, &mut journal, claims).await;
    let report = report.unwrap();
    assert_eq!((report.withdrawn, report.returned), (1, 1));
    assert!(report.longest_lock >= LONG, "{report:?}");
    assert!(journal.gaps.is_empty(), "nothing is left to be tried");
}

#[tokio::test]
async fn a_batch_that_is_refused_is_halved_and_what_it_came_to_is_kept() {
    let (bench, claims) = people(17, 17).await;
    come_back(&bench, "1").await;
    let mut journal = Watched::new(|| bench.sql_at_once(TAKE_THE_LOCK));
    journal.takes = LONG;
    let (report, _) = erase(&bench, &mut journal, claims).await;
    let report = report.unwrap();
    assert_eq!((report.deleted, report.withdrawn, report.returned), (15, 1, 1));
    assert!(report.longest_lock >= LONG, "{report:?}");
    assert_eq!(journal.intents.len(), 9, "16, and twice each 8, 4, 2 and 1");
}

#[tokio::test]
async fn an_error_that_is_about_no_record_stops_the_run_and_blames_nobody() {
    let (bench, claims) = people(1, 0).await;
    let mut journal = Watched::new(|| ());
    journal.meanwhile = Some(Box::new(|| {
        let copy = bench.dir.path().join("copy.db");
        std::fs::copy(bench.database(), &copy).unwrap();
        std::fs::rename(copy, bench.database()).unwrap();
    }));
    let (report, _) = erase(&bench, &mut journal, claims).await;
    assert!(matches!(report, Err(EngineError::Source(_))), "{report:?}");
    assert_eq!(journal.journal.calls, ["intent", "rolled_back"]);
    assert_eq!(bench.rows("SELECT count(*) FROM person").await, ["1"]);
}

#[tokio::test]
async fn what_no_longer_stands_between_two_attempts_is_not_tried_again() {
    let (bench, claims) = people(4, 4).await;
    let mut journal = Watched::new(|| ());
    journal.between = Box::new(|left| Some(left.iter().copied().filter(|id| id.0 != 0).collect()));
    let (report, _) = erase(&bench, &mut journal, claims).await;
    assert_eq!(report.unwrap().deleted, 2);
    assert_eq!(bench.rows("SELECT id FROM person").await, ["1", "4"]);
}

#[tokio::test]
async fn where_no_more_is_to_be_begun_the_rest_is_left() {
    let (bench, claims) = people(4, 4).await;
    let mut journal = Watched::new(|| ());
    journal.between = Box::new(|_| None);
    let (report, _) = erase(&bench, &mut journal, claims).await;
    let report = report.unwrap();
    assert_eq!((report.deleted, report.returned, journal.intents.len()), (0, 0, 1));
    assert_eq!(bench.rows("SELECT count(*) FROM person").await, ["4"]);
}

#[test]
fn of_many_locks_the_longest_is_told() {
    let lock = |ms| BatchReport { longest_lock: Duration::from_millis(ms), ..BatchReport::default() };
    let mut report = lock(3);
    for (ms, longest) in [(5, 5), (4, 5)] {
        report += lock(ms);
        assert_eq!(report.longest_lock, Duration::from_millis(longest));
    }
}

/// One person in a file with a write-ahead log, whose name stands in the file itself.
async fn logged() -> (Bench, Vec<Claim>) {
    let (bench, claims) = people(1, 0).await;
    bench.sql("PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)").await;
    (bench, claims)
}

fn has_name(bench: &Bench) -> bool {
    std::fs::read(bench.database()).unwrap().windows(7).any(|window| window == b"Huber 1")
}

#[tokio::test]
async fn what_a_batch_has_changed_is_moved_from_the_log_to_the_file() {
    let (bench, claims) = logged().await;
    assert!(has_name(&bench));
    // While the application has it open, nobody moves anything by closing it.
    let mut application = bench.connect().await;
    crate::common::rows(&mut application, "SELECT count(*) FROM person").await;
    let (report, _) = erase(&bench, &mut Watched::new(|| ()), claims).await;
    assert_eq!(report.unwrap().deleted, 1);
    assert!(!has_name(&bench));
}
