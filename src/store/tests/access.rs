use super::*;
use crate::actor::{Reach, Scope};
use crate::audit::By;

async fn give(bench: &Bench, user: &str, what: &AccessWhat) -> u64 {
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let text = matches!(what, AccessWhat::Deny(..)).then(|| Reason::new("her\nkin").unwrap());
    let seq = change.give_access(&By::request(vera(), "r"), user, what, text.as_ref()).await.unwrap();
    change.commit().await.unwrap();
    seq
}

fn single(key: i64) -> AccessWhat {
    AccessWhat::Record(record(key), fingerprint("k1", key))
}

#[tokio::test]
async fn what_is_assigned_is_there_until_it_is_ended() {
    let bench = Bench::new().await;
    let represents = AccessWhat::StandIn { represents: "karl".into(), until: TODAY };
    let denied = AccessWhat::Deny(record(1), fingerprint("k1", 1));
    for (user, what) in [
        ("nora", AccessWhat::Unit("graz".into())),
        ("nora", represents),
        ("karl", single(1)),
        ("karl", denied),
        ("anna", single(2)),
    ] {
        give(&bench, user, &what).await;
    }
    let of = |user: &'static str, day| {
        let store = &bench.store;
        async move {
            let entries = store.access_of(user, day).await.unwrap();
            entries.into_iter().map(|entry| (entry.user, entry.what.about())).collect::<Vec<_>>()
        }
    };
    assert_eq!(of("nora", TODAY).await.len(), 4, "her own, and his whose place she takes");
    assert_eq!(of("nora", TODAY.tomorrow().unwrap()).await.len(), 2);
    assert_eq!(of("karl", TODAY).await.len(), 2, "and not the other way round");
    let but = [record(1)].into();
    let page = bench.store.access(None, &but, None, 2).await.unwrap();
    assert_eq!((page.total, page.items.len()), (3, 2), "what does not exist for the asker is not counted");
    let rest = bench.store.access(None, &but, page.next, 2).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let entry = change.access_about("karl", &AccessAbout::Deny(record(1))).await.unwrap().unwrap();
    assert_eq!((entry.by.to_string().as_str(), entry.text.as_deref()), ("vera", Some("her\nkin")));
    change.end_access(&By::request(vera(), "r"), &entry).await.unwrap();
    assert_eq!(change.access_about("karl", &AccessAbout::Deny(record(1))).await.unwrap(), None);
    assert!(change.end_access(&By::request(vera(), "r"), &entry).await.is_err(), "it has ended before");
}

/// Asked at every request and every decision, beside a million proposals.
#[tokio::test]
async fn what_is_asked_at_every_request_is_found_by_an_index() {
    let bench = Bench::new().await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    for (sql, steps) in [
        (crate::store::access::ACCESS_OF, ["SEARCH e USING INDEX access_now (user=?)", "INDEX access_now (user=?)"]),
        (
            within::WITHIN,
            ["INDEX proposal_closed (category=? AND key=?)", "INDEX proposal_open (category=? AND key=?)"],
        ),
    ] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = sqlx::query(explain).fetch_all(&mut *change.transaction).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        for expected in steps {
            assert!(plan.iter().any(|step| step.contains(expected)), "{expected}: {plan:#?}");
        }
        assert!(!plan.iter().any(|step| step.starts_with("SCAN p") || step.starts_with("SCAN e")), "{plan:#?}");
    }
}

#[tokio::test]
async fn the_open_proposal_says_what_is_within() {
    let bench = Bench::new().await;
    bench.propose([1, 2, 1_000_001]).await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let records = [record(1), record(2), record(3), record(1_000_001)];
    let members = Reach { categories: Some(["member".parse().unwrap()].into()), ..Reach::default() };
    let scope = Scope { reaches: vec![members], denied: [record(2)].into(), ..Scope::default() };
    assert_eq!(change.within(&scope, &records).await.unwrap(), [record(1_000_001)].into());
    let scope = Scope { denied: [record(2)].into(), ..Scope::everything() };
    assert_eq!(change.within(&scope, &records).await.unwrap(), [record(1), record(1_000_001)].into());
}
