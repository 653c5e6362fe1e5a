//! The life of the real daemon: how it comes up, what it refuses, what it is told while it runs, how it goes down, and
//! that it does for people what it says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[path = "daemon/canaries.rs"]
mod canaries;
#[path = "daemon/clients.rs"]
mod clients;
#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "daemon/demo.rs"]
mod demo;
#[path = "daemon/exchange.rs"]
mod exchange;
#[path = "daemon/gate.rs"]
mod gate;
#[path = "daemon/keys.rs"]
mod keys;
#[path = "daemon/notices.rs"]
mod notices;
#[path = "daemon/office.rs"]
mod office;
#[path = "daemon/policy.rs"]
mod policy;
#[path = "common/process.rs"]
mod process;
#[path = "daemon/refusals.rs"]
mod refusals;
#[path = "daemon/second_look.rs"]
mod second_look;
#[path = "daemon/signals.rs"]
mod signals;
#[path = "daemon/sources.rs"]
mod sources;
#[path = "daemon/start.rs"]
mod start;
#[path = "daemon/states.rs"]
mod states;
#[path = "daemon/twice.rs"]
mod twice;
