//! The write-ahead log beside a database.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::proof::{
    FRAME_HEADER_BYTES, Frame, Judgement, Layer, Owner, Region, Residue, Search, Spot, WAL_HEADER_BYTES, Wal,
};

/// A log with the pages that it holds.
pub(super) struct Log {
    file: File,
    page_bytes: usize,
    /// Where the newest committed version of each page lies.
    latest: HashMap<u32, u64>,
    /// Pages of the database after the last commit.
    pages: Option<u32>,
}

/// What was seen of a log.
pub(super) struct InLog {
    /// Frames that count.
    pub(super) frames: u64,
    /// Frames that an earlier round has left.
    pub(super) old_frames: u64,
    pub(super) residue: Vec<Residue>,
}

impl Log {
    /// Opens it and finds out which frames count; `None` where it has none.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let mut header = [0; WAL_HEADER_BYTES];
        let has_header =
            file.metadata()?.len() >= WAL_HEADER_BYTES as u64 && file.read_exact_at(&mut header, 0).is_ok();
        let Some(wal) = has_header.then(|| Wal::read(&header)).flatten() else { return Ok(None) };
        let mut log = Self { file, page_bytes: wal.page_bytes, latest: HashMap::new(), pages: None };
        log.read_commits(&header)?;
        Ok(Some(log))
    }

    fn read_commits(&mut self, header: &[u8]) -> io::Result<()> {
        let Some(wal) = Wal::read(header) else { return Ok(()) };
        let (mut open, mut latest, mut pages) = (Vec::new(), HashMap::new(), None);
        self.each(wal, &mut |at, frame, _| {
            if frame.is_valid {
                open.push((frame.page, at));
                if frame.commits.is_some() {
                    latest.extend(open.drain(..));
                    pages = frame.commits;
                }
            }
            frame.is_valid
        })?;
        (self.latest, self.pages) = (latest, pages);
        Ok(())
    }

    /// Calls `tell` with every frame, where its page lies, and the page, for as long as it answers true.
    fn each(&self, mut wal: Wal, tell: &mut dyn FnMut(u64, Frame, &[u8]) -> bool) -> io::Result<()> {
        let mut at = WAL_HEADER_BYTES as u64;
        let mut head = [0; FRAME_HEADER_BYTES];
        let mut page = vec![0; self.page_bytes];
        let mut reader = BufReader::with_capacity(1 << 20, &self.file);
        io::Seek::seek(&mut reader, io::SeekFrom::Start(at))?;
        loop {
            if reader.read_exact(&mut head).is_err() || reader.read_exact(&mut page).is_err() {
                return Ok(());
            }
            let Some(frame) = wal.frame(&head, &page) else { return Ok(()) };
            if !tell(at + FRAME_HEADER_BYTES as u64, frame, &page) {
                return Ok(());
            }
            at += (FRAME_HEADER_BYTES + self.page_bytes) as u64;
        }
    }

    pub(super) fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    pub(super) fn pages(&self) -> Option<u32> {
        self.pages
    }

    pub(super) fn has(&self, page: u32) -> bool {
        self.latest.contains_key(&page)
    }

    pub(super) fn read(&self, page: u32, into: &mut [u8]) -> io::Result<()> {
        let at = self.latest.get(&page).ok_or(io::ErrorKind::NotFound)?;
        self.file.read_exact_at(into, *at)
    }

    /// Looks through every frame but the newest of each page, which were looked at as pages of the database.
    pub(super) fn look(&self, mut search: Option<&mut Search>) -> io::Result<InLog> {
        let mut header = [0; WAL_HEADER_BYTES];
        let mut seen = InLog { frames: 0, old_frames: 0, residue: Vec::new() };
        if self.file.read_exact_at(&mut header, 0).is_err() {
            return Ok(seen);
        }
        let Some(wal) = Wal::read(&header) else { return Ok(seen) };
        let residue = |region| Residue { region, owner: Owner::Application, bytes: 0, nonzero: 0, pages: 0 };
        let (mut frames, mut old) = (residue(Region::WalFrames), residue(Region::WalTail));
        self.each(wal, &mut |at, frame, page| {
            let (counted, tally) =
                if frame.is_valid { (&mut seen.frames, &mut frames) } else { (&mut seen.old_frames, &mut old) };
            *counted += 1;
            if self.latest.get(&frame.page) == Some(&at) {
                return true;
            }
            let nonzero = page.iter().filter(|byte| **byte != 0).count() as u64;
            tally.bytes += page.len() as u64;
            tally.nonzero += nonzero;
            tally.pages += u64::from(nonzero > 0);
            if let Some(search) = &mut search {
                let spot = Spot { layer: Layer::Wal, region: tally.region, tree: None };
                search.look(page, &mut |_| Judgement::Dead(spot, frame.page));
            }
            true
        })?;
        seen.residue = [frames, old].into_iter().filter(|residue| residue.bytes > 0).collect();
        Ok(seen)
    }
}
