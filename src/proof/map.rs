//! What each page of a database is used for: four bytes a page.

/// What a page is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Nothing leads to it.
    Lost,
    /// A page of a tree.
    Tree(u16),
    /// A long value of a tree goes on here.
    Overflow(u16),
    /// It is free.
    Free,
    /// It holds no content: a pointer map, or the page for locks.
    Other,
    /// It should be a page of this tree, and cannot be read as one.
    Damaged(u16),
}

/// The pages of a database.
pub(super) struct PageMap(Vec<u32>);

impl PageMap {
    pub(super) fn new(pages: u32) -> Self {
        Self(vec![0; pages as usize])
    }

    pub(super) fn pages(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn place(page: u32) -> Option<usize> {
        usize::try_from(page.checked_sub(1)?).ok()
    }

    pub(super) fn get(&self, page: u32) -> Use {
        let Some(word) = Self::place(page).and_then(|place| self.0.get(place)) else { return Use::Lost };
        let tree = (word & 0xffff) as u16;
        match word >> 16 {
            1 => Use::Tree(tree),
            2 => Use::Overflow(tree),
            3 => Use::Free,
            4 => Use::Other,
            5 => Use::Damaged(tree),
            _ => Use::Lost,
        }
    }

    /// Notes what a page is used for. Gives false where it has a use already, or is none of the database's.
    pub(super) fn claim(&mut self, page: u32, used: Use) -> bool {
        let Some(word) = Self::place(page).and_then(|place| self.0.get_mut(place)) else { return false };
        let is_free = *word == 0;
        if is_free || matches!(used, Use::Damaged(_)) {
            *word = match used {
                Use::Lost => 0,
                Use::Tree(tree) => 1 << 16 | u32::from(tree),
                Use::Overflow(tree) => 2 << 16 | u32::from(tree),
                Use::Free => 3 << 16,
                Use::Other => 4 << 16,
                Use::Damaged(tree) => 5 << 16 | u32::from(tree),
            };
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_use() {
        let mut map = PageMap::new(3);
        assert!(
            map.claim(2, Use::Tree(7))
                && !map.claim(2, Use::Free)
                && !map.claim(4, Use::Free)
                && !map.claim(0, Use::Free)
        );
        assert_eq!((map.get(2), map.get(1), map.get(9)), (Use::Tree(7), Use::Lost, Use::Lost));
        assert!(!map.claim(2, Use::Damaged(7)));
        assert_eq!(map.get(2), Use::Damaged(7));
    }
}
