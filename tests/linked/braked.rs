//! A brake on the category of one record of a group stops all of it.

use erasured::store::JobKind;

use crate::office::Office;

const NOTHING_AT_ONCE: &str = "brake = { count = 0, share = \"0 %\" }";

#[tokio::test]
async fn one_whose_category_the_brake_stops_keeps_all_of_its_group() {
    let office = Office::open().await;
    office.confirm("prospect/1", &["person/1", "member/M-1"]).await.unwrap();
    office.confirm("prospect/4", &[]).await.unwrap();
    let office = office.with_setting("member", NOTHING_AT_ONCE);
    assert_eq!(office.foreseen().await, ["prospect/4 deleted"]);
    let (ended, report) = office.ended(JobKind::Erase).await;
    assert!(ended.contains("Partly") && ended.contains("member: the brake stopped it: 1 of 2 records"), "{ended}");
    assert_eq!(report.brakes.keys().collect::<Vec<_>>(), ["member"]);
    let group = ["prospect/1", "person/1", "member/M-1"];
    assert_eq!(office.states(&group).await, group.map(|record| format!("{record} confirmed (together)")));
    assert_eq!(office.states(&["prospect/4"]).await, ["prospect/4 erased (deleted)"]);
    let rows = office.bench.rows("SELECT last_name FROM prospects WHERE id IN (1, 4)").await;
    assert_eq!(rows, ["'Maier'"], "the one that was confirmed alone went");
}
