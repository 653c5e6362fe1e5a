//! Personal values that stand in more than one place.

use super::{LEFT, PERSON, erase, findings, left_with, persons, rulings};
use crate::common::Bench;

const PEOPLE: &str =
    "INSERT INTO person VALUES (1, 'Huberovic Anna', '2019-01-01'), (2, 'Maierhofer Bert', '2019-01-01'),
    (3, 'Moserbauer Cara', '2026-01-01'), (4, 'Gruberwald Dora', '2026-01-01');";

const NOTE: &str =
    "CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person); INSERT INTO note VALUES (1, 1);";

const KEEP_NOTE: &str = "[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n";

#[tokio::test]
async fn names_that_stand_elsewhere_are_shown_as_candidates() {
    let sql = format!(
        "{PERSON}{PEOPLE} CREATE TABLE invoice (id INTEGER PRIMARY KEY, billed_to TEXT, total REAL);
         INSERT INTO invoice SELECT id, name, 9.5 FROM person;
         CREATE TABLE mail (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO mail SELECT id, 'Dear ' || name || ', welcome!' FROM person;
         CREATE TABLE log (id INTEGER PRIMARY KEY, entry TEXT); INSERT INTO log SELECT id, json_object('who', name) FROM person;
         CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO town VALUES (1, 'Wiener Neustadt'), (2, 'Linz'), (3, 'Graz');"
    );
    let bench = persons(&sql, "").await;
    let told = findings(&bench).await;
    assert!(told.contains("billed_to of invoice holds values of name"), "{told}");
    assert!(told.contains("body of mail holds texts with values of name"), "{told}");
    assert!(told.contains("entry of log holds texts with values of name"), "{told}");
    assert!(!told.contains("town"), "{told}");
    assert!(bench.check("person").await.mapping.is_some());
}

#[tokio::test]
async fn a_full_text_index_that_triggers_keep_follows() {
    let sql = format!(
        "{PERSON}{NOTE} CREATE VIRTUAL TABLE search USING fts5(name, content='person', content_rowid='id');
         CREATE TRIGGER ins AFTER INSERT ON person BEGIN INSERT INTO search(rowid, name) VALUES (new.id, new.name); END;
         CREATE TRIGGER del AFTER DELETE ON person BEGIN INSERT INTO search(search, rowid, name) VALUES ('delete', old.id, old.name); END;
         CREATE TRIGGER upd AFTER UPDATE ON person BEGIN INSERT INTO search(search, rowid, name) VALUES ('delete', old.id, old.name);
           INSERT INTO search(rowid, name) VALUES (new.id, new.name); END;"
    );
    let bench = Bench::with_sql(&sql.replace("INSERT INTO note VALUES (1, 1);", "")).await;
    bench.sql(PEOPLE).await;
    bench.sql("INSERT INTO note VALUES (1, 1);").await;
    bench.category("person", &format!("{}{KEEP_NOTE}", left_with("triggers = [\"del\", \"upd\"]")));
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.anonymised), (1, 1), "{:?}", journal.rulings());
    let found = "SELECT rowid FROM search WHERE search MATCH 'huberovic OR maierhofer OR moserbauer'";
    assert_eq!(bench.rows(found).await, ["3"]);
    bench.sql("INSERT INTO search(search) VALUES ('integrity-check')").await;
}

#[tokio::test]
async fn a_full_text_index_that_no_trigger_keeps_is_warned_of() {
    let deletes = "CREATE TRIGGER del WHEN DELETE ON person BEGIN DELETE FROM search WHERE rowid = old.id; END;";
    let (before, after) = (deletes.replace("WHEN", "BEFORE"), deletes.replace("WHEN", "AFTER"));
    let own = "CREATE VIRTUAL TABLE search USING fts5(name);";
    let new = "CREATE VIRTUAL TABLE search USING fts5(name, content='person', content_rowid='id');";
    let bare = "CREATE VIRTUAL TABLE search USING fts5(name, content='', contentless_delete=1);";
    let old = "CREATE VIRTUAL TABLE search USING fts4(content='person', name);";
    for (index, trigger, is_told) in [
        (own, "", false),
        (new, "", true),
        (new, &*after, false),
        (bare, "", true),
        (bare, &*after, false),
        (old, "", true),
        (old, &*after, true),
        (old, &*before, false),
    ] {
        let bench = Bench::with_sql(&format!("{PERSON}{index}{trigger}")).await;
        let named = if trigger.is_empty() { "" } else { "triggers = [\"del\"]" };
        bench.category("person", &left_with(named));
        let told = findings(&bench).await;
        let is_there = told.contains("no trigger takes the words of rows that are deleted out of search");
        assert_eq!(is_there, is_told, "{index} {trigger}: {told}");
        assert!(bench.check("person").await.mapping.is_some(), "{index} {trigger}: {told}");
    }
}

