//! Batches: intent, outcome, settlement, ledger.

use super::*;
use crate::proposal::{State, StateName};

async fn states(bench: &Bench, keys: &[i64]) -> Vec<StateName> {
    let mut states = Vec::new();
    for key in keys {
        states.push(bench.proposal(*key).await.life.state().name());
    }
    states
}

/// Ends a batch in one change.
macro_rules! end {
    ($bench:expr, $method:ident ( $($argument:expr),* )) => {{
        let mut turn = $bench.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let done = change.$method($($argument),*).await;
        if done.is_ok() { change.commit().await.unwrap(); }
        done
    }};
}

#[tokio::test]
async fn a_batch_takes_what_is_still_confirmed_and_erases_it() {
    let bench = Bench::new().await;
    bench.propose(1..=4).await;
    bench.confirm(&[1, 2, 3]).await;
    bench.decide(&Decision::Restore, &[3]).await.unwrap();
    let before = bench.last_seq().await;
    let (batch, taken) = bench.intent(1, &[1, 2, 3, 4]).await.unwrap();
    assert_eq!(taken, [bench.proposal(1).await.id, bench.proposal(2).await.id]);
    assert_eq!(*bench.proposal(1).await.life.state(), State::Erasing { batch });
    assert_eq!(bench.store.open_batches().await.unwrap(), [OpenBatch { id: batch, source: source(), run: bench.run }]);
    assert_eq!(bench.kinds_after(before).await, ["batch_intent"]);
    end!(bench, outcome(batch)).unwrap();
    assert!(matches!(end!(bench, outcome(batch)), Err(StoreError::BatchNotOpen(_))));
    assert_eq!(bench.kinds_after(before + 1).await, ["erased"]);
    let entry = bench.entries().await.pop().unwrap();
    insta::assert_snapshot!(entry.details);
    assert_eq!(*bench.proposal(1).await.life.state(), State::Erased { outcome: Outcome::Deleted });
    assert_eq!(*bench.proposal(2).await.life.state(), State::Erased { outcome: Outcome::Anonymised });
    assert_eq!(states(&bench, &[3, 4]).await, [StateName::Proposed; 2]);
    assert_eq!(bench.store.sources().await.unwrap()[0].last_batch, Some(batch));
}

#[tokio::test]
async fn the_ledger_knows_what_was_erased_last() {
    let bench = Bench::new().await;
    for (batch, key_of_person) in [(1_u8, 2), (2, 2)] {
        bench.propose([1, key_of_person]).await;
        bench.confirm(&[1, key_of_person]).await;
        bench.clock.advance(jiff::SignedDuration::from_hours(1));
        let (batch, _) = bench.intent(batch, &[1, key_of_person]).await.unwrap();
        end!(bench, settle_committed(batch)).unwrap();
    }
    let keys = [record(1).key, record(2).key, record(3).key];
    let found = bench.store.ledger(&record(1).category, &keys).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&keys[0]].batch, BatchId([2; 16]));
    assert_eq!((found[&keys[0]].outcome, &found[&keys[0]].after), (Outcome::Deleted, &None));
    assert_eq!(found[&keys[1]].before, fingerprint("k1", 2));
    assert_eq!(found[&keys[1]].after, Some(fingerprint("k2", -2)));
    assert_eq!(found[&keys[1]].erased_at.to_string(), "2026-03-15T04:00:00Z");
    let elsewhere = bench.store.ledger(&record(1_000_000).category, &keys).await.unwrap();
    assert!(elsewhere.is_empty());
    for (has, needs) in [("k1", "k2"), ("k2", "k1"), ("k3", "k1")] {
        let has = FingerprintKeyId::from_stored(has);
        let needed = bench.store.needs_other_key(&has).await.unwrap();
        assert_eq!(needed.map(|key| key.to_string()).as_deref(), Some(needs));
    }
}

