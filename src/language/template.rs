//! Sentences with places in them, written as `format!` takes them.

use std::ops::Range;

/// Names of places that hold a number in digits.
const NUMBERS: [&str; 12] =
    ["bytes", "changed", "chars", "count", "done", "entries", "id", "many", "planned", "rows", "shown", "total"];
/// Names of places that hold a date or an instant.
const DATES: [&str; 5] = ["at", "date", "due_on", "today", "until"];
/// Names of places that hold a name, a key or a word: something without a blank in it.
const NAMES: [&str; 6] = ["batch", "category", "named", "permission", "rule_name", "source"];
/// The name of places that hold a record, written `category/key`.
const RECORD: &str = "record";

/// Names of places that hold what somebody has typed, or is to type.
const TYPED: [&str; 12] = [
    "argument",
    "criterion",
    "in_force",
    "name",
    "new",
    "old",
    "possible",
    "prior",
    "rule",
    "similar",
    "typed",
    "value",
];

/// What a place can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Any text; a sentence of the catalogue, perhaps.
    Text,
    /// Digits.
    Number,
    /// A date or an instant.
    Date,
    /// Something without a blank.
    Name,
    /// A record, in whose key there may be blanks.
    Record,
    /// What was typed: any text, which stays as it is.
    Typed,
    /// A text in quotes.
    Quoted,
}

impl Holds {
    fn of(name: &str, is_debug: bool) -> Self {
        match name {
            _ if is_debug => Self::Quoted,
            name if NUMBERS.contains(&name) => Self::Number,
            name if DATES.contains(&name) => Self::Date,
            name if NAMES.contains(&name) => Self::Name,
            RECORD => Self::Record,
            name if TYPED.contains(&name) => Self::Typed,
            _ => Self::Text,
        }
    }

    fn takes(self, text: &str) -> bool {
        match self {
            Self::Text | Self::Typed => !text.is_empty(),
            Self::Number => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Date => text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(' '),
            Self::Name => !text.is_empty() && !text.contains([' ', ',', ':', ';', '(', ')', '"']),
            Self::Record => {
                text.split_once('/').is_some_and(|(category, key)| Self::Name.takes(category) && !key.is_empty())
            }
            Self::Quoted => text.len() > 1 && text.starts_with('"') && text.ends_with('"'),
        }
    }
}

/// A place in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its name; for one without, its number, counted from 0.
    pub(super) name: String,
    pub(super) holds: Holds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Said(String),
    Place(Place),
}

/// A sentence with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// The template that is written so.
    pub(super) fn new(written: &str) -> Self {
        let mut pieces = Vec::new();
        let (mut said, mut nameless) = (String::new(), 0_usize);
        let mut rest = written;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '{' | '}' if rest.starts_with(c) => {
                    said.push(c);
                    rest = &rest[1..];
                }
                '{' => {
                    let (inside, after) = rest.split_once('}').unwrap_or((rest, ""));
                    rest = after;
                    let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
                    let name = if name.is_empty() { (nameless.to_string(), nameless += 1).0 } else { name.to_owned() };
                    if !said.is_empty() {
                        pieces.push(Piece::Said(std::mem::take(&mut said)));
                    }
                    let holds = Holds::of(&name, format.ends_with('?'));
                    pieces.push(Piece::Place(Place { name, holds }));
                }
                c => said.push(c),
            }
        }
        if !said.is_empty() {
            pieces.push(Piece::Said(said));
        }
        Self { pieces }
    }

    /// Its places, in the order in which they stand.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(place) => Some(place),
            Piece::Said(_) => None,
        })
    }

    /// How much it says itself: of two that fit a sentence, the one that says more is meant; but one that begins with its
    /// own words before one that begins with a place, which may have swallowed another sentence. Between those that say as
    /// much the one whose places take less.
    pub(super) fn weight(&self) -> (bool, usize, usize) {
        let said = self.pieces.iter().map(|piece| match piece {
            Piece::Said(said) => said.chars().count(),
            Piece::Place(_) => 0,
        });
        (
            matches!(self.pieces.first(), Some(Piece::Said(_))),
            said.sum(),
            self.places().filter(|place| place.holds != Holds::Text).count(),
        )
    }

    /// What stands in its places, where `text` is this sentence. Each place takes as little as it can.
    pub(super) fn read<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let mut found = Vec::new();
        read(&self.pieces, text, 0, &mut found).then(|| found.into_iter().map(|range| &text[range]).collect())
    }

    /// Whether a record among these contents of its places has a blank in its key: seldom, and perhaps read wrongly.
    pub(super) fn is_doubtful(&self, inside: &[&str]) -> bool {
        self.places().zip(inside).any(|(place, inside)| place.holds == Holds::Record && inside.contains(' '))
    }

    /// The sentence with `inside` in its places.
    pub(super) fn say<'s>(&self, inside: impl Fn(&str) -> Option<&'s str>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Said(said) => text.push_str(said),
                Piece::Place(place) => text.push_str(inside(&place.name).unwrap_or_default()),
            }
        }
        text
    }
}

fn read(pieces: &[Piece], text: &str, at: usize, found: &mut Vec<Range<usize>>) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return at == text.len() };
    let here = &text[at..];
    match first {
        Piece::Said(said) => here.starts_with(said.as_str()) && read(rest, text, at + said.len(), found),
        Piece::Place(place) => {
            let ends = here.char_indices().map(|(index, _)| index).skip(1).chain([here.len()]);
            for end in ends {
                if !place.holds.takes(&here[..end]) {
                    continue;
                }
                found.push(at..at + end);
                if read(rest, text, at + end, found) {
                    return true;
                }
                found.pop();
            }
            false
        }
    }
}
