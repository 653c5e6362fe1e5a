//! Every filter, scope and order, against what a plain look at each proposal says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::actor::{Reach, Scope, SingleRecord};
use crate::proposal::StateName;
use crate::record::CategoryName;

const KEYS: i64 = 24;
const UNITS: [&str; 4] = ["graz", "linz", "", "="];

/// Keys below 10 are prospects, from 10 on members, from 20 on users.
fn named(key: i64) -> RecordRef {
    let category = ["prospect", "member", "user"][usize::try_from(key / 10).unwrap()];
    RecordRef { category: category.parse().unwrap(), key: RecordKey::from_text(&key.to_string()) }
}

/// What happens to a record after it was proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waits,
    Confirmed,
    Postponed,
    Erased,
    ErasedAndBack,
}

#[derive(Debug, Clone)]
struct Made {
    key: i64,
    unit: Option<&'static str>,
    criterion: &'static str,
    due_on: Option<Date>,
    digest: i64,
    by: &'static str,
    fate: Fate,
}

fn made(key: i64) -> impl Strategy<Value = Made> {
    let fate =
        select(vec![Fate::Waits, Fate::Waits, Fate::Confirmed, Fate::Postponed, Fate::Erased, Fate::ErasedAndBack]);
    let due_on = proptest::option::of((1_i8..=4).prop_map(|month| date(2025, month, 1)));
    (
        proptest::option::of(select(&UNITS[..])),
        select(&["inactive", "lapsed"][..]),
        due_on,
        0..3_i64,
        fate,
        any::<bool>(),
    )
        .prop_map(move |(unit, criterion, due_on, digest, fate, vera)| Made {
            key,
            unit,
            criterion,
            due_on,
            digest,
            by: if vera { "vera" } else { "jan" },
            fate,
        })
}

fn scope() -> impl Strategy<Value = Scope> {
    let categories = proptest::option::of(subsequence(vec!["member", "prospect", "user"], 0..3));
    let units = proptest::option::of(subsequence(UNITS.to_vec(), 0..3));
    let except = proptest::collection::btree_set((0..KEYS).prop_map(named), 0..3);
    let reach = (categories, units, except).prop_map(|(categories, units, except)| Reach {
        categories: categories.map(|names| names.into_iter().map(|name| name.parse().unwrap()).collect()),
        units: units.map(|units| units.into_iter().map(str::to_owned).collect()),
        except,
    });
    let single = (0..KEYS, 0..3_i64)
        .prop_map(|(key, of)| SingleRecord { record: named(key), digest: fingerprint("k1", of).digest });
    let reaches = prop_oneof![proptest::collection::vec(reach, 0..3), Just(vec![Reach::default()])];
    let records = proptest::collection::btree_set(single, 0..6);
    (reaches, records, proptest::collection::btree_set((0..KEYS).prop_map(named), 0..4))
        .prop_map(|(reaches, records, denied)| Scope { reaches, records, denied })
}

fn filter() -> impl Strategy<Value = ProposalFilter> {
    let maybe = |words: &'static [&'static str]| proptest::option::weighted(0.3, select(words));
    let day = || proptest::option::weighted(0.2, (1_i8..=4).prop_map(|month| date(2025, month, 1)));
    let before = proptest::option::weighted(0.2, select(vec![AT[0], AT[1], "2026-03-16T00:00:00Z"]));
    let states =
        prop_oneof![Just(Vec::new()), Just(ProposalFilter::open().states), subsequence(StateName::ALL.to_vec(), 1..3)];
    let words = (maybe(&["prospect", "user"]), maybe(&["inactive", "lapsed"]), maybe(&UNITS), maybe(&["vera", "jan"]));
    (words, states, (day(), day(), before), scope()).prop_map(|(words, states, (due_from, due_to, before), scope)| {
        let (category, criterion, unit, decided_by) = words;
        ProposalFilter {
            category: category.map(|name| name.parse().unwrap()),
            criterion: criterion.map(str::to_owned),
            states,
            unit: unit.map(str::to_owned),
            proposed_before: before.map(|at| at.parse().unwrap()),
            due_from,
            due_to,
            decided_by: decided_by.map(str::to_owned),
            scope,
        }
    })
}

/// When the first and the second half of the records are proposed.
const AT: [&str; 2] = ["2026-03-15T03:00:00Z", "2026-03-15T04:00:00Z"];

async fn build(made: &[Made]) -> Bench {
    let bench = Bench::new().await;
    let halves = made.split_at(made.len() / 2);
    for (at, half) in AT.iter().zip([halves.0, halves.1]) {
        bench.clock.set(at.parse().unwrap());
        propose(&bench, half).await;
        // Backwards, so that what was decided first does not lie first.
        for one in half.iter().rev() {
            live(&bench, one).await;
        }
    }
    bench
}

async fn propose(bench: &Bench, made: &[Made]) {
    let new: Vec<_> = made
        .iter()
        .map(|one| NewProposal {
            record: named(one.key),
            source: source(),
            unit: one.unit.map(str::to_owned),
            origin: Origin::Criterion { name: one.criterion.into(), version: "v1".into(), due_on: one.due_on },
            fingerprint: fingerprint("k1", one.digest),
            is_confirmed: false,
        })
        .collect();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.propose(bench.run, &new).await.unwrap();
    change.commit().await.unwrap();
}

