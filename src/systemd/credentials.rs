//! Secrets that the service manager placed for the daemon (`LoadCredential=`, `SetCredentialEncrypted=`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A credential cannot be looked up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The name would lead out of the credentials directory.
    #[error("{0:?} is not the name of a credential")]
    NotAName(String),
    /// There is a credentials directory, but its path is not absolute.
    #[error("CREDENTIALS_DIRECTORY is {0:?}, which is not an absolute path")]
    NotAbsolute(OsString),
}

/// Where the credential `name` lies; `None` where the service manager gave us none of that name.
///
/// # Errors
/// [`CredentialError`] when the name is a path, or the directory is not one the service manager would give.
pub fn credential(name: &str) -> Result<Option<PathBuf>, CredentialError> {
    within(std::env::var_os("CREDENTIALS_DIRECTORY"), name)
}

fn within(directory: Option<OsString>, name: &str) -> Result<Option<PathBuf>, CredentialError> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(CredentialError::NotAName(name.to_owned()));
    }
    let Some(directory) = directory else {
        return Ok(None);
    };
    if !Path::new(&directory).is_absolute() {
        return Err(CredentialError::NotAbsolute(directory));
    }
    let path = Path::new(&directory).join(name);
    Ok(path.is_file().then_some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_found_by_name_only() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("fingerprint-key"), "k").unwrap();
        let directory = || Some(folder.path().as_os_str().to_owned());
        assert_eq!(within(None, "fingerprint-key"), Ok(None));
        assert_eq!(within(directory(), "another"), Ok(None));
        assert_eq!(within(directory(), "fingerprint-key"), Ok(Some(folder.path().join("fingerprint-key"))));
        assert!(matches!(within(directory(), "../etc/shadow"), Err(CredentialError::NotAName(_))));
        assert!(matches!(within(Some("run".into()), "fingerprint-key"), Err(CredentialError::NotAbsolute(_))));
    }
}
