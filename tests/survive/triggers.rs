//! The application's own code in its schema.

use super::{LEFT, PERSON, erase, findings, left_with, persons, rulings};
use crate::common::Bench;

const THREE: &str =
    "INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2019-01-01'), (3, 'Moser', '2019-01-01');";

/// The bench of [`PERSON`] with this SQL, and settings that name these triggers.
async fn with_triggers(sql: &str, triggers: &str, more: &str) -> Bench {
    let bench = Bench::with_sql(&format!("{PERSON}{THREE}{sql}")).await;
    bench.category("person", &format!("{}{more}", left_with(&format!("triggers = [{triggers}]"))));
    bench
}

#[tokio::test]
async fn a_trigger_that_nobody_has_looked_at_stops_the_category() {
    let sql = "CREATE TRIGGER watch AFTER DELETE ON person BEGIN SELECT 1; END;";
    let bench = with_triggers(sql, "", "").await;
    let told = findings(&bench).await;
    assert!(told.contains("the trigger watch on person would run and is not named"), "{told}");
    assert!(told.contains("triggers = [\"watch\"]"), "{told}");
}

#[tokio::test]
async fn a_trigger_that_refuses_sends_its_record_back_with_its_text_and_the_others_go() {
    let sql = "CREATE TRIGGER guard BEFORE DELETE ON person WHEN old.id = 2 BEGIN SELECT RAISE(ABORT, 'it''s a founder: ask the board'); END;";
    let bench = with_triggers(sql, "\"guard\"", "").await;
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.returned), (2, 1));
    assert_eq!(
        journal.rulings(),
        ["1 deleted []", "3 deleted []", "2 refused: cannot delete from person: it's a founder: ask the board",]
    );
    assert_eq!(bench.rows("SELECT id FROM person").await, ["2"]);
}

#[tokio::test]
async fn every_way_to_refuse_is_survived() {
    for way in ["FAIL", "ABORT", "ROLLBACK"] {
        let sql = format!(
            "CREATE TRIGGER guard BEFORE DELETE ON person WHEN old.id = 2 BEGIN SELECT RAISE({way}, 'no'); END;"
        );
        let (report, _) = erase(&with_triggers(&sql, "\"guard\"", "").await).await;
        assert_eq!((report.deleted, report.returned), (2, 1), "{way}");
    }
    let silent = "CREATE TRIGGER guard BEFORE DELETE ON person WHEN old.id = 2 BEGIN SELECT RAISE(IGNORE); END;";
    let told = rulings(&with_triggers(silent, "\"guard\"", "").await).await;
    assert_eq!(told[2], "2 refused: delete from person was to change 1 rows and changed 0");
}

#[tokio::test]
async fn a_message_that_could_hold_a_value_is_not_shown() {
    let sql = "CREATE TRIGGER guard BEFORE DELETE ON person WHEN old.id = 2 BEGIN SELECT RAISE(ABORT, 'cannot remove ' || old.name); END;";
    let bench = Bench::with_sql(&format!("{PERSON}{THREE}")).await;
    // Before version 3.47 of SQLite the text of RAISE is fixed.
    let mut connection = bench.connect().await;
    if sqlx::raw_sql(sql).execute(&mut connection).await.is_err() {
        return;
    }
    bench.category("person", &left_with("triggers = [\"guard\"]"));
    let told = rulings(&bench).await;
    assert!(told[2].starts_with("2 refused: ") && !told[2].contains("Maier"), "{told:?}");
}

