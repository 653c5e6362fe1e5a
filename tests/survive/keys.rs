//! Keys of every kind.

use super::{LEFT, PERSON, erase, findings, left_with, persons, rulings};
use crate::common::Bench;

/// Erases from a table of persons that this SQL makes, by its primary key or by `key`; two people are due in it.
async fn erased(sql: &str, key: &str) -> (Vec<String>, Vec<String>) {
    let bench = Bench::with_sql(sql).await;
    bench.category("person", &left_with(key));
    let told = rulings(&bench).await;
    (told, bench.rows("SELECT * FROM person ORDER BY name").await)
}

#[tokio::test]
async fn text_keys_with_blanks_slashes_and_commas() {
    let (told, left) = erased(
        "CREATE TABLE person (id TEXT NOT NULL PRIMARY KEY, name TEXT, left_on TEXT);
         INSERT INTO person VALUES ('a/b,c', 'Huber', '2019-01-01'), ('a/b', 'Maier', '2026-01-01'),
         ('c ', 'Gruber', '2019-01-01'), ('c', 'Moser', '2026-01-01'), ('%20', 'Wolf', '2026-01-01');",
        "",
    )
    .await;
    assert_eq!(told, ["a/b%2Cc deleted []", "c%20 deleted []"]);
    assert_eq!(left, ["'a/b'|'Maier'|'2026-01-01'", "'c'|'Moser'|'2026-01-01'", "'%20'|'Wolf'|'2026-01-01'"]);
}

#[tokio::test]
async fn composite_text_keys_are_not_taken_for_one_another() {
    let (told, left) = erased(
        "CREATE TABLE person (branch TEXT NOT NULL, id TEXT NOT NULL, name TEXT, left_on TEXT, PRIMARY KEY (branch, id));
         INSERT INTO person VALUES ('a,b', 'c', 'Huber', '2019-01-01'), ('a', 'b,c', 'Maier', '2026-01-01'),
         ('a/b', 'c', 'Gruber', '2019-01-01'), ('a', 'b/c', 'Moser', '2026-01-01');",
        "",
    )
    .await;
    assert_eq!(told, ["a%2Cb,c deleted []", "a/b,c deleted []"]);
    assert_eq!(left, ["'a'|'b,c'|'Maier'|'2026-01-01'", "'a'|'b/c'|'Moser'|'2026-01-01'"]);
}

