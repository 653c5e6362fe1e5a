//! Triggers that copy the old row into another table, in the very change that removes it.

use super::{LEFT, erase, findings, left_with};
use crate::common::Bench;

const SQL: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT);
    CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
    CREATE TABLE history (id INTEGER PRIMARY KEY, person_id INTEGER, name TEXT, what TEXT);
    CREATE TRIGGER changed AFTER UPDATE ON person BEGIN INSERT INTO history (person_id, name, what) VALUES (old.id, old.name, 'changed'); END;
    INSERT INTO person VALUES (1, 'Huberovic', '2019-01-01'), (2, 'Maierhofer', '2019-01-01'), (3, 'Moserbauer', '2026-01-01');
    INSERT INTO history VALUES (1, 1, 'Huberovic-Wolf', 'married'), (2, 3, 'Moserbauer-Fink', 'married'); INSERT INTO note VALUES (1, 1), (2, 2);";

const DELETED: &str = "CREATE TRIGGER deleted BEFORE DELETE ON person BEGIN INSERT INTO history (person_id, name, what) VALUES (old.id, old.name, 'deleted'); END;";

const NOTE: &str = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";

const TRIGGERS: &str = "triggers = [\"changed\", \"deleted\"]";

fn history(rule: &str) -> String {
    let more = if rule == "delete" { "" } else { "keep = [\"what\"]\nanonymise = { name = \"null\" }\n" };
    format!("[[dependent]]\ntable = \"history\"\ncolumn = \"person_id\"\nrule = \"{rule}\"\n{more}")
}

#[tokio::test]
async fn a_history_that_nobody_speaks_of_stops_the_category() {
    let bench = Bench::with_sql(&format!("{SQL}{DELETED}")).await;
    bench.category("person", &format!("{}{NOTE}", left_with(TRIGGERS)));
    let told = findings(&bench).await;
    assert!(
        told.contains("the trigger changed writes to history, and nothing here says what becomes of its rows"),
        "{told}"
    );
    bench.category("person", &format!("{LEFT}{NOTE}"));
    assert!(findings(&bench).await.contains("the trigger changed on person would run and is not named"));
}

#[tokio::test]
async fn a_history_that_goes_holds_nothing_of_the_change_that_removed_it() {
    let bench = Bench::with_sql(&format!("{SQL}{DELETED} DELETE FROM note WHERE id = 2;")).await;
    bench.category("person", &format!("{}{NOTE}{}", left_with(TRIGGERS), history("delete")));
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.anonymised), (1, 1), "{:?}", journal.rulings());
    assert_eq!(bench.rows("SELECT * FROM history").await, ["2|3|'Moserbauer-Fink'|'married'"]);
    bench.assert_no_trace_of(&["Huberovic", "Maierhofer"]);
}

#[tokio::test]
async fn a_history_that_stays_has_its_copies_changed_too() {
    let bench = Bench::with_sql(SQL).await;
    bench.category("person", &format!("{}{NOTE}{}", left_with("triggers = [\"changed\"]"), history("keep")));
    let (report, journal) = erase(&bench).await;
    assert_eq!(report.anonymised, 2, "{:?}", journal.rulings());
    assert_eq!(
        bench.rows("SELECT person_id, name, what FROM history ORDER BY id").await,
        ["1|NULL|'married'", "3|'Moserbauer-Fink'|'married'", "1|NULL|'changed'", "2|NULL|'changed'"]
    );
    bench.assert_no_trace_of(&["Huberovic", "Maierhofer"]);
}

#[tokio::test]
async fn a_history_that_is_unlinked_has_its_copies_unlinked_too() {
    let bench = Bench::with_sql(&format!("{SQL}{DELETED} DELETE FROM note;")).await;
    bench.category("person", &format!("{}{NOTE}{}", left_with(TRIGGERS), history("unlink")));
    let (report, journal) = erase(&bench).await;
    assert_eq!(report.deleted, 2, "{:?}", journal.rulings());
    assert_eq!(bench.rows("SELECT DISTINCT person_id, name FROM history").await, ["NULL|NULL", "3|'Moserbauer-Fink'"]);
    bench.assert_no_trace_of(&["Huberovic", "Maierhofer"]);
}

/// The row that the trigger writes refers to the record, which therefore could never be deleted.
#[tokio::test]
async fn a_history_that_stays_cannot_be_written_by_the_deletion_itself() {
    let bench = Bench::with_sql(&format!("{SQL}{DELETED}")).await;
    bench.category("person", &format!("{}{NOTE}{}", left_with(TRIGGERS), history("keep")));
    let told = findings(&bench).await;
    assert!(
        told.contains("the trigger deleted writes a row of history that refers to the row being deleted"),
        "{told}"
    );
}

#[tokio::test]
async fn what_the_trigger_of_a_trigger_writes_is_asked_about_too() {
    let chain = "CREATE TABLE archive (name TEXT); CREATE TRIGGER archived AFTER INSERT ON history BEGIN INSERT INTO archive VALUES (new.name); END;";
    let bench = Bench::with_sql(&format!("{SQL}{chain}")).await;
    let settings =
        |triggers: &str| format!("{}{NOTE}{}", left_with(&format!("triggers = [{triggers}]")), history("delete"));
    bench.category("person", &settings("\"changed\""));
    assert!(findings(&bench).await.contains("the trigger archived on history would run and is not named"));
    bench.category("person", &settings("\"changed\", \"archived\""));
    assert!(findings(&bench).await.contains("the trigger archived writes to archive, and nothing here says"));
}
