//! What was confirmed together goes in one transaction, or not at all.

use std::sync::Mutex;

use erasured::store::{Doing, JobKind};
use tokio::runtime::Handle;

use crate::office::Office;

#[tokio::test]
async fn together_they_are_deleted_where_each_alone_would_stay() {
    let office = Office::open().await;
    office.confirm("prospect/1", &["person/1", "member/M-1", "user/7"]).await.unwrap();
    let foreseen = office.foreseen().await;
    assert_eq!(foreseen, ["member/M-1 deleted", "person/1 deleted", "prospect/1 deleted", "user/7 deleted"]);
    let report = office.run(JobKind::Erase).await;
    let counts: Vec<(String, u64)> = report.total().named().map(|(name, n)| (name.to_string(), n)).collect();
    assert!(counts.contains(&("deleted".to_owned(), 4)), "{counts:?}");
    for table in ["persons WHERE id = 1", "prospects WHERE id = 1", "members WHERE no = 'M-1'", "users", "accounts"] {
        assert_eq!(office.bench.rows(&format!("SELECT count(*) FROM {table}")).await, ["0"], "{table}");
    }
    office.bench.assert_sound().await;
    let states = office.states(&["prospect/1", "person/1", "member/M-1", "user/7"]).await;
    assert!(states.iter().all(|state| state.contains("erased (deleted)")), "{states:?}");
}

#[tokio::test]
async fn alone_it_stays_while_the_other_refers_to_it() {
    let office = Office::open().await;
    office.decide(erasured::desk::Wish::Confirm, "person/1").await;
    assert_eq!(office.foreseen().await, ["person/1 anonymised"]);
    office.run(JobKind::Erase).await;
    assert_eq!(office.bench.rows("SELECT last_name FROM persons WHERE id = 1").await, ["NULL"]);
}

#[tokio::test]
async fn over_sources_each_is_erased_alone() {
    let office = Office::open().await;
    office.confirm_all_linked("customer/50").await.unwrap();
    let states = office.states(&["customer/50", "person/1", "prospect/1", "member/M-1", "user/7"]).await;
    let together = |record: &str| format!("{record} confirmed (together)");
    let four = ["person/1", "prospect/1", "member/M-1", "user/7"].map(together);
    assert_eq!(states[0], "customer/50 confirmed", "it is alone in its source");
    assert_eq!(states[1..], four);
    office.run(JobKind::Erase).await;
    let states = office.states(&["customer/50", "person/1"]).await;
    assert!(states.iter().all(|state| state.contains("erased (deleted)")), "{states:?}");
}

#[tokio::test]
async fn one_that_the_database_refuses_takes_its_group_back_and_no_other() {
    let office = Office::open().await;
    office.confirm("prospect/1", &["person/1", "member/M-1"]).await.unwrap();
    office.confirm("prospect/3", &[]).await.unwrap();
    // A second group, so that the batch is halved.
    office.bench.sql("INSERT INTO persons VALUES (4, 'Wagner', '2019-01-01', NULL); UPDATE prospects SET person_id = 4 WHERE id = 4;").await;
    office.run(JobKind::Prepare).await;
    office.confirm("prospect/4", &["person/4"]).await.unwrap();
    office
        .bench
        .sql("CREATE TRIGGER no_member BEFORE DELETE ON members WHEN old.no = 'M-1' BEGIN SELECT RAISE(ABORT, 'no'); END;")
        .await;
    let office = office.with_setting("member", "triggers = [\"no_member\"]");
    let report = office.run(JobKind::Erase).await;
    let states = office.states(&["prospect/1", "person/1", "member/M-1", "prospect/4", "person/4", "prospect/3"]).await;
    let why = "cannot delete from members: no";
    for state in &states[..3] {
        assert!(state.contains(&format!("proposed: the database refused to erase it: {why}")), "{states:?}");
    }
    let told = ["member", "person", "prospect"].map(|name| (name.to_owned(), [(why.to_owned(), 1)].into()));
    assert_eq!(report.refused, told.into());
    for state in &states[3..] {
        assert!(state.contains("erased (deleted)"), "{states:?}");
    }
    office.bench.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_that_it_erases_what_was_confirmed_together() {
    let office = Office::open().await;
    office.confirm_all_linked("customer/50").await.unwrap();
    let told = Mutex::new(Vec::new());
    let look = |id| {
        let run = tokio::task::block_in_place(|| Handle::current().block_on(office.store.run(id)));
        told.lock().unwrap().extend(run.unwrap().unwrap().report.stage.map(|stage| (stage.doing, stage.of)));
    };
    let (ended, _) = office.watched(JobKind::Erase, &look).await;
    assert!(ended.contains("Done"), "{ended}");
    let mut told = told.into_inner().unwrap();
    told.dedup();
    let together = (Doing::Together, "app".to_owned());
    assert!(told.contains(&together) && told.contains(&(Doing::Erasing, "customer".to_owned())), "{told:?}");
}
