//! Pruning: what is older than keys may be kept goes up to a checkpoint, and what stands stays whole.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::*;
use crate::actor::Scope;
use crate::audit::{By, Counts, Kind, Report, verify};
use crate::clock::Clock as _;
use crate::proposal::{StateName, WithdrawReason};

/// A word that somebody types, to be found in no byte once it is gone.
const TYPED: &str = "zeisig";

fn years(number: i64) -> SignedDuration {
    SignedDuration::from_hours(number * 366 * 24)
}

async fn lines(store: &Store) -> Vec<String> {
    let (mut lines, mut after) = (Vec::new(), 0);
    while let Some((page, last)) = store.audit_lines(after, 7).await.unwrap() {
        lines.extend(page.lines().map(str::to_owned));
        after = last;
    }
    lines
}

async fn verified(store: &Store) -> Report {
    let notes = store.checkpoints().await.unwrap();
    verify(lines(store).await, &notes, &checkpoint_key().verifier(store.installation()))
}

async fn sign(bench: &Bench) -> u64 {
    sign_with(bench, &checkpoint_key()).await
}

async fn sign_with(bench: &Bench, key: &CheckpointKey) -> u64 {
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.add_checkpoint(&By::daemon(), key).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    bench.last_seq().await
}

async fn cut(bench: &Bench) -> Option<Cut> {
    cut_with(bench, &checkpoint_key()).await
}

async fn cut_with(bench: &Bench, key: &CheckpointKey) -> Option<Cut> {
    let before = bench.clock.now().checked_sub(years(10)).unwrap();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let cut = change.cut_trail(&By::run(bench.run.0), before, key).await.unwrap();
    change.commit().await.unwrap();
    cut
}

async fn refused(bench: &Bench, sql: &'static str) -> String {
    let mut turn = bench.store.turn().await;
    let change = turn.begin().await.unwrap();
    let mut transaction = change.transaction;
    sqlx::query(sql).execute(&mut *transaction).await.unwrap_err().to_string()
}

async fn number(bench: &Bench, sql: &'static str) -> i64 {
    let mut connection = bench.store.readers.acquire().await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap()
}

fn why(word: &str) -> Reason {
    Reason::new(word).unwrap()
}

/// A state with something of everything, all of it old: 1 and 2 are erased, 3 is withdrawn after it was postponed, 4 is
/// postponed, 5 is held, 6 was, somebody may see a unit and somebody no longer. Gives the entry signed over all of it.
async fn old(bench: &Bench) -> u64 {
    bench.propose(1..=8).await;
    bench.confirm(&[1, 2]).await;
    bench.decide(&Decision::Postpone { until: date(2040, 1, 1), reason: why(TYPED) }, &[3]).await.unwrap();
    bench.decide(&Decision::Postpone { until: date(2099, 1, 1), reason: why("until then") }, &[4]).await.unwrap();
    let (batch, _) = bench.intent(1, &[1, 2]).await.unwrap();
    let ids = [(bench.proposal(3).await.id, WithdrawReason::Gone)];
    let by = By::request(vera(), "r");
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.outcome(batch).await.unwrap();
    change.withdraw(bench.run, &ids).await.unwrap();
    for key in [5, 6] {
        let new = NewHold { record: record(key), unit: None, fingerprint: fingerprint("k1", key) };
        change.hold(&by, &new, &why("in court"), "3 Cg 17/26").await.unwrap();
    }
    change.give_access(&by, "nora", &AccessWhat::Unit("graz".into()), None).await.unwrap();
    change.give_access(&by, "nora", &AccessWhat::Unit("linz".into()), None).await.unwrap();
    change.finish_run(bench.run, RunOutcome::Done, &RunReport::default(), None).await.unwrap();
    change.commit().await.unwrap();
    let holds = bench.store.holds_on([&record(6)]).await.unwrap();
    let access = bench.store.access(Some("nora"), &BTreeSet::new(), None, 9).await.unwrap().items;
    let mut change = turn.begin().await.unwrap();
    change.release(&by, &holds[&record(6)][0], Some(&why(TYPED))).await.unwrap();
    change.end_access(&by, access.first().unwrap()).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    sign(bench).await
}