#[tokio::test]
async fn a_trigger_that_stamps_the_change_restarts_no_clock() {
    let sql = "ALTER TABLE person ADD COLUMN changed_at TEXT;
        CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person); INSERT INTO note VALUES (1, 1), (2, 2), (3, 3);
        CREATE TRIGGER stamp AFTER UPDATE ON person BEGIN UPDATE person SET changed_at = '2026-11-21' WHERE id = new.id; END;";
    let note = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let bench = with_triggers(sql, "\"stamp\"", note).await;
    let settings = left_with("triggers = [\"stamp\"]")
        .replace("[erase.anonymise]", "[erase]\nkeep = [\"changed_at\"]\n[erase.anonymise]");
    bench.category("person", &format!("{settings}{note}"));
    assert_eq!(erase(&bench).await.0.anonymised, 3);
    assert_eq!(bench.rows("SELECT * FROM person WHERE id = 1").await, ["1|NULL|NULL|'2026-11-21'"]);
    // A stamp that is part of the identity would make the anonymised record somebody else, unknown to the ledger.
    bench
        .sql("UPDATE person SET name = 'Huber', left_on = '2019-01-01'; UPDATE person SET changed_at = '2001-01-01';")
        .await;
    bench.sql("DROP TRIGGER stamp; UPDATE person SET changed_at = '2001-01-01';").await;
    bench.sql("CREATE TRIGGER stamp AFTER UPDATE ON person BEGIN UPDATE person SET changed_at = '2026-11-21' WHERE id = new.id; END;").await;
    bench.category(
        "person",
        &format!("{}{note}", settings.replace("label = \"{name}\"", "identity = [\"name\", \"changed_at\"]")),
    );
    let told = rulings(&bench).await;
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|ruling| ruling.contains("have another identity than was foreseen")), "{told:?}");
}

#[tokio::test]
async fn a_trigger_that_puts_values_back_sends_the_record_back() {
    let sql = "CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person); INSERT INTO note VALUES (1, 1);
        CREATE TRIGGER keep_name AFTER UPDATE OF name ON person BEGIN UPDATE person SET name = old.name WHERE id = new.id; END;";
    let note = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let bench = with_triggers(sql, "\"keep_name\"", note).await;
    let told = rulings(&bench).await;
    assert_eq!(
        told,
        ["2 deleted []", "3 deleted []", "1 refused: 1 rows of person do not hold what they were changed to"]
    );
    assert_eq!(bench.rows("SELECT * FROM person").await, ["1|'Huber'|'2019-01-01'"]);
}

#[tokio::test]
async fn a_trigger_that_copies_the_record_within_its_own_table_sends_it_back() {
    let sql = "CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person); INSERT INTO note VALUES (1, 1);
        CREATE TRIGGER version AFTER UPDATE ON person WHEN old.name IS NOT NULL
        BEGIN INSERT INTO person (name, left_on) VALUES (old.name, '2026-11-21'); END;";
    let note = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let bench = with_triggers(sql, "\"version\"", note).await;
    let told = rulings(&bench).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("1 refused: 1 rows of person were added"), "{told:?}");
    assert_eq!(bench.rows("SELECT * FROM person").await, ["1|'Huber'|'2019-01-01'"]);
}

#[tokio::test]
async fn triggers_that_fire_only_with_recursive_triggers_stay_quiet() {
    let sql = "PRAGMA recursive_triggers = ON;
        CREATE TRIGGER endless AFTER UPDATE ON person BEGIN UPDATE person SET left_on = new.left_on WHERE id = new.id; END;
        CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person); INSERT INTO note VALUES (1, 1);";
    let note = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let bench = with_triggers(sql, "\"endless\"", note).await;
    assert_eq!(erase(&bench).await.0.anonymised, 1);
}

#[tokio::test]
async fn functions_and_collations_that_only_the_application_has_are_said_beforehand() {
    let sql = "CREATE TRIGGER tell AFTER DELETE ON person BEGIN SELECT tell_the_app(old.id); END;";
    let bench = with_triggers(sql, "\"tell\"", "").await;
    let told = findings(&bench).await;
    assert!(told.contains("rows of person cannot be changed: no such function: tell_the_app"), "{told}");
    // As a schema that the application has made with its own collation.
    let sql = "CREATE INDEX by_name ON person (name); PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '(name)', '(name COLLATE german)') WHERE name = 'by_name'; PRAGMA writable_schema = OFF;";
    let bench = with_triggers(sql, "", "").await;
    let told = findings(&bench).await;
    assert!(told.contains("no such collation sequence: german") && told.contains("VACUUM fails too"), "{told}");
}

