//! The whole way of a record on real databases, which lie beside the checkout and are copied for each test.
//!
//! What is to come of it stands beside this file as SQL by hand, which is run on a copy of its own: both copies must then be
//! the same, row by row.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]
#![expect(clippy::print_stderr, reason = "whoever runs the tests must see what was not tested")]

#[expect(dead_code, reason = "every test target uses a part of it")]
mod common;

use std::path::PathBuf;

use common::{Bench, MemoryJournal};
use erasured::erasure::BatchReport;

fn database(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {name} does not lie beside the checkout");
    None
}

/// Erases everything that is due, and compares the outcome with what `expected` makes of a copy.
async fn erased_as_expected(bench: &Bench, category: &str, expected: &str) -> (BatchReport, MemoryJournal) {
    let by_hand = Bench::with_copy_of(&bench.database());
    by_hand.sql(expected).await;
    let done = bench.erase_due(category).await;
    let (found, expected) = (bench.dump().await, by_hand.dump().await);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (table, rows) in &expected {
        let odd: Vec<&String> = found[table].iter().filter(|row| !rows.contains(row)).take(3).collect();
        assert!(
            found[table] == *rows,
            "{table} has {} rows, expected {}; such as {odd:?}",
            found[table].len(),
            rows.len()
        );
    }
    bench.assert_sound().await;
    done
}

/// That no value of these columns is what it was in any of these rows, but where there was none.
async fn assert_every_column_changed(
    bench: &Bench,
    before: &Bench,
    table: &str,
    key: &str,
    columns: &[&str],
    rows: &str,
) {
    for column in columns {
        let values = format!(
            "SELECT {key}, {column} FROM {table} WHERE {key} IN ({rows}) AND coalesce({column}, '') <> '' ORDER BY 1"
        );
        let (was, is) = (before.rows(&values).await, bench.rows(&values).await);
        let same: Vec<&String> = is.iter().filter(|row| was.contains(row)).collect();
        assert!(!was.is_empty() && same.is_empty(), "{column} of {table}: {} rows, unchanged {same:?}", was.len());
    }
}

#[tokio::test]
async fn customers_of_a_music_shop() {
    let Some(file) = database("chinook.sqlite") else { return };
    let bench = Bench::with_copy_of(&file);
    // Everybody has invoices there; three have none from now on.
    bench
        .sql(
            "DELETE FROM InvoiceLine WHERE InvoiceId IN (SELECT InvoiceId FROM Invoice WHERE CustomerId IN (3, 5, 58));
             DELETE FROM Invoice WHERE CustomerId IN (3, 5, 58);
             UPDATE Invoice SET InvoiceDate = date(InvoiceDate, '-5 years') || ' 00:00:00' WHERE CustomerId % 4 = 0;",
        )
        .await;
    let before = Bench::with_copy_of(&bench.database());
    let toml = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/chinook/categories/customer.toml"));
    bench.file("customer", &toml.unwrap().replace("source = \"chinook\"", "source = \"app\""));
    let (report, journal) = erased_as_expected(&bench, "customer", include_str!("data/chinook/expected.sql")).await;
    assert_eq!((report.deleted, report.returned, report.withdrawn), (3, 0, 0), "{:?}", journal.rulings());
    assert!(report.anonymised >= 10, "{report:?}");
    let personal = [
        "FirstName",
        "LastName",
        "Company",
        "Address",
        "City",
        "State",
        "Country",
        "PostalCode",
        "Phone",
        "Fax",
        "Email",
    ];
    let rows = "SELECT CustomerId FROM Invoice GROUP BY 1 HAVING max(InvoiceDate) < '2023-11-21'";
    assert_every_column_changed(&bench, &before, "Customer", "CustomerId", &personal, rows).await;
    let (again, _) = bench.erase_due("customer").await;
    assert_eq!(again.deleted, 0);
}

#[tokio::test]
async fn accounts_of_a_web_shop() {
    let Some(file) = database("oscar_500.sqlite") else { return };
    let bench = Bench::with_copy_of(&file);
    let before = Bench::with_copy_of(&file);
    bench.file("user", include_str!("data/oscar/user.toml"));
    let findings = bench.check("user").await.findings;
    assert!(!findings.iter().any(erasured::config::Finding::is_error), "{}", common::rendered(&findings));
    let (report, journal) = erased_as_expected(&bench, "user", include_str!("data/oscar/expected.sql")).await;
    assert!(report.deleted >= 20 && report.anonymised >= 20, "{report:?}");
    assert_eq!((report.returned, report.withdrawn), (0, 0), "{:?}", journal.rulings());
    let personal = ["password", "username", "first_name", "last_name", "email", "date_joined", "last_login"];
    let rows = "SELECT id FROM auth_user WHERE email GLOB 'erased-*'";
    let erased: Vec<String> = bench.rows(rows).await;
    assert_eq!(erased.len() as u64, report.anonymised);
    assert_every_column_changed(&bench, &before, "auth_user", "id", &personal, &erased.join(", ")).await;
}

/// A column or a reference that the settings leave out stops the category by name.
#[tokio::test]
async fn what_is_left_out_of_the_web_shops_settings_is_asked_for() {
    let Some(file) = database("oscar_500.sqlite") else { return };
    let bench = Bench::with_copy_of(&file);
    let toml = include_str!("data/oscar/user.toml");
    let without = |lines: &str| {
        assert!(toml.contains(lines), "{lines}");
        toml.replace(lines, "")
    };
    for (left_out, expected) in [
        ("phone_number = { value = \"\" }\n", "column phone_number of order_shippingaddress is not classified"),
        (
            "[[dependent]]\ntable = \"reviews_vote\"\ncolumn = \"user_id\"\nrule = \"delete\"\n",
            "user_id of reviews_vote refers to auth_user",
        ),
        (
            "[[dependent]]\nparent = \"basket_line\"\ntable = \"basket_lineattribute\"\ncolumn = \"line_id\"\nrule = \"delete\"\n",
            "line_id of basket_lineattribute refers to basket_line",
        ),
    ] {
        bench.file("user", &without(left_out));
        let told = bench.findings("user").await;
        assert!(told.contains(expected), "{told}");
    }
}
