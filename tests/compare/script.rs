//! What somebody would write by hand instead of `erasured`: set statements, with care for durability and for removed bytes.
//!
//! It checks the criterion again before it erases, and it does nothing else of what the daemon does: it does not know whether
//! a record is still the same person, counts nothing, verifies nothing, and leaves no record of what it did.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::fault::{Doing as _, Outcome, go_on};
use crate::measure::{Latencies, microseconds};
use crate::process::own_peak_kib;
use crate::settings::CATEGORY;
use crate::sql::{Bind, Sql};

/// Proposing, as one statement.
#[derive(Debug, Serialize, Deserialize)]
pub struct Propose {
    /// The application's database.
    pub source: PathBuf,
    /// A state in which the daemon has proposed the same: what its tables and rows are like.
    pub like: PathBuf,
    /// The file to make.
    pub target: PathBuf,
    /// The latest last contact that is due.
    pub cutoff: String,
}

/// What proposing took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Proposed {
    /// Rows that were written.
    pub rows: u64,
    /// From the statement's beginning until all of it was synced.
    pub seconds: f64,
    /// The most memory that the process had.
    pub peak_kib: u64,
}

/// Tables, indexes and all, as the daemon makes them.
const SCHEMA: &str = "SELECT sql FROM like_this.sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY rowid";
/// What proposals refer to.
const REFERRED: &str = "INSERT INTO main.fingerprint_form SELECT * FROM like_this.fingerprint_form; \
     INSERT INTO main.run SELECT * FROM like_this.run; DETACH like_this;";
/// One pass through the table in key order, which is quicker than the index on the date when so many are due: both the
/// customers and the proposals' indexes are then met in their own order.
const PROPOSE: &str = "INSERT INTO proposal (category, key, source, unit, origin, criterion, rule_version, due_on, \
     fingerprint, form, run, proposed_at, version, postponed_count, state) \
     SELECT ?1, c.id, 'app', NULL, 'criterion', 'inactive', ?2, date(c.last_contact_on, '+3 years'), randomblob(32), ?3, ?4, \
     ?5, 1, 0, 'proposed' FROM source.customers AS c NOT INDEXED WHERE c.last_contact_on <= ?6";

/// Proposes, and gives what it took.
pub fn propose(spec: &Propose) -> Outcome<Proposed> {
    let mut sql = Sql::state_like(&spec.target)?;
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    sql.run("ATTACH ?1 AS like_this", &[Bind::Text(&text(&spec.like))])?;
    for statement in sql.column::<String>(SCHEMA, &[])? {
        sql.script(&statement)?;
    }
    let example = |column: &str| format!("SELECT {column} FROM like_this.proposal LIMIT 1");
    let version: Vec<String> = sql.column(&example("rule_version"), &[])?;
    let at: Vec<String> = sql.column(&example("proposed_at"), &[])?;
    let (form, run) = (sql.number(&example("form"))?, sql.number(&example("run"))?);
    sql.script(REFERRED)?;
    sql.script("PRAGMA wal_checkpoint(TRUNCATE)")?;
    sql.run("ATTACH ?1 AS source", &[Bind::Text(&text(&spec.source))])?;
    let binds = [
        Bind::Text(CATEGORY),
        Bind::Text(version.first().map_or("", String::as_str)),
        Bind::Number(form),
        Bind::Number(run),
        Bind::Text(at.first().map_or("", String::as_str)),
        Bind::Text(&spec.cutoff),
    ];
    let began = Instant::now();
    let rows = sql.run(PROPOSE, &binds)?;
    let seconds = began.elapsed().as_secs_f64();
    sql.close()?;
    Ok(Proposed { rows, seconds, peak_kib: own_peak_kib()? })
}

/// Erasing what was proposed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Erase {
    /// The application's database.
    pub source: PathBuf,
    /// The file that [`propose`] made.
    pub proposals: PathBuf,
    /// The latest last contact that is due.
    pub cutoff: String,
    /// Records of one transaction; none: all in one.
    pub batch: Option<usize>,
    /// Stops behind the batch in which so much time was over.
    pub seconds_max: Option<f64>,
}

/// What erasing took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Erased {
    /// Customers deleted or anonymised.
    pub records: u64,
    /// From reading the keys to the last commit.
    pub seconds: f64,
    /// How long each transaction had the database.
    pub locks: Latencies,
    /// The most memory that the process had.
    pub peak_kib: u64,
}

const KEYS: &str = "SELECT json_group_array(CAST(key AS INTEGER)) FROM (SELECT key FROM proposal ORDER BY id)";
/// Whom a transaction is about: those of the batch that are still due.
const STILL_DUE: &str = "DELETE FROM temp.victim WHERE id NOT IN \
     (SELECT c.id FROM temp.victim AS v CROSS JOIN customers AS c ON c.id = v.id WHERE c.last_contact_on <= ?1)";
const STATEMENTS: [&str; 4] = [
    "DELETE FROM addresses WHERE customer_id IN (SELECT id FROM temp.victim)",
    "UPDATE orders SET ship_name = NULL WHERE customer_id IN (SELECT id FROM temp.victim)",
    "UPDATE customers SET first_name = NULL, last_name = 'erased', email = 'erased-' || id || '@example.invalid', \
     phone = NULL WHERE id IN (SELECT id FROM temp.victim) \
     AND EXISTS (SELECT 1 FROM orders AS o WHERE o.customer_id = customers.id)",
    "DELETE FROM customers WHERE id IN (SELECT id FROM temp.victim) \
     AND NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.customer_id = customers.id)",
];
/// Those of the statements that change records; the others change what depends on them.
const CHANGE_RECORDS: usize = 2;

/// Erases, and gives what it took.
pub fn erase(spec: &Erase) -> Outcome<Erased> {
    let mut sql = Sql::source(&spec.source)?;
    sql.script("CREATE TEMP TABLE victim (id INTEGER PRIMARY KEY)")?;
    let began = Instant::now();
    let mut proposals = Sql::reading(&spec.proposals)?;
    let keys: Vec<i64> = proposals.list(KEYS, &[])?;
    proposals.close()?;
    let (mut records, mut locks) = (0, Vec::new());
    let limit = spec.seconds_max.map(Duration::from_secs_f64);
    for batch in keys.chunks(spec.batch.unwrap_or(keys.len()).max(1)) {
        go_on()?;
        let keys = serde_json::to_string(batch).doing("write keys")?;
        sql.run("DELETE FROM temp.victim", &[])?;
        sql.run("INSERT INTO temp.victim SELECT value FROM json_each(?1)", &[Bind::Text(&keys)])?;
        let (changed, held) = transaction(&mut sql, &spec.cutoff)?;
        records += changed;
        locks.push(microseconds(held));
        if limit.is_some_and(|limit| began.elapsed() > limit) {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    sql.close()?;
    Ok(Erased { records, seconds, locks: Latencies(locks), peak_kib: own_peak_kib()? })
}

/// Erases those in `victim`; gives how many, and how long nobody else could write.
fn transaction(sql: &mut Sql, cutoff: &str) -> Outcome<(u64, Duration)> {
    sql.run("BEGIN IMMEDIATE", &[])?;
    let held = Instant::now();
    sql.run(STILL_DUE, &[Bind::Text(cutoff)])?;
    let changed: Vec<u64> =
        STATEMENTS.iter().map(|statement| sql.run(statement, &[])).collect::<Outcome<Vec<u64>>>()?;
    sql.run("COMMIT", &[])?;
    Ok((changed.iter().rev().take(CHANGE_RECORDS).sum(), held.elapsed()))
}
