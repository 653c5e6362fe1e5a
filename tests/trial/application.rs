//! The application: writes to its database all the while, and keeps a log of what it has written.
//!
//! It is a process of its own, so that its locks are. What it changes of a person it changes only as long as the person is
//! there under a name, so that its log says by itself whether the person had been erased by then: a write that found nobody
//! is not in it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::belief::cells;
use crate::dice::Dice;
use crate::world::{CUSTOMERS, LONG_AGO, OTHERS, PAIRS, USERS};

/// How long it waits for a lock before it gives up. It never has to.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Whoever has another name since is called like this.
pub const ANOTHER: &str = "Another";
/// Between two of its transactions it does something else for up to so long.
const PAUSE: Duration = Duration::from_millis(5);
/// The word that makes the program one.
pub const WORD: &str = "application";

/// What it does at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing that concerns who is due, or who anybody is.
    Calm,
    /// People come, are seen again, and go; nobody who is due becomes somebody else.
    Coming,
    /// All of that, and people become somebody else.
    Everything,
}

/// One change of one row, as the log has it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Write {
    /// A new row.
    Row(Vec<Value>),
    /// Columns of a row, by name.
    Set(Value, Map<String, Value>),
    /// A row that is no more.
    Gone(Value),
}

/// What one transaction has written: tables and rows.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    pub writes: Vec<(String, Write)>,
}

/// How it fared, in its last words.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Fared {
    /// Transactions that have committed.
    pub committed: u64,
    /// Of those, how many found nobody to change.
    pub in_vain: u64,
    /// The longest that one took, in milliseconds.
    pub longest_ms: u64,
    /// What went wrong, in the database's words.
    pub errors: Vec<String>,
}

/// The application, as the trial sees it.
pub struct Application {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Application {
    /// Starts it over this database.
    pub fn start(database: &Path, log: &Path, seed: u64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(WORD).arg(database).arg(log).arg(seed.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    fn ask<T: serde::de::DeserializeOwned>(&mut self, word: &str) -> T {
        writeln!(self.stdin, "{word}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the application broke off after {word}: {line:?}"))
    }

    /// Lets it go on like this; gives how many entries its log had until then.
    pub fn go_on(&mut self, phase: Phase) -> usize {
        self.ask(&serde_json::to_string(&phase).unwrap())
    }

    /// Ends it.
    pub fn end(mut self) -> Fared {
        let fared = self.ask("end");
        assert!(self.child.wait().unwrap().success(), "the application failed");
        fared
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // One that has ended already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the application, until it is told to end.
pub async fn work(words: &[String]) {
    let [database, log, seed] = words else { panic!("the application needs a database, a log and a seed") };
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            tell.send(line.unwrap()).unwrap();
        }
    });
    let options = SqliteConnectOptions::new().filename(database).foreign_keys(true).busy_timeout(BUSY_TIMEOUT);
    let office = Office {
        connection: SqliteConnection::connect_with(&options).await.unwrap(),
        log: File::create(PathBuf::from(log)).unwrap(),
        entries: 0,
        dice: Dice::new(seed.parse().unwrap()),
        last: [CUSTOMERS + OTHERS, 10_000, 10_000, 10_000, 10_000],
        fared: Fared::default(),
    };
    office.work(&told).await;
}

/// Which of the numbers that it gives out is meant.
#[derive(Clone, Copy)]
enum Number {
    Customer,
    Order,
    Note,
    Address,
    Session,
}

struct Office {
    connection: SqliteConnection,
    log: File,
    entries: usize,
    dice: Dice,
    /// The last number of each kind that it has given out.
    last: [i64; 5],
    fared: Fared,
}

type Written = Result<Vec<(String, Write)>, sqlx::Error>;

impl Office {
    async fn work(mut self, told: &Receiver<String>) {
        let mut phase = Phase::Calm;
        loop {
            match told.try_recv() {
                Ok(word) if word == "end" => break,
                Ok(word) => {
                    phase = serde_json::from_str(&word).unwrap();
                    answer(&self.entries);
                }
                Err(TryRecvError::Empty) => {}
                // Nobody is there any more.
                Err(TryRecvError::Disconnected) => return,
            }
            self.transaction(phase).await;
            std::thread::sleep(self.dice.moment(PAUSE));
        }
        self.connection.close().await.unwrap();
        answer(&self.fared);
    }

    /// One transaction, which takes the write lock at once, as applications should.
    async fn transaction(&mut self, phase: Phase) {
        let since = Instant::now();
        let done = self.attempt(phase).await;
        self.fared.longest_ms = self.fared.longest_ms.max(u64::try_from(since.elapsed().as_millis()).unwrap());
        match done {
            Ok(writes) if writes.is_empty() => self.fared.in_vain += 1,
            Ok(writes) => {
                self.fared.committed += 1;
                self.entries += 1;
                writeln!(self.log, "{}", serde_json::to_string(&Entry { writes }).unwrap()).unwrap();
            }
            Err(error) => {
                self.fared.errors.push(error.to_string());
                let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await;
            }
        }
    }

