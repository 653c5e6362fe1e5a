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
