//! Decisions with their reasons: what a fixture and a category come to, record by record.

use std::fmt::Write as _;

use erasured::erasure::{Examined, Verdict, examine, preview};
use erasured::record::RecordKey;

use crate::common::{Bench, key};

/// What is to be said of every record of the category's table, and why.
async fn decisions(bench: &Bench, category: &str, keys: &str) -> String {
    let mapping = bench.mapping(category).await;
    let mut reader = bench.source(&bench.settings()).reader().await.unwrap();
    let keys: Vec<RecordKey> =
        bench.rows(keys).await.iter().map(|key| RecordKey::from_text(key.trim_matches('\''))).collect();
    let examined = examine(&mut reader, &mapping, &bench.day(), &key(), &keys).await.unwrap();
    let mut report = String::new();
    for (record, found) in keys.iter().zip(examined) {
        let Examined::Found { verdict, .. } = found else { panic!("{record} is not there") };
        let due = match verdict {
            Verdict::NotDue(reason) => {
                let _ = writeln!(report, "{category}/{record}: not due, {reason}");
                continue;
            }
            Verdict::Due(due) => due,
        };
        let origin = due.origin();
        let since = origin.due_on().map_or("at once".to_owned(), |day| format!("since {day}"));
        let foreseen = preview(&mut reader, &mapping, &key(), std::slice::from_ref(record)).await.unwrap();
        let planned = &foreseen[0].planned;
        let kept_by: Vec<String> = foreseen[0].kept_by.iter().map(|(name, rows)| format!("{rows} {name}")).collect();
        let why = if kept_by.is_empty() { String::new() } else { format!(" because of {}", kept_by.join(", ")) };
        let _ = writeln!(
            report,
            "{category}/{record}: due by {} {since}; {}{why}",
            origin.criterion().unwrap(),
            planned.outcome.as_str()
        );
        for d in &planned.dependents {
            let _ = writeln!(
                report,
                "  {} ({}): {} deleted, {} changed, {} left",
                d.name,
                d.rule.as_str(),
                d.deleted,
                d.changed,
                d.left
            );
        }
    }
    reader.close().await;
    report
}

const SQL: &str = "CREATE TABLE branch (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE address (id INTEGER PRIMARY KEY, street TEXT);
    CREATE TABLE member (id TEXT PRIMARY KEY NOT NULL, last_name TEXT, first_name TEXT, status TEXT, joined_on TEXT, left_on TEXT,
      branch_id INTEGER REFERENCES branch, address_id INTEGER REFERENCES address, recruiter TEXT REFERENCES member);
    CREATE TABLE booking (id INTEGER PRIMARY KEY, member_id TEXT REFERENCES member, booked_on TEXT, name_on_bill TEXT);
    CREATE TABLE line (id INTEGER PRIMARY KEY, booking_id INTEGER REFERENCES booking, amount REAL);
    CREATE TABLE letter (id INTEGER PRIMARY KEY, member_id TEXT REFERENCES member, text TEXT);
    CREATE TABLE course (id INTEGER PRIMARY KEY, teacher TEXT REFERENCES member, title TEXT);
    INSERT INTO branch VALUES (1, 'West');
    INSERT INTO address VALUES (1, 'Ring 1'), (2, 'Ring 2'), (3, 'Ring 3');
    INSERT INTO member VALUES
      ('long gone', 'Huber', 'A', 'left', '1990-01-01', '2015-06-30', 1, 1, NULL),
      ('in the books', 'Maier', 'B', 'left', '1990-01-01', '2015-06-30', 1, 2, NULL),
      ('young bill', 'Moser', 'C', 'left', '1990-01-01', '2015-06-30', 1, 2, NULL),
      ('odd bill', 'Gruber', 'D', 'left', '1990-01-01', '2015-06-30', 1, 2, NULL),
      ('just left', 'Bauer', 'E', 'left', '1990-01-01', '2023-02-01', 1, 3, NULL),
      ('still here', 'Wolf', 'F', 'active', '1990-01-01', NULL, 1, 3, 'recruiter'),
      ('recruiter', 'Fink', 'G', 'left', '1980-01-01', '2001-01-01', 1, NULL, NULL),
      ('no date', 'Lang', 'H', 'left', '1980-01-01', NULL, 1, NULL, NULL),
      ('odd date', 'Kurz', 'I', 'left', '1980-01-01', '30.6.15', 1, NULL, NULL),
      ('applicant', 'Neu', 'J', 'withdrawn', '2020-01-01', NULL, NULL, NULL, NULL),
      ('teacher', 'Lehner', 'K', 'withdrawn', '2025-01-01', '2014-01-01', NULL, 3, NULL);
    INSERT INTO booking VALUES (1, 'in the books', '2012-01-01', 'Maier'), (2, 'in the books', '2013-01-01', 'Maier'),
      (3, 'young bill', '2020-01-01', 'Moser'), (4, 'young bill', '2010-01-01', 'Moser'), (5, 'odd bill', 'gestern', 'Gruber');
    INSERT INTO line VALUES (1, 1, 9.5), (2, 1, 9.5), (3, 4, 1.0);
    INSERT INTO letter VALUES (1, 'long gone', 'x'), (2, 'long gone', 'y'), (3, 'in the books', 'z');
    INSERT INTO course VALUES (1, 'teacher', 'Bread');";

const MEMBER: &str = r#"
table = "member"
label = "{last_name}, {first_name:.1}."
unit = "branch_id"
[[criterion]]
name = "left"
since = "left_on"
period = "3 years"
starts = "year-end"
where = "status IN ('left', 'withdrawn')"
[[criterion]]
name = "never-joined"
where = "status = 'withdrawn'"
[erase]
keep = ["status", "branch_id"]
[erase.anonymise]
last_name = "null"
first_name = "null"
joined_on = { truncate = "year" }
left_on = { truncate = "year" }
[[dependent]]
table = "booking"
column = "member_id"
rule = "keep"
keep = ["booked_on"]
anonymise = { name_on_bill = "null" }
since = "booked_on"
period = "7 years"
starts = "year-end"
[[dependent]]
parent = "booking"
table = "line"
column = "booking_id"
rule = "keep"
keep = ["amount"]
[[dependent]]
table = "letter"
column = "member_id"
rule = "delete"
[[dependent]]
table = "course"
column = "teacher"
rule = "unlink"
keep = ["title"]
[[dependent]]
name = "recruited"
table = "member"
column = "recruiter"
rule = "keep"
[[dependent]]
parent_column = "address_id"
table = "address"
rule = "delete"
"#;

#[tokio::test]
async fn a_club_and_its_members() {
    let bench = Bench::with_sql(SQL).await;
    bench.category("member", MEMBER);
    insta::assert_snapshot!(decisions(&bench, "member", "SELECT id FROM member ORDER BY rowid").await);
}

/// What is foreseen is what happens: the same statements.
#[tokio::test]
async fn what_is_foreseen_is_what_happens() {
    let bench = Bench::with_sql(SQL).await;
    bench.category("member", MEMBER);
    let foreseen = decisions(&bench, "member", "SELECT id FROM member ORDER BY rowid").await;
    for claim in bench.due("member").await {
        let outcome =
            foreseen.lines().find(|line| line.starts_with(&format!("member/{}:", claim.key))).unwrap().to_owned();
        let key = claim.key.clone();
        let (report, journal) = bench.erase("member", vec![claim]).await;
        let expected = if outcome.contains("anonymised") { (0, 1) } else { (1, 0) };
        assert_eq!((report.deleted, report.anonymised), expected, "{key}: {:?}", journal.rulings());
    }
    bench.assert_sound().await;
}
