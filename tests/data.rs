//! The whole way of a record on real databases, which lie beside the checkout and are copied for each test.

mod common;

use std::path::PathBuf;

use common::Bench;

fn database(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {name} does not lie beside the checkout");
    None
}

#[tokio::test]
async fn chinook_customers() {
    let Some(file) = database("chinook.sqlite") else { return };
    let bench = Bench::with_copy_of(&file);
    bench.sql("DELETE FROM InvoiceLine WHERE InvoiceId IN (SELECT InvoiceId FROM Invoice WHERE CustomerId IN (3, 5)); DELETE FROM Invoice WHERE CustomerId IN (3, 5);").await;
    let toml = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/chinook/categories/customer.toml"))
        .unwrap();
    std::fs::write(
        bench.dir.path().join("categories/customer.toml"),
        toml.replace("source = \"chinook\"", "source = \"app\""),
    )
    .unwrap();
    println!("{}", bench.findings("customer").await);
    let (report, journal) = bench.erase_due("customer").await;
    println!("{report:?}\n{:#?}", journal.rulings());
    bench.assert_sound().await;
}
