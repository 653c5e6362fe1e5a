//! One HTTP request over the daemon's socket.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::console::Console;
use super::exit::{Exit, Failure};
use crate::api::Problem;

/// What is written as `%XX` in a part of a path: all but what RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How long to wait for an answer: the daemon begins to answer within a minute and a half, and a request may wait for its
/// turn before.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// How long machines wait that ask again and again: whoever takes longer to answer them than this stands still.
const HASTE: Duration = Duration::from_secs(10);

/// What to do where a question was not answered in time.
const LOOK: &str = "see what holds it up (systemctl status erasured, journalctl -u erasured), and ask again";
/// What to do where something was to be done, and nobody knows whether it was.
const PERHAPS_DONE: &str = "what was asked for may still have been done; look before you ask again";
/// What to do where an answer has broken off.
const INCOMPLETE: &str = "what was written so far is incomplete; the daemon's log says why";

/// The daemon, as the client sees it.
pub(super) struct Client {
    socket: PathBuf,
    /// How long to wait for a whole answer, or for each piece of one that comes in pieces.
    patience: Duration,
}

/// An answer: as it came, and as it is meant.
pub(super) struct Got<T> {
    /// The daemon's JSON.
    pub(super) json: String,
    /// The same, read.
    pub(super) value: T,
}

impl Client {
    pub(super) fn new(socket: PathBuf, patience: Duration) -> Self {
        Self { socket, patience }
    }

    /// From now on waits for no longer than machines that ask again and again.
    pub(super) fn hurry(&mut self) {
        self.patience = self.patience.min(HASTE);
    }

    /// Asks for `path`, with `query` behind it.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<Got<T>, Failure> {
        let target = with_query(path, query)?;
        self.in_time(LOOK, async { read(self.send(Method::GET, &target, Vec::new()).await?).await }).await
    }

    /// Asks for what is no JSON.
    pub(super) async fn text(&self, path: &str) -> Result<String, Failure> {
        self.in_time(LOOK, async { collect(self.send(Method::GET, path, Vec::new()).await?).await }).await
    }

    /// Sends `request` to `path`.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<Got<T>, Failure> {
        let body = serde_json::to_vec(request).map_err(|error| unsaid(&error))?;
        self.in_time(PERHAPS_DONE, async { read(self.send(Method::POST, path, body).await?).await }).await
    }

    /// Writes the answer at `path` to stdout, piece by piece as it comes.
    pub(super) async fn pour(&self, path: &str, console: &mut Console<'_>) -> Result<(), Failure> {
        let mut body = self.in_time(LOOK, self.send(Method::GET, path, Vec::new())).await?.into_body();
        while let Some(frame) = self.in_time(INCOMPLETE, piece(&mut body)).await? {
            if let Some(bytes) = frame.data_ref() {
                console.bytes(bytes)?;
            }
        }
        Ok(())
    }

    /// The answer, unless it takes longer than there is patience.
    async fn in_time<T>(&self, hint: &str, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        timeout(self.patience, answer).await.unwrap_or_else(|_| Err(self.silent().hint(hint)))
    }

    async fn send(&self, method: Method, target: &str, body: Vec<u8>) -> Result<Response<Incoming>, Failure> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unconnected(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(&error))?;
        // The connection ends with the answer; what went wrong on it shows there.
        tokio::spawn(async { drop(connection.await) });
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, "erasured")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unsaid(&error))?;
        let response = sender.send_request(request).await.map_err(|error| self.broken(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = collect(response).await?;
        Err(serde_json::from_str::<Problem>(&body).map_or_else(
            |_| Failure::new(Exit::Refused, format!("cannot read the daemon's answer, HTTP status {status}")),
            Failure::from,
        ))
    }

    fn unconnected(&self, error: &io::Error) -> Failure {
        let path = self.socket.display();
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                Failure::new(Exit::NotPermitted, format!("cannot open the daemon's socket {path}: permission denied"))
                    .hint("only members of the socket's group may talk to the daemon; ask its operator")
            }
            io::ErrorKind::NotFound => {
                Failure::new(Exit::Unreachable, format!("cannot reach the daemon: there is no socket {path}"))
                    .hint("start the daemon (systemctl start erasured), or name its socket with --socket PATH")
            }
            io::ErrorKind::ConnectionRefused => {
                Failure::new(Exit::Unreachable, format!("cannot reach the daemon: nobody answers at {path}"))
                    .hint("start the daemon (systemctl start erasured), or name its socket with --socket PATH")
            }
            _ => Failure::new(Exit::Unreachable, format!("cannot reach the daemon at {path}: {error}")),
        }
    }

    fn broken(&self, error: &hyper::Error) -> Failure {
        let path = self.socket.display();
        Failure::new(Exit::Unreachable, format!("cannot talk to the daemon at {path}: {error}")).hint(PERHAPS_DONE)
    }

    fn silent(&self) -> Failure {
        let (path, seconds) = (self.socket.display(), self.patience.as_secs_f64());
        let sentence = format!("cannot wait any longer: the daemon at {path} has not answered for {seconds} s");
        Failure::new(Exit::Unreachable, sentence)
    }
}

/// `text` as one part of a path.
pub(super) fn path_part(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, ESCAPED)
}

fn with_query(path: &str, query: &impl Serialize) -> Result<String, Failure> {
    let query = serde_urlencoded::to_string(query).map_err(|error| unsaid(&error))?;
    Ok(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
}

fn unsaid(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Refused, format!("cannot write the request: {error}"))
}

async fn read<T: DeserializeOwned>(response: Response<Incoming>) -> Result<Got<T>, Failure> {
    let json = collect(response).await?;
    let value = serde_json::from_str(&json).map_err(|error| {
        Failure::new(Exit::Refused, format!("cannot understand the daemon's answer: {error}"))
            .hint("client and daemon may be of different versions: compare erasurectl --version and erasured --version")
    })?;
    Ok(Got { json, value })
}

/// The next piece of an answer; `None` behind its last.
async fn piece(body: &mut Incoming) -> Result<Option<Frame<Bytes>>, Failure> {
    body.frame()
        .await
        .transpose()
        .map_err(|_| Failure::new(Exit::Refused, "cannot read the whole answer: the daemon broke off").hint(INCOMPLETE))
}

async fn collect(response: Response<Incoming>) -> Result<String, Failure> {
    let broken = || Failure::new(Exit::Refused, "cannot read the whole answer: the daemon broke off");
    let bytes = response.into_body().collect().await.map_err(|_| broken())?.to_bytes();
    String::from_utf8(bytes.into()).map_err(|_| broken())
}
