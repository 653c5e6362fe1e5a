//! Signed checkpoints, in the form of C2SP's signed notes.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::Head;
use crate::record::{hex, random_bytes, unhex};

/// C2SP's number for Ed25519.
const ED25519: u8 = 1;
/// What a signature line begins with: an em dash and a blank.
const SIGNATURE_MARK: &str = "— ";
/// What the lines begin with that name the key before and the key after.
const FROM: &str = "key before: ";
const TO: &str = "key after: ";
const NO_SIGNATURES: &str = "no empty line before the signatures";

/// Why a text is no checkpoint, or not one of this installation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The text is not a signed note of the form that checkpoints have.
    #[error("it is not a signed note of a checkpoint: {0}")]
    Malformed(&'static str),
    /// It is not signed with the key it should be signed with.
    #[error("it carries no signature of the key {0}")]
    NotSigned(String),
    /// It is signed, but not this.
    #[error("its signature does not hold")]
    BadSignature,
    /// The public key cannot be read.
    #[error("it is not a verifier key of the form name+id+base64")]
    NotAKey,
}

/// What a checkpoint says: the installation, and the end of its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the installation.
    pub installation: String,
    /// The end of the chain when it was signed.
    pub head: Head,
    /// Which key takes the place of which from here on; none in nearly all of them.
    pub succession: Option<Succession>,
}

/// A key that takes the place of another. Both sign the checkpoint that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// What checkpoints were signed with up to this one.
    pub from: VerifierKey,
    /// What later ones are signed with.
    pub to: VerifierKey,
}

impl Checkpoint {
    /// A checkpoint that changes nothing about its key.
    #[must_use]
    pub const fn over(installation: String, head: Head) -> Self {
        Self { installation, head, succession: None }
    }

    fn body(&self) -> String {
        let hash = BASE64_STANDARD.encode(self.head.hash);
        let keys = self.succession.as_ref();
        let keys = keys.map(|Succession { from, to }| format!("{FROM}{from}\n{TO}{to}\n")).unwrap_or_default();
        format!("{}\n{}\n{hash}\n{keys}", name(&self.installation), self.head.entries)
    }

    /// What a note says of itself. Nothing of it is to be believed before a signature was found to hold.
    pub(super) fn claimed(note: &str) -> Result<Self, CheckpointError> {
        let (text, _) = note.rsplit_once("\n\n").ok_or(CheckpointError::Malformed(NO_SIGNATURES))?;
        Self::from_body(&format!("{text}\n"))
    }

    fn from_body(body: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = body.lines().collect();
        let (origin, entries, hash, succession) = match lines[..] {
            [origin, entries, hash] => (origin, entries, hash, None),
            [origin, entries, hash, from, to] => (origin, entries, hash, Some(Succession::read(from, to)?)),
            _ => return Err(CheckpointError::Malformed("it has neither three lines nor five")),
        };
        let installation =
            origin.strip_prefix("erasured/").ok_or(CheckpointError::Malformed("its origin is not erasured/…"))?;
        let hash = BASE64_STANDARD.decode(hash).ok().and_then(|bytes| bytes.try_into().ok());
        let checkpoint = Self {
            installation: installation.to_owned(),
            head: Head {
                entries: entries.parse().map_err(|_| CheckpointError::Malformed("its second line is not a number"))?,
                hash: hash.ok_or(CheckpointError::Malformed("its third line is not a hash"))?,
            },
            succession,
        };
        if checkpoint.body() == body {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Malformed("it is not written as checkpoints are"))
        }
    }

    /// The notes in `text`, which may hold several, one after the other.
    #[must_use]
    pub fn split(text: &str) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        let mut ended = true;
        for line in text.lines() {
            let signature = line.starts_with(SIGNATURE_MARK);
            if ended && !signature {
                if line.trim().is_empty() {
                    continue;
                }
                notes.push(String::new());
            }
            ended = signature;
            if let Some(note) = notes.last_mut() {
                note.push_str(line);
                note.push('\n');
            }
        }
        notes
    }
}

