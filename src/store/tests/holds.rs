//! Legal holds in the state.

use super::*;
use crate::actor::{Reach, Scope};
use crate::audit::By;

impl Bench {
    async fn hold(&self, key: i64) -> Hold {
        let unit = (key % 2 == 0).then(|| "north".to_owned());
        let new = NewHold { record: record(key), unit, fingerprint: fingerprint("k1", key) };
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let reason = Reason::new("Huber has gone to court").unwrap();
        let id = change.hold(&By::request(vera(), "r-1"), &new, &reason, "3 Cg 17/26").await.unwrap();
        change.commit().await.unwrap();
        let mut held = self.store.holds_on([&record(key)]).await.unwrap().remove(&record(key)).unwrap();
        held.retain(|hold| hold.id == id);
        held.remove(0)
    }

    async fn release(&self, hold: &Hold) {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.release(&By::request(vera(), "r-2"), hold, None).await.unwrap();
        change.commit().await.unwrap();
    }

    async fn are_held(&self, keys: &[i64]) -> Vec<i64> {
        let records: Vec<_> = keys.iter().map(|key| record(*key)).collect();
        let held = self.store.held_among(&records.iter().collect::<Vec<_>>()).await.unwrap();
        keys.iter().copied().filter(|key| held.contains(&record(*key))).collect()
    }
}

#[tokio::test]
async fn an_intent_leaves_out_what_is_held() {
    let bench = Bench::new().await;
    bench.propose(1..=3).await;
    bench.confirm(&[1, 2, 3]).await;
    let hold = bench.hold(2).await;
    assert_eq!((hold.set_by.clone(), hold.reference.as_deref()), (vera(), Some("3 Cg 17/26")));
    assert_eq!(bench.intent(1, &[1, 2]).await.unwrap().1, [bench.proposal(1).await.id]);
    assert_eq!(bench.proposal(2).await.life.state().name().as_str(), "confirmed");
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.outcome(BatchId([1; 16])).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    // One that is on its way counts like one that stands.
    let announced = [bench.store.announce_hold(&record(3)), bench.store.announce_hold(&record(3))];
    assert_eq!(bench.are_held(&[1, 2, 3]).await, [2, 3]);
    assert_eq!(bench.intent(2, &[2, 3]).await.unwrap().1, []);
    assert!(bench.store.open_batches().await.unwrap().is_empty(), "there is no batch of nothing");
    drop(announced);
    bench.release(&hold).await;
    assert_eq!(bench.are_held(&[1, 2, 3]).await, Vec::<i64>::new());
    assert_eq!(bench.intent(3, &[2, 3]).await.unwrap().1.len(), 2);
}

#[tokio::test]
async fn holds_are_listed_within_the_scope_and_asked_for_by_record() {
    let bench = Bench::new().await;
    for key in 1..=5 {
        bench.hold(key).await;
    }
    bench.release(&bench.hold(4).await).await;
    let everything = Scope::everything();
    let first = bench.store.holds(&everything, None, 3).await.unwrap();
    assert_eq!((first.total, first.items.len(), first.next), (5, 3, Some(HoldId(3))));
    let rest = bench.store.holds(&everything, first.next, 3).await.unwrap();
    assert_eq!(rest.items.iter().map(|hold| hold.id.0).collect::<Vec<_>>(), [4, 5]);
    let north = Reach { categories: None, units: Some(["north".to_owned()].into()), ..Reach::default() };
    let scope = Scope { reaches: vec![north], denied: [record(2)].into(), ..Scope::default() };
    let seen = bench.store.holds(&scope, None, 3).await.unwrap();
    assert_eq!((seen.total, seen.items[0].record.clone(), seen.next), (1, record(4), None));
    let on = bench.store.holds_on([&record(4), &record(5), &record(99)]).await.unwrap();
    assert_eq!(
        on.into_iter().map(|(record, holds)| (record, holds.len())).collect::<Vec<_>>(),
        [(record(4), 1), (record(5), 1)]
    );
    // Numbers are never given again.
    assert_eq!(bench.hold(1).await.id, HoldId(7));
}

#[tokio::test]
async fn what_is_held_is_found_in_an_index_of_nothing_else() {
    let bench = Bench::new().await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", hold::HELD));
    let rows = sqlx::query(explain).fetch_all(&mut *change.transaction).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
    for expected in ["SCAN j VIRTUAL TABLE", "SEARCH h USING INDEX hold_standing (category=? AND key=?)"] {
        assert!(plan.iter().any(|step| step.contains(expected)), "{expected}: {plan:#?}");
    }
}
