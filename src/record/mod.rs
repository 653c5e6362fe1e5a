//! Category, key, record reference, fingerprint.
//!
//! What names a record everywhere: on the command line, in the state, in the trail. May be relied on: two different keys
//! of one table never have the same text form, and the text form can be read back. Never prints personal data: a
//! [`Value`] has no `Display`, and its `Debug` shows only its type.

mod fingerprint;
mod key;
mod name;
mod value;

pub use fingerprint::{Fingerprint, FingerprintKey, FingerprintKeyId, IdentityVersion};
pub use key::{KeyError, KeyPart, KeyType, RecordKey};
pub use name::{CategoryName, NameError, RecordRef, SourceName};
pub use value::Value;

/// `N` bytes from the operating system's random source.
///
/// # Errors
/// When the operating system has none to give.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that `text` writes in hexadecimal, if it does and there are exactly `N`.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N * 2 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}