impl Succession {
    fn read(from: &str, to: &str) -> Result<Self, CheckpointError> {
        let key = |line: &str, what: &str| line.strip_prefix(what).and_then(|key| key.parse().ok());
        let keys = key(from, FROM).zip(key(to, TO));
        let (from, to): (VerifierKey, VerifierKey) =
            keys.ok_or(CheckpointError::Malformed("its last two lines do not name two keys"))?;
        Ok(Self { from, to })
    }

    /// Whether this is one of the two, which are of one installation.
    fn is_by(&self, key: &VerifierKey) -> bool {
        self.from.name == self.to.name && (self.from == *key || self.to == *key)
    }
}

/// The name of an installation's checkpoint key, which is also the origin of its checkpoints.
fn name(installation: &str) -> String {
    format!("erasured/{installation}")
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update([ED25519])
        .chain_update(key.as_bytes())
        .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// The secret that checkpoints are signed with. It is kept outside the state file.
#[derive(Clone)]
pub struct CheckpointKey(SigningKey);

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckpointKey(hidden)")
    }
}

impl CheckpointKey {
    /// A new key.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        random_bytes().map(|secret| Self::from_secret(&secret))
    }

    /// The key with this secret.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The key written by [`to_text`](Self::to_text); `None` when it is not one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        unhex(text.trim()).map(|secret| Self::from_secret(&secret))
    }

    /// The secret in hexadecimal, for the credential file.
    #[must_use]
    pub fn to_text(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// What everybody may know of it, as the key of this installation.
    #[must_use]
    pub fn verifier(&self, installation: &str) -> VerifierKey {
        VerifierKey { name: name(installation), key: self.0.verifying_key() }
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let body = checkpoint.body();
        format!("{body}\n{}", self.signature(&body, &checkpoint.installation))
    }

    /// The note that both keys sign, so that whoever trusts one of them trusts the other from there on.
    #[must_use]
    pub fn hand_over(&self, checkpoint: Checkpoint, to: &Self) -> String {
        let installation = checkpoint.installation.clone();
        let succession = Succession { from: self.verifier(&installation), to: to.verifier(&installation) };
        let body = Checkpoint { succession: Some(succession), ..checkpoint }.body();
        format!("{body}\n{}{}", self.signature(&body, &installation), to.signature(&body, &installation))
    }

    /// The line of this key below such a text.
    fn signature(&self, body: &str, installation: &str) -> String {
        let verifier = self.verifier(installation);
        let mut signature = verifier.id().to_vec();
        signature.extend(self.0.sign(body.as_bytes()).to_bytes());
        format!("{SIGNATURE_MARK}{} {}\n", verifier.name, BASE64_STANDARD.encode(signature))
    }
}

