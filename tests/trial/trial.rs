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
mod soak;
mod world;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use dice::Dice;

/// Kills, where nobody says how many.
const KILLS: u64 = 25;
/// Minutes of a soak, where nobody says how many.
const MINUTES: u64 = 10;
/// Of what went wrong so much stands in the last line; all of it stands above.
const TOLD: usize = 300;
/// Exit code of a command line that cannot be understood.
const USAGE: u8 = 2;

const HELP: &str = "\
usage: tests/kill.sh [--kills N] [--seed SEED] [--release]
       tests/soak.sh [--minutes N] [--seed SEED] [--release]

kill.sh   kills the daemon N times (default 25) beside an application that writes, in databases with a write-ahead log and
          with a rollback journal in turn: at every named place, and at some moment of a start or of a run. A thousand kills
          take some fifteen minutes on two quiet cores.
soak.sh   lets the daemon work for N minutes (default 10): run after run, with clerks who decide at random and an application
          that writes. Its memory must not grow.

The seed makes the same choices again; when exactly a process is killed is not its to say. At the end every row is held
against the application's own log, trail and ledger against one another, and the trail is verified. Exit code 0 only when all
holds; the last line says so in one sentence with its counts, or what does not hold.";

/// What can be asked for.
#[derive(Clone, Copy)]
enum Trial {
    Kills,
    Soak,
}

/// What is asked for.
struct Asked {
    trial: Trial,
    /// Kills, or minutes.
    much: u64,
    seed: u64,
}

fn parse(trial: Trial, words: &[String]) -> Result<Asked, String> {
    let (name, much) = match trial {
        Trial::Kills => ("--kills", KILLS),
        Trial::Soak => ("--minutes", MINUTES),
    };
    let mut asked = Asked { trial, much, seed: Dice::any_seed() };
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.parse().ok());
        match (word.as_str(), number) {
            ("--seed", Some(number)) => asked.seed = number,
            (word, Some(number)) if word == name && number > 0 => asked.much = number,
            (word, _) if word == name || word == "--seed" => return Err(format!("{word} needs a number")),
            _ => return Err(format!("unknown argument {word}; --help tells what there is")),
        }
    }
    Ok(asked)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let trial = match words.first().map(String::as_str) {
        Some(application::WORD) => {
            runtime.block_on(application::work(&words[1..]));
            return ExitCode::SUCCESS;
        }
        Some("kills") | None => Trial::Kills,
        Some("soak") => Trial::Soak,
        Some("--help" | "-h") => {
            tell(format_args!("{HELP}"));
            return ExitCode::SUCCESS;
        }
        Some(word) => return wrong(&format!("there is no trial {word}; --help tells what there is")),
    };
    match parse(trial, &words) {
        Ok(asked) => {
            tell(format_args!("seed {}", asked.seed));
            attempt(&runtime, &asked)
        }
        Err(fault) => wrong(&fault),
    }
}

fn wrong(fault: &str) -> ExitCode {
    tell(format_args!("error: {fault}"));
    ExitCode::from(USAGE)
}

/// Makes the trial, and has the last word about it.
fn attempt(runtime: &tokio::runtime::Runtime, asked: &Asked) -> ExitCode {
    let (mut killed, mut soaked) = (kills::Counts::default(), soak::Counts::default());
    let done = catch_unwind(AssertUnwindSafe(|| match asked.trial {
        Trial::Kills => runtime.block_on(kills::kills(usize::try_from(asked.much).unwrap(), asked.seed, &mut killed)),
        Trial::Soak => runtime.block_on(soak::soak(asked.much, asked.seed, &mut soaked)),
    }));
    let so_far = match asked.trial {
        Trial::Kills => format!("{} kills over {} databases", killed.kills, killed.databases + 1),
        Trial::Soak => format!("{} runs and {} decisions", soaked.runs, soaked.decisions),
    };
    match (done, asked.trial) {
        (Ok(()), Trial::Kills) => tell(format_args!("{}", killed.sentence())),
        (Ok(()), Trial::Soak) => tell(format_args!("{}", soaked.sentence(asked.much))),
        (Err(cause), _) => {
            let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
            let words: Vec<&str> = text.unwrap_or("see above").split_whitespace().collect();
            let words = words.join(" ");
            let told: String = words.chars().take(TOLD).collect();
            tell(format_args!("FAILED after {so_far}, seed {}: {told}", asked.seed));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Says something to whoever watches.
fn tell(what: std::fmt::Arguments<'_>) {
    // Whoever does not listen any more misses it.
    let _ = writeln!(std::io::stdout().lock(), "{what}");
}
