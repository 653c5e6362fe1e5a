//! What is told: figures as a table or as one JSON object, and what each of them means.

use std::fmt::Display;
use std::io::{self, Write as _};

use serde_json::{Map, Value, json};

use crate::fault::{Doing as _, Outcome};
use crate::measure::rounded;

/// Tells whoever waits how it goes on.
pub fn talk(what: impl Display) {
    // Who closes stderr does not want to be told.
    let _ = writeln!(io::stderr().lock(), "{what}");
}

/// The figures that stand at the top level of the report: name, bar, meaning.
pub const FIGURES: [(&str, &str, &str); 30] = [
    (
        "customers",
        "",
        "rows of the table of customers; there are three orders and one address for each, and 40 % are due",
    ),
    ("due", "", "records that are due, proposed, confirmed and erased"),
    ("runs", "", "how often each measurement was made; figures are medians, latencies and memory the worst"),
    (
        "prepare_time_ratio",
        "<= 1.5",
        "time of the daemon's prepare against one INSERT ... SELECT of the same rows with the same indexes, synced",
    ),
    ("prepare_rows_per_s", "", "records proposed a second by the daemon"),
    ("confirm_rows_per_s", "", "records confirmed a second, ten thousand a request, through the socket"),
    (
        "erase_rate_ratio",
        ">= 0.8",
        "records a second of the daemon's erase against a hand-written loop of 1,000 a transaction; application quiet, write-ahead log",
    ),
    ("erase_rate_ratio_one_transaction", "", "the same against a script that does everything in one transaction"),
    ("erase_rows_per_s", "", "records erased a second by the daemon"),
    (
        "erase_lock_p99_ms",
        "",
        "how long the daemon's batches have the database: 99 % of them at most so long; null where its log does not say",
    ),
    ("erase_lock_max_ms", "", "the longest of them"),
    (
        "unindexed_rate_ratio",
        ">= 0.5",
        "the daemon's rate where the addresses' reference has no index, against its rate where it has one",
    ),
    ("unindexed_rows_per_s", "", "that rate"),
    (
        "write_p99_ms",
        "< 100",
        "the application's writes, 50 transactions a second in an open loop, beside erase or prepare: 99 % end so soon after they were due; the worse of both journal modes and both jobs",
    ),
    ("write_max_ms", "< 250 or 2x alone", "the longest of them, likewise"),
    ("write_max_alone_ms", "", "the longest where the application is alone, the worse of both journal modes"),
    (
        "write_p50_ratio",
        "<= 2",
        "the middle one beside erase against the middle one alone, the worse of both journal modes",
    ),
    ("read_p99_ms", "", "the application's reads beside erase or prepare, likewise"),
    ("neighbour_errors", "0", "statements of the application that failed, over all"),
    ("peak_rss_mib", "< 64", "the most memory that the daemon had in prepare and erase"),
    ("state_bytes_per_record", "", "size of the daemon's database after everything is erased, by records"),
    ("source_log_max_mib", "", "the largest that the source's write-ahead log was while the daemon erased"),
    ("idle_rss_mib", "< 20", "memory of a daemon that has nothing to do"),
    ("idle_wakeups_per_hour", "<= 8000", "how often its threads wake up, watchdog included"),
    ("start_to_ready_ms", "", "from start to READY with an empty state"),
    ("start_to_ready_big_ms", "", "the same with everything proposed and erased in the state"),
    (
        "list_first_page_ms",
        "",
        "erasurectl list of the first page of all open proposals, from start to end of the client",
    ),
    ("list_next_page_ms", "", "the same for the page behind it"),
    (
        "audit_verify_entries_per_s",
        "",
        "entries of a trail of small entries that erasurectl audit verify checks a second",
    ),
    ("audit_verify_mib_per_s", "", "the same for the trail of this benchmark, whose entries are large"),
];

/// Values that stand beside one another in the table.
const ONE_LINE: usize = 4;