    async fn attempt(&mut self, phase: Phase) -> Written {
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        let writes = self.something(phase).await?;
        sqlx::raw_sql("COMMIT").execute(&mut self.connection).await?;
        Ok(writes)
    }

    async fn something(&mut self, phase: Phase) -> Written {
        let rare = self.dice.below(100);
        match (phase, rare) {
            (Phase::Calm, _) => self.unrelated().await,
            (Phase::Everything, 0..=3) => self.another_person().await,
            (_, 4..=6) => self.seen_again().await,
            (_, 7..=9) => self.goes().await,
            (_, 10..=19) => self.comes().await,
            (_, 20..=29) => self.orders().await,
            (_, 30..=34) => self.moves().await,
            (_, 35..=39) => self.signs_in().await,
            _ => self.unrelated().await,
        }
    }

    fn next(&mut self, number: Number) -> i64 {
        self.last[number as usize] += 1;
        self.last[number as usize]
    }

    fn customer(&mut self) -> i64 {
        self.dice.id(self.last[Number::Customer as usize])
    }

    /// What has nothing to do with anybody's being due, or with who they are.
    async fn unrelated(&mut self) -> Written {
        let number = self.dice.below(1_000);
        match self.dice.below(4) {
            0 => {
                let sql = "UPDATE products SET stock = ?2 WHERE id = ?1 RETURNING id";
                let id = self.dice.id(50);
                self.set("products", sql, json!(id), &[("stock", json!(number))]).await
            }
            1 => {
                let sql = "UPDATE customers SET status = ?2 WHERE id = ?1 AND last_name IS NOT NULL RETURNING id";
                let id = self.customer();
                self.set("customers", sql, json!(id), &[("status", json!(format!("status {number}")))]).await
            }
            2 => {
                let sql = "UPDATE customers SET phone = ?2 WHERE id = ?1 AND last_name IS NOT NULL RETURNING id";
                let id = self.customer();
                self.set("customers", sql, json!(id), &[("phone", json!(format!("+49 {number}")))]).await
            }
            _ => {
                let sql = "UPDATE orders SET total = ?2 WHERE id = ?1 RETURNING id";
                let id = self.dice.id(2 * CUSTOMERS);
                self.set("orders", sql, json!(id), &[("total", json!(number))]).await
            }
        }
    }

    /// Somebody who is still there has another name now: it may be another person altogether.
    async fn another_person(&mut self) -> Written {
        let name = format!("{ANOTHER} {}", self.dice.below(1_000_000));
        let (table, sql, key, column) = match self.dice.below(8) {
            0 => {
                let sql = "UPDATE users SET real_name = ?2 WHERE login = ?1 AND real_name IS NOT NULL RETURNING login";
                ("users", sql, json!(format!("user-{}", self.dice.id(USERS))), "real_name")
            }
            1 => {
                let sql = "UPDATE members SET last_name = ?2 WHERE no = ?1 AND last_name IS NOT NULL RETURNING no";
                ("members", sql, json!(format!("M-{}", self.dice.id(PAIRS))), "last_name")
            }
            2 => {
                let sql = "UPDATE persons SET last_name = ?2 WHERE id = ?1 AND last_name IS NOT NULL RETURNING id";
                ("persons", sql, json!(self.dice.id(PAIRS)), "last_name")
            }
            _ => {
                let sql = "UPDATE customers SET last_name = ?2 WHERE id = ?1 AND last_name IS NOT NULL RETURNING id";
                ("customers", sql, json!(self.customer()), "last_name")
            }
        };
        self.set(table, sql, key, &[(column, json!(name))]).await
    }

    /// Somebody is heard of again, and not due any more.
    async fn seen_again(&mut self) -> Written {
        let today = today();
        if self.dice.below(6) == 0 {
            let sql = "UPDATE users SET last_seen_on = ?2 WHERE login = ?1 AND real_name IS NOT NULL RETURNING login";
            let login = json!(format!("user-{}", self.dice.id(USERS)));
            return self.set("users", sql, login, &[("last_seen_on", json!(today))]).await;
        }
        let sql = "UPDATE customers SET last_contact_on = ?2 WHERE id = ?1 AND last_name IS NOT NULL RETURNING id";
        let id = self.customer();
        self.set("customers", sql, json!(id), &[("last_contact_on", json!(today))]).await
    }

