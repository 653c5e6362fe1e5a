//! Names of categories and sources, and references to records.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::RecordKey;

/// Longest name of a category or source, in bytes.
const NAME_MAX_BYTES: usize = 64;

/// Why a name or a reference cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name has characters that names do not have.
    #[error("{0:?} is not a name: use lower-case letters, digits, - and _, beginning with a letter")]
    NotAName(String),
    /// The reference has no slash.
    #[error("{0:?} is not a record: write category/key, for example prospect/4711")]
    NotARecord(String),
}

fn check(name: &str) -> Result<(), NameError> {
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if begins_well && goes_on_well && name.len() <= NAME_MAX_BYTES {
        Ok(())
    } else {
        Err(NameError::NotAName(name.to_owned()))
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a category: one kind of record about a person.
    CategoryName
);
name!(
    /// The name of a source: an application's database.
    SourceName
);

/// A record: `category/key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// The kind of record.
    pub category: CategoryName,
    /// Its key within the category's table.
    pub key: RecordKey,
}

impl FromStr for RecordRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (category, key) = text.split_once('/').ok_or_else(|| NameError::NotARecord(text.to_owned()))?;
        Ok(Self { category: category.parse()?, key: RecordKey::from_text(key) })
    }
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.category, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_keeps_slashes_of_its_key() {
        let record: RecordRef = "visit/2024/17,3".parse().unwrap();
        assert_eq!(record.category.as_str(), "visit");
        assert_eq!(record.key.as_str(), "2024/17,3");
        assert_eq!(record.to_string(), "visit/2024/17,3");
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        assert!(matches!("4711".parse::<RecordRef>(), Err(NameError::NotARecord(_))));
        assert!(matches!("Prospect/1".parse::<RecordRef>(), Err(NameError::NotAName(_))));
        assert!(matches!("/1".parse::<RecordRef>(), Err(NameError::NotAName(_))));
    }
}
