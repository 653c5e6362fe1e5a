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
    assert_eq!(decisions, 2, "since when and how long, nobody can say for employees");
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
        "number = \"?\"  # decide: { value = \"erased\" } – is it what tells who somebody is?",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

/// Drafts over a schema that is made up, and gives the text.
async fn drafted_over(sql: &str) -> String {
    let bench = Bench::with_sql(sql).await;
    drafted(&bench.database()).0
}

/// The part of the text that is about a dependent.
fn about<'t>(text: &'t str, dependent: &str) -> &'t str {
    let start = text.find(&format!("\n# {dependent}: ")).unwrap_or_else(|| panic!("{dependent} is not in\n{text}"));
    let rest = &text[start + 1..];
    &rest[..rest.find("\n\n").unwrap_or(rest.len())]
}

#[tokio::test]
async fn what_the_schema_itself_deletes_with_people_is_theirs() {
    let text = drafted_over(
        "CREATE TABLE users (user_id INTEGER PRIMARY KEY, login VARCHAR(128) NOT NULL, mail_host VARCHAR(128) NOT NULL,
            created DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', last_login DATETIME, failed_login_counter INTEGER,
            preferences TEXT, UNIQUE (login, mail_host));
         INSERT INTO users VALUES (1, 'a@x.org', 'imap.x.org', '0000-00-00 00:00:00', NULL, NULL, 'theme=dark'),
            (2, 'b@x.org', 'imap.x.org', '2019-02-01 08:00:00', '2020-02-01 08:00:00', 0, 'theme=dark');
         CREATE TABLE contacts (contact_id INTEGER PRIMARY KEY, email TEXT NOT NULL, surname TEXT NOT NULL,
            user_id INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE);
         CREATE TABLE contactgroups (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
            user_id INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE);
         CREATE TABLE contactgroupmembers (contactgroup_id INTEGER NOT NULL REFERENCES contactgroups (id) ON DELETE CASCADE,
            contact_id INTEGER NOT NULL REFERENCES contacts (contact_id) ON DELETE CASCADE, created DATETIME NOT NULL,
            PRIMARY KEY (contactgroup_id, contact_id));
         CREATE TABLE remarks (id INTEGER PRIMARY KEY, said TEXT,
            user_id INTEGER REFERENCES users (user_id) ON DELETE SET NULL);
         CREATE TABLE sessions (id TEXT PRIMARY KEY, ip VARCHAR(40) NOT NULL);",
    )
    .await;
    for expected in [
        "label = \"{login}\"",
        "identity = [\"login\", \"mail_host\"]",
        "since = \"coalesce(last_login, created)\"",
        "login = { template = \"erased-{key}\" }",
        "mail_host = \"?\"  # decide: { template = \"erased-{key}\" } – ",
        "preferences = \"?\"  # decide: \"null\" – ",
        "keep = [\"created\", \"last_login\", \"failed_login_counter\"]",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert_eq!(text.matches("# Drafted by `erasured init` from the table").count(), 1, "of users alone:\n{text}");
    assert!(about(&text, "contacts").contains("rule = \"?\"  # decide: \"delete\""), "{text}");
    assert!(about(&text, "remarks").contains("rule = \"?\"  # decide: \"unlink\""), "{text}");
    assert!(about(&text, "contactgroupmembers").contains("rule = \"delete\""), "{text}");
}

#[tokio::test]
async fn references_that_nobody_declared_are_told_by_names_and_values() {
    let text = drafted_over(
        "CREATE TABLE party_party (id INTEGER PRIMARY KEY, name VARCHAR, create_date TIMESTAMP, write_date TIMESTAMP);
         INSERT INTO party_party VALUES (11, 'Anna Maier', '2015-01-01 10:00:00.123', NULL), (12, 'Jan Novak', NULL, NULL);
         CREATE TABLE party_address (id INTEGER PRIMARY KEY, party INTEGER, street VARCHAR, city VARCHAR, sequence INTEGER);
         INSERT INTO party_address VALUES (21, 11, 'Lane 1', 'Graz', 1), (22, 12, 'Lane 2', 'Graz', 1);
         CREATE TABLE mail_address (id INTEGER PRIMARY KEY, address VARCHAR);
         INSERT INTO mail_address VALUES (31, 'info@x.org');
         CREATE TABLE sale_sale (id INTEGER PRIMARY KEY, party INTEGER, shipment_party INTEGER, customer INTEGER,
            invoice_address INTEGER, sale_date DATE, number VARCHAR, state VARCHAR, comment TEXT);
         INSERT INTO sale_sale VALUES (41, 11, NULL, 12, 21, '2016-05-01', 'S1', 'done', 'leave it at the door');
         CREATE TABLE sale_line (id INTEGER PRIMARY KEY, sale INTEGER, sequence INTEGER, note TEXT);
         INSERT INTO sale_line VALUES (51, 41, 1, 'as a present');
         CREATE TABLE party_rank (id INTEGER PRIMARY KEY, party INTEGER, note TEXT);
         CREATE TABLE badge (id INTEGER PRIMARY KEY, rank INTEGER, note TEXT);
         CREATE TABLE meter (id INTEGER PRIMARY KEY, party INTEGER);
         INSERT INTO meter VALUES (61, 900), (62, 901);",
    )
    .await;
    for (dependent, expected) in [
        ("party_address", "2 of 2 values lead there"),
        ("party_address", "rule = \"?\"  # decide: \"keep\""),
        ("sale_sale", "column = \"party\"\nrule = \"keep\""),
        (
            "sale_sale",
            "keep = [\"shipment_party\", \"customer\", \"invoice_address\", \"sale_date\", \"number\", \"state\"]",
        ),
    ] {
        assert!(about(&text, dependent).contains(expected), "{expected} is not in\n{text}");
    }
    for expected in [
        "name = \"sale_sale_shipment_party\"",
        "name = \"sale_sale_customer\"",
        "there is no value yet: its name alone says so",
        "since = \"?\"  # decide: \"create_date\" – it says when a record began, not when it was last of use",
        "since = \"(SELECT max(sale_date) FROM sale_sale WHERE sale_sale.party = party_party.id)\"",
        "parent = \"sale_sale\"\ntable = \"sale_line\"",
        "parent = \"sale_sale_customer\"\ntable = \"sale_line\"",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("table = \"meter\""), "its values lead nowhere:\n{text}");
    assert!(text.contains("party_rank") && !text.contains("badge"), "a place in a list is no reference:\n{text}");
}

