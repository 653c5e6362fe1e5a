//! Disks that are full or read-only, small enough to be filled.

use std::path::Path;
use std::process::Command;

/// Set where a test that cannot be carried out is a failure.
const NOTHING_LEFT_OUT: &str = "ERASURED_NOTHING_LEFT_OUT";

/// A small file system of its own; `None`, with the reason said, where none may be mounted.
pub struct Disk<'d>(&'d Path);

impl<'d> Disk<'d> {
    #[expect(clippy::print_stdout, reason = "a test that is left out says why")]
    pub fn mounted(at: &'d Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self(at)),
            other => {
                assert!(std::env::var_os(NOTHING_LEFT_OUT).is_none(), "no file system can be mounted here: {other:?}");
                println!("left out: no file system can be mounted here: {other:?}");
                None
            }
        }
    }

    /// Mounts it anew with these options, whoever has files open on it.
    pub fn again(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(self.0).status().unwrap().success());
    }
}

/// Takes all the room that is left in a folder.
pub fn fill(folder: &Path) {
    // As much as fits: the last write is cut short, and after it there is no byte left.
    let _ = std::fs::write(folder.join("filler"), vec![0; 4 * 1024 * 1024]);
}

/// Gives so many bytes of it back.
pub fn make_some_room(folder: &Path, bytes: u64) {
    let filler = std::fs::OpenOptions::new().write(true).open(folder.join("filler")).unwrap();
    filler.set_len(filler.metadata().unwrap().len().saturating_sub(bytes)).unwrap();
}

/// Gives it back.
pub fn make_room(folder: &Path) {
    std::fs::remove_file(folder.join("filler")).unwrap();
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Lazily: what is still open there ends with its process.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}
