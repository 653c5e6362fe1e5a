//! A hold on one record of a group stops all of it. (One that comes while the batch is made: see `steps`.)

use erasured::desk::Reason;
use erasured::store::JobKind;

use crate::office::{Office, leave};

#[tokio::test]
async fn one_that_is_held_keeps_all_and_they_stay_confirmed() {
    let office = Office::open().await;
    office.confirm("prospect/1", &["person/1", "member/M-1"]).await.unwrap();
    let reason = Reason::new("lawsuit").unwrap();
    office.desk.hold(&leave(&[]), "request", &"member/M-1".parse().unwrap(), &reason, "3 Cg 17/26").await.unwrap();
    let said = office.verdict(&leave(&[]), "prospect/1").await;
    assert!(said.contains("member/M-1 blocked until -: held since 2026-11-21: lawsuit (3 Cg 17/26)"), "{said}");
    assert_eq!(office.foreseen().await, ["member/M-1 held", "person/1 held", "prospect/1 held"]);
    let before = office.bench.dump().await;
    let report = office.run(JobKind::Erase).await;
    assert_eq!(office.bench.dump().await, before);
    assert_eq!(report.total().named().find(|(name, _)| name == "held").map(|(_, n)| n), Some(3));
    let group = ["prospect/1", "person/1", "member/M-1"];
    assert_eq!(office.states(&group).await, group.map(|record| format!("{record} confirmed (together)")));
    // Nor is it confirmed together with what is held.
    assert!(office.confirm("user/7", &["member/M-1"]).await.is_err());
}
