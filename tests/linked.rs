//! The same person in several categories: the verdict over all of them, decisions about several, one transaction for them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[path = "linked/along.rs"]
mod along;
#[path = "linked/apart.rs"]
mod apart;
#[path = "linked/braked.rs"]
mod braked;
#[path = "linked/changed.rs"]
mod changed;
#[path = "linked/checked.rs"]
mod checked;
#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "linked/erased.rs"]
mod erased;
#[path = "linked/held.rs"]
mod held;
#[path = "linked/office.rs"]
mod office;
#[path = "linked/order.rs"]
mod order;
#[path = "linked/steps.rs"]
mod steps;
#[path = "linked/verdicts.rs"]
mod verdicts;
