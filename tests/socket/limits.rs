//! What is too much, too slow, or cannot be read.

use std::time::Duration;

use erasured::admin::SHUTDOWN_LIMIT;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::backend::{ENDLESS, Fake};
use crate::serving::{PATIENCE, serve};

/// Well under every limit of the server: what happens within it did not wait for one.
const AT_ONCE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_body_is_taken_up_to_its_limit() {
    let serving = serve(Fake::default()).await;
    let blanks = |bytes: usize| " ".repeat(bytes);
    let request = r#"{"records":[{"record":"customer/17"}]}"#;
    let fits = format!("{request}{}", blanks(1024 * 1024 - request.len()));
    assert_eq!(serving.ask("POST", "/v1/confirm", fits).await.status, StatusCode::OK);
    let response = serving.ask("POST", "/v1/confirm", blanks(1024 * 1024 + 1)).await;
    assert_eq!((response.status, response.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
    let response = serving.ask("POST", "/v1/confirm", blanks(64 * 1024 * 1024)).await;
    assert_eq!((response.status, response.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing() {
    let serving = serve(Fake::default()).await;
    let many: Vec<String> = (0..10_001).map(|key| format!(r#"{{"record":"customer/{key}"}}"#)).collect();
    let many = format!(r#"{{"records":[{}]}}"#, many.join(","));
    let cases = [
        ("/v1/confirm", "", "malformed"),
        ("/v1/confirm", "[]", "invalid"),
        ("/v1/confirm", r#"{"all":{"state":"proposed"}}"#, "invalid"),
        ("/v1/confirm", r#"{"digest":"40-3-00000000000000000000000000"}"#, "invalid"),
        ("/v1/confirm", r#"{"records":[{"record":"customer/17"}],"all":{},"digest":"1-1-0"}"#, "invalid"),
        ("/v1/confirm", r#"{"all":{"colour":"red"},"digest":"1-1-0"}"#, "malformed"),
        ("/v1/confirm", r#"{"all":{"due_to":"soon"},"digest":"1-1-0"}"#, "malformed"),
        ("/v1/confirm", r#"{"records":[{"record":"customer/17"}],"force":true}"#, "malformed"),
        ("/v1/confirm", r#"{"records":[{"record":"customer/17"},{"record":"4711"}]}"#, "malformed"),
        ("/v1/confirm", r#"{"records":[{"record":"Customer/17"}]}"#, "malformed"),
        ("/v1/confirm", r#"{"records":[]}"#, "invalid"),
        ("/v1/confirm", r#"{"records":[{"record":"customer/17"},{"record":"customer/17"}]}"#, "invalid"),
        ("/v1/confirm", &many, "too-large"),
        ("/v1/postpone", r#"{"records":[{"record":"customer/17"}],"until":"2027-06-30"}"#, "malformed"),
        ("/v1/postpone", r#"{"records":[{"record":"customer/17"}],"until":"2027-06-30","reason":" "}"#, "invalid"),
        ("/v1/postpone", r#"{"records":[{"record":"customer/17"}],"until":"30.06.2027","reason":"x"}"#, "malformed"),
        (
            "/v1/postpone",
            r#"{"records":[{"record":"customer/17"}],"until":"2027-06-30T10:00","reason":"x"}"#,
            "malformed",
        ),
        ("/v1/runs", r#"{"job":"destroy"}"#, "malformed"),
    ];
    for (path, body, code) in cases {
        assert_eq!(serving.ask("POST", path, body.to_owned()).await.code(), code, "{path} {body:.80}");
    }
    let cases = [
        ("/v1/proposals?limit=0", "invalid"),
        ("/v1/proposals?limit=many", "malformed"),
        ("/v1/proposals?colour=red", "malformed"),
        ("/v1/proposals?state=lost", "malformed"),
        ("/v1/proposals?category=%2e%2e", "malformed"),
        ("/v1/proposals?due_from=2025-01-01T10:00", "malformed"),
        ("/v1/proposals?sort=colour", "malformed"),
        ("/v1/proposals?age=-1", "malformed"),
        ("/v1/proposals?text=", "invalid"),
        ("/v1/proposals/totals?limit=3", "malformed"),
        ("/v1/proposals/digest?text=Maier", "malformed"),
        ("/v1/proposals/customer/%ff", "malformed"),
        ("/v1/runs/seven", "malformed"),
        ("/v1/audit?record=17", "malformed"),
    ];
    for (path, code) in cases {
        assert_eq!(serving.ask("GET", path, "").await.code(), code, "{path}");
    }
    assert!(serving.backend.decided.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_key_arrives_as_it_was_sent() {
    let serving = serve(Fake::default()).await;
    for (path, record) in [
        ("/v1/proposals/visit/2024/17", "visit/2024/17"),
        ("/v1/proposals/visit/2024%2F17", "visit/2024/17"),
        ("/v1/proposals/visit/a%252Cb", "visit/a%2Cb"),
        ("/v1/proposals/visit/a%20%C3%BC?", "visit/a ü"),
    ] {
        assert_eq!(serving.ask("GET", path, "").await.json()["record"], record, "{path}");
    }
    for key in ["2024/17,3", "a%2Cb", "anna@example.org", "ä ö?#&=+", "..", "x'00ff'"] {
        let record = format!("visit/{key}");
        let (exit, stdout, stderr) = serving.erasurectl(&["show", &record, "--json"]).await;
        assert_eq!((exit, stderr.as_str()), (Some(0), ""), "{key}");
        let shown: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(shown["record"], record);
    }
}

#[tokio::test]
async fn a_run_is_accepted_with_its_place() {
    let serving = serve(Fake::default()).await;
    let response = serving.ask("POST", "/v1/runs", r#"{"job":"erase"}"#).await;
    assert_eq!(response.status, StatusCode::ACCEPTED);
    assert_eq!(response.headers["location"], "/v1/runs/7");
    assert_eq!(response.json()["state"], "queued");
    let response = serving.ask("POST", "/v1/runs?wait=5", r#"{"job":"prepare"}"#).await;
    assert_eq!((response.status, &response.json()["state"]), (StatusCode::OK, &"failed".into()));
}

#[tokio::test]
async fn the_counts_of_a_final_run_stand_at_its_top() {
    let serving = serve(Fake::default()).await;
    let run = serving.ask("GET", "/v1/runs/7", "").await.json();
    for count in ["deleted", "anonymised", "returned", "withdrawn", "held", "dependents"] {
        assert!(run[count].is_u64(), "{count} in {run}");
    }
    assert_eq!(run["job"], "erase");
}

#[tokio::test]
async fn half_a_head_does_not_hold_the_stop() {
    let serving = serve(Fake::default()).await;
    let mut slow = UnixStream::connect(&serving.socket).await.unwrap();
    slow.write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let _silent = UnixStream::connect(&serving.socket).await.unwrap();
    // Connections are taken in their order: once a later one is answered, both are in the server's hands.
    serving.ask("GET", "/v1/status", "").await;
    let took = serving.stop().await;
    assert!(took < AT_ONCE, "{took:?}");
    let mut rest = Vec::new();
    assert_eq!(slow.read_to_end(&mut rest).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn an_endless_request_holds_the_stop_up_to_its_limit() {
    let serving = serve(Fake::default()).await;
    let mut waiting = UnixStream::connect(&serving.socket).await.unwrap();
    let head = format!("GET /v1/runs/{ENDLESS}?wait=60 HTTP/1.1\r\nhost: x\r\n\r\n");
    waiting.write_all(head.as_bytes()).await.unwrap();
    serving.ask("GET", "/v1/status", "").await;
    let socket = serving.socket.clone();
    let took = serving.stop().await;
    assert!(took >= SHUTDOWN_LIMIT && took < SHUTDOWN_LIMIT + AT_ONCE, "{took:?}");
    assert!(!socket.exists(), "the socket goes with its server");
}

#[tokio::test]
async fn who_sends_nothing_loses_the_place() {
    let serving = serve(Fake::default()).await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(UnixStream::connect(&serving.socket).await.unwrap());
    }
    // The places are all taken: the next waits until the idle ones have used up their time.
    let response = tokio::time::timeout(PATIENCE, serving.ask("GET", "/v1/status", "")).await.unwrap();
    assert_eq!(response.status, StatusCode::OK);
}

#[tokio::test]
async fn an_export_that_breaks_off_does_not_look_whole() {
    let serving = serve(Fake::default()).await;
    let (exit, stdout, _) = serving.erasurectl(&["audit", "export"]).await;
    assert_eq!((exit, stdout.lines().count()), (Some(0), 1000));
    let serving = serve(Fake { break_export: true, ..Fake::default() }).await;
    let (exit, stdout, stderr) = serving.erasurectl(&["audit", "export"]).await;
    assert_eq!(exit, Some(1));
    assert!(stdout.lines().count() <= 500);
    assert!(stderr.starts_with("error: cannot read the whole answer: the daemon broke off\nhint: "), "{stderr}");
}
