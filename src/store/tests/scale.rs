//! A million open proposals. Takes a minute: `cargo test --lib store::tests::scale -- --ignored --nocapture`.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use super::*;
use crate::actor::{Reach, Scope};
use crate::clock::Stopwatch;
use crate::proposal::StateName;

/// What a first page may take, built without optimisation, which makes it three times as long.
const PAGE_MAX: Duration = Duration::from_secs(2);
const PAGE: u32 = 1_000;

/// Proposals of two categories, three criteria and units of all sizes, as prepare leaves them.
const PROPOSALS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
     INSERT INTO proposal (category, key, source, unit, origin, criterion, rule_version, due_on, fingerprint, form, run, \
     proposed_at, version, postponed_count, state) \
     SELECT CASE WHEN i % 10 = 0 THEN 'member' ELSE 'prospect' END, CAST(i AS TEXT), 'crm', \
     CASE WHEN i % 5 = 0 THEN NULL WHEN i % 10007 = 1 THEN 'rare' ELSE 'u' || (i % 20) END, 'criterion', \
     CASE WHEN i % 3 = 0 THEN 'lapsed' WHEN i % 5003 = 0 THEN 'odd' ELSE 'inactive' END, '0123456789abcdef', \
     date('2010-01-01', '+' || ((i * 7919) % 5000) || ' days'), randomblob(32), 1, 1, \
     strftime('%Y-%m-%dT%H:%M:%fZ', '2026-01-01', '+' || (i / 1000) || ' minutes'), 1, 0, 'proposed' FROM n";
const SUMS: &str = "INSERT INTO proposal_total SELECT category, criterion, coalesce('=' || unit, ''), state, count(*) \
     FROM proposal GROUP BY 1, 2, 3, 4";

async fn million() -> Bench {
    let bench = Bench::new().await;
    let mut file = SqliteConnectOptions::new().filename(bench.path()).connect().await.unwrap();
    for sql in ["INSERT INTO fingerprint_form VALUES (1, 'k1', '0011223344556677')", PROPOSALS, SUMS] {
        sqlx::query(sql).execute(&mut file).await.unwrap();
    }
    bench
}

#[tokio::test]
#[ignore = "takes a minute, and tells how long things take"]
async fn a_million_open_proposals_stay_usable() {
    let bench = million().await;
    let open = ProposalFilter::open;
    let units = |names: &[&str]| Reach {
        categories: None,
        units: Some(names.iter().map(ToString::to_string).collect()),
        ..Reach::default()
    };
    let scope = |reaches: Vec<Reach>| ProposalFilter { scope: Scope { reaches, ..Scope::default() }, ..open() };
    let denied = (1..1_000).map(record).collect();
    let filters = [
        ("open", open()),
        ("proposed", ProposalFilter { states: vec![StateName::Proposed], ..open() }),
        ("category", ProposalFilter { category: Some("member".parse().unwrap()), ..open() }),
        ("criterion", ProposalFilter { criterion: Some("lapsed".into()), ..open() }),
        ("rare criterion", ProposalFilter { criterion: Some("odd".into()), ..open() }),
        ("unit", ProposalFilter { unit: Some("u7".into()), ..open() }),
        ("rare unit", ProposalFilter { unit: Some("rare".into()), ..open() }),
        ("due", ProposalFilter { due_from: Some(date(2015, 1, 1)), due_to: Some(date(2015, 1, 31)), ..open() }),
        ("age", ProposalFilter { proposed_before: Some("2026-01-01T01:00:00Z".parse().unwrap()), ..open() }),
        ("decided by", ProposalFilter { decided_by: Some("vera".into()), ..open() }),
        ("scope of units", scope(vec![units(&["u1", "u2"])])),
        ("scope of a rare unit", scope(vec![units(&["rare"])])),
        ("denied", ProposalFilter { scope: Scope { denied, ..Scope::everything() }, ..open() }),
    ];
    let mut slow = Vec::new();
    for (name, filter) in filters {
        for order in ["record", "-record", "due", "-due", "proposed", "-proposed"] {
            let watch = Stopwatch::start();
            let page = bench.store.list(&filter, order.parse().unwrap(), None, PAGE).await.unwrap();
            let took = watch.elapsed();
            tell(&format!("{name}, {order}: {} of {}", page.items.len(), page.total), took);
            if took > PAGE_MAX {
                slow.push((name, order, took));
            }
        }
    }
    assert_eq!(slow, []);
}

#[tokio::test]
#[ignore = "takes a minute, and tells how long things take"]
async fn a_million_are_confirmed_at_once() {
    let bench = million().await;
    let filter = ProposalFilter { states: vec![StateName::Proposed], ..ProposalFilter::open() };
    let watch = Stopwatch::start();
    let seen = bench.store.seen(&filter).await.unwrap();
    tell(&format!("digest {}", seen.digest), watch.elapsed());
    let before = bench.last_seq().await;
    let watch = Stopwatch::start();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let counts = change.confirm_all(&vera(), "r", &Default::default(), (&filter, &seen.digest), TODAY).await.unwrap();
    assert_eq!(counts.values().flat_map(|of| of.values()).sum::<u64>(), 1_000_000);
    tell("confirmed", watch.elapsed());
    change.commit().await.unwrap();
    drop(turn);
    tell("committed", watch.elapsed());
    assert_eq!(bench.last_seq().await, before + 1_000);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    tell(status.lines().find(|line| line.starts_with("VmHWM")).unwrap(), Duration::ZERO);
    let watch = Stopwatch::start();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let Err(AllError::Different(difference)) =
        change.confirm_all(&vera(), "r", &Default::default(), (&filter, &seen.digest), TODAY).await
    else {
        panic!()
    };
    tell(&format!("difference: {} gone, more: {}", difference.gone.count, difference.more), watch.elapsed());
}

#[expect(clippy::print_stderr, reason = "what is measured is for whoever looks")]
fn tell(what: &str, took: Duration) {
    eprintln!("{:>8.1} ms  {what}", took.as_secs_f64() * 1_000.0);
}
