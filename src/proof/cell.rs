//! One cell of a page: a row, an entry, or a way to the page below.

use std::ops::Range;

use super::bytes::{size, u32_at, varint};
use super::page::PageKind;

/// The least that a cell takes.
const CELL_BYTES_MIN: usize = 4;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The bytes of the page that it takes.
    pub place: Range<usize>,
    /// Of these, its payload's.
    pub payload: Range<usize>,
    /// How many bytes the payload has in all.
    pub payload_bytes: u64,
    /// The page on which it goes on.
    pub overflow: Option<u32>,
    /// The page below.
    pub child: Option<u32>,
}

impl Cell {
    /// Reads the cell at `start` of a page that ends with what is usable of it; `None` where it is damaged.
    pub(super) fn read(page: &[u8], start: usize, kind: PageKind) -> Option<Self> {
        let mut at = start;
        let child = if kind.is_interior() {
            at = at.checked_add(4)?;
            Some(u32_at(page, start)?)
        } else {
            None
        };
        if kind == PageKind::TableInterior {
            let (_, length) = varint(page, at)?;
            return Self { place: start..at + length, payload: at..at, payload_bytes: 0, overflow: None, child }
                .within(page);
        }
        let (payload_bytes, length) = varint(page, at)?;
        at += length;
        if kind == PageKind::TableLeaf {
            at += varint(page, at)?.1;
        }
        let local = local(payload_bytes, page.len(), kind)?;
        let end = at.checked_add(local)?;
        let is_whole = local as u64 == payload_bytes;
        let overflow = if is_whole { None } else { Some(u32_at(page, end)?) };
        let place = start..if is_whole { end.max(start + CELL_BYTES_MIN) } else { end + 4 };
        Self { place, payload: at..end, payload_bytes, overflow, child }.within(page)
    }

    fn within(self, page: &[u8]) -> Option<Self> {
        (self.place.end <= page.len()).then_some(self)
    }
}

/// How many bytes of a payload are in the page itself.
fn local(payload_bytes: u64, usable: usize, kind: PageKind) -> Option<usize> {
    let most = if kind == PageKind::TableLeaf { usable.checked_sub(35)? } else { (usable - 12) * 64 / 255 - 23 };
    if payload_bytes <= most as u64 {
        return size(payload_bytes);
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let rest = payload_bytes.checked_sub(least as u64)? % (usable as u64 - 4);
    let fitting = least + size(rest)?;
    Some(if fitting <= most { fitting } else { least })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_payload_goes_on_elsewhere() {
        assert_eq!(local(4061, 4096, PageKind::TableLeaf), Some(4061));
        assert_eq!(local(4062, 4096, PageKind::TableLeaf), Some(489));
        assert_eq!(local(1002, 4096, PageKind::IndexLeaf), Some(1002));
        assert_eq!(
            local(1003, 4096, PageKind::IndexLeaf),
            Some(489 + (1003 - 489)).filter(|n| *n <= 1002).or(Some(489))
        );
    }
}
