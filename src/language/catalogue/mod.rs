//! The catalogue: each sentence as it stands in the source, and its German.

type Part = &'static [(&'static str, &'static str)];

/// Every part.
pub(super) const ALL: [Part; 0] = [];
