//! Category, key, record reference, fingerprint.
//!
//! What names a record everywhere: on the command line, in the state, in the trail. May be relied on: two different keys
//! of one table never have the same text form, and the text form can be read back. Never prints personal data: a
//! [`Value`] has no `Display`, and its `Debug` shows only its type.

mod fingerprint;
mod key;
mod name;
mod seal;
mod value;

pub use fingerprint::{Fingerprint, FingerprintKey, FingerprintKeyId, IdentityVersion};
pub use key::{KeyError, KeyPart, KeyType, RecordKey};
pub use name::{CategoryName, NameError, RecordRef, SourceName};
pub use seal::KeySeal;
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
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    text
}

/// The bytes that `text` writes in hexadecimal, if it does and there are exactly `N`.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    if text.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}
