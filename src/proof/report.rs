//! What a proof has found: counts, names of tables and numbers of pages, never a value.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Numbers of pages that a report names for one place.
pub const PAGES_NAMED_MAX: usize = 8;
/// Sentences about what could not be read that a report holds.
pub const FAULTS_NAMED_MAX: usize = 8;

/// Where bytes may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The application's database file.
    Database,
    /// Its write-ahead log.
    Wal,
    /// Its rollback journal.
    Journal,
    /// The daemon's own state.
    State,
    /// The write-ahead log of the state.
    StateWal,
    /// What the daemon has logged.
    Log,
    /// Snapshots of the file system.
    Snapshots,
    /// Blocks of the device that files no longer use.
    Device,
    /// Backups.
    Backups,
}

impl Layer {
    /// The layer's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database file",
            Self::Wal => "write-ahead log",
            Self::Journal => "rollback journal",
            Self::State => "daemon's state",
            Self::StateWal => "state's write-ahead log",
            Self::Log => "daemon's log",
            Self::Snapshots => "file-system snapshots",
            Self::Device => "device blocks",
            Self::Backups => "other backups",
        }
    }
}

/// What can be said about a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was.
    Found {
        /// How many different values; of a look without values, how many bytes.
        count: u64,
    },
    /// It cannot be said yet.
    Pending {
        /// What is waited for.
        reason: String,
    },
    /// It cannot be said.
    CannotBeSeen {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// The verdict's word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Found { .. } => "found",
            Self::Pending { .. } => "pending",
            Self::CannotBeSeen { .. } => "cannot be seen",
        }
    }

    /// What somebody has to do something about, or has to wait for.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Found { .. } | Self::Pending { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("clean"),
            Self::Found { count } => write!(f, "found {count}"),
            Self::Pending { reason } => write!(f, "pending: {reason}"),
            Self::CannotBeSeen { reason } => write!(f, "cannot be seen: {reason}"),
        }
    }
}

/// What kind of place in a file bytes lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Pages that nothing uses.
    FreePages,
    /// Bytes between the cells of a page.
    PageGaps,
    /// Bytes behind a payload that ends on a page of its own.
    OverflowTails,
    /// Entries of indexes, full-text indexes and statistics.
    IndexEntries,
    /// A page whose newer version still lies in the write-ahead log.
    NotYetMoved,
    /// A page that cannot be read as it should.
    Damaged,
    /// Frames of the write-ahead log that count.
    WalFrames,
    /// What an earlier round has left in the write-ahead log.
    WalTail,
    /// The rollback journal.
    Journal,
    /// Anywhere in a file.
    File,
}

impl Region {
    /// The region's words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FreePages => "free pages",
            Self::PageGaps => "gaps inside pages",
            Self::OverflowTails => "tails of long values",
            Self::IndexEntries => "index entries",
            Self::NotYetMoved => "pages not yet replaced",
            Self::Damaged => "damaged pages",
            Self::WalFrames => "frames",
            Self::WalTail => "old frames",
            Self::Journal => "journal",
            Self::File => "file",
        }
    }
}

/// Whose leftovers they are. A tree that no category reaches is the application's business, and so is a page that
/// somebody has freed without overwriting it: on our connections nothing is freed that way. Who left what lies between the
/// cells of a tree that a category reaches cannot be told from the bytes; it counts as ours, because the values of people
/// whom we erase may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// In tables, indexes, full-text indexes and statistics that categories reach.
    Ours,
    /// Anywhere else.
    Application,
}

impl Owner {
    /// The owner's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Application => "application's",
        }
    }
}

/// How much of a region was looked at, and what was not zero in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Residue {
    /// Which region.
    pub region: Region,
    /// Whose.
    pub owner: Owner,
    /// Bytes looked at.
    pub bytes: u64,
    /// Bytes that are not zero.
    pub nonzero: u64,
    /// Pages in which there are such bytes.
    pub pages: u64,
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// In what kind of place.
    pub region: Region,
    /// In which table or index, where that is known.
    pub tree: Option<String>,
    /// How often.
    pub hits: u64,
    /// On which pages, the first few of them.
    pub pages: Vec<u32>,
}

