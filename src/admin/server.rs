//! The accept loop: limits, and a stop that nobody can hold up.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::errno::Errno;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::dispatch::{Shared, answer};
use super::refusals::Refusals;
use super::routes::routes;
use super::{Backend, Listener, WhoIs, identity_of};

/// Most connections at a time; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: u32 = 64;
/// How long the head of a request may take to arrive, from the connection on.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes. A record's key may be long, and every byte of it may take three.
const HEAD_MAX_BYTES: usize = 64 * 1024;
/// How long requests that are being answered have to end when the daemon stops.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);
/// How long to pause when the system has no file descriptor for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the socket.
pub struct Server<B> {
    listener: Listener,
    shared: Arc<Shared<B>>,
    is_full: watch::Sender<bool>,
}

impl<B: Backend> Server<B> {
    /// A server of the whole route table that asks the machine's user database who peers are.
    #[must_use]
    pub fn new(listener: Listener, backend: Arc<B>) -> Self {
        Self::knowing(listener, backend, Arc::new(identity_of))
    }

    /// The same with another way to find out who a user id is.
    #[must_use]
    pub fn knowing(listener: Listener, backend: Arc<B>, who_is: WhoIs) -> Self {
        let shared = Shared { backend, routes: routes(), who_is, refusals: Refusals::new() };
        Self { listener, shared: Arc::new(shared), is_full: watch::Sender::new(false) }
    }

    /// Whether as many are connected as there are places for, and whoever else connects waits.
    #[must_use]
    pub fn is_full(&self) -> watch::Receiver<bool> {
        self.is_full.subscribe()
    }

    /// Serves until `stop` is ready. Then no further connection is taken, and what is being answered has
    /// [`SHUTDOWN_LIMIT`] to end.
    ///
    /// # Errors
    /// When the socket itself has failed.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let outcome = tokio::select! {
            () = stop => Ok(()),
            failed = accept(&self, &places, &stopped, &mut connections) => failed,
        };
        // The socket goes first: who connects now learns at once that nobody is there.
        drop(self.listener);
        // Nobody listening is as good as everybody told.
        let _ = stopping.send(true);
        // All places are free when every connection is closed and every decision made.
        if tokio::time::timeout(SHUTDOWN_LIMIT, places.acquire_many(CONNECTIONS_MAX)).await.is_err() {
            tracing::warn!("stopped although requests were still being answered");
        }
        connections.shutdown().await;
        outcome
    }
}

async fn accept<B: Backend>(
    server: &Server<B>,
    places: &Arc<Semaphore>,
    stopped: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) -> io::Result<()> {
    loop {
        server.is_full.send_replace(places.available_permits() == 0);
        let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
        server.is_full.send_replace(false);
        let stream = match server.listener.socket.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if passes(&error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        connections.spawn(converse(stream, Arc::clone(&server.shared), place, stopped.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Whether an error of `accept` is about one connection, or about a shortage that will pass, and not about the socket.
fn passes(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(
            Errno::ECONNABORTED
                | Errno::EINTR
                | Errno::EMFILE
                | Errno::ENFILE
                | Errno::ENOBUFS
                | Errno::ENOMEM
                | Errno::EPROTO
        )
    )
}

async fn converse<B: Backend>(
    stream: UnixStream,
    shared: Arc<Shared<B>>,
    place: OwnedSemaphorePermit,
    mut stopped: watch::Receiver<bool>,
) {
    let Some(uid) = peer_of(&stream) else {
        return;
    };
    let place = Arc::new(place);
    let asked = AtomicBool::new(false);
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        answer(Arc::clone(&shared), uid, Arc::clone(&place), request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_header_size(HEAD_MAX_BYTES)
        // One request a connection: who the peer is and what it may is asked each time, and nobody sits on a place.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let told = async { drop(stopped.wait_for(|stopped| *stopped).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told => {
            // Whoever has not asked anything yet, or only half of it, loses nothing.
            if !asked.load(Ordering::Relaxed) {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(uid, %error, "a connection broke off");
    }
}

/// Who has connected. Without the kernel's word there is no peer, and nothing to say to it.
fn peer_of(stream: &UnixStream) -> Option<u32> {
    stream
        .peer_cred()
        .inspect_err(|error| tracing::warn!(%error, "cannot find out who has connected"))
        .ok()
        .map(|peer| peer.uid())
}
