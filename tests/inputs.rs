//! Whatever comes from outside, without any fuzzer: seeds, and seeds changed at random.
//!
//! `ERASURED_CASES=5000` makes as many changed inputs of every seed; `tests/fuzz` has the same targets for a fuzzer.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests themselves do")]

#[path = "trial/dice.rs"]
#[expect(dead_code, reason = "the dice are made for trials too")]
mod dice;
#[path = "fuzz/inputs.rs"]
mod inputs;

use std::path::{Path, PathBuf};

use dice::Dice;
use inputs::TARGETS;

/// Changed inputs of each seed in an ordinary run.
const CASES: usize = 40;
/// Changes of one input, at most.
const CHANGES_MAX: u64 = 6;
/// What means something somewhere.
const WORDS: [&str; 24] = [
    "\"",
    "'",
    "=",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    ",",
    "/",
    "@",
    "%2",
    "%00",
    "\n",
    "\0",
    "é",
    "P",
    "-",
    "9999999999999999999",
    "null",
    "2023-02-30",
    ":",
    "\u{feff}",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}

/// A target's seeds; the settings of this repository are some.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = files(&root().join("tests/fuzz/seeds").join(target));
    for set in ["crm", "chinook"] {
        let dir = root().join("config").join(set);
        match target {
            "settings" => seeds.push(std::fs::read(dir.join("erasured.toml")).unwrap()),
            "category" => seeds.extend(files(&dir.join("categories"))),
            _ => {}
        }
    }
    seeds
}

/// The input with something put in, taken out, doubled or exchanged.
fn changed(input: &[u8], others: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = input.to_vec();
    let below = |dice: &mut Dice, end: usize| usize::try_from(dice.below(end as u64)).unwrap();
    for _ in 0..=dice.below(CHANGES_MAX) {
        let from = below(dice, input.len() + 1);
        let to = (from + below(dice, 12)).min(input.len());
        match dice.below(6) {
            0 => drop(input.drain(from..to)),
            1 => drop(input.splice(from..from, input[from..to].to_vec())),
            2 => drop(input.splice(from..to, WORDS[below(dice, WORDS.len())].bytes())),
            3 => drop(input.splice(from..from, WORDS[below(dice, WORDS.len())].bytes())),
            4 if from < input.len() => input[from] = dice.throw().to_le_bytes()[0],
            _ => {
                let other = &others[below(dice, others.len())];
                let start = below(dice, other.len() + 1);
                input.truncate(from);
                input.extend(&other[start..]);
            }
        }
    }
    input
}

#[test]
fn nothing_from_outside_breaks_anything() {
    let cases = std::env::var("ERASURED_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let seed = Dice::any_seed();
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        let mut dice = Dice::new(seed);
        for input in &seeds {
            attempt(name, target, input, seed);
            for _ in 0..cases {
                let input = changed(input, &seeds, &mut dice);
                attempt(name, target, &input, seed);
            }
        }
    }
}

/// Tells the input of which a target has panicked.
fn attempt(name: &str, target: fn(&[u8]), input: &[u8], seed: u64) {
    let done = std::panic::catch_unwind(|| target(input));
    assert!(done.is_ok(), "{name}, seed {seed}: {:?}", String::from_utf8_lossy(input));
}
