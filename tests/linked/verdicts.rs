//! What is said of linked records before anything is decided.

use erasured::desk::Wish;
use erasured::erasure::Sources;
use erasured::store::JobKind;

use crate::common::Bench;
use crate::office::{Office, leave};

#[tokio::test]
async fn one_verdict_over_all_in_any_direction() {
    let office = Office::open().await;
    let mut said = String::new();
    // By a column of its own, by a column of the other's, through a table between the two, over sources.
    for record in ["prospect/1", "user/7", "customer/50", "prospect/2", "customer/51", "prospect/3", "prospect/4"] {
        said += &format!("{record}\n{}\n", office.verdict(&leave(&[]), record).await);
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn what_one_may_not_see_is_another_record() {
    let office = Office::open().await;
    let mut said = office.verdict(&leave(&["prospect"]), "prospect/2").await;
    said += &office.verdict(&leave(&["prospect", "user"]), "prospect/1").await;
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn somebody_new_under_an_erased_key_is_not_erased() {
    let office = Office::open().await;
    office.confirm("prospect/4", &[]).await.unwrap();
    office.decide(Wish::Confirm, "member/M-1").await;
    office.run(JobKind::Erase).await;
    // The number is given away again, to somebody whom the prospect stands for too.
    office.bench.sql("INSERT INTO members VALUES ('M-1', 'Steiner', '2026-10-01', 1)").await;
    let verdict = office.verdict(&leave(&[]), "prospect/1").await;
    assert!(verdict.contains("member/M-1 free: inactive is met from 2029-10-02 only"), "{verdict}");
    // And what was anonymised is, for as long as it is what it was.
    office.decide(Wish::Confirm, "prospect/1").await;
    office.run(JobKind::Erase).await;
    assert!(office.verdict(&leave(&[]), "person/1").await.contains("prospect/1 erased"));
    office.bench.sql("UPDATE prospects SET last_name = 'Steiner', seen_on = '2026-10-01' WHERE id = 1").await;
    let verdict = office.verdict(&leave(&[]), "person/1").await;
    assert!(verdict.contains("prospect/1 free: inactive is met from 2029-10-02 only"), "{verdict}");
}

#[tokio::test]
async fn a_link_that_ties_too_many_decides_nothing() {
    let office = Office::open().await;
    let many = "WITH RECURSIVE n (i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE i < 160)
                INSERT INTO members SELECT 'N-' || i, 'Maier', '2019-01-01', 1 FROM n;";
    office.bench.sql(many).await;
    let said = office.verdict(&leave(&[]), "prospect/1").await;
    assert_eq!(said, "=> more than 50 records are linked: nothing can be said of them together\n");
    assert!(office.confirm("prospect/1", &["person/1"]).await.is_err());
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_said_to_block() {
    let office = Office::open().await;
    std::fs::write(office.bench.dir.path().join("shop.db"), "no database").unwrap();
    let said = office.verdict(&leave(&[]), "person/1").await;
    assert!(said.contains("a link cannot be followed: customer"), "{said}");
    assert!(office.confirm_all_linked("person/1").await.is_err());
    // What is known to be linked can be confirmed with it all the same.
    office.confirm("person/1", &["prospect/1"]).await.unwrap();
}

/// Persons of whom one is written down twice.
const TWICE: &str = "
    CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT, same_as INTEGER);
    CREATE INDEX person_same_as ON person (same_as);
    INSERT INTO person VALUES (1, 'Huber', NULL, NULL), (2, 'Huber', NULL, 1), (3, 'Maier', NULL, NULL);";
const PERSON: &str = "table = \"person\"\n[[criterion]]\nname = \"left\"\nsince = \"left_on\"\nperiod = \"3 years\"\n
    [erase]\nkeep = [\"same_as\"]\n[erase.anonymise]\nname = \"null\"\nleft_on = \"null\"\n";

/// The records that links lead to from this one, in a source with this category alone.
async fn circle(bench: &Bench, start: &str) -> String {
    let mut sources = Sources::default();
    let circle = sources.circle(&bench.settings(), &start.parse().unwrap()).await.unwrap();
    sources.close().await;
    assert!(circle.troubles.is_empty(), "{:?}", circle.troubles);
    circle.records.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_category_can_be_linked_to_itself() {
    let bench = Bench::with_sql(TWICE).await;
    bench.category("person", &format!("{PERSON}[[linked]]\ncategory = \"person\"\ncolumn = \"same_as\"\n"));
    assert_eq!(circle(&bench, "person/1").await, "person/1 person/2");
    assert_eq!(circle(&bench, "person/2").await, "person/2 person/1");
    assert_eq!(circle(&bench, "person/3").await, "person/3");
}

#[tokio::test]
async fn where_there_is_no_link_nothing_is_read() {
    let bench = Bench::with_sql(TWICE).await;
    bench.category("person", PERSON);
    std::fs::remove_file(bench.database()).unwrap();
    assert_eq!(circle(&bench, "person/1").await, "person/1");
}
