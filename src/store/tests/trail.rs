//! The trail: one entry for a change, none without one, and a chain that holds.

use proptest::prelude::*;

use super::*;
use crate::audit::{By, Kind, Report, verify};

pub(super) async fn verified(bench: &Bench) -> Report {
    let lines: Vec<_> = bench.entries().await.iter().map(Entry::to_line).collect();
    let notes = bench.store.checkpoints().await.unwrap();
    verify(&lines, &notes, &checkpoint_key().verifier(bench.store.installation()))
}

/// Runs a change once without and once with commit; asserts which kinds of entry it leaves.
macro_rules! leaves {
    ($bench:expr, $kinds:expr, $method:ident ( $($argument:expr),* )) => {{
        let before = $bench.store.audit_head().await.unwrap();
        let mut turn = $bench.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.$method($($argument),*).await.unwrap();
        drop(change);
        assert_eq!($bench.store.audit_head().await.unwrap(), before, "{} rolled back", stringify!($method));
        let mut change = turn.begin().await.unwrap();
        let given = change.$method($($argument),*).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let expected: &[&str] = &$kinds;
        assert_eq!($bench.kinds_after(before.entries).await, expected, "{}", stringify!($method));
        given
    }};
}

#[tokio::test]
async fn every_change_leaves_its_entry_and_none_when_rolled_back() {
    let bench = Bench::new().await;
    let (run, by, crm) = (bench.run, By::daemon(), source());
    let new: Vec<_> = (1..=6).map(new_proposal).collect();
    let targets =
        |keys: &[i64]| -> Vec<_> { keys.iter().map(|key| Target { record: record(*key), version: None }).collect() };
    leaves!(bench, ["proposed"], propose(run, &new));
    let mut id = Vec::new();
    for key in 1..=6 {
        id.push(bench.proposal(key).await.id);
    }
    leaves!(bench, ["confirmed"], decide(&vera(), "r", &Decision::confirm(), &targets(&[1, 2, 3, 4]), TODAY));
    leaves!(bench, ["postponed"], decide(&vera(), "r", &postpone(date(2026, 3, 16)), &targets(&[5]), TODAY));
    leaves!(bench, ["restored"], decide(&vera(), "r", &Decision::Restore, &targets(&[4]), TODAY));
    leaves!(bench, ["came_back"], tell_came_back(run, &[record(9)]));
    leaves!(bench, ["returned_to_proposed"], return_postponed(run, &[id[4]], date(2026, 3, 16)));
    let back = [(id[2], crate::proposal::ReturnReason::OtherRuleVersion, None)];
    leaves!(bench, ["returned"], return_to_clerk(run, &back));
    leaves!(bench, ["withdrawn"], withdraw(run, &[(id[5], crate::proposal::WithdrawReason::Gone)]));
    let batch = |number| BatchId([number; 16]);
    let plan = [planned_erasure(id[0], 1), planned_erasure(id[1], 2)];
    leaves!(bench, ["batch_intent"], intent(run, batch(1), &crm, &plan));
    leaves!(bench, ["batch_settled"], settle_rolled_back(batch(1)));
    leaves!(bench, ["batch_intent"], intent(run, batch(2), &crm, &plan[..1]));
    leaves!(bench, ["erased"], outcome(batch(2)));
    leaves!(bench, ["batch_intent"], intent(run, batch(3), &crm, &plan[1..]));
    leaves!(bench, ["batch_settled", "erased"], settle_committed(batch(3)));
    leaves!(bench, ["source_closed"], close_source(&by, &crm, "replaced"));
    leaves!(bench, ["source_opened"], reopen_source(&by, &crm, Some(batch(3))));
    leaves!(bench, ["refused"], refused(&By::request(vera(), "r"), "decide", "POST /v1/confirm"));
    leaves!(bench, ["daemon_started"], record(&by, &Kind::DaemonStarted { version: "0.1.0".into() }));
    leaves!(bench, ["run_finished"], finish_run(run, RunOutcome::Done, &RunReport::default(), None));
    let manual = RunTrigger::Manual { actor: vera(), request: None };
    let next = leaves!(bench, ["run_queued"], queue_run(JobKind::Erase, &manual, false));
    leaves!(bench, ["run_started"], start_run(next));
    leaves!(bench, [], run_progress(next, &RunReport::default()));
    leaves!(bench, [], count_from(JobKind::Prepare, Timestamp::UNIX_EPOCH));
    let slot = leaves!(bench, ["run_queued"], enqueue_slot(JobKind::Prepare, Timestamp::UNIX_EPOCH));
    leaves!(bench, ["run_started"], start_run(slot.unwrap()));
    leaves!(bench, ["run_finished", "run_finished"], stop_interrupted_runs("the daemon ended"));
    let note = leaves!(bench, ["checkpoint"], add_checkpoint(&by, &checkpoint_key()));
    assert_eq!(bench.store.checkpoints().await.unwrap(), [note]);
    let report = verified(&bench).await;
    assert_eq!((report.fault, report.unsigned_after), (None, 0));
    assert_eq!(report.verified_to, bench.last_seq().await);
}

