//! Keys of records and their text form.
//!
//! The parts of a composite key stand with commas between them. Within a part, `%`, `,`, control characters and blanks at
//! either end are written `%XX`; bytes are written `x'…'`. An integer is written in decimal. Whether `4711` means the
//! integer or the text depends on the column alone ([`KeyType`]), so the text form needs no quotes. An `@` with nothing but
//! digits behind it is written `%40`: no key ends in `@` and digits, so that people can write a version there. A `#` or `$` at
//! the beginning of a part is written `%XX`, too: what begins with one of them stands for a key, and is none.

use std::fmt;
use std::fmt::Write as _;

use super::seal::{NAME_MARK, SEAL_MARK};

/// One part of a key, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPart {
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// What the column of a key part makes of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// The column turns everything into text: `4711` is text.
    Text,
    /// The column keeps integers: `4711` is an integer.
    Other,
}

/// Why a key cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text form has more or fewer parts than the category's key has columns.
    #[error("the key has {found} parts where the category's key has {expected}")]
    WrongNumberOfParts {
        /// Columns of the category's key.
        expected: usize,
        /// Parts of the text.
        found: usize,
    },
    /// A part is not in the form that keys are written in.
    #[error("a part of the key is not in the form in which keys are written")]
    Malformed,
    /// Digits held as text in a column that may hold the same digits as a number: the two could not be told apart.
    #[error("digits held as text in a column that keeps numbers")]
    Ambiguous,
}

/// The key of a record, in its text form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(String);

impl RecordKey {
    /// A key as somebody wrote it; it need not be one that exists.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text form of a key of these parts.
    ///
    /// # Errors
    /// [`KeyError::Ambiguous`] when a part could not be told from a number.
    pub fn from_parts(parts: &[KeyPart], types: &[KeyType]) -> Result<Self, KeyError> {
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            let key_type = types.get(index).copied().unwrap_or(KeyType::Other);
            write_part(&mut text, part, key_type)?;
        }
        Ok(Self(text))
    }

    /// The parts of this key in columns of these types.
    ///
    /// # Errors
    /// When the text is not a key of so many columns, or not in the form that [`from_parts`](Self::from_parts) writes.
    pub fn parts(&self, types: &[KeyType]) -> Result<Vec<KeyPart>, KeyError> {
        let texts: Vec<&str> = self.0.split(',').collect();
        if texts.len() != types.len() {
            return Err(KeyError::WrongNumberOfParts { expected: types.len(), found: texts.len() });
        }
        let parts: Vec<KeyPart> =
            texts.iter().zip(types).map(|(text, key_type)| read_part(text, *key_type)).collect::<Result<_, _>>()?;
        // What is held, decided and erased under a key is found by its text: a row must not have two of them.
        if Self::from_parts(&parts, types).as_ref() == Ok(self) { Ok(parts) } else { Err(KeyError::Malformed) }
    }

    /// Whether it only names a record: see [`KeySeal::name`](super::KeySeal::name). Nothing in a source has such a key.
    #[must_use]
    pub fn is_name(&self) -> bool {
        self.0.strip_prefix(NAME_MARK).is_some_and(|digits| super::unhex::<16>(digits).is_some())
    }

    /// Whether the text is a key that was sealed: see [`KeySeal::seal`](super::KeySeal::seal). No key is written so.
    #[must_use]
    pub fn is_sealed(text: &str) -> bool {
        text.starts_with(SEAL_MARK)
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The integer that `text` writes, when it writes it as [`i64`] itself would.
fn canonical_integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

fn write_part(into: &mut String, part: &KeyPart, key_type: KeyType) -> Result<(), KeyError> {
    match part {
        KeyPart::Integer(number) => {
            // Writing to a String cannot fail.
            let _ = write!(into, "{number}");
        }
        KeyPart::Blob(bytes) => {
            let _ = write!(into, "x'{}'", super::hex(bytes));
        }
        KeyPart::Text(text) => {
            if key_type == KeyType::Other && canonical_integer(text).is_some() {
                return Err(KeyError::Ambiguous);
            }
            write_text(into, text);
        }
    }
    Ok(())
}

fn write_text(into: &mut String, text: &str) {
    let last = text.chars().count().saturating_sub(1);
    let looks_versioned = looks_versioned(text);
    let looks_like_bytes = text.starts_with("x'");
    for (index, (at, c)) in text.char_indices().enumerate() {
        let at_an_end = index == 0 || index == last;
        let escaped = matches!(c, '%' | ',')
            || c.is_control()
            || (at_an_end && c.is_whitespace())
            || (index == 0 && (looks_like_bytes || matches!(c, NAME_MARK | SEAL_MARK)))
            || looks_versioned == Some(at);
        if escaped {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                let _ = write!(into, "%{byte:02X}");
            }
        } else {
            into.push(c);
        }
    }
}

/// Where the `@` stands that would make a version of the digits behind it.
fn looks_versioned(text: &str) -> Option<usize> {
    let at = text.rfind('@')?;
    let behind = &text[at + 1..];
    (!behind.is_empty() && behind.bytes().all(|byte| byte.is_ascii_digit())).then_some(at)
}

