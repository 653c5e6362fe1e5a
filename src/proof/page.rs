//! One page of a b-tree: its cells, and what lies between them.

use std::ops::Range;

use super::bytes::{nonzero, u16_at, u32_at};
use super::cell::Cell;

/// What a page of a b-tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// Rows of a table.
    TableLeaf,
    /// Numbers of rows, with the pages below.
    TableInterior,
    /// Entries of an index, or rows of a table without row numbers.
    IndexLeaf,
    /// The same, with pages below.
    IndexInterior,
}

impl PageKind {
    /// What the first byte of a page says.
    pub(super) fn of(byte: u8) -> Option<Self> {
        match byte {
            2 => Some(Self::IndexInterior),
            5 => Some(Self::TableInterior),
            10 => Some(Self::IndexLeaf),
            13 => Some(Self::TableLeaf),
            _ => None,
        }
    }

    pub(super) fn is_interior(self) -> bool {
        matches!(self, Self::TableInterior | Self::IndexInterior)
    }
}

/// A page of a b-tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreePage {
    /// What it is.
    pub kind: PageKind,
    /// Its cells, in their order.
    pub cells: Vec<Cell>,
    /// The page below and behind the last cell.
    pub last_child: Option<u32>,
    /// The bytes that belong to no cell, stretch by stretch: what was deleted, or has never been used.
    pub dead: Vec<Range<usize>>,
    /// Of these, how many may hold contents of rows.
    pub looked_at: u64,
    /// Of those, how many are not zero.
    pub nonzero: u64,
}

impl TreePage {
    /// Reads the page, whose b-tree begins at `at`; `None` where it is none, or damaged.
    #[must_use]
    pub fn read(page: &[u8], at: usize, usable: usize) -> Option<Self> {
        let page = page.get(..usable)?;
        let kind = PageKind::of(*page.get(at)?)?;
        let count = u16_at(page, at + 3)?;
        let head = at + if kind.is_interior() { 12 } else { 8 };
        let pointers_end = head.checked_add(count.checked_mul(2)?)?;
        let content = match u16_at(page, at + 5)? {
            0 => 65_536,
            content => content,
        };
        if pointers_end > content || content > usable {
            return None;
        }
        let mut cells = Vec::with_capacity(count);
        for place in 0..count {
            let start = u16_at(page, head + place * 2)?;
            if start < content {
                return None;
            }
            cells.push(Cell::read(page, start, kind)?);
        }
        let last_child = if kind.is_interior() { Some(u32_at(page, at + 8)?) } else { None };
        let heads = free_heads(page, u16_at(page, at + 1)?)?;
        let mut read = Self { kind, cells, last_child, dead: Vec::new(), looked_at: 0, nonzero: 0 };
        read.find_dead(pointers_end, usable)?;
        read.count(page, &heads, pointers_end, content);
        Some(read)
    }

    /// What no cell takes, from the end of the pointers to the end of the page.
    fn find_dead(&mut self, from: usize, usable: usize) -> Option<()> {
        let mut taken: Vec<Range<usize>> = self.cells.iter().map(|cell| cell.place.clone()).collect();
        taken.sort_by_key(|place| place.start);
        let mut end = from;
        for place in taken {
            if place.start < end {
                // Two cells share bytes.
                return None;
            }
            if place.start > end {
                self.dead.push(end..place.start);
            }
            end = place.end;
        }
        if end < usable {
            self.dead.push(end..usable);
        }
        Some(())
    }

    /// Looks at what is dead, but for what the format itself leaves there: the four bytes that a free block begins with,
    /// pointers to cells that are gone, and fragments, which are too short to hold anything.
    fn count(&mut self, page: &[u8], heads: &[usize], pointers_end: usize, content: usize) {
        for dead in &self.dead {
            let mut start = dead.start;
            if start == pointers_end {
                while let Some(end) = old_pointer(page, start, pointers_end).filter(|end| *end <= content) {
                    start = end;
                }
            } else if dead.len() < 4 {
                continue;
            }
            let of_heads = heads.iter().filter(|head| dead.contains(*head));
            let of_heads: u64 = of_heads.map(|head| nonzero(page.get(*head..*head + 4).unwrap_or_default())).sum();
            self.looked_at += (dead.end - start) as u64;
            self.nonzero += nonzero(page.get(start..dead.end).unwrap_or_default()).saturating_sub(of_heads);
        }
    }

    /// Whether these bytes belong to a cell.
    #[must_use]
    pub fn is_live(&self, bytes: &Range<usize>) -> bool {
        !self.dead.iter().any(|dead| dead.start < bytes.end && bytes.start < dead.end)
    }
}

