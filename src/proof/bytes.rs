//! Numbers read from bytes. Whatever lies outside is `None`; nothing here can panic.

/// The two bytes at `at`, the first of them the higher.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(two)))
}

/// The four bytes at `at`, the first of them the highest.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// The variable-length number at `at`, as SQLite writes it, and how many bytes it takes.
pub(super) fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for place in 0..9_usize {
        let byte = *bytes.get(at.checked_add(place)?)?;
        if place == 8 {
            return Some((number << 8 | u64::from(byte), 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, place + 1));
        }
    }
    None
}

/// The same as FTS3 and FTS4 write it: the lowest bits first.
pub(super) fn low_first(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for place in 0..10_usize {
        let byte = *bytes.get(at.checked_add(place)?)?;
        number |= u64::from(byte & 0x7f).checked_shl(u32::try_from(place * 7).ok()?).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some((number, place + 1));
        }
    }
    None
}

/// A length or an offset, where it fits into memory.
pub(super) fn size(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

/// How many of the bytes are not zero.
pub(super) fn nonzero(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte != 0).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_format_says() {
        assert_eq!(varint(&[0x7f], 0), Some((0x7f, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
        assert_eq!(low_first(&[0x80, 0x01], 0), Some((128, 2)));
        assert_eq!(low_first(&[0x80; 10], 0), None);
        assert_eq!((u16_at(&[1, 2], 0), u16_at(&[1, 2], 1), u32_at(&[0, 0, 1, 0], 0)), (Some(258), None, Some(256)));
        assert_eq!(u16_at(&[1, 2], usize::MAX), None);
    }
}
