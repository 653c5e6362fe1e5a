//! What real databases do to an eraser: each of it works, or `check` says beforehand what to decide, or the record goes
//! back to the clerk with the database's own message. Never half, never silently nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[expect(dead_code, reason = "every test target uses a part of it")]
mod common;

#[path = "survive/attacks.rs"]
mod attacks;
#[path = "survive/copies.rs"]
mod copies;
#[path = "survive/dates.rs"]
mod dates;
#[path = "survive/decisions.rs"]
mod decisions;
#[path = "survive/history.rs"]
mod history;
#[path = "survive/journal.rs"]
mod journal;
#[path = "survive/keys.rs"]
mod keys;
#[path = "survive/mistakes.rs"]
mod mistakes;
#[path = "survive/names.rs"]
mod names;
#[path = "survive/owned.rs"]
mod owned;
#[path = "survive/references.rs"]
mod references;
#[path = "survive/rulings.rs"]
mod rulings;
#[path = "survive/schema.rs"]
mod schema;
#[path = "survive/shells.rs"]
mod shells;
#[path = "survive/steps.rs"]
mod steps;
#[path = "survive/surveys.rs"]
mod surveys;
#[path = "survive/themselves.rs"]
mod themselves;
#[path = "survive/triggers.rs"]
mod triggers;
#[path = "survive/walks.rs"]
mod walks;

use common::{Bench, MemoryJournal};
use erasured::erasure::BatchReport;

/// A table of persons whose name and date of leaving are personal; of the rows, the tests say.
const PERSON: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, left_on TEXT);";

/// Who left three years ago is due.
const LEFT: &str = "table = \"person\"\nlabel = \"{name}\"\n\
    [[criterion]]\nname = \"left\"\nsince = \"left_on\"\nperiod = \"3 years\"\n\
    [erase.anonymise]\nname = \"null\"\nleft_on = \"null\"\n";

/// The same, with lines that stand before the criterion.
fn left_with(lines: &str) -> String {
    LEFT.replace("[[criterion]]", &format!("{lines}\n[[criterion]]"))
}

/// A bench with this source, and persons as [`LEFT`] has them, with more settings below.
async fn persons(sql: &str, more: &str) -> Bench {
    let bench = Bench::with_sql(sql).await;
    bench.category("person", &format!("{LEFT}{more}"));
    bench
}

/// Erases what is due; afterwards the source must be sound and every deleted row gone without a trace.
async fn erase(bench: &Bench) -> (BatchReport, MemoryJournal) {
    let done = bench.erase_due("person").await;
    assert_eq!(bench.rows("PRAGMA integrity_check").await, ["'ok'"]);
    done
}

/// What became of each record that was due.
async fn rulings(bench: &Bench) -> Vec<String> {
    erase(bench).await.1.rulings()
}

/// The findings of `check` that stop the category or warn, without those about missing indexes.
async fn findings(bench: &Bench) -> String {
    let checked = bench.check("person").await;
    let told: Vec<_> = checked.findings.into_iter().filter(|finding| finding.code != "unindexed").collect();
    common::rendered(&told)
}