/// Where a pointer to a cell that is gone ends, if the next bytes are one. Between two of them there may be zeros, no more than
/// the smallest cell has bytes: a cell that was put there and is gone, too.
fn old_pointer(page: &[u8], start: usize, pointers_end: usize) -> Option<usize> {
    let is_pointer = |at| u16_at(page, at).is_some_and(|old| old > pointers_end && old < page.len());
    let zeros = |bytes| page.get(start..start + bytes).is_some_and(|zeros| nonzero(zeros) == 0);
    [0, 2, 4].into_iter().find(|bytes| zeros(*bytes) && is_pointer(start + bytes)).map(|bytes| start + bytes + 2)
}

/// Where the free blocks begin. Each lies behind the one before.
fn free_heads(page: &[u8], first: usize) -> Option<Vec<usize>> {
    let (mut heads, mut next) = (Vec::new(), first);
    while next != 0 {
        if heads.last().is_some_and(|last| *last >= next) || next + 4 > page.len() {
            return None;
        }
        heads.push(next);
        next = u16_at(page, next)?;
    }
    Some(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf with one row of three bytes at the end, and a free block before it.
    fn leaf() -> Vec<u8> {
        let mut page = vec![0; 512];
        page[..8].copy_from_slice(&[13, 0x01, 0xe0, 0, 1, 0x01, 0xe0, 0]);
        page[8..10].copy_from_slice(&507_u16.to_be_bytes());
        page[480..484].copy_from_slice(&[0, 0, 0, 27]);
        page[507..512].copy_from_slice(&[3, 1, 2, 1, 7]);
        page
    }

    #[test]
    fn what_lies_between_cells_is_counted_without_what_the_format_leaves_there() {
        let read = TreePage::read(&leaf(), 0, 512).unwrap();
        assert_eq!((read.cells.len(), read.dead.as_slice(), read.nonzero), (1, std::slice::from_ref(&(10..507)), 0));
        let mut old = leaf();
        old[490..495].copy_from_slice(b"Huber");
        let read = TreePage::read(&old, 0, 512).unwrap();
        assert_eq!((read.looked_at, read.nonzero), (497, 5));
        assert!(!read.is_live(&(490..495)) && read.is_live(&(508..511)) && !read.is_live(&(505..509)));
    }

    #[test]
    fn a_pointer_to_a_cell_that_is_gone_is_no_content() {
        let mut page = leaf();
        page[10..12].copy_from_slice(&490_u16.to_be_bytes());
        assert_eq!(TreePage::read(&page, 0, 512).unwrap().nonzero, 0);
        // The smallest cell was between them, and is gone.
        page[16..18].copy_from_slice(&489_u16.to_be_bytes());
        assert_eq!(TreePage::read(&page, 0, 512).unwrap().nonzero, 0);
        // So far from the others it is none.
        page[24..26].copy_from_slice(&488_u16.to_be_bytes());
        assert_eq!(TreePage::read(&page, 0, 512).unwrap().nonzero, 2);
        page[200] = b'x';
        assert_eq!(TreePage::read(&page, 0, 512).unwrap().nonzero, 3);
    }

    #[test]
    fn what_is_damaged_is_no_page() {
        let with = |at: usize, byte: u8| {
            let mut page = leaf();
            page[at] = byte;
            TreePage::read(&page, 0, 512)
        };
        assert_eq!(with(0, 7), None);
        // More cells than fit, a cell before the content, one that reaches beyond the page, free blocks in a circle.
        assert_eq!((with(3, 0xff), with(8, 0), with(507, 0x70), with(481, 0xe0)), (None, None, None, None));
        assert_eq!(TreePage::read(&[], 0, 512), None);
    }

    proptest::proptest! {
        #[test]
        fn any_page_is_read_or_refused(mut page in proptest::collection::vec(proptest::num::u8::ANY, 512), kind in 0..5_usize) {
            page[0] = [2, 5, 10, 13, 0][kind];
            let _ = TreePage::read(&page, 0, 512);
            let _ = TreePage::read(&page, 100, 512);
        }

        #[test]
        fn a_damaged_page_is_read_or_refused(at in 0..512_usize, byte: u8) {
            let mut page = leaf();
            page[at] = byte;
            if let Some(read) = TreePage::read(&page, 0, 512) {
                proptest::prop_assert!(read.nonzero <= read.looked_at);
                proptest::prop_assert!(read.cells.iter().all(|cell| cell.place.end <= 512));
            }
        }
    }
}
