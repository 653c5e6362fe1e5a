//! Tests of the store; what they share is here.

mod access;
mod batches;
mod decisions;
mod exchange;
mod files;
mod filters;
mod holds;
mod invariants;
mod lists;
mod many;
mod personal;
mod prune;
mod runs;
mod scale;
mod sets;
mod time;
mod trail;

use std::sync::Arc;

use jiff::civil::{Date, date};

use super::*;
use crate::actor::Actor;
use crate::audit::{CheckpointKey, Entry};
use crate::clock::SetClock;
use crate::proposal::{BatchId, DependentCounts, Outcome, Reason};
use crate::record::{FingerprintKeyId, IdentityVersion, RecordKey};

pub(super) const TODAY: Date = date(2026, 3, 15);

/// A state of its own in a directory of its own.
pub(super) struct Bench {
    pub(super) dir: tempfile::TempDir,
    pub(super) clock: Arc<SetClock>,
    pub(super) store: Store,
    pub(super) run: RunId,
}

impl Bench {
    /// A new state in which a prepare run goes on.
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::new("2026-03-15T02:00:00Z".parse().unwrap()));
        let store = Store::create(&dir.path().join("state.db"), clock.clone()).await.unwrap();
        let mut bench = Self { dir, clock, store, run: RunId(0) };
        bench.run = bench.running(JobKind::Prepare).await;
        bench
    }

    pub(super) fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("state.db")
    }

    /// A run of this job that goes on.
    pub(super) async fn running(&self, job: JobKind) -> RunId {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let trigger = RunTrigger::Manual { actor: vera(), request: Some("r-0".into()) };
        let run = change.queue_run(job, &trigger, false).await.unwrap();
        change.start_run(run).await.unwrap();
        change.commit().await.unwrap();
        run
    }

    pub(super) async fn propose(&self, keys: impl IntoIterator<Item = i64>) -> Proposed {
        let new: Vec<_> = keys.into_iter().map(new_proposal).collect();
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let proposed = change.propose(self.run, &new).await.unwrap();
        change.commit().await.unwrap();
        proposed
    }

    pub(super) async fn decide(&self, decision: &Decision, keys: &[i64]) -> Result<Vec<Decided>, DecisionError> {
        let targets: Vec<_> = keys.iter().map(|key| Target { record: record(*key), version: None }).collect();
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await?;
        let decided = change.decide(&vera(), "r-1", decision, &targets, TODAY).await?;
        change.commit().await?;
        Ok(decided)
    }

    pub(super) async fn confirm(&self, keys: &[i64]) {
        self.decide(&Decision::confirm(), keys).await.unwrap();
    }

    /// Writes the intent of a batch of these records; gives the batch and what was taken.
    pub(super) async fn intent(&self, batch: u8, keys: &[i64]) -> Result<(BatchId, Vec<ProposalId>), StoreError> {
        let batch = BatchId([batch; 16]);
        let mut planned = Vec::new();
        for key in keys {
            planned.push(planned_erasure(self.proposal(*key).await.id, *key));
        }
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await?;
        let taken = change.intent(self.run, batch, &source(), &planned).await?.taken;
        change.commit().await?;
        Ok((batch, taken))
    }

    pub(super) async fn proposal(&self, key: i64) -> Proposal {
        self.store.proposal(&record(key)).await.unwrap().unwrap()
    }

    /// Every entry of the trail.
    pub(super) async fn entries(&self) -> Vec<Entry> {
        self.store.audit_after(0, 1_000_000).await.unwrap()
    }

    /// The kinds of the entries after number `after`.
    pub(super) async fn kinds_after(&self, after: u64) -> Vec<String> {
        self.store.audit_after(after, 1_000_000).await.unwrap().into_iter().map(|entry| entry.kind).collect()
    }

    pub(super) async fn last_seq(&self) -> u64 {
        self.store.audit_head().await.unwrap().entries
    }
}

pub(super) fn vera() -> Actor {
    Actor::User { uid: 1000, name: "vera".into() }
}

pub(super) fn source() -> SourceName {
    "crm".parse().unwrap()
}

/// Keys below 1,000,000 are prospects, those above are members.
pub(super) fn record(key: i64) -> RecordRef {
    let category = if key < 1_000_000 { "prospect" } else { "member" };
    RecordRef { category: category.parse().unwrap(), key: RecordKey::from_text(&key.to_string()) }
}

pub(super) fn fingerprint(key_id: &str, of: i64) -> Fingerprint {
    let mut digest = [7; 32];
    digest[..8].copy_from_slice(&of.to_be_bytes());
    Fingerprint {
        key_id: FingerprintKeyId::from_stored(key_id),
        identity: IdentityVersion::from_stored("0011223344556677"),
        digest,
    }
}

pub(super) fn new_proposal(key: i64) -> NewProposal {
    NewProposal {
        record: record(key),
        source: source(),
        unit: (key % 2 == 0).then(|| "north".to_owned()),
        origin: Origin::Criterion {
            name: if key % 3 == 0 { "lapsed" } else { "inactive" }.into(),
            version: "v1".into(),
            due_on: (key % 3 != 0).then_some(date(2026, 1, 1)),
        },
        fingerprint: fingerprint("k1", key),
        is_confirmed: false,
    }
}

pub(super) fn planned_erasure(proposal: ProposalId, key: i64) -> PlannedErasure {
    let anonymised = key % 2 == 0;
    PlannedErasure {
        proposal,
        record: record(key),
        outcome: if anonymised { Outcome::Anonymised } else { Outcome::Deleted },
        dependents: DependentCounts { kept: u64::from(anonymised), deleted: 2, ..DependentCounts::default() },
        before: fingerprint("k1", key),
        after: anonymised.then(|| fingerprint("k2", -key)),
    }
}

pub(super) fn postpone(until: Date) -> Decision {
    Decision::Postpone { until, reason: Reason::new("Huber has a claim open").unwrap() }
}

pub(super) fn checkpoint_key() -> CheckpointKey {
    CheckpointKey::from_secret(&[4; 32])
}

/// Whatever the store's futures hold, a task may be moved between threads while it waits for them.
#[test]
fn futures_can_be_sent() {
    fn sent<T: Send>(_: T) {}
    fn check(store: &Store, change: &mut Change<'_>) {
        sent(store.turn());
        sent(store.list(&ProposalFilter::open(), ListOrder::default(), None, 1));
        sent(store.audit_after(0, 1));
        sent(change.propose(RunId(1), &[]));
        sent(change.return_to_clerk(RunId(1), &[]));
        sent(change.withdraw(RunId(1), &[]));
        sent(change.settle_committed(BatchId([0; 16])));
        sent(change.decide(&Actor::Daemon, "", &Decision::confirm(), &[], TODAY));
    }
    let _ = check;
}
