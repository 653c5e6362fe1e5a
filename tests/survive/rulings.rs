//! What has changed between a decision and the final run.

use super::{PERSON, erase, persons};

const PEOPLE: &str =
    "INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2019-01-01'), (3, 'Moser', '2019-01-01'),
    (4, 'Gruber', '2019-01-01'), (5, 'Bauer', '2019-01-01');";

#[tokio::test]
async fn whoever_is_no_longer_the_same_no_longer_due_or_gone_is_not_erased_and_the_others_are() {
    let bench = persons(&format!("{PERSON}{PEOPLE}"), "").await;
    let claims = bench.due("person").await;
    bench
        .sql(
            "UPDATE person SET left_on = '2026-01-01' WHERE id = 1; UPDATE person SET name = 'Somebody Else' WHERE id = 2;
             DELETE FROM person WHERE id = 3; UPDATE person SET name = 'Another', left_on = NULL WHERE id = 4;",
        )
        .await;
    let (report, journal) = bench.erase("person", claims).await;
    assert_eq!((report.deleted, report.returned, report.withdrawn), (1, 1, 3));
    assert_eq!(
        journal.rulings(),
        [
            "5 deleted []",
            "1 withdrawn: no longer due: left is met from 2029-01-02 only",
            "2 returned: it is not the same person as when it was decided",
            "3 withdrawn: the record is gone",
            "4 withdrawn: another person has been given the key",
        ]
    );
    assert_eq!(bench.rows("SELECT id, name FROM person").await, ["1|'Huber'", "2|'Somebody Else'", "4|'Another'"]);
    assert_eq!(bench.due("person").await.len(), 1, "the other person under the same key may be proposed");
}

#[tokio::test]
async fn another_wording_of_the_rule_is_another_decision() {
    let bench = persons(&format!("{PERSON}{PEOPLE}"), "").await;
    let claims = bench.due("person").await;
    bench.category("person", &super::LEFT.replace("3 years", "4 years"));
    let (report, journal) = bench.erase("person", claims.clone()).await;
    assert_eq!((report.deleted, report.returned), (0, 5), "{:?}", journal.rulings());
    bench.category("person", &super::LEFT.replace("\"left\"", "\"gone\""));
    let (_, other) = bench.erase("person", claims).await;
    assert_eq!(
        [journal.rulings()[0].as_str(), other.rulings()[0].as_str()],
        [
            "1 returned: the criterion has been reworded since it was decided",
            "1 returned: it is due under another criterion than when it was decided",
        ]
    );
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let sql = format!(
        "{PERSON}{PEOPLE} CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person); INSERT INTO note VALUES (1, 1);"
    );
    let bench = persons(&sql, "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n").await;
    let (report, _) = erase(&bench).await;
    assert_eq!((report.deleted, report.anonymised), (4, 1));
    let after = bench.dump().await;
    let (report, _) = erase(&bench).await;
    assert_eq!((report.deleted, report.anonymised, bench.dump().await), (0, 0, after));
}

#[tokio::test]
async fn those_ruled_out_of_a_batch_that_the_database_refuses_are_counted() {
    let sql = format!(
        "{PERSON}{PEOPLE} CREATE TRIGGER guard BEFORE DELETE ON person WHEN old.id = 5 BEGIN SELECT RAISE(ABORT, 'no'); END;"
    );
    let bench = persons(&sql, "").await;
    bench.category("person", &super::left_with("triggers = [\"guard\"]"));
    let claims = bench.due("person").await;
    bench
        .sql("UPDATE person SET left_on = '2026-01-01' WHERE id = 1; UPDATE person SET name = 'Else' WHERE id = 2;")
        .await;
    let (report, journal) = bench.erase("person", claims).await;
    assert_eq!((report.deleted, report.returned, report.withdrawn), (2, 2, 1), "{:?}", journal.rulings());
    assert_eq!(journal.rulings().len(), 5);
}
