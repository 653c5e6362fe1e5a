//! Where the keys are, and how one takes the place of another.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::Bench;
use crate::office::office;
use crate::process::{Answer, Site};

const ROTATE: [&str; 2] = ["rotate", "checkpoint-key"];

fn keys(site: &Site) -> PathBuf {
    site.state_dir().join("keys")
}

fn checkpoint_key(site: &Site) -> PathBuf {
    keys(site).join("checkpoint-key")
}

fn public_key(site: &Site) -> String {
    site.ctl(&["audit", "checkpoints", "--public-key"]).stdout.trim().to_owned()
}

fn ran(mut command: Command) -> Answer {
    Answer::of(&mut command)
}

/// A trail with a checkpoint, and the public key that it is signed with; the daemon is gone again.
async fn signed() -> (Bench, String) {
    let bench = office(2).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let public = public_key(&site);
    daemon.stop();
    (bench, public)
}

/// What verification says of the exported trail to whoever trusts this key, without asking the daemon.
fn verified(site: &Site, public: &str) -> Value {
    let [trail, notes] = ["trail.jsonl", "notes.txt"].map(|name| site.dir.join(name));
    fs::write(&trail, site.ctl(&["audit", "export"]).stdout).unwrap();
    fs::write(&notes, site.ctl(&["audit", "checkpoints"]).stdout).unwrap();
    let [trail, notes] = [&trail, &notes].map(|path| path.to_str().unwrap());
    site.json(&["audit", "verify", "--file", trail, "--checkpoints", notes, "--public-key", public])
}

#[tokio::test]
async fn whoever_trusts_the_key_before_or_the_key_after_can_verify_all_of_it() {
    let (bench, before) = signed().await;
    let site = Site::at(bench.dir.path());
    let secret = fs::read_to_string(checkpoint_key(&site)).unwrap();
    for _ in 0..2 {
        let rotated = ran(site.erasured(&ROTATE));
        assert_eq!((rotated.code, rotated.stderr.as_str()), (0, ""), "{rotated:?}");
        assert!(rotated.stdout.starts_with("checkpoints are signed with another key from now on: erasured/"));
    }
    assert_ne!(fs::read_to_string(checkpoint_key(&site)).unwrap(), secret);
    let names = |dir: &Path| fs::read_dir(dir).unwrap().count();
    assert_eq!(names(&keys(&site)), 2, "nothing else is left there");
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let after = public_key(&site);
    assert_ne!(after, before);
    site.assert_trail_holds();
    let changes = site.entries("checkpoint_key_changed");
    let told = |at: usize, what: &str| changes[at][what].as_str().unwrap();
    assert_eq!((told(0, "from"), told(1, "to"), told(0, "to")), (&*before, &*after, told(1, "from")));
    let between = told(0, "to").to_owned();
    for public in [&before, &between, &after] {
        let report = verified(&site, public);
        assert_eq!((&report["intact"], &report["unsigned"]), (&true.into(), &0.into()), "{public}: {report}");
        assert_eq!(report["signed"], report["entries"]);
    }
    daemon.stop();
}

