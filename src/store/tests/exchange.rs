//! Another fingerprint key: nothing stays under the one before, and all of it can be told as before.

use super::*;
use crate::audit::By;
use crate::record::FingerprintKey;
use crate::store::exchange::PLACES;

fn new_key() -> FingerprintKey {
    FingerprintKey::from_text(&format!("{}\n{}", "a1".repeat(32), "b2".repeat(32))).unwrap()
}

async fn rename(mut change: Change<'_>, key: &FingerprintKeyId) {
    sqlx::query("UPDATE fingerprint_form SET key_id = ?1 WHERE key_id = 'k1'")
        .bind(key.as_str())
        .execute(&mut *change.transaction)
        .await
        .unwrap();
    change.commit().await.unwrap();
}

/// What the fingerprint of `k1` is under the new key.
fn renewed(of: i64) -> Fingerprint {
    let before = fingerprint("k1", of);
    Fingerprint { key_id: new_key().id().clone(), digest: new_key().renewed(before.digest), ..before }
}

/// Exchanges the key, as which `k1` stood until now.
async fn exchange(bench: &Bench) {
    let from = FingerprintKey::from_text(&"a1".repeat(32)).unwrap().id().clone();
    let mut turn = bench.store.turn().await;
    let change = turn.begin().await.unwrap();
    rename(change, &from).await;
    drop(turn);
    let other = FingerprintKey::from_secret([9; 32]);
    let refused = bench.store.exchange_fingerprint_key(&By::daemon(), &from, &other).await;
    assert!(matches!(refused, Err(StoreError::NotExchanged { .. })), "nothing could be compared ever again");
    bench.store.exchange_fingerprint_key(&By::daemon(), &from, &new_key()).await.unwrap();
}

async fn settle(bench: &Bench, batch: BatchId) {
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.settle_committed(batch).await.unwrap();
    change.commit().await.unwrap();
}

/// A place that is forgotten here would be a person whom nobody knows again.
#[tokio::test]
async fn every_place_of_a_fingerprint_is_known() {
    let bench = Bench::new().await;
    let mut found: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, f.\"from\" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE f.\"table\" = 'fingerprint_form'",
    )
    .fetch_all(&bench.store.readers)
    .await
    .unwrap();
    let mut known: Vec<_> = PLACES.iter().map(|(table, _, _, form)| (table.to_string(), form.to_string())).collect();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[tokio::test]
async fn what_is_open_and_what_is_gone_is_compared_by_the_new_key() {
    let bench = Bench::new().await;
    bench.propose(1..=4).await;
    bench.confirm(&[1, 2]).await;
    let (batch, _) = bench.intent(1, &[1, 2]).await.unwrap();
    settle(&bench, batch).await;
    bench.confirm(&[3]).await;
    let (open, _) = bench.intent(2, &[3]).await.unwrap();
    let before = bench.last_seq().await;
    exchange(&bench).await;
    assert_eq!(bench.kinds_after(before).await, ["fingerprint_key_changed"]);
    assert_eq!(bench.proposal(4).await.fingerprint, renewed(4));
    // The batch that was open then is settled as what it was.
    settle(&bench, open).await;
    let keys = [1, 2, 3].map(|key| record(key).key);
    let ledger = bench.store.ledger(&record(1).category, &keys).await.unwrap();
    let befores = keys.each_ref().map(|key| ledger[key].before.clone());
    assert_eq!(befores, [1, 2, 3].map(renewed));
    // Taken with another key already: that is not touched.
    assert_eq!(ledger[&keys[1]].after, Some(fingerprint("k2", -2)));
    let needed = bench.store.needs_other_key(&FingerprintKeyId::from_stored("k1")).await.unwrap();
    assert_eq!(needed.as_ref(), Some(new_key().id()));
}

#[tokio::test]
async fn more_than_a_page_of_them_is_brought_under_the_new_key() {
    let bench = Bench::new().await;
    let all = 1..=25_000;
    bench.propose(all.clone()).await;
    exchange(&bench).await;
    let listed = bench.store.open_proposals(&record(1).category, None, 30_000).await.unwrap();
    assert_eq!(listed.len(), 25_000);
    for proposal in listed {
        assert_eq!(proposal.fingerprint, renewed(proposal.record.key.as_str().parse().unwrap()));
    }
}
