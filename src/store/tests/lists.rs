//! Lists, pages, counts.

use std::collections::BTreeSet;

use super::*;
use crate::actor::{Reach, Scope};
use crate::proposal::StateName;

async fn all(bench: &Bench, filter: &ProposalFilter, limit: u32) -> (Vec<String>, u64) {
    let (mut keys, mut after, mut total) = (Vec::new(), None, 0);
    loop {
        let page = bench.store.list(filter, after.as_ref(), limit).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        keys.extend(page.items.iter().map(|one| format!("{} {}", one.record, one.life.state().name())));
        total = total.max(page.total);
        match page.next {
            Some(next) => after = Some(next.to_string().parse().unwrap()),
            None => return (keys, total),
        }
    }
}

async fn filled() -> Bench {
    let bench = Bench::new().await;
    bench.propose(1..=5).await;
    bench.propose([1_000_001, 1_000_002]).await;
    bench.confirm(&[1, 2, 3]).await;
    let (batch, _) = bench.intent(1, &[1, 2]).await.unwrap();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.outcome(batch).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    bench.propose([2]).await;
    bench
}

#[tokio::test]
async fn pages_hold_everything_once_in_order() {
    let bench = filled().await;
    let everything = ProposalFilter { states: Vec::new(), ..ProposalFilter::open() };
    for limit in [1, 2, 3, 100] {
        let (keys, total) = all(&bench, &everything, limit).await;
        assert_eq!(total, 8);
        assert_eq!(
            keys,
            [
                "member/1000001 proposed",
                "member/1000002 proposed",
                "prospect/1 erased",
                "prospect/2 erased",
                "prospect/2 proposed",
                "prospect/3 confirmed",
                "prospect/4 proposed",
                "prospect/5 proposed",
            ],
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn filters_narrow_and_the_scope_narrows_further() {
    let bench = filled().await;
    let open = ProposalFilter::open();
    let count = |filter: ProposalFilter| {
        let bench = &bench;
        async move {
            let (keys, total) = all(bench, &filter, 2).await;
            assert_eq!(keys.len() as u64, total);
            total
        }
    };
    let members = Scope {
        reaches: vec![Reach { categories: Some(BTreeSet::from(["member".parse().unwrap()])), units: None }],
        ..Scope::default()
    };
    assert_eq!(count(open.clone()).await, 6);
    assert_eq!(count(ProposalFilter { category: Some("prospect".parse().unwrap()), ..open.clone() }).await, 4);
    assert_eq!(count(ProposalFilter { criterion: Some("lapsed".into()), ..open.clone() }).await, 2);
    assert_eq!(count(ProposalFilter { states: vec![StateName::Confirmed], ..open.clone() }).await, 1);
    assert_eq!(
        count(ProposalFilter { states: vec![StateName::Erased, StateName::Confirmed], ..open.clone() }).await,
        3
    );
    assert_eq!(count(ProposalFilter { scope: members.clone(), ..open.clone() }).await, 2);
    let elsewhere = ProposalFilter { category: Some("prospect".parse().unwrap()), scope: members, ..open };
    assert_eq!(count(elsewhere).await, 0);
    let counts = bench.store.counts().await.unwrap();
    let prospects = &counts[&"prospect".parse::<crate::record::CategoryName>().unwrap()];
    assert_eq!(prospects[&StateName::Erased], 2);
    assert_eq!(prospects[&StateName::Proposed], 3);
}

#[tokio::test]
async fn prepare_sees_every_open_proposal_once() {
    let bench = filled().await;
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let page = bench.store.open_proposals(&record(1).category, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.record.key.clone());
        keys.extend(page.iter().map(|one| one.record.key.to_string()));
    }
    assert_eq!(keys, ["2", "3", "4", "5"]);
    let asked: Vec<_> = [1, 2, 5, 9].map(|key| record(key).key).to_vec();
    let open = bench.store.open_among(&record(1).category, &asked).await.unwrap();
    assert_eq!(open.iter().map(RecordKey::as_str).collect::<Vec<_>>(), ["2", "5"]);
}

/// Pages come from an index, however much is closed.
#[tokio::test]
async fn pages_are_read_through_an_index() {
    let bench = filled().await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let everything = ProposalFilter { states: Vec::new(), ..ProposalFilter::open() };
    let merged = everything.statement(u64::MAX).1;
    for (sql, steps) in [
        (list::OPEN_PROPOSALS, &["USING INDEX proposal_open (category=? AND key>?)"][..]),
        (batch::CONFIRMED, &["USING INDEX proposal_confirmed (category=? AND rowid>?)"]),
        (moves::WRITE_STANDING, &["SEARCH proposal USING INTEGER PRIMARY KEY"]),
        (together::CONFIRMED_TOGETHER, &["USING INDEX proposal_together (together>?)"]),
        (merged.as_str(), &["MERGE", "USING INDEX proposal_open", "USING INDEX proposal_closed"]),
    ] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = sqlx::query(explain).fetch_all(&mut *change.transaction).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        for expected in steps {
            assert!(plan.iter().any(|step| step.contains(expected)), "{expected}: {plan:#?}");
        }
        assert!(!plan.iter().any(|step| step.contains("USE TEMP B-TREE FOR ORDER BY")), "{plan:#?}");
    }
}

/// What is rare among a million is found by an index of its own, and not by going through the million.
#[tokio::test]
async fn each_state_is_found_by_what_finds_it_soonest() {
    let bench = filled().await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    for (state, total, step) in [
        (StateName::Proposed, 1, "USING INDEX proposal_open (category>? AND category<?)"),
        (StateName::Confirmed, 1, "USING INDEX proposal_confirmed"),
        (StateName::Confirmed, 1_000_000, "USING INDEX proposal_open (category>? AND category<?)"),
        (StateName::Postponed, 1_000_000, "USING INDEX proposal_postponed"),
        (StateName::Erasing, 1, "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)"),
        (StateName::Erased, 1, "USING INDEX proposal_closed"),
    ] {
        let sql = ProposalFilter { states: vec![state], ..ProposalFilter::open() }.statement(total).1;
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = sqlx::query(explain).fetch_all(&mut *change.transaction).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        assert!(plan.iter().any(|line| line.contains(step)), "{step}: {plan:#?}");
    }
}
