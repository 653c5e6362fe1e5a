//! References as schemas declare them, or do not.

use super::{LEFT, PERSON, erase, findings, left_with, persons, rulings};
use crate::common::Bench;

const TWO: &str = "INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2026-01-01');";

fn dependent(table: &str, rule: &str) -> String {
    format!("[[dependent]]\ntable = \"{table}\"\ncolumn = \"person_id\"\nrule = \"{rule}\"\n")
}

#[tokio::test]
async fn deferred_references_do_not_fail_at_the_commit() {
    let sql = format!(
        "{PERSON}{TWO} CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE stamp (id INTEGER PRIMARY KEY, note_id INTEGER NOT NULL REFERENCES note DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO note VALUES (1, 1), (2, 2); INSERT INTO stamp VALUES (1, 1), (2, 2);"
    );
    let note = dependent("note", "delete");
    let bench = persons(&sql, &note).await;
    let told = findings(&bench).await;
    assert!(told.contains("note_id of stamp refers to note, and no [[dependent]] says what becomes of it"), "{told}");
    let stamp = "[[dependent]]\nparent = \"note\"\ntable = \"stamp\"\ncolumn = \"note_id\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{LEFT}{note}{stamp}"));
    assert_eq!(
        rulings(&bench).await,
        ["1 deleted [note: 1 deleted, 0 changed, 0 left; stamp: 1 deleted, 0 changed, 0 left]"]
    );
    assert_eq!(bench.rows("SELECT * FROM stamp").await, ["2|2"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn references_that_nobody_declared_are_followed_where_the_settings_name_them() {
    let sql = format!(
        "{PERSON}{TWO} CREATE TABLE note (person_id TEXT, text TEXT); INSERT INTO note VALUES ('1', 'x'), (1, 'y'), ('2', 'z'), (NULL, 'n');"
    );
    let bench = persons(&sql, &dependent("note", "delete")).await;
    assert_eq!(rulings(&bench).await, ["1 deleted [note: 2 deleted, 0 changed, 0 left]"]);
    assert_eq!(bench.rows("SELECT text FROM note").await, ["'z'", "'n'"]);
}

#[tokio::test]
async fn an_id_whose_table_another_column_names_is_not_followed_alone() {
    let sql = format!(
        "{PERSON}{TWO} CREATE TABLE comment (id INTEGER PRIMARY KEY, object_type TEXT, object_id INTEGER, text TEXT);
         INSERT INTO comment VALUES (1, 'person', 1, 'about Huber'), (2, 'order', 1, 'about an order');"
    );
    let more = "[[dependent]]\ntable = \"comment\"\ncolumn = \"object_id\"\nrule = \"delete\"\n";
    let bench = persons(&sql, more).await;
    let told = findings(&bench).await;
    assert!(told.contains("object_type of comment says which table object_id refers to"), "{told}");
    assert!(bench.check("person").await.mapping.is_none());
}

#[tokio::test]
async fn references_to_a_unique_column_that_is_not_the_key() {
    let sql = "CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, left_on TEXT);
         CREATE TABLE login (id INTEGER PRIMARY KEY, person_id TEXT REFERENCES person (email));
         CREATE TABLE invoice (id INTEGER PRIMARY KEY, person_id TEXT REFERENCES person (email));
         INSERT INTO person VALUES (1, 'h@x', 'Huber', '2019-01-01'), (2, 'm@x', 'Maier', '2019-01-01'), (3, NULL, 'Moser', '2019-01-01');
         INSERT INTO login VALUES (1, 'h@x'), (2, 'm@x'); INSERT INTO invoice VALUES (1, 'm@x'), (2, NULL);";
    let bench = Bench::with_sql(sql).await;
    let erase_email = LEFT.replace("name = \"null\"\n", "name = \"null\"\nemail = \"null\"\n");
    bench.category("person", &format!("{erase_email}{}{}", dependent("login", "delete"), dependent("invoice", "keep")));
    // An anonymised address is one that kept invoices no longer find: the rows would hang in the air.
    let told = findings(&bench).await;
    assert!(told.contains("person_id of invoice refers to email"), "{told}");
    let unlink = dependent("invoice", "unlink");
    bench.category("person", &format!("{erase_email}{}{unlink}", dependent("login", "delete")));
    assert_eq!(
        rulings(&bench).await,
        [
            "1 deleted [login: 1 deleted, 0 changed, 0 left]",
            "2 deleted [login: 1 deleted, 0 changed, 0 left; invoice: 0 deleted, 1 changed, 0 left]",
            "3 deleted []"
        ]
    );
    assert_eq!(bench.rows("SELECT * FROM invoice").await, ["1|NULL", "2|NULL"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn references_to_a_column_that_several_rows_share_are_refused() {
    let sql = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT, email TEXT);
         CREATE TABLE login (id INTEGER PRIMARY KEY, email TEXT);
         INSERT INTO person VALUES (1, 'Huber', '2019-01-01', 'family@x'), (2, 'Maier', '2026-01-01', 'family@x');
         INSERT INTO login VALUES (1, 'family@x');";
    let more = "[[dependent]]\ntable = \"login\"\ncolumn = \"email\"\nreferences = [\"email\"]\nrule = \"delete\"\n";
    let bench = Bench::with_sql(sql).await;
    let settings = LEFT.replace("name = \"null\"\n", "name = \"null\"\nemail = \"null\"\n");
    bench.category("person", &format!("{settings}{more}"));
    let told = findings(&bench).await;
    assert!(told.contains("several rows of person may have the same email"), "{told}");
}

#[tokio::test]
async fn references_that_name_the_parent_alone() {
    let sql =
        format!("{PERSON}{TWO} CREATE TABLE note (person_id REFERENCES PERSON); INSERT INTO note VALUES (1), (2);");
    let bench = persons(&sql, &dependent("note", "unlink")).await;
    assert_eq!(rulings(&bench).await, ["1 deleted [note: 0 deleted, 1 changed, 0 left]"]);
    assert_eq!(bench.rows("SELECT * FROM note").await, ["NULL", "2"]);
}

#[tokio::test]
async fn references_without_an_index_are_warned_of_with_the_index_that_helps() {
    let sql = format!("{PERSON}{TWO} CREATE TABLE \"my note\" (person_id REFERENCES person, text TEXT);");
    let bench = persons(&sql, &dependent("my note", "delete")).await;
    let told = bench.findings("person").await;
    assert!(told.contains("CREATE INDEX \"my note_person_id\" ON \"my note\" (\"person_id\")"), "{told}");
    assert!(told.contains("CREATE INDEX \"person_left_on\" ON \"person\" (\"left_on\")"), "{told}");
    assert!(bench.check("person").await.mapping.is_some());
}

#[tokio::test]
async fn unlinking_what_may_not_be_null_is_refused_whatever_the_schema_declares() {
    let sql = format!(
        "{PERSON}{TWO} CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person ON DELETE SET NULL);"
    );
    let bench = persons(&sql, &dependent("note", "unlink")).await;
    let told = findings(&bench).await;
    assert!(told.contains("rule unlink would set person_id of note to NULL, which the table refuses"), "{told}");
}

#[tokio::test]
async fn cascades_of_the_schema_do_nothing_by_themselves() {
    let sql = format!(
        "{PERSON}{TWO} CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person ON DELETE CASCADE); INSERT INTO note VALUES (1, 1);"
    );
    let bench = persons(&sql, "").await;
    assert!(findings(&bench).await.contains("person_id of note refers to person, and no [[dependent]]"));
    bench.category("person", &format!("{LEFT}{}", dependent("note", "keep")));
    assert_eq!(rulings(&bench).await, ["1 anonymised [note: 0 deleted, 0 changed, 1 left]"]);
    assert_eq!(bench.rows("SELECT * FROM note").await, ["1|1"]);
}

#[tokio::test]
async fn violations_that_were_there_before_are_there_afterwards_and_no_others() {
    let sql = format!(
        "{PERSON} PRAGMA foreign_keys = OFF; CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
         CREATE TABLE invoice (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person, gone_id INTEGER REFERENCES nowhere);
         INSERT INTO note VALUES (1, 99), (2, 1); INSERT INTO invoice VALUES (1, 98, 5), (2, 2, 6); {}",
        TWO.replace("2026", "2018")
    );
    let bench = Bench::with_sql(&sql).await;
    let invoice = dependent("invoice", "keep") + "keep = [\"gone_id\"]\n";
    bench.category("person", &format!("{LEFT}{}{invoice}", dependent("note", "delete")));
    let before = bench.rows("SELECT * FROM pragma_foreign_key_check ORDER BY 1, 2").await;
    let told = rulings(&bench).await;
    assert_eq!(told[0], "1 deleted [note: 1 deleted, 0 changed, 0 left]");
    assert_eq!(told[1], "2 anonymised [invoice: 0 deleted, 0 changed, 1 left]");
    assert_eq!(bench.rows("SELECT * FROM pragma_foreign_key_check ORDER BY 1, 2").await, before);
    assert_eq!(bench.rows("SELECT * FROM note").await, ["1|99"]);
}

#[tokio::test]
async fn a_member_whom_eight_tables_refer_to_is_stopped_by_each_of_them() {
    let tables: String = (1..=8)
        .map(|n| format!("CREATE TABLE t{n} (id INTEGER PRIMARY KEY, member INTEGER NOT NULL REFERENCES person);"))
        .collect();
    let bench = persons(&format!("{PERSON}{TWO}{tables}"), "").await;
    let told = findings(&bench).await;
    for n in 1..=8 {
        assert!(told.contains(&format!("member of t{n} refers to person, and no [[dependent]]")), "{told}");
    }
}

#[tokio::test]
async fn what_refers_to_a_deleted_row_beyond_the_settings_sends_the_record_back() {
    // Nothing declares that `log` refers to notes of this table; the settings of another dependent say so.
    let sql = format!(
        "{PERSON} INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2019-01-01');
         CREATE TABLE basket (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
         CREATE TABLE line (id INTEGER PRIMARY KEY, basket_id INTEGER REFERENCES basket, person_id INTEGER REFERENCES person);
         INSERT INTO basket VALUES (1, 1); INSERT INTO line VALUES (1, 1, 2);"
    );
    let more = format!(
        "{}{}[[dependent]]\nname = \"lines\"\nparent = \"basket\"\ntable = \"line\"\ncolumn = \"basket_id\"\nrule = \"unlink\"\nkeep = [\"person_id\"]\n",
        dependent("basket", "delete"),
        dependent("line", "keep") + "keep = [\"basket_id\"]\n"
    );
    let bench = persons(&sql, &more).await;
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.anonymised), (1, 1), "{:?}", journal.rulings());
    assert_eq!(bench.rows("SELECT * FROM line").await, ["1|NULL|2"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn a_table_is_reached_on_two_ways_and_counted_once() {
    let sql = format!(
        "{PERSON} INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2019-01-01'), (3, 'Moser', '2026-01-01');
         CREATE TABLE message (id INTEGER PRIMARY KEY, sender INTEGER REFERENCES person, recipient INTEGER REFERENCES person, text TEXT);
         INSERT INTO message VALUES (1, 1, 2, 'a'), (2, 2, 3, 'b'), (3, 3, 1, 'c'), (4, 3, 3, 'd'), (5, 1, 1, 'e');"
    );
    let more = "[[dependent]]\nname = \"sent\"\ntable = \"message\"\ncolumn = \"sender\"\nrule = \"delete\"\n\
        [[dependent]]\nname = \"received\"\ntable = \"message\"\ncolumn = \"recipient\"\nrule = \"unlink\"\nkeep = [\"text\", \"sender\"]\n";
    let bench = persons(&sql, more).await;
    let (report, journal) = erase(&bench).await;
    assert_eq!(report.deleted, 2, "{:?}", journal.rulings());
    assert_eq!((report.dependents.deleted, report.dependents.unlinked), (3, 1));
    assert_eq!(bench.rows("SELECT * FROM message").await, ["3|3|NULL|'c'", "4|3|3|'d'"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn a_dependent_with_a_period_keeps_the_record_until_it_is_over() {
    let sql = format!(
        "{PERSON} INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2019-01-01'), (3, 'Moser', '2019-01-01');
         CREATE TABLE purchase (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
         CREATE TABLE invoice (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase, issued_on TEXT);
         INSERT INTO purchase VALUES (1, 1), (2, 2), (3, 3); INSERT INTO invoice VALUES (1, 1, '2019-11-20'), (2, 2, '2010-01-01'), (3, 3, '00.00.0000');"
    );
    let more = format!(
        "{}[[dependent]]\nparent = \"purchase\"\ntable = \"invoice\"\ncolumn = \"purchase_id\"\nrule = \"keep\"\nkeep = [\"issued_on\"]\nsince = \"issued_on\"\nperiod = \"7 years\"\nstarts = \"year-end\"\n",
        dependent("purchase", "keep")
    );
    let bench = persons(&sql, &more).await;
    let (claims, tally) = bench.selected("person").await;
    let keys: Vec<&str> = claims.iter().map(|claim| claim.key.as_str()).collect();
    assert_eq!((keys, tally.retained), (vec!["2"], 2));
    let _ = left_with("");
}
