//! The proof that bytes are gone, against databases that an application has written without any care for what it deletes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[path = "proof/app.rs"]
mod app;
#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "proof/cut.rs"]
mod cut;
#[path = "proof/faults.rs"]
mod faults;
#[path = "proof/grep.rs"]
mod grep;
#[path = "proof/logs.rs"]
mod logs;
#[path = "proof/pages.rs"]
mod pages;
#[path = "proof/run.rs"]
mod run;
#[path = "proof/terms.rs"]
mod terms;
