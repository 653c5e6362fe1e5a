//! Lists, pages, counts.

use std::collections::BTreeSet;

use super::totals::Sizes;
use super::walk::Stretch;
use super::*;
use crate::actor::{Reach, Scope};
use crate::proposal::StateName;

async fn all(bench: &Bench, filter: &ProposalFilter, limit: u32) -> (Vec<String>, u64) {
    let (mut keys, mut after, mut total) = (Vec::new(), None, 0);
    loop {
        let page = bench.store.list(filter, ListOrder::default(), after.as_ref(), limit).await.unwrap();
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
        reaches: vec![Reach { categories: Some(BTreeSet::from(["member".parse().unwrap()])), ..Reach::default() }],
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

async fn plan(bench: &Bench, sql: String) -> Vec<String> {
    let mut turn = bench.store.turn().await;
    let change = &mut turn.begin().await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(&mut *change.transaction).await.unwrap();
    rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect()
}

fn statement(filter: &ProposalFilter, order: &str, sizes: Sizes) -> String {
    let stretch = Stretch { order: order.parse().unwrap(), after: None, limit: 100 };
    filter.statement(rows::proposal_columns!(), stretch, &sizes, &veil::Veil::default()).unwrap().0
}

const MANY: Sizes = Sizes { total: 1_000_000, passed: 1_000_000, everything: 1_000_000 };

/// Pages come from an index, however much is closed.
#[tokio::test]
async fn pages_are_read_through_an_index() {
    let bench = filled().await;
    let merged = statement(&ProposalFilter::everything(), "record", MANY);
    let backwards = statement(&ProposalFilter::everything(), "-record", MANY);
    let merge = &["MERGE", "USING INDEX proposal_open", "USING INDEX proposal_closed"];
    for (sql, steps) in [
        (list::OPEN_PROPOSALS.to_owned(), &["USING INDEX proposal_open (category=? AND key>?)"][..]),
        (confirmed::CONFIRMED.to_owned(), &["USING INDEX proposal_confirmed (category=? AND rowid>?)"]),
        (moves::WRITE_STANDING.to_owned(), &["SEARCH proposal USING INTEGER PRIMARY KEY"]),
        (together::CONFIRMED_TOGETHER.to_owned(), &["USING INDEX proposal_together (together>?)"]),
        (merged, merge),
        (backwards, merge),
    ] {
        let plan = plan(&bench, sql).await;
        for expected in steps {
            assert!(plan.iter().any(|step| step.contains(expected)), "{expected}: {plan:#?}");
        }
        assert!(!plan.iter().any(|step| step.contains("USE TEMP B-TREE FOR ORDER BY")), "{plan:#?}");
    }
}

/// What is rare among a million is found by an index of its own, or by going through the file once; what is frequent, in
/// the order of an index.
#[tokio::test]
async fn each_page_is_found_by_what_finds_it_soonest() {
    let bench = filled().await;
    let open = || ProposalFilter::open();
    let state = |state| ProposalFilter { states: vec![state], ..open() };
    let few = Sizes { total: 1, ..MANY };
    let of_few = Sizes { total: 1, passed: 10, everything: 1_000_000 };
    let walk = "USING INDEX proposal_open";
    for (filter, order, sizes, step) in [
        (open(), "record", MANY, walk),
        (state(StateName::Proposed), "record", MANY, walk),
        (open(), "record", few, "SCAN p"),
        (open(), "record", of_few, walk),
        (open(), "due", MANY, "SCAN p"),
        (open(), "proposed", MANY, "SCAN p"),
        (state(StateName::Confirmed), "record", few, "USING INDEX proposal_confirmed"),
        (state(StateName::Confirmed), "due", few, "USING INDEX proposal_confirmed"),
        (state(StateName::Confirmed), "record", MANY, walk),
        (state(StateName::Postponed), "record", MANY, "USING INDEX proposal_postponed"),
        (state(StateName::Postponed), "due", MANY, "SCAN p"),
        (state(StateName::Erasing), "record", few, "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)"),
        (state(StateName::Erased), "record", MANY, "USING INDEX proposal_closed"),
    ] {
        let plan = plan(&bench, statement(&filter, order, sizes)).await;
        // With a bracket behind it where something is asked for of the index.
        let is_step = |line: &String| *line == step || line.contains(&format!("{step} (")) || line.ends_with(step);
        assert!(plan.iter().any(is_step), "{step}: {plan:#?}");
        // The file lies in the order in which things were proposed.
        let is_sorted = plan.iter().any(|line| line.contains("USE TEMP B-TREE FOR ORDER BY"));
        assert!(!(is_sorted && order == "proposed"), "{plan:#?}");
    }
}
