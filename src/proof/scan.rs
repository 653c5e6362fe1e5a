//! Looks through a database, page by page: every tree down to its leaves, the list of free pages, and then whatever page
//! nothing has led to.
//!
//! Takes one page a step, so that whoever holds the database can let go of it between two of them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::bytes::nonzero;
use super::chain::{OverflowPage, Trunk};
use super::header::Header;
use super::map::{PageMap, Use};
use super::page::{PageKind, TreePage};
use super::report::{FAULTS_NAMED_MAX, Layer, Owner, Region, Residue};
use super::row::columns;
use super::search::{Judgement, Search, Spot};
use super::terms;

/// A block of a full-text index is never longer.
const BLOCK_BYTES_MAX: usize = 1 << 20;

/// Where pages come from.
pub trait Pages {
    /// The page as the database has it now.
    ///
    /// # Errors
    /// When it cannot be read.
    fn current(&mut self, page: u32, into: &mut [u8]) -> Result<(), Unread>;

    /// The page as it stands in the database's file; false where the file ends before it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn stored(&mut self, page: u32, into: &mut [u8]) -> Result<bool, Unread>;

    /// Whether a newer version of the page lies in the write-ahead log.
    fn is_replaced(&self, page: u32) -> bool;
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// Somebody has changed the database meanwhile: what was seen so far does not belong together.
    Disturbed,
    /// The system does not give it, with this code.
    Failed(i32),
}

/// What a tree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeKind {
    /// Rows of a table that the application reads: what they hold is in use.
    Rows,
    /// Copies of what rows hold: an index, statistics, what a virtual table keeps beside its contents.
    Entries,
    /// Blocks of an FTS5 index.
    Terms5,
    /// What it needs of the first term of each block to tell it from the one before.
    Separators5,
    /// Nodes of an FTS3 or FTS4 index.
    Terms3,
}

/// A tree of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Its table's or index's name.
    pub name: String,
    /// Its first page.
    pub root: u32,
    /// What it holds.
    pub kind: TreeKind,
    /// Whether a category reaches it.
    pub is_ours: bool,
}

/// What is to be looked at next.
enum Task {
    Page { page: u32, tree: u16 },
    Chain { page: u32, left: u64, tree: u16, before: Vec<u8>, block: Option<Vec<u8>> },
    Trunk(u32),
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    bytes: u64,
    nonzero: u64,
    pages: u64,
}

/// A look through one database.
pub struct Scan {
    header: Header,
    trees: Vec<Tree>,
    map: PageMap,
    tasks: Vec<Task>,
    /// The page that is looked at when no task is left.
    rest: u32,
    /// The last page of the file.
    stored_pages: u32,
    page: Vec<u8>,
    other: Vec<u8>,
    tallies: BTreeMap<(Region, Owner), Tally>,
    /// Pages of which the file still has an older version.
    unmoved: u64,
    faults: Vec<String>,
    search: Option<Search>,
}

/// What a look has come to.
pub struct Scanned {
    /// What is not zero and could be.
    pub residue: Vec<Residue>,
    /// Pages of which the file still has an older version than the write-ahead log.
    pub unmoved: u64,
    /// What could not be read as it should.
    pub faults: Vec<String>,
    /// What was looked for, with what was found.
    pub search: Option<Search>,
}

impl Scan {
    /// A look through a database of so many pages, of whose file so many are there.
    #[must_use]
    pub fn new(header: Header, pages: u32, stored_pages: u32, trees: Vec<Tree>, search: Option<Search>) -> Self {
        let mut tasks = Vec::new();
        if header.first_trunk > 0 {
            tasks.push(Task::Trunk(header.first_trunk));
        }
        let roots = (0_u16..).zip(&trees).filter(|(_, tree)| tree.root > 0);
        tasks.extend(roots.map(|(number, tree)| Task::Page { page: tree.root, tree: number }));
        Self {
            map: PageMap::new(pages),
            page: vec![0; header.page_bytes],
            other: vec![0; header.page_bytes],
            header,
            trees,
            tasks,
            rest: 1,
            stored_pages,
            tallies: BTreeMap::new(),
            unmoved: 0,
            faults: Vec::new(),
            search,
        }
    }