#[tokio::test]
async fn tables_without_row_numbers() {
    let bench = persons(
        "CREATE TABLE person (branch INT NOT NULL, id TEXT NOT NULL, name TEXT, left_on TEXT, PRIMARY KEY (branch, id)) WITHOUT ROWID;
         CREATE TABLE visit (branch INT, person TEXT, at TEXT, PRIMARY KEY (at, branch, person),
           FOREIGN KEY (branch, person) REFERENCES person) WITHOUT ROWID;
         INSERT INTO person VALUES (1, 'x', 'Huber', '2019-01-01'), (1, 'y', 'Maier', '2019-01-01'), (2, 'x', 'Gruber', '2026-01-01');
         INSERT INTO visit VALUES (1, 'y', '2018'), (2, 'x', '2018');",
        "[[dependent]]\ntable = \"visit\"\ncolumns = [\"branch\", \"person\"]\nrule = \"keep\"\n",
    )
    .await;
    assert_eq!(rulings(&bench).await, ["1,x deleted []", "1,y anonymised [visit: 0 deleted, 0 changed, 1 left]"]);
    assert_eq!(bench.rows("SELECT * FROM person").await, ["1|'y'|NULL|NULL", "2|'x'|'Gruber'|'2026-01-01'"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn int_keys_that_are_no_row_numbers() {
    let (told, left) = erased(
        "CREATE TABLE person (id INT PRIMARY KEY, name TEXT, left_on TEXT);
         INSERT INTO person VALUES (30, 'Huber', '2019-01-01'), (1, 'Maier', '2026-01-01'), (NULL, 'Moser', '2019-01-01');",
        "",
    )
    .await;
    assert_eq!(told, ["30 deleted []"]);
    assert_eq!(left, ["1|'Maier'|'2026-01-01'", "NULL|'Moser'|'2019-01-01'"]);
}

#[tokio::test]
async fn without_a_primary_key_check_asks_for_a_unique_one() {
    let sql = "CREATE TABLE person (number TEXT NOT NULL UNIQUE, name TEXT, left_on TEXT);
         INSERT INTO person VALUES ('7', 'Huber', '2019-01-01'), ('07', 'Maier', '2026-01-01');";
    let bench = persons(sql, "").await;
    let told = findings(&bench).await;
    assert!(told.contains("person has no primary key") && told.contains("key = [\"number\"]"), "{told}");
    let (told, left) = erased(sql, "key = [\"number\"]").await;
    assert_eq!(told, ["7 deleted []"]);
    assert_eq!(left, ["'07'|'Maier'|'2026-01-01'"]);
}

#[tokio::test]
async fn a_key_that_may_name_two_rows_is_refused() {
    let sql = PERSON.replace("name TEXT", "number TEXT, name TEXT");
    let bench =
        Bench::with_sql(&format!("{sql} CREATE UNIQUE INDEX some ON person (number) WHERE number <> '';")).await;
    bench.category("person", &left_with("key = [\"number\"]"));
    let told = findings(&bench).await;
    assert!(told.contains("number of person may name more than one row"), "{told}");
}

#[tokio::test]
async fn a_null_key_is_never_due_and_is_counted() {
    let bench = persons(
        "CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT, left_on TEXT);
         INSERT INTO person VALUES (NULL, 'Huber', '2019-01-01'), (NULL, 'Maier', '2019-01-01'), ('', 'Moser', '2019-01-01');",
        "",
    )
    .await;
    assert!(findings(&bench).await.contains("id of person may be NULL"));
    let (claims, tally) = bench.selected("person").await;
    assert_eq!((claims.len(), tally.null_key), (1, 2));
    assert_eq!(rulings(&bench).await, [" deleted []"]);
    assert_eq!(bench.rows("SELECT name FROM person").await, ["'Huber'", "'Maier'"]);
}

#[tokio::test]
async fn keys_of_bytes() {
    let (told, left) = erased(
        "CREATE TABLE person (id BLOB PRIMARY KEY NOT NULL, name TEXT, left_on TEXT);
         INSERT INTO person VALUES (x'00ff27', 'Huber', '2019-01-01'), (x'00ff', 'Maier', '2026-01-01'),
         (x'', 'Gruber', '2019-01-01'), ('x''00ff''', 'Moser', '2019-01-01');",
        "",
    )
    .await;
    assert_eq!(
        told,
        ["x'00ff27' deleted []", "x'' deleted []", "%7800ff' deleted []".replace("7800", "78'00").as_str()]
    );
    assert_eq!(left, ["x'00ff'|'Maier'|'2026-01-01'"]);
}

#[tokio::test]
async fn digits_as_text_beside_numbers_are_counted_and_left() {
    let bench = persons(
        "CREATE TABLE person (id PRIMARY KEY NOT NULL, name TEXT, left_on TEXT);
         INSERT INTO person VALUES (7, 'Huber', '2026-01-01'), ('7', 'Maier', '2019-01-01'), (7.5, 'Moser', '2019-01-01');",
        "",
    )
    .await;
    let (claims, tally) = bench.selected("person").await;
    assert_eq!((claims.len(), tally.unusable_key), (0, 2));
}

#[tokio::test]
async fn columns_called_like_the_row_number() {
    for hidden in ["rowid", "_rowid_", "oid", "rowid TEXT, _rowid_", "\"RowId\" TEXT, OID"] {
        let columns = hidden.matches(',').count() + 1;
        let ones = vec!["1"; columns].join(", ");
        let sql = format!(
            "CREATE TABLE person ({hidden} TEXT, id TEXT PRIMARY KEY NOT NULL, name TEXT, left_on TEXT);
             INSERT INTO person VALUES ({ones}, 'a', 'Huber', '2026-01-01'), ({ones}, 'b', 'Maier', '2019-01-01');"
        );
        let bench = Bench::with_sql(&sql).await;
        let names = hidden.replace(" TEXT", "").replace('"', "");
        let keep: Vec<String> = names.split(", ").map(|name| format!("{name:?}")).collect();
        let keep = format!("[erase]\nkeep = [{}]\n[erase.anonymise]", keep.join(", "));
        bench.category("person", &LEFT.replace("[erase.anonymise]", &keep));
        assert_eq!(rulings(&bench).await, ["b deleted []"], "{hidden}");
        assert_eq!(bench.rows("SELECT name FROM person").await, ["'Huber'"], "{hidden}");
    }
}

#[tokio::test]
async fn with_every_name_of_the_row_number_hidden_another_key_names_the_row() {
    let sql = "CREATE TABLE person (rowid TEXT, _rowid_ TEXT, oid INT, id TEXT UNIQUE NULLABLE, name TEXT, left_on TEXT);
         INSERT INTO person VALUES ('1', '1', 1, 'a', 'Huber', '2026-01-01'), ('1', '1', 1, 'b', 'Maier', '2019-01-01');";
    let keep = "key = [\"id\"]";
    let settings = left_with(keep)
        .replace("[erase.anonymise]", "[erase]\nkeep = [\"rowid\", \"_rowid_\", \"oid\"]\n[erase.anonymise]");
    let bench = Bench::with_sql(&sql.replace("NULLABLE", "")).await;
    bench.category("person", &settings);
    assert!(findings(&bench).await.contains("the rows of person cannot be told apart"));
    let bench = Bench::with_sql(&sql.replace("NULLABLE", "NOT NULL")).await;
    bench.category("person", &settings);
    assert_eq!(rulings(&bench).await, ["b deleted []"]);
    assert_eq!(bench.rows("SELECT name FROM person").await, ["'Huber'"]);
}

#[tokio::test]
async fn a_key_that_is_the_persons_own_id_stays_where_the_record_is_anonymised() {
    let sql = "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, name TEXT, left_on TEXT);
         CREATE TABLE booking (id INTEGER PRIMARY KEY, person TEXT REFERENCES person, again TEXT);
         INSERT INTO person VALUES ('1234010180', 'Huber', '2019-01-01');
         INSERT INTO booking VALUES (1, '1234010180', '1234010180');";
    let more = "[[dependent]]\ntable = \"booking\"\ncolumn = \"person\"\nrule = \"keep\"\n";
    let bench = persons(sql, more).await;
    // The column that repeats the id is found like every other: by nobody having classified it.
    assert!(findings(&bench).await.contains("column again of booking is not classified"));
    bench.category("person", &format!("{LEFT}{more}anonymise = {{ again = \"null\" }}\n"));
    assert_eq!(rulings(&bench).await, ["1234010180 anonymised [booking: 0 deleted, 1 changed, 0 left]"]);
    assert_eq!(bench.rows("SELECT * FROM booking").await, ["1|'1234010180'|NULL"]);
    bench.category("person", &LEFT.replace("name = \"null\"", "name = \"null\"\nid = \"null\""));
    assert!(findings(&bench).await.contains("id is the key of person, and a key stays"));
}

#[tokio::test]
async fn keys_that_do_not_tell_case_apart() {
    let sql = "CREATE TABLE person (id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, name TEXT, left_on TEXT);
         CREATE TABLE booking (id INTEGER PRIMARY KEY, person TEXT REFERENCES person);
         CREATE INDEX by_person ON booking (person);
         CREATE TABLE note (id INTEGER PRIMARY KEY, person TEXT REFERENCES person);
         INSERT INTO person VALUES ('Anna', 'Huber', '2019-01-01'), ('Bert', 'Maier', '2019-01-01');
         INSERT INTO booking VALUES (1, 'ANNA'), (2, 'Anna');
         INSERT INTO note VALUES (1, 'aNNA'), (2, 'BERT');";
    let more = "[[dependent]]\ntable = \"booking\"\ncolumn = \"person\"\nrule = \"keep\"\n\
         [[dependent]]\ntable = \"note\"\ncolumn = \"person\"\nrule = \"delete\"\n";
    let bench = persons(sql, more).await;
    let told = rulings(&bench).await;
    assert_eq!(
        told,
        [
            "Anna anonymised [booking: 0 deleted, 0 changed, 2 left; note: 1 deleted, 0 changed, 0 left]",
            "Bert deleted [note: 1 deleted, 0 changed, 0 left]"
        ]
    );
    bench.assert_sound().await;
}

#[tokio::test]
async fn a_key_that_tells_case_apart_is_not_matched_by_a_column_that_does_not() {
    let sql = "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, name TEXT, left_on TEXT);
         CREATE TABLE note (id INTEGER PRIMARY KEY, person TEXT COLLATE NOCASE);
         INSERT INTO person VALUES ('anna', 'Huber', '2019-01-01'), ('ANNA', 'Maier', '2026-01-01');
         INSERT INTO note VALUES (1, 'anna'), (2, 'ANNA');";
    let bench = persons(sql, "[[dependent]]\ntable = \"note\"\ncolumn = \"person\"\nrule = \"delete\"\n").await;
    assert_eq!(rulings(&bench).await, ["anna deleted [note: 1 deleted, 0 changed, 0 left]"]);
    assert_eq!(bench.rows("SELECT * FROM note").await, ["2|'ANNA'"]);
}

#[tokio::test]
async fn a_number_that_refers_to_text_means_the_text_that_it_is_written_as() {
    let sql = "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, name TEXT, left_on TEXT);
         CREATE TABLE note (id INTEGER PRIMARY KEY, person INTEGER);
         INSERT INTO person VALUES ('07', 'Huber', '2019-01-01'), ('7', 'Maier', '2026-01-01');
         INSERT INTO note VALUES (1, 7);";
    let bench = persons(sql, "[[dependent]]\ntable = \"note\"\ncolumn = \"person\"\nrule = \"delete\"\n").await;
    assert_eq!(rulings(&bench).await, ["07 deleted []"]);
    assert_eq!(erase(&bench).await.0.deleted, 0);
    assert_eq!(bench.rows("SELECT * FROM note").await, ["1|7"]);
}
