//! The listening socket: adopted from the service manager, or bound so that it is never open to others.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use crate::record::{hex, random_bytes};

/// Mode of a directory that we make for the socket: its group may reach what is in it, others may not.
const DIRECTORY_MODE: u32 = 0o750;
/// Mode of the socket: owner and group may connect.
const SOCKET_MODE: u32 = 0o660;
/// Mode of the directory that the socket is born in.
const CRADLE_MODE: u32 = 0o700;
/// How long another daemon has to answer at a socket that is already there. One that is alive but has no place
/// for us counts as answering.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The path has no directory or no name in it.
    #[error("cannot listen at {0}: it is not the path of a socket")]
    NotAPath(PathBuf),
    /// Anybody could put another socket in its place.
    #[error("cannot listen at {path}: anybody may replace files in its directory (mode {mode:o})")]
    OpenDirectory {
        /// The socket's path.
        path: PathBuf,
        /// The directory's mode.
        mode: u32,
    },
    /// There is something else.
    #[error("cannot listen at {0}: there is a file that is not a socket")]
    NotASocket(PathBuf),
    /// A daemon listens there.
    #[error("cannot listen at {0}: another process answers there")]
    InUse(PathBuf),
    /// Whether anybody listens there cannot be found out.
    #[error("cannot find out whether anybody listens at {path}")]
    Probe {
        /// The socket's path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file operation failed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The operating system has no random bytes.
    #[error("cannot make a name for the socket's first directory")]
    Random(#[source] getrandom::Error),
}

/// The socket that the daemon listens on.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: UnixListener,
    own: Option<Own>,
}

/// A socket file that we made, and remove at the end unless somebody else has taken its place.
#[derive(Debug)]
struct Own {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Listener {
    /// A socket that the service manager opened; it stays when the daemon ends. Needs a runtime.
    ///
    /// # Errors
    /// When the runtime does not take it.
    pub fn adopted(socket: std::os::unix::net::UnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UnixListener::from_std(socket)?, own: None })
    }

    /// Opens a socket at `path`. Its directory is made when it is missing, for the daemon's user and group only; a socket
    /// that nobody answers at is replaced.
    ///
    /// # Errors
    /// [`BindError`] when somebody answers there, when something else than a socket is there, or when the directory is
    /// open to everybody.
    pub async fn bind(path: &Path) -> Result<Self, BindError> {
        let path = std::path::absolute(path).map_err(|_| BindError::NotAPath(path.to_owned()))?;
        let (Some(directory), Some(_)) = (path.parent(), path.file_name()) else {
            return Err(BindError::NotAPath(path));
        };
        make_directory(directory, &path)?;
        refuse_what_is_not_stale(&path).await?;
        let socket = bind_unseen(directory, &path)?;
        let made = fs::symlink_metadata(&path).map_err(failed("look at", &path))?;
        let own = Some(Own { device: made.dev(), inode: made.ino(), path });
        Ok(Self { socket, own })
    }
}

impl Listener {
    /// Where it listens; `None` for a socket without a path.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        match &self.own {
            // The kernel knows our own one by the name that it was born with.
            Some(own) => Some(own.path.clone()),
            None => self.socket.local_addr().ok()?.as_pathname().map(Path::to_owned),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let ours = |found: &Metadata| found.dev() == self.device && found.ino() == self.inode;
        if fs::symlink_metadata(&self.path).is_ok_and(|found| ours(&found)) {
            // A socket that stays behind is replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> BindError + 'a {
    move |source| BindError::Io { action, path: path.to_owned(), source }
}

fn make_directory(directory: &Path, path: &Path) -> Result<(), BindError> {
    let made = DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory);
    made.map_err(failed("make the directory", directory))?;
    let mode = fs::metadata(directory).map_err(failed("look at", directory))?.mode();
    let (others_write, sticky) = (mode & 0o002 != 0, mode & 0o1000 != 0);
    if others_write && !sticky {
        return Err(BindError::OpenDirectory { path: path.to_owned(), mode: mode & 0o7777 });
    }
    Ok(())
}

