//! Fingerprints: whether a record is still about the same person.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{CategoryName, KeySeal, RecordKey, Value, hex, random_bytes, unhex};

/// Names a fingerprint key: the first eight bytes of a digest of all its layers, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FingerprintKeyId(Arc<str>);

impl FingerprintKeyId {
    /// The id as it was stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FingerprintKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secret under which fingerprints are taken. It is kept outside the state file.
///
/// Where it is exchanged, a new secret is laid around those before: it digests what they have digested. So a fingerprint that
/// was taken before becomes one of the new key without anybody knowing the person, who may be gone; and whoever has seen the
/// secrets before can compare nobody with it.
#[derive(Clone)]
pub struct FingerprintKey {
    id: FingerprintKeyId,
    innermost: Layer,
    /// From the inside out.
    around: Vec<Layer>,
}

#[derive(Clone)]
struct Layer {
    secret: [u8; 32],
    /// Has absorbed the secret and nothing else.
    mac: Hmac<Sha256>,
}

impl Layer {
    fn new(secret: [u8; 32]) -> Self {
        // HMAC pads a short key with zeros to the block's length: this is the same key.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&secret);
        Self { secret, mac: Hmac::new(&block.into()) }
    }

    fn around(&self, digest: &[u8; 32]) -> [u8; 32] {
        self.mac.clone().chain_update(digest).finalize().into_bytes().into()
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintKey({})", self.id)
    }
}

/// Which columns, in which order, fingerprints of a category are taken over. A fingerprint taken over other columns says
/// nothing about today's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityVersion(Arc<str>);

impl IdentityVersion {
    /// The version that stands for these columns.
    #[must_use]
    pub fn of(columns: &[String]) -> Self {
        let mut digest = Sha256::new();
        for column in columns {
            digest.update((column.len() as u64).to_be_bytes());
            digest.update(column.as_bytes());
        }
        Self(hex(&digest.finalize()[..8]).into())
    }

    /// The version as it was stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A keyed digest over category, key and the values of the identity columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The key it was taken with.
    pub key_id: FingerprintKeyId,
    /// The columns it was taken over.
    pub identity: IdentityVersion,
    /// HMAC-SHA-256.
    pub digest: [u8; 32],
}

impl Fingerprint {
    /// Whether the two can tell one person from another: taken with the same key over the same columns.
    #[must_use]
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.key_id == other.key_id && self.identity == other.identity
    }
}

impl FingerprintKey {
    /// The key with this secret.
    #[must_use]
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self::of(Layer::new(secret), Vec::new())
    }

    fn of(innermost: Layer, around: Vec<Layer>) -> Self {
        let mut digest = Sha256::new().chain_update(b"erasured fingerprint key id\0").chain_update(innermost.secret);
        for layer in &around {
            digest.update(layer.secret);
        }
        Self { id: FingerprintKeyId(hex(&digest.finalize()[..8]).into()), innermost, around }
    }

    /// A new key.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        random_bytes().map(Self::from_secret)
    }

    /// The key that takes the place of this one: a new secret around it.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn exchanged(&self) -> Result<Self, getrandom::Error> {
        random_bytes().map(|secret| self.within(secret))
    }

    fn within(&self, secret: [u8; 32]) -> Self {
        let around = self.around.iter().cloned().chain([Layer::new(secret)]).collect();
        Self::of(self.innermost.clone(), around)
    }

    /// What a digest of the key before this one is under this one; of a key that no exchange has made, what it is.
    #[must_use]
    pub fn renewed(&self, digest: [u8; 32]) -> [u8; 32] {
        self.around.last().map_or(digest, |outermost| outermost.around(&digest))
    }

    /// How many exchanges ago the key had this name; `None` where it never had.
    #[must_use]
    pub fn exchanges_since(&self, id: &FingerprintKeyId) -> Option<usize> {
        (0..=self.around.len()).find(|exchanges| {
            let around = self.around.iter().take(self.around.len() - exchanges).cloned().collect();
            Self::of(self.innermost.clone(), around).id == *id
        })
    }

    /// The key written by [`to_text`](Self::to_text); `None` when it is not one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut layers = text.trim().lines().map(|line| unhex(line.trim()).map(Layer::new));
        let innermost = layers.next()??;
        layers.collect::<Option<_>>().map(|around| Self::of(innermost, around))
    }

    /// The secrets in hexadecimal, a line each, the first one first: for the credential file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let layers = std::iter::once(&self.innermost).chain(&self.around);
        layers.map(|layer| hex(&layer.secret)).collect::<Vec<_>>().join("\n")
    }

    /// The name of this key.
    #[must_use]
    pub fn id(&self) -> &FingerprintKeyId {
        &self.id
    }

    /// What seals and names keys that are themselves personal. It stays when the key is exchanged: what the trail calls a
    /// record by is written once.
    #[must_use]
    pub fn key_seal(&self) -> KeySeal {
        KeySeal::derived_from(&self.innermost.secret)
    }

    /// The fingerprint of a record with these identity values.
    #[must_use]
    pub fn fingerprint(
        &self,
        category: &CategoryName,
        key: &RecordKey,
        identity: &IdentityVersion,
        values: &[Value],
    ) -> Fingerprint {
        let mut mac = self.innermost.mac.clone();
        for text in [category.as_str(), key.as_str(), identity.as_str()] {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        for value in values {
            absorb(&mut mac, value);
        }
        let innermost = mac.finalize().into_bytes().into();
        let digest = self.around.iter().fold(innermost, |digest, layer| layer.around(&digest));
        Fingerprint { key_id: self.id.clone(), identity: identity.clone(), digest }
    }
}

