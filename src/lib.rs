//! `erasured` erases people from an application's own database: on time, provably, and never the wrong ones.
//!
//! This is the map of the house. A room imports only rooms above it in this table; `tests/architecture.rs` holds the same
//! table as data and fails where the code departs from it.
//!
//! | # | Room | What it is for |
//! |---|---|---|
//! | 1 | [`clock`] | tells the time; the only place that reads it |
//! | 2 | [`record`] | category, key, record reference, fingerprint; never prints personal data |
//! | 3 | [`actor`] | who acts, permissions, what a grant covers |
//! | 4 | [`systemd`] | READY, RELOADING, STOPPING, WATCHDOG, adopted sockets, credentials |
//! | 5 | [`api`] | what goes over the socket; converts nothing |
//! | – | [`language`] | German and English for what people read; pure |
//! | 6 | [`config`] | the operator's files: as typed, then as meant; all faults at once |
//! | 7 | [`proposal`] | states and legal moves; pure |
//! | 8 | [`audit`] | kinds of entry, hash chain, checkpoints, verification; pure |
//! | – | [`proof`] | the format of SQLite's files, read from bytes; the search for what should be gone; pure |
//! | 9 | [`source`] | the application's database: schema, selection, one batch |
//! | 10 | [`store`] | the daemon's own database; every change with its audit entry |
//! | 11 | [`erasure`] | the engine: select, plan, apply, verify; does not know the store |
//! | 12 | [`jobs`] | prepare, erase, settlement: one file each, a job as a reader would tell it |
//! | 13 | [`desk`] | what people see and decide; the one place where a decision is made |
//! | 14 | [`scheduler`] | which job is due when; the only room that names the cron crates |
//! | 15 | [`admin`] | the socket: peer to actor, one route table with a permission per route |
//! | 16 | [`daemon`] | start order, reload, signals, stop; the composition root |
//! | – | [`ctl`] | the client |
//!
//! ```text
//!  config ────────────┐
//!                     ▼
//!  timer ─► scheduler ──► runs (store) ◄── desk ◄── admin ◄── clerk, operator, auditor (erasurectl)
//!                           │    ▲
//!                           ▼    │ state + audit entry, one transaction
//!                          jobs ─┘
//!                           │
//!                           ▼
//!              erasure: select ─► plan ─► apply ─► verify
//!                           │   (one batch = one source transaction)
//!                           ▼
//!                         source (the application's database)
//! ```
//!
//! To follow a proposal from timer to audit: [`scheduler`] queues a run, [`jobs`] carries it out, [`erasure`] selects what
//! is due, [`store`] writes the proposals; somebody decides at the [`desk`]; the final job claims what is confirmed, and
//! [`erasure::Engine`] takes it through the four steps of a batch.

pub mod actor;
pub mod admin;
pub mod api;
pub mod audit;
pub mod clock;
pub mod config;
pub mod ctl;

pub mod daemon;
pub mod desk;
pub mod erasure;
pub mod jobs;
pub mod language;
pub mod proof;
pub mod proposal;
pub mod record;
pub mod scheduler;
pub mod source;
pub mod store;
pub mod systemd;
