//! What a proof has found after a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be said about a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProofVerdict {
    /// Nothing was found.
    Clean,
    /// Something was found.
    Found,
    /// It cannot be said yet.
    Pending,
    /// It cannot be said.
    CannotBeSeen,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofLayer {
    /// Which: the database file, its logs, the daemon's own files, and what lies below all of them.
    pub layer: String,
    /// What can be said.
    pub verdict: ProofVerdict,
    /// How many different values were found in it; of a look without values, how many bytes are not zero.
    pub found: u64,
    /// What is waited for, or why it cannot be seen.
    pub reason: Option<String>,
    /// Where values were found.
    pub places: Vec<ProofPlace>,
}

/// Where values were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofPlace {
    /// In what kind of place.
    pub region: String,
    /// In which table or index, where that is known.
    pub tree: Option<String>,
    /// How often.
    pub hits: u64,
    /// On which pages, the first few of them.
    pub pages: Vec<u32>,
}

/// What a proof has found about one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proof {
    /// Whether nothing was found and nothing is waited for in any layer that can be seen.
    pub clean: bool,
    /// Records whose values were looked for.
    pub records: u64,
    /// Different values.
    pub values: u64,
    /// Of these, how many were found where they should not be.
    pub found: u64,
    /// How many were passed over because living rows hold them.
    pub in_use: u64,
    /// Which tables these rows are in, with how many of the values each holds.
    pub in_use_by: BTreeMap<String, u64>,
    /// Bytes that are not zero where nothing is, in what categories reach.
    pub nonzero_ours: u64,
    /// The same in what the application has left elsewhere.
    pub nonzero_application: u64,
    /// Layer by layer.
    pub layers: Vec<ProofLayer>,
    /// What could not be read as it should.
    pub faults: Vec<String>,
}
