//! How a hold ends.

use super::*;
use erasured::desk::Released;
use jiff::SignedDuration;

const TWO: &str = "[holds]\nrelease_needs_two = true\nrelease_after = \"3 days\"\n";

impl Office {
    async fn release(&self, who: &Authorised, key: &str, which: WhichHold) -> Result<Released, DeskError> {
        let reason = Reason::new("settled with Maier").unwrap();
        self.desk.release(who, "r-release", &record(key), &which, Some(&reason)).await
    }
}

#[tokio::test]
async fn each_of_several_is_released_by_its_number_or_its_reference() {
    let office = Office::prepared("").await;
    office.confirm(&["1"]).await;
    let me = vera(Permission::Hold);
    let first = office.hold("1", "A 1").await.unwrap().hold.id;
    let second = office.hold("1", "A 2").await.unwrap().hold.id;
    let third = office.hold("1", "A 3").await.unwrap().hold.id;
    assert_eq!(
        refused(office.release(&me, "1", WhichHold::Only).await),
        HoldRefused::Several(vec![first, second, third])
    );
    assert_eq!(refused(office.release(&me, "1", WhichHold::Number(99)).await), HoldRefused::NoSuchHold);
    assert_eq!(refused(office.release(&me, "1", WhichHold::Reference("A".into())).await), HoldRefused::NoSuchHold);
    office.release(&me, "1", WhichHold::Number(second.0)).await.unwrap();
    office.release(&me, "1", WhichHold::Reference("A 1".into())).await.unwrap();
    assert_eq!(office.run(JobKind::Erase).await.held, 1, "one is left");
    office.release(&me, "1", WhichHold::Only).await.unwrap();
    assert_eq!(office.run(JobKind::Erase).await.deleted, 1);
    assert!(office.held().await.is_empty());
}

#[tokio::test]
async fn two_people_and_a_waiting_time() {
    let office = Office::prepared(TWO).await;
    office.confirm(&["1"]).await;
    let (vera, kurt) = (vera(Permission::Hold), somebody(1001, "kurt", Permission::Hold, None));
    // A name given anew is not another person.
    let vera_again = somebody(1000, "vera.maier", Permission::Hold, None);
    office.hold("1", "A 1").await.unwrap();
    let Released::Asked(held) = office.release(&vera, "1", WhichHold::Only).await.unwrap() else {
        panic!("one person has released it");
    };
    let from = "2026-11-24T09:00:00Z".parse().unwrap();
    assert_eq!(held.release_from, Some(from));
    for again in [&vera, &vera_again] {
        assert_eq!(refused(office.release(again, "1", WhichHold::Only).await), HoldRefused::SamePerson);
    }
    assert_eq!(refused(office.release(&kurt, "1", WhichHold::Only).await), HoldRefused::NotYet(from));
    let now = office.clock.now();
    office.clock.set("2027-01-01T09:00:00Z".parse().unwrap());
    assert_eq!(refused(office.release(&kurt, "1", WhichHold::Only).await), HoldRefused::ClockDoubted, "nobody waited");
    office.clock.set(now);
    office.clock.advance_to("2026-11-24T08:59:59Z".parse().unwrap());
    assert_eq!(refused(office.release(&kurt, "1", WhichHold::Only).await), HoldRefused::NotYet(from));
    assert_eq!(office.run(JobKind::Erase).await.held, 1, "what is asked for is not released");
    let listed = office.held().await;
    let asked = listed[0].hold.asked.as_ref().unwrap();
    assert_eq!((asked.by.to_string().as_str(), listed[0].days), ("vera", 3));
    assert_eq!(asked.reason.text.as_deref(), Some("settled with Maier"));
    office.clock.advance_to(from);
    assert!(matches!(office.release(&kurt, "1", WhichHold::Only).await.unwrap(), Released::Over(_)));
    assert_eq!(office.run(JobKind::Erase).await.deleted, 1);
    assert_eq!(
        office.told("1").await[2..5],
        [
            "hold_set: 1 record held, by hold 1: the heirs of Maier have asked (A 1)",
            "hold_release_asked: the release of hold 1 was asked for: settled with Maier",
            "hold_released: hold 1 was released: settled with Maier"
        ]
    );
}

/// The wait counts from when the clock was believed last, or is again: it is never over at once, and never without end.
#[tokio::test]
async fn a_release_that_was_asked_for_by_a_wrong_clock_waits_as_long_as_any() {
    for days in [-30, 30] {
        let office = Office::prepared(TWO).await;
        let (vera, kurt) = (vera(Permission::Hold), somebody(1001, "kurt", Permission::Hold, None));
        office.hold("1", "A 1").await.unwrap();
        let right = office.clock.now();
        office.clock.set(right + SignedDuration::from_hours(24 * days));
        office.release(&vera, "1", WhichHold::Only).await.unwrap();
        office.clock.set(right);
        office.run(JobKind::Prepare).await;
        let from = "2026-11-24T09:00:00Z".parse().unwrap();
        assert_eq!(refused(office.release(&kurt, "1", WhichHold::Only).await), HoldRefused::NotYet(from), "{days}");
        office.clock.advance_to(from);
        assert!(matches!(office.release(&kurt, "1", WhichHold::Only).await.unwrap(), Released::Over(_)));
    }
}

#[tokio::test]
async fn where_the_settings_no_longer_want_two_people_one_releases() {
    let office = Office::prepared(TWO).await;
    let me = vera(Permission::Hold);
    office.hold("1", "A 1").await.unwrap();
    office.release(&me, "1", WhichHold::Only).await.unwrap();
    office.set("");
    assert_eq!(office.held().await[0].release_from, None);
    assert!(matches!(office.release(&me, "1", WhichHold::Only).await.unwrap(), Released::Over(_)));
}