    /// Looks at the next page; false when there is none left.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub fn step(&mut self, pages: &mut dyn Pages) -> Result<bool, Unread> {
        match self.tasks.pop() {
            Some(Task::Page { page, tree }) => self.tree_page(pages, page, tree)?,
            Some(Task::Chain { page, left, tree, before, block }) => {
                self.overflow_page(pages, page, left, tree, &before, block)?;
            }
            Some(Task::Trunk(page)) => self.trunk(pages, page)?,
            None if self.rest > self.map.pages().max(self.stored_pages) => return Ok(false),
            None => {
                let page = self.rest;
                self.rest += 1;
                self.rest_page(pages, page)?;
            }
        }
        Ok(true)
    }

    /// What has come of it.
    #[must_use]
    pub fn finish(self) -> Scanned {
        let residue = self.tallies.into_iter().map(|((region, owner), tally)| Residue {
            region,
            owner,
            bytes: tally.bytes,
            nonzero: tally.nonzero,
            pages: tally.pages,
        });
        Scanned { residue: residue.collect(), unmoved: self.unmoved, faults: self.faults, search: self.search }
    }

    fn name(&self, tree: u16) -> &str {
        self.trees.get(usize::from(tree)).map_or("?", |tree| &tree.name)
    }

    fn kind(&self, tree: u16) -> TreeKind {
        self.trees.get(usize::from(tree)).map_or(TreeKind::Rows, |tree| tree.kind)
    }

    fn owner(&self, tree: u16) -> Owner {
        let is_ours = self.trees.get(usize::from(tree)).is_some_and(|tree| tree.is_ours);
        if is_ours { Owner::Ours } else { Owner::Application }
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < FAULTS_NAMED_MAX {
            self.faults.push(what);
        }
    }

    fn tally(&mut self, region: Region, owner: Owner, bytes: u64, nonzero: u64) {
        let tally = self.tallies.entry((region, owner)).or_default();
        tally.bytes += bytes;
        tally.nonzero += nonzero;
        tally.pages += u64::from(nonzero > 0);
    }

    fn tree_page(&mut self, pages: &mut dyn Pages, number: u32, tree: u16) -> Result<(), Unread> {
        if !self.map.claim(number, Use::Tree(tree)) {
            let (id, name) = (number, self.name(tree).to_owned());
            self.fault(format!("page {id} of {name} does not exist, or is used twice"));
            return Ok(());
        }
        let mut page = std::mem::take(&mut self.page);
        let done = pages.current(number, &mut page);
        if done.is_ok() {
            match TreePage::read(&page, Header::tree_at(number), self.header.usable) {
                Some(read) => self.read_page(&page, number, tree, &read),
                None => self.damaged(&page, number, tree),
            }
        }
        self.page = page;
        done
    }

    fn damaged(&mut self, page: &[u8], number: u32, tree: u16) {
        let (id, name) = (number, self.name(tree).to_owned());
        self.fault(format!("page {id} of {name} is damaged"));
        self.map.claim(number, Use::Damaged(tree));
        self.look_dead(page, Spot { layer: Layer::Database, region: Region::Damaged, tree: Some(tree) }, number);
    }

    fn read_page(&mut self, page: &[u8], number: u32, tree: u16, read: &TreePage) {
        self.tally(Region::PageGaps, self.owner(tree), read.looked_at, read.nonzero);
        let kind = self.kind(tree);
        if let Some(search) = &mut self.search {
            let gap = Spot { layer: Layer::Database, region: Region::PageGaps, tree: Some(tree) };
            search.look(page, &mut |place| {
                if read.is_live(&place) { live(kind, tree) } else { Judgement::Dead(gap, number) }.on(number)
            });
        }
        let children = read.cells.iter().filter_map(|cell| cell.child).chain(read.last_child);
        self.tasks.extend(children.map(|page| Task::Page { page, tree }));
        let has_terms = self.search.is_some() && !matches!(kind, TreeKind::Rows | TreeKind::Entries);
        for cell in &read.cells {
            let payload = page.get(cell.payload.clone()).unwrap_or_default();
            if let Some(next) = cell.overflow {
                let left = cell.payload_bytes.saturating_sub(payload.len() as u64);
                let is_block = has_terms && cell.payload_bytes <= BLOCK_BYTES_MAX as u64;
                let before = payload[payload.len().saturating_sub(Search::overlap())..].to_vec();
                let block = is_block.then(|| payload.to_vec());
                self.tasks.push(Task::Chain { page: next, left, tree, before, block });
            } else if has_terms {
                self.look_at_terms(payload, kind, Region::IndexEntries, Some(tree), number);
            }
        }
    }

    fn overflow_page(
        &mut self,
        pages: &mut dyn Pages,
        number: u32,
        left: u64,
        tree: u16,
        before: &[u8],
        block: Option<Vec<u8>>,
    ) -> Result<(), Unread> {
        if !self.map.claim(number, Use::Overflow(tree)) {
            let (id, name) = (number, self.name(tree).to_owned());
            self.fault(format!("page {id} of a long value of {name} does not exist, or is used twice"));
            return Ok(());
        }
        let mut page = std::mem::take(&mut self.page);
        let done = pages.current(number, &mut page);
        if done.is_ok()
            && let Some(read) = OverflowPage::read(&page, self.header.usable, left)
        {
            self.read_overflow(&page, number, left, tree, before, block, read);
        }
        self.page = page;
        done
    }

    #[expect(clippy::too_many_arguments, reason = "it is the second half of one step")]
    fn read_overflow(
        &mut self,
        page: &[u8],
        number: u32,
        left: u64,
        tree: u16,
        before: &[u8],
        mut block: Option<Vec<u8>>,
        read: OverflowPage,
    ) {
        let (kind, usable) = (self.kind(tree), self.header.usable);
        let rest = page.get(read.end..usable).unwrap_or_default();
        self.tally(Region::OverflowTails, self.owner(tree), rest.len() as u64, nonzero(rest));
        let data = page.get(OverflowPage::START..read.end).unwrap_or_default();
        let joined = [before, &data[..data.len().min(Search::overlap())]].concat();
        if let Some(search) = &mut self.search {
            let tail = Spot { layer: Layer::Database, region: Region::OverflowTails, tree: Some(tree) };
            search.look(page, &mut |place: Range<usize>| {
                if place.end <= read.end { live(kind, tree) } else { Judgement::Dead(tail, number) }.on(number)
            });
            search.look(&joined, &mut |place: Range<usize>| {
                let crosses = place.start < before.len() && place.end > before.len();
                if crosses { live(kind, tree).on(number) } else { Judgement::Nothing }
            });
        }
        if let Some(block) = &mut block {
            block.extend_from_slice(data);
        }
        let left = left.saturating_sub(data.len() as u64);
        match (left, read.next) {
            (0, _) => {
                if let Some(block) = block {
                    self.look_at_terms(&block, kind, Region::IndexEntries, Some(tree), number);
                }
            }
            (_, None) => {
                let (id, name) = (number, self.name(tree).to_owned());
                self.fault(format!("a long value of {name} ends too soon, on page {id}"));
            }
            (_, Some(next)) => {
                let seen = [before, data].concat();
                let before = seen[seen.len().saturating_sub(Search::overlap())..].to_vec();
                self.tasks.push(Task::Chain { page: next, left, tree, before, block });
            }
        }
    }

    fn trunk(&mut self, pages: &mut dyn Pages, number: u32) -> Result<(), Unread> {
        let id = number;
        if !self.map.claim(number, Use::Other) {
            self.fault(format!("page {id} of the list of free pages does not exist, or is used twice"));
            return Ok(());
        }
        let mut page = std::mem::take(&mut self.page);
        let done = pages.current(number, &mut page);
        if done.is_ok() {
            self.look_dead(&page, FREE, number);
            match Trunk::read(&page, self.header.usable, self.map.pages()) {
                Some(trunk) => {
                    let bytes = self.header.usable - trunk.end;
                    self.tally(Region::FreePages, Owner::Application, bytes as u64, trunk.nonzero);
                    for id in trunk.leaves {
                        if !self.map.claim(id, Use::Free) {
                            self.fault(format!("page {id} is free and used at once"));
                        }
                    }
                    self.tasks.extend(trunk.next.map(Task::Trunk));
                }
                None => self.fault(format!("page {id} of the list of free pages is damaged")),
            }
        }
        self.page = page;
        done
    }

    /// A page that was not led to, or of which the file may have an older version.
    fn rest_page(&mut self, pages: &mut dyn Pages, number: u32) -> Result<(), Unread> {
        let is_beyond = number > self.map.pages();
        let used = self.map.get(number);
        let is_other = number == self.header.lock_page() || self.header.is_pointer_map(number);
        let is_free = !is_beyond && !is_other && matches!(used, Use::Free | Use::Lost);
        let is_replaced = is_beyond || pages.is_replaced(number);
        if !is_free && !is_replaced {
            return Ok(());
        }
        let mut page = std::mem::take(&mut self.page);
        let mut other = std::mem::take(&mut self.other);
        let mut done = Ok(());
        if !is_beyond {
            done = pages.current(number, &mut page);
            if done.is_ok() && is_free {
                self.free_page(&page, number);
            }
        }
        if done.is_ok() && is_replaced {
            done = match pages.stored(number, &mut other) {
                Ok(true) if is_beyond || other != page => {
                    self.unmoved += 1;
                    self.old_version(&other, number, used);
                    Ok(())
                }
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
        }
        self.page = page;
        self.other = other;
        done
    }

    fn free_page(&mut self, page: &[u8], number: u32) {
        let content = page.get(..self.header.usable).unwrap_or_default();
        self.tally(Region::FreePages, Owner::Application, content.len() as u64, nonzero(content));
        self.look_dead(page, FREE, number);
        self.look_at_old_terms(page, FREE.region, number);
    }

    fn old_version(&mut self, page: &[u8], number: u32, used: Use) {
        let tree = match used {
            Use::Tree(tree) | Use::Overflow(tree) | Use::Damaged(tree) => Some(tree),
            Use::Free | Use::Lost | Use::Other => None,
        };
        self.look_dead(page, Spot { layer: Layer::Database, region: Region::NotYetMoved, tree }, number);
        self.look_at_old_terms(page, Region::NotYetMoved, number);
    }

    fn look_dead(&mut self, page: &[u8], spot: Spot, number: u32) {
        if let Some(search) = &mut self.search {
            search.look(page, &mut |_| Judgement::Dead(spot, number));
        }
    }

    /// The terms of a page that once held blocks of a full-text index, as far as it can be read as one.
    fn look_at_old_terms(&mut self, page: &[u8], region: Region, number: u32) {
        let Some(read) = TreePage::read(page, Header::tree_at(number), self.header.usable) else { return };
        let kinds: &[TreeKind] = match read.kind {
            PageKind::TableLeaf => &[TreeKind::Terms5, TreeKind::Terms3],
            PageKind::IndexLeaf => &[TreeKind::Separators5],
            PageKind::TableInterior | PageKind::IndexInterior => return,
        };
        let kinds = kinds.iter().copied().filter(|kind| self.trees.iter().any(|tree| tree.kind == *kind));
        let kinds: Vec<TreeKind> = kinds.collect();
        if self.search.is_none() || kinds.is_empty() {
            return;
        }
        for cell in read.cells.iter().filter(|cell| cell.overflow.is_none()) {
            let payload = page.get(cell.payload.clone()).unwrap_or_default();
            for kind in &kinds {
                self.look_at_terms(payload, *kind, region, None, number);
            }
        }
    }

    fn look_at_terms(&mut self, payload: &[u8], kind: TreeKind, region: Region, tree: Option<u16>, number: u32) {
        let Some(search) = &mut self.search else { return };
        let spot = Spot { layer: Layer::Database, region, tree };
        for column in columns(payload).into_iter().filter(|column| column.is_blob) {
            let block = payload.get(column.place).unwrap_or_default();
            let mut tell = |term: &[u8]| search.look_at_term(term, false, spot, number);
            match kind {
                TreeKind::Terms5 => terms::fts5(block, &mut tell),
                TreeKind::Terms3 => terms::fts3(block, &mut tell),
                // The first byte tells of which index it is.
                TreeKind::Separators5 => {
                    search.look_at_term(block.get(1..).unwrap_or_default(), true, spot, number);
                }
                TreeKind::Rows | TreeKind::Entries => {}
            }
        }
    }
}

const FREE: Spot = Spot { layer: Layer::Database, region: Region::FreePages, tree: None };

/// What a value in a living cell means.
fn live(kind: TreeKind, tree: u16) -> Judgement {
    match kind {
        TreeKind::Rows => Judgement::Living(tree),
        TreeKind::Entries | TreeKind::Terms5 | TreeKind::Separators5 | TreeKind::Terms3 => {
            let region = Region::IndexEntries;
            Judgement::Copy(Spot { layer: Layer::Database, region, tree: Some(tree) }, 0)
        }
    }
}

impl Judgement {
    /// The same, on this page.
    fn on(self, page: u32) -> Self {
        match self {
            Self::Dead(spot, _) => Self::Dead(spot, page),
            Self::Copy(spot, _) => Self::Copy(spot, page),
            other => other,
        }
    }
}
