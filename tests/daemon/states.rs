//! States that earlier versions have left: they open for ever.
//!
//! Each folder of `tests/states` is what a daemon of that version of the state has left behind, its keys and the application's
//! database included. Whoever adds a migration keeps a state of the version before, while that is still what the program makes:
//! `cargo test --test daemon -- --ignored keep_a_state`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::Bench;
use crate::office::{office, settings, source};
use crate::process::{Answer, Site, aside};

fn kept() -> Vec<(u32, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/states");
    let mut kept: Vec<(u32, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().parse().unwrap(), path))
        .collect();
    kept.sort();
    kept
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn version(state: &Bench) -> u32 {
    state.rows("SELECT max(version) FROM _sqlx_migrations").await[0].parse().unwrap()
}

#[tokio::test]
async fn every_state_that_was_kept_opens_and_goes_on() {
    let kept = kept();
    for (number, folder) in &kept {
        let dir = tempfile::tempdir().unwrap();
        copy(folder, dir.path());
        let site = Site::at(dir.path());
        assert_eq!(version(&site.state()).await, *number, "{}", folder.display());
        // However long it has been there.
        let clock = Answer::of(&mut site.erasured(&["clock", "--accept"]));
        assert_eq!(clock.code, 0, "{clock:?}");
        let daemon = site.daemon();
        site.idle();
        site.assert_trail_holds();
        let listed = site.json(&["list"]);
        let mut standing: Vec<String> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| format!("{} {}", item["record"].as_str().unwrap(), item["state"].as_str().unwrap()))
            .collect();
        standing.sort();
        let before = [
            "customer/2 proposed",
            "customer/3 confirmed",
            "customer/4 postponed",
            "customer/5 confirmed",
            "customer/6 proposed",
            "user/anna proposed",
            "user/berta proposed",
        ];
        assert_eq!(standing, before);
        assert_eq!(site.erased().len(), 2, "{:?}", site.erased());
        // One of the confirmed is held.
        assert_eq!(site.json(&["holds"])["items"][0]["record"], "customer/3");
        let run = site.json(&["run", "erase", "--wait"]);
        assert_eq!((&run["state"], &run["deleted"], &run["held"]), (&"done".into(), &1.into(), &1.into()), "{run}");
        site.json(&["run", "prepare", "--wait"]);
        site.assert_trail_holds();
        daemon.stop();
    }
    // The newest one is what is made today.
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    site.daemon().stop();
    assert_eq!(Some(version(&site.state()).await), kept.last().map(|(number, _)| *number), "keep a state of it");
}

#[tokio::test]
async fn a_state_of_a_later_version_is_refused_and_left_as_it_is() {
    let (_, folder) = kept().pop().unwrap();
    let dir = tempfile::tempdir().unwrap();
    copy(&folder, dir.path());
    let site = Site::at(dir.path());
    let later = aside(&site.state_db());
    later
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
              VALUES (99, 'later', 1, x'00', 0)",
        )
        .await;
    fs::copy(later.database(), site.state_db()).unwrap();
    let before = fs::read(site.state_db()).unwrap();
    let refused = site.refused();
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("is of version 99"), "{refused:?}");
    assert!(fs::read(site.state_db()).unwrap() == before);
}

/// Makes a state of this version to be kept, with something of everything in it.
#[tokio::test]
#[ignore = "it writes into tests/states"]
async fn keep_a_state() {
    let bench = office(6).await;
    settings(&bench, &source("[holds]\nrelease_needs_two = true"));
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    for words in [
        &["policy", "set", "customer.inactive.period", "4 years"][..],
        &["run", "prepare", "--wait"],
        &["confirm", "customer/1", "user/clara"],
        &["run", "erase", "--wait"],
        &["confirm", "customer/3", "customer/5"],
        &["hold", "customer/3", "--reason", "lawsuit", "--reference", "3 Cg 17/26"],
        &["restore", "customer/5"],
        &["confirm", "customer/5"],
        &["postpone", "customer/4", "--until", "2999-01-01", "--reason", "complaint"],
    ] {
        let answer = site.ctl(words);
        assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
    }
    daemon.stop();
    assert_eq!(Answer::of(&mut site.erasured(&["rotate", "checkpoint-key"])).code, 0);
    // It moves what is in the log to the file.
    site.daemon().stop();
    let number = version(&site.state()).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/states/{number}"));
    for part in ["app.db", "erasured.toml", "categories/customer.toml", "categories/user.toml", "state/state.db"]
        .into_iter()
        .chain(["state/state.db.newest", "state/keys/fingerprint-key", "state/keys/checkpoint-key"])
    {
        let target = folder.join(part);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(bench.dir.path().join(part), target).unwrap();
    }
}
