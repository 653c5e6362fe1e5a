//! What it refuses to start with: one sentence, what to do, and nothing is touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::common::Bench;
use crate::office::office;
use crate::process::{Answer, Site, copied};

/// Every file of a folder, with what is in it. The lock alone may appear: it holds nothing.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.file_name().unwrap() != "state.lock" {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn assert_says(answer: &Answer, sentence: &str, hint: &str) {
    assert_eq!(answer.code, 1, "{answer:?}");
    let told: Vec<&str> = answer.stderr.lines().collect();
    assert_eq!(told.len(), 2, "a sentence and a hint: {answer:?}");
    assert!(told[0].contains(sentence), "{answer:?}");
    assert!(told[1].starts_with("hint: ") && told[1].contains(hint), "{answer:?}");
}

/// A folder with a state, and no daemon on it.
async fn stopped() -> Bench {
    let bench = office(3).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    daemon.stop();
    bench
}

#[tokio::test]
async fn a_socket_that_nobody_answers_at_is_replaced_and_a_live_one_is_not() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    site.daemon().kill();
    assert!(site.socket().exists(), "what a daemon leaves behind that was killed");
    let daemon = site.daemon();
    let other = office(1).await;
    let mut second = Site::at(other.dir.path()).erasured(&["run"]);
    let answer = Answer::of(second.arg("--socket").arg(site.socket()));
    assert_says(&answer, "another process answers there", "no other daemon uses it");
    assert_eq!(site.ctl(&["status"]).code, 0, "it has not noticed");
    daemon.stop();
}

#[tokio::test]
async fn two_daemons_never_share_a_state() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    let mut second = site.erasured(&["run"]);
    let answer = Answer::of(second.arg("--socket").arg(bench.dir.path().join("other.sock")));
    assert_says(&answer, "another erasured is using the state in", "stop the other one first");
    let mut reopen = site.erasured(&["reopen", "app"]);
    assert_says(&Answer::of(&mut reopen), "another erasured is using the state in", "stop");
    assert_eq!(site.ctl(&["status"]).code, 0);
    daemon.stop();
}

#[tokio::test]
async fn a_state_and_its_keys_belong_together() {
    let start = stopped().await;
    for (gone, sentence, hint) in [
        ("keys", "there is a state and no fingerprint-key", "let systemd run this with them: systemd-run --pipe"),
        ("keys/fingerprint-key", "fingerprint-key", "restore the key"),
        ("keys/checkpoint-key", "checkpoint-key", "restore the key"),
        ("state.db", "no state beside it", "restore state.db"),
    ] {
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        let path = site.state_dir().join(gone);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        let before = contents(&site.state_dir());
        assert_says(&site.refused(), sentence, hint);
        assert!(contents(&site.state_dir()) == before, "{gone}: nothing is made anew");
    }
}

#[tokio::test]
async fn another_key_is_not_the_states_key() {
    let bench = stopped().await;
    let site = Site::at(bench.dir.path());
    std::fs::write(site.state_dir().join("keys/fingerprint-key"), format!("{}\n", "ab".repeat(32))).unwrap();
    let before = contents(&site.state_dir());
    assert_says(&site.refused(), "the state's fingerprints were taken with the key", "restore the key");
    assert!(contents(&site.state_dir()) == before);
}

#[tokio::test]
async fn what_is_no_state_is_left_as_it_is() {
    let start = stopped().await;
    for (content, sentence) in [
        (b"Dear Sir or Madam, this is a letter.".to_vec(), "is not an SQLite database"),
        (Vec::new(), "is empty"),
        (std::fs::read(start.database()).unwrap(), "is a database of something else"),
    ] {
        let bench = copied(&start);
        let site = Site::at(bench.dir.path());
        std::fs::write(site.state_db(), content).unwrap();
        let before = contents(&site.state_dir());
        assert_says(&site.refused(), sentence, "put the right file in its place");
        assert!(contents(&site.state_dir()) == before, "{sentence}");
    }
}

#[tokio::test]
async fn a_trail_that_somebody_has_changed_is_refused() {
    let bench = stopped().await;
    let site = Site::at(bench.dir.path());
    let options = SqliteConnectOptions::new().filename(site.state_db());
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    let forged = "DROP TRIGGER audit_is_not_changed; \
                  UPDATE audit SET kind = 'daemon_started' WHERE seq = (SELECT max(seq) FROM audit)";
    sqlx::raw_sql(forged).execute(&mut state).await.unwrap();
    state.close().await.unwrap();
    assert_says(&site.refused(), "the audit trail has been changed", "compare it with an exported trail");
}

#[tokio::test]
async fn faulty_settings_are_refused_before_a_state_is_made() {
    let bench = office(1).await;
    bench.category("customer", "tabel = \"customers\"\n");
    let site = Site::at(bench.dir.path());
    let answer = site.refused();
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stderr.contains("customer.toml:3:1"), "{answer:?}");
    assert!(!site.state_dir().exists());
}

/// What it is not ready for to wait, it finds right behind: no job has begun by then, and it ends each time it is started.
#[tokio::test]
async fn a_damaged_history_ends_it_before_any_job() {
    let bench = office(6).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    daemon.says("the state is whole");
    daemon.stop();
    let mut state =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(site.state_db())).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO run (job, actor, dry_run, state, queued_at, report) \
         VALUES ('erase', '\"daemon\"', 0, 'queued', '2026-01-01T00:00:00.000Z', '{}')",
    )
    .execute(&mut state)
    .await
    .unwrap();
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'decision'")
        .fetch_one(&mut state)
        .await
        .unwrap();
    state.close().await.unwrap();
    let (mut bytes, page) = (std::fs::read(site.state_db()).unwrap(), usize::try_from(page).unwrap());
    bytes[(page - 1) * 4096..page * 4096].fill(0xff);
    std::fs::write(site.state_db(), bytes).unwrap();
    for _ in 0..2 {
        let mut daemon = site.start(&[]);
        assert_eq!(daemon.ended().code(), Some(1));
        assert!(daemon.news().is_some_and(|news| news.contains("READY=1")), "it is ready before");
        let log = site.log();
        assert!(log.contains("is damaged") && log.contains("hint: restore it from a backup"), "{log}");
        assert_eq!(site.state().rows("SELECT state FROM run WHERE job = 'erase'").await, ["'queued'"]);
        assert_eq!(crate::office::names(&bench).await.len(), 6);
    }
}
