//! A walk through a table: every row once, in stretches that follow the time that the source may be held, over one schema.

use std::time::{Duration, Instant};

use erasured::erasure::{Day, Examined, Selection, Tally, examine};
use erasured::record::FingerprintKey;
use erasured::source::{Mapping, Reader, SourceError};

use super::{PERSON, persons};
use crate::common::{Bench, due, key};

/// So many that a stretch is never too long, and so few that it always is.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);
const NEVER: Duration = Duration::ZERO;

/// The application is left alone for so long at least while it changes things.
const GAP: Duration = Duration::from_millis(100);

/// Every time to something else: SQLite writes no page that stays as it was.
const CHANGE: &str = "UPDATE person SET left_on = date(left_on, '+1 day') WHERE id = 2";

/// So many persons, of whom every second is due.
fn people(count: u32) -> String {
    format!(
        "{PERSON} WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO person SELECT i, 'Huber ' || i, iif(i % 2, '2019-01-01', '2026-01-01') FROM n;"
    )
}

struct Walk {
    bench: Bench,
    mapping: Mapping,
    reader: Reader,
    day: Day,
    key: FingerprintKey,
}

impl Walk {
    async fn through(sql: &str) -> Self {
        let bench = persons(sql, "").await;
        let mapping = bench.mapping("person").await;
        let reader = bench.source(&bench.settings()).reader().await.unwrap();
        let day = bench.day();
        Self { bench, mapping, reader, day, key: key() }
    }

    /// The rows of each stretch, read or passed over, and how long it took.
    async fn stretches(&mut self, max_lock: Duration, is_read: bool, between: &str) -> Vec<(u64, Duration)> {
        let mut selection = Selection::new(&self.mapping, &self.day, &self.key, max_lock);
        let mut found = Vec::new();
        loop {
            let begun = Instant::now();
            let rows = if is_read {
                selection.next(&mut self.reader).await.unwrap().map(|stretch| stretch.rows)
            } else {
                selection.skip(&mut self.reader).await.unwrap()
            };
            let Some(rows) = rows else { break };
            found.push((rows, begun.elapsed()));
            if !between.is_empty() {
                self.bench.sql(between).await;
            }
        }
        assert!(selection.is_over());
        found
    }

    async fn rows(&mut self, max_lock: Duration, is_read: bool) -> Vec<u64> {
        self.stretches(max_lock, is_read, "").await.into_iter().map(|(rows, _)| rows).collect()
    }
}

#[tokio::test]
async fn stretches_grow_and_shrink_within_bounds_and_no_row_is_left_out() {
    let mut walk = Walk::through(&people(25_000)).await;
    for is_read in [true, false] {
        assert_eq!(walk.rows(FOR_EVER, is_read).await, [2_000, 4_000, 8_000, 10_000, 1_000], "read: {is_read}");
    }
    let mut walk = Walk::through(&people(2_250)).await;
    for is_read in [true, false] {
        assert_eq!(walk.rows(NEVER, is_read).await, [2_000, 100, 100, 50], "read: {is_read}");
    }
}

#[tokio::test]
async fn whoever_is_due_is_found_once_in_the_order_of_the_table() {
    let mut walk = Walk::through(&people(5_000)).await;
    let (claims, _) = due(&mut walk.reader, &walk.mapping, &walk.day).await;
    let keys: Vec<u32> = claims.iter().map(|claim| claim.key.as_str().parse().unwrap()).collect();
    assert_eq!(keys, (1..5_000).step_by(2).collect::<Vec<u32>>());
}

#[tokio::test]
async fn a_stretch_that_is_passed_over_is_not_read_later() {
    let mut walk = Walk::through(&people(2_002)).await;
    let mut selection = Selection::new(&walk.mapping, &walk.day, &walk.key, FOR_EVER);
    assert_eq!(selection.skip(&mut walk.reader).await.unwrap(), Some(2_000));
    assert!(!selection.is_over());
    let stretch = selection.next(&mut walk.reader).await.unwrap().unwrap();
    let keys: Vec<&str> = stretch.candidates.iter().map(|candidate| candidate.key.as_str()).collect();
    assert_eq!((stretch.rows, keys), (2, vec!["2001"]));
    assert!(selection.next(&mut walk.reader).await.unwrap().is_none());
    assert!(selection.skip(&mut walk.reader).await.unwrap().is_none());
}

#[tokio::test]
async fn a_schema_that_changes_on_the_way_ends_the_walk() {
    for is_read in [true, false] {
        let mut walk = Walk::through(&people(2_001)).await;
        let mut selection = Selection::new(&walk.mapping, &walk.day, &walk.key, FOR_EVER);
        selection.next(&mut walk.reader).await.unwrap();
        walk.bench.sql("ALTER TABLE person ADD COLUMN nickname TEXT").await;
        let error = if is_read {
            selection.next(&mut walk.reader).await.unwrap_err()
        } else {
            selection.skip(&mut walk.reader).await.unwrap_err()
        };
        assert!(matches!(error, SourceError::SchemaChanged), "{error:?}");
    }
}