/// The figures.
#[derive(Debug, Default)]
pub struct Figures(Map<String, Value>);

impl Figures {
    /// Notes a figure, or what belongs to figures.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Notes a figure unless a worse one is noted.
    pub fn raise(&mut self, name: &str, value: f64) {
        let before = self.number(name).unwrap_or(0.0);
        self.set(name, json!(rounded(value.max(before))));
    }

    /// A figure that is noted.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    /// As one line of JSON: first what stands at the top level in the order of [`FIGURES`], then all that belongs to it.
    pub fn line(&self) -> Outcome<String> {
        let mut parts = Vec::new();
        for (name, value) in self.in_order() {
            let value = serde_json::to_string(&value).doing("write the report")?;
            parts.push(format!("{}:{value}", json!(name)));
        }
        Ok(format!("{{{}}}", parts.join(",")))
    }

    fn in_order(&self) -> impl Iterator<Item = (&str, Value)> {
        let first = FIGURES.iter().map(|(name, ..)| (*name, self.0.get(*name).cloned().unwrap_or(Value::Null)));
        let is_first = |name: &str| FIGURES.iter().any(|(known, ..)| *known == name);
        let rest = self.0.iter().filter(move |(name, _)| !is_first(name));
        first.chain(rest.map(|(name, value)| (name.as_str(), value.clone())))
    }

    /// As people read it.
    pub fn table(&self) -> String {
        let mut lines = vec![format!("{:<34}{:>14}  {}", "FIGURE", "VALUE", "BAR")];
        for (name, bar, _) in FIGURES {
            let value = match self.0.get(name) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(value) => value.to_string(),
            };
            lines.push(format!("{name:<34}{value:>14}  {bar}"));
        }
        for (name, value) in self.0.iter().filter(|(_, value)| value.is_object()) {
            lines.push(String::new());
            lines.push(name.to_uppercase());
            rows(&mut lines, value, 1);
        }
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    }
}

fn rows(lines: &mut Vec<String>, value: &Value, depth: usize) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        let indent = "  ".repeat(depth);
        if let Some(line) = value.as_object().and_then(in_one_line) {
            lines.push(format!("{indent}{name}: {line}"));
        } else if value.is_object() {
            lines.push(format!("{indent}{name}"));
            rows(lines, value, depth + 1);
        } else {
            let width = 34_usize.saturating_sub(indent.len());
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            lines.push(format!("{indent}{name:<width$}{value:>14}"));
        }
    }
}

/// Few values, as latencies are.
fn in_one_line(object: &Map<String, Value>) -> Option<String> {
    let is_short = object.len() <= ONE_LINE && object.values().all(|value| value.is_number() || value.is_null());
    is_short.then(|| object.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", "))
}

/// What the benchmark is, and what its figures mean.
pub fn help() -> String {
    let mut text = String::from(
        "Compares erasured with scripts that somebody would write by hand, on copies of the same data.

usage: cargo bench --bench compare -- [--customers N] [--runs R] [--only PARTS] [--dir DIR] [--json]

  --customers N  rows of the table of customers (100000)
  --runs R       repetitions of each measurement (3)
  --only PARTS   some of prepare, erase, unindexed, neighbour, idle, scale; with commas between them
  --dir DIR      where the files go, on a disk; some 4 KiB a customer, removed at the end (target/tmp)
  --json         as the last line of standard output one JSON object, with more than the table has

All databases are opened with synchronous=EXTRA, secure_delete=ON and foreign_keys=OFF, by script and daemon alike. The script
checks again that records are due and knows nothing else of what the daemon does; in the end both must leave the same rows.

figures (null: not measured):
",
    );
    for (name, bar, meaning) in FIGURES {
        let bar = if bar.is_empty() { String::new() } else { format!(" [{bar}]") };
        text.push_str(&format!("  {name}{bar}\n      {meaning}\n"));
    }
    text
}
