//! The rollback journal: whether it is in use, or what an earlier transaction has left.

/// What a journal in use begins with.
const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Whether a transaction is going on, or waits to be rolled back. Where journals are kept, the header is overwritten with
/// zeros at the end of a transaction, and the pages behind it stay as they were before it.
#[must_use]
pub fn is_in_use(journal: &[u8]) -> bool {
    journal.starts_with(&MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_zeros_is_out_of_use() {
        assert!(!is_in_use(&[0; 28]) && !is_in_use(&[]) && is_in_use(&[MAGIC.as_slice(), &[0; 20]].concat()));
    }
}
