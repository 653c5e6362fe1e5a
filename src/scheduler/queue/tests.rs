use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::ToSpan as _;
use tokio::sync::mpsc;

use super::*;
use crate::clock::{Clock as _, SetClock};

/// A run book in memory. It outlives schedulers, as the state file outlives the daemon.
#[derive(Debug, Default)]
struct Book {
    last: StdMutex<BTreeMap<JobKind, Timestamp>>,
    queue: StdMutex<VecDeque<String>>,
    written: StdMutex<Vec<String>>,
}

impl Book {
    fn queue_by_hand(&self, run: &str) {
        self.queue.lock().unwrap().push_back(run.to_owned());
    }

    fn queued(&self) -> Vec<String> {
        self.queue.lock().unwrap().iter().cloned().collect()
    }

    fn written(&self) -> Vec<String> {
        self.written.lock().unwrap().clone()
    }
}

impl RunBook for Book {
    type Run = String;
    type Error = Infallible;

    async fn last_slot(&self, job: JobKind) -> Result<Option<Timestamp>, Infallible> {
        Ok(self.last.lock().unwrap().get(&job).copied())
    }

    async fn count_from(&self, job: JobKind, at: Timestamp) -> Result<(), Infallible> {
        self.last.lock().unwrap().insert(job, at);
        Ok(())
    }

    async fn enqueue(&self, job: JobKind, slot: Timestamp) -> Result<(), Infallible> {
        self.last.lock().unwrap().insert(job, slot);
        self.written.lock().unwrap().push(format!("{job} {slot}"));
        self.queue.lock().unwrap().push_back(job.to_string());
        Ok(())
    }

    async fn look_after(&self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn take(&self) -> Result<Option<String>, Infallible> {
        Ok(self.queue.lock().unwrap().pop_front())
    }
}

/// Beats when the test says so, and says when everything before the beat has been done.
struct Hand {
    beats: mpsc::Receiver<()>,
    waiting: mpsc::Sender<()>,
}

impl Beat for Hand {
    async fn next(&mut self) -> Result<(), TimerError> {
        let _ = self.waiting.try_send(());
        self.beats.recv().await.ok_or(TimerError::Silent(Duration::ZERO))
    }
}

/// A daemon's life with a clock and a heartbeat in the test's hand.
struct Life {
    clock: Arc<SetClock>,
    beat: mpsc::Sender<()>,
    waiting: mpsc::Receiver<()>,
    timetable: watch::Sender<Arc<Timetable>>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), SchedulerError>>,
}

impl Life {
    async fn begin(book: &Arc<Book>, at: &str, timetable: Timetable) -> Self {
        let clock = Arc::new(SetClock::new(at.parse().unwrap()));
        let (beat, beats) = mpsc::channel(1);
        let (waits, waiting) = mpsc::channel(1);
        let (timetable, table) = watch::channel(Arc::new(timetable));
        let (stop, stopping) = watch::channel(false);
        let scheduler = Scheduler::new(book.clone(), clock.clone());
        let task =
            tokio::spawn(
                async move { scheduler.keep_time(&mut Hand { beats, waiting: waits }, table, stopping).await },
            );
        let mut life = Self { clock, beat, waiting, timetable, stop, task };
        life.settle().await;
        life
    }

    async fn settle(&mut self) {
        self.waiting.recv().await.unwrap();
    }

