//! A hold that comes while the final run is in flight, at every step of a batch.

use std::sync::mpsc;
use std::time::Duration;

use super::*;
use erasured::erasure::POINTS;

/// Nothing in these tests takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stops the run at this place, once, until it is told to go on.
struct Stopped {
    reached: tokio::sync::oneshot::Receiver<()>,
    go_on: mpsc::Sender<()>,
    point: &'static str,
}

impl Stopped {
    fn at(point: &'static str) -> Self {
        let (reach, reached) = tokio::sync::oneshot::channel();
        let (go_on, going) = mpsc::channel();
        let once = std::sync::Mutex::new(Some((reach, going)));
        fail::cfg_callback(point, move || {
            let first = once.lock().unwrap().take();
            if let Some((reach, going)) = first {
                reach.send(()).unwrap();
                going.recv_timeout(PATIENCE).unwrap();
            }
        })
        .unwrap();
        Self { reached, go_on, point }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        fail::remove(self.point);
    }
}

/// Sets a hold on customer 1 when the run is at this place; gives what came of it, and what the run did.
async fn held_at(office: &Arc<Office>, point: &'static str) -> (Result<HeldRecord, DeskError>, Counts) {
    let mut stopped = Stopped::at(point);
    let erasing = tokio::spawn({
        let office = Arc::clone(office);
        async move { office.run(JobKind::Erase).await }
    });
    tokio::time::timeout(PATIENCE, &mut stopped.reached).await.unwrap().unwrap();
    let holding = tokio::spawn({
        let office = Arc::clone(office);
        async move { office.hold("1", "A 1").await }
    });
    // It waits for the batch, and the batch for us: until the one is on its way, the other does not go on.
    let seen = async {
        while office.store.held_among(&[&record("1")]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap();
    assert!(!holding.is_finished(), "{point}: it waits for the batch");
    assert!(!erasing.is_finished(), "{point}: the batch waits for the test");
    stopped.go_on.send(()).unwrap();
    let counts = tokio::time::timeout(PATIENCE, erasing).await.unwrap().unwrap();
    (tokio::time::timeout(PATIENCE, holding).await.unwrap().unwrap(), counts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hold_stops_the_record_up_to_the_intent_and_comes_too_late_from_then_on() {
    // Only a batch of several categories passes between two of them.
    let points: Vec<&str> = POINTS.into_iter().filter(|point| *point != "category-changed").collect();
    let last = points.iter().position(|point| *point == "outcome-written").unwrap();
    let first_late = points.iter().position(|point| *point == "intent-written").unwrap();
    assert_eq!((first_late, last), (2, 6), "the places of a batch, in their order");
    for (place, point) in points.into_iter().enumerate().take(last + 1) {
        let office = Arc::new(Office::prepared("").await);
        office.confirm(&["1", "2", "3"]).await;
        let (held, counts) = held_at(&office, point).await;
        let entries = office.told("1").await;
        let kinds: Vec<&str> = entries.iter().map(|told| told.split(':').next().unwrap()).collect();
        if place < first_late {
            held.unwrap_or_else(|error| panic!("{point}: {error}"));
            assert_eq!((counts.deleted, counts.anonymised, counts.held, counts.left), (1, 1, 1, 1), "{point}");
            assert_eq!(office.customers().await, ["1|'Maier'", "2|NULL", "4|'Bauer'"], "{point}");
            assert_eq!(office.state("1").await, StateName::Confirmed, "{point}");
            assert_eq!(kinds, ["proposed", "confirmed", "hold_set"], "{point}");
        } else {
            assert_eq!(refused(held), HoldRefused::Erased(office.clock.now()), "{point}");
            assert_eq!((counts.deleted, counts.anonymised, counts.held, counts.left), (2, 1, 0, 0), "{point}");
            assert_eq!(office.customers().await, ["2|NULL", "4|'Bauer'"], "{point}");
            assert!(office.held().await.is_empty(), "{point}");
            assert_eq!(kinds, ["proposed", "confirmed", "batch_intent", "erased", "hold_too_late"], "{point}");
        }
        assert!(office.desk.verify(&vera(Permission::Audit)).await.unwrap().report.fault.is_none(), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_of_nothing_but_what_is_held_by_now_comes_to_nothing() {
    let office = Arc::new(Office::prepared("").await);
    office.confirm(&["1"]).await;
    let (held, counts) = held_at(&office, "batch-planned").await;
    held.unwrap();
    assert_eq!((counts.deleted, counts.held, counts.left), (0, 1, 1));
    assert!(office.store.open_batches().await.unwrap().is_empty());
    // What was announced and has come to its end blocks nothing.
    office.desk.release(&vera(Permission::Hold), "r", &record("1"), &WhichHold::Only, None).await.unwrap();
    assert_eq!(office.run(JobKind::Erase).await.deleted, 1);
}
