//! Holds on records that are not what they were: erased, gone, given to somebody else.

use super::*;
use erasured::proposal::{BatchId, DependentCounts, Outcome};
use erasured::store::PlannedErasure;

#[tokio::test]
async fn what_is_erased_cannot_be_held_and_the_attempt_is_on_the_trail() {
    let office = Office::prepared("").await;
    office.confirm(&["1", "2"]).await;
    office.run(JobKind::Erase).await;
    let at = office.clock.now();
    for key in ["1", "2"] {
        assert_eq!(refused(office.hold(key, "A 1").await), HoldRefused::Erased(at), "{key}");
        let told = office.told(key).await;
        assert_eq!(told.last().unwrap(), "hold_too_late: a hold on 1 record came too late");
    }
    assert!(office.held().await.is_empty());
    // Somebody else is under the key now, and can be held.
    office.bench.sql("INSERT INTO customers VALUES (1, 'Steiner', 'graz', '2026-01-01')").await;
    office.bench.sql("UPDATE customers SET last_name = 'Moser' WHERE id = 2").await;
    for key in ["1", "2"] {
        office.hold(key, "A 1").await.unwrap();
    }
}

#[tokio::test]
async fn what_is_being_erased_cannot_be_held() {
    let office = Office::prepared("").await;
    office.confirm(&["1"]).await;
    let of = office.store.proposal(&record("1")).await.unwrap().unwrap();
    let mut turn = office.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let planned = PlannedErasure {
        proposal: of.id,
        record: of.record,
        outcome: Outcome::Deleted,
        dependents: DependentCounts::default(),
        before: of.fingerprint,
        after: None,
    };
    // A batch whose end nobody knows yet, as a crash leaves it.
    change.intent(of.run.unwrap(), BatchId([9; 16]), &of.source, &[planned]).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    assert_eq!(refused(office.hold("1", "A 1").await), HoldRefused::BeingErased);
    let mut turn = office.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.settle_rolled_back(BatchId([9; 16])).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    office.hold("1", "A 1").await.unwrap();
}

#[tokio::test]
async fn a_hold_stands_when_the_key_is_reused_and_says_so() {
    let office = Office::prepared("").await;
    office.confirm(&["1"]).await;
    office.hold("1", "A 1").await.unwrap();
    office.hold("4", "A 1").await.unwrap();
    office
        .bench
        .sql("UPDATE customers SET last_name = 'Steiner' WHERE id = 1; DELETE FROM customers WHERE id = 4")
        .await;
    let held = office.held().await;
    assert_eq!((held[0].has_changed, held[0].label.as_ref().unwrap().reveal()), (true, "Steiner"));
    assert_eq!((held[1].has_changed, held[1].problem.as_deref()), (false, Some("the record is gone")));
    assert_eq!(office.run(JobKind::Erase).await.held, 1);
    std::fs::remove_file(office.bench.database()).unwrap();
    let held = office.held().await;
    assert!(held[0].problem.is_some() && held[0].label.is_none(), "{held:?}");
    assert!(matches!(office.hold("1", "A 2").await, Err(DeskError::Unreadable(..))));
}