#[tokio::test]
async fn refusals_of_a_peer_within_a_minute_are_one_entry() {
    let bench = Bench::new().await;
    let refuse = |actor: Actor| {
        let bench = &bench;
        async move {
            let mut turn = bench.store.turn().await;
            let mut change = turn.begin().await.unwrap();
            let told = change.refused(&By::request(actor, "r"), "audit", "GET /v1/audit").await.unwrap();
            change.commit().await.unwrap();
            told
        }
    };
    let otto = Actor::User { uid: 7, name: "otto".into() };
    assert!(refuse(vera()).await);
    assert!(!refuse(vera()).await);
    assert!(refuse(otto).await);
    bench.clock.advance(jiff::SignedDuration::from_secs(59));
    assert!(!refuse(vera()).await);
    bench.clock.advance(jiff::SignedDuration::from_secs(1));
    assert!(refuse(vera()).await);
    // A clock that went back must not silence anybody.
    bench.clock.advance(jiff::SignedDuration::from_hours(-5));
    assert!(refuse(vera()).await);
}

#[tokio::test]
async fn entries_are_listed_the_latest_first() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    bench.propose([2]).await;
    let filter = AuditFilter { kind: Some("proposed".into()), run: Some(bench.run.0), record: None };
    let page = bench.store.audit_list(&filter, None, 1).await.unwrap();
    assert_eq!((page.items[0].seq, page.total, page.next), (5, 2, Some(5)));
    let page = bench.store.audit_list(&filter, page.next, 1).await.unwrap();
    assert_eq!((page.items[0].seq, page.next), (4, None));
    assert_eq!(bench.store.audit_list(&AuditFilter::default(), None, 9).await.unwrap().total, 5);
}

#[tokio::test]
async fn entries_about_a_record_are_found_alone_and_among_others() {
    let bench = Bench::new().await;
    bench.propose([1, 2, 11]).await;
    bench.confirm(&[1, 2]).await;
    bench.decide(&postpone(date(2026, 4, 1)), &[11]).await.unwrap();
    let (batch, _) = bench.intent(1, &[1]).await.unwrap();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.outcome(batch).await.unwrap();
    change.commit().await.unwrap();
    let about = |key, run| {
        let filter = AuditFilter { kind: None, run, record: Some(record(key)) };
        let store = &bench.store;
        async move {
            let page = store.audit_list(&filter, None, 9).await.unwrap();
            assert_eq!(page.total, page.items.len() as u64);
            page.items.into_iter().map(|entry| entry.kind).collect::<Vec<_>>()
        }
    };
    assert_eq!(about(1, None).await, ["erased", "batch_intent", "confirmed", "proposed"]);
    assert_eq!(about(2, None).await, ["confirmed", "proposed"]);
    assert_eq!(about(11, None).await, ["postponed", "proposed"]);
    assert_eq!(about(11, Some(bench.run.0)).await, ["proposed"]);
    assert!(about(3, None).await.is_empty());
}

#[tokio::test]
async fn turns_are_taken_one_after_the_other() {
    let bench = Bench::new().await;
    let store = Arc::new(bench.store);
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for _ in 0..5 {
                    let mut turn = store.turn().await;
                    let mut change = turn.begin().await.unwrap();
                    let kind = Kind::DaemonStopped { why: format!("task {number}") };
                    change.record(&By::daemon(), &kind).await.unwrap();
                    change.commit().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.audit_head().await.unwrap().entries, 3 + 40);
    let path = bench.dir.path().join("state.db");
    assert!(Store::open(&path, bench.clock).await.is_ok());
}

