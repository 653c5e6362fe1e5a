//! The longest time from a confirmation to the removal: when it is exceeded, somebody is told.

use erasured::jobs::late;
use erasured::store::JobKind;
use jiff::ToSpan as _;
use sqlx::Connection as _;

use crate::common::rows;
use crate::office::{Office, Search, outcome};

const WITHIN: &str = "max_lock = \"20 ms\"\n[source.app.removal]\nwithin = \"30 days\"\nvacuum = \"00:00-24:00\"";
const WITHOUT_VACUUM: &str = "max_lock = \"20 ms\"\n[source.app.removal]\nwithin = \"30 days\"";

impl Office {
    /// When what is late was confirmed.
    async fn late(&self) -> Vec<String> {
        let workshop = self.workshop();
        let found = late(&workshop.store, &workshop.settings, workshop.clock.now()).await.unwrap();
        found.into_iter().map(|late| format!("{}: {}, {}", late.source, late.confirmed_at, late.within)).collect()
    }

    fn days_pass(&self, days: i64) {
        self.clock.advance((days * 24).hours().try_into().unwrap());
    }
}

#[tokio::test]
async fn what_is_erased_and_may_still_be_in_the_files_is_late() {
    let office = Office::with("WAL", Search::Own, WITHIN).await;
    let mut reader = office.bench.connect().await;
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    rows(&mut reader, "SELECT count(*) FROM customers").await;
    office.erase().await;
    office.days_pass(30);
    assert_eq!(office.late().await, Vec::<String>::new(), "to the day");
    office.days_pass(1);
    assert_eq!(office.late().await, ["app: 2026-11-21T09:00:00Z, 30 days"]);
    reader.close().await.unwrap();
    office.run(JobKind::Remove).await;
    assert_eq!(office.late().await, Vec::<String>::new(), "it is gone");
}

#[tokio::test]
async fn so_is_what_is_not_proven_to_be_gone() {
    let office = Office::of("WAL", Search::Own, WITHOUT_VACUUM, "OFF").await;
    let run = office.erase().await;
    assert_eq!((outcome(&run), office.steps().await), ("done", Vec::new()));
    office.days_pass(31);
    assert_eq!(office.late().await, ["app: 2026-11-21T09:00:00Z, 30 days"], "copies that the application has left");
    office.set(WITHIN);
    let run = office.run(JobKind::Remove).await;
    assert_eq!(
        (outcome(&run), office.steps().await),
        ("partly", vec!["vacuum"]),
        "what the proof finds only VACUUM removes"
    );
    assert!(office.beat().await.is_none(), "no sooner than the proof is tried again");
    office.clock.advance(30.minutes().try_into().unwrap());
    let run = office.perform(office.beat().await.unwrap().id).await;
    assert_eq!((outcome(&run), office.owed().await, office.late().await), ("done", Vec::new(), Vec::new()));
}

#[tokio::test]
async fn so_is_what_is_confirmed_and_never_erased_unless_it_is_held() {
    let office = Office::with("WAL", Search::Own, WITHIN).await;
    office.bench.sql("UPDATE customers SET mark = 0 WHERE id <> 7").await;
    office.run(JobKind::Prepare).await;
    office.days_pass(31);
    assert_eq!(office.late().await, ["app: 2026-11-21T09:00:00Z, 30 days"]);
    office.hold(7).await;
    assert_eq!(office.late().await, Vec::<String>::new(), "whoever holds it keeps it there");
    office.set("");
    assert_eq!(office.late().await, Vec::<String>::new(), "nobody asks how long it takes");
}
