//! Personal data in rows that the record refers to.

use super::{LEFT, erase, findings, left_with, persons, rulings};
use crate::common::Bench;

const SQL: &str = "CREATE TABLE address (id INTEGER PRIMARY KEY, street TEXT);
    CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT, address_id INTEGER REFERENCES address);
    INSERT INTO address VALUES (10, 'Ring 1'), (11, 'Ring 2'), (12, 'Ring 3'), (13, 'Ring 4');
    INSERT INTO person VALUES (1, 'Huber', '2019-01-01', 10), (2, 'Maier', '2019-01-01', 11), (3, 'Moser', '2026-01-01', 11),
      (4, 'Gruber', '2019-01-01', 12), (5, 'Bauer', '2019-01-01', 12), (6, 'Wolf', '2026-01-01', 13);";

fn owned(rule: &str, more: &str) -> String {
    format!("[[dependent]]\nparent_column = \"address_id\"\ntable = \"address\"\nrule = \"{rule}\"\n{more}")
}

#[tokio::test]
async fn an_owned_row_goes_unless_somebody_else_lives_there() {
    let bench = persons(SQL, &owned("delete", "")).await;
    assert_eq!(
        rulings(&bench).await,
        [
            "1 deleted [address: 1 deleted, 0 changed, 0 left]",
            "2 deleted [address: 0 deleted, 0 changed, 1 left]",
            // Both who live there go in this batch, and the row is counted once.
            "4 deleted [address: 1 deleted, 0 changed, 0 left]",
            "5 deleted []",
        ]
    );
    assert_eq!(bench.rows("SELECT * FROM address").await, ["11|'Ring 2'", "13|'Ring 4'"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn an_owned_row_that_stays_loses_its_values_unless_somebody_else_lives_there() {
    let bench = persons(SQL, &owned("keep", "anonymise = { street = \"null\" }\n")).await;
    let (report, _) = erase(&bench).await;
    // What the record owns does not keep it.
    assert_eq!((report.deleted, report.anonymised), (4, 0));
    assert_eq!((report.dependents.anonymised, report.dependents.shared_kept), (2, 1));
    assert_eq!(bench.rows("SELECT * FROM address").await, ["10|NULL", "11|'Ring 2'", "12|NULL", "13|'Ring 4'"]);
}

#[tokio::test]
async fn an_anonymised_record_lets_go_of_the_owned_rows_that_go() {
    let sql = format!(
        "{SQL} CREATE TABLE invoice (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person); INSERT INTO invoice VALUES (1, 1), (2, 2);"
    );
    let keep = "[[dependent]]\ntable = \"invoice\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    for (rule, left) in [("delete", "11|'Ring 2'"), ("unlink", "10|NULL")] {
        let more = if rule == "unlink" { "anonymise = { street = \"null\" }\n" } else { "" };
        let bench = persons(&sql, &format!("{}{keep}", owned(rule, more))).await;
        erase(&bench).await;
        let references = bench.rows("SELECT address_id FROM person WHERE id < 3").await;
        // A shared row is let go of too where the rule is to unlink; where it is to delete it stays referred to.
        assert_eq!(references, if rule == "unlink" { ["NULL", "NULL"] } else { ["NULL", "11"] }, "{rule}");
        assert_eq!(bench.rows("SELECT * FROM address").await[0], left, "{rule}");
        bench.assert_sound().await;
    }
}

#[tokio::test]
async fn rows_that_kept_rows_own_lose_their_values_and_other_peoples_do_not() {
    let sql = "CREATE TABLE address (id INTEGER PRIMARY KEY, street TEXT);
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT);
        CREATE TABLE purchase (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person,
          shipping_id INTEGER REFERENCES address, billing_id INTEGER REFERENCES address);
        INSERT INTO address VALUES (10, 'Ring 1'), (11, 'Ring 2'), (12, 'Ring 3'), (13, 'Ring 4');
        INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2026-01-01');
        INSERT INTO purchase VALUES (1, 1, 10, 10), (2, 1, 11, 12), (3, 2, 12, 13), (4, NULL, NULL, NULL);";
    let owned = |column: &str| {
        format!(
            "[[dependent]]\nname = \"{column}\"\nparent = \"purchase\"\nparent_column = \"{column}\"\ntable = \"address\"\nrule = \"keep\"\nanonymise = {{ street = \"null\" }}\n"
        )
    };
    let purchase = "[[dependent]]\ntable = \"purchase\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let bench = persons(sql, &format!("{purchase}{}{}", owned("shipping_id"), owned("billing_id"))).await;
    let (report, journal) = erase(&bench).await;
    assert_eq!(report.anonymised, 1, "{:?}", journal.rulings());
    assert_eq!(
        bench.rows("SELECT * FROM address").await,
        ["10|NULL", "11|NULL", "12|'Ring 3'", "13|'Ring 4'"],
        "{:?}",
        journal.rulings()
    );
}

#[tokio::test]
async fn an_owned_row_that_goes_is_let_go_of_by_every_column_that_refers_to_it() {
    let sql = "CREATE TABLE address (id INTEGER PRIMARY KEY, street TEXT);
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT,
          address_id INTEGER REFERENCES address, second_id INTEGER REFERENCES address);
        CREATE TABLE invoice (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
        INSERT INTO address VALUES (10, 'Ring 1'), (11, 'Ring 2');
        INSERT INTO person VALUES (1, 'Huber', '2019-01-01', 10, 10), (2, 'Maier', '2019-01-01', 11, 11);
        INSERT INTO invoice VALUES (1, 1);";
    let invoice = "[[dependent]]\ntable = \"invoice\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let bench = persons(sql, &format!("{}{invoice}", owned("delete", ""))).await;
    let told = findings(&bench).await;
    assert!(
        told.contains("second_id of person refers to address too, and no [[dependent]] says what becomes of it"),
        "{told}"
    );
    let second = owned("delete", "").replace("address_id", "second_id") + "name = \"second\"\n";
    bench.category("person", &format!("{LEFT}{}{second}{invoice}", owned("delete", "")));
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.anonymised, report.deleted, report.returned), (1, 1, 0), "{:?}", journal.rulings());
    assert_eq!(report.dependents.deleted, 2);
    assert_eq!(bench.rows("SELECT * FROM person").await, ["1|NULL|NULL|NULL|NULL"]);
    assert_eq!(bench.rows("SELECT * FROM address").await, Vec::<String>::new());
    bench.assert_sound().await;
}

#[tokio::test]
async fn a_row_that_comes_meanwhile_and_refers_to_what_goes_sends_the_record_back() {
    let sql = format!(
        "{SQL} CREATE TABLE log (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person, address_id INTEGER REFERENCES address);
         CREATE TRIGGER moved AFTER DELETE ON person WHEN old.id = 1 BEGIN INSERT INTO log (address_id) VALUES (old.address_id); END;"
    );
    let log = "[[dependent]]\ntable = \"log\"\ncolumn = \"person_id\"\nrule = \"delete\"\n";
    let bench = Bench::with_sql(&sql).await;
    bench.category("person", &format!("{}{}{log}", left_with("triggers = [\"moved\"]"), owned("delete", "")));
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.returned), (3, 1));
    assert_eq!(journal.rulings()[3], "1 refused: 1 rows of log still refer to deleted rows of address");
    bench.assert_sound().await;
}
