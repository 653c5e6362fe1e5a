//! The write-ahead log: which frames count, and which are what an earlier round has left.

use super::bytes::u32_at;

/// Bytes of the log's header.
pub const WAL_HEADER_BYTES: usize = 32;
/// Bytes before each page.
pub const FRAME_HEADER_BYTES: usize = 24;
/// The magic number; its lowest bit tells how checksums are taken.
const MAGIC: u32 = 0x377f_0682;

/// Reads a log frame by frame. The first frame that does not fit ends what counts.
#[derive(Debug, Clone)]
pub struct Wal {
    /// Bytes of a page.
    pub page_bytes: usize,
    salts: [u32; 2],
    is_high_first: bool,
    sum: (u32, u32),
    has_ended: bool,
}

/// A frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The page that it holds.
    pub page: u32,
    /// Pages of the database, where the frame ends a transaction.
    pub commits: Option<u32>,
    /// Whether it counts.
    pub is_valid: bool,
}

impl Wal {
    /// Reads the header; `None` where there is no log.
    #[must_use]
    pub fn read(header: &[u8]) -> Option<Self> {
        let header = header.get(..WAL_HEADER_BYTES)?;
        let magic = u32_at(header, 0)?;
        if magic & !1 != MAGIC {
            return None;
        }
        let page_bytes = usize::try_from(u32_at(header, 8)?).ok()?;
        if !page_bytes.is_power_of_two() || !(512..=65_536).contains(&page_bytes) {
            return None;
        }
        let is_high_first = magic & 1 == 1;
        let sum = checksum((0, 0), header.get(..24)?, is_high_first)?;
        let has_ended = sum != (u32_at(header, 24)?, u32_at(header, 28)?);
        Some(Self { page_bytes, salts: [u32_at(header, 16)?, u32_at(header, 20)?], is_high_first, sum, has_ended })
    }

    /// Reads the next frame; `None` where there is not enough of it.
    pub fn frame(&mut self, header: &[u8], page: &[u8]) -> Option<Frame> {
        let commits = u32_at(header, 4)?;
        let number = u32_at(header, 0)?;
        let has_salts = u32_at(header, 8)? == self.salts[0] && u32_at(header, 12)? == self.salts[1];
        if !self.has_ended && has_salts && number > 0 {
            let sum = checksum(self.sum, header.get(..8)?, self.is_high_first)?;
            let sum = checksum(sum, page.get(..self.page_bytes)?, self.is_high_first)?;
            self.has_ended = sum != (u32_at(header, 16)?, u32_at(header, 20)?);
            self.sum = sum;
        } else {
            self.has_ended = true;
        }
        Some(Frame { page: number, commits: (commits != 0).then_some(commits), is_valid: !self.has_ended })
    }
}

fn checksum(mut sum: (u32, u32), bytes: &[u8], is_high_first: bool) -> Option<(u32, u32)> {
    let word = |four: &[u8]| {
        let four: [u8; 4] = four.try_into().ok()?;
        Some(if is_high_first { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    for eight in bytes.chunks_exact(8) {
        let (first, second) = eight.split_at(4);
        sum.0 = sum.0.wrapping_add(word(first)?).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word(second)?).wrapping_add(sum.0);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_log_is_read_or_refused(
            mut header in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            frame in proptest::collection::vec(proptest::num::u8::ANY, 0..600),
        ) {
            if header.len() >= 12 {
                header[..4].copy_from_slice(&MAGIC.to_be_bytes());
                header[8..12].copy_from_slice(&512_u32.to_be_bytes());
            }
            if let Some(mut wal) = Wal::read(&header) {
                let (head, page) = frame.split_at(frame.len().min(FRAME_HEADER_BYTES));
                let read = wal.frame(head, page);
                // A log out of thin air has no checksums that fit.
                proptest::prop_assert!(read.is_none_or(|frame| !frame.is_valid));
            }
        }
    }
}
