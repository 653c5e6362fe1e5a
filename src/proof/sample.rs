//! Values of people who are about to be erased, to be looked for afterwards.
//!
//! They are in memory only, are never printed, and are overwritten when they are let go of. What the database's library has
//! read on the way to them is not: it lies in memory until something else does.

use super::secret::Secret;
use crate::record::Value;

/// Records of a run whose values are looked for, at most.
pub const SAMPLED_RECORDS_MAX: u64 = 1_000;
/// Shorter texts lie everywhere.
const TEXT_BYTES_MIN: usize = 5;
/// So do shorter blobs.
const BLOB_BYTES_MIN: usize = 8;
/// And numbers closer to zero than this: keys, sums, points in time. Larger ones take eight bytes.
const NUMBER_MIN: u64 = 1 << 47;
/// What a value has beyond so many bytes is not looked for.
const VALUE_BYTES_MAX: usize = 2_048;

/// One value.
pub(super) struct Sampled {
    pub(super) bytes: Secret,
    pub(super) is_text: bool,
}

/// Values of some of a run's records.
#[derive(Default)]
pub struct Sample {
    records: u64,
    pub(super) values: Vec<Sampled>,
}

impl Sample {
    /// Adds the personal values of one record; what is too short to be told from chance is left out.
    pub fn add(&mut self, values: impl IntoIterator<Item = Value>) {
        self.records += 1;
        self.values.extend(values.into_iter().filter_map(distinctive));
    }

    /// The same of several records together.
    pub fn add_all(&mut self, records: u64, values: impl IntoIterator<Item = Value>) {
        self.add(values);
        self.records += records.saturating_sub(1);
    }

    /// How many records it holds values of.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether there is nothing that could be looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

fn distinctive(value: Value) -> Option<Sampled> {
    match value {
        Value::Text(bytes) => {
            let mut bytes = Secret::new(bytes);
            let is_long = bytes.len() >= TEXT_BYTES_MIN && !is_monotonous(&bytes);
            bytes.truncate(VALUE_BYTES_MAX);
            is_long.then_some(Sampled { bytes, is_text: true })
        }
        Value::Blob(bytes) => {
            let mut bytes = Secret::new(bytes);
            let is_long = bytes.len() >= BLOB_BYTES_MIN && !is_monotonous(&bytes);
            bytes.truncate(VALUE_BYTES_MAX);
            is_long.then_some(Sampled { bytes, is_text: false })
        }
        Value::Integer(number) => (number.unsigned_abs() >= NUMBER_MIN)
            .then(|| Sampled { bytes: Secret::new(number.to_be_bytes().to_vec()), is_text: false }),
        Value::Real(_) | Value::Null => None,
    }
}

/// Whether it is one byte over and over.
fn is_monotonous(bytes: &[u8]) -> bool {
    bytes.windows(2).all(|two| two.first() == two.last())
}

/// Chooses the records of a run that are looked for: evenly over all that are confirmed.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    every: u64,
    seen: u64,
    taken: u64,
}

impl Spread {
    /// For a run over so many records.
    #[must_use]
    pub fn over(records: u64) -> Self {
        Self { every: records.div_ceil(SAMPLED_RECORDS_MAX).max(1), seen: 0, taken: 0 }
    }

    /// Whether the next record is one of them.
    pub fn takes_next(&mut self) -> bool {
        let takes = self.seen.is_multiple_of(self.every) && self.taken < SAMPLED_RECORDS_MAX;
        self.seen += 1;
        self.taken += u64::from(takes);
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_or_common_is_left_out() {
        let mut sample = Sample::default();
        sample.add([
            Value::text("Wien"),
            Value::text("-----------"),
            Value::Integer(1_764_000_000_000),
            Value::Real(1.5),
            Value::Null,
            Value::Blob(vec![1, 2, 3]),
        ]);
        assert!(sample.is_empty() && sample.records() == 1);
        sample.add([Value::text("Huber"), Value::Integer(i64::MAX), Value::Blob((0..9).collect())]);
        assert_eq!(sample.values.len(), 3);
    }

    #[test]
    fn the_records_are_spread_over_the_run() {
        let taken = |records: u64| {
            let mut spread = Spread::over(records);
            (0..records).filter(|_| spread.takes_next()).collect::<Vec<_>>()
        };
        assert_eq!(taken(3), [0, 1, 2]);
        let many = taken(5_500);
        assert_eq!((many.len(), many[1], many.last().copied()), (917, 6, Some(5_496)));
        assert!(taken(1_000_000).len() <= 1_000);
    }
}
