//! What a survey has seen is relied on for as long as nobody else has changed anything, and no longer.

use erasured::erasure::Engine;
use erasured::record::RecordKey;
use erasured::source::Surveyed;

use crate::common::{Bench, INSTALLATION, MemoryJournal, key};

const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, last_on TEXT);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, customer_id INTEGER, text TEXT);
    INSERT INTO customers VALUES (1, 'Huber', '2015-01-01'), (2, 'Maier', '2025-12-01');
    INSERT INTO notes VALUES (10, 1, 'called'), (20, 2, 'wrote');";
const CUSTOMER: &str = r#"table = "customers"
    label = "{name}"
    [[criterion]]
    name = "inactive"
    since = "last_on"
    period = "3 years"
    [erase.anonymise]
    name = "null"
    last_on = "null"
    [[dependent]]
    table = "notes"
    column = "customer_id"
    rule = "delete"
    "#;

/// The notes that are left when a survey was made, then `meanwhile` happened, then the due were erased; and whether the
/// survey was relied on.
async fn left_after(meanwhile: &str) -> (Vec<String>, bool) {
    let bench = Bench::with_sql(SQL).await;
    bench.category("customer", CUSTOMER);
    let claims = bench.due("customer").await;
    let keys: Vec<RecordKey> = claims.iter().map(|claim| claim.key.clone()).collect();
    let mapping = bench.mapping("customer").await;
    assert_eq!(mapping.surveyed().count(), 1);
    let source = bench.source(&bench.settings());
    let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
    assert_eq!(writer.survey(&mapping, &keys, &mut reader).await.unwrap(), Surveyed::Holds);
    bench.sql(meanwhile).await;
    let mut engine = Engine {
        reader: &mut reader,
        writer: &mut writer,
        mapping: &mapping,
        day: &bench.day(),
        key: &key(),
        installation: INSTALLATION,
        last_committed: None,
        log_pages_max: 0,
        gap: std::time::Duration::ZERO,
        released: None,
    };
    let report = engine.erase(&mut MemoryJournal::default(), claims).await.unwrap();
    assert_eq!((report.deleted, report.returned), (1, 0));
    let was_relied_on = writer.is_surveyed();
    reader.close().await;
    writer.close().await;
    (bench.rows("SELECT text FROM notes ORDER BY id").await, was_relied_on)
}

#[tokio::test]
async fn it_finds_what_no_index_finds() {
    assert_eq!(left_after("SELECT 1").await, (vec!["'wrote'".to_owned()], true));
}

#[tokio::test]
async fn what_the_application_adds_after_it_goes_too() {
    assert_eq!(left_after("INSERT INTO notes VALUES (11, 1, 'late')").await, (vec!["'wrote'".to_owned()], false));
}

#[tokio::test]
async fn what_the_application_hands_over_after_it_goes_too() {
    assert_eq!(left_after("UPDATE notes SET customer_id = 1 WHERE id = 20").await, (Vec::new(), false));
}
