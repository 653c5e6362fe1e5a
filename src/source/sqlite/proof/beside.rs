//! A file beside a database that carries no locks.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::proof::{Judgement, Layer, Owner, Region, Residue, Search, Spot, journal_is_in_use};
use crate::source::sqlite::connection::beside;

/// Bytes that are looked through at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Such a file.
pub(super) struct Beside {
    pub(super) path: PathBuf,
}

/// What was seen of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) nonzero: u64,
    pub(super) is_in_use: bool,
}

impl Seen {
    /// As a part of a report. Whoever has written last has left it: the application, as a rule, and never we, whose
    /// journals are deleted.
    pub(super) fn residue(&self, region: Region) -> Residue {
        let Self { bytes, nonzero, .. } = *self;
        Residue { region, owner: Owner::Application, bytes, nonzero, pages: 0 }
    }
}

impl Beside {
    /// The file beside this one, whose name SQLite has resolved.
    pub(super) fn of(path: &Path, suffix: &str) -> Self {
        Self { path: beside(path, suffix) }
    }

    /// Looks through the whole of it; `None` where there is no such file, or it is empty.
    pub(super) fn look(
        &self,
        mut search: Option<&mut Search>,
        layer: Layer,
        region: Region,
    ) -> io::Result<Option<Seen>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let spot = Spot { layer, region, tree: None };
        let (mut seen, mut kept) = (Seen::default(), Vec::with_capacity(CHUNK_BYTES * 2));
        loop {
            let before = kept.len();
            let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut kept)?;
            if read == 0 {
                break;
            }
            if seen.bytes == 0 {
                seen.is_in_use = journal_is_in_use(&kept);
            }
            seen.bytes += read as u64;
            seen.nonzero += kept[before..].iter().filter(|byte| **byte != 0).count() as u64;
            if let Some(search) = &mut search {
                search.look(&kept, &mut |_| Judgement::Dead(spot, 0));
            }
            let gone = kept.len().saturating_sub(Search::overlap());
            kept.drain(..gone);
        }
        Ok((seen.bytes > 0).then_some(seen))
    }
}