/// The same, ten years and more later: 7 is confirmed then, and 8 was withdrawn just before.
async fn bench_of_long_ago() -> (Bench, u64) {
    let mut bench = Bench::new().await;
    let signed = old(&bench).await;
    bench.clock.advance(years(11));
    bench.run = bench.running(JobKind::Prepare).await;
    let ids = [(bench.proposal(8).await.id, WithdrawReason::Gone)];
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.withdraw(bench.run, &ids).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    bench.confirm(&[7]).await;
    sign(&bench).await;
    (bench, signed)
}

fn holds_word(bench: &Bench) -> bool {
    ["state.db", "state.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(bench.dir.path().join(name)).unwrap_or_default();
        bytes.windows(TYPED.len()).any(|window| window == TYPED.as_bytes())
    })
}

#[tokio::test]
async fn what_is_old_goes_and_what_stands_stays_whole() {
    let (bench, signed) = bench_of_long_ago().await;
    assert!(holds_word(&bench), "it would be found if it were there");
    let cut = cut(&bench).await.unwrap();
    assert_eq!((cut.first, cut.entries), (signed, signed - 1));
    let counts = "access 1, batches 1, erasures 2, holds 1, proposals 3, runs 1";
    assert_eq!(cut.counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", "), counts);
    assert!(bench.store.sweep(&|| false).await.unwrap());
    assert!(!holds_word(&bench), "a text that was typed is gone, and its bytes");
    let report = verified(&bench.store).await;
    assert_eq!((report.fault, report.pruned), (None, signed - 1));
    // Of the records only what is open is known.
    for key in [1, 2, 3] {
        assert_eq!(bench.store.proposal(&record(key)).await.unwrap(), None);
    }
    assert!(bench.store.ledger(&record(1).category, &[record(1).key, record(2).key]).await.unwrap().is_empty());
    let history = bench.store.history(bench.proposal(4).await.id).await.unwrap();
    assert_eq!((history.len(), &history[0].actor), (1, &vera()));
    let told = EventKind::Postponed {
        until: date(2099, 1, 1),
        reason: GivenReason { standard: None, text: Some("until then".into()) },
    };
    assert_eq!(history[0].what, told);
    let held = bench.store.holds(&Scope::everything(), None, 9).await.unwrap().items;
    assert_eq!((held.len(), &held[0].set_by, held[0].reference.as_deref()), (1, &vera(), Some("3 Cg 17/26")));
    assert_eq!(held[0].reason.text.as_deref(), Some("in court"));
    let access = bench.store.access(None, &BTreeSet::new(), None, 9).await.unwrap().items;
    assert_eq!((access.len(), &access[0].by), (1, &vera()));
    assert_eq!(bench.proposal(8).await.life.state().name(), StateName::Withdrawn, "withdrawn not long ago");
    assert_eq!(number(&bench, "SELECT count(*) FROM audit_text").await, 3, "the hold's two, and the postponement's");
    assert_eq!(number(&bench, "SELECT count(*) FROM run").await, 1);
    assert_eq!(number(&bench, "SELECT count(*) FROM pragma_foreign_key_check").await, 0);
    let listed = bench.store.audit_list(&AuditFilter::default(), None, 99).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    assert_eq!(listed.items.last().unwrap().seq, signed);
    assert!(Store::open(&bench.path(), bench.clock.clone()).await.unwrap().check_whole(|| false).await.unwrap());
}

