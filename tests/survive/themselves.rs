//! Tables that refer to themselves.

use super::{LEFT, erase, persons};

/// Chains of superiors: 3 under 2 under 1, 5 under 4, 6 under himself; who has a note is kept by it.
const SQL: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT, boss INTEGER REFERENCES person);
    CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person);
    INSERT INTO person VALUES (1, 'Huber', '2019-01-01', NULL), (2, 'Maier', '2019-01-01', 1), (3, 'Moser', '2019-01-01', 2),
      (4, 'Gruber', '2019-01-01', NULL), (5, 'Bauer', '2026-01-01', 4), (6, 'Wolf', '2019-01-01', 6);";

fn settings(rule: &str) -> String {
    format!(
        "[[dependent]]\nname = \"reports\"\ntable = \"person\"\ncolumn = \"boss\"\nrule = \"{rule}\"\n[[dependent]]\ntable = \"note\"\ncolumn = \"person_id\"\nrule = \"keep\"\n"
    )
}

#[tokio::test]
async fn who_stays_keeps_those_above_and_a_whole_chain_goes() {
    let bench = persons(SQL, &settings("keep")).await;
    let (_, journal) = erase(&bench).await;
    assert_eq!(
        journal.rulings(),
        [
            "1 deleted []",
            "2 deleted []",
            "3 deleted []",
            "4 anonymised [reports: 0 deleted, 0 changed, 1 left]",
            "6 deleted []",
        ]
    );
    assert_eq!(bench.rows("SELECT * FROM person").await, ["4|NULL|NULL|NULL", "5|'Bauer'|'2026-01-01'|4"]);
    bench.assert_sound().await;
}

#[tokio::test]
async fn one_note_at_the_end_of_a_chain_keeps_the_whole_chain() {
    let bench = persons(&format!("{SQL} INSERT INTO note VALUES (1, 3);"), &settings("keep")).await;
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.anonymised), (1, 4), "{:?}", journal.rulings());
    assert_eq!(journal.calls, ["intent", "outcome"], "foreseen, and not found out by trying");
    assert_eq!(
        bench.rows("SELECT id, name, boss FROM person WHERE id < 4").await,
        ["1|NULL|NULL", "2|NULL|1", "3|NULL|2"]
    );
    bench.assert_sound().await;
}

#[tokio::test]
async fn unlinking_lets_each_of_a_chain_go_its_own_way() {
    let bench = persons(&format!("{SQL} INSERT INTO note VALUES (1, 2), (2, 6);"), &settings("unlink")).await;
    let (report, journal) = erase(&bench).await;
    assert_eq!((report.deleted, report.anonymised), (3, 2), "{:?}", journal.rulings());
    assert_eq!(
        bench.rows("SELECT * FROM person").await,
        ["2|NULL|NULL|NULL", "5|'Bauer'|'2026-01-01'|NULL", "6|NULL|NULL|NULL"]
    );
    bench.assert_sound().await;
}

#[tokio::test]
async fn deleting_records_through_a_record_is_refused() {
    let bench = persons(SQL, &settings("delete")).await;
    let told = bench.findings("person").await;
    assert!(told.contains("the rows of person are records of the category person"), "{told}");
    assert!(bench.check("person").await.mapping.is_none());
}

#[tokio::test]
async fn dependents_that_refer_to_themselves_go_where_the_reference_is_cut() {
    let sql = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT);
        CREATE TABLE post (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person, answers INTEGER REFERENCES post, text TEXT);
        INSERT INTO person VALUES (1, 'Huber', '2019-01-01'), (2, 'Maier', '2026-01-01');
        INSERT INTO post VALUES (1, 1, NULL, 'a'), (2, 2, 1, 'b'), (3, 1, 2, 'c'), (4, 2, 3, 'd'), (5, 1, 1, 'e');";
    let posts = "[[dependent]]\ntable = \"post\"\ncolumn = \"person_id\"\nrule = \"delete\"\n";
    let answers = |rule: &str, keep: &str| {
        format!(
            "[[dependent]]\nname = \"answers\"\nparent = \"post\"\ntable = \"post\"\ncolumn = \"answers\"\nrule = \"{rule}\"\n{keep}"
        )
    };
    let bench = persons(sql, posts).await;
    assert!(bench.findings("person").await.contains("answers of post refers to post, and no [[dependent]]"));
    bench.category("person", &format!("{LEFT}{posts}{}", answers("delete", "")));
    assert!(bench.findings("person").await.contains("in a circle"));
    bench.category("person", &format!("{LEFT}{posts}{}", answers("unlink", "keep = [\"person_id\", \"text\"]\n")));
    let (report, _) = erase(&bench).await;
    assert_eq!((report.dependents.deleted, report.dependents.unlinked), (3, 2));
    assert_eq!(bench.rows("SELECT * FROM post").await, ["2|2|NULL|'b'", "4|2|NULL|'d'"]);
    bench.assert_sound().await;
}