#[tokio::test]
async fn settlement_works_from_the_intent_alone() {
    let bench = Bench::new().await;
    bench.propose(1..=2).await;
    bench.confirm(&[1, 2]).await;
    let before = bench.last_seq().await;
    let (first, _) = bench.intent(1, &[1, 2]).await.unwrap();
    end!(bench, settle_rolled_back(first)).unwrap();
    assert_eq!(states(&bench, &[1, 2]).await, [StateName::Confirmed; 2]);
    assert!(bench.store.sources().await.unwrap().is_empty());
    let (second, taken) = bench.intent(2, &[1, 2]).await.unwrap();
    assert_eq!(taken.len(), 2);
    end!(bench, settle_committed(second)).unwrap();
    assert_eq!(states(&bench, &[1, 2]).await, [StateName::Erased; 2]);
    assert_eq!(
        bench.kinds_after(before).await,
        ["batch_intent", "batch_settled", "batch_intent", "batch_settled", "erased"]
    );
    assert!(matches!(end!(bench, settle_rolled_back(first)), Err(StoreError::BatchNotOpen(_))));
    assert!(bench.store.open_batches().await.unwrap().is_empty());
}

#[tokio::test]
async fn no_batch_before_the_last_is_settled_nor_in_a_closed_source() {
    let bench = Bench::new().await;
    bench.propose(1..=2).await;
    bench.confirm(&[1, 2]).await;
    let (first, _) = bench.intent(1, &[1]).await.unwrap();
    assert!(matches!(bench.intent(2, &[2]).await, Err(StoreError::BatchOpen { open, .. }) if open == first));
    end!(bench, outcome(first)).unwrap();
    let by = crate::audit::By::daemon();
    assert!(end!(bench, close_source(&by, &source(), "the file has been replaced")).unwrap());
    assert!(!end!(bench, close_source(&by, &source(), "again")).unwrap());
    assert!(matches!(bench.intent(2, &[2]).await, Err(StoreError::SourceClosed { .. })));
    let foreign = Some(BatchId([77; 16]));
    assert!(end!(bench, reopen_source(&by, &source(), foreign)).unwrap());
    assert!(!end!(bench, reopen_source(&by, &source(), None)).unwrap());
    assert_eq!(bench.store.sources().await.unwrap()[0].last_batch, foreign);
    assert_eq!(bench.intent(2, &[2]).await.unwrap().1.len(), 1);
}

#[tokio::test]
async fn a_batch_of_nothing_is_no_batch() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    let before = bench.last_seq().await;
    assert!(bench.intent(1, &[1]).await.unwrap().1.is_empty());
    assert_eq!(bench.last_seq().await, before);
    assert!(bench.store.open_batches().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_outcome_and_the_next_intent_are_one_change() {
    let bench = Bench::new().await;
    bench.propose(1..=2).await;
    bench.confirm(&[1, 2]).await;
    let (first, _) = bench.intent(1, &[1]).await.unwrap();
    let next = planned_erasure(bench.proposal(2).await.id, 2);
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.outcome(first).await.unwrap();
    change.intent(bench.run, BatchId([2; 16]), &source(), std::slice::from_ref(&next)).await.unwrap();
    drop(change);
    drop(turn);
    assert_eq!(states(&bench, &[1, 2]).await, [StateName::Erasing, StateName::Confirmed]);
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.outcome(first).await.unwrap();
    change.intent(bench.run, BatchId([2; 16]), &source(), &[next]).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(states(&bench, &[1, 2]).await, [StateName::Erased, StateName::Erasing]);
}

#[tokio::test]
async fn confirmed_proposals_come_in_the_order_of_the_source() {
    let bench = Bench::new().await;
    bench.propose([1, 2, 10, 20, 100, 1_000_001]).await;
    bench.confirm(&[20, 1, 100, 2, 1_000_001]).await;
    let page = |after, limit| {
        let bench = &bench;
        async move { bench.store.confirmed(&record(1).category, Ripe::default(), after, limit).await.unwrap() }
    };
    let first = page(None, 2).await;
    let second = page(Some(first[1].id), 9).await;
    let keys: Vec<_> = first.iter().chain(&second).map(|one| one.record.key.as_str().to_owned()).collect();
    // Those of another criterion come after in each call of prepare.
    assert_eq!(keys, ["1", "2", "20", "100"]);
}
