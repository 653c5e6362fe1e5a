//! Whether the clock is believed.

use jiff::SignedDuration;

use super::*;
use crate::audit::{By, Kind};
use crate::clock::Clock as _;

/// A state that was written at this bench's time, opened again when the clock shows so much more or less.
async fn after(shift: SignedDuration) -> (tempfile::TempDir, Arc<SetClock>, Store) {
    let bench = Bench::new().await;
    let path = bench.path();
    bench.store.close().await;
    let clock = Arc::new(SetClock::new(bench.clock.now().checked_add(shift).unwrap()));
    let store = Store::open(&path, clock.clone()).await.unwrap();
    (bench.dir, clock, store)
}

async fn write(store: &Store) {
    let mut turn = store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.record(&By::daemon(), &Kind::DaemonStopped { why: "test".into() }).await.unwrap();
    change.commit().await.unwrap();
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[tokio::test]
async fn a_daemon_that_was_off_believes_the_clock_and_one_whose_clock_went_back_does_not() {
    for (shift, is_believed) in [
        (SignedDuration::from_mins(-4), true),
        (SignedDuration::ZERO, true),
        (DAY * 200, true),
        (-DAY, false),
        (SignedDuration::from_mins(-6), false),
        (DAY * 400, false),
    ] {
        let (_dir, _, store) = after(shift).await;
        assert_eq!(store.clock_doubt().is_none(), is_believed, "{shift:#}: {:?}", store.clock_doubt());
        // Whatever is written meanwhile makes it no more credible.
        write(&store).await;
        assert_eq!(store.clock_doubt().is_none(), is_believed, "{shift:#}");
    }
}

#[tokio::test]
async fn a_clock_is_believed_again_when_it_is_right_again() {
    let (dir, clock, store) = after(-DAY).await;
    assert!(matches!(store.clock_doubt(), Some(ClockDoubt::Back { .. })));
    write(&store).await;
    store.close().await;
    // That it was written to meanwhile is no proof.
    let store = Store::open(&dir.path().join("state.db"), clock.clone()).await.unwrap();
    assert!(store.clock_doubt().is_some());
    clock.advance(DAY);
    assert_eq!(store.clock_doubt(), None);
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_is_told_from_time_that_passes() {
    let (_dir, clock, store) = after(SignedDuration::ZERO).await;
    write(&store).await;
    clock.advance(DAY * 30);
    assert_eq!(store.clock_doubt(), None, "a month has passed");
    write(&store).await;
    let right = clock.now();
    clock.set(right.checked_add(DAY * 2).unwrap());
    assert!(matches!(store.clock_doubt(), Some(ClockDoubt::Ahead { .. })));
    write(&store).await;
    clock.set(right);
    assert_eq!(store.clock_doubt(), None, "what was written meanwhile does not make it seem to go back");
}

/// The state is opened again.
async fn again(dir: &tempfile::TempDir, store: Store, clock: Arc<SetClock>) -> Store {
    store.close().await;
    Store::open(&dir.path().join("state.db"), clock).await.unwrap()
}

#[tokio::test]
async fn starting_again_makes_no_clock_believed_that_was_not() {
    let (dir, clock, store) = after(SignedDuration::ZERO).await;
    clock.advance(DAY);
    write(&store).await;
    let right = clock.now();
    clock.set(right.checked_add(DAY * 30).unwrap());
    // Nothing is written: the daemon was killed before it has seen it.
    let store = again(&dir, store, clock.clone()).await;
    assert_eq!(store.clock_doubt(), Some(ClockDoubt::Ahead { now: clock.now(), expected: right }));
    store.note_clock_doubt().await.unwrap();
    clock.advance(DAY);
    store.note_clock_doubt().await.unwrap();
    // The machine is started anew: nobody knows how much time has passed meanwhile.
    let anew = Arc::new(SetClock::new(clock.now()));
    let store = again(&dir, store, anew.clone()).await;
    assert!(matches!(store.clock_doubt(), Some(ClockDoubt::Ahead { .. })));
    write(&store).await;
    let store = again(&dir, store, anew.clone()).await;
    assert!(matches!(store.clock_doubt(), Some(ClockDoubt::Ahead { .. })), "what was written made it no more credible");
    // And now with the clock right.
    let anew = Arc::new(SetClock::new(right.checked_add(DAY * 2).unwrap()));
    let store = again(&dir, store, anew.clone()).await;
    assert_eq!(store.clock_doubt(), None);
    write(&store).await;
    anew.advance(DAY * 40);
    assert_eq!(store.clock_doubt(), None, "that it was ahead once is forgotten");
}

#[tokio::test]
async fn a_clock_that_is_put_right_after_a_start_is_not_taken_for_one_that_was_set_ahead() {
    let (_dir, clock, store) = after(-DAY * 10).await;
    assert!(matches!(store.clock_doubt(), Some(ClockDoubt::Back { .. })));
    clock.set(clock.now().checked_add(DAY * 13).unwrap());
    assert_eq!(store.clock_doubt(), None, "the daemon was off for three days");
    clock.set(clock.now().checked_add(DAY * 2).unwrap());
    assert!(matches!(store.clock_doubt(), Some(ClockDoubt::Ahead { .. })));
}

/// What is confirmed while the clock is ahead would wait until then.
#[tokio::test]
async fn what_was_confirmed_by_a_clock_that_was_ahead_counts_from_when_it_is_believed_again() {
    let bench = Bench::new().await;
    bench.propose(1..=2).await;
    let right = bench.clock.now();
    bench.clock.set(right.checked_add(DAY * 30).unwrap());
    bench.confirm(&[1]).await;
    bench.clock.set(right);
    bench.clock.advance(SignedDuration::from_secs(1));
    bench.confirm(&[2]).await;
    for id in [1, 2] {
        assert_eq!(bench.proposal(id).await.confirmed_at, Some(bench.clock.now()), "{id}");
    }
}

/// An operator who sets the clock back because it was ahead, and says that it is right, says so of confirmations too.
#[tokio::test]
async fn what_was_confirmed_before_an_operator_takes_the_clocks_word_is_not_confirmed_later() {
    let bench = Bench::new().await;
    bench.propose(1..=1).await;
    bench.clock.advance(DAY * 30);
    bench.confirm(&[1]).await;
    bench.clock.advance(-DAY * 30);
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    assert!(change.accept_clock(&By::daemon()).await.unwrap().is_some());
    change.commit().await.unwrap();
    drop(turn);
    assert_eq!(bench.proposal(1).await.confirmed_at, Some(bench.clock.now()));
}

/// What a change takes with it is what the clock shows when it is judged, not what it showed when the change began.
#[tokio::test]
async fn a_clock_that_is_set_in_the_middle_of_a_change_is_noted_as_it_was_judged() {
    let (dir, clock, store) = after(SignedDuration::ZERO).await;
    let right = clock.now();
    let ahead = right.checked_add(DAY * 30).unwrap();
    for (began, committed) in [(ahead, right), (right, ahead)] {
        clock.set(began);
        let mut turn = store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.record(&By::daemon(), &Kind::DaemonStopped { why: "test".into() }).await.unwrap();
        clock.set(committed);
        change.commit().await.unwrap();
        drop(turn);
        clock.set(right);
        assert_eq!(store.clock_doubt(), None, "the clock is right");
    }
    // The machine is started anew, with its clock right.
    let anew = Arc::new(SetClock::new(right.checked_add(DAY).unwrap()));
    let store = again(&dir, store, anew).await;
    assert_eq!(store.clock_doubt(), None, "it was seen further ahead");
}

#[tokio::test]
async fn an_operator_can_take_the_clocks_word() {
    for shift in [-DAY * 1_000, DAY * 1_000] {
        let (dir, clock, store) = after(shift).await;
        let mut turn = store.turn().await;
        let mut change = turn.begin().await.unwrap();
        assert!(change.accept_clock(&By::daemon()).await.unwrap().is_some());
        change.commit().await.unwrap();
        drop(turn);
        store.close().await;
        let store = Store::open(&dir.path().join("state.db"), clock).await.unwrap();
        assert_eq!(store.clock_doubt(), None);
        let last = store.audit_after(0, 1_000).await.unwrap().pop().unwrap();
        assert_eq!(last.kind, "clock_accepted");
    }
}

/// What has to pass behind a confirmation counts from no earlier than what is on record.
#[tokio::test]
async fn a_clock_that_went_back_makes_no_confirmation_old() {
    let bench = Bench::new().await;
    bench.propose(1..=1).await;
    let newest = bench.clock.now();
    bench.clock.advance(-DAY);
    bench.confirm(&[1]).await;
    assert_eq!(bench.proposal(1).await.confirmed_at, Some(newest));
}
