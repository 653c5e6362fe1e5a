//! A daemon that stands still: whoever asks it is told so, and does not wait for ever.

use std::time::Duration;

use erasured::ctl::run_within;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use crate::serving::PATIENCE;

/// For how long the client waits here.
const SHORT: Duration = Duration::from_millis(200);

/// What the client makes of these words where somebody takes its connection, sends this and then nothing: exit code, stdout,
/// stderr.
async fn asked(sends: &'static [u8], words: &[&str]) -> (u8, String, String) {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("admin.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let still = tokio::spawn(async move {
        let mut taken = Vec::new();
        loop {
            let mut stream = listener.accept().await.unwrap().0;
            stream.read_exact(&mut [0]).await.unwrap();
            stream.write_all(sends).await.unwrap();
            taken.push(stream);
        }
    });
    let words = [&["erasurectl", "--socket", socket.to_str().unwrap()], words].concat();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let ended = run_within(SHORT, words.into_iter().map(Into::into), &mut out, &mut err);
    let exit = tokio::time::timeout(PATIENCE, ended).await.expect("the client does not wait for ever");
    still.abort();
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(socket.to_str().unwrap(), "SOCKET");
    (exit.code(), text(out), text(err))
}

const SILENT: &str = "cannot wait any longer: the daemon at SOCKET has not answered for 0.2 s";
const LOOK: &str = "hint: see what holds it up (systemctl status erasured, journalctl -u erasured), and ask again";

#[tokio::test]
async fn monitoring_is_told_that_the_daemon_does_not_answer() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
    for sends in [b"".as_slice(), half] {
        let (exit, out, err) = asked(sends, &["--lang", "en", "status", "--check"]).await;
        assert_eq!((exit, out, err), (2, format!("CRITICAL: {SILENT}\n"), String::new()));
        let (exit, out, err) = asked(sends, &["--lang", "en", "metrics"]).await;
        assert_eq!((exit, out, err), (3, String::new(), format!("error: {SILENT}\n{LOOK}\n")));
    }
}

#[tokio::test]
async fn nobody_waits_for_ever_for_an_answer() {
    let (exit, _, err) = asked(b"", &["--lang", "en", "list"]).await;
    assert_eq!((exit, err), (3, format!("error: {SILENT}\n{LOOK}\n")));
    let (exit, _, err) = asked(b"", &["--lang", "en", "confirm", "customer/1"]).await;
    let hint = "hint: what was asked for may still have been done; look before you ask again";
    assert_eq!((exit, err), (3, format!("error: {SILENT}\n{hint}\n")));
    let begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{}\n\r\n";
    let (exit, out, err) = asked(begun, &["--lang", "en", "audit", "export"]).await;
    let hint = "hint: what was written so far is incomplete; the daemon's log says why";
    assert_eq!((exit, out.as_str(), err), (3, "{}\n", format!("error: {SILENT}\n{hint}\n")));
    let (_, _, err) = asked(b"", &["--lang", "de", "list"]).await;
    let silent = "kann nicht länger warten: der Dienst an SOCKET hat 0.2 s lang nicht geantwortet";
    assert!(err.contains(silent) && err.contains("nachsehen, was ihn aufhält"), "{err}");
}
