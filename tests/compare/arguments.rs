//! What can be typed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::fault::{Fault, Outcome};
use crate::process::CHILD;

/// Customers, where nobody says how many.
const CUSTOMERS: u64 = 100_000;
/// Repetitions, where nobody says how many.
const RUNS: usize = 3;

/// What can be measured for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Proposing against one statement.
    Prepare,
    /// Erasing against a loop of batches.
    Erase,
    /// Erasing where a dependent column has no index.
    Unindexed,
    /// The application beside all of it.
    Neighbour,
    /// A daemon with nothing to do.
    Idle,
    /// Lists, trail and start with much in the state.
    Scale,
}

impl Part {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 6] = [
        ("prepare", Self::Prepare),
        ("erase", Self::Erase),
        ("unindexed", Self::Unindexed),
        ("neighbour", Self::Neighbour),
        ("idle", Self::Idle),
        ("scale", Self::Scale),
    ];
}

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// How many customers there are.
    pub customers: u64,
    /// How often each measurement is made.
    pub runs: usize,
    /// Which parts.
    pub only: BTreeSet<Part>,
    /// Whether the report is one JSON object.
    pub json: bool,
    /// Where the files are to be.
    pub dir: Option<PathBuf>,
}

/// What somebody wants.
#[derive(Debug)]
pub enum Asked {
    /// To measure.
    Measure(Arguments),
    /// To be told what the figures mean.
    Help,
    /// The benchmark itself: to do one part in a process of its own.
    Child {
        /// Which.
        name: String,
        /// What it needs to know, as JSON.
        spec: String,
    },
}

/// Reads the command line, without the program's name.
pub fn parse(words: impl IntoIterator<Item = String>) -> Outcome<Asked> {
    let mut words = words.into_iter();
    let only = Part::ALL.iter().map(|(_, part)| *part).collect();
    let mut arguments = Arguments { customers: CUSTOMERS, runs: RUNS, only, json: false, dir: None };
    while let Some(word) = words.next() {
        let mut value = |what: &str| words.next().ok_or_else(|| Fault::new(format!("{word} needs {what} behind it")));
        match word.as_str() {
            CHILD => return Ok(Asked::Child { name: value("a name")?, spec: value("what to do")? }),
            "--help" | "-h" => return Ok(Asked::Help),
            // What `cargo bench` puts in.
            "--bench" => {}
            "--json" => arguments.json = true,
            "--customers" => arguments.customers = number(&word, &value("a number")?, 100)?,
            "--runs" => arguments.runs = usize::try_from(number(&word, &value("a number")?, 1)?).unwrap_or(RUNS),
            "--dir" => arguments.dir = Some(PathBuf::from(value("a folder")?)),
            "--only" => arguments.only = parts(&value("parts, such as prepare,erase")?)?,
            _ => return Err(Fault::new(format!("unknown argument {word}; --help tells what there is"))),
        }
    }
    Ok(Asked::Measure(arguments))
}

fn number(word: &str, text: &str, least: u64) -> Outcome<u64> {
    match text.replace('_', "").parse() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(Fault::new(format!("{word} needs a number from {least} on, not {text}"))),
    }
}

fn parts(text: &str) -> Outcome<BTreeSet<Part>> {
    let part = |name: &str| {
        let found = Part::ALL.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
        let all = Part::ALL.map(|(name, _)| name).join(", ");
        found.ok_or_else(|| Fault::new(format!("there is no part {name}: the parts are {all}")))
    };
    text.split(',').map(part).collect()
}
