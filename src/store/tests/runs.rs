//! Runs.

use super::*;

#[tokio::test]
async fn a_run_is_queued_goes_on_and_is_over() {
    let bench = Bench::new().await;
    let before = bench.last_seq().await;
    let slot = "2026-03-22T03:00:00Z".parse().unwrap();
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let trigger = RunTrigger::Schedule { slot };
    let run = change.queue_run(JobKind::Erase, &trigger, false).await.unwrap();
    assert!(change.finish_run(run, RunOutcome::Done, &RunReport::default(), None).await.is_err());
    change.start_run(run).await.unwrap();
    assert!(change.start_run(run).await.is_err());
    let mut report = RunReport::default();
    report.category(&"prospect".parse().unwrap()).deleted = 2;
    report.category(&"member".parse().unwrap()).deleted = 1;
    report.category(&"member".parse().unwrap()).dependents.kept = 4;
    change.run_progress(run, &report).await.unwrap();
    change.commit().await.unwrap();
    let mut change = turn.begin().await.unwrap();
    change.finish_run(run, RunOutcome::Partly, &report, Some("source erp is locked")).await.unwrap();
    change.commit().await.unwrap();
    drop(turn);
    let stored = bench.store.run(run).await.unwrap().unwrap();
    assert_eq!((&stored.report, &stored.trigger, stored.job), (&report, &trigger, JobKind::Erase));
    assert!(matches!(
        stored.state,
        RunState::Finished { outcome: RunOutcome::Partly, reason: Some(reason), .. } if reason == "source erp is locked"
    ));
    assert_eq!(bench.kinds_after(before).await, ["run_queued", "run_started", "run_finished"]);
    let entry = bench.entries().await.pop().unwrap();
    assert_eq!(entry.details, r#"{"counts":{"deleted":3,"dependents_kept":4},"job":"erase","outcome":"partly"}"#);
}

#[tokio::test]
async fn a_slot_is_queued_once_and_a_job_runs_once_at_a_time() {
    let bench = Bench::new().await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let trigger = RunTrigger::Schedule { slot: "2026-03-16T01:00:00Z".parse().unwrap() };
    let run = change.queue_run(JobKind::Prepare, &trigger, false).await.unwrap();
    assert!(change.queue_run(JobKind::Prepare, &trigger, false).await.is_err());
    // The bench's own run of prepare goes on.
    assert!(change.start_run(run).await.is_err());
}

#[tokio::test]
async fn what_was_interrupted_is_stopped_and_what_was_queued_stays() {
    let bench = Bench::new().await;
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    let trigger = RunTrigger::Manual { actor: vera(), request: None };
    let queued = change.queue_run(JobKind::Erase, &trigger, true).await.unwrap();
    assert_eq!(change.stop_interrupted_runs("the daemon ended").await.unwrap(), [bench.run]);
    assert!(change.stop_interrupted_runs("the daemon ended").await.unwrap().is_empty());
    change.commit().await.unwrap();
    drop(turn);
    let waiting = bench.store.queued_runs().await.unwrap();
    assert_eq!(waiting.iter().map(|run| (run.id, run.dry_run)).collect::<Vec<_>>(), [(queued, true)]);
    let page = bench.store.runs(None, 1).await.unwrap();
    assert_eq!((page.items[0].id, page.total, page.next), (queued, 2, Some(queued)));
    let page = bench.store.runs(page.next, 1).await.unwrap();
    assert_eq!((page.items[0].id, page.next), (bench.run, None));
}

#[tokio::test]
async fn slots_are_counted_and_a_queued_run_serves_them_all() {
    let bench = Bench::new().await;
    let slot =
        |hour: i8| -> Timestamp { TODAY.at(hour, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp() };
    assert_eq!(bench.store.last_slot(JobKind::Erase).await.unwrap(), None);
    let mut turn = bench.store.turn().await;
    let mut change = turn.begin().await.unwrap();
    change.count_from(JobKind::Erase, slot(9)).await.unwrap();
    change.count_from(JobKind::Erase, slot(8)).await.unwrap();
    let first = change.enqueue_slot(JobKind::Erase, slot(10)).await.unwrap();
    assert!(first.is_some());
    assert_eq!(change.enqueue_slot(JobKind::Erase, slot(11)).await.unwrap(), None);
    change.commit().await.unwrap();
    let queued = bench.store.queued_runs().await.unwrap();
    assert_eq!(queued.iter().map(|run| Some(run.id)).collect::<Vec<_>>(), [first]);
    assert_eq!(queued[0].trigger, RunTrigger::Schedule { slot: slot(10) });
    assert_eq!(bench.store.newest_run(JobKind::Erase).await.unwrap().as_ref(), queued.first());
    let mut change = turn.begin().await.unwrap();
    change.start_run(queued[0].id).await.unwrap();
    // The clock went back: a slot that has had its run has no other.
    assert_eq!(change.enqueue_slot(JobKind::Erase, slot(10)).await.unwrap(), None);
    assert!(change.enqueue_slot(JobKind::Erase, slot(12)).await.unwrap().is_some());
    change.commit().await.unwrap();
    drop(turn);
    assert_eq!(bench.store.last_slot(JobKind::Erase).await.unwrap(), Some(slot(12)));
    assert_eq!(bench.store.last_slot(JobKind::Prepare).await.unwrap(), None);
}
