//! The operator's files: as typed, then as meant.
//!
//! The loader reads `erasured.toml` and `categories/*.toml` below one directory, and either gives [`Settings`] or every fault
//! at once, each with its place and what to write instead. May be relied on: [`Settings`] make sense in themselves;
//! whether they fit the live schema is for `source` to say. Never guesses: an unknown key is a fault.

mod brake;
mod category;
pub mod change;
mod dates;
mod finding;
mod hours;
mod load;
mod period;
mod reasons;
mod settings;
pub mod words;

pub use brake::{Brake, Share};
pub use category::{
    Anonymise, Category, Classification, Column, Criterion, Dependent, LabelPart, LabelTemplate, Link, Linked,
    LinkedBy, Literal, Manual, Mark, Retention, Rule, RuleVersion, Since, Template, TemplatePart, Truncation,
};
pub use dates::{DateFormat, EARLIEST_DAY, Unreadable, coarse_bound};
pub use finding::{Finding, Located, Place, Severity, causes};
pub use hours::{Hours, HoursError};
pub use load::{Loaded, UNDECIDED, listed, load, nearest};
pub use period::{Period, PeriodError, Starts};
pub use reasons::{Choice, ReasonKind, Reasons, StandardReason, Wording};
pub use settings::{FullText, Holds, Keeping, Notice, Removal, Schedule, Settings, SourceSettings};
