//! What the settings ask for when what was erased is to go from the files too, and how long that may take. Pure.

use jiff::{Timestamp, Zoned};

use crate::config::{FullText, Removal};
use crate::proposal::RemovalStep;

/// Whether the settings ask for this step.
#[must_use]
pub fn is_wanted(step: RemovalStep, removal: &Removal) -> bool {
    match step {
        RemovalStep::FullText => removal.full_text != FullText::Leave,
        RemovalStep::Statistics => removal.statistics,
        RemovalStep::Vacuum => removal.vacuum.is_some(),
        // Whatever the settings say by now: the file has been written anew.
        RemovalStep::Rebuild => true,
        RemovalStep::Checkpoint => removal.checkpoint,
        // Whatever else is asked for: that it is gone is known only when it was looked for.
        RemovalStep::Proof => true,
    }
}

/// Whether what was confirmed at `oldest`, and is not known to be gone, has been there for longer than it may.
#[must_use]
pub fn is_overdue(removal: &Removal, oldest: Option<Timestamp>, now: &Zoned) -> bool {
    let earliest = removal.within.as_ref().and_then(|within| within.value.before(now));
    oldest.zip(earliest).is_some_and(|(oldest, earliest)| oldest < earliest)
}
