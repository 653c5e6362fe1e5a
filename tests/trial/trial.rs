//! Long trials of the real daemon beside an application that writes all the while: killed over and over, or let alone for long.
//!
//! `tests/kill.sh` and `tests/soak.sh` start it; `--help` tells what can be asked for. Everything happens in folders of its
//! own that are removed at the end, and in processes that end with this one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial fails as tests do")]

mod aim;
mod application;
mod belief;
mod clerks;
#[expect(dead_code, reason = "the bench is made for other targets too")]
#[path = "../common/mod.rs"]
mod common;
mod dice;
mod kills;
#[expect(dead_code, reason = "the helper is made for other targets too")]
#[path = "../common/process.rs"]
mod process;
mod reckoning;
mod world;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use dice::Dice;
use kills::Counts;

/// Kills, where nobody says how many.
const KILLS: usize = 25;
/// Exit code of a command line that cannot be understood.
const USAGE: u8 = 2;

const HELP: &str = "\
usage: trial kills [--kills N] [--seed SEED]

kills     kills the daemon N times (default 25) beside an application that writes, in databases with a write-ahead log and
          with a rollback journal in turn: at every named place, and at some moment of a start or of a run.

Exit code 0 only when all holds; the last line says so in one sentence, or what does not.";

/// What is asked for.
struct Asked {
    kills: usize,
    seed: u64,
}

fn parse(words: &[String]) -> Result<Asked, String> {
    let mut asked = Asked { kills: KILLS, seed: Dice::any_seed() };
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.parse::<u64>().ok()).ok_or(format!("{word} needs a number"))?;
        match word.as_str() {
            "--kills" => asked.kills = usize::try_from(number).map_err(|_| format!("{number} is too many"))?,
            "--seed" => asked.seed = number,
            _ => return Err(format!("unknown argument {word}; --help tells what there is")),
        }
    }
    Ok(asked)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match words.first().map(String::as_str) {
        Some(application::WORD) => {
            runtime.block_on(application::work(&words[1..]));
            ExitCode::SUCCESS
        }
        Some("kills") | None => match parse(&words) {
            Ok(asked) => killed(&runtime, &asked),
            Err(fault) => wrong(&fault),
        },
        Some("--help" | "-h") => {
            tell(format_args!("{HELP}"));
            ExitCode::SUCCESS
        }
        Some(word) => wrong(&format!("there is no trial {word}; --help tells what there is")),
    }
}

fn wrong(fault: &str) -> ExitCode {
    tell(format_args!("error: {fault}"));
    ExitCode::from(USAGE)
}

fn killed(runtime: &tokio::runtime::Runtime, asked: &Asked) -> ExitCode {
    tell(format_args!("seed {}", asked.seed));
    let mut counts = Counts::default();
    let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(kills::kills(asked.kills, asked.seed, &mut counts))));
    match done {
        Ok(()) => {
            tell(format_args!("{}", counts.sentence()));
            ExitCode::SUCCESS
        }
        Err(cause) => {
            let cause = cause.downcast_ref::<String>().map(String::as_str);
            let first = cause.and_then(|cause| cause.lines().next()).unwrap_or("see above");
            tell(format_args!("FAILED after {} kills over {} databases: {first}", counts.kills, counts.databases + 1));
            ExitCode::FAILURE
        }
    }
}

/// Says something to whoever watches.
fn tell(what: std::fmt::Arguments<'_>) {
    // Whoever does not listen any more misses it.
    let _ = writeln!(std::io::stdout().lock(), "{what}");
}