fn read_part(text: &str, key_type: KeyType) -> Result<KeyPart, KeyError> {
    if text.starts_with([NAME_MARK, SEAL_MARK]) {
        return Err(KeyError::Malformed);
    }
    if let Some(digits) = text.strip_prefix("x'").and_then(|rest| rest.strip_suffix('\'')) {
        return read_bytes(digits).map(KeyPart::Blob);
    }
    if key_type == KeyType::Other
        && let Some(number) = canonical_integer(text)
    {
        return Ok(KeyPart::Integer(number));
    }
    read_text(text).map(KeyPart::Text)
}

fn read_bytes(digits: &str) -> Result<Vec<u8>, KeyError> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return Err(KeyError::Malformed);
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| KeyError::Malformed))
        .collect()
}

fn read_text(text: &str) -> Result<String, KeyError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (rest.next(), rest.next()) else {
            return Err(KeyError::Malformed);
        };
        let digit = |b: u8| char::from(b).to_digit(16).ok_or(KeyError::Malformed);
        let value = digit(high)? * 16 + digit(low)?;
        bytes.push(u8::try_from(value).map_err(|_| KeyError::Malformed)?);
    }
    String::from_utf8(bytes).map_err(|_| KeyError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part() -> impl Strategy<Value = KeyPart> {
        prop_oneof![
            any::<i64>().prop_map(KeyPart::Integer),
            "\\PC*".prop_map(KeyPart::Text),
            "[ ,/%x'0-9#$\\t-]{0,6}".prop_map(KeyPart::Text),
            "[a@0-9٣]{0,6}".prop_map(KeyPart::Text),
            proptest::collection::vec(any::<u8>(), 0..5).prop_map(KeyPart::Blob),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(parts in proptest::collection::vec(part(), 1..4)) {
            let types = vec![KeyType::Other; parts.len()];
            if let Ok(key) = RecordKey::from_parts(&parts, &types) {
                prop_assert_eq!(key.parts(&types).unwrap(), parts);
                let version = key.as_str().rsplit_once('@').map(|(_, version)| version);
                let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                prop_assert!(!version.is_some_and(digits), "{} ends in a version", key);
                prop_assert!(!key.as_str().starts_with(['#', '$']), "{} stands for a key", key);
            }
        }

        #[test]
        fn text_columns_hold_text(texts in proptest::collection::vec("\\PC*", 1..4)) {
            let types = vec![KeyType::Text; texts.len()];
            let parts: Vec<KeyPart> = texts.into_iter().map(KeyPart::Text).collect();
            let key = RecordKey::from_parts(&parts, &types).unwrap();
            prop_assert_eq!(key.parts(&types).unwrap(), parts);
        }
    }

    #[test]
    fn digits_mean_what_the_column_makes_of_them() {
        let key = RecordKey::from_text("4711");
        assert_eq!(key.parts(&[KeyType::Text]).unwrap(), [KeyPart::Text("4711".into())]);
        assert_eq!(key.parts(&[KeyType::Other]).unwrap(), [KeyPart::Integer(4711)]);
        let ambiguous = RecordKey::from_parts(&[KeyPart::Text("4711".into())], &[KeyType::Other]);
        assert_eq!(ambiguous, Err(KeyError::Ambiguous));
    }

    #[test]
    fn no_key_ends_in_what_could_be_a_version() {
        let written = |text: &str| {
            let key = RecordKey::from_parts(&[KeyPart::Text(text.into())], &[KeyType::Text]).unwrap();
            assert_eq!(key.parts(&[KeyType::Text]).unwrap(), [KeyPart::Text(text.into())]);
            key.as_str().to_owned()
        };
        assert_eq!(written("anna@3"), "anna%403");
        assert_eq!(written("anna@3@4"), "anna@3%404");
        for plain in ["anna@example.org", "anna@", "anna@3b", "anna@+3", "@"] {
            assert_eq!(written(plain), plain);
        }
    }

    #[test]
    fn a_key_has_one_form_and_no_other_is_read() {
        let read = |text: &str, key_type| RecordKey::from_text(text).parts(&[key_type]);
        for text in ["anna@3", "%61nna", "a%2cb", "anna ", "%", "%zz", "x'FF'", "x'+f'", "x'f'", "a\nb", "a%C3"] {
            for key_type in [KeyType::Text, KeyType::Other] {
                assert_eq!(read(text, key_type), Err(KeyError::Malformed), "{text:?}");
            }
        }
        assert_eq!(read("%34%37", KeyType::Other), Err(KeyError::Malformed), "digits in disguise");
        assert_eq!(read("04711", KeyType::Other), Ok(vec![KeyPart::Text("04711".into())]));
    }

    #[test]
    fn what_stands_for_a_key_is_none() {
        for text in ["#00112233445566778899aabbccddeeff", "$AAAA", "#", "12,$"] {
            let types = vec![KeyType::Text; text.split(',').count()];
            assert_eq!(RecordKey::from_text(text).parts(&types), Err(KeyError::Malformed), "{text}");
        }
        let parts = RecordKey::from_text("%23,a#").parts(&[KeyType::Text; 2]).unwrap();
        assert_eq!(parts, [KeyPart::Text("#".into()), KeyPart::Text("a#".into())]);
    }

    #[test]
    fn a_composite_key_counts_its_parts() {
        let types = [KeyType::Other, KeyType::Other];
        assert_eq!(
            RecordKey::from_text("12").parts(&types),
            Err(KeyError::WrongNumberOfParts { expected: 2, found: 1 })
        );
        assert_eq!(RecordKey::from_text("12,3").parts(&types).unwrap(), [KeyPart::Integer(12), KeyPart::Integer(3)]);
    }
}