/// A type tag, a length and the bytes: no two lists of values are absorbed alike.
fn absorb(mac: &mut Hmac<Sha256>, value: &Value) {
    let number;
    let (tag, bytes): (u8, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Integer(integer) => {
            number = integer.to_be_bytes();
            (1, &number)
        }
        Value::Real(real) => {
            number = real.to_bits().to_be_bytes();
            (2, &number)
        }
        Value::Text(text) => (3, text),
        Value::Blob(blob) => (4, blob),
    };
    mac.update(&[tag]);
    mac.update(&(bytes.len() as u64).to_be_bytes());
    mac.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(values: &[Value]) -> Fingerprint {
        let key = FingerprintKey::from_secret([7; 32]);
        let identity = IdentityVersion::of(&["a".into(), "b".into()]);
        key.fingerprint(&"person".parse().unwrap(), &RecordKey::from_text("1"), &identity, values)
    }

    #[test]
    fn neither_types_nor_borders_between_values_are_confused() {
        let all = [
            take(&[Value::text("ab"), Value::text("c")]),
            take(&[Value::text("a"), Value::text("bc")]),
            take(&[Value::text("abc"), Value::Null]),
            take(&[Value::text("abc")]),
            take(&[Value::Blob(b"abc".to_vec())]),
            take(&[Value::Integer(0)]),
            take(&[Value::Real(0.0)]),
            take(&[Value::Null]),
            take(&[Value::text("")]),
        ];
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert_ne!(one, other);
            }
        }
        assert_eq!(take(&[Value::text("x")]), take(&[Value::text("x")]));
    }

    #[test]
    fn a_key_is_read_back_and_never_shown() {
        let key = FingerprintKey::from_secret([1; 32]);
        assert_eq!(FingerprintKey::from_text(&key.to_text()).unwrap().id(), key.id());
        assert!(!format!("{key:?}").contains(&key.to_text()));
        assert!(FingerprintKey::from_text("too short").is_none());
        assert!(FingerprintKey::from_text(&format!("{}\ntoo short", key.to_text())).is_none());
        assert!(FingerprintKey::from_text(" \n").is_none());
    }

    #[test]
    fn what_was_taken_before_an_exchange_is_what_would_be_taken_after_it() {
        let taken = |key: &FingerprintKey, value: &str| {
            let identity = IdentityVersion::of(&["a".into()]);
            key.fingerprint(&"person".parse().unwrap(), &RecordKey::from_text("1"), &identity, &[Value::text(value)])
        };
        let first = FingerprintKey::from_secret([1; 32]);
        let (second, other) = (first.within([2; 32]), first.within([4; 32]));
        let third = second.within([3; 32]);
        let ids = [&first, &second, &other, &third].map(|key| key.id().clone());
        assert_eq!(std::collections::BTreeSet::from(ids).len(), 4);
        let mut before = taken(&first, "Jo");
        for key in [&second, &third] {
            let read = FingerprintKey::from_text(&format!("{}\n", key.to_text())).unwrap();
            let after = taken(&read, "Jo");
            assert!(!after.is_comparable(&before) && after.digest != before.digest);
            assert_eq!((after.digest, &after.key_id), (key.renewed(before.digest), key.id()));
            assert_ne!(after, taken(key, "Bo"));
            before = after;
        }
        let ages = [&third, &second, &first, &other].map(|key| third.exchanges_since(key.id()));
        assert_eq!(ages, [Some(0), Some(1), Some(2), None]);
        assert_ne!(taken(&other, "Jo").digest, taken(&second, "Jo").digest);
        assert_eq!(first.renewed([9; 32]), [9; 32]);
        // What seals and names keys that are personal stays.
        let (category, key) = ("person".parse().unwrap(), RecordKey::from_text("jo@example.org"));
        assert_eq!(third.key_seal().seal(&category, &key), first.key_seal().seal(&category, &key));
    }
}
