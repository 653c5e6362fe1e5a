//! Settings drafted from a database that nobody has described: refused until somebody has decided, and then good.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]
#![expect(clippy::print_stderr, reason = "whoever runs the tests must see what was not tested")]

#[expect(dead_code, reason = "every test target uses a part of it")]
mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::Bench;

fn erasured(words: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_erasured")).args(words).arg("--config").arg(dir).output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// The files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// Decides everything as it is suggested. Gives how much there was to decide.
fn decide(dir: &Path) -> usize {
    let mut decided = 0;
    for file in files(dir) {
        let text = std::fs::read_to_string(&file).unwrap();
        let line = |line: &str| match (line.split_once("\"?\""), line.split_once("# decide: ")) {
            (Some((before, after)), Some((_, told))) if !line.starts_with('#') => {
                decided += 1;
                let close = if after.starts_with(']') { "]" } else { "" };
                format!("{before}{}{close}\n", told.split(" – ").next().unwrap())
            }
            _ => format!("{line}\n"),
        };
        std::fs::write(&file, text.lines().map(line).collect::<String>()).unwrap();
    }
    decided
}

/// Drafts settings over a database, and holds them to what they promise. Gives the files and how much was to decide.
fn drafted(database: &Path) -> (String, usize) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("settings");
    let before = std::fs::read(database).unwrap();
    let init = erasured(&["init", &format!("sqlite:{}", database.display())], &dir);
    assert!(init.status.success(), "{}", said(&init));
    assert_eq!(std::fs::read(database).unwrap(), before, "nothing is changed in it");
    let text: String = files(&dir).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let check = erasured(&["check"], &dir);
    let is_open = text.lines().any(|line| !line.starts_with('#') && line.contains("\"?\""));
    assert_eq!(check.status.success(), !is_open, "{}", said(&check));
    let errors: Vec<String> =
        said(&check).lines().filter(|line| line.starts_with("error")).map(str::to_owned).collect();
    assert!(errors.iter().all(|error| error.ends_with("is still to be decided")), "nothing else is wrong: {errors:?}");
    assert_eq!(decide(&dir), errors.len());
    let check = erasured(&["check"], &dir);
    assert!(check.status.success(), "{}", said(&check));
    (text, errors.len())
}

fn beside(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {name} does not lie beside the checkout");
    None
}

#[test]
fn a_shop_with_customers_and_employees() {
    let Some(database) = beside("chinook.sqlite") else { return };
    let (text, decisions) = drafted(&database);
    assert_eq!(decisions, 1, "since when, nobody can say for employees");
    for expected in [
        "table = \"Customer\"",
        "table = \"Employee\"",
        "Email = { template = \"erased-{key}@invalid\" }",
        "BillingAddress = \"null\"",
        "since = \"(SELECT max(InvoiceDate) FROM Invoice WHERE Invoice.CustomerId = Customer.CustomerId)\"",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("table = \"Artist\""), "who made the music is no customer");
}

#[test]
fn a_shop_of_a_framework_with_everything_tied_to_users() {
    let Some(database) = beside("oscar_500.sqlite") else { return };
    let (text, decisions) = drafted(&database);
    assert!((10..40).contains(&decisions), "{decisions} decisions");
    for expected in [
        "table = \"auth_user\"",
        "password = { value = \"erased\" }",
        "username = { template = \"erased-{key}\" }",
        "parent_column = \"shipping_address_id\"",
        "since = \"last_login\"",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

#[tokio::test]
async fn names_in_other_languages_and_dates_in_other_forms() {
    let bench = Bench::with_sql(
        "CREATE TABLE Mitglieder (Nr INTEGER PRIMARY KEY, Nachname TEXT NOT NULL, Vorname TEXT, \"E-Mail\" TEXT NOT NULL UNIQUE,
            Geburtsdatum TEXT, Straße TEXT, Abteilung INTEGER, letzter_Kontakt TEXT, Vorliebe TEXT, Beitrag REAL NOT NULL);
         INSERT INTO Mitglieder VALUES (1, 'Maier', 'Anna', 'a@x', '31.12.1980', 'Gasse 1', 2, '01.02.2019', 'Schach', 12.5);
         CREATE TABLE Rechnungen (Nr INTEGER PRIMARY KEY, Mitglied INTEGER NOT NULL REFERENCES Mitglieder (Nr), Betrag REAL,
            Anschrift_Straße TEXT, Datum TEXT);
         CREATE TABLE klanten (id INTEGER PRIMARY KEY, achternaam TEXT, voornaam TEXT, aangemaakt_op INTEGER);
         INSERT INTO klanten VALUES (1, 'de Vries', 'Jan', 1577836800);
         CREATE TABLE adhérents (id INTEGER PRIMARY KEY, nom TEXT, prénom TEXT, courriel TEXT);
         CREATE TABLE produits (id INTEGER PRIMARY KEY, nom TEXT, prix REAL);
         CREATE TRIGGER leise AFTER UPDATE ON klanten BEGIN SELECT 1; END;",
    )
    .await;
    let (text, _) = drafted(&bench.database());
    insta::assert_snapshot!(text.replace(&*bench.dir.path().canonicalize().unwrap().to_string_lossy(), "/srv"));
}

#[tokio::test]
async fn nothing_is_written_over_and_nothing_is_made_up() {
    let bench = Bench::with_sql("CREATE TABLE songs (id INTEGER PRIMARY KEY, name TEXT)").await;
    let dir = bench.dir.path().join("new");
    let url = format!("sqlite:{}", bench.database().display());
    let init = erasured(&["init", &url], &dir);
    assert!(init.status.success() && said(&init).contains("No table looks like people"), "{}", said(&init));
    let again = erasured(&["init", &url], &dir);
    assert!(!again.status.success() && said(&again).contains("there are settings in"), "{}", said(&again));
    let nowhere = erasured(&["init", "sqlite:/nowhere.db"], &bench.dir.path().join("other"));
    assert!(
        !nowhere.status.success() && said(&nowhere).contains("there is no database at /nowhere.db"),
        "{}",
        said(&nowhere)
    );
    assert!(!bench.dir.path().join("other").exists());
}
