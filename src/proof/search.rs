//! What is looked for by value, and what was found of it.
//!
//! A value is looked for whole, and in parts that a page's border can leave: of a short one its two halves, of a long one
//! stretches that follow one another. A part that living rows hold proves nothing, wherever else it lies. Words of texts
//! are looked for among the terms of full-text indexes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Bound, Range};

use super::fold::{WORD_BYTES_MIN, words};
use super::header::Encoding;
use super::patterns::{Patterns, WINDOW};
use super::report::{Layer, PAGES_NAMED_MAX, Place, Region, ValueCounts};
use super::sample::Sample;
use super::secret::Secret;

/// A longer value is looked for in stretches.
const WHOLE_BYTES_MAX: usize = 64;
/// So long are they: whatever is left of a value in one piece holds a whole one, if it has nearly twice as many bytes.
const STRETCH_BYTES: usize = 32;
/// Half of a shorter value could be anybody's.
const HALVED_BYTES_MIN: usize = 16;

/// A place in which something was found, with the layer it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// Which layer.
    pub layer: Layer,
    /// In what kind of place.
    pub region: Region,
    /// In which tree.
    pub tree: Option<u16>,
}

#[derive(Debug, Clone, Default)]
struct Hits {
    count: u64,
    pages: Vec<u32>,
}

impl Hits {
    fn add(&mut self, page: u32) {
        self.count += 1;
        if self.pages.len() < PAGES_NAMED_MAX && page > 0 && !self.pages.contains(&page) {
            self.pages.push(page);
        }
    }
}

/// Whose a pattern is, and whether it is the whole of a value or a stretch of it, rather than a half.
#[derive(Debug, Clone, Default)]
struct Meaning {
    values: Vec<u32>,
    is_whole: bool,
}

/// Looks for the values of a sample.
pub struct Search {
    patterns: Patterns,
    meanings: Vec<Meaning>,
    words: BTreeMap<Secret, Vec<u32>>,
    records: u64,
    values: u64,
    /// Patterns that living rows hold, with the trees of the rows.
    living: HashMap<u32, BTreeSet<u16>>,
    dead: HashMap<(u32, Spot), Hits>,
    dead_words: HashMap<(Secret, bool, Spot), Hits>,
}

/// A term of a full-text index that is a word of a value, or what such a word begins with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundTerm {
    /// The term.
    pub bytes: Vec<u8>,
    /// Whether it may go on.
    pub is_cut: bool,
    /// The tree of the index.
    pub tree: Option<u16>,
}

impl Search {
    /// The search for these values in a database that writes text so.
    #[must_use]
    pub fn new(sample: &Sample, encoding: Encoding) -> Self {
        let mut known: HashMap<Secret, u32> = HashMap::new();
        let mut filed: HashMap<Secret, Meaning> = HashMap::new();
        let mut found_words: BTreeMap<Secret, Vec<u32>> = BTreeMap::new();
        for value in &sample.values {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            if known.contains_key(&value.bytes) {
                continue;
            }
            known.insert(value.bytes.clone(), next);
            let text = value.is_text.then(|| std::str::from_utf8(&value.bytes).ok()).flatten();
            file(&value.bytes, next, &mut filed);
            if let Some(wide) = text.and_then(|text| wide(text, encoding)) {
                file(&wide, next, &mut filed);
            }
            for word in text.map(words).unwrap_or_default() {
                let values = found_words.entry(Secret::new(word.into_bytes())).or_default();
                values.push(next);
            }
        }
        let (patterns, meanings): (Vec<_>, Vec<_>) = filed.into_iter().unzip();
        Self {
            patterns: Patterns::new(&patterns),
            meanings,
            words: found_words,
            records: sample.records(),
            values: known.len() as u64,
            living: HashMap::new(),
            dead: HashMap::new(),
            dead_words: HashMap::new(),
        }
    }

