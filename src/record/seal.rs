//! What stands for a key that is itself personal.
//!
//! Two texts, both under secrets that are derived from the daemon's fingerprint key, which lies outside the state:
//!
//! - A *name*, `#` and 32 hexadecimal digits: a keyed digest of category and key. It tells records apart, and leads back to
//!   no key.
//! - A *sealed key*, `$` and base64: the key itself, for whoever has the secret. The same key is always sealed alike, so that
//!   it can be looked up; a text that was altered, or sealed for another category, is not opened.
//!
//! Sealing is the SIV construction of Rogaway and Shrimpton with HMAC-SHA-256 in both its parts: 128 bits of a MAC over
//! category and key are both the tag and what the key stream begins with. It tells how long a key is, and which two
//! are the same, and nothing else. No key's own text form begins with `#` or `$`.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{CategoryName, RecordKey, hex};

/// What a name begins with.
pub(super) const NAME_MARK: char = '#';
/// What a sealed key begins with.
pub(super) const SEAL_MARK: char = '$';
/// 128 bits: nobody finds two keys of one name, nor guesses a tag.
const TAG_BYTES: usize = 16;

/// The secrets under which keys are sealed and named.
#[derive(Clone)]
pub struct KeySeal {
    tag: Hmac<Sha256>,
    stream: Hmac<Sha256>,
    name: Hmac<Sha256>,
}

impl fmt::Debug for KeySeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeal(hidden)")
    }
}

impl KeySeal {
    /// The secrets that are derived from this one.
    pub(super) fn derived_from(secret: &[u8; 32]) -> Self {
        let derived = |purpose: &[u8]| {
            let mut mac = keyed(secret);
            mac.update(b"erasured personal keys v1\0");
            mac.update(purpose);
            keyed(&mac.finalize().into_bytes().into())
        };
        Self { tag: derived(b"tag"), stream: derived(b"stream"), name: derived(b"name") }
    }

    /// The key, sealed.
    #[must_use]
    pub fn seal(&self, category: &CategoryName, key: &RecordKey) -> String {
        let tag = digest(&self.tag, category, key);
        let mut bytes = tag.to_vec();
        bytes.extend(self.crossed(&tag, key.as_str().as_bytes()));
        format!("{SEAL_MARK}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key that was sealed for this category; `None` where the text is none of these, or was altered.
    #[must_use]
    pub fn open(&self, category: &CategoryName, sealed: &str) -> Option<RecordKey> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed.strip_prefix(SEAL_MARK)?).ok()?;
        let (tag, crossed) = bytes.split_first_chunk::<TAG_BYTES>()?;
        let text = String::from_utf8(self.crossed(tag, crossed)).ok()?;
        let key = RecordKey::from_text(&text);
        // What is compared is no secret of whoever sent it: sealed keys come from the state alone.
        (digest(&self.tag, category, &key) == *tag).then_some(key)
    }

    /// What the key is called where nobody needs the key itself. A name stays what it is.
    #[must_use]
    pub fn name(&self, category: &CategoryName, key: &RecordKey) -> RecordKey {
        if key.is_name() {
            return key.clone();
        }
        RecordKey::from_text(&format!("{NAME_MARK}{}", hex(&digest(&self.name, category, key))))
    }

    /// The bytes, each crossed with one of the key stream that begins with `tag`.
    fn crossed(&self, tag: &[u8; TAG_BYTES], bytes: &[u8]) -> Vec<u8> {
        let mut crossed = Vec::with_capacity(bytes.len());
        for (block, bytes) in (0_u64..).zip(bytes.chunks(32)) {
            let mut mac = self.stream.clone();
            mac.update(tag);
            mac.update(&block.to_be_bytes());
            crossed.extend(bytes.iter().zip(mac.finalize().into_bytes()).map(|(byte, stream)| byte ^ stream));
        }
        crossed
    }
}

fn keyed(secret: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC pads a short key with zeros to the block's length: this is the same key.
    let mut block = [0; 64];
    block[..32].copy_from_slice(secret);
    Hmac::new(&block.into())
}

fn digest(mac: &Hmac<Sha256>, category: &CategoryName, key: &RecordKey) -> [u8; TAG_BYTES] {
    let mut mac = mac.clone();
    for text in [category.as_str(), key.as_str()] {
        mac.update(&(text.len() as u64).to_be_bytes());
        mac.update(text.as_bytes());
    }
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&bytes[..TAG_BYTES]);
    tag
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::FingerprintKey;
    use super::*;

    fn seal(secret: u8) -> KeySeal {
        FingerprintKey::from_secret([secret; 32]).key_seal()
    }

    fn category(name: &str) -> CategoryName {
        name.parse().unwrap()
    }

    proptest! {
        #[test]
        fn a_sealed_key_is_opened_with_its_secret_for_its_category_and_not_otherwise(text in "\\PC{0,80}", at in any::<usize>()) {
            let (key, person) = (RecordKey::from_text(&text), category("person"));
            let sealed = seal(1).seal(&person, &key);
            prop_assert_eq!(seal(1).open(&person, &sealed), Some(key.clone()));
            prop_assert_eq!(seal(1).seal(&person, &key), sealed.clone());
            prop_assert_eq!(seal(1).open(&category("member"), &sealed), None);
            prop_assert_eq!(seal(2).open(&person, &sealed), None);
            let at = 1 + at % (sealed.len() - 1);
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            prop_assert_eq!(seal(1).open(&person, &String::from_utf8(bytes).unwrap()), None);
            prop_assert!(text.len() < 4 || !sealed.contains(&text));
        }

        #[test]
        fn a_name_tells_keys_categories_and_secrets_apart(one in "\\PC{0,30}", other in "\\PC{0,30}") {
            let named = |secret, of: &str, text: &str| seal(secret).name(&category(of), &RecordKey::from_text(text));
            let plain = |text: &str| RecordKey::from_text(text).is_name();
            prop_assume!(!plain(&one) && !plain(&other));
            let name = named(1, "person", &one);
            prop_assert!(name.is_name() && name.as_str().len() == 33);
            prop_assert_eq!(named(1, "person", &other) == name, one == other);
            prop_assert_ne!(named(1, "member", &one), name.clone());
            prop_assert_ne!(named(2, "person", &one), name.clone());
            prop_assert_eq!(named(1, "person", name.as_str()), name);
        }
    }

    #[test]
    fn what_is_no_sealed_key_is_not_opened() {
        let person = category("person");
        let sealed = seal(1).seal(&person, &RecordKey::from_text(""));
        assert_eq!(seal(1).open(&person, &sealed), Some(RecordKey::from_text("")));
        for other in ["", "$", "4711", "$!", "#00112233445566778899aabbccddeeff", &sealed[1..], &sealed[..9]] {
            assert_eq!(seal(1).open(&person, other), None, "{other}");
        }
        assert!(!format!("{:?}", seal(1)).contains('1'));
    }
}
