//! The proof that bytes are gone: the format of SQLite's files, read from bytes, and the search for values in them. Pure.
//!
//! One file for each structure of the format. May be relied on: no bytes, however damaged, make it panic; every page of a
//! file is looked at once, whether or not anything leads to it; what could not be read as it should is told, and makes a
//! report that does not say clean. A report holds counts, names of tables and numbers of pages. Never shows a value:
//! [`Sample`] and [`Search`] have neither `Debug` nor `Display`, and are overwritten when they go.

mod bytes;
mod cell;
mod chain;
mod fold;
mod header;
mod journal;
mod map;
mod page;
mod patterns;
mod report;
mod row;
mod sample;
mod scan;
mod search;
mod secret;
mod terms;
mod wal;

pub use self::cell::Cell;
pub use self::chain::{OverflowPage, Trunk};
pub use self::fold::words;
pub use self::header::{Encoding, HEADER_BYTES, Header, HeaderError};
pub use self::journal::is_in_use as journal_is_in_use;
pub use self::page::{PageKind, TreePage};
pub use self::report::{Layer, LayerReport, Owner, Place, ProofReport, Region, Residue, ValueCounts, Verdict};
pub use self::row::{Column, columns};
pub use self::sample::{SAMPLED_RECORDS_MAX, Sample, Spread};
pub use self::scan::{Pages, Scan, Scanned, Tree, TreeKind, Unread};
pub use self::search::{FoundIn, FoundTerm, Judgement, Search, Settled, Spot};
pub use self::terms::{fts3, fts5};
pub use self::wal::{FRAME_HEADER_BYTES, Frame, WAL_HEADER_BYTES, Wal};
