//! Chance that can be had again: the same seed makes the same choices.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Throws one number after the other (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed that is another one each time.
    pub fn any_seed() -> u64 {
        RandomState::new().hash_one(0_u8)
    }

    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, end: u64) -> u64 {
        self.throw() % end.max(1)
    }

    /// A number from 1 to this one, as a key.
    pub fn id(&mut self, last: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(last).unwrap())).unwrap() + 1
    }

    /// Some duration below this one.
    pub fn moment(&mut self, up_to: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(up_to.as_micros()).unwrap()))
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, usize::try_from(self.below(at as u64 + 1)).unwrap());
        }
    }
}
