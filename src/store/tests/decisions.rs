//! Clerks' decisions, and prepare's and the final job's answers to them.

use super::*;
use crate::proposal::{MoveError, ReturnReason, State, StateName, WithdrawReason};

#[tokio::test]
async fn the_life_of_a_proposal_with_its_history() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    let id = bench.proposal(1).await.id;
    bench.decide(&postpone(date(2026, 4, 1)), &[1]).await.unwrap();
    assert_eq!(*bench.proposal(1).await.life.state(), State::Postponed { until: date(2026, 4, 1) });
    let returned = |today| {
        let bench = &bench;
        async move {
            let mut turn = bench.store.turn().await;
            let mut change = turn.begin().await.unwrap();
            let returned = change.return_postponed(bench.run, &[id], today).await.unwrap();
            change.commit().await.unwrap();
            returned
        }
    };
    assert!(returned(date(2026, 3, 31)).await.is_empty());
    assert_eq!(returned(date(2026, 4, 1)).await, [id]);
    bench.confirm(&[1]).await;
    bench.decide(&Decision::Restore, &[1]).await.unwrap();
    bench.confirm(&[1]).await;
    send_back(&bench, id).await;
    let now = bench.proposal(1).await;
    assert_eq!(*now.life.state(), State::Proposed { returned: Some(ReturnReason::ChangedPerson), first: None });
    assert_eq!(now.life.postponed_count(), 1);
    assert_eq!(now.fingerprint, fingerprint("k2", 77));
    assert_eq!(now.version, 7);
    withdraw(&bench, id).await;
    let mut told = String::new();
    for event in bench.store.history(id).await.unwrap() {
        use std::fmt::Write as _;
        let (run, request) = (event.run.is_some(), event.request.unwrap_or_default());
        writeln!(told, "{} {} run: {run} {request}: {:?}", event.at, event.actor, event.what).unwrap();
    }
    insta::assert_snapshot!(told);
}

async fn send_back(bench: &Bench, id: ProposalId) {
    let fresh = Fresh {
        origin: Origin::Criterion { name: "inactive".into(), version: "v2".into(), due_on: None },
        fingerprint: fingerprint("k2", 77),
        unit: None,
    };
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let back = [(id, ReturnReason::ChangedPerson, Some(fresh))];
    assert_eq!(change.return_to_clerk(bench.run, &back).await.unwrap(), [id]);
    change.commit().await.unwrap();
}

async fn withdraw(bench: &Bench, id: ProposalId) {
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let reason = WithdrawReason::NoLongerDue { why: "an order of 2026-02-01".into() };
    assert_eq!(change.withdraw(bench.run, &[(id, reason.clone())]).await.unwrap(), [id]);
    assert!(change.withdraw(bench.run, &[(id, reason)]).await.unwrap().is_empty());
    change.commit().await.unwrap();
}

#[tokio::test]
async fn all_of_the_records_or_none() {
    let bench = Bench::new().await;
    bench.propose(1..=4).await;
    bench.confirm(&[2]).await;
    let before = bench.last_seq().await;
    let target = |key, version| Target { record: record(key), version };
    let targets = [target(1, None), target(2, None), target(3, Some(9)), target(99, None), target(4, Some(1))];
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let refused = change.decide(&vera(), "r", &Decision::confirm(), &targets, TODAY).await.unwrap_err();
    change.commit().await.unwrap();
    drop(turn);
    let DecisionError::Refused(failures) = refused else { panic!("{refused}") };
    let told: Vec<_> = failures.iter().map(|one| format!("{}: {}", one.record, one.fault)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    prospect/2: cannot confirm a proposal that is confirmed
    prospect/3: it has changed since it was shown (version 9 then, 1 now)
    prospect/99: it is not proposed
    ");
    assert_eq!(bench.last_seq().await, before);
    assert_eq!(bench.proposal(1).await.life.state().name(), StateName::Proposed);
    // Named twice counts once.
    let decided = bench.decide(&Decision::confirm(), &[1, 1]).await.unwrap();
    let now = bench.proposal(1).await;
    let told = Decided { record: record(1), state: StateName::Confirmed, version: now.version };
    assert_eq!((decided, now.version), (vec![told], 2));
}

#[tokio::test]
async fn a_closed_proposal_says_what_it_is() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    withdraw(&bench, bench.proposal(1).await.id).await;
    let Err(DecisionError::Refused(failures)) = bench.decide(&Decision::confirm(), &[1]).await else { panic!() };
    assert!(matches!(
        &failures[0].fault,
        DecisionFault::Rule(MoveError::WrongState { state: State::Withdrawn { .. }, .. })
    ));
    // It may be proposed again, and then the open one counts.
    assert_eq!(bench.propose([1]).await.proposed, 1);
    bench.confirm(&[1]).await;
    assert_eq!(bench.proposal(1).await.life.state().name(), StateName::Confirmed);
}

#[tokio::test]
async fn what_is_open_is_not_proposed_again() {
    let bench = Bench::new().await;
    bench.propose([1, 2]).await;
    bench.decide(&postpone(date(2027, 1, 1)), &[2]).await.unwrap();
    let before = bench.last_seq().await;
    let again = bench.propose([1, 2]).await;
    assert_eq!((again.proposed, again.already_open, again.reasons.len()), (0, 2, 0));
    assert_eq!(bench.last_seq().await, before);
    let more = bench.propose([1, 2, 4, 5]).await;
    assert_eq!((more.proposed, more.already_open), (2, 2));
    let counted: Vec<u64> = more.reasons.values().flat_map(|of| of.values()).map(|counts| counts.proposed).collect();
    assert_eq!(counted, [2], "those that were open already are counted for no reason");
    let entry = bench.entries().await.pop().unwrap();
    assert_eq!(
        entry.details,
        r#"{"records":[{"category":"prospect","criterion":"inactive","keys":["4","5"],"origin":"criterion","version":"v1"}]}"#
    );
}

#[tokio::test]
async fn typed_reasons_lie_beside_the_chain() {
    let bench = Bench::new().await;
    bench.propose([1]).await;
    bench.decide(&postpone(date(2027, 1, 1)), &[1]).await.unwrap();
    let entry = bench.entries().await.pop().unwrap();
    assert!(!entry.to_line().contains("Huber"));
    let typed = bench.store.typed_text(entry.seq).await.unwrap().unwrap();
    assert_eq!(typed.text, "Huber has a claim open");
    assert!(entry.details.contains(&crate::audit::text_digest(&typed.salt, &typed.text)));
}

/// What is only proposed by now is tied to nothing: somebody has taken it back between the look and the decision.
#[tokio::test]
async fn only_what_is_confirmed_is_confirmed_together() {
    let bench = Bench::new().await;
    bench.propose([1, 2, 3]).await;
    bench.confirm(&[1, 2]).await;
    let by = crate::audit::By::request(vera(), "r");
    let join = |keys: [i64; 2]| {
        let (bench, by) = (&bench, &by);
        async move {
            let mut turn = bench.store.turn().await;
            let mut change = turn.begin().await.unwrap();
            let is_joined = change.join(by, &keys.map(record)).await.unwrap();
            change.commit().await.unwrap();
            is_joined
        }
    };
    let before = bench.last_seq().await;
    assert!(!join([1, 3]).await);
    assert_eq!(bench.last_seq().await, before);
    assert!(join([1, 2]).await);
}
