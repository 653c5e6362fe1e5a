//! Killed at every instruction that matters, and at any other: after the next start it is as if nothing had happened.
//!
//! The daemon is a process of its own. It is killed as `kill -9` kills, at a named place or at some moment; the same
//! state is then served by another, which finds out what became of the last batch and does the rest by itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[path = "kill/brake.rs"]
mod brake;
#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "kill/elsewhere.rs"]
mod elsewhere;
#[path = "kill/erase.rs"]
mod erase;
#[path = "kill/moment.rs"]
mod moment;
#[path = "kill/people.rs"]
mod people;
#[path = "kill/prepare.rs"]
mod prepare;
#[expect(dead_code, reason = "the helper is made for other targets too")]
#[path = "common/process.rs"]
mod process;
#[path = "kill/prune.rs"]
mod prune;
#[path = "kill/removal.rs"]
mod removal;
#[path = "kill/statements.rs"]
mod statements;
#[path = "kill/together.rs"]
mod together;