/// A counter begins at nothing with each start, and pruning neither lowers it nor hides from it what comes later.
#[tokio::test]
async fn erasures_are_counted_on_across_a_start_and_a_prune() {
    let counted = |so_far: &ErasedSoFar| so_far.counts.values().sum::<u64>();
    let (bench, _) = bench_of_long_ago().await;
    let mut first = ErasedSoFar::since(bench.clock.now().checked_sub(years(20)).unwrap());
    bench.store.count_erased(&mut first).await.unwrap();
    let mut second = ErasedSoFar::since(bench.clock.now());
    bench.store.count_erased(&mut second).await.unwrap();
    assert_eq!((counted(&first), counted(&second)), (2, 0), "what was there at the start is not counted");
    cut(&bench).await.unwrap();
    assert!(bench.store.sweep(&|| false).await.unwrap());
    assert_eq!(number(&bench, "SELECT count(*) FROM ledger").await, 0);
    // A row that takes the number of one that is gone.
    let (batch, _) = bench.intent(2, &[7]).await.unwrap();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.outcome(batch).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    assert_eq!(number(&bench, "SELECT max(id) FROM ledger").await, 1);
    for so_far in [&mut first, &mut second] {
        for _ in 0..2 {
            bench.store.count_erased(so_far).await.unwrap();
        }
    }
    assert_eq!((counted(&first), counted(&second)), (3, 1));
}

#[tokio::test]
async fn whoever_trusts_a_key_that_was_exchanged_before_the_cut_can_verify_what_is_left() {
    let mut bench = Bench::new().await;
    let [second, third] = [[2; 32], [3; 32]].map(|secret| CheckpointKey::from_secret(&secret));
    sign(&bench).await;
    for (from, to) in [(&checkpoint_key(), &second), (&second, &third)] {
        let mut turn = bench.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.hand_over_checkpoints(&By::daemon(), from, to).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        sign_with(&bench, to).await;
    }
    bench.propose([1]).await;
    let signed = sign_with(&bench, &third).await;
    bench.clock.advance(years(11));
    bench.run = bench.running(JobKind::Erase).await;
    let cut = cut_with(&bench, &third).await.unwrap();
    assert_eq!((cut.first, cut.counts["checkpoints"]), (signed, 3), "two that hand over are not among them");
    assert!(bench.store.sweep(&|| false).await.unwrap());
    let (lines, notes) = (lines(&bench.store).await, bench.store.checkpoints().await.unwrap());
    for key in [&checkpoint_key(), &second, &third] {
        let report = verify(&lines, &notes, &key.verifier(bench.store.installation()));
        assert_eq!((report.fault, report.pruned, report.unsigned_after), (None, signed - 1, 0));
    }
    // Nobody is told of the entries that stay with them.
    let listed = bench.store.audit_list(&AuditFilter::default(), None, 99).await.unwrap();
    assert_eq!((listed.total, listed.items.len()), (lines.len() as u64, lines.len()));
    assert_eq!(listed.items.last().unwrap().seq, signed);
    assert_eq!(number(&bench, "SELECT count(*) FROM pragma_foreign_key_check").await, 0);
    assert!(Store::open(&bench.path(), bench.clock.clone()).await.unwrap().check_whole(|| false).await.unwrap());
}

#[tokio::test]
async fn a_sweep_that_is_cut_short_is_seen_by_nobody_and_goes_on() {
    let (bench, signed) = bench_of_long_ago().await;
    cut(&bench).await.unwrap();
    for _ in 0..5 {
        assert!(!bench.store.sweep(&|| true).await.unwrap(), "one step, and there is more");
        let report = verified(&bench.store).await;
        assert_eq!((report.fault, report.pruned), (None, signed - 1));
        let about = AuditFilter { kind: None, run: None, record: Some(record(1)) };
        assert_eq!(bench.store.audit_list(&about, None, 9).await.unwrap().total, 0);
        assert!(Store::open(&bench.path(), bench.clock.clone()).await.is_ok());
    }
    assert!(bench.store.sweep(&|| false).await.unwrap());
    assert_eq!(number(&bench, "SELECT min(seq) FROM audit").await, signed.cast_signed());
    assert_eq!(number(&bench, "SELECT count(*) FROM checkpoint WHERE entries < (SELECT entries FROM cut)").await, 0);
}