/// One thing that may be tried at any time, whether or not it is allowed then.
#[derive(Debug, Clone)]
pub(super) enum Attempt {
    Propose(Vec<i64>),
    Confirm(Vec<i64>),
    Postpone(Vec<i64>),
    Restore(Vec<i64>),
    EndPostponements(Vec<i64>),
    Withdraw(Vec<i64>),
    SendBack(Vec<i64>),
    Intent(Vec<i64>),
    Outcome,
    RollBack,
    SettleCommitted,
    Checkpoint,
    Abandon,
}

impl Attempt {
    fn keys(&self) -> &[i64] {
        match self {
            Self::Propose(keys)
            | Self::Confirm(keys)
            | Self::Postpone(keys)
            | Self::Restore(keys)
            | Self::EndPostponements(keys)
            | Self::Withdraw(keys)
            | Self::SendBack(keys)
            | Self::Intent(keys) => keys,
            Self::Outcome | Self::RollBack | Self::SettleCommitted | Self::Checkpoint | Self::Abandon => &[],
        }
    }
}

pub(super) fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let keys = || proptest::collection::vec(1..8_i64, 1..5);
    let one = prop_oneof![
        2 => keys().prop_map(Attempt::Propose),
        3 => keys().prop_map(Attempt::Confirm),
        1 => keys().prop_map(Attempt::Postpone),
        1 => keys().prop_map(Attempt::Restore),
        1 => keys().prop_map(Attempt::EndPostponements),
        1 => keys().prop_map(Attempt::Withdraw),
        1 => keys().prop_map(Attempt::SendBack),
        2 => keys().prop_map(Attempt::Intent),
        2 => Just(Attempt::Outcome),
        1 => Just(Attempt::RollBack),
        1 => Just(Attempt::SettleCommitted),
        1 => Just(Attempt::Checkpoint),
        1 => Just(Attempt::Abandon),
    ];
    proptest::collection::vec(one, 1..25)
}

/// Whether it was done; what is refused must be refused for a reason of the rules, not of the database.
fn allowed<T>(done: Result<T, impl Into<DecisionError>>) -> bool {
    match done.map_err(Into::into) {
        Ok(_) => true,
        Err(
            DecisionError::Refused(_)
            | DecisionError::Store(StoreError::BatchNotOpen(_) | StoreError::BatchOpen { .. }),
        ) => false,
        Err(error) => panic!("{error:?}"),
    }
}

pub(super) async fn attempt(bench: &Bench, attempt: &Attempt, number: usize) {
    let known = known(bench, attempt.keys()).await;
    let open = bench.store.open_batches().await.unwrap().first().map_or(BatchId([255; 16]), |open| open.id);
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let done = match attempt {
        Attempt::Outcome => allowed(change.outcome(open).await),
        Attempt::RollBack => allowed(change.settle_rolled_back(open).await),
        Attempt::SettleCommitted => allowed(change.settle_committed(open).await),
        Attempt::Checkpoint => allowed(change.add_checkpoint(&By::run(bench.run.0), &checkpoint_key()).await),
        Attempt::Abandon => {
            change.propose(bench.run, &[new_proposal(9)]).await.unwrap();
            false
        }
        Attempt::Intent(_) => {
            let planned: Vec<_> = known.iter().map(|(key, id)| planned_erasure(*id, *key)).collect();
            let batch = BatchId([u8::try_from(number).unwrap(); 16]);
            allowed(change.intent(bench.run, batch, &source(), &planned).await)
        }
        of_proposals => attempt_moves(&mut change, bench.run, of_proposals, &known).await,
    };
    if done {
        change.commit().await.unwrap();
    }
}

