//! What is asked after every fault.

use std::time::Duration;

use serde_json::Value;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::common::Bench;
use crate::process::{Answer, Site};

/// How long the application waits for a lock before it tells its user that something is wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// A run that is not done, whatever else: what the client says, and the run.
pub fn undone(site: &Site, job: &str, state: &str) -> (Answer, Value) {
    let answer = site.ctl(&["run", job, "--wait", "--json"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let run = answer.json();
    assert_eq!(run["state"], state, "{run}");
    (answer, run)
}

/// What a run says is wrong.
pub fn why(run: &Value) -> String {
    run["problem"]["detail"].as_str().unwrap_or_else(|| panic!("nothing is wrong with {run}")).to_owned()
}

/// That the application can write, within its own patience.
pub async fn assert_writable(bench: &Bench) {
    let options = SqliteConnectOptions::new().filename(bench.database()).busy_timeout(PATIENCE);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for sql in ["BEGIN IMMEDIATE", "UPDATE customers SET last_contact_on = last_contact_on", "COMMIT"] {
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    connection.close().await.unwrap();
}

/// What is wrong with the source, as `status` says.
pub fn problem(site: &Site) -> Value {
    site.json(&["status"])["sources"][0]["problem"].clone()
}