#[tokio::test]
async fn where_reading_keeps_writers_out_they_are_left_time_while_they_write() {
    let mut walk = Walk::through(&people(2_750)).await;
    for is_read in [true, false] {
        let stretches = walk.stretches(NEVER, is_read, CHANGE).await;
        assert_eq!(stretches.len(), 9);
        for (_, took) in &stretches {
            assert!(*took >= GAP, "read: {is_read}: {stretches:?}");
        }
    }
}

#[tokio::test]
async fn where_it_does_not_or_nobody_writes_nobody_waits() {
    let many = people(2_000 + 29 * 100 + 50);
    let mut quiet = Walk::through(&many).await;
    let mut logged = Walk::through(&format!("PRAGMA journal_mode = WAL; {many}")).await;
    for is_read in [true, false] {
        for stretches in [quiet.stretches(NEVER, is_read, "").await, logged.stretches(NEVER, is_read, CHANGE).await] {
            let took: Duration = stretches.iter().map(|(_, took)| *took).sum();
            assert!(stretches.len() == 31 && took < GAP * 31, "{took:?}");
        }
    }
}

#[tokio::test]
async fn more_are_looked_at_for_what_keeps_them_than_go_into_one_question() {
    let sql = format!(
        "{} CREATE TABLE bill (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person, paid_on TEXT);
         INSERT INTO bill SELECT NULL, id, '2025-01-01' FROM person WHERE id IN (1, 1501, 1999);
         INSERT INTO bill SELECT NULL, id, '2015-01-01' FROM person WHERE id IN (3, 1503);",
        people(2_000).replace("i % 2", "i > 100 OR i % 2")
    );
    let bill = "[[dependent]]\ntable = \"bill\"\ncolumn = \"person_id\"\nrule = \"keep\"\nkeep = [\"paid_on\"]\n\
                since = \"paid_on\"\nperiod = \"7 years\"\n";
    let bench = persons(&sql, bill).await;
    let (claims, tally) = bench.selected("person").await;
    assert_eq!((claims.len(), tally), (1_950 - 3, Tally { retained: 3, ..Tally::default() }));
}

#[tokio::test]
async fn nobody_is_told_from_another_by_columns_with_nothing_in_them() {
    let bench = Bench::with_sql(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, born TEXT, branch TEXT);
         INSERT INTO person VALUES (1, 'Huber', NULL, 'graz'), (2, NULL, '1980', NULL), (3, ' ', '', 'linz'), (4, NULL, NULL, NULL);",
    )
    .await;
    let rule = "[[criterion]]\nname = \"all\"\nwhere = \"id > 0\"\n[erase]\nkeep = [\"branch\"]\n";
    let anonymise = "[erase.anonymise]\nname = \"null\"\nborn = \"null\"\n";
    let identity = "table = \"person\"\nidentity = [\"name\", \"born\"]\nunit = \"branch\"\n";
    bench.category("person", &format!("{identity}{rule}{anonymise}"));
    let mapping = bench.mapping("person").await;
    let mut reader = bench.source(&bench.settings()).reader().await.unwrap();
    let (day, key) = (bench.day(), key());
    let stretch = Selection::new(&mapping, &day, &key, FOR_EVER).next(&mut reader).await.unwrap().unwrap();
    let seen: Vec<_> =
        stretch.candidates.iter().map(|candidate| (candidate.identity_is_blank, candidate.unit.as_deref())).collect();
    let expected = [(false, Some("graz")), (false, None), (true, Some("linz")), (true, None)];
    assert_eq!(seen, expected);
    let keys: Vec<_> = stretch.candidates.iter().map(|candidate| candidate.key.clone()).collect();
    let again = examine(&mut reader, &mapping, &day, &key, &keys).await.unwrap();
    let again: Vec<_> = again
        .iter()
        .map(|now| match now {
            Examined::Found { identity_is_blank, unit, .. } => (*identity_is_blank, unit.as_deref()),
            Examined::Gone => panic!("it is there"),
        })
        .collect();
    assert_eq!(again, expected, "and so when it is looked at again");
    reader.close().await;
}

#[test]
fn what_is_passed_over_is_counted_over_all_stretches() {
    let one = Tally { no_start_date: 1, unreadable_date: 2, null_key: 3, unusable_key: 4, retained: 5 };
    let mut all = one;
    all += one;
    assert_eq!(all, Tally { no_start_date: 2, unreadable_date: 4, null_key: 6, unusable_key: 8, retained: 10 });
}
