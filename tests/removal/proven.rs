//! Nothing counts as removed before it was looked for in vain.

use erasured::store::JobKind;
use sqlx::Connection as _;

use crate::common::rows;
use crate::office::{DUE, Office, Search, outcome};

const VACUUM: &str = "max_lock = \"20 ms\"\n[source.app.removal]\nvacuum = \"00:00-24:00\"";

#[tokio::test]
async fn not_while_a_reader_holds_the_log() {
    let office = Office::with("WAL", Search::External, VACUUM).await;
    let mut reader = office.bench.connect().await;
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    rows(&mut reader, "SELECT count(*) FROM customers").await;
    let run = office.erase().await;
    let report = &run.report.proofs["app"];
    assert!(!report.is_clean() && report.is_pending(), "{report:?}");
    assert_eq!((office.found().len(), office.unproven().await), (DUE, report.trouble()));
    // Tried again, it waits for the rest: the whole file is not read in vain.
    let run = office.run(JobKind::Remove).await;
    assert!(run.report.proofs.is_empty(), "{run:?}");
    assert_eq!(office.unproven().await.as_deref(), Some("the rest has to be done first"));
    reader.close().await.unwrap();
    let run = office.run(JobKind::Remove).await;
    let report = &run.report.proofs["app"];
    assert!(
        report.is_clean() && report.values.is_none(),
        "by structure, its values are not known any more: {report:?}"
    );
    assert_eq!((outcome(&run), office.owed().await, office.found()), ("done", Vec::new(), Default::default()));
    assert_eq!(office.entries("removal_verified").await, 2);
}

#[tokio::test]
async fn what_an_earlier_run_has_erased_is_not_proven_by_values_of_this_one() {
    let office = Office::of("WAL", Search::Own, "", "OFF").await;
    office.erase().await;
    assert!(office.unproven().await.is_some());
    // One who has come since lies nowhere but in the row. Whoever came and went beside leaves bytes that are not zero.
    let since = "INSERT INTO customers VALUES (5, 'Neuhinzugekommen', 'neuhinzugekommen@example.org', 1, 'x');
        INSERT INTO customers VALUES (1000, 'Durchgereist', 'durchgereist@example.org', 0, 'x');
        DELETE FROM customers WHERE id = 1000;";
    office.bench.sql(since).await;
    office.run(JobKind::Prepare).await;
    let run = office.run(JobKind::Erase).await;
    let report = &run.report.proofs["app"];
    assert_eq!(report.values.as_ref().map(|values| (values.records, values.found)), Some((1, 0)), "{report:?}");
    assert!(report.is_clean() && report.nonzero_ours() > 0, "by its own values it is: {report:?}");
    let why = office.unproven().await.unwrap();
    assert!(why.starts_with("values of 300 records that earlier runs have erased are not known any more"), "{why}");
}