#[tokio::test]
async fn an_exchange_that_was_cut_short_is_finished_or_forgotten() {
    let (bench, before) = signed().await;
    let site = Site::at(bench.dir.path());
    let (place, next) = (checkpoint_key(&site), keys(&site).join("checkpoint-key.next"));
    let old = fs::read(&place).unwrap();
    // Before the trail knew of it.
    fs::write(&next, format!("{}\n", "cd".repeat(32))).unwrap();
    let daemon = site.daemon();
    assert_eq!(public_key(&site), before);
    daemon.stop();
    assert_eq!(ran(site.erasured(&ROTATE)).code, 0);
    let new = fs::read(&place).unwrap();
    assert_ne!(new, format!("{}\n", "cd".repeat(32)).into_bytes());
    // After the trail knew of it, and before the file was in its place.
    fs::rename(&place, &next).unwrap();
    fs::write(&place, &old).unwrap();
    let daemon = site.daemon();
    assert_ne!(public_key(&site), before);
    site.json(&["run", "prepare", "--wait"]);
    site.assert_trail_holds();
    daemon.stop();
    assert_eq!((fs::read(&place).unwrap(), next.exists()), (new, false));
    // The one before signs nothing any more.
    fs::write(&place, &old).unwrap();
    let refused = site.refused();
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("the trail is signed with another checkpoint key than the one here"),
        "{refused:?}"
    );
    assert!(
        refused.stderr.contains("hint: put the key there that signs this state's trail: the file that"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn keys_that_are_credentials_are_exchanged_by_whoever_keeps_them() {
    let (bench, _) = signed().await;
    let site = Site::at(bench.dir.path());
    let credentials = bench.dir.path().join("credentials");
    fs::rename(keys(&site), &credentials).unwrap();
    let with = |words: &[&str]| {
        let mut command = site.erasured(words);
        command.env("CREDENTIALS_DIRECTORY", &credentials);
        ran(command)
    };
    let refused = with(&ROTATE);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("hint: --to FILE writes the new key"), "{refused:?}");
    let new = bench.dir.path().join("new-key");
    let words = [&ROTATE[..], &["--to", new.to_str().unwrap()]].concat();
    let rotated = with(&words);
    assert_eq!(rotated.code, 0, "{rotated:?}");
    assert_eq!(with(&words).code, 1, "nothing is written over, and the trail waits for the new key");
    assert!(!keys(&site).exists());
    let start = || site.start(&[("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())]);
    let mut daemon = start();
    assert_eq!(daemon.ended().code(), Some(1));
    assert!(site.log().contains("the trail is signed with another checkpoint key"), "{}", site.log());
    fs::rename(&new, credentials.join("checkpoint-key")).unwrap();
    let mut daemon = start();
    daemon.ready();
    site.json(&["run", "prepare", "--wait"]);
    site.assert_trail_holds();
    daemon.stop();
}

/// What lies below a folder, and the folder itself.
fn all_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(all_below(&entry)) } else { found.push(entry) }
    }
    found
}

/// Gives all of it to a user who is nobody here; false where only root may.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was not tested")]
fn given_away(dir: &Path) -> bool {
    let is_given = all_below(dir).iter().all(|path| chown(path, Some(USER), Some(USER)).is_ok());
    if !is_given {
        eprintln!("SKIPPED: only root gives files away");
    }
    is_given
}

const USER: u32 = 54_321;

fn assert_given_away(dir: &Path) {
    for path in all_below(dir) {
        let found = path.metadata().unwrap();
        assert_eq!((found.uid(), found.gid()), (USER, USER), "{}", path.display());
    }
}

#[tokio::test]
async fn what_root_makes_belongs_to_whom_the_state_belongs() {
    let (bench, _) = signed().await;
    let site = Site::at(bench.dir.path());
    if !given_away(&site.state_dir()) {
        return;
    }
    for name in ["state.db.newest", "state.lock"] {
        fs::remove_file(site.state_dir().join(name)).unwrap();
    }
    assert_eq!(ran(site.erasured(&ROTATE)).code, 0);
    for name in ["state.db.newest", "state.lock", "keys/checkpoint-key"] {
        assert!(site.state_dir().join(name).exists(), "{name}");
    }
    assert_given_away(&site.state_dir());
    // A key for somebody else is theirs.
    let credentials = bench.dir.path().join("credentials");
    fs::rename(keys(&site), &credentials).unwrap();
    let new = credentials.join("new-key");
    let mut command = site.erasured(&ROTATE);
    command.env("CREDENTIALS_DIRECTORY", &credentials).arg("--to").arg(&new);
    assert_eq!(ran(command).code, 0);
    assert_ne!(new.metadata().unwrap().uid(), USER);
}

#[tokio::test]
async fn a_state_that_root_makes_belongs_to_whom_its_folder_belongs() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    fs::create_dir(site.state_dir()).unwrap();
    if !given_away(&site.state_dir()) {
        return;
    }
    site.daemon().stop();
    assert!(checkpoint_key(&site).exists() && site.state_db().exists());
    assert_given_away(&site.state_dir());
}

#[tokio::test]
async fn where_there_is_no_state_no_command_makes_one() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let commands = [&ROTATE[..], &["clock"], &["clock", "--accept"], &["reopen", "app"]];
    let refuses = |words: &[&str], sentence: &str, hint: &str| {
        let refused = ran(site.erasured(words));
        assert_eq!(refused.code, 1, "{words:?}");
        assert!(refused.stderr.contains(sentence), "{words:?}: {refused:?}");
        assert!(refused.stderr.contains(hint), "{words:?}: {refused:?}");
    };
    for words in commands {
        refuses(words, "there is no state in", "hint: give --state-dir the daemon's folder");
        assert!(!site.state_dir().exists(), "{words:?}");
    }
    // Nor in a folder that is there.
    fs::create_dir(site.state_dir()).unwrap();
    for words in commands {
        refuses(words, "there is no state in", "hint: give --state-dir the daemon's folder");
        assert_eq!(all_below(&site.state_dir()).len(), 1, "{words:?}");
    }
    // One that was lost is not a mistyped folder.
    fs::create_dir(keys(&site)).unwrap();
    for words in commands {
        refuses(words, "and no state beside it", "hint: restore state.db from its backup");
        assert_eq!(all_below(&site.state_dir()).len(), 2, "{words:?}");
    }
}

#[tokio::test]
async fn keys_are_made_at_the_first_start_and_only_where_they_may_be() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    let run = || {
        ran({
            let mut command = site.erasured(&["run", "--no-new-keys"]);
            command.arg("--socket").arg(site.socket());
            command
        })
    };
    let refused = run();
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("there are no keys, and none are to be made"), "{refused:?}");
    assert!(!keys(&site).exists() && !site.state_db().exists());
    site.daemon().stop();
    assert!(checkpoint_key(&site).exists());
}
