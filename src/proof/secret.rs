//! Bytes that are overwritten when they are let go of. They are not shown.

use std::borrow::Borrow;
use std::ops::Deref;

use zeroize::Zeroize as _;

/// Such bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn truncate(&mut self, bytes_max: usize) {
        if let Some(rest) = self.0.get_mut(bytes_max..) {
            rest.zeroize();
        }
        self.0.truncate(bytes_max);
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Secret {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}
