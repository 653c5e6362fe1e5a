//! Terms of full-text indexes, put together again: only the first of a page is written out, of the others what is new.
//!
//! FTS5 keeps pages of terms in `%_data`, FTS3 and FTS4 nodes in `%_segments` and `%_segdir`.

use super::bytes::{low_first, size, u16_at, varint};

/// No term that an application has is longer.
const TERM_BYTES_MAX: usize = 4_096;

/// Calls `tell` with every term of a page of an FTS5 index, without the byte that tells of which index it is.
pub fn fts5(block: &[u8], tell: &mut dyn FnMut(&[u8])) {
    let _ = fts5_terms(block, tell);
}

fn fts5_terms(block: &[u8], tell: &mut dyn FnMut(&[u8])) -> Option<()> {
    let end = u16_at(block, 2)?;
    let (leaf, mut index) = (block.get(..end)?, end);
    let (mut at, mut term): (usize, Vec<u8>) = (0, Vec::new());
    let mut is_first = true;
    while index < block.len() {
        let (step, length) = varint(block, index)?;
        index += length;
        at = at.checked_add(size(step)?)?;
        let mut from = at;
        let mut kept = 0;
        if !is_first {
            let (keep, length) = varint(leaf, from)?;
            kept = size(keep)?;
            from += length;
        }
        is_first = false;
        from += next(leaf, from, kept, &mut term, varint)?;
        debug_assert!(from <= leaf.len(), "a term ends within its page");
        if let Some((_, text)) = term.split_first() {
            tell(text);
        }
    }
    Some(())
}

/// Reads a variable-length number at a place; gives how many bytes it takes, too.
type Number = fn(&[u8], usize) -> Option<(u64, usize)>;

/// Takes what is new of a term at `at`, behind `kept` bytes of the one before; gives how many bytes that took.
fn next(leaf: &[u8], at: usize, kept: usize, term: &mut Vec<u8>, number: Number) -> Option<usize> {
    let (new, length) = number(leaf, at)?;
    let start = at.checked_add(length)?;
    let end = start.checked_add(size(new)?)?;
    let bytes = leaf.get(start..end)?;
    if kept > term.len() || kept + bytes.len() > TERM_BYTES_MAX {
        return None;
    }
    term.truncate(kept);
    term.extend_from_slice(bytes);
    Some(end - at)
}

/// Calls `tell` with every term of a node of an FTS3 or FTS4 index.
pub fn fts3(node: &[u8], tell: &mut dyn FnMut(&[u8])) {
    let _ = fts3_terms(node, tell);
}

fn fts3_terms(node: &[u8], tell: &mut dyn FnMut(&[u8])) -> Option<()> {
    let (height, mut at) = low_first(node, 0)?;
    if height > 0 {
        // The leftmost page below.
        at += low_first(node, at)?.1;
    }
    let (mut term, mut is_first) = (Vec::new(), true);
    while at < node.len() {
        let mut kept = 0;
        if !is_first {
            let (keep, length) = low_first(node, at)?;
            kept = size(keep)?;
            at += length;
        }
        is_first = false;
        at += next(node, at, kept, &mut term, low_first)?;
        tell(&term);
        if height == 0 {
            let (list, length) = low_first(node, at)?;
            at = at.checked_add(length)?.checked_add(size(list)?)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(&[u8], &mut dyn FnMut(&[u8]));

    fn told(read: Read, block: &[u8]) -> Vec<String> {
        let mut terms = Vec::new();
        read(block, &mut |term| terms.push(String::from_utf8_lossy(term).into_owned()));
        terms
    }

    #[test]
    fn terms_that_share_a_beginning_are_put_together() {
        // "huber", then "hubert" and "huemer", each with a doclist of two bytes.
        let mut block = vec![0, 0, 0, 0, 6];
        block.extend_from_slice(b"0huber\x01\x02");
        let second = block.len();
        block.extend_from_slice(b"\x06\x01t\x01\x02");
        let third = block.len();
        block.extend_from_slice(b"\x03\x04emer\x01\x02");
        let end = block.len();
        block[3] = u8::try_from(end).unwrap();
        block.extend([4, second - 4, third - second].map(|step| u8::try_from(step).unwrap()));
        assert_eq!(told(fts5, &block), ["huber", "hubert", "huemer"]);
        assert_eq!(told(fts3, b"\x00\x05huber\x02ab\x03\x03emo\x00"), ["huber", "hubemo"]);
        assert_eq!(told(fts3, b"\x01\x07\x05huber\x03\x01x"), ["huber", "hubx"]);
    }

    proptest::proptest! {
        #[test]
        fn any_block_has_terms(mut block in proptest::collection::vec(proptest::num::u8::ANY, 0..200), end: u8) {
            if block.len() > 3 {
                block[2] = 0;
                block[3] = end;
            }
            fts5(&block, &mut |_| {});
            fts3(&block, &mut |_| {});
        }
    }
}