#[tokio::test]
async fn accounts_that_every_table_names_get_no_file() {
    let tables: String = (0..25)
        .map(|n| format!("CREATE TABLE thing_{n} (id INTEGER PRIMARY KEY, create_uid INTEGER, label TEXT);"))
        .collect();
    let sql = format!(
        "CREATE TABLE clerk_user (id INTEGER PRIMARY KEY, name TEXT, login TEXT, password TEXT); {tables}
         CREATE TABLE member (id INTEGER PRIMARY KEY, last_name TEXT, create_uid INTEGER);"
    );
    let bench = Bench::with_sql(&sql).await;
    let dir = bench.dir.path().join("settings");
    let init = erasured(&["init", &format!("sqlite:{}", bench.database().display())], &dir);
    assert!(
        said(&init).contains("clerk_user holds people too. No file was written for it: 26 columns"),
        "{}",
        said(&init)
    );
    assert_eq!(files(&dir).len(), 2, "of the members alone: {}", said(&init));
}

#[tokio::test]
async fn who_made_a_row_is_not_whom_it_is_about() {
    let text = drafted_over(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE);
         CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, street TEXT);
         CREATE TABLE letters (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id),
            created_by_id INTEGER REFERENCES users (id), body TEXT, phone TEXT);
         CREATE TABLE answers (id INTEGER PRIMARY KEY, letter_id INTEGER REFERENCES letters (id), body TEXT);
         CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price REAL, created_by INTEGER REFERENCES users (id));",
    )
    .await;
    let users = &text[text.find("from the table \"users\"").unwrap()..];
    let letters = about(users, "letters");
    assert!(letters.contains("rule = \"keep\"") && !letters.contains("anonymise"), "{letters}");
    assert!(!users.contains("\n# answers: "), "nor is what hangs on it:\n{users}");
    assert!(letters.contains("it says who made or changed the row"), "{letters}");
    let products = about(users, "products");
    assert!(products.contains("keep = [\"name\", \"price\"]"), "{products}");
    assert!(about(&text, "letters").contains("body = \"null\""), "whom it is about is another matter:\n{text}");
}

#[tokio::test]
async fn what_a_name_does_not_say_the_values_may_and_else_somebody_is_asked() {
    let text = drafted_over(
        "CREATE TABLE members (id INTEGER PRIMARY KEY, last_name TEXT NOT NULL, reach TEXT, channel TEXT, mode TEXT, ssn INTEGER NOT NULL UNIQUE,
            last_seen_at INTEGER, login INTEGER, state TEXT);
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20)
         INSERT INTO members SELECT n, 'Maier', 'm' || n || '@x.org', iif(n % 2, 'm@x.org', '+43 316 123' || n), 'post', n, NULL, 1, 'on' FROM n;
         CREATE TABLE wishes (id INTEGER PRIMARY KEY, member_id INTEGER NOT NULL REFERENCES members (id), title TEXT, html_signature TINYINT);
         CREATE TABLE identifiers (id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES members (id), code TEXT, kind TEXT);
         CREATE TABLE purchases (id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES members (id), shop_id INTEGER
            REFERENCES shops (id), bought_on DATE);
         CREATE TABLE shops (id INTEGER PRIMARY KEY, label TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES members (id), shop_id INTEGER
            REFERENCES shops (id));
         CREATE TABLE choices (id INTEGER PRIMARY KEY, \"order\" INTEGER, note TEXT);",
    )
    .await;
    for expected in [
        "reach = \"null\"",
        "channel = \"null\"",
        "mode = \"?\"  # decide: \"null\" – nobody but you knows what is in it (TEXT, one and the same value in 20 rows)",
        "# Personal, and kept all the same: nothing that fits differs from row to row: [\"ssn\"]",
        "format = \"?\"  # decide: \"unix\" – there is no value yet to tell seconds from milliseconds",
        "keep = [\"last_seen_at\", \"login\", \"state\", \"ssn\"]",
        "title = \"?\"  # decide: \"null\" – is it about somebody, or the name of a thing that others need?",
        "keep = [\"html_signature\"]",
        "code = \"?\"  # decide: \"null\" – is it what tells who somebody is?",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    for books in ["purchases", "orders"] {
        assert!(about(&text, books).contains("rule = \"keep\""), "no tie of tables but what happened:\n{text}");
    }
    assert!(!text.contains("choices"), "where references are declared, a place in a list is none:\n{text}");
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
