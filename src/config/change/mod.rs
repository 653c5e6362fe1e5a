//! Rules that can be changed while the daemon runs, laid over the files.
//!
//! A rule has a name (`prospect.inactive.period`, `prospect.cooling_off`, `reasons.postpone.lawsuit`) and a value as the files write it. Pure: which
//! rules there are, how a value is read, whether it loosens what holds now, and what the files mean with changes over them.
//! May be relied on: a value is read by the loader's own code, so that what the files refuse is refused here with the same
//! words; nothing that is SQL has a name; a change that does not fit the files is set aside with the reason, and the file's
//! value holds. Who may change what, and who has to agree, is for the desk.

mod category;
mod keys;
mod name;
mod over;
mod reasons;

pub(super) use keys::Kind;
pub use keys::RuleValue;
pub use name::RuleName;
pub use over::{Aside, SetRule, over};
pub(super) use reasons::SECTION as REASONS;
