//! What has become of a batch whose end is not known: decided from the commit marker alone. Pure.

use crate::proposal::BatchId;

/// Whether a batch had committed when something went wrong behind its intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The marker carries it: it had.
    Committed,
    /// The marker carries the one before, or none yet: it had not.
    RolledBack,
    /// The marker is from elsewhere.
    Foreign,
}

/// Decides from the commit marker what became of the batch with an open intent.
#[must_use]
pub fn settlement(marker: Option<&str>, open: BatchId, last: Option<BatchId>) -> Settlement {
    let open = open.to_string();
    let last = last.map(|last| last.to_string());
    if marker == Some(open.as_str()) {
        Settlement::Committed
    } else if marker == last.as_deref() {
        Settlement::RolledBack
    } else {
        Settlement::Foreign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_decides() {
        let (open, last, other) = (BatchId([1; 16]), BatchId([2; 16]), BatchId([3; 16]));
        let decide = |marker: Option<BatchId>, last| settlement(marker.map(|id| id.to_string()).as_deref(), open, last);
        assert_eq!(decide(Some(open), Some(last)), Settlement::Committed);
        assert_eq!(decide(Some(open), None), Settlement::Committed);
        assert_eq!(decide(Some(last), Some(last)), Settlement::RolledBack);
        assert_eq!(decide(None, None), Settlement::RolledBack);
        assert_eq!(decide(None, Some(last)), Settlement::Foreign);
        assert_eq!(decide(Some(other), Some(last)), Settlement::Foreign);
        assert_eq!(decide(Some(other), None), Settlement::Foreign);
    }
}
