//! Personal keys: the state does with them what it does with others, and holds none of them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::trail::{Attempt, attempt, attempts, verified};
use super::*;
use crate::actor::Scope;
use crate::audit::By;
use crate::record::{CategoryName, FingerprintKey, KeySeal};

fn seal() -> KeySeal {
    FingerprintKey::from_secret([7; 32]).key_seal()
}

fn prospects() -> BTreeSet<CategoryName> {
    [record(1).category].into()
}

impl Bench {
    async fn take_for_personal(&self) {
        self.store.unseal(seal());
        self.store.take_for_personal(&prospects()).await.unwrap();
    }
}

/// Every key that a table holds, and every one that the trail has named since its entry `since`.
async fn held_keys(store: &Store, since: u64) -> Vec<String> {
    let mut connection = store.readers.acquire().await.unwrap();
    sqlx::query_scalar(
        "SELECT key FROM proposal WHERE category = 'prospect' UNION ALL SELECT key FROM ledger WHERE category = 'prospect' \
         UNION ALL SELECT key FROM hold UNION ALL SELECT key FROM access WHERE key IS NOT NULL \
         UNION ALL SELECT j.value->>'key' FROM batch, json_each(plan) j WHERE plan IS NOT NULL \
         UNION ALL SELECT k.value FROM audit, json_each(details, '$.records') g, json_each(g.value, '$.keys') k WHERE seq > ?1",
    )
    .bind(since.cast_signed())
    .fetch_all(&mut *connection)
    .await
    .unwrap()
}

/// What is told of the records 1 to 9, whatever the state holds of them.
async fn told(bench: &Bench) -> impl PartialEq + fmt::Debug + use<> {
    let store = &bench.store;
    let category = record(1).category;
    let keys: Vec<RecordKey> = (1..=9).map(|key| record(key).key).collect();
    let mut proposals = Vec::new();
    let mut mentions = Vec::new();
    for key in 1..=9 {
        let about = AuditFilter { kind: None, run: None, record: Some(record(key)) };
        let found = store.audit_list(&about, None, 999).await.unwrap();
        mentions.push(found.items.into_iter().map(|entry| entry.kind).collect::<Vec<_>>());
        let Some(proposal) = store.proposal(&record(key)).await.unwrap() else { continue };
        proposals.push((store.history(proposal.id).await.unwrap(), proposal));
    }
    let mut open = store.open_proposals(&category, None, 99).await.unwrap();
    let mut listed = store.list(&ProposalFilter::open(), ListOrder::default(), None, 99).await.unwrap().items;
    open.sort_by_key(|proposal| proposal.id);
    listed.sort_by_key(|proposal| proposal.id);
    let among = store.open_among(&category, &keys).await.unwrap();
    let confirmed = store.confirmed_keys(&category, Ripe::default(), None, 99).await.unwrap();
    let mut ledger: Vec<_> = store.ledger(&category, &keys).await.unwrap().into_iter().collect();
    ledger.sort_by(|one, other| one.0.cmp(&other.0));
    let mut anonymised = store.anonymised(&category, None, 99).await.unwrap();
    anonymised.sort_by(|one, other| one.0.cmp(&other.0));
    let holds = store.holds(&Scope::everything(), None, 99).await.unwrap().items;
    let kinds: Vec<String> = bench.entries().await.into_iter().map(|entry| entry.kind).collect();
    let kinds: Vec<String> = kinds.into_iter().filter(|kind| kind != "keys_personal").collect();
    (
        (proposals, open, listed, among),
        (confirmed, ledger, anonymised, holds),
        kinds,
        store.counts().await.unwrap(),
        mentions.len(),
    )
}

/// The records of all pages, by the numbers of their proposals, in whatever order they come.
async fn paged(store: &Store, filter: &ProposalFilter, order: ListOrder) -> Vec<ProposalId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(filter, order, after.as_ref(), 2).await.unwrap();
        found.extend(page.items.iter().map(|proposal| proposal.id));
        match page.next {
            // As a client sends it back.
            Some(next) => after = Some(next.to_string().parse::<Cursor>().unwrap()),
            None => break,
        }
    }
    found.sort_unstable();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn what_is_told_is_the_same_and_no_key_is_held(first in attempts(), then in attempts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(same(&first, &then));
    }
}

/// How the set that was seen under this digest differs from what it is now.
async fn differences(bench: &Bench, filter: &ProposalFilter, digest: &SetDigest) -> String {
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    match change.confirm_all(&vera(), "r", &BTreeSet::new(), (filter, digest), TODAY).await {
        Err(AllError::Different(of)) => {
            format!("{:?}", [of.then, of.now, of.new.count, of.gone.count, of.changed.count])
        }
        other => format!("{other:?}"),
    }
}

async fn attempt_in_both(plain: &Bench, veiled: &Bench, attempts: &[Attempt], before: usize) {
    for (number, one) in attempts.iter().enumerate() {
        attempt(plain, one, before + number).await;
        attempt(veiled, one, before + number).await;
    }
}

/// Every proposal is on one page, in whatever order.
async fn assert_same_pages(plain: &Bench, veiled: &Bench) {
    for order in ["record", "-record", "due", "-proposed"].map(|order| order.parse().unwrap()) {
        let everything = ProposalFilter::everything();
        let pages = [paged(&plain.store, &everything, order).await, paged(&veiled.store, &everything, order).await];
        assert_eq!(pages[0], pages[1], "{order}");
    }
}