/// What is known about one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Which.
    pub layer: Layer,
    /// What can be said.
    pub verdict: Verdict,
    /// What is not zero and could be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residue: Vec<Residue>,
    /// Where values were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
}

impl LayerReport {
    /// A layer of which this can be said, and no more.
    #[must_use]
    pub const fn new(layer: Layer, verdict: Verdict) -> Self {
        Self { layer, verdict, residue: Vec::new(), places: Vec::new() }
    }
}

/// How the search by value went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCounts {
    /// Records of the run whose values were looked for.
    pub records: u64,
    /// Different values.
    pub values: u64,
    /// Of these, how many were found where they should not be.
    pub found: u64,
    /// How many were passed over because living rows hold them.
    pub in_use: u64,
    /// Which tables these rows are in, with how many of the values each holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_use_by: BTreeMap<String, u64>,
}

/// What a proof has found about one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofReport {
    /// Layer by layer.
    pub layers: Vec<LayerReport>,
    /// How the search by value went; none where only the structure was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<ValueCounts>,
    /// What could not be read as it should, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

impl ProofReport {
    /// Whether nothing was found, and nothing is waited for, in any layer that can be seen; and whether anything was looked
    /// for at all.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
            && !self.layers.iter().any(|layer| layer.verdict.is_open())
            && self.verdict(Layer::Database) == Some(&Verdict::Clean)
    }

    /// Whether anything has to be waited for.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer.verdict, Verdict::Pending { .. }))
    }

    /// How many bytes are not zero where nothing is, in what categories reach.
    #[must_use]
    pub fn nonzero_ours(&self) -> u64 {
        let ours = self.layers.iter().flat_map(|layer| &layer.residue).filter(|residue| residue.owner == Owner::Ours);
        ours.map(|residue| residue.nonzero).sum()
    }

    /// How many bytes are not zero where nothing is.
    #[must_use]
    pub fn nonzero(&self) -> u64 {
        self.layers.iter().flat_map(|layer| &layer.residue).map(|residue| residue.nonzero).sum()
    }

    /// What is said about a layer.
    #[must_use]
    pub fn verdict(&self, layer: Layer) -> Option<&Verdict> {
        self.layers.iter().find(|report| report.layer == layer).map(|report| &report.verdict)
    }

    /// The report as counts by name, for the trail.
    #[must_use]
    pub fn named(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let mut add = |name: &str, count: u64| {
            if count > 0 {
                *counts.entry(name.to_owned()).or_default() += count;
            }
        };
        for layer in &self.layers {
            match &layer.verdict {
                Verdict::Clean => add("layers_clean", 1),
                Verdict::Found { .. } => add("layers_found", 1),
                Verdict::Pending { .. } => add("layers_pending", 1),
                Verdict::CannotBeSeen { .. } => add("layers_unseen", 1),
            }
            for residue in &layer.residue {
                let whose = if residue.owner == Owner::Ours { "nonzero_ours" } else { "nonzero_application" };
                add(whose, residue.nonzero);
            }
        }
        if let Some(values) = &self.values {
            add("records", values.records);
            add("values", values.values);
            add("values_found", values.found);
            add("values_in_use", values.in_use);
        }
        add("faults", self.faults.len() as u64);
        counts
    }

    fn said(&self, layer: &LayerReport) -> String {
        match &layer.verdict {
            // Without values, nothing else can be counted.
            Verdict::Found { count } if self.values.is_none() => format!("found {count} bytes that are not zero"),
            verdict => verdict.to_string(),
        }
    }

    /// One sentence about what is not clean; none where all that can be seen is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        if self.is_clean() {
            return None;
        }
        let open = self.layers.iter().filter(|layer| layer.verdict.is_open() || layer.layer == Layer::Database);
        let open = open.filter(|layer| layer.verdict != Verdict::Clean);
        let mut said: Vec<String> =
            open.map(|layer| format!("{}: {}", layer.layer.as_str(), self.said(layer))).collect();
        said.extend(self.faults.iter().cloned());
        Some(said.join("; "))
    }
}
