//! When one of a group goes another way, the others are not erased without it.

use erasured::desk::{DeskError, Reason, Wish};
use erasured::store::JobKind;

use crate::office::Office;

const GROUP: [&str; 3] = ["prospect/1", "person/1", "member/M-1"];

async fn joined() -> Office {
    let office = Office::open().await;
    office.confirm("prospect/1", &["person/1", "member/M-1"]).await.unwrap();
    assert_eq!(office.states(&GROUP).await, GROUP.map(|record| format!("{record} confirmed (together)")));
    office
}

#[tokio::test]
async fn taking_one_back_takes_the_group_apart() {
    let office = joined().await;
    office.decide(Wish::Restore, "person/1").await;
    let because = "the confirmation of what it was confirmed together with was taken back";
    let states = office.states(&GROUP).await;
    assert_eq!(states[0], format!("prospect/1 proposed: {because}"));
    assert_eq!(states[1], "person/1 proposed");
    assert_eq!(states[2], format!("member/M-1 proposed: {because}"));
    // Each can be decided about again, alone or together.
    office.confirm("member/M-1", &["prospect/1"]).await.unwrap();
    office.run(JobKind::Erase).await;
    assert!(office.states(&["member/M-1"]).await[0].contains("erased"));
}

#[tokio::test]
async fn postponing_one_takes_the_group_apart() {
    let office = joined().await;
    let wish = Wish::Postpone { until: "2027-06-30".parse().unwrap(), reason: Reason::new("lawsuit").unwrap() };
    office.decide(wish, "member/M-1").await;
    let states = office.states(&GROUP).await;
    assert_eq!(states[0], "prospect/1 proposed: what it was confirmed together with was postponed");
    assert_eq!(states[2], "member/M-1 postponed until 2027-06-30");
}

#[tokio::test]
async fn one_no_longer_due_keeps_all() {
    for by in [JobKind::Erase, JobKind::Prepare] {
        let office = joined().await;
        office.bench.sql("UPDATE members SET left_on = '2026-11-01' WHERE no = 'M-1'").await;
        let before = office.bench.dump().await;
        if by == JobKind::Erase {
            let because = "what it was confirmed together with is not to be erased any more";
            let foreseen = office.foreseen().await;
            assert_eq!(foreseen[1], format!("person/1 returned: {because}"), "{foreseen:?}");
        }
        office.run(by).await;
        assert_eq!(office.bench.dump().await, before);
        let states = office.states(&GROUP).await;
        assert!(states[0].ends_with("is not to be erased any more"), "{states:?}");
        assert!(states[2].contains("withdrawn"), "{states:?}");
    }
}

#[tokio::test]
async fn one_that_is_another_person_keeps_all() {
    let office = joined().await;
    office.bench.sql("UPDATE persons SET last_name = 'Berger' WHERE id = 1").await;
    let before = office.bench.dump().await;
    let report = office.run(JobKind::Erase).await;
    assert_eq!(office.bench.dump().await, before);
    let returned = report.total().named().find(|(name, _)| name == "returned").map(|(_, n)| n);
    assert_eq!(returned, Some(3));
    let states = office.states(&GROUP).await;
    assert!(states[0].ends_with("has changed, and is to be decided about anew"), "{states:?}");
    assert!(states[1].contains("not the same person"), "{states:?}");
}

#[tokio::test]
async fn what_stands_in_the_way_is_said_and_nothing_is_confirmed() {
    let office = Office::open().await;
    let mut said = Vec::new();
    for (record, with) in [
        ("prospect/2", vec!["member/M-2"]),
        ("prospect/3", vec!["person/3"]),
        ("prospect/3", vec!["prospect/4"]),
        ("prospect/1", vec!["user/99"]),
    ] {
        match office.confirm(record, &with).await {
            Err(DeskError::NotTogether(failures)) => {
                said.extend(
                    failures.into_iter().map(|one| format!("{record} with {}: {}", one.record.unwrap(), one.fault)),
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(office.confirm_all_linked("prospect/2").await.is_err());
    insta::assert_snapshot!(said.join("\n"));
    assert!(
        office
            .states(&["prospect/1", "prospect/2", "prospect/3"])
            .await
            .iter()
            .all(|state| state.ends_with("proposed"))
    );
    // Alone it can be confirmed: what blocks the other is for the clerk to know.
    office.confirm("prospect/2", &[]).await.unwrap();
}

/// Under the key stands somebody else by now, and what is linked with them is not what was shown.
#[tokio::test]
async fn nothing_goes_along_with_somebody_else() {
    let office = Office::open().await;
    office.bench.sql("UPDATE prospects SET last_name = 'Berger' WHERE id = 1").await;
    assert_eq!(office.verdict(&crate::office::leave(&[]), "prospect/1").await, "nothing is linked\n");
    for confirmed in [office.confirm_all_linked("prospect/1").await, office.confirm("prospect/1", &["user/7"]).await] {
        let Err(DeskError::NotTogether(failures)) = confirmed else { panic!("{confirmed:?}") };
        assert!(failures[0].fault.to_string().contains("not the same person"), "{failures:?}");
    }
    assert_eq!(office.states(&["prospect/1", "user/7"]).await, ["prospect/1 proposed", "user/7 proposed"]);
}
