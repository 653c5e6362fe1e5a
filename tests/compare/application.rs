//! The application: writes and reads its database at a steady pace, whatever happens beside it.
//!
//! An open loop: each transaction is due at its time, whether or not the one before has ended, and its latency is counted from
//! then on. A stall is thereby felt by all that queue behind it, as people feel it.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::data::{Standing, mix, standing};
use crate::fault::{Doing as _, Fault, Outcome};
use crate::measure::{Latencies, microseconds};
use crate::sql::{Bind, Sql};

/// Between two transactions, for the writer and the reader each.
const EVERY: Duration = Duration::from_millis(20);
/// What is told of errors.
const ERRORS_TOLD: usize = 3;
/// What says that the application is at work.
pub const AT_WORK: &str = "at work";

/// What the application needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spec {
    /// Its database.
    pub database: PathBuf,
    /// How many customers it has had.
    pub customers: u64,
    /// Today, as text.
    pub today: String,
    /// Makes its choices.
    pub seed: u64,
}

/// How the application fared.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Fared {
    /// Of its transactions that write.
    pub writes: Latencies,
    /// Of its statements that read.
    pub reads: Latencies,
    /// How many of either failed.
    pub errors: u64,
    /// Some of the errors, in words.
    pub told: Vec<String>,
}

impl Fared {
    /// Takes what happened at another time for more of the same.
    pub fn add(&mut self, other: Self) {
        self.writes.0.extend(other.writes.0);
        self.reads.0.extend(other.reads.0);
        self.errors += other.errors;
        self.told.extend(other.told);
        self.told.truncate(ERRORS_TOLD);
    }
}

/// Works until standard input ends.
pub fn work(spec: &Spec) -> Outcome<Fared> {
    let is_over = AtomicBool::new(false);
    let mut writer = Sql::application(&spec.database)?;
    let mut reader = Sql::application(&spec.database)?;
    // Files are opened and statements prepared before it counts.
    write(&mut writer, spec, spec.seed)?;
    read(&mut reader, spec, spec.seed)?;
    writeln!(std::io::stdout(), "{AT_WORK}").doing("say so")?;
    let began = Instant::now();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| paced(began, &is_over, |dice| write(&mut writer, spec, spec.seed ^ dice)));
        let reading = scope.spawn(|| paced(began, &is_over, |dice| read(&mut reader, spec, spec.seed ^ !dice)));
        let mut rest = Vec::new();
        let heard = std::io::stdin().read_to_end(&mut rest).doing("wait for the end");
        is_over.store(true, Ordering::Relaxed);
        let broken = |_| Fault::new("the application broke off");
        let (writing, reading) = (writing.join().map_err(broken)?, reading.join().map_err(broken)?);
        heard?;
        let told = writing.1.iter().chain(&reading.1).take(ERRORS_TOLD).cloned().collect();
        let errors = (writing.1.len() + reading.1.len()) as u64;
        Ok(Fared { writes: writing.0, reads: reading.0, errors, told })
    })
}

/// Does something at its pace until it is over, and what was due until then.
fn paced(began: Instant, is_over: &AtomicBool, mut act: impl FnMut(u64) -> Outcome<()>) -> (Latencies, Vec<String>) {
    let (mut latencies, mut errors) = (Latencies::default(), Vec::new());
    let mut ended = None;
    for turn in 1_u32.. {
        let due = began + EVERY * turn;
        if let Some(wait) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(wait);
        }
        if ended.is_none() && is_over.load(Ordering::Relaxed) {
            ended = Some(Instant::now());
        }
        if ended.is_some_and(|ended| due > ended) {
            break;
        }
        if let Err(error) = act(u64::from(turn)) {
            errors.push(error.to_string());
        }
        latencies.0.push(microseconds(due.elapsed()));
    }
    (latencies, errors)
}

/// A customer who is not due, and stays so.
fn somebody(spec: &Spec, dice: u64) -> i64 {
    let mut dice = mix(dice);
    loop {
        let id = dice % spec.customers + 1;
        if standing(id) == Standing::NotDue {
            return i64::try_from(id).unwrap_or(1);
        }
        dice = mix(dice);
    }
}

/// A customer orders something.
fn write(sql: &mut Sql, spec: &Spec, dice: u64) -> Outcome<()> {
    let (customer, today) = (Bind::Number(somebody(spec, dice)), Bind::Text(&spec.today));
    let order = "INSERT INTO orders (customer_id, ordered_on, total_cents, ship_name, shipping) \
                 VALUES (?1, ?2, 1990, 'somebody', 'parcel')";
    let contact = "UPDATE customers SET last_contact_on = ?2 WHERE id = ?1";
    sql.run("BEGIN IMMEDIATE", &[])?;
    let done = [order, contact].iter().try_for_each(|statement| sql.run(statement, &[customer, today]).map(drop));
    let done = done.and_then(|()| sql.run("COMMIT", &[]).map(drop));
    if done.is_err() {
        // So that the next one can begin; it may have been rolled back already.
        let _ = sql.run("ROLLBACK", &[]);
    }
    done
}

/// Somebody looks at a customer, or at a few orders.
fn read(sql: &mut Sql, spec: &Spec, dice: u64) -> Outcome<()> {
    let somebody = somebody(spec, dice);
    let statement = match dice % 2 {
        0 => "SELECT * FROM customers WHERE id = ?1",
        _ => "SELECT * FROM orders WHERE id BETWEEN ?1 AND ?1 + 20",
    };
    sql.touch(statement, &[Bind::Number(somebody)]).map(drop)
}
