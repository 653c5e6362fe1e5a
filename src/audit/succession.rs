//! Keys that take one another's place.
//!
//! Whoever exchanges the checkpoint key lets both sign one checkpoint that names both. So whoever trusts one of the two
//! trusts the other, before it or after it, and only there: what an exchanged key signs later counts for nothing.
//! Not against whoever has the secret of an exchanged key: they can let it hand over to a key of their own, and whoever trusts
//! only the exchanged one cannot tell the two lines apart. After a leak the new key has to be learnt another way.

use super::checkpoint::{Checkpoint, CheckpointError, VerifierKey};

/// The keys of one installation in the order of their service.
#[derive(Debug, Clone)]
pub(super) struct KeyLine {
    keys: Vec<VerifierKey>,
    /// Up to how many entries each of them has signed, but for the last.
    until: Vec<u64>,
}

/// That `to` signs what comes after so many entries, in the place of `from`.
struct Link {
    entries: u64,
    from: VerifierKey,
    to: VerifierKey,
}

impl KeyLine {
    /// The keys that stand in one line with `key`, as these notes tell.
    pub(super) fn with(key: &VerifierKey, notes: &[String]) -> Self {
        let mut links: Vec<Link> = notes.iter().filter_map(|note| link(note)).collect();
        links.sort_by_key(|link| link.entries);
        let mut line = Self { keys: vec![key.clone()], until: Vec::new() };
        for link in links.iter().rev() {
            let is_earlier = line.until.first().is_none_or(|until| link.entries < *until);
            if is_earlier && line.keys.first() == Some(&link.to) {
                line.keys.insert(0, link.from.clone());
                line.until.insert(0, link.entries);
            }
        }
        for link in links {
            let is_later = line.until.last().is_none_or(|until| link.entries > *until);
            if is_later && line.keys.last() == Some(&link.from) {
                line.keys.push(link.to);
                line.until.push(link.entries);
            }
        }
        line
    }

    /// What a note says, once the signature of the key that was in service is found to hold.
    pub(super) fn open(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        let entries = Checkpoint::claimed(note)?.head.entries;
        let place = self.until.partition_point(|until| *until < entries);
        // There is one key more than borders between them.
        self.keys.get(place).ok_or(CheckpointError::NotAKey)?.open(note)
    }
}

/// The succession that a note tells of, if both keys have signed it.
fn link(note: &str) -> Option<Link> {
    let checkpoint = Checkpoint::claimed(note).ok()?;
    let succession = checkpoint.succession?;
    let is_signed = succession.from.open(note).is_ok() && succession.to.open(note).is_ok();
    is_signed.then_some(Link { entries: checkpoint.head.entries, from: succession.from, to: succession.to })
}

#[cfg(test)]
mod tests {
    use super::super::{CheckpointKey, Head};
    use super::*;

    const INSTALLATION: &str = "0a1b";

    fn key(number: u8) -> CheckpointKey {
        CheckpointKey::from_secret(&[number; 32])
    }

    fn of(entries: u64) -> Checkpoint {
        Checkpoint::over(INSTALLATION.into(), Head { entries, hash: [3; 32] })
    }

    /// Key 1 signs up to entry 20, key 2 up to entry 40, key 3 from then on.
    fn notes() -> Vec<String> {
        [
            key(1).sign(&of(10)),
            key(1).hand_over(of(20), &key(2)),
            key(2).sign(&of(30)),
            key(2).hand_over(of(40), &key(3)),
            key(3).sign(&of(50)),
        ]
        .into()
    }

    fn opened(trusted: u8, notes: &[String]) -> Vec<bool> {
        let line = KeyLine::with(&key(trusted).verifier(INSTALLATION), notes);
        notes.iter().map(|note| line.open(note).is_ok()).collect()
    }

    #[test]
    fn whoever_trusts_one_key_of_a_line_trusts_them_all() {
        let mut notes = notes();
        for trusted in 1..=3 {
            assert_eq!(opened(trusted, &notes), [true; 5], "key {trusted}");
        }
        assert_eq!(opened(4, &notes), [false; 5]);
        notes.reverse();
        assert_eq!(opened(2, &notes), [true; 5], "in whatever order they come");
    }

    #[test]
    fn a_key_counts_only_for_its_time() {
        let mut notes = notes();
        notes.extend([key(1).sign(&of(21)), key(2).sign(&of(20)), key(2).sign(&of(41)), key(3).sign(&of(40))]);
        for trusted in 1..=3 {
            assert_eq!(opened(trusted, &notes)[5..], [false; 4], "key {trusted}");
        }
    }

    #[test]
    fn nobody_takes_a_place_that_was_not_handed_over() {
        let forged = |note: String, instead: &CheckpointKey| {
            // The body of the honest one, and only one of its two signatures.
            let (body, _) = note.split_once("\n\n").unwrap();
            let own = instead.hand_over(of(20), &key(9));
            let line = own.lines().find(|line| line.starts_with('—')).unwrap().to_owned();
            format!("{body}\n\n{line}\n")
        };
        let taken = key(9).hand_over(of(20), &key(2));
        for note in [forged(taken.clone(), &key(9)), forged(key(1).hand_over(of(20), &key(9)), &key(9))] {
            let notes = [key(1).sign(&of(10)), note, key(9).sign(&of(30)), key(2).sign(&of(40))];
            assert_eq!(opened(1, &notes), [true, false, false, false]);
            assert_eq!(opened(2, &notes), [false, false, false, true]);
        }
        // Signed by both that it names, and by nobody who was in service.
        let notes = [key(1).sign(&of(10)), taken, key(2).sign(&of(30))];
        assert_eq!(opened(1, &notes)[..2], [true, false]);
    }

    #[test]
    fn a_key_that_comes_back_stands_in_the_line_twice() {
        let notes = [
            key(1).sign(&of(10)),
            key(1).hand_over(of(20), &key(2)),
            key(2).hand_over(of(30), &key(1)),
            key(1).sign(&of(40)),
        ];
        assert_eq!(opened(2, &notes), [true; 4]);
        assert_eq!(opened(1, &notes), [true; 4]);
    }
}
