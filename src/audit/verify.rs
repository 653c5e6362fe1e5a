//! Verification of an exported trail.

use std::collections::BTreeMap;

use super::line::Line;
use super::succession::KeyLine;
use super::{Checkpoint, Entry, Hash, Head, Kind, VerifierKey};
use crate::record::hex;

/// The word of [`Kind::Pruned`].
const PRUNED: &str = "pruned";

/// Something in the trail that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The entry at which it shows; none where it is a checkpoint itself that cannot be trusted.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// How many came before them and were pruned, as the trail tells.
    pub pruned: u64,
    /// Up to which entry the trail is proved to be what was signed.
    pub verified_to: u64,
    /// How many entries follow, tied to each other but not signed: they could have been rewritten, all of them, unseen.
    pub unsigned_after: u64,
    /// The first fault; none: the trail holds.
    pub fault: Option<Fault>,
}

/// Verifies a trail line by line, in constant memory.
#[derive(Debug)]
pub struct Verifier {
    checkpoints: BTreeMap<u64, Hash>,
    origin: Option<String>,
    head: Head,
    lines: u64,
    /// How many entries come before the first line.
    before: u64,
    /// The first entry that tells that those were pruned.
    told: Option<u64>,
    verified_to: u64,
    fault: Option<Fault>,
}

impl Verifier {
    /// A verifier that holds the trail against these checkpoints, each a signed note, signed with `key` or with one that
    /// stands in one line with it: whose place it took, or that took its place.
    #[must_use]
    pub fn new(notes: &[String], key: &VerifierKey) -> Self {
        let mut verifier = Self {
            checkpoints: BTreeMap::new(),
            origin: None,
            head: Head::EMPTY,
            lines: 0,
            before: 0,
            told: None,
            verified_to: 0,
            fault: None,
        };
        let keys = KeyLine::with(key, notes);
        for (index, note) in notes.iter().enumerate() {
            match keys.open(note) {
                Ok(checkpoint) => verifier.expect(checkpoint),
                Err(error) => verifier.find(None, format!("checkpoint {}: {error}", index + 1)),
            }
        }
        verifier
    }

    fn expect(&mut self, Checkpoint { installation, head, .. }: Checkpoint) {
        self.origin = Some(installation);
        if self.checkpoints.insert(head.entries, head.hash).is_some_and(|other| other != head.hash) {
            let what = format!("two checkpoints of {} entries contradict each other", head.entries);
            self.find(Some(head.entries), what);
        }
    }

    fn find(&mut self, seq: Option<u64>, what: impl Into<String>) {
        self.fault.get_or_insert(Fault { seq, what: what.into() });
    }

    /// The next line, without its line feed.
    pub fn line(&mut self, line: &str) {
        self.lines += 1;
        match self.check(line) {
            Ok(head) => {
                self.head = head;
                if self.fault.is_none() && self.checkpoints.contains_key(&head.entries) {
                    self.verified_to = head.entries;
                }
            }
            // One fault makes every later entry doubtful: only the first is told.
            Err(what) => self.find(Some(self.head.entries + 1), what),
        }
    }

    fn check(&mut self, line: &str) -> Result<Head, String> {
        if self.fault.is_some() {
            return Err(String::new());
        }
        let Some(read) = Line::read(line) else {
            // Unusual, or no entry at all: the long way knows which.
            let entry = Entry::from_line(line).map_err(|error| format!("the line cannot be an entry: {error}"))?;
            return self.check_entry(&entry.prev, entry.head(), entry.computed_hash(), || line);
        };
        let is_pruned = read.is_of_kind(PRUNED);
        let head = self.check_entry(&read.prev, read.head(), read.computed_hash(), || line)?;
        if is_pruned {
            self.hear_of_pruning(head.entries, line);
        }
        Ok(head)
    }

    /// An entry that tells where a trail was pruned. Its line is in canonical form.
    fn hear_of_pruning(&mut self, seq: u64, line: &str) {
        let kind = Entry::from_line(line).ok().and_then(|entry| entry.known_kind());
        if matches!(kind, Some(Kind::Pruned { first, .. }) if first == self.before + 1) {
            self.told.get_or_insert(seq);
        }
    }

    /// A trail may begin with a later entry than 1 where exactly that was signed.
    fn begin_with(&mut self, first: u64, prev: Hash) {
        if self.lines == 1 && first > 1 && self.checkpoints.contains_key(&first) {
            self.before = first - 1;
            self.head = Head { entries: self.before, hash: prev };
        }
    }

    fn check_entry<'l>(
        &mut self,
        prev: &Hash,
        head: Head,
        computed: Hash,
        line: impl FnOnce() -> &'l str,
    ) -> Result<Head, String> {
        self.begin_with(head.entries, *prev);
        let expected = self.head.entries + 1;
        if self.lines == 1 && head.entries > expected {
            let first = head.entries;
            return Err(format!(
                "entry 1 is missing: the trail begins with entry {first}. If what came before was pruned, the checkpoint \
                 signed over entry {first} is needed, too"
            ));
        }
        if head.entries != expected {
            return Err(format!("entry {expected} is missing: entry {} stands in its place", head.entries));
        }
        if *prev != self.head.hash {
            return Err("it is not tied to the entry before it: one of the two has been changed".into());
        }
        if computed != head.hash {
            return Err("it has been changed: its hash does not fit its content".into());
        }
        if expected == 1 {
            let entry = Entry::from_line(line()).map_err(|error| format!("the line cannot be an entry: {error}"))?;
            self.check_first(&entry)?;
        }
        match self.checkpoints.get(&expected) {
            Some(signed) if *signed != head.hash => Err(format!(
                "the trail has been rewritten: its hash here is {}, the checkpoint signed {}",
                hex(&head.hash),
                hex(signed)
            )),
            _ => Ok(head),
        }
    }

    fn check_first(&self, entry: &Entry) -> Result<(), String> {
        let Some(Kind::StateCreated { installation }) = entry.known_kind() else {
            return Err("a trail begins with state_created, and this one does not".into());
        };
        match &self.origin {
            Some(origin) if *origin != installation => {
                Err(format!("this is the trail of {installation}, and the checkpoints are of {origin}"))
            }
            _ => Ok(()),
        }
    }

    /// What was found, when there are no more lines.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let newest = self.checkpoints.last_key_value().map_or(0, |(entries, _)| *entries);
        if self.lines == 0 {
            self.find(Some(1), "the trail is empty");
        } else if newest > self.head.entries {
            let what = format!("it is missing: the trail ends here, and a checkpoint was signed over {newest} entries");
            self.find(Some(self.head.entries + 1), what);
        } else if self.before > 0 && self.told.is_none_or(|told| told > newest) {
            let what = "the trail begins with it, and no entry that was signed tells that what came before was pruned";
            self.find(Some(self.before + 1), what);
        }
        Report {
            entries: self.lines,
            pruned: self.before,
            verified_to: self.verified_to,
            unsigned_after: self.lines - self.verified_to.saturating_sub(self.before),
            fault: self.fault,
        }
    }
}

/// Verifies the lines of a trail against checkpoints.
#[must_use]
pub fn verify<L: AsRef<str>>(lines: impl IntoIterator<Item = L>, notes: &[String], key: &VerifierKey) -> Report {
    let mut verifier = Verifier::new(notes, key);
    for line in lines {
        verifier.line(line.as_ref());
    }
    verifier.finish()
}

#[cfg(test)]
mod tests;
