//! The engine against a plain model: random schemas, rows and rules, and exactly the right rows change.
//!
//! `PROPTEST_CASES=5000 cargo test --test model` runs as many cases; `MODEL_SHOW=1` prints the schema and the settings of
//! each.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests themselves do")]

mod common;

/// The model and what it is held against.
mod model {
    pub mod build;
    pub mod drive;
    pub mod genes;
    pub mod names;
    pub mod oracle;
    pub mod rows;
    pub mod world;
    pub mod write;
}

use model::drive::{Verdict, run};
use model::genes::genes;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Cases of an ordinary run.
const CASES: u32 = 200;

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    ProptestConfig {
        cases,
        max_global_rejects: 1_000_000,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn exactly_the_right_rows_change(genes in genes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if runtime.block_on(run(&genes)) == Verdict::Unfit {
            return Err(TestCaseError::reject("the settings do not pass the check"));
        }
    }
}
