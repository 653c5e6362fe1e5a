//! What goes along: records that were marked, that were confirmed before, that need another person or more time.

use erasured::desk::{DeskError, LinkedFault, Reason, Wish};
use erasured::store::JobKind;

use crate::office::{Office, leave};

#[tokio::test]
async fn one_that_is_not_due_goes_along_once_it_is_marked() {
    let office = Office::open().await;
    assert!(matches!(
        office.confirm("prospect/3", &["person/3"]).await,
        Err(DeskError::NotTogether(failures)) if matches!(failures[0].fault, LinkedFault::NotDue(_))
    ));
    let reason = Reason::new("asked for it").unwrap();
    office.desk.mark(&leave(&[]), "request", &"person/3".parse().unwrap(), &reason).await.unwrap();
    assert!(
        office.verdict(&leave(&[]), "prospect/3").await.contains("person/3 marked by a clerk [anonymised / deleted]")
    );
    office.confirm("prospect/3", &["person/3"]).await.unwrap();
    office.run(JobKind::Erase).await;
    let states = office.states(&["prospect/3", "person/3"]).await;
    assert!(states.iter().all(|state| state.contains("erased (deleted)")), "{states:?}");
}

#[tokio::test]
async fn one_that_was_confirmed_before_is_tied_to_the_others() {
    let office = Office::open().await;
    office.decide(Wish::Confirm, "person/1").await;
    office.confirm("prospect/1", &["person/1"]).await.unwrap();
    let states = office.states(&["prospect/1", "person/1"]).await;
    assert!(states.iter().all(|state| state.ends_with("confirmed (together)")), "{states:?}");
    // But not away from those that it was confirmed together with.
    let refused = office.confirm("member/M-1", &["person/1"]).await;
    assert!(
        matches!(&refused, Err(DeskError::NotTogether(failures)) if failures[0].fault == LinkedFault::Elsewhere),
        "{refused:?}"
    );
    assert_eq!(office.states(&["member/M-1"]).await, ["member/M-1 proposed"]);
    office.confirm("member/M-1", &["person/1", "prospect/1"]).await.unwrap();
}

#[tokio::test]
async fn all_wait_for_the_second_person_of_one() {
    let office = Office::open().await.with_setting("person", "decisions = 2");
    office.confirm("prospect/1", &["person/1"]).await.unwrap();
    assert_eq!(
        office.states(&["prospect/1", "person/1"]).await,
        ["prospect/1 confirmed (together)", "person/1 proposed, and confirmed by one of two (together)"]
    );
    let before = office.bench.dump().await;
    office.run(JobKind::Erase).await;
    assert_eq!(office.bench.dump().await, before, "one of the two is not confirmed");
    // Taken back, it takes along the first confirmation of the one that waits.
    office.decide(Wish::Restore, "prospect/1").await;
    assert_eq!(office.states(&["prospect/1", "person/1"]).await, ["prospect/1 proposed", "person/1 proposed"]);
}

#[tokio::test]
async fn all_wait_for_the_longest_cooling_off() {
    let office = Office::open().await.with_setting("person", "cooling_off = \"7 days\"");
    office.confirm("prospect/1", &["person/1"]).await.unwrap();
    let before = office.bench.dump().await;
    assert_eq!(office.foreseen().await, Vec::<String>::new());
    office.run(JobKind::Erase).await;
    assert_eq!(office.bench.dump().await, before);
    assert_eq!(office.states(&["prospect/1"]).await, ["prospect/1 confirmed (together)"]);
}
