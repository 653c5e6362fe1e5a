//! What happened to the rows that depend on a record.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Rows of other tables, counted by what happens or happened to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DependentCounts {
    /// Deleted with the record.
    pub deleted: u64,
    /// Kept, with their personal columns anonymised.
    pub anonymised: u64,
    /// Kept, with their reference to the record set to NULL.
    pub unlinked: u64,
    /// Kept as they were.
    pub kept: u64,
    /// Left alone because something else refers to them too.
    pub shared_kept: u64,
}

impl DependentCounts {
    /// The counts that are not zero, by name, in the order of their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("anonymised", self.anonymised),
            ("deleted", self.deleted),
            ("kept", self.kept),
            ("shared_kept", self.shared_kept),
            ("unlinked", self.unlinked),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
    }
}

impl AddAssign for DependentCounts {
    fn add_assign(&mut self, other: Self) {
        self.deleted += other.deleted;
        self.anonymised += other.anonymised;
        self.unlinked += other.unlinked;
        self.kept += other.kept;
        self.shared_kept += other.shared_kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_added_each_to_its_own_and_those_of_nothing_are_not_named() {
        let mut counts = DependentCounts { deleted: 1, anonymised: 2, unlinked: 3, kept: 4, shared_kept: 0 };
        assert_eq!(
            counts.named().collect::<Vec<_>>(),
            [("anonymised", 2), ("deleted", 1), ("kept", 4), ("unlinked", 3)]
        );
        counts += DependentCounts { deleted: 10, anonymised: 20, unlinked: 30, kept: 40, shared_kept: 50 };
        let sum = DependentCounts { deleted: 11, anonymised: 22, unlinked: 33, kept: 44, shared_kept: 50 };
        assert_eq!(counts, sum);
    }
}