async fn live(bench: &Bench, one: &Made) {
    if one.fate == Fate::Waits {
        return;
    }
    let decision = if one.fate == Fate::Postponed { postpone(date(2027, 1, 1)) } else { Decision::confirm() };
    let target = Target { record: named(one.key), version: None };
    let actor = Actor::User { uid: 7, name: one.by.into() };
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.decide(&actor, "r", &decision, &[target], TODAY).await.unwrap();
    change.commit().await.unwrap();
    if !matches!(one.fate, Fate::Erased | Fate::ErasedAndBack) {
        return;
    }
    let id = bench.store.proposal(&named(one.key)).await.unwrap().unwrap().id;
    let planned = PlannedErasure { record: named(one.key), ..planned_erasure(id, one.key) };
    let batch = BatchId([u8::try_from(one.key).unwrap(); 16]);
    let mut change = turn.begin().await.unwrap();
    change.intent(bench.run, batch, &source(), &[planned]).await.unwrap();
    change.outcome(batch).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    if one.fate == Fate::ErasedAndBack {
        propose(bench, std::slice::from_ref(one)).await;
    }
}

/// Whether the filter asks for the proposal: once more, and plainly.
fn is_asked(filter: &ProposalFilter, one: &Proposal) -> bool {
    let (criterion_of, due_on) = (one.origin.criterion(), one.origin.due_on());
    let state = one.life.state().name();
    filter.category.as_ref().is_none_or(|category| *category == one.record.category)
        && filter.criterion.as_ref().is_none_or(|criterion| Some(criterion.as_str()) == criterion_of)
        && (filter.states.is_empty() || filter.states.contains(&state))
        && filter.unit.as_ref().is_none_or(|unit| Some(unit) == one.unit.as_ref())
        && filter.proposed_before.is_none_or(|before| one.proposed_at < before)
        && filter.due_from.is_none_or(|from| due_on.is_some_and(|day| day >= from))
        && filter.due_to.is_none_or(|to| due_on.is_some_and(|day| day <= to))
        && filter.decided_by.as_ref().is_none_or(|user| Some(user) == one.decided_by.as_ref())
        && filter.scope.covers(&one.record, one.unit.as_deref(), &one.fingerprint.digest)
}

fn expected(all: &[Proposal], filter: &ProposalFilter, order: ListOrder) -> Vec<Proposal> {
    let mut expected: Vec<_> = all.iter().filter(|one| is_asked(filter, one)).cloned().collect();
    let day = |one: &Proposal| one.origin.due_on().unwrap_or(Date::MAX);
    match order.sort {
        ListSort::Record => expected.sort_by_key(|one| (one.record.clone(), one.id)),
        ListSort::Due => expected.sort_by_key(|one| (day(one), one.id)),
        ListSort::Proposed => expected.sort_by_key(|one| (one.proposed_at, one.id)),
    }
    if order.descending {
        expected.reverse();
    }
    expected
}

/// Every page of a list, put together.
async fn listed(bench: &Bench, filter: &ProposalFilter, order: ListOrder, limit: u32) -> (Vec<Proposal>, u64) {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = bench.store.list(filter, order, after.as_ref(), limit).await.unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next.to_string().parse().unwrap()),
            None => return (items, page.total),
        }
    }
}

fn counted(proposals: &[Proposal]) -> BTreeMap<CategoryName, BTreeMap<StateName, u64>> {
    let mut counts: BTreeMap<CategoryName, BTreeMap<StateName, u64>> = BTreeMap::new();
    for one in proposals {
        *counts.entry(one.record.category.clone()).or_default().entry(one.life.state().name()).or_default() += 1;
    }
    counts
}

async fn check(made: Vec<Made>, filters: Vec<(ProposalFilter, ListOrder, u32)>) {
    let bench = build(&made).await;
    let (all, _) = listed(&bench, &ProposalFilter::everything(), ListOrder::default(), 1_000).await;
    let ids: BTreeSet<_> = all.iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), all.len());
    let twice = made.iter().filter(|one| one.fate == Fate::ErasedAndBack).count();
    assert_eq!(all.len(), made.len() + twice);
    for (filter, order, limit) in filters {
        let expected = expected(&all, &filter, order);
        let (found, total) = listed(&bench, &filter, order, limit).await;
        assert_eq!(found, expected, "{filter:#?} {order}");
        assert_eq!(total, expected.len() as u64, "{filter:#?}");
        assert_eq!(bench.store.totals(&filter).await.unwrap(), counted(&expected), "{filter:#?}");
        let seen = bench.store.seen(&filter).await.unwrap();
        assert_eq!(seen.digest.records, total);
        assert_eq!(
            seen.proposed,
            expected.iter().filter(|one| one.life.state().name() == StateName::Proposed).count() as u64
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_list_and_every_total_is_what_a_plain_look_says(
        made in (0..KEYS).map(made).collect::<Vec<_>>(),
        filters in proptest::collection::vec((filter(), select(ORDERS.to_vec()), 1..9_u32), 12),
    ) {
        let filters = filters.into_iter().map(|(filter, order, limit)| (filter, order.parse().unwrap(), limit)).collect();
        tokio::runtime::Runtime::new().unwrap().block_on(check(made, filters));
    }
}

const ORDERS: [&str; 6] = ["record", "-record", "due", "-due", "proposed", "-proposed"];