/// Whoever is anonymised is found by the old name, unless a trigger takes it out.
#[tokio::test]
async fn a_full_text_index_that_no_trigger_keeps_when_rows_are_changed_is_warned_of() {
    let del = "CREATE TRIGGER del BEFORE DELETE ON person BEGIN DELETE FROM search WHERE rowid = old.id; END;";
    let upd = "CREATE TRIGGER upd WHEN UPDATE ON person BEGIN DELETE FROM search WHERE rowid = old.id; END;";
    let (before, after) = (upd.replace("WHEN", "BEFORE"), upd.replace("WHEN", "AFTER"));
    let of_name = after.replace("UPDATE", "UPDATE OF name");
    let of_day = after.replace("UPDATE", "UPDATE OF left_on");
    let new = "CREATE VIRTUAL TABLE search USING fts5(name, content='person', content_rowid='id');";
    let bare = "CREATE VIRTUAL TABLE search USING fts5(name, content='', contentless_delete=1);";
    let old = "CREATE VIRTUAL TABLE search USING fts4(content='person', name);";
    let of_keys = "CREATE VIRTUAL TABLE search USING fts5(id, content='person', content_rowid='id');";
    for (index, trigger, is_told) in [
        (new, "", true),
        (new, &*after, false),
        (new, &*of_name, false),
        (bare, "", true),
        (bare, &*after, false),
        (old, "", true),
        (old, &*after, true),
        (old, &*before, false),
        (of_keys, "", false),
        (new, &*of_day, false),
    ] {
        let bench = Bench::with_sql(&format!("{PERSON}{index}{del}{trigger}")).await;
        let named = if trigger.is_empty() { "triggers = [\"del\"]" } else { "triggers = [\"del\", \"upd\"]" };
        bench.category("person", &left_with(named));
        let told = findings(&bench).await;
        let is_there = told.contains("no trigger takes the words of rows that are changed out of search");
        assert_eq!(is_there, is_told, "{index} {trigger}: {told}");
        assert!(bench.check("person").await.mapping.is_some(), "{index} {trigger}: {told}");
    }
}

#[tokio::test]
async fn a_full_text_table_of_its_own_is_a_dependent() {
    let sql = format!(
        "{PERSON}{PEOPLE} CREATE VIRTUAL TABLE search USING fts5(name, person_id UNINDEXED); INSERT INTO search SELECT name, id FROM person;"
    );
    let bench = persons(&sql, "[[dependent]]\ntable = \"search\"\ncolumn = \"person_id\"\nrule = \"delete\"\n").await;
    assert_eq!(
        rulings(&bench).await,
        ["1 deleted [search: 1 deleted, 0 changed, 0 left]", "2 deleted [search: 1 deleted, 0 changed, 0 left]"]
    );
    assert_eq!(bench.rows("SELECT person_id FROM search").await, ["3", "4"]);
}

#[tokio::test]
async fn a_full_text_table_without_contents_is_refused() {
    let sql = format!("{PERSON}{PEOPLE} CREATE VIRTUAL TABLE search USING fts5(name, content='');");
    let bench = persons(&sql, "[[dependent]]\ntable = \"search\"\ncolumn = \"rowid\"\nrule = \"delete\"\n").await;
    let told = findings(&bench).await;
    assert!(
        told.contains("search is a fts5 table without contents, and single rows cannot be deleted from it"),
        "{told}"
    );
    let shadow = "[[dependent]]\ntable = \"search_docsize\"\ncolumn = \"id\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{LEFT}{shadow}"));
    assert!(findings(&bench).await.contains("search_docsize holds the data of a virtual table"));
}

#[tokio::test]
async fn a_log_that_may_not_change_sends_the_record_back_with_its_text() {
    let sql = format!(
        "{PERSON}{PEOPLE} CREATE TABLE log (id INTEGER PRIMARY KEY, person_id INTEGER, entry TEXT, hash TEXT);
         INSERT INTO log VALUES (1, 1, '{{\"name\": \"Huberovic Anna\"}}', 'a1');
         CREATE TRIGGER fixed BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    );
    let bench = Bench::with_sql(&sql).await;
    let log = "[[dependent]]\ntable = \"log\"\ncolumn = \"person_id\"\nrule = \"keep\"\nkeep = [\"hash\"]\nanonymise = { entry = \"null\" }\n";
    bench.category("person", &format!("{}{log}", left_with("triggers = [\"fixed\"]")));
    assert_eq!(rulings(&bench).await, ["2 deleted []", "1 refused: cannot change log: the log is append-only"]);
    assert_eq!(bench.rows("SELECT name FROM person WHERE id < 3").await, ["'Huberovic Anna'"]);
}

#[tokio::test]
async fn nothing_of_the_erased_is_left_in_the_file() {
    for mode in ["DELETE", "WAL", "PERSIST", "TRUNCATE"] {
        let sql =
            format!("PRAGMA journal_mode = {mode}; {PERSON}{NOTE}").replace("INSERT INTO note VALUES (1, 1);", "");
        let bench = persons(&sql, KEEP_NOTE).await;
        bench.sql(&format!("PRAGMA secure_delete = ON; {PEOPLE} INSERT INTO note VALUES (1, 1);")).await;
        let (report, _) = erase(&bench).await;
        assert_eq!((report.deleted, report.anonymised), (1, 1), "{mode}");
        let bytes = bench.bytes();
        assert!(bytes.windows(10).any(|window| window == b"Moserbauer"), "the others are still there");
        // A journal that is kept holds the old pages: to remove them is the application's setting, and not ours to change.
        if mode != "PERSIST" {
            bench.assert_no_trace_of(&["Huberovic", "Maierhofer"]);
        }
    }
}
