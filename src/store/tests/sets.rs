//! Confirming all of a set, and what is said where it is not what was seen.

use super::*;
use crate::actor::{Reach, Scope};
use crate::proposal::{StateName, WithdrawReason};

fn proposed() -> ProposalFilter {
    ProposalFilter { states: vec![StateName::Proposed], ..ProposalFilter::open() }
}

async fn confirm_all(bench: &Bench, filter: &ProposalFilter, digest: &SetDigest) -> Result<u64, AllError> {
    let counts = confirm_all_as(bench, vera(), &[], filter, digest).await?;
    let mut states = counts.values().flatten();
    assert!(states.all(|(state, _)| *state == StateName::Confirmed), "{counts:?}");
    Ok(counts.values().flat_map(|of| of.values()).sum())
}

async fn confirm_all_as(
    bench: &Bench,
    actor: Actor,
    need_two: &[&str],
    filter: &ProposalFilter,
    digest: &SetDigest,
) -> Result<StateCounts, AllError> {
    let need_two = need_two.iter().map(|name| name.parse().unwrap()).collect();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await?;
    let counts = change.confirm_all(&actor, "r-1", &need_two, (filter, digest), TODAY).await?;
    change.commit().await?;
    Ok(counts)
}

async fn digest(bench: &Bench, filter: &ProposalFilter) -> SetDigest {
    bench.store.seen(filter).await.unwrap().digest
}

