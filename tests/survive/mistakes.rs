//! Mistakes that `check` sees, as the operator reads of them.

use std::fmt::Write as _;

use super::{LEFT, PERSON, left_with};
use crate::common::Bench;

/// What `check` says of each of these settings.
async fn told(sql: &str, settings: &[(&str, String)]) -> String {
    let bench = Bench::with_sql(sql).await;
    let mut report = String::new();
    for (mistake, text) in settings {
        bench.category("person", text);
        let findings = bench.findings("person").await;
        assert!(bench.check("person").await.mapping.is_none(), "{mistake} went through: {findings}");
        let _ = writeln!(report, "# {mistake}\n{findings}");
    }
    report
}

fn since(sql: &str) -> String {
    LEFT.replace("since = \"left_on\"", &format!("since = '''{sql}'''"))
}

fn condition(sql: &str) -> String {
    LEFT.replace("since = \"left_on\"", &format!("where = '''{sql}'''\nsince = \"left_on\""))
}

#[tokio::test]
async fn mistakes_in_names_and_columns() {
    let sql = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, age INTEGER, left_on TEXT);
        CREATE INDEX by_day ON person (left_on); CREATE TABLE note (id INTEGER PRIMARY KEY, person_id INTEGER);
        CREATE INDEX by_person ON note (person_id);";
    let well = LEFT.replace("\nname = \"null\"", "\nname = { value = \"\" }\nemail = \"null\"\nage = \"null\"");
    let with = |from: &str, to: &str| well.replace(from, to);
    let dependent = |lines: &str| format!("{well}[[dependent]]\nrule = \"delete\"\n{lines}");
    let settings = [
        ("a table that does not exist", with("\"person\"", "\"persons\"")),
        ("a column that does not exist, in the label", with("{name}", "{nmae}")),
        ("a column that does not exist, in identity", with("label = \"{name}\"", "identity = [\"nam\"]")),
        (
            "a column that does not exist, in keep",
            with("[erase.anonymise]", "[erase]\nkeep = [\"phone\"]\n[erase.anonymise]"),
        ),
        ("a column that does not exist, in anonymise", with("email = \"null\"", "email = \"null\"\ne_mail = \"null\"")),
        ("a column that does not exist, as the key", with("label", "key = [\"ident\"]\nlabel")),
        ("a column that nobody has classified", with("email = \"null\"\n", "")),
        ("several columns that nobody has classified", with("email = \"null\"\nage = \"null\"\n", "")),
        ("NULL where the column refuses it", with("{ value = \"\" }", "\"null\"")),
        ("one value where each row needs its own", with("email = \"null\"", "email = { value = \"erased@invalid\" }")),
        ("text where the column holds numbers", with("age = \"null\"", "age = { template = \"erased-{key}\" }")),
        ("a dependent's table that does not exist", dependent("table = \"notes\"\ncolumn = \"person_id\"")),
        ("a dependent's column that does not exist", dependent("table = \"note\"\ncolumn = \"person\"")),
        ("a trigger that does not exist", with("label", "triggers = [\"stamp\"]\nlabel")),
    ];
    insta::assert_snapshot!(told(sql, &settings).await);
}

#[tokio::test]
async fn mistakes_in_sql() {
    let sql = &format!("{PERSON} CREATE INDEX by_day ON person (left_on);");
    let settings = [
        ("a column that does not exist", since("left_onn")),
        ("a column that does not exist, in an expression", condition("nmae <> 'Huber'")),
        ("a name in double quotes that is no column", condition("\"nmae\" <> 'Huber'")),
        ("a table that does not exist", since("(SELECT max(at) FROM visits WHERE person_id = person.id)")),
        ("a function that does not exist", since("parse_date(left_on)")),
        ("not SQL", condition("name is not Huber or")),
        ("nothing but a comment", condition("-- all of them")),
        ("breaking out of parentheses", condition("id = 1) OR (1 = 1")),
        ("a quote left open", condition("name = 'Huber")),
        ("the time of day", condition("left_on < date('now', '-3 years')")),
        ("the time of day without saying so", condition("left_on < date()")),
        ("the time of day in a keyword", condition("left_on < CURRENT_DATE")),
        ("chance", condition("random() > 0")),
        ("an aggregate", since("max(left_on)")),
        ("a second statement", condition("1; DELETE FROM person")),
        ("a statement that writes", condition("(DELETE FROM person RETURNING 1)")),
        ("a parameter that does not exist", condition("left_on < :yesterday")),
        (
            "a cutoff without a period",
            LEFT.replace("since = \"left_on\"\nperiod = \"3 years\"", "where = \"left_on < :cutoff\""),
        ),
        ("two columns", since("left_on, name")),
        ("a unit that does not compile", left_with("unit = \"branch\"")),
    ];
    insta::assert_snapshot!(told(sql, &settings).await);
}
