//! A server in this process, and two ways to talk to it: raw HTTP, and the real client.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use erasured::actor::{Grant, Permission, Reach};
use erasured::admin::{Listener, Server, WhoIs, identity_of};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::backend::Fake;

/// Nothing in these tests takes longer.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Serving {
    pub backend: Arc<Fake>,
    pub socket: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<std::io::Result<()>>,
    _folder: TempDir,
}

pub async fn serve(backend: Fake) -> Serving {
    serve_knowing(backend, Arc::new(identity_of)).await
}

pub async fn serve_knowing(backend: Fake, who_is: WhoIs) -> Serving {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    let listener = Listener::bind(&socket).await.unwrap();
    let backend = Arc::new(backend);
    let server = Server::knowing(listener, Arc::clone(&backend), who_is);
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(server.serve(async { drop(stopped.await) }));
    Serving { backend, socket, stop: Some(stop), ended, _folder: folder }
}

/// A grant of these permissions to whoever runs the tests.
pub fn granted(permissions: &[Permission]) -> Vec<Grant> {
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap();
    vec![Grant {
        users: BTreeSet::from([me.user]),
        groups: BTreeSet::new(),
        permissions: permissions.iter().copied().collect(),
        reach: Reach::default(),
    }]
}

pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of a problem, after a look at its form.
    pub fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:erasured:problem:{code}"));
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(problem["detail"].as_str().unwrap().starts_with("cannot "), "{problem}");
        code
    }
}

impl Serving {
    pub async fn ask(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Response {
        let stream = UnixStream::connect(&self.socket).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(async { drop(connection.await) });
        let request =
            Request::builder().method(method).uri(path).header("host", "x").body(Full::new(body.into())).unwrap();
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response { status: head.status, headers: head.headers, body }
    }

    /// What the client makes of these words: exit code, stdout, stderr.
    pub async fn erasurectl(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_erasurectl"));
        command.arg("--socket").arg(&self.socket).args(words).env("LC_ALL", "C");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Stops the server; how long that took.
    pub async fn stop(mut self) -> Duration {
        let watch = erasured::clock::Stopwatch::start();
        drop(self.stop.take());
        tokio::time::timeout(PATIENCE, &mut self.ended).await.expect("the server stops").unwrap().unwrap();
        watch.elapsed()
    }
}
