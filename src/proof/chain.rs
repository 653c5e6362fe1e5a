//! Pages in chains: those on which payloads go on, and those that list free pages.

use super::bytes::{nonzero, u32_at};

/// A page on which a payload goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverflowPage {
    /// The next one; `None` on the last.
    pub next: Option<u32>,
    /// Where the payload ends in it.
    pub end: usize,
}

impl OverflowPage {
    /// Where the payload begins in such a page.
    pub const START: usize = 4;

    /// Reads the page, of whose payload so many bytes are still to come.
    #[must_use]
    pub fn read(page: &[u8], usable: usize, left: u64) -> Option<Self> {
        let next = u32_at(page, 0)?;
        let room = usable.checked_sub(Self::START).filter(|_| page.len() >= usable)?;
        let bytes = usize::try_from(left).unwrap_or(usize::MAX).min(room);
        Some(Self { next: (next != 0).then_some(next), end: Self::START + bytes })
    }
}

/// A page that lists free ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trunk {
    /// The next such page.
    pub next: Option<u32>,
    /// The free pages that it names.
    pub leaves: Vec<u32>,
    /// Where its list ends.
    pub end: usize,
    /// How many bytes behind the list are not zero, but for old entries of the list.
    pub nonzero: u64,
}

impl Trunk {
    /// Reads the page of a database with so many; `None` where it is damaged.
    #[must_use]
    pub fn read(page: &[u8], usable: usize, pages: u32) -> Option<Self> {
        let page = page.get(..usable)?;
        let next = u32_at(page, 0)?;
        let count = usize::try_from(u32_at(page, 4)?).ok().filter(|count| *count <= (usable - 8) / 4)?;
        let is_page = |number: u32| number <= pages;
        let leaves: Vec<u32> = (0..count).map(|i| u32_at(page, 8 + i * 4)).collect::<Option<_>>()?;
        let end = 8 + count * 4;
        let mut behind = end;
        while behind + 4 <= usable && u32_at(page, behind).is_some_and(is_page) {
            behind += 4;
        }
        let nonzero = nonzero(page.get(behind..).unwrap_or_default());
        let is_sound = is_page(next) && leaves.iter().all(|leaf| is_page(*leaf) && *leaf > 0);
        is_sound.then_some(Self { next: (next != 0).then_some(next), leaves, end, nonzero })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_entries_of_the_list_are_no_content() {
        let mut page = vec![0; 512];
        for (at, number) in [(0, 9_u32), (4, 1), (8, 5), (12, 6)] {
            page[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        assert_eq!(Trunk::read(&page, 512, 10), Some(Trunk { next: Some(9), leaves: vec![5], end: 12, nonzero: 0 }));
        page[300..305].copy_from_slice(b"Huber");
        assert_eq!(Trunk::read(&page, 512, 10).map(|trunk| trunk.nonzero), Some(5));
        assert_eq!(Trunk::read(&page, 512, 4), None);
    }

    proptest::proptest! {
        #[test]
        fn any_page_is_read_or_refused(page in proptest::collection::vec(proptest::num::u8::ANY, 0..600), left: u64) {
            let _ = Trunk::read(&page, 512, 100);
            if let Some(read) = OverflowPage::read(&page, 512, left) {
                proptest::prop_assert!(read.end <= 512);
            }
        }
    }
}
