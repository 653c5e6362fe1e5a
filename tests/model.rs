//! The engine against a plain model: random schemas, rows and rules, and exactly the right rows change.
//!
//! `ERASURED_CASES=5000 cargo test --test model` runs as many cases; `MODEL_SHOW=1` prints the schema and the settings of
//! each.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[expect(dead_code, reason = "every test target uses a part of it")]
mod common;

/// The model and what it is held against.
mod model {
    pub mod build;
    pub mod drive;
    pub mod foretell;
    mod found;
    pub mod genes;
    pub mod meddle;
    pub mod names;
    pub mod oracle;
    pub mod rows;
    pub mod world;
    pub mod write;
}

use model::drive::{Tally, run};
use model::genes::{Genes, genes};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{TestCaseError, TestRunner};

/// Cases of an ordinary run.
const CASES: u32 = 250;
/// Cases that are looked at for what there is in them.
const SAMPLE: usize = 72;

fn config() -> ProptestConfig {
    let cases = std::env::var("ERASURED_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    ProptestConfig {
        cases,
        max_global_rejects: 1_000_000,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    }
}

fn run_now(genes: &Genes) -> Option<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(genes))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn exactly_the_right_rows_change(genes in genes()) {
        run_now(&genes).ok_or_else(|| TestCaseError::reject("the settings do not pass the check"))?;
    }
}

/// Cases in which nothing happens would prove nothing.
#[test]
fn there_is_something_of_everything_in_the_cases() {
    let mut runner = TestRunner::deterministic();
    let mut fit = Vec::new();
    for _ in 0..SAMPLE {
        let case = genes().new_tree(&mut runner).unwrap().current();
        fit.extend(run_now(&case));
    }
    let cases_with = |what: fn(&Tally) -> bool| fit.iter().filter(|tally| what(tally)).count();
    let found = [
        ("fit", fit.len()),
        ("several batches", cases_with(|tally| tally.batches > 1)),
        ("deleted", cases_with(|tally| tally.deleted > 0)),
        ("anonymised", cases_with(|tally| tally.anonymised > 0)),
        ("refused", cases_with(|tally| tally.refused > 0)),
        ("ruled out", cases_with(|tally| tally.ruled_out > 0)),
        ("retained", cases_with(|tally| tally.retained > 0)),
        ("surveyed", cases_with(|tally| tally.surveys > 0)),
        ("dependents deleted", cases_with(|tally| tally.dependents[0] > 0)),
        ("dependents changed", cases_with(|tally| tally.dependents[1] > 0)),
        ("dependents left", cases_with(|tally| tally.dependents[2] > 0)),
        ("dependents shared", cases_with(|tally| tally.dependents[3] > 0)),
    ];
    for (what, cases) in found {
        assert!(cases >= SAMPLE / 12, "only {cases} of {SAMPLE} cases have something {what}");
    }
}
