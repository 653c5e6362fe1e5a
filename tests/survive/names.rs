//! Names as schemas have them.

use super::{PERSON, findings, persons};
use crate::common::Bench;

#[tokio::test]
async fn names_with_blanks_quotes_umlauts_dots_and_reserved_words() {
    let sql = r#"CREATE TABLE "order" ("end" INTEGER PRIMARY KEY, [to]TEXT, `Größe "x"` TEXT, "key.it's" DATE, 'from' TEXT);
        CREATE TABLE "select * from" ("my ""key""" INTEGER PRIMARY KEY, [group] INTEGER REFERENCES "order", "Straße, Nr." TEXT);
        CREATE TABLE [a.b] ("order" INTEGER REFERENCES "select * from", "%;--" TEXT);
        INSERT INTO "order" VALUES (1, 'Huber', 'XL', '2019-01-01', 'here'), (2, 'Maier', 'L', '2019-01-01', 'there'), (3, 'Moser', 'M', '2026-01-01', 'where');
        INSERT INTO "select * from" VALUES (1, 1, 'Ring 1'), (2, 3, 'Ring 2');
        INSERT INTO [a.b] VALUES (1, 'x'), (2, 'y');"#;
    let bench = Bench::with_sql(sql).await;
    bench.category(
        "person",
        r#"table = "ORDER"
label = "{to}"
[[criterion]]
name = "left"
since = "key.it's"
period = "3 years"
where = "\"end\" > 0 AND [to] <> ''"
[erase]
keep = ["from"]
[erase.anonymise]
to = "null"
'Größe "x"' = { value = "it's; --" }
"key.it's" = { truncate = "year" }
[[dependent]]
table = "select * from"
column = "group"
rule = "keep"
anonymise = { "Straße, Nr." = { template = "erased {key}" } }
[[dependent]]
parent = "select * from"
table = "a.b"
column = "order"
rule = "keep"
anonymise = { "%;--" = { value = "" } }
"#,
    );
    let (report, journal) = bench.erase_due("person").await;
    assert_eq!((report.deleted, report.anonymised), (1, 1), "{:?}", journal.rulings());
    assert_eq!(
        bench.rows("SELECT * FROM \"order\"").await,
        ["1|NULL|'it's; --'|'2019-01-01'|'here'", "3|'Moser'|'M'|'2026-01-01'|'where'"]
    );
    assert_eq!(bench.rows("SELECT * FROM \"select * from\"").await, ["1|1|'erased 1'", "2|3|'Ring 2'"]);
    assert_eq!(bench.rows("SELECT * FROM [a.b]").await, ["1|''", "2|'y'"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn a_view_with_the_name_of_a_persons_table_is_no_table() {
    let sql =
        format!("{} CREATE VIEW person AS SELECT * FROM person_t;", PERSON.replace("TABLE person", "TABLE person_t"));
    let bench = persons(&sql, "").await;
    let told = findings(&bench).await;
    assert!(told.contains("person is a view") && told.contains("name the table that the view reads"), "{told}");
}

/// To SQLite a word in double quotes that is no column is text, and `"stauts" <> 'customer'` would be true of everybody.
#[tokio::test]
async fn a_misspelt_name_in_quotes_is_no_text() {
    let bench = persons(PERSON, "").await;
    bench.category("person", &super::LEFT.replace("period", "where = \"\\\"naem\\\" <> 'Huber'\"\nperiod"));
    let told = findings(&bench).await;
    assert!(told.contains("no such column: \"naem\"") && told.contains("did you mean name?"), "{told}");
}
