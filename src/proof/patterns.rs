//! Many byte strings, looked for at once.
//!
//! Each is filed under five of its bytes, those that fewest others have; a table of bits tells at nearly every place of a
//! text that nothing begins there. All of it is overwritten when it goes.

use std::collections::HashMap;

use zeroize::{Zeroize as _, Zeroizing};

use super::secret::Secret;

/// Bytes that a pattern is filed under; none is shorter.
pub(super) const WINDOW: usize = 5;
/// Bits of the table's index.
const TABLE_BITS: u32 = 20;
/// Bytes of a key.
const KEY_MASK: u64 = 0xff_ffff_ffff;

/// Byte strings to be looked for.
pub(super) struct Patterns {
    bytes: Zeroizing<Vec<u8>>,
    /// Where each lies among the bytes, and where in it the window does.
    all: Vec<(usize, usize, usize)>,
    /// By the bytes of the window.
    filed: Zeroizing<Vec<(u64, u32)>>,
    table: Vec<u64>,
}

impl Drop for Patterns {
    fn drop(&mut self) {
        self.table.zeroize();
    }
}

fn key(window: &[u8]) -> u64 {
    window.iter().fold(0, |key, byte| key << 8 | u64::from(*byte)) & KEY_MASK
}

fn bit(key: u64) -> (usize, u64) {
    let place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - TABLE_BITS)) as usize;
    (place / 64, 1 << (place % 64))
}

impl Patterns {
    /// The patterns, of which none is shorter than [`WINDOW`].
    pub(super) fn new(patterns: &[Secret]) -> Self {
        let mut uses: HashMap<u64, u32> = HashMap::new();
        for window in patterns.iter().flat_map(|pattern| pattern.windows(WINDOW)) {
            *uses.entry(key(window)).or_default() += 1;
        }
        let total = patterns.iter().map(|pattern| pattern.len()).sum();
        let mut new = Self {
            bytes: Zeroizing::new(Vec::with_capacity(total)),
            all: Vec::with_capacity(patterns.len()),
            filed: Zeroizing::new(Vec::with_capacity(patterns.len())),
            table: vec![0; 1 << (TABLE_BITS - 6)],
        };
        for (number, pattern) in (0_u32..).zip(patterns) {
            let start = new.bytes.len();
            new.bytes.extend_from_slice(pattern);
            let windows = pattern.windows(WINDOW).map(key).enumerate();
            let rarest = windows.min_by_key(|(_, key)| uses.get(key).copied().unwrap_or(0));
            let Some((at, key)) = rarest else {
                new.all.push((start, start, 0));
                continue;
            };
            new.all.push((start, start + pattern.len(), at));
            new.filed.push((key, number));
            let (word, mask) = bit(key);
            if let Some(word) = new.table.get_mut(word) {
                *word |= mask;
            }
        }
        new.filed.sort_unstable();
        new
    }

    /// Calls `tell` with the place and the pattern's number wherever one lies in the text.
    pub(super) fn find(&self, text: &[u8], tell: &mut dyn FnMut(usize, usize, u32)) {
        if self.filed.is_empty() || text.len() < WINDOW {
            return;
        }
        let mut now = key(&text[..WINDOW - 1]);
        for (at, byte) in text.iter().skip(WINDOW - 1).enumerate() {
            now = (now << 8 | u64::from(*byte)) & KEY_MASK;
            let (word, mask) = bit(now);
            if self.table.get(word).is_some_and(|word| word & mask != 0) {
                self.look(text, at, now, tell);
            }
        }
    }

    fn look(&self, text: &[u8], at: usize, key: u64, tell: &mut dyn FnMut(usize, usize, u32)) {
        let first = self.filed.partition_point(|(filed, _)| *filed < key);
        for (_, number) in self.filed.iter().skip(first).take_while(|(filed, _)| *filed == key) {
            let Some((start, end, window)) = self.all.get(*number as usize).copied() else { continue };
            let (Some(from), Some(pattern)) = (at.checked_sub(window), self.bytes.get(start..end)) else { continue };
            if text.get(from..from + pattern.len()) == Some(pattern) {
                tell(from, from + pattern.len(), *number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(patterns: &[&str], text: &[u8]) -> Vec<(usize, u32)> {
        let patterns: Vec<_> = patterns.iter().map(|p| Secret::new(p.as_bytes().to_vec())).collect();
        let mut found = Vec::new();
        Patterns::new(&patterns).find(text, &mut |at, _, number| found.push((at, number)));
        found.sort_unstable();
        found
    }

    #[test]
    fn patterns_are_found_wherever_they_lie() {
        let text = b"xHuberHubert+43 664 1+43 664 2";
        assert_eq!(
            found(&["Huber", "Hubert", "+43 664 1", "+43 664 2", "gone!"], text),
            [(1, 0), (6, 0), (6, 1), (12, 2), (21, 3)]
        );
        assert_eq!(found(&["Huber"], b"Hube"), []);
    }

    proptest::proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            text in proptest::collection::vec(0..3_u8, 0..80),
            patterns in proptest::collection::vec(proptest::collection::vec(0..3_u8, 5..9), 0..6),
        ) {
            let plain: Vec<(usize, u32)> = (0..text.len())
                .flat_map(|at| (0_u32..).zip(&patterns).filter(move |(_, p)| p.len() >= WINDOW).map(move |(n, p)| (at, n, p)))
                .filter(|(at, _, p)| text[*at..].starts_with(p))
                .map(|(at, n, _)| (at, n))
                .collect();
            let zeroizing: Vec<_> = patterns.iter().cloned().map(Secret::new).collect();
            let mut found = Vec::new();
            Patterns::new(&zeroizing).find(&text, &mut |at, _, number| found.push((at, number)));
            found.sort_unstable();
            proptest::prop_assert_eq!(found, plain);
        }
    }
}
