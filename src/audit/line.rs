//! A line of an exported trail, read where it lies.
//!
//! What is hashed is what stands in the line, as long as that is canonical: one pass over the line sees to it, and copies
//! nothing. Whatever is out of the ordinary is left to [`Entry::from_line`](super::Entry::from_line), which says what is wrong.

use std::ops::Range;

use jiff::Timestamp;

use super::chain::hash_of;
use super::{Hash, Head};
use crate::record::unhex;

/// Deepest nesting that is read here; the details of known kinds have three levels.
const DEPTH_MAX: usize = 32;
/// `"2026-03-15T02:00:00.123Z"`: the only form of an instant.
const INSTANT: &[u8; 26] = b"\"0000-00-00T00:00:00.000Z\"";

/// An entry as it stands in a line.
#[derive(Debug)]
pub(super) struct Line<'l> {
    pub(super) seq: u64,
    pub(super) prev: Hash,
    pub(super) hash: Hash,
    /// `seq`, `at`, `actor`, `run`, `request`, `kind`, `details`, `prev` as canonical JSON: what is hashed.
    hashed: [&'l str; 8],
}

impl<'l> Line<'l> {
    /// The entry, where the line is in the form in which entries are exported; `None`: it may still be, or not.
    pub(super) fn read(line: &'l str) -> Option<Self> {
        let mut scan = Scan { line, at: 0 };
        let actor = scan.after("{\"actor\":", Scan::actor)?;
        let at = scan.after(",\"at\":", Scan::instant)?;
        let details = scan.after(",\"details\":", |scan| scan.value(0))?;
        let hash = scan.after(",\"hash\":", Scan::plain)?;
        let kind = scan.after(",\"kind\":", |scan| scan.string().map(drop))?;
        let prev = scan.after(",\"prev\":", Scan::plain)?;
        let request = scan.after(",\"request\":", Scan::text_or_null)?;
        let run = scan.after(",\"run\":", Scan::integer_or_null)?;
        let seq = scan.after(",\"seq\":", Scan::integer)?;
        scan.literal("}")?;
        if scan.at != line.len() {
            return None;
        }
        run.parse::<i64>().is_ok().then_some(()).or_else(|| (run == "null").then_some(()))?;
        Some(Self {
            seq: seq.parse().ok()?,
            prev: digest(prev)?,
            hash: digest(hash)?,
            hashed: [seq, at, actor, run, request, kind, details, prev],
        })
    }

    /// The hash that an entry of this content has.
    pub(super) fn computed_hash(&self) -> Hash {
        hash_of(&self.hashed)
    }

    /// Whether it is of the kind of this word.
    pub(super) fn is_of_kind(&self, word: &str) -> bool {
        let [_, _, _, _, _, kind, ..] = self.hashed;
        kind.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(word)
    }

    /// The end of the chain after this entry.
    pub(super) const fn head(&self) -> Head {
        Head { entries: self.seq, hash: self.hash }
    }
}

/// The digest that a quoted text writes, in lower case.
fn digest(quoted: &str) -> Option<Hash> {
    let text = quoted.get(1..quoted.len() - 1)?;
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { None } else { unhex(text) }
}

/// Goes through a line. Each step gives `None` where what comes next is not canonical, or not seen to be.
struct Scan<'l> {
    line: &'l str,
    at: usize,
}

impl<'l> Scan<'l> {
    fn next(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn literal(&mut self, text: &str) -> Option<()> {
        self.line.as_bytes().get(self.at..)?.starts_with(text.as_bytes()).then(|| self.at += text.len())
    }

    /// What `step` goes over, behind this text.
    fn after(&mut self, text: &str, step: impl FnOnce(&mut Self) -> Option<()>) -> Option<&'l str> {
        self.literal(text)?;
        let from = self.at;
        step(self)?;
        self.line.get(from..self.at)
    }

