//! Files of the daemon's, which it can read whoever made them.
//!
//! A command may be run by root, and the daemon runs as somebody else, to whom the folder belongs: what is made there belongs
//! to the same user and group. What is there already keeps its owner.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use nix::fcntl::OFlag;

/// Makes a file for writing that its owner alone can read, and that belongs to whom its folder belongs.
///
/// # Errors
/// When there is one already, or it cannot be made.
pub fn make_file(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    own(&file, path)?;
    Ok(file)
}

/// Opens a file for writing; makes it where there is none. Follows no link: whoever the folder belongs to is not to lead root
/// to a file elsewhere.
///
/// # Errors
/// When it can neither be opened nor made, or is a link.
pub fn open_file(path: &Path) -> std::io::Result<File> {
    match OpenOptions::new().write(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make_file(path),
        opened => opened,
    }
}

/// Gives what was just made at `path` to the owner of its folder. Whoever may not give files away keeps it: that is not root,
/// and has made the file for itself.
///
/// # Errors
/// When the owners cannot be told or changed.
pub fn own(made: &File, path: &Path) -> std::io::Result<()> {
    let folder = folder_of(path).metadata()?;
    if made.metadata()?.uid() == folder.uid() {
        return Ok(());
    }
    match fchown(made, Some(folder.uid()), Some(folder.gid())) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

/// The folder in which `path` lies.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_leads_to_a_file_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let [elsewhere, link, dangling] = ["elsewhere", "link", "dangling"].map(|name| folder.path().join(name));
        std::fs::write(&elsewhere, "kept").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
        assert!(open_file(&elsewhere).is_ok() && open_file(&folder.path().join("new")).is_ok());
        assert!(open_file(&link).is_err() && open_file(&dangling).is_err());
        assert!(make_file(&link).is_err() && make_file(&dangling).is_err() && !folder.path().join("nowhere").exists());
    }
}
