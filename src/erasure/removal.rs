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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Located, Place};

    fn located<T>(value: T) -> Located<T> {
        Located::new(value, Place { file: "erasured.toml".into(), line: 1, column: 1 })
    }

    #[test]
    fn what_is_not_asked_for_is_not_done_but_for_what_was_begun() {
        let wanted = |removal: &Removal| RemovalStep::ALL.map(|step| is_wanted(step, removal));
        assert_eq!(wanted(&Removal::default()), [true, true, false, true, true, true]);
        let hours = Some(located("02:00-04:00".parse().unwrap()));
        let removal =
            Removal { full_text: FullText::Leave, statistics: false, checkpoint: false, vacuum: hours, within: None };
        assert_eq!(wanted(&removal), [false, false, true, true, false, true]);
    }

    #[test]
    fn it_is_overdue_only_after_the_whole_time_that_it_may_take() {
        let removal = Removal { within: Some(located("30 days".parse().unwrap())), ..Removal::default() };
        let now: Zoned = "2026-03-31T02:00:00+00:00[UTC]".parse().unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        assert!(is_overdue(&removal, at("2026-03-01T01:59:59Z"), &now));
        assert!(!is_overdue(&removal, at("2026-03-01T02:00:00Z"), &now));
        assert!(!is_overdue(&removal, at("2026-03-02T00:00:00Z"), &now));
        assert!(!is_overdue(&removal, None, &now));
        assert!(!is_overdue(&Removal::default(), at("1999-03-01T02:00:00Z"), &now), "nobody watches it");
    }
}
