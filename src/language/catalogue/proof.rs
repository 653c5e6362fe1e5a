//! The proof that bytes are gone.

pub(super) const TEXTS: super::Part =
    &[("cannot look through {path}: {what}", "kann {path} nicht durchsuchen: {what}")];