#[tokio::test]
async fn nothing_is_cut_before_its_time_nor_twice_in_a_week() {
    let mut bench = Bench::new().await;
    let signed = old(&bench).await;
    assert_eq!(cut(&bench).await, None);
    bench.clock.advance(years(11));
    assert_eq!(cut(&bench).await, None, "where nothing is younger nothing is cut");
    bench.clock.advance(years(-30));
    bench.run = bench.running(JobKind::Prepare).await;
    let wrong = sign(&bench).await;
    bench.clock.advance(years(25));
    bench.running(JobKind::Erase).await;
    sign(&bench).await;
    assert_eq!(cut(&bench).await, None, "a clock that was wrong for a while makes nothing old");
    bench.clock.advance(years(5));
    assert_eq!(cut(&bench).await.map(|cut| cut.first), Some(wrong));
    // What was signed a day later is not worth another look at everything.
    bench.clock.advance(years(6));
    let later = bench.clock.now();
    for _ in 0..2 {
        sign(&bench).await;
        bench.clock.advance(SignedDuration::from_hours(24));
    }
    bench.clock.set(later.checked_add(years(10)).unwrap());
    let first = cut(&bench).await.unwrap().first;
    bench.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(cut(&bench).await, None);
    assert_eq!(bench.store.pruned_entries().await.unwrap() + 1, first);
    assert!(signed < wrong && wrong < first);
}

#[tokio::test]
async fn the_trail_alone_opens_the_way_to_pruning() {
    let (bench, signed) = bench_of_long_ago().await;
    let cut_there = "INSERT INTO cut SELECT 1, entries, at, 0 FROM checkpoint ORDER BY entries LIMIT 1";
    assert!(refused(&bench, cut_there).await.contains("does not tell that it is pruned"));
    assert!(refused(&bench, "DELETE FROM audit WHERE seq = 1").await.contains("never removed"));
    cut(&bench).await.unwrap();
    let told = "DELETE FROM audit WHERE seq = (SELECT entries FROM cut)";
    assert!(refused(&bench, told).await.contains("never removed"), "entry {signed} stays");
    assert!(refused(&bench, "UPDATE cut SET entries = entries - 1").await.contains("does not tell"));
    assert!(
        refused(&bench, "UPDATE cut SET entries = (SELECT max(entries) FROM checkpoint)").await.contains("does not")
    );
    assert!(refused(&bench, "DELETE FROM cut").await.contains("stays pruned"));
    assert!(refused(&bench, "UPDATE audit SET kind = 'x' WHERE seq = 1").await.contains("never changed"));
}

#[tokio::test]
async fn a_beginning_that_is_gone_without_a_cut_is_found_at_the_start() {
    let (bench, _) = bench_of_long_ago().await;
    let path = bench.path();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    for sql in ["DROP TRIGGER audit_is_not_removed", "DELETE FROM audit WHERE seq < 4"] {
        sqlx::query(sql).execute(&mut *change.transaction).await.unwrap();
    }
    change.commit().await.unwrap();
    drop(turn);
    let refused = Store::open(&path, bench.clock.clone()).await.unwrap_err();
    assert!(matches!(refused, StoreError::BrokenChain { seq: 1, .. }), "{refused}");
}

#[tokio::test]
async fn a_cut_that_nobody_has_signed_is_found_at_the_start() {
    let (bench, signed) = bench_of_long_ago().await;
    let path = bench.path();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    // Chained as it should be: whoever can write the state can do that, and cannot sign.
    let told = Kind::Pruned { first: signed, entries: signed - 1, counts: Counts::new() };
    change.append(&By::daemon(), &told).await.unwrap();
    let sql = "INSERT INTO cut SELECT 1, entries, at, 1 FROM checkpoint WHERE entries = ?1";
    sqlx::query(sql).bind(signed.cast_signed()).execute(&mut *change.transaction).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let refused = Store::open(&path, bench.clock.clone()).await.unwrap_err();
    assert!(matches!(&refused, StoreError::BrokenChain { seq, .. } if *seq == signed), "{refused}");
    assert!(refused.to_string().contains("no entry that was signed tells"), "{refused}");
}

#[tokio::test]
async fn whoever_reads_while_it_is_pruned_is_told() {
    let (bench, signed) = bench_of_long_ago().await;
    let (_, last) = bench.store.audit_lines(0, 3).await.unwrap().unwrap();
    cut(&bench).await.unwrap();
    let refused = bench.store.audit_lines(last, 3).await.unwrap_err();
    assert!(matches!(refused, StoreError::PrunedMeanwhile { first } if first == signed), "{refused}");
}
