//! Nothing counts as removed before it was looked for in vain.

use erasured::proof::Layer;
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
    office.bench.sql("UPDATE customers SET mark = 0 WHERE id = 5").await;
    office.run(JobKind::Prepare).await;
    office.run(JobKind::Erase).await;
    assert!(office.unproven().await.is_some());
    office.bench.sql("UPDATE customers SET mark = 1 WHERE id = 5").await;
    office.run(JobKind::Prepare).await;
    let run = office.run(JobKind::Erase).await;
    let report = &run.report.proofs["app"];
    let why = office.unproven().await.unwrap();
    assert_eq!(report.values.as_ref().unwrap().records, 1);
    if report.verdict(Layer::Database).unwrap().is_open() {
        assert_eq!(Some(&why), report.trouble().as_ref());
    } else {
        assert!(why.starts_with("values of 299 records that earlier runs have erased are not known any more"), "{why}");
    }
}
