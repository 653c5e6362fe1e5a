//! Sources, disks and clocks that fail in every way they do: one clear sentence, nothing lost, nothing done twice, and
//! the application is never locked out.
//!
//! Each test brings about one fault under the real daemon, reads what it says, and lets the application write afterwards
//! within its own patience; then the fault is mended, and the end is what it would have been without it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/locked.rs"]
mod locked;
#[path = "daemon/office.rs"]
mod office;
#[expect(dead_code, reason = "the helper is made for other targets too")]
#[path = "common/process.rs"]
mod process;
#[path = "faults/restored.rs"]
mod restored;
#[path = "faults/source.rs"]
mod source;
#[path = "faults/state.rs"]
mod state;
#[path = "faults/told.rs"]
mod told;
