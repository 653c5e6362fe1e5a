//! Many records.

use std::time::Duration;

use super::*;
use crate::clock::Stopwatch;

/// Far more than it takes; what it must not take is a statement per record with a disk behind it.
const PATIENCE: Duration = Duration::from_secs(20);
const PROPOSALS: i64 = 5_000;

#[tokio::test]
async fn five_thousand_proposals_go_all_the_way_in_batches() {
    let bench = Bench::new().await;
    let watch = Stopwatch::start();
    let keys: Vec<i64> = (1..=PROPOSALS).collect();
    for page in keys.chunks(BATCH_MAX_RECORDS as usize) {
        assert_eq!(bench.propose(page.iter().copied()).await.proposed, page.len() as u64);
    }
    let proposed = watch.elapsed();
    for page in keys.chunks(BATCH_MAX_RECORDS as usize) {
        bench.confirm(page).await;
    }
    let confirmed = watch.elapsed();
    let mut batches = 0_u8;
    loop {
        let page = bench.store.confirmed(&record(1).category, Ripe::default(), None, 1_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        batches += 1;
        let plan: Vec<_> =
            page.iter().map(|one| planned_erasure(one.id, one.record.key.as_str().parse().unwrap())).collect();
        let mut turn = bench.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let batch = BatchId([batches; 16]);
        assert_eq!(change.intent(bench.run, batch, &source(), &plan).await.unwrap().taken.len(), plan.len());
        change.commit().await.unwrap();
        let mut change = turn.begin().await.unwrap();
        change.outcome(batch).await.unwrap();
        change.commit().await.unwrap();
    }
    let erased = watch.elapsed();
    assert_eq!(batches, 5);
    let counts = bench.store.counts().await.unwrap();
    assert_eq!(counts[&record(1).category][&crate::proposal::StateName::Erased], PROPOSALS as u64);
    let entries = bench
        .store
        .audit_list(&AuditFilter { kind: Some("erased".into()), ..AuditFilter::default() }, None, 1)
        .await
        .unwrap();
    assert_eq!(entries.total, 5);
    assert!(erased < PATIENCE, "proposed after {proposed:?}, confirmed after {confirmed:?}, erased after {erased:?}");
}
