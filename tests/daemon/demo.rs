//! The demo, which is the first that anybody sees of it.

use std::path::Path;
use std::process::Command;

use crate::process::Answer;

fn erasured(words: &[&str], dir: &Path) -> Answer {
    Answer::of(Command::new(env!("CARGO_BIN_EXE_erasured")).args(words).arg(dir))
}

/// The e-mail addresses in these lines.
fn addresses(text: &str) -> Vec<&str> {
    text.split("email=").skip(1).filter_map(|rest| rest.split(',').next()).filter(|email| *email != "NULL").collect()
}

#[test]
fn the_demo_does_the_whole_job_and_leaves_nothing_of_whom_it_erases() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("demo");
    let demo = erasured(&["demo", "--once", "--dir"], &dir);
    assert_eq!((demo.code, demo.stderr.as_str()), (0, ""), "{demo:?}");
    for told in [
        "removed from files  crm: full-text indexes, statistics, whole file, write-ahead log, proof",
        "what was erased from crm is gone, as far as can be seen",
        "trail        intact",
        "unsigned     0 entries after it",
    ] {
        assert!(demo.stdout.contains(told), "{told}: {}", demo.stdout);
    }
    let (before, after) = demo.stdout.split_once("And the run:").unwrap();
    let erased = addresses(before.split_once("Before it, the CRM holds:").unwrap().1);
    assert_eq!(
        (erased.len(), addresses(after).len()),
        (2, 1),
        "two are shown before, and a filler for one of them after"
    );
    let database = std::fs::read(dir.join("config/crm.db")).unwrap();
    for email in erased {
        assert!(email.contains("example.org"), "{email}");
        assert!(!database.windows(email.len()).any(|bytes| bytes == email.as_bytes()), "{email} is left");
    }
    assert_eq!(erasured(&["check", "--config"], &dir.join("config")).code, 0);
    let proven =
        erasured(&["prove", "--config", dir.join("config").to_str().unwrap(), "--state-dir"], &dir.join("state"));
    // What is left is the application's own, of its schema, and said to be.
    assert!(
        proven.code == 1 && proven.stdout.contains("bytes that could be zero are not, all the application's"),
        "{proven:?}"
    );
    assert_eq!(proven.stdout.matches("could be zero are not").count(), 1, "{proven:?}");
    // What it has made once it does not make again.
    let again = erasured(&["demo", "--once", "--dir"], &dir);
    assert_eq!(again.code, 1);
    assert!(again.stderr.starts_with("error: ") && again.stderr.contains("hint: "), "{again:?}");
}