async fn refuse_what_is_not_stale(path: &Path) -> Result<(), BindError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look at", path)(error)),
        Ok(found) if !found.file_type().is_socket() => return Err(BindError::NotASocket(path.to_owned())),
        Ok(_) => {}
    }
    match tokio::time::timeout(ANSWER_LIMIT, UnixStream::connect(path)).await {
        Ok(Err(error)) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Ok(()),
            io::ErrorKind::WouldBlock => Err(BindError::InUse(path.to_owned())),
            _ => Err(BindError::Probe { path: path.to_owned(), source: error }),
        },
        Ok(Ok(_)) | Err(_) => Err(BindError::InUse(path.to_owned())),
    }
}

/// Binds inside a directory that only we may enter, and moves the finished socket to its place. A socket is born with
/// the mode that the umask leaves it, and the umask belongs to the whole process: here it does not matter what it is.
/// The move replaces a stale socket in one step.
fn bind_unseen(directory: &Path, path: &Path) -> Result<UnixListener, BindError> {
    let name = random_bytes::<4>().map_err(BindError::Random)?;
    let cradle = directory.join(format!(".{}", hex(&name)));
    DirBuilder::new().mode(CRADLE_MODE).create(&cradle).map_err(failed("make the directory", &cradle))?;
    let bound = bind_in(&cradle, path);
    // Whether it worked or not, nothing of ours is left in it that anybody needs.
    let _ = fs::remove_dir_all(&cradle);
    bound
}

fn bind_in(cradle: &Path, path: &Path) -> Result<UnixListener, BindError> {
    let born = cradle.join("s");
    let socket = UnixListener::bind(&born).map_err(failed("listen at", path))?;
    fs::set_permissions(&born, Permissions::from_mode(SOCKET_MODE)).map_err(failed("set the mode of", path))?;
    fs::rename(&born, path).map_err(failed("move the socket to", path))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[tokio::test]
    async fn the_directory_and_the_socket_are_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/erasured/admin.sock");
        let listener = Listener::bind(&path).await.unwrap();
        assert_eq!(mode(path.parent().unwrap()) & 0o007, 0);
        assert_eq!(mode(&path), SOCKET_MODE);
        UnixStream::connect(&path).await.unwrap();
        let names: Vec<_> =
            fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["admin.sock"], "the cradle is gone");
        assert_eq!(listener.path(), Some(path.clone()));
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "what a daemon that was killed leaves behind");
        let listener = Listener::bind(&path).await.unwrap();
        let second = Listener::bind(&path).await.unwrap_err();
        assert!(matches!(second, BindError::InUse(_)), "{second}");
        UnixStream::connect(&path).await.unwrap();
        drop(listener);
    }

    #[tokio::test]
    async fn what_is_not_a_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        fs::write(&path, "a file of somebody's").unwrap();
        assert!(matches!(Listener::bind(&path).await, Err(BindError::NotASocket(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file of somebody's");
        let aside = folder.path().join("link.sock");
        std::os::unix::fs::symlink(&path, &aside).unwrap();
        assert!(matches!(Listener::bind(&aside).await, Err(BindError::NotASocket(_))));
    }

    #[tokio::test]
    async fn a_directory_that_anybody_may_change_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = Listener::bind(&folder.path().join("admin.sock")).await.unwrap_err();
        assert!(matches!(refused, BindError::OpenDirectory { mode: 0o777, .. }), "{refused}");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        Listener::bind(&folder.path().join("admin.sock")).await.unwrap();
    }

    #[tokio::test]
    async fn a_successor_keeps_its_socket_when_we_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let first = Listener::bind(&path).await.unwrap();
        fs::remove_file(&path).unwrap();
        let second = Listener::bind(&path).await.unwrap();
        drop(first);
        UnixStream::connect(&path).await.unwrap();
        drop(second);
    }

    #[tokio::test]
    async fn an_adopted_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let listener = Listener::adopted(std::os::unix::net::UnixListener::bind(&path).unwrap()).unwrap();
        assert_eq!(listener.path(), Some(path.clone()));
        UnixStream::connect(&path).await.unwrap();
        drop(listener);
        assert!(path.exists());
    }
}
