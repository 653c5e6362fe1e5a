//! Sockets that the service manager opened for the daemon.

use std::io;
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// A passed socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// It is of another kind: TCP, say, or a datagram socket.
    #[error("cannot use passed socket number {index} as a listening Unix socket")]
    WrongKind {
        /// Its place among the passed ones, from 0.
        index: usize,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It cannot be made non-blocking, and kept from what the daemon starts.
    #[error("cannot set how passed socket number {index} behaves")]
    Blocking {
        /// Its place among the passed ones, from 0.
        index: usize,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// The listening Unix sockets that the service manager passed, in its order, non-blocking as the runtime needs them. None
/// where nothing was passed to this process.
///
/// # Errors
/// [`SocketError`] when one of them is of another kind: a unit file that is not meant for us.
pub fn adopted_sockets() -> Result<Vec<UnixListener>, SocketError> {
    let mut passed = ListenFd::from_env();
    let mut sockets = Vec::with_capacity(passed.len());
    for index in 0..passed.len() {
        let taken = passed.take_unix_listener(index).map_err(|source| SocketError::WrongKind { index, source })?;
        if let Some(socket) = taken {
            let blocking = |source| SocketError::Blocking { index, source };
            socket.set_nonblocking(true).map_err(blocking)?;
            // Whatever the daemon starts is not to answer in its place.
            fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(|errno| blocking(errno.into()))?;
            sockets.push(socket);
        }
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passed_nothing_adopted() {
        if std::env::var_os("LISTEN_FDS").is_none() {
            assert!(adopted_sockets().unwrap().is_empty());
        }
    }
}