/// Tries the same in two states, of which one takes its keys for personal half-way.
async fn same(first: &[Attempt], then: &[Attempt]) {
    let (plain, veiled) = (Bench::new().await, Bench::new().await);
    attempt_in_both(&plain, &veiled, first, 0).await;
    veiled.take_for_personal().await;
    assert_eq!(told(&plain).await, told(&veiled).await, "at once");
    let since = veiled.last_seq().await;
    let open = ProposalFilter::open();
    let digests = [plain.store.seen(&open).await.unwrap().digest, veiled.store.seen(&open).await.unwrap().digest];
    attempt_in_both(&plain, &veiled, then, first.len()).await;
    assert_eq!(told(&plain).await, told(&veiled).await);
    assert_same_pages(&plain, &veiled).await;
    let found = [differences(&plain, &open, &digests[0]).await, differences(&veiled, &open, &digests[1]).await];
    assert_eq!(found[0], found[1], "a set differs in the same");
    for key in held_keys(&veiled.store, since).await {
        assert!(key.starts_with(['#', '$']), "{key} is held as it is");
    }
    let report = verified(&veiled).await;
    assert_eq!(report.fault, None, "what was written before and what was written since are one chain");
}

#[tokio::test]
async fn holds_and_access_keep_sealed_keys_and_lose_them_when_they_end() {
    let bench = Bench::new().await;
    bench.take_for_personal().await;
    bench.propose([1, 2]).await;
    let by = By::request(vera(), "r");
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let new = NewHold { record: record(1), unit: None, fingerprint: fingerprint("k1", 1) };
    change.hold(&by, &new, &Reason::new("in court").unwrap(), "3 Cg 17/26").await.unwrap();
    let denied = AccessWhat::Deny(record(2), fingerprint("k1", 2));
    change.give_access(&by, "nora", &denied, Some(&Reason::new("kin").unwrap())).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let held = bench.store.holds_on([&record(1)]).await.unwrap();
    assert_eq!(held[&record(1)][0].record, record(1));
    assert_eq!(bench.store.held_among(&[&record(1), &record(2)]).await.unwrap().len(), 1);
    let entry = bench.store.access_of("nora", TODAY).await.unwrap().remove(0);
    assert_eq!(entry.what, denied);
    assert!(entry.named.as_ref().unwrap().key.is_name());
    assert_eq!(
        bench.store.access(None, &[record(2)].into(), None, 9).await.unwrap().total,
        0,
        "denied to the asker too"
    );
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    assert!(change.access_about("nora", &denied.about()).await.unwrap().is_some());
    change.release(&by, &held[&record(1)][0], None).await.unwrap();
    change.end_access(&by, &entry).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let keys = held_keys(&bench.store, 0).await;
    assert_eq!(keys.iter().filter(|key| key.starts_with('$')).count(), 2, "those of the two open proposals: {keys:?}");
    assert!(keys.iter().all(|key| key.starts_with(['#', '$'])), "{keys:?}");
}

#[tokio::test]
async fn who_is_denied_a_record_finds_it_under_neither_name() {
    let bench = Bench::new().await;
    bench.take_for_personal().await;
    bench.propose(1..=4).await;
    let gone = [(bench.proposal(2).await.id, crate::proposal::WithdrawReason::Gone)];
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.withdraw(bench.run, &gone).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let scope = Scope { denied: [record(1), record(2)].into(), ..Scope::everything() };
    let filter = ProposalFilter { scope, ..ProposalFilter::everything() };
    let page = bench.store.list(&filter, ListOrder::default(), None, 9).await.unwrap();
    assert_eq!((page.total, page.items.len()), (2, 2), "neither open nor closed");
    let single = |key| crate::actor::SingleRecord { record: record(key), digest: fingerprint("k1", key).digest };
    let scope = Scope { records: [single(2), single(3)].into(), ..Scope::default() };
    let filter = ProposalFilter { scope, ..ProposalFilter::everything() };
    let page = bench.store.list(&filter, ListOrder::default(), None, 9).await.unwrap();
    assert_eq!((page.total, page.items.len()), (2, 2));
}

#[tokio::test]
async fn what_a_reader_has_kept_in_the_log_goes_with_the_next_start() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    let mut reader = bench.store.readers.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM proposal").fetch_one(&mut *reader).await.unwrap();
    bench.take_for_personal().await;
    let mut log = bench.path().into_os_string();
    log.push("-wal");
    let bytes = || std::fs::metadata(&log).unwrap().len();
    assert_ne!(bytes(), 0);
    reader.rollback().await.unwrap();
    Store::open(&bench.path(), bench.clock.clone()).await.unwrap();
    assert_eq!(bytes(), 0);
}

#[tokio::test]
async fn a_state_with_sealed_keys_is_read_with_their_secret_and_never_bared() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    bench.take_for_personal().await;
    let store = Store::open(&bench.path(), bench.clock.clone()).await.unwrap();
    assert_eq!(*store.personal_keys(), prospects(), "remembered without the settings");
    assert!(matches!(store.proposal(&record(1)).await, Err(StoreError::Unreadable { .. })), "no secret");
    store.unseal(FingerprintKey::from_secret([8; 32]).key_seal());
    let page = store.list(&ProposalFilter::open(), ListOrder::default(), None, 9).await;
    assert!(matches!(page, Err(StoreError::Unreadable { .. })), "another's secret");
    store.unseal(seal());
    assert_eq!(store.proposal(&record(1)).await.unwrap().unwrap().record, record(1));
    assert!(store.take_for_personal(&prospects()).await.unwrap().is_empty(), "only once");
    let mut turn = store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let told = sqlx::query("DELETE FROM personal_key").execute(&mut *change.transaction).await.unwrap_err();
    assert!(told.to_string().contains("stay so"));
}