    /// Whether there is anything to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values == 0
    }

    /// Bytes of two neighbouring pieces that have to be looked through together.
    #[must_use]
    pub const fn overlap() -> usize {
        WHOLE_BYTES_MAX * 2 - 1
    }

    /// Looks through bytes; `judge` says what a hit at these means: a living row of a tree, or a spot on a page.
    pub fn look(&mut self, bytes: &[u8], judge: &mut dyn FnMut(Range<usize>) -> Judgement) {
        let (living, dead, meanings) = (&mut self.living, &mut self.dead, &self.meanings);
        let is_whole = |pattern: u32| meanings.get(pattern as usize).is_some_and(|meaning| meaning.is_whole);
        self.patterns.find(bytes, &mut |from, to, pattern| match judge(from..to) {
            Judgement::Living(tree) => {
                living.entry(pattern).or_default().insert(tree);
            }
            Judgement::Copy(spot, page) if is_whole(pattern) => dead.entry((pattern, spot)).or_default().add(page),
            Judgement::Dead(spot, page) => dead.entry((pattern, spot)).or_default().add(page),
            Judgement::Copy(..) | Judgement::Nothing => {}
        });
    }

    /// Looks whether a term of a full-text index is a word of a value; what was cut, whether one begins with it.
    pub fn look_at_term(&mut self, term: &[u8], is_cut: bool, spot: Spot, page: u32) {
        let is_long = term.len() >= WORD_BYTES_MIN;
        if is_long && of_term(&self.words, term, is_cut).next().is_some() {
            self.dead_words.entry((Secret::new(term.to_vec()), is_cut, spot)).or_default().add(page);
        }
    }

    /// The terms that were found.
    #[must_use]
    pub fn terms(&self) -> BTreeSet<FoundTerm> {
        let keys = self.dead_words.keys();
        keys.map(|(term, is_cut, spot)| FoundTerm { bytes: term.to_vec(), is_cut: *is_cut, tree: spot.tree }).collect()
    }

    /// A living row is indexed under this term.
    pub fn term_lives(&mut self, term: &FoundTerm) {
        self.dead_words.retain(|(own, is_cut, spot), _| {
            own[..] != term.bytes[..] || *is_cut != term.is_cut || spot.tree != term.tree
        });
    }

    /// What has come of it; `names` are those of the trees.
    #[must_use]
    pub fn settle(&self, names: &dyn Fn(u16) -> String) -> Settled {
        let mut settled = Settled {
            values: ValueCounts { records: self.records, values: self.values, ..ValueCounts::default() },
            layers: BTreeMap::new(),
        };
        let mut found: BTreeSet<u32> = BTreeSet::new();
        let mut places: BTreeMap<Spot, (BTreeSet<u32>, Hits)> = BTreeMap::new();
        let dead = self.dead.iter().filter(|((pattern, _), _)| !self.living.contains_key(pattern));
        let dead = dead
            .filter_map(|((pattern, spot), hits)| Some((&self.meanings.get(*pattern as usize)?.values, *spot, hits)));
        let terms = self.dead_words.iter().flat_map(|((term, is_cut, spot), hits)| {
            of_term(&self.words, term, *is_cut).map(move |values| (values, *spot, hits))
        });
        for (values, spot, hits) in dead.chain(terms) {
            found.extend(values);
            let (of_spot, all) = places.entry(spot).or_default();
            of_spot.extend(values);
            all.count += hits.count;
            hits.pages.iter().for_each(|page| {
                if all.pages.len() < PAGES_NAMED_MAX && !all.pages.contains(page) {
                    all.pages.push(*page);
                }
            });
        }
        for (spot, (values, mut hits)) in places {
            hits.pages.sort_unstable();
            let layer = settled.layers.entry(spot.layer).or_default();
            let is_passing = matches!(spot.region, Region::NotYetMoved | Region::WalFrames | Region::WalTail);
            if is_passing { &mut layer.pending } else { &mut layer.found }.extend(values);
            let tree = spot.tree.map(names);
            layer.places.push(Place { region: spot.region, tree, hits: hits.count, pages: hits.pages });
        }
        settled.values.found = found.len() as u64;
        self.count_living(&found, names, &mut settled.values);
        settled
    }

    fn count_living(&self, found: &BTreeSet<u32>, names: &dyn Fn(u16) -> String, counts: &mut ValueCounts) {
        let mut living: BTreeMap<u32, BTreeSet<u16>> = BTreeMap::new();
        for (pattern, trees) in &self.living {
            let meaning = self.meanings.get(*pattern as usize).filter(|meaning| meaning.is_whole);
            for value in meaning.iter().flat_map(|meaning| &meaning.values).filter(|value| !found.contains(value)) {
                living.entry(*value).or_default().extend(trees);
            }
        }
        counts.in_use = living.len() as u64;
        for tree in living.values().flatten() {
            *counts.in_use_by.entry(names(*tree)).or_default() += 1;
        }
    }
}

/// The values of which a word is this term, or begins with it.
fn of_term<'w>(
    words: &'w BTreeMap<Secret, Vec<u32>>,
    term: &'w [u8],
    is_cut: bool,
) -> impl Iterator<Item = &'w Vec<u32>> + use<'w> {
    let from = words.range::<[u8], _>((Bound::Included(term), Bound::Unbounded));
    let of = from.take_while(move |(word, _)| if is_cut { word.starts_with(term) } else { word[..] == *term });
    of.map(|(_, values)| values)
}

/// What a hit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// A living row of this tree holds it.
    Living(u16),
    /// A copy of what a row holds, or held, on this page: it is there whole, and a half is of something else.
    Copy(Spot, u32),
    /// It lies here, on this page; 0: of no page.
    Dead(Spot, u32),
    /// Nothing: somebody else looks at these bytes.
    Nothing,
}

