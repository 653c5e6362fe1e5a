//! What stands for a set of proposals in the very condition in which they are.
//!
//! May be relied on: two sets have the same digest only if they hold the same proposals of the same records and persons,
//! each in the same state and version. A set of a million is read in pages, and never held.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::error::failed;
use super::filter::{ListOrder, ProposalFilter};
use super::totals::{Sizes, sizes};
use super::veil::Veil;
use super::walk::Stretch;
use super::{Cursor, Store, StoreError, rows, trail};
use crate::proposal::{ProposalId, StateName, UnknownWord};
use crate::record::RecordRef;

/// Records of a set that are read at a time.
pub(super) const SET_PAGE_RECORDS: u32 = super::BATCH_MAX_RECORDS;
/// How much of the hash is written: 128 bits, of which nobody finds a second set.
pub(super) const HASH_BYTES: usize = 16;
/// Digits of 5 bits, without those that are easily misread.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Stands for a set of proposals: what the trail's newest entry was, how many there are, and a hash of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetDigest {
    /// The trail's newest entry when the set was read.
    pub seq: u64,
    /// How many records the set has.
    pub records: u64,
    hash: String,
}

impl SetDigest {
    /// Whether both stand for the same set, whenever each was made.
    #[must_use]
    pub fn is_same_set(&self, other: &Self) -> bool {
        self.records == other.records && self.hash == other.hash
    }
}

impl fmt::Display for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.seq, self.records, self.hash)
    }
}

impl FromStr for SetDigest {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let read = || {
            let mut parts = text.trim().splitn(3, '-');
            let (seq, records) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let hash = parts.next()?.to_ascii_lowercase();
            let is_whole = hash.len() == digits(&[0; HASH_BYTES]).len() && hash.bytes().all(|c| DIGITS.contains(&c));
            is_whole.then_some(Self { seq, records, hash })
        };
        read().ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// The bytes in digits of 5 bits; what is left over is filled up with zeros.
pub(super) fn digits(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let digit = |from: usize| (from..from + 5).fold(0, |value, at| value << 1 | bit(at));
    (0..bytes.len() * 8).step_by(5).map(|from| char::from(DIGITS[digit(from) % DIGITS.len()])).collect()
}

/// A set of proposals, as somebody sees it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSet {
    /// What stands for it.
    pub digest: SetDigest,
    /// How many of its proposals wait for a decision.
    pub proposed: u64,
}

/// One proposal of a set, in the form in which it is hashed: id, category, key, version, state, digest of the person,
/// criterion, version of the rule, unit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Member(
    i64,
    String,
    String,
    pub(super) u32,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// What [`Member`] reads.
const MEMBER: &str = "p.id, p.category, p.key, json_array(p.id, p.category, p.key, p.version, p.state, \
     lower(hex(p.fingerprint)), p.criterion, p.rule_version, p.unit) AS line";

impl Member {
    pub(super) fn record(&self, veil: &Veil) -> Result<RecordRef, StoreError> {
        let category = self.1.parse();
        let category = category.map_err(|_| StoreError::Unreadable { what: format!("the category {:?}", self.1) })?;
        let key = veil.read(&category, &self.2)?;
        Ok(RecordRef { category, key })
    }

    fn is_proposed(&self) -> bool {
        self.4 == StateName::Proposed.as_str()
    }
}

/// Goes through a set by category and key, a page at a time. What is decided about on the way is behind.
pub(super) struct SetPages<'f> {
    filter: &'f ProposalFilter,
    veil: &'f Veil,
    sizes: Sizes,
    after: Option<Cursor>,
    ended: bool,
}

impl<'f> SetPages<'f> {
    pub(super) async fn begin(
        connection: &mut SqliteConnection,
        filter: &'f ProposalFilter,
        veil: &'f Veil,
    ) -> Result<Self, StoreError> {
        let sizes = sizes(connection, filter, veil).await?;
        Ok(Self { filter, veil, sizes, after: None, ended: false })
    }

    /// The next page as lines, each of them JSON; none: the set ends here. The database puts a page into one text: to
    /// read a million rows field by field takes longer than to hash them.
    pub(super) async fn next(&mut self, connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
        const DOING: &str = "read a set of proposals";
        if self.ended {
            return Ok(None);
        }
        let limit = i64::from(SET_PAGE_RECORDS);
        let stretch = Stretch { order: ListOrder::default(), after: self.after.as_ref(), limit };
        let (found, values) = self.filter.statement(MEMBER, stretch, &self.sizes, self.veil)?;
        let sql = format!("SELECT count(*) AS count, group_concat(line, char(10)) AS lines FROM ({found})");
        let row = values.query(sql).fetch_one(connection).await.map_err(failed(DOING))?;
        self.ended = rows::count(&row, "count")? < u64::from(SET_PAGE_RECORDS);
        let Some(lines) = rows::get::<Option<String>>(&row, "lines")? else { return Ok(None) };
        let last = member(lines.rsplit('\n').next().unwrap_or_default())?;
        self.after = Some(Cursor::at(last.record(self.veil)?, ProposalId(last.0)));
        Ok(Some(lines))
    }
}

/// The proposal of a line.
pub(super) fn member(line: &str) -> Result<Member, StoreError> {
    serde_json::from_str(line).map_err(|error| StoreError::Unreadable { what: format!("a proposal: {error}") })
}

/// The set as it is now.
pub(super) async fn seen(
    connection: &mut SqliteConnection,
    filter: &ProposalFilter,
    veil: &Veil,
) -> Result<SeenSet, StoreError> {
    let seq = trail::head(connection).await?.entries;
    let mut pages = SetPages::begin(connection, filter, veil).await?;
    let mut hash = Sha256::new_with_prefix("erasured set of proposals, version 1\n");
    let (mut records, mut proposed) = (0, 0);
    while let Some(lines) = pages.next(connection).await? {
        hash.update(lines.as_bytes());
        hash.update(b"\n");
        for line in lines.split('\n') {
            records += 1;
            proposed += u64::from(member(line)?.is_proposed());
        }
    }
    let hash = digits(&hash.finalize()[..HASH_BYTES]);
    Ok(SeenSet { digest: SetDigest { seq, records, hash }, proposed })
}

impl Store {
    /// What stands for all that the filter lets through, as it is at this moment.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn seen(&self, filter: &ProposalFilter) -> Result<SeenSet, StoreError> {
        const DOING: &str = "read a set of proposals";
        // All pages and the end of the trail are of one moment.
        let mut moment = self.readers.begin().await.map_err(failed(DOING))?;
        let seen = seen(&mut moment, filter, &self.veil()).await?;
        moment.rollback().await.map_err(failed(DOING))?;
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_was_written() {
        let digest = SetDigest { seq: 1234, records: 7, hash: digits(&[0xff; HASH_BYTES]) };
        assert_eq!(digest.to_string(), "1234-7-zzzzzzzzzzzzzzzzzzzzzzzzzw");
        assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
        assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
        for wrong in
            ["", "1234", "1234-7", "1234-7-abc", "x-7-zzzzzzzzzzzzzzzzzzzzzzzzzw", "1-7-zzzzzzzzzzzzzzzzzzzzzzzzz-"]
        {
            assert!(wrong.parse::<SetDigest>().is_err(), "{wrong:?}");
        }
    }
}
