//! What was erased goes from the files too: planted names are searched for, byte by byte, in every file of the folder.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[path = "removal/checked.rs"]
mod checked;
#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "removal/files.rs"]
mod files;
#[path = "removal/late.rs"]
mod late;
#[path = "removal/office.rs"]
mod office;
#[path = "removal/pending.rs"]
mod pending;
#[path = "removal/proven.rs"]
mod proven;
#[path = "removal/vacuum.rs"]
mod vacuum;