    async fn beat_at(&mut self, at: &str) {
        self.clock.set(at.parse().unwrap());
        self.beat.send(()).await.unwrap();
        self.settle().await;
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

fn nightly() -> Timetable {
    let crons = [(JobKind::Prepare, "0 2 * * *"), (JobKind::Erase, "0 4 * * Sun")];
    Timetable::of("Europe/Vienna", true, &crons)
}

#[tokio::test]
async fn a_slot_is_enqueued_once_however_often_the_daemon_starts() {
    let book = Arc::new(Book::default());
    let mut life = Life::begin(&book, "2027-06-10T12:00:00Z", nightly()).await;
    assert_eq!(book.written(), [""; 0], "nothing is owed to a daemon that was never there");
    life.beat_at("2027-06-11T00:00:00Z").await;
    life.beat_at("2027-06-11T00:01:00Z").await;
    assert_eq!(book.written(), ["prepare 2027-06-11T00:00:00Z"]);
    life.end().await;

    // Off from Friday to Monday noon: each job is owed once.
    let mut life = Life::begin(&book, "2027-06-14T12:00:00Z", nightly()).await;
    life.beat_at("2027-06-14T12:01:00Z").await;
    let caught_up = ["prepare 2027-06-14T00:00:00Z", "erase 2027-06-13T02:00:00Z"];
    assert_eq!(book.written()[1..], caught_up);
    life.end().await;

    let life = Life::begin(&book, "2027-06-14T12:02:00Z", nightly()).await;
    assert_eq!(book.written()[1..], caught_up);
    life.end().await;
}

#[tokio::test]
async fn a_clock_that_goes_back_runs_nothing_again() {
    let book = Arc::new(Book::default());
    let mut life = Life::begin(&book, "2027-06-10T12:00:00Z", nightly()).await;
    life.beat_at("2027-06-11T00:00:00Z").await;
    life.beat_at("2027-06-10T23:59:00Z").await;
    life.beat_at("2027-06-11T00:00:00Z").await;
    life.beat_at("2027-06-01T00:00:00Z").await;
    assert_eq!(book.written(), ["prepare 2027-06-11T00:00:00Z"]);
    life.end().await;
}

#[tokio::test]
async fn a_new_timetable_counts_from_its_exchange() {
    let book = Arc::new(Book::default());
    let mut life = Life::begin(&book, "2027-06-13T12:00:00Z", nightly()).await;
    // Four days later somebody makes the weekly job a daily one. It must not run on the spot.
    life.clock.set("2027-06-17T12:00:00Z".parse().unwrap());
    let daily = [(JobKind::Prepare, "0 2 * * *"), (JobKind::Erase, "0 4 * * *")];
    life.timetable.send(Arc::new(Timetable::of("Europe/Vienna", true, &daily))).unwrap();
    life.settle().await;
    assert_eq!(book.written(), ["prepare 2027-06-17T00:00:00Z"], "what the old timetable owed is not forgotten");
    life.beat_at("2027-06-18T02:00:00Z").await;
    assert_eq!(book.written()[1..], ["prepare 2027-06-18T00:00:00Z", "erase 2027-06-18T02:00:00Z"]);
    life.end().await;
}

#[tokio::test]
async fn what_fell_due_just_before_an_exchange_is_not_lost() {
    let book = Arc::new(Book::default());
    let mut life = Life::begin(&book, "2027-06-17T12:00:00Z", nightly()).await;
    life.clock.set("2027-06-18T00:00:20Z".parse().unwrap());
    let later = [(JobKind::Prepare, "0 3 * * *")];
    life.timetable.send(Arc::new(Timetable::of("Europe/Vienna", true, &later))).unwrap();
    life.settle().await;
    life.beat_at("2027-06-18T01:00:00Z").await;
    assert_eq!(book.written(), ["prepare 2027-06-18T00:00:00Z", "prepare 2027-06-18T01:00:00Z"]);
    life.end().await;
}

#[tokio::test]
async fn a_dead_timer_reaches_the_caller() {
    let book = Arc::new(Book::default());
    let Life { beat, task, stop, timetable, .. } = Life::begin(&book, "2027-06-10T12:00:00Z", nightly()).await;
    drop(beat);
    assert!(matches!(task.await.unwrap(), Err(SchedulerError::Timer(TimerError::Silent(_)))));
    drop((stop, timetable));
}

/// Takes a moment for each run, and notes how many ran at a time.
#[derive(Debug, Default)]
struct Slow {
    running: AtomicUsize,
    most_at_a_time: AtomicUsize,
    done: StdMutex<Vec<String>>,
    begun: Notify,
    go_on: Notify,
}

impl Performer<String> for Arc<Slow> {
    type Error = Infallible;

    async fn perform(&self, run: String, _stop: StopSignal) -> Result<(), Infallible> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_a_time.fetch_max(running, Ordering::SeqCst);
        self.begun.notify_one();
        self.go_on.notified().await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.done.lock().unwrap().push(run);
        Ok(())
    }
}

#[tokio::test]
async fn runs_wait_for_one_another_and_what_is_queued_at_the_end_stays_queued() {
    let book = Arc::new(Book::default());
    let clock = Arc::new(SetClock::new("2027-06-10T12:00:00Z".parse().unwrap()));
    let scheduler = Arc::new(Scheduler::new(book.clone(), clock));
    let slow = Arc::new(Slow::default());
    let (stop, stopping) = watch::channel(false);
    // Two runners by mistake: still one run at a time.
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let (scheduler, slow, stopping) = (scheduler.clone(), slow.clone(), stopping.clone());
            tokio::spawn(async move { scheduler.run_queue(&slow, stopping).await })
        })
        .collect();
    for run in ["erase by hand", "erase", "prepare"] {
        book.queue_by_hand(run);
        scheduler.ring();
    }
    slow.begun.notified().await;
    slow.go_on.notify_one();
    slow.begun.notified().await;
    // The second run is under way when the daemon is told to stop: it is finished, the third stays.
    stop.send(true).unwrap();
    slow.go_on.notify_one();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(*slow.done.lock().unwrap(), ["erase by hand", "erase"]);
    assert_eq!(book.queued(), ["prepare"]);
    assert_eq!(slow.most_at_a_time.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_scheduled_run_wakes_the_runner() {
    let book = Arc::new(Book::default());
    let now: Timestamp = "2027-06-10T12:00:00Z".parse().unwrap();
    book.count_from(JobKind::Prepare, now - 48.hours()).await.unwrap();
    let clock = Arc::new(SetClock::new(now));
    assert_eq!(clock.now(), now);
    let scheduler = Arc::new(Scheduler::new(book.clone(), clock));
    let slow = Arc::new(Slow::default());
    let (stop, stopping) = watch::channel(false);
    let runner = {
        let (scheduler, slow, stopping) = (scheduler.clone(), slow.clone(), stopping.clone());
        tokio::spawn(async move { scheduler.run_queue(&slow, stopping).await })
    };
    let (_timetable, table) = watch::channel(Arc::new(nightly()));
    let (_beat, beats) = mpsc::channel(1);
    let (waiting, _waits) = mpsc::channel(1);
    let keeper = tokio::spawn(async move { scheduler.keep_time(&mut Hand { beats, waiting }, table, stopping).await });
    slow.begun.notified().await;
    slow.go_on.notify_one();
    stop.send(true).unwrap();
    runner.await.unwrap().unwrap();
    keeper.await.unwrap().unwrap();
    assert_eq!(*slow.done.lock().unwrap(), ["prepare"]);
}