#[tokio::test]
async fn checks_of_the_table_are_tried_on_a_copy_beforehand() {
    let sql =
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT, data TEXT CHECK (json_valid(data)));
        INSERT INTO person VALUES (1, 'Huber', '2019-01-01', '{}');";
    let bench = Bench::with_sql(sql).await;
    let settings = |value: &str| LEFT.replace("name = \"null\"\n", &format!("name = \"null\"\ndata = {value}\n"));
    bench.category("person", &settings("{ value = \"erased\" }"));
    let told = findings(&bench).await;
    assert!(
        told.contains("anonymised rows of person are refused: CHECK constraint failed: json_valid(data)"),
        "{told}"
    );
    bench.category("person", &settings("{ value = \"{}\" }"));
    assert_eq!(findings(&bench).await, "");
}

#[tokio::test]
async fn generated_columns_follow_and_cannot_be_set() {
    let sql = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT,
          search TEXT GENERATED ALWAYS AS (lower(name)) STORED, short TEXT AS (substr(name, 1, 1)));
        CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
        INSERT INTO person (id, name, left_on) VALUES (1, 'Huber', '2019-01-01'); INSERT INTO note VALUES (1, 1);";
    let note = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let bench = persons(sql, note).await;
    assert_eq!(erase(&bench).await.0.anonymised, 1);
    assert_eq!(bench.rows("SELECT * FROM person").await, ["1|NULL|NULL|NULL|NULL"]);
    bench.category("person", &LEFT.replace("name = \"null\"\n", "name = \"null\"\nsearch = \"null\"\n"));
    assert!(findings(&bench).await.contains("search of person is computed by the database and cannot be set"));
}

#[tokio::test]
async fn strict_tables_get_values_of_their_types() {
    let sql =
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, left_on TEXT, age INTEGER NOT NULL) STRICT;
        CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
        INSERT INTO person VALUES (1, 'Huber', '2019-01-01', 40); INSERT INTO note VALUES (1, 1);";
    let note = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";
    let settings = |age: &str| {
        let name =
            LEFT.replace("\nname = \"null\"", &format!("\nname = {{ template = \"erased {{key}}\" }}\nage = {age}"));
        format!("{name}{note}")
    };
    let bench = Bench::with_sql(sql).await;
    bench.category("person", &settings("{ value = \"none\" }"));
    assert!(findings(&bench).await.contains("age of person holds whole numbers and would hold text"));
    bench.category("person", &settings("{ value = 0 }"));
    assert_eq!(erase(&bench).await.0.anonymised, 1);
    assert_eq!(bench.rows("SELECT * FROM person").await, ["1|'erased 1'|NULL|0"]);
}

#[tokio::test]
async fn code_that_fails_on_one_row_sends_that_record_back() {
    let sql = "ALTER TABLE person ADD COLUMN data TEXT; UPDATE person SET data = iif(id = 2, 'no json: Maier', '{}');
        CREATE TABLE counter (n); INSERT INTO counter VALUES (0);
        CREATE TRIGGER read AFTER DELETE ON person BEGIN UPDATE counter SET n = n + json_array_length(old.data); END;";
    let counter = "[[dependent]]\ntable = \"counter\"\ncolumn = \"n\"\nrule = \"keep\"\nreferences = [\"id\"]\n";
    let bench = with_triggers(sql, "\"read\"", counter).await;
    let settings =
        left_with("triggers = [\"read\"]").replace("name = \"null\"\n", "name = \"null\"\ndata = \"null\"\n");
    bench.category("person", &format!("{settings}{counter}"));
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.returned), (2, 1), "{:?}", journal.rulings());
    let told = &journal.rulings()[2];
    assert!(told.starts_with("2 refused: ") && told.contains("malformed JSON"), "{told}");
}

#[tokio::test]
async fn lengths_that_the_application_minds_are_warned_of() {
    let bench = Bench::with_sql(&PERSON.replace("name TEXT", "name VARCHAR(6), code CHAR(10)")).await;
    let settings = |name: &str, code: &str| {
        LEFT.replace("\nname = \"null\"", &format!("\nname = {{ value = {name:?} }}\ncode = {{ template = {code:?} }}"))
    };
    bench.category("person", &settings("erased", "erased-{key}"));
    assert_eq!(findings(&bench).await, "");
    bench.category("person", &settings("removed", "erased-id-{key}"));
    let told = findings(&bench).await;
    assert!(told.contains("name of person is declared for 6 characters, and what replaces it has 7 or more"), "{told}");
    assert!(
        told.contains("code of person is declared for 10 characters, and what replaces it has 11 or more"),
        "{told}"
    );
}