/// What a search has come to.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// In numbers.
    pub values: ValueCounts,
    /// Layer by layer.
    pub layers: BTreeMap<Layer, FoundIn>,
}

/// What was found in one layer.
#[derive(Debug, Clone, Default)]
pub struct FoundIn {
    /// Values that are there for good.
    pub found: BTreeSet<u32>,
    /// Values that go when the write-ahead log is emptied.
    pub pending: BTreeSet<u32>,
    /// Where.
    pub places: Vec<Place>,
}

/// Files the patterns of one value.
fn file(bytes: &[u8], value: u32, filed: &mut HashMap<Secret, Meaning>) {
    let mut add = |part: &[u8], is_whole: bool| {
        if part.len() >= WINDOW {
            let meaning = filed.entry(Secret::new(part.to_vec())).or_default();
            meaning.is_whole |= is_whole;
            if !meaning.values.contains(&value) {
                meaning.values.push(value);
            }
        }
    };
    if bytes.len() <= WHOLE_BYTES_MAX {
        add(bytes, true);
        if bytes.len() >= HALVED_BYTES_MIN {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            add(first, false);
            add(second, false);
        }
        return;
    }
    let stretches = bytes.chunks_exact(STRETCH_BYTES);
    stretches.for_each(|stretch| add(stretch, true));
    add(&bytes[bytes.len() - STRETCH_BYTES..], true);
}

/// The text as a database in UTF-16 writes it.
fn wide(text: &str, encoding: Encoding) -> Option<Secret> {
    let units = text.encode_utf16();
    match encoding {
        Encoding::Utf8 => None,
        Encoding::Utf16Low => Some(Secret::new(units.flat_map(u16::to_le_bytes).collect())),
        Encoding::Utf16High => Some(Secret::new(units.flat_map(u16::to_be_bytes).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Value;

    const GAP: Spot = Spot { layer: Layer::Database, region: Region::PageGaps, tree: Some(1) };

    fn search(values: &[&str], encoding: Encoding) -> Search {
        let mut sample = Sample::default();
        sample.add(values.iter().map(|value| Value::text(value)));
        Search::new(&sample, encoding)
    }

    fn found(search: &Search) -> (u64, u64) {
        let settled = search.settle(&|tree| tree.to_string());
        (settled.values.found, settled.values.in_use)
    }

    #[test]
    fn what_a_living_row_holds_is_passed_over_and_counted() {
        let mut search = search(&["Huber", "Gruber"], Encoding::Utf8);
        search.look(b"..Huber..Gruber..", &mut |_| Judgement::Dead(GAP, 3));
        assert_eq!(found(&search), (2, 0));
        search.look(b"Gruber", &mut |_| Judgement::Living(7));
        assert_eq!(found(&search), (1, 1));
        assert_eq!(search.settle(&|tree| format!("t{tree}")).values.in_use_by, [("t7".to_owned(), 1)].into());
    }

    #[test]
    fn a_value_cut_anywhere_leaves_a_part_that_is_found() {
        for value in ["Hauptstrasse 17/3, 1010", &"Anna isst gern Apfelmus und Kren. ".repeat(9)] {
            for cut in 1..value.len() {
                let mut search = search(&[value], Encoding::Utf8);
                search.look(&value.as_bytes()[..cut], &mut |_| Judgement::Dead(GAP, 1));
                search.look(&value.as_bytes()[cut..], &mut |_| Judgement::Dead(GAP, 2));
                assert_eq!(found(&search).0, 1, "cut at {cut}");
            }
        }
    }

    #[test]
    fn wide_text_is_found() {
        for (encoding, bytes) in [(Encoding::Utf16Low, b"H\0u\0b\0e\0r\0"), (Encoding::Utf16High, b"\0H\0u\0b\0e\0r")] {
            let mut search = search(&["Huber"], encoding);
            search.look(bytes, &mut |_| Judgement::Dead(GAP, 1));
            assert_eq!(found(&search), (1, 0));
        }
    }

    #[test]
    fn a_term_counts_unless_a_living_row_is_indexed_under_it() {
        let mut search = search(&["Anna Müller-Huber"], Encoding::Utf8);
        search.look_at_term(b"muller", false, GAP, 4);
        search.look_at_term(b"maier", false, GAP, 4);
        assert_eq!((found(&search), search.terms().len()), ((1, 0), 1));
        search.term_lives(&FoundTerm { bytes: b"muller".to_vec(), is_cut: false, tree: Some(1) });
        assert_eq!(found(&search), (0, 0));
        search.look_at_term(b"mulle", false, GAP, 4);
        assert_eq!(found(&search), (0, 0));
        search.look_at_term(b"mulle", true, GAP, 4);
        assert_eq!(found(&search), (1, 0));
    }
}
