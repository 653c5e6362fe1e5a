//! The clock is set back, or ahead: no job works by it, and what is decided meanwhile is safe.

use erasured::clock::Clock as _;
use erasured::desk::{AlreadyTold, Digest};
use jiff::SignedDuration;
use serde_json::json;

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Living {
    fn set_by(&self, span: SignedDuration) {
        self.clock.set(self.clock.now().checked_add(span).unwrap());
    }

    /// What a job says that does not run.
    async fn refused_run(&self, job: &str) -> String {
        let said = self.ctl(&["run", job, "--wait", "--json"]).await;
        let run = said.json();
        assert_eq!((said.exit, &run["state"]), (Exit::Refused, &json!("failed")), "{run}");
        run["problem"]["detail"].as_str().unwrap().to_owned()
    }

    /// Lets enough time pass that it is written down how late it is.
    async fn note_time(&self) {
        self.clock.advance(SignedDuration::from_hours(1));
        self.json(&["run", "prepare", "--wait"]).await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_stops_the_jobs_until_it_is_right() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1", "customer/2"]).await;
    living.note_time().await;
    let before = living.bench.dump().await;
    living.set_by(-DAY);
    for job in ["prepare", "erase"] {
        let told = living.refused_run(job).await;
        assert!(told.contains("the clock was set back: it shows 2026-11-20T"), "{told}");
    }
    assert_eq!(living.bench.dump().await, before);
    let status = living.json(&["status"]).await;
    assert!(status["clock_problem"].as_str().unwrap().contains("set back"), "{status}");
    assert_eq!(living.json(&["list", "--state", "confirmed"]).await["total"], 2, "everybody can look");
    living.json(&["run", "erase", "--dry-run", "--wait"]).await;
    living.clock.advance(DAY);
    assert_eq!(living.json(&["status"]).await["clock_problem"], Value::Null);
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["deleted"], &run["anonymised"]), (&json!(1), &json!(1)), "once, {run}");
}

#[tokio::test]
async fn a_clock_that_was_set_far_ahead_makes_nothing_due() {
    let living = Living::prepared().await;
    living.json(&["postpone", "customer/3", "--until", "2027-06-30", "--reason", "a court case"]).await;
    living.json(&["confirm", "customer/1"]).await;
    living.note_time().await;
    let before = living.bench.dump().await;
    living.set_by(DAY * 1_500);
    for job in ["prepare", "erase"] {
        let told = living.refused_run(job).await;
        assert!(told.contains("the clock was set ahead: it shows 2030-"), "{told}");
    }
    assert_eq!(living.bench.dump().await, before);
    assert_eq!(living.json(&["show", "customer/3"]).await["state"], "postponed");
    living.set_by(-DAY * 1_500);
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!((&run["proposed"], &run["resumed"]), (&json!(0), &json!(0)), "{run}");
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["deleted"], 1);
}

/// A clerk who confirms meanwhile is not forgotten, and nothing is erased before its wait is over.
#[tokio::test]
async fn what_is_confirmed_while_the_clock_is_ahead_is_erased_in_its_time() {
    let living = Living::prepared().await;
    living.bench.category("user", &format!("cooling_off = \"7 days\"\n{USER}"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    living.set_by(DAY * 30);
    living.json(&["confirm", "customer/1", "user/anna%403"]).await;
    living.refused_run("erase").await;
    living.set_by(-DAY * 30);
    let run = living.json(&["run", "erase", "--wait"]).await;
    assert_eq!((&run["deleted"], &run["cooling_off"]), (&json!(1), &json!(1)), "{run}");
    living.clock.advance(DAY * 8);
    assert_eq!(living.json(&["run", "erase", "--wait"]).await["deleted"], 1);
}

/// What somebody would be told by now.
async fn news(living: &Living, told: &mut AlreadyTold) -> Option<Digest> {
    let health = living.desk.health().await.unwrap();
    living.desk.digest(told, &health).await.unwrap()
}

/// What somebody is told by now.
async fn notice(living: &Living, told: &mut AlreadyTold) -> Option<String> {
    let digest = news(living, told).await?;
    let subject = digest.subject();
    *told = living.desk.note_told(digest).await.unwrap();
    Some(subject)
}

/// A run that has ended at a time that is still to come is told of once, and not at every look until then.
#[tokio::test]
async fn what_was_told_before_the_clock_was_set_back_is_not_told_again() {
    let living = Living::prepared().await;
    living.note_time().await;
    let mut told = living.desk.already_told().await.unwrap();
    assert_eq!(notice(&living, &mut told).await.unwrap(), "4 new proposals");
    living.set_by(-DAY);
    // A daemon that is started now knows from the trail what was told.
    let mut of_a_start = living.desk.already_told().await.unwrap();
    assert_eq!(
        news(&living, &mut of_a_start).await.unwrap().subject(),
        "critical: the clock is not believed: no job runs"
    );
    assert_eq!(notice(&living, &mut told).await.unwrap(), "critical: the clock is not believed: no job runs");
    for _ in 0..3 {
        living.set_by(SignedDuration::from_mins(1));
        assert_eq!(notice(&living, &mut told).await, None);
    }
    living.set_by(DAY);
    assert_eq!(notice(&living, &mut told).await, None, "once");
    living.bench.sql("INSERT INTO customers VALUES (9, 'Reiter', '2015-01-01')").await;
    living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!(notice(&living, &mut told).await.unwrap(), "one new proposal");
}