fn names(named: &Named) -> Vec<String> {
    assert_eq!(named.count, named.records.len() as u64);
    named.records.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_set_is_confirmed_as_it_was_seen() {
    let bench = Bench::new().await;
    bench.propose(1..=2_500).await;
    bench.confirm(&[7]).await;
    let digest = digest(&bench, &proposed()).await;
    assert_eq!(digest.records, 2_499);
    let before = bench.last_seq().await;
    assert_eq!(digest.seq, before);
    assert_eq!(confirm_all(&bench, &proposed(), &digest).await.unwrap(), 2_499);
    assert_eq!(bench.kinds_after(before).await, ["confirmed"; 3], "no entry names more than a batch has");
    let counts = bench.store.counts().await.unwrap();
    assert_eq!(counts[&record(1).category][&StateName::Confirmed], 2_500);
    let one = bench.proposal(2_500).await;
    assert_eq!((one.decided_by.as_deref(), one.version), (Some("vera"), 2));
    // What has been confirmed is no longer the set that waited for it.
    assert!(matches!(confirm_all(&bench, &proposed(), &digest).await, Err(AllError::Different(_))));
}

#[tokio::test]
async fn a_difference_is_named_and_nothing_is_confirmed() {
    let bench = Bench::new().await;
    bench.propose(1..=6).await;
    bench.decide(&postpone(date(2026, 4, 1)), &[6]).await.unwrap();
    let digest = digest(&bench, &proposed()).await;
    // New: a proposal, and one whose postponement is over. Gone: one confirmed, one withdrawn. Changed: one confirmed and
    // taken back. Neither: one confirmed by somebody, taken back and withdrawn, which was never seen.
    bench.propose([7, 8]).await;
    bench.confirm(&[1, 3]).await;
    bench.decide(&Decision::Restore, &[3]).await.unwrap();
    let (postponed, gone) = (bench.proposal(6).await.id, [bench.proposal(2).await.id, bench.proposal(8).await.id]);
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.return_postponed(bench.run, &[postponed], date(2026, 4, 1)).await.unwrap();
    change.withdraw(bench.run, &gone.map(|id| (id, WithdrawReason::Gone))).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let before = bench.last_seq().await;
    let Err(AllError::Different(difference)) = confirm_all(&bench, &proposed(), &digest).await else { panic!() };
    assert_eq!(names(&difference.new), ["prospect/6", "prospect/7"]);
    assert_eq!(names(&difference.gone), ["prospect/1", "prospect/2"]);
    assert_eq!(names(&difference.changed), ["prospect/3"]);
    assert_eq!((difference.then, difference.now, difference.more), (5, 5, false));
    assert_eq!(bench.last_seq().await, before);
    assert_eq!(bench.proposal(4).await.life.state().name(), StateName::Proposed);
}

#[tokio::test]
async fn only_what_waits_for_a_decision_is_confirmed() {
    let bench = Bench::new().await;
    bench.propose(1..=3).await;
    bench.confirm(&[1]).await;
    let open = ProposalFilter::open();
    let seen = bench.store.seen(&open).await.unwrap();
    assert_eq!((seen.digest.records, seen.proposed), (3, 2));
    let refused = confirm_all(&bench, &open, &seen.digest).await;
    assert!(matches!(refused, Err(AllError::NotProposed { records: 3, proposed: 2 })), "{refused:?}");
    let nobody = ProposalFilter { unit: Some("nowhere".into()), ..proposed() };
    assert!(matches!(confirm_all(&bench, &nobody, &digest(&bench, &nobody).await).await, Err(AllError::Empty)));
}

#[tokio::test]
async fn what_is_out_of_scope_is_neither_confirmed_nor_named() {
    let bench = Bench::new().await;
    bench.propose(1..=6).await;
    let north = Reach { categories: None, units: Some(["north".to_owned()].into()), ..Reach::default() };
    let scope = Scope { reaches: vec![north], denied: [record(4)].into(), ..Scope::default() };
    let filter = ProposalFilter { scope, ..proposed() };
    let digest = digest(&bench, &filter).await;
    assert_eq!(digest.records, 2);
    bench.confirm(&[1, 3, 4]).await;
    assert_eq!(confirm_all(&bench, &filter, &digest).await.unwrap(), 2, "nothing of theirs has changed");
    let Err(AllError::Different(difference)) = confirm_all(&bench, &filter, &digest).await else { panic!() };
    assert_eq!(names(&difference.gone), ["prospect/2", "prospect/6"]);
    assert_eq!((difference.new.count, difference.changed.count), (0, 0));
}

#[tokio::test]
async fn each_version_has_a_digest_of_its_own() {
    let bench = Bench::new().await;
    bench.propose(1..=2).await;
    let first = digest(&bench, &proposed()).await;
    assert!(first.is_same_set(&digest(&bench, &proposed()).await));
    bench.confirm(&[1]).await;
    bench.decide(&Decision::Restore, &[1]).await.unwrap();
    let second = digest(&bench, &proposed()).await;
    assert_eq!(first.records, second.records);
    assert!(!first.is_same_set(&second));
}

#[tokio::test]
async fn two_people_confirm_a_set_one_after_the_other() {
    let bench = Bench::new().await;
    bench.propose(1..=3).await;
    bench.propose([1_000_001]).await;
    let all = async |digest: SetDigest, actor| confirm_all_as(&bench, actor, &["prospect"], &proposed(), &digest).await;
    let first = digest(&bench, &proposed()).await;
    let counts = |category: &str, state, count| (category.parse().unwrap(), [(state, count)].into());
    let of_two = [counts("prospect", StateName::Proposed, 3), counts("member", StateName::Confirmed, 1)];
    assert_eq!(all(first.clone(), vera()).await.unwrap(), StateCounts::from(of_two));
    assert_eq!(bench.proposal(1).await.life.state().name(), StateName::Proposed);
    assert_eq!(bench.proposal(1_000_001).await.life.state().name(), StateName::Confirmed);
    let Err(AllError::Different(difference)) = all(first, vera()).await else { panic!() };
    assert_eq!(names(&difference.changed), ["prospect/1", "prospect/2", "prospect/3"]);
    assert_eq!(names(&difference.gone), ["member/1000001"]);
    let second = digest(&bench, &proposed()).await;
    let Err(AllError::Refused(failures)) = all(second.clone(), vera()).await else { panic!() };
    assert_eq!(failures.len(), 3, "the same person again");
    let jan = Actor::User { uid: 1001, name: "jan".into() };
    let confirmed = [counts("prospect", StateName::Confirmed, 3)];
    assert_eq!(all(second, jan).await.unwrap(), StateCounts::from(confirmed));
    assert_eq!(bench.proposal(1).await.life.state().name(), StateName::Confirmed);
}
