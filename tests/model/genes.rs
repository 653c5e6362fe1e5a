//! The chance that a case is made of: bytes, so that whatever fails is cut down to the smallest that still fails.

use proptest::prelude::*;

/// Dependents that are drawn; those that the rules demand besides come on top.
const NODES_MAX: usize = 6;
/// Tables that nothing in the settings names.
const BYSTANDERS_MAX: usize = 2;
/// Tables that rows are drawn for.
const TABLES_MAX: usize = 10;
/// Rows of one table.
const ROWS_MAX: usize = 8;

/// What a case is made of.
#[derive(Debug, Clone)]
pub struct Genes {
    pub record: [u8; 24],
    pub nodes: Vec<[u8; 24]>,
    pub bystanders: Vec<[u8; 8]>,
    pub names: Vec<u8>,
    pub rows: Vec<Vec<[u8; 16]>>,
    pub run: [u8; 24],
    pub meddling: Vec<[u8; 3]>,
}

/// Any case.
pub fn genes() -> impl Strategy<Value = Genes> {
    use proptest::collection::vec;
    (
        any::<[u8; 24]>(),
        vec(any::<[u8; 24]>(), 1..=NODES_MAX),
        vec(any::<[u8; 8]>(), 0..=BYSTANDERS_MAX),
        vec(any::<u8>(), 0..80),
        vec(vec(any::<[u8; 16]>(), 1..=ROWS_MAX), TABLES_MAX),
        any::<[u8; 24]>(),
        vec(any::<[u8; 3]>(), 0..3),
    )
        .prop_map(|(record, nodes, bystanders, names, rows, run, meddling)| Genes {
            record,
            nodes,
            bystanders,
            names,
            rows,
            run,
            meddling,
        })
}

/// Draws numbers from bytes; when they are used up every draw is 0, the plainest choice.
pub struct Dice<'g> {
    bytes: &'g [u8],
    at: usize,
}

impl<'g> Dice<'g> {
    pub fn new(bytes: &'g [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A number below `choices`.
    pub fn pick(&mut self, choices: usize) -> usize {
        let drawn = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(drawn) % choices.max(1)
    }

    /// True in `percent` of all cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        let drawn = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(drawn) * 100 >= (100 - percent) * 256
    }
}