/// The public half of a checkpoint key, with the name it goes by. Its text form is C2SP's verifier key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The key id of signature lines.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, &self.key)
    }

    /// What a note says, once its signature is found to hold.
    ///
    /// # Errors
    /// When it is not a checkpoint, not signed with this key, or changed since.
    pub fn open(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        // The text ends with the last empty line; signature lines follow.
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(CheckpointError::Malformed(NO_SIGNATURES))?;
        let body = format!("{text}\n");
        if !signatures.ends_with('\n') {
            return Err(CheckpointError::Malformed("its last line does not end"));
        }
        let mut mine = None;
        for line in signatures.lines() {
            let (name, signature) = line
                .strip_prefix(SIGNATURE_MARK)
                .and_then(|rest| rest.split_once(' '))
                .ok_or(CheckpointError::Malformed("a line after the empty one is not a signature"))?;
            let bytes = BASE64_STANDARD
                .decode(signature)
                .map_err(|_| CheckpointError::Malformed("a signature is not base64"))?;
            if name == self.name && bytes.starts_with(&self.id()) {
                mine = Some(bytes);
            }
        }
        let mine = mine.ok_or_else(|| CheckpointError::NotSigned(self.to_string()))?;
        let signature = Signature::from_slice(&mine[4..]).map_err(|_| CheckpointError::BadSignature)?;
        self.key.verify_strict(body.as_bytes(), &signature).map_err(|_| CheckpointError::BadSignature)?;
        let checkpoint = Checkpoint::from_body(&body)?;
        if name(&checkpoint.installation) != self.name {
            return Err(CheckpointError::Malformed("its origin is not the name of the key"));
        }
        match &checkpoint.succession {
            Some(succession) if !succession.is_by(self) => {
                Err(CheckpointError::Malformed("it is signed by a key that it does not name"))
            }
            _ => Ok(checkpoint),
        }
    }

    /// Whether this key signs what comes after this note.
    #[must_use]
    pub fn signs_after(&self, note: &str) -> bool {
        let opened = self.open(note);
        opened.is_ok_and(|checkpoint| checkpoint.succession.is_none_or(|succession| succession.to == *self))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex(&self.id()), BASE64_STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let read = || {
            let (name, rest) = text.trim().split_once('+')?;
            let (id, key) = rest.split_once('+')?;
            let bytes = BASE64_STANDARD.decode(key).ok()?;
            let key: [u8; 32] = bytes.strip_prefix(&[ED25519])?.try_into().ok()?;
            let key = VerifyingKey::from_bytes(&key).ok().filter(|key| !key.is_weak())?;
            let verifier = Self { name: name.to_owned(), key };
            (hex(&verifier.id()) == id).then_some(verifier)
        };
        read().ok_or(CheckpointError::NotAKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> (CheckpointKey, String) {
        let key = CheckpointKey::from_secret(&[9; 32]);
        let head = Head { entries: 17, hash: [3; 32] };
        let note = key.sign(&Checkpoint::over("0a1b".into(), head));
        (key, note)
    }

    #[test]
    fn a_checkpoint_is_a_signed_note() {
        let (key, note) = note();
        let verifier = key.verifier("0a1b");
        insta::assert_snapshot!(format!("{verifier}\n\n{note}"));
        assert_eq!(verifier.to_string().parse::<VerifierKey>().unwrap(), verifier);
        assert_eq!(verifier.open(&note).unwrap().head, Head { entries: 17, hash: [3; 32] });
        let with_witness = format!("{note}— witness.example+x AAAAAAA=\n");
        assert!(verifier.open(&with_witness).is_ok());
    }

    #[test]
    fn no_byte_of_a_checkpoint_can_be_changed() {
        let (key, note) = note();
        let verifier = key.verifier("0a1b");
        for index in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[index] ^= 1;
            if let Ok(other) = String::from_utf8(bytes) {
                assert!(verifier.open(&other).is_err(), "byte {index}: {other}");
            }
        }
        assert!(matches!(
            CheckpointKey::from_secret(&[8; 32]).verifier("0a1b").open(&note),
            Err(CheckpointError::NotSigned(_))
        ));
        assert!(matches!(key.verifier("0a1c").open(&note), Err(CheckpointError::NotSigned(_))));
    }

    #[test]
    fn one_that_hands_over_is_signed_by_both_and_no_byte_of_it_can_be_changed() {
        let (key, next) = (CheckpointKey::from_secret(&[9; 32]), CheckpointKey::from_secret(&[10; 32]));
        let [before, after] = [&key, &next].map(|key| key.verifier("0a1b"));
        let note = key.hand_over(Checkpoint::over("0a1b".into(), Head { entries: 17, hash: [3; 32] }), &next);
        insta::assert_snapshot!(note);
        assert_eq!(before.open(&note), after.open(&note));
        assert_eq!((before.signs_after(&note), after.signs_after(&note)), (false, true));
        assert!(before.signs_after(&self::note().1));
        for index in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[index] ^= 1;
            if let Ok(other) = String::from_utf8(bytes) {
                assert!(before.open(&other).is_err() || after.open(&other).is_err(), "byte {index}: {other}");
            }
        }
    }

    #[test]
    fn notes_are_told_apart_and_keys_hidden() {
        let (key, note) = note();
        assert_eq!(Checkpoint::split(&format!("\n{note}\n{note}{note}")), [note.clone(), note.clone(), note]);
        assert_eq!(format!("{key:?}"), "CheckpointKey(hidden)");
        assert!(CheckpointKey::from_text(&key.to_text()).is_some());
    }
}