    /// A string; gives what stands between the quotes, and whether that is what it means: nothing in it is escaped.
    fn string(&mut self) -> Option<(Range<usize>, bool)> {
        self.literal("\"")?;
        let (from, mut is_plain) = (self.at, true);
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    is_plain = false;
                    self.escape()?;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        let inner = from..self.at;
        self.at += 1;
        Some((inner, is_plain))
    }

    /// An escape, as short as it can be, of what must be escaped.
    fn escape(&mut self) -> Option<()> {
        let rest = self.line.as_bytes().get(self.at + 1..)?;
        self.at += match rest {
            [b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', b'0', b'0', high @ b'0'..=b'1', low @ (b'0'..=b'9' | b'a'..=b'f'), ..] => {
                let has_letter = matches!((high, low), (b'0', b'8' | b'9' | b'a' | b'c' | b'd'));
                (!has_letter).then_some(6)?
            }
            _ => return None,
        };
        Some(())
    }

    /// A string in which nothing is escaped.
    fn plain(&mut self) -> Option<()> {
        self.string()?.1.then_some(())
    }

    fn instant(&mut self) -> Option<()> {
        let text = self.line.get(self.at..self.at + INSTANT.len())?;
        let has_form = text.bytes().zip(INSTANT).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        });
        // A leap second is read as the one before it.
        if !has_form || text.get(18..20)? > "59" {
            return None;
        }
        text.get(1..25)?.parse::<Timestamp>().ok()?;
        self.at += INSTANT.len();
        Some(())
    }

    fn actor(&mut self) -> Option<()> {
        if self.next()? == b'"' {
            return self.literal("\"daemon\"");
        }
        let uid = self.after("{\"uid\":", Self::integer)?;
        uid.parse::<u32>().ok()?;
        self.after(",\"user\":", |scan| scan.string().map(drop))?;
        self.literal("}")
    }

    fn text_or_null(&mut self) -> Option<()> {
        if self.next()? == b'n' { self.literal("null") } else { self.string().map(drop) }
    }

    fn integer_or_null(&mut self) -> Option<()> {
        if self.next()? == b'n' { self.literal("null") } else { self.integer() }
    }

    /// An integer of at most 18 digits: any of them is one to whoever reads JSON. None has a fraction or an exponent, for which
    /// whatever comes next would have to be another character.
    fn integer(&mut self) -> Option<()> {
        let from = self.at;
        if self.next()? == b'-' {
            self.at += 1;
        }
        let digits = self.at;
        while self.next().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let (count, has_zero) = (self.at - digits, self.line.as_bytes().get(digits) == Some(&b'0'));
        let is_canonical = (1..=18).contains(&count) && (!has_zero || (count == 1 && digits == from));
        (is_canonical && !matches!(self.next(), Some(b'.' | b'e' | b'E'))).then_some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.next()? {
            _ if depth > DEPTH_MAX => None,
            b'"' => self.string().map(drop),
            b'{' => self.members(depth),
            b'[' => self.items(depth),
            b'n' => self.literal("null"),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            _ => self.integer(),
        }
    }

    /// Members in the order of their names, each once.
    fn members(&mut self, depth: usize) -> Option<()> {
        self.literal("{")?;
        let mut before: Option<&str> = None;
        while self.next()? != b'}' {
            if before.is_some() {
                self.literal(",")?;
            }
            let (name, is_plain) = self.string()?;
            let name = self.line.get(name)?;
            if !is_plain || before.is_some_and(|before| before >= name) {
                return None;
            }
            before = Some(name);
            self.literal(":")?;
            self.value(depth + 1)?;
        }
        self.literal("}")
    }

    fn items(&mut self, depth: usize) -> Option<()> {
        self.literal("[")?;
        let mut is_first = true;
        while self.next()? != b']' {
            if !is_first {
                self.literal(",")?;
            }
            is_first = false;
            self.value(depth + 1)?;
        }
        self.literal("]")
    }
}

#[cfg(test)]
mod tests;
