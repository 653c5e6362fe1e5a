//! The engine: select, plan, apply, verify.
//!
//! Selection is the same code whoever asks: prepare, the final job's second look, a dry run, a clerk who wants to know
//! why. What is decided about a record is decided in [`verdict`] and [`plan`], which are pure; what is done about a batch
//! is told in [`engine`], step by step. May be relied on: a batch reaches the source's commit only after the journal has
//! its intent, and only verified. Never sees the store: it writes down what it does through a [`Journal`].

mod engine;
mod journal;
mod linked;
mod open;
mod pace;
mod plan;
mod point;
mod removal;
mod select;
mod settlement;
mod verdict;

pub use engine::{BatchReport, Engine, EngineError, Joined, JointReport, in_order};
pub use journal::{Intent, Journal, JournalError};
pub use linked::{Circle, LINKED_RECORDS_MAX, Sources, linked_categories};
pub use open::{Open, OpenError, SchemaChange, Shapes, Stopped, accept_hint, open, open_as_remembered};
pub use pace::Pace;
pub use plan::{BatchPlan, Claim, DependentPlan, Fresh, PlannedRecord, RuledOut, Ruling, no_longer_due, rule, rulings};
pub use point::{POINTS, arm, pass};
pub use removal::{is_overdue, is_wanted};
pub use select::{
    Candidate, Day, Examined, Preview, Selection, Stretch, Tally, examine, persons, preview, preview_joint,
};
pub use settlement::{Settlement, settlement};
pub use verdict::{Due, Met, NotDue, Verdict, verdict};