    /// The application deletes somebody itself.
    async fn goes(&mut self) -> Written {
        let id = json!(self.customer());
        let there = self.rows("SELECT id FROM customers WHERE id = ?1 AND last_name IS NOT NULL", &[&id]).await?;
        let mut writes = Vec::new();
        if there.is_empty() {
            return Ok(writes);
        }
        for (table, sql) in [
            (
                "order_notes",
                "DELETE FROM order_notes WHERE order_id IN (SELECT id FROM orders WHERE customer_id = ?1) RETURNING id",
            ),
            ("orders", "DELETE FROM orders WHERE customer_id = ?1 RETURNING id"),
            ("addresses", "DELETE FROM addresses WHERE customer_id = ?1 RETURNING id"),
            ("customers", "DELETE FROM customers WHERE id = ?1 RETURNING id"),
        ] {
            for mut row in self.rows(sql, &[&id]).await? {
                writes.push((table.to_owned(), Write::Gone(row.remove(0))));
            }
        }
        Ok(writes)
    }

    /// A new customer, who may have been due for years: the data of another system is taken over.
    async fn comes(&mut self) -> Written {
        let id = self.next(Number::Customer);
        let since = if self.dice.below(2) == 0 { LONG_AGO.to_owned() } else { today() };
        let sql = "INSERT INTO customers VALUES (?1, ?2, ?3, NULL, ?4, 1, 'new') RETURNING *";
        let [name, email] = [format!("Name {id}"), format!("mail-{id}@example.org")];
        let mut writes =
            self.rows_made("customers", sql, &[&json!(id), &json!(name), &json!(email), &json!(since)]).await?;
        let address = json!(self.next(Number::Address));
        let sql = "INSERT INTO addresses VALUES (?1, ?2, 'new street') RETURNING *";
        writes.extend(self.rows_made("addresses", sql, &[&address, &json!(id)]).await?);
        Ok(writes)
    }

    /// Somebody orders something, with a note or without.
    async fn orders(&mut self) -> Written {
        let (order, customer) = (json!(self.next(Number::Order)), json!(self.customer()));
        let sql = "INSERT INTO orders SELECT ?1, id, last_name, 7 FROM customers WHERE id = ?2 AND last_name IS NOT NULL \
                   RETURNING *";
        let mut writes = self.rows_made("orders", sql, &[&order, &customer]).await?;
        if !writes.is_empty() && self.dice.below(2) == 0 {
            let note = json!(self.next(Number::Note));
            let sql = "INSERT INTO order_notes VALUES (?1, ?2, 'ring twice') RETURNING *";
            writes.extend(self.rows_made("order_notes", sql, &[&note, &order]).await?);
        }
        Ok(writes)
    }

    /// Somebody has one more address.
    async fn moves(&mut self) -> Written {
        let (address, customer) = (json!(self.next(Number::Address)), json!(self.customer()));
        let sql = "INSERT INTO addresses SELECT ?1, id, 'beside ' || last_name FROM customers \
                   WHERE id = ?2 AND last_name IS NOT NULL RETURNING *";
        self.rows_made("addresses", sql, &[&address, &customer]).await
    }

    /// A user signs in, on a machine that tells the time wrongly.
    async fn signs_in(&mut self) -> Written {
        let (session, login) = (json!(self.next(Number::Session)), json!(format!("user-{}", self.dice.id(USERS))));
        let sql =
            "INSERT INTO sessions SELECT ?1, login FROM users WHERE login = ?2 AND real_name IS NOT NULL RETURNING *";
        self.rows_made("sessions", sql, &[&session, &login]).await
    }

    async fn rows_made(&mut self, table: &str, sql: &'static str, binds: &[&Value]) -> Written {
        let rows = self.rows(sql, binds).await?;
        Ok(rows.into_iter().map(|row| (table.to_owned(), Write::Row(row))).collect())
    }

    async fn set(&mut self, table: &str, sql: &'static str, key: Value, columns: &[(&str, Value)]) -> Written {
        let binds: Vec<&Value> = std::iter::once(&key).chain(columns.iter().map(|(_, value)| value)).collect();
        let found = self.rows(sql, &binds).await?;
        let set: Map<String, Value> =
            columns.iter().map(|(column, value)| ((*column).to_owned(), value.clone())).collect();
        Ok(found.iter().map(|_| (table.to_owned(), Write::Set(key.clone(), set.clone()))).collect())
    }

    async fn rows(&mut self, sql: &'static str, binds: &[&Value]) -> Result<Vec<Vec<Value>>, sqlx::Error> {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for bind in binds {
            query = match bind {
                Value::String(text) => query.bind(text.clone()),
                other => query.bind(other.as_i64()),
            };
        }
        let rows: Vec<SqliteRow> = query.fetch_all(&mut self.connection).await?;
        debug_assert!(rows.iter().all(|row| !row.is_empty()));
        Ok(rows.iter().map(cells).collect())
    }
}

fn answer(what: &impl Serialize) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(what).unwrap()).unwrap();
    out.flush().unwrap();
}

/// Today; a day more or less makes no difference here.
fn today() -> String {
    use erasured::clock::Clock as _;
    let now = erasured::clock::SystemClock.now();
    now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
