//! What a second look found that could erase too much, or leave too much behind.

use crate::common::Bench;

const PERSON: &str = "table = \"p\"\nidentity = [\"name\"]\n[[criterion]]\nname = \"left\"\nwhere = \"due = 1\"\n";

#[tokio::test]
async fn a_trigger_that_runs_when_a_reference_is_cut_has_to_be_named() {
    let bench = Bench::with_sql(
        "CREATE TABLE a(id INTEGER PRIMARY KEY, street TEXT);
         CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, due INT, a_id INT REFERENCES a(id));
         CREATE INDEX p_a ON p(a_id);
         CREATE TABLE hist(x TEXT);
         CREATE TRIGGER tr AFTER UPDATE OF a_id ON p BEGIN
           INSERT INTO hist SELECT old.name || street FROM a WHERE id = old.a_id; END;",
    )
    .await;
    let owned = "[[dependent]]\nparent_column = \"a_id\"\ntable = \"a\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{PERSON}[erase]\nkeep = [\"due\", \"name\"]\n{owned}"));
    let findings = bench.findings("person").await;
    assert!(findings.contains("the trigger tr on p would run and is not named"), "{findings}");
}

#[tokio::test]
async fn what_depends_on_another_record_is_not_this_records_to_erase() {
    let bench = Bench::with_sql(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, due INT, ref INT REFERENCES p(id));
         CREATE TABLE o(id INTEGER PRIMARY KEY, p_id INT REFERENCES p(id));",
    )
    .await;
    let dependents = "[erase]\nkeep = [\"due\"]\nanonymise = { name = \"null\" }\n\
        [[dependent]]\nname = \"referred\"\ntable = \"p\"\ncolumn = \"ref\"\nrule = \"keep\"\n\
        [[dependent]]\nname = \"own_orders\"\ntable = \"o\"\ncolumn = \"p_id\"\nrule = \"delete\"\n\
        [[dependent]]\nparent = \"referred\"\ntable = \"o\"\ncolumn = \"p_id\"\nrule = \"delete\"\n";
    bench.category("person", &format!("{PERSON}{dependents}"));
    let findings = bench.findings("person").await;
    assert!(findings.contains("which are records of the category person themselves"), "{findings}");
}

#[tokio::test]
async fn a_key_that_the_column_takes_for_another_names_no_record() {
    let bench = Bench::with_sql(
        "CREATE TABLE p(code TEXT COLLATE NOCASE NOT NULL, name TEXT, due INT);
         CREATE UNIQUE INDEX u ON p(code COLLATE BINARY);
         INSERT INTO p VALUES ('ABC', 'Other', 0), ('abc', 'Anna', 1);",
    )
    .await;
    bench.category(
        "person",
        &format!("key = [\"code\"]\n{PERSON}[erase]\nkeep = [\"due\"]\nanonymise = {{ name = \"null\" }}\n"),
    );
    let findings = bench.findings("person").await;
    assert!(findings.contains("code of p may name more than one row"), "{findings}");
}

#[tokio::test]
async fn what_replaces_a_reference_must_refer_to_something() {
    let bench = Bench::with_sql(
        "CREATE TABLE b(id INTEGER PRIMARY KEY);
         INSERT INTO b VALUES (1);
         CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, due INT, b_id INT NOT NULL REFERENCES b(id));
         CREATE TABLE o(id INTEGER PRIMARY KEY, p_id INT REFERENCES p(id));
         INSERT INTO p VALUES (1, 'Anna', 1, 1), (2, 'Bert', 0, 1);
         INSERT INTO o VALUES (1, 1);",
    )
    .await;
    let kept = "[[dependent]]\ntable = \"o\"\ncolumn = \"p_id\"\nrule = \"keep\"\n";
    let with = |how: &str| {
        format!("{PERSON}[erase]\nkeep = [\"due\"]\nanonymise = {{ name = \"null\", b_id = {how} }}\n{kept}")
    };
    bench.category("person", &with("{ template = \"{key}\" }"));
    let findings = bench.findings("person").await;
    assert!(findings.contains("b_id of p refers to b"), "{findings}");
    bench.category("person", &with("{ value = 0 }"));
    let before = bench.dump().await;
    let (report, journal) = bench.erase_due("person").await;
    assert_eq!((report.anonymised, report.returned), (0, 1));
    assert!(journal.rulings()[0].contains("would refer to nothing in b"), "{:?}", journal.rulings());
    assert_eq!(bench.dump().await, before);
    bench.category("person", &with("{ value = 1 }"));
    assert_eq!(bench.erase_due("person").await.0.anonymised, 1);
    bench.assert_sound().await;
}

#[tokio::test]
async fn words_behind_a_date_do_not_survive_its_truncation() {
    let bench = Bench::with_sql(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, due INT, born TEXT);
         CREATE TABLE o(id INTEGER PRIMARY KEY, p_id INT REFERENCES p(id));
         INSERT INTO p VALUES (1, 'Anna', 1, '1980-02-03 (Anna Huber, Graz)'), (2, 'Bert', 1, '1980-02-03T10:11:12.5+02:00');
         INSERT INTO o VALUES (1, 1), (2, 2);",
    )
    .await;
    let kept = "[[dependent]]\ntable = \"o\"\ncolumn = \"p_id\"\nrule = \"keep\"\n";
    let rows = "[erase]\nkeep = [\"due\"]\nanonymise = { name = \"null\", born = { truncate = \"year\" } }\n";
    bench.category("person", &format!("{PERSON}{rows}{kept}"));
    bench.erase_due("person").await;
    assert_eq!(bench.rows("SELECT born FROM p ORDER BY id").await, ["NULL", "'1980-01-01T00:00:00.0+00:00'"]);
}

#[tokio::test]
async fn a_full_text_table_that_nobody_keeps_is_told_as_a_copy() {
    let names: Vec<String> = (0..8).map(|i| format!("({i}, 'Anneliese Nummer {i}', 1)")).collect();
    let bench = Bench::with_sql(&format!(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, due INT);
         INSERT INTO p VALUES {};
         CREATE VIRTUAL TABLE f USING fts5(x);
         INSERT INTO f SELECT name FROM p;",
        names.join(", ")
    ))
    .await;
    bench.category("person", &format!("{PERSON}[erase]\nkeep = [\"due\"]\nanonymise = {{ name = \"null\" }}\n"));
    let findings = bench.findings("person").await;
    assert!(findings.contains("x of f holds values of name"), "{findings}");
}

#[tokio::test]
async fn a_table_with_a_name_of_ours_stops_the_category() {
    for name in ["json_each", "Erasured_0"] {
        let bench = Bench::with_sql(&format!(
            "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, due INT); CREATE TABLE {name}(value TEXT);"
        ))
        .await;
        bench.category("person", &format!("{PERSON}[erase]\nkeep = [\"due\"]\nanonymise = {{ name = \"null\" }}\n"));
        let findings = bench.findings("person").await;
        assert!(findings.contains("a name that erasured itself needs"), "{findings}");
    }
}
