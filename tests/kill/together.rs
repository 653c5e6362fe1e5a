//! Killed while people who were confirmed together in three categories are being erased: each is there in all three, or in
//! none.

use erasured::erasure::POINTS;

use crate::common::Bench;
use crate::erase::{ends, killed_in_a_run};
use crate::process::{Site, aside, copied};

/// More than the first batch takes.
const PEOPLE: usize = 30;

/// Persons, who are prospects, who are members: each refers to the one before. Every third has an order that stays.
fn sql(journal: &str) -> String {
    format!(
        "PRAGMA journal_mode = {journal};
         CREATE TABLE persons (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT);
         CREATE TABLE prospects (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT,
                                 person_id INTEGER REFERENCES persons (id));
         CREATE TABLE members (no TEXT PRIMARY KEY NOT NULL, last_name TEXT, seen_on TEXT,
                               prospect_id INTEGER REFERENCES prospects (id));
         CREATE TABLE orders (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects (id), ship_name TEXT);
         CREATE INDEX prospects_person ON prospects (person_id);
         CREATE INDEX members_prospect ON members (prospect_id);
         CREATE INDEX orders_prospect ON orders (prospect_id);
         CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {PEOPLE})
         SELECT i FROM n;
         INSERT INTO persons SELECT i, 'Name ' || i, '2015-01-01' FROM n;
         INSERT INTO prospects SELECT i, 'Name ' || i, '2015-01-01', i FROM n;
         INSERT INTO members SELECT 'M-' || i, 'Name ' || i, '2015-01-01', i FROM n;
         INSERT INTO orders SELECT i, i, 'Name ' || i FROM n WHERE i % 3 = 0;"
    )
}

fn category(bench: &Bench, name: &str, table: &str, rest: &str) {
    let settings = format!(
        "table = \"{table}\"\nidentity = [\"last_name\"]\n[[criterion]]\nname = \"inactive\"\nsince = \"seen_on\"\n\
         period = \"3 years\"\n{rest}\n[erase.anonymise]\nlast_name = \"null\"\nseen_on = \"null\"\n"
    );
    bench.category(name, &settings);
}

/// Everybody is confirmed in all three categories together, and the daemon stopped again.
async fn joined(journal: &str) -> Bench {
    let bench = Bench::with_sql(&sql(journal)).await;
    let refers = |table: &str, column: &str| {
        format!("[[dependent]]\ntable = \"{table}\"\ncolumn = \"{column}\"\nrule = \"keep\"\n")
    };
    category(&bench, "person", "persons", &refers("prospects", "person_id"));
    let prospect = format!(
        "[erase]\nkeep = [\"person_id\"]\n{}{}anonymise = {{ ship_name = \"null\" }}\n[[linked]]\ncategory = \"person\"\n\
         column = \"person_id\"\n[[linked]]\ncategory = \"member\"\ntheir_column = \"prospect_id\"\n",
        refers("members", "prospect_id"),
        refers("orders", "prospect_id")
    );
    category(&bench, "prospect", "prospects", &prospect);
    category(&bench, "member", "members", "[erase]\nkeep = [\"prospect_id\"]\n");
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let records: Vec<String> = (1..=PEOPLE).map(|i| format!("prospect/{i}")).collect();
    let mut words = vec!["confirm", "--yes-confirm", "30", "--with-linked"];
    words.extend(records.iter().map(String::as_str));
    assert_eq!(site.json(&words)["done"], 3 * PEOPLE);
    daemon.stop();
    bench
}

/// How many are still there, and that each is so in all three categories.
async fn left(bench: &Bench) -> usize {
    let source = aside(&bench.database());
    let found = source
        .rows(
            "SELECT p.i, (SELECT count(*) FROM persons WHERE id = p.i AND last_name IS NOT NULL), \
             (SELECT count(*) FROM prospects WHERE id = p.i AND last_name IS NOT NULL), \
             (SELECT count(*) FROM members WHERE no = 'M-' || p.i AND last_name IS NOT NULL) \
             FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) SELECT i FROM n) p",
        )
        .await;
    assert_eq!(found.len(), PEOPLE);
    let whole = |row: &&String| row.ends_with("|1|1|1");
    for row in &found {
        assert!(whole(&row) || row.ends_with("|0|0|0"), "one of the three is there without the others: {row}");
    }
    found.iter().filter(whole).count()
}

/// The batches of a daemon that is killed when it passes the place so often: how many have committed in the source.
fn committed(point: &str, time: usize) -> usize {
    let place = |name: &str| POINTS.iter().position(|point| *point == name).unwrap();
    // This place is passed once for each of three categories.
    let batch = if point == "category-changed" { (time - 1) / 3 } else { time - 1 };
    batch + usize::from(place(point) >= place("batch-committed"))
}

async fn killed_everywhere(journal: &str) {
    let start = joined(journal).await;
    let undisturbed = copied(&start);
    let site = Site::at(undisturbed.dir.path());
    let daemon = site.daemon();
    let run = site.json(&["run", "erase", "--wait"]);
    assert_eq!((&run["state"], &run["deleted"], &run["anonymised"]), (&"done".into(), &70.into(), &20.into()), "{run}");
    let (dump, erased) = (undisturbed.dump().await, site.erased());
    daemon.stop();
    undisturbed.assert_sound().await;
    let first = PEOPLE - 20;
    for (point, times) in [
        ("batch-locked", 1..=2),
        ("batch-planned", 1..=2),
        ("category-changed", 1..=6),
        ("intent-written", 1..=2),
        ("batch-changed", 1..=2),
        ("batch-marked", 1..=2),
        ("batch-committed", 1..=2),
        ("outcome-written", 1..=2),
    ] {
        for time in times {
            let what = format!("{journal}, {point} for the {time}. time");
            let bench = copied(&start);
            let site = Site::at(bench.dir.path());
            killed_in_a_run(&site, "erase", point, time);
            let (left, committed) = (left(&bench).await, committed(point, time));
            // How many the second batch takes depends on how long the first has held the lock.
            let is_so = if committed < 2 { left == [PEOPLE, first][committed] } else { left < first };
            assert!(is_so, "{what}: {left} are left after {committed} batches");
            let daemon = site.daemon();
            assert_eq!(ends(&site), ["done", "stopped", "done"], "{what}");
            assert!(bench.dump().await == dump, "{what}: the source is not what it would be");
            assert_eq!(site.erased(), erased, "{what}: one entry for each record, and the same");
            site.assert_trail_holds();
            daemon.stop();
        }
    }
}

#[tokio::test]
async fn a_kill_anywhere_leaves_all_three_or_none() {
    killed_everywhere("DELETE").await;
}

#[tokio::test]
async fn nor_does_one_beside_a_write_ahead_log_part_them() {
    killed_everywhere("WAL").await;
}
