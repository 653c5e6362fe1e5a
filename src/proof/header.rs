//! The first hundred bytes of a database.

use super::bytes::{u16_at, u32_at};

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How long the header is.
pub const HEADER_BYTES: usize = 100;
/// The page that holds this byte is never used: locks are taken on it.
const LOCK_BYTE: u64 = 0x4000_0000;

/// How the database writes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, low bytes first.
    Utf16Low,
    /// UTF-16, high bytes first.
    Utf16High,
}

/// Why bytes are no database that can be looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// They begin with something else.
    #[error("it is not an SQLite database, or it is encrypted")]
    NotADatabase,
    /// They begin as a database does, and go on as none can.
    #[error("its header is damaged")]
    Damaged,
}

/// The header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of a page.
    pub page_bytes: usize,
    /// Of these, how many hold content.
    pub usable: usize,
    /// How text is written.
    pub encoding: Encoding,
    /// Pages, as the header counts them; 0 where an old version has written last.
    pub pages: u32,
    /// The first page of the list of free ones; 0: there is none.
    pub first_trunk: u32,
    /// Whether pages know what refers to them.
    pub has_pointer_maps: bool,
}

impl Header {
    /// Reads it.
    ///
    /// # Errors
    /// When this is no database, or a damaged one.
    pub fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        if !bytes.starts_with(MAGIC) {
            return Err(HeaderError::NotADatabase);
        }
        Self::fields(bytes).ok_or(HeaderError::Damaged)
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        let page_bytes = match u16_at(bytes, 16)? {
            1 => 65_536,
            bytes if bytes.is_power_of_two() && bytes >= 512 => bytes,
            _ => return None,
        };
        let usable = page_bytes.checked_sub(usize::from(*bytes.get(20)?)).filter(|usable| *usable >= 480)?;
        let encoding = match u32_at(bytes, 56)? {
            // Nothing has been written into a new database yet.
            0 | 1 => Encoding::Utf8,
            2 => Encoding::Utf16Low,
            3 => Encoding::Utf16High,
            _ => return None,
        };
        // Versions before 3.7.0 do not write the number of pages, and leave the two counters apart.
        let is_counted = u32_at(bytes, 24)? == u32_at(bytes, 92)?;
        Some(Self {
            page_bytes,
            usable,
            encoding,
            pages: if is_counted { u32_at(bytes, 28)? } else { 0 },
            first_trunk: u32_at(bytes, 32)?,
            has_pointer_maps: u32_at(bytes, 52)? != 0,
        })
    }

    /// The page on which locks are taken, however few the database has.
    #[must_use]
    pub fn lock_page(&self) -> u32 {
        u32::try_from(LOCK_BYTE / self.page_bytes as u64 + 1).unwrap_or(u32::MAX)
    }

    /// Whether the page tells of others what refers to them.
    #[must_use]
    pub fn is_pointer_map(&self, page: u32) -> bool {
        if !self.has_pointer_maps || page < 2 {
            return false;
        }
        let group = u32::try_from(self.usable / 5 + 1).unwrap_or(u32::MAX);
        let mut map = (page - 2) / group * group + 2;
        if map == self.lock_page() {
            map += 1;
        }
        map == page
    }

    /// Where the b-tree begins in a page: behind the header in the first.
    #[must_use]
    pub fn tree_at(page: u32) -> usize {
        if page == 1 { HEADER_BYTES } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..16].copy_from_slice(MAGIC);
        bytes[16..18].copy_from_slice(&4096_u16.to_be_bytes());
        bytes[59] = 1;
        bytes
    }

    #[test]
    fn what_is_no_database_is_refused() {
        assert_eq!(Header::read(&[]), Err(HeaderError::NotADatabase));
        assert_eq!(Header::read(&[0x5a; HEADER_BYTES]), Err(HeaderError::NotADatabase));
        assert_eq!(Header::read(&header()[..50]), Err(HeaderError::Damaged));
        let mut odd = header();
        odd[16] = 3;
        assert_eq!(Header::read(&odd), Err(HeaderError::Damaged));
        assert_eq!(Header::read(&header()).map(|header| header.usable), Ok(4096));
    }

    #[test]
    fn the_first_pointer_map_is_page_two() {
        let header = Header { has_pointer_maps: true, ..Header::read(&header()).unwrap() };
        let maps: Vec<u32> = (1..2000).filter(|page| header.is_pointer_map(*page)).collect();
        assert_eq!(maps, [2, 822, 1642]);
        assert_eq!(header.lock_page(), 262_145);
    }
}