async fn attempt_moves(change: &mut Change<'_>, run: RunId, attempt: &Attempt, known: &[(i64, ProposalId)]) -> bool {
    use crate::proposal::{ReturnReason, WithdrawReason};
    let keys = attempt.keys();
    let ids: Vec<_> = known.iter().map(|(_, id)| *id).collect();
    let decision = match attempt {
        Attempt::Confirm(_) => Decision::confirm(),
        Attempt::Restore(_) => Decision::Restore,
        Attempt::Postpone(_) => postpone(date(2026, 3, 16)),
        Attempt::EndPostponements(_) => {
            return allowed(change.return_postponed(run, &ids, date(2026, 3, 16)).await);
        }
        Attempt::Withdraw(_) => {
            let gone: Vec<_> = ids.iter().map(|id| (*id, WithdrawReason::Gone)).collect();
            return allowed(change.withdraw(run, &gone).await);
        }
        Attempt::SendBack(_) => {
            let back: Vec<_> = ids.iter().map(|id| (*id, ReturnReason::OtherCriterion, None)).collect();
            return allowed(change.return_to_clerk(run, &back).await);
        }
        _ => {
            let new: Vec<_> = keys.iter().map(|key| new_proposal(*key)).collect();
            return allowed(change.propose(run, &new).await);
        }
    };
    let targets: Vec<_> = keys.iter().map(|key| Target { record: record(*key), version: None }).collect();
    allowed(change.decide(&vera(), "r", &decision, &targets, TODAY).await)
}

/// Those of the keys that have a proposal, each once.
async fn known(bench: &Bench, keys: &[i64]) -> Vec<(i64, ProposalId)> {
    let mut known = Vec::new();
    for key in keys {
        if let Some(proposal) = bench.store.proposal(&record(*key)).await.unwrap() {
            known.push((*key, proposal.id));
        }
    }
    known.sort_unstable();
    known.dedup();
    known
}

/// Keys that an entry names.
fn keys_in(details: &str) -> usize {
    let details: serde_json::Value = serde_json::from_str(details).unwrap();
    let groups = details["records"].as_array().unwrap();
    groups.iter().map(|group| group["keys"].as_array().unwrap().len()).sum()
}

/// What must be so after anything.
async fn check(bench: &Bench) {
    let report = verified(bench).await;
    assert_eq!(report.fault, None);
    let told = bench.entries().await.into_iter().filter(|entry| entry.kind == "erased");
    let erased: usize = told.map(|entry| keys_in(&entry.details)).sum();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let counted: (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM proposal WHERE state = 'erased'), (SELECT count(*) FROM ledger)")
            .fetch_one(&mut *change.transaction)
            .await
            .unwrap();
    assert_eq!(counted, (erased as i64, erased as i64), "one entry, one erased proposal, one line in the ledger");
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *change.transaction).await.unwrap();
    assert!(broken.is_empty());
    drop(change);
    drop(turn);
    assert!(Store::open(&bench.path(), bench.clock.clone()).await.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_trail_holds_and_tells_of_everything_whatever_is_tried(attempts in attempts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new().await;
            for (number, one) in attempts.iter().enumerate() {
                attempt(&bench, one, number).await;
            }
            check(&bench).await;
        });
    }
}

/// What the database writes is what an entry writes, whatever people are called and ask for.
#[tokio::test]
async fn lines_are_exported_as_entries_write_them() {
    let bench = Bench::new().await;
    // Whatever a text of SQLite's can hold: all but NUL.
    let odd = "a \"b\" \\ / ä € 😀 \u{1}\u{8}\u{9}\u{a}\u{b}\u{c}\u{d}\u{1f}\u{7f}'".to_owned();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let user = Actor::User { uid: u32::MAX, name: odd.clone() };
    let why = Kind::DaemonStopped { why: odd.clone() };
    change.append(&By::request(user, &odd), &why).await.unwrap();
    change.append(&By::run(i64::MAX), &why).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    for page in 0..20 {
        bench.propose(page * 1_000..(page + 1) * 1_000).await;
    }
    let entries = bench.entries().await;
    for limit in [1, 2, 1_000] {
        let (mut lines, mut after) = (String::new(), 0);
        while let Some((page, last)) = bench.store.audit_lines(after, limit).await.unwrap() {
            assert!(page.len() < 100_000, "entries may be long, and a page is not: {}", page.len());
            lines.push_str(&page);
            after = last;
        }
        let written: Vec<_> = entries.iter().map(Entry::to_line).collect();
        assert_eq!(lines.split_terminator('\n').collect::<Vec<_>>(), written);
    }
}
