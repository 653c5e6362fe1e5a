//! What must come of one batch of claims: who is ruled out, who is refused, who is erased together.

use std::collections::BTreeMap;

use erasured::erasure::Claim;
use erasured::record::{Fingerprint, RecordKey};

use super::drive::Case;
use super::oracle::{Effects, Oracle};
use super::world::Cell;

/// What must come of one batch.
#[derive(Default)]
pub struct Expected {
    pub ruled_out: BTreeMap<RecordKey, &'static str>,
    pub refused: Vec<RecordKey>,
    /// The records of each batch that commits, and what comes of it.
    pub erased: Vec<(Vec<usize>, Erased)>,
}

pub struct Erased {
    pub effects: Effects,
    /// The records' fingerprints afterwards.
    pub afters: Vec<Option<Fingerprint>>,
}

impl Case<'_> {
    pub fn to_be_erased(&self, claims: &[Claim]) -> Vec<RecordKey> {
        claims.iter().filter(|claim| self.ruling(claim).is_none()).map(|claim| claim.key.clone()).collect()
    }

    /// What must come of these claims: erased together, or, where one of them is refused, in halves.
    pub fn foretell(&mut self, claims: &[Claim], expected: &mut Expected) {
        let mut left = Vec::new();
        for claim in claims {
            match self.ruling(claim) {
                Some(ruling) => drop(expected.ruled_out.insert(claim.key.clone(), ruling)),
                None => left.push(claim.clone()),
            }
        }
        let records: Vec<usize> = left.iter().map(|claim| self.row_of(&claim.key).unwrap()).collect();
        match left.as_slice() {
            [] => {}
            [one] if self.is_refused(&records) => expected.refused.push(one.key.clone()),
            many if self.is_refused(&records) => {
                let (first, second) = many.split_at(many.len() / 2);
                self.foretell(first, expected);
                self.foretell(second, expected);
            }
            _ => {
                let effects = self.oracle().erase(&records);
                self.apply(&effects);
                let afters = records.iter().map(|row| self.fingerprint(*row)).collect();
                expected.erased.push((records, Erased { effects, afters }));
            }
        }
    }

    /// Whether one of these is the record that a trigger protects; once it is somebody else, it does not.
    fn is_refused(&self, records: &[usize]) -> bool {
        let personal = self.world.tables[0].key.len();
        self.world.stubborn.is_some_and(|row| {
            let is_protected =
                |values: &Vec<Cell>| values[personal] == Cell::Text(format!("canary-0-{row}-{personal}"));
            records.contains(&row) && self.rows[0][row].as_ref().is_some_and(is_protected)
        })
    }

    /// What must be ruled about a claim: `None` where the record is to be erased, else how the ruling begins.
    fn ruling(&self, claim: &Claim) -> Option<&'static str> {
        let Some(row) = self.row_of(&claim.key) else { return Some("gone") };
        let is_same = self.fingerprint(row).as_ref() == Some(&claim.fingerprint);
        match (self.oracle().is_due(row), is_same) {
            (true, true) if self.is_met(row, claim.origin.criterion().unwrap_or_default()) => None,
            (true, true) => Some("other criterion"),
            (true, false) => Some("changed person"),
            (false, true) => Some("no longer due"),
            (false, false) => Some("another person"),
        }
    }

    fn is_met(&self, row: usize, criterion: &str) -> bool {
        let index: usize = criterion.trim_start_matches("criterion-").parse().unwrap();
        let mut world = self.world.clone();
        world.criteria = vec![world.criteria[index].clone()];
        Oracle { world: &world, rows: &self.rows, today: self.bench.today }.is_due(row)
    }

    fn apply(&mut self, effects: &Effects) {
        for ((table, row), changes) in &effects.changed {
            if let Some(values) = self.rows[*table][*row].as_mut() {
                for (column, cell) in changes {
                    values[*column] = cell.clone();
                }
            }
        }
        for (table, row) in &effects.gone {
            self.rows[*table][*row] = None;
        }
    }
}
