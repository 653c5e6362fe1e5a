//! The daemon's own state: its disk, its folder, its log. A daemon that cannot be sure does not go on.

use std::path::PathBuf;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use sqlx::Connection as _;

use crate::common::Bench;
use crate::disk::{Disk, fill, make_room, make_some_room};
use crate::office::{erased, names, settings, source};
use crate::process::{Answer, Daemon, Site, copied, wait_until};
use crate::source::{assert_mended, confirmed};
use crate::told::{assert_writable, problem, undone, why};

/// Puts the state aside, so that a disk of its own can be put in its place; gives where it is and where it was.
fn put_aside(site: &Site) -> (PathBuf, PathBuf) {
    let aside = site.dir.join("aside");
    std::fs::rename(site.state_dir(), &aside).unwrap();
    (aside, site.state_dir())
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

/// A run that has begun and waits for the application's lock: what goes wrong now goes wrong in the middle of a batch.
async fn in_the_middle(bench: &Bench, site: &Site, wrong: impl AsyncFnOnce()) -> Daemon {
    settings(bench, &source("lock_wait = \"60 s\""));
    let daemon = site.daemon();
    daemon.says("the state is whole");
    let mut application = bench.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut application).await.unwrap();
    site.json(&["run", "erase"]);
    wait_until("it waits for the lock", || site.runs()[1]["state"] == "running");
    wrong().await;
    sqlx::raw_sql("ROLLBACK").execute(&mut application).await.unwrap();
    application.close().await.unwrap();
    daemon
}

#[tokio::test]
async fn a_full_disk_of_the_state_ends_the_daemon_before_anything_is_erased() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let (aside, place) = put_aside(&site);
    let Some(disk) = Disk::mounted(&place, "size=2m") else { return };
    copy(&aside, &place);
    let before = bench.dump().await;
    let mut daemon = in_the_middle(&bench, &site, async || fill(&place)).await;
    assert_eq!(daemon.ended().code(), Some(1));
    let log = site.log();
    assert!(log.contains("the disk is full"), "{log}");
    assert_eq!(bench.dump().await, before, "nothing is erased that is not on record");
    assert_writable(&bench).await;
    // It cannot write that it has started either, and says why.
    let refused = site.refused();
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("the disk is full") && refused.stderr.contains("hint: make room"), "{refused:?}");
    make_room(&place);
    let daemon = site.daemon();
    let runs = site.idle();
    assert_eq!(erased(runs.last().unwrap()), [7, 2, 0, 0, 0], "the run that was cut short is done by itself: {runs:?}");
    assert_eq!(site.erased().len(), 9);
    site.assert_trail_holds();
    daemon.stop();
    drop(disk);
}

/// What could not be written was not done, and as soon as there is room the same daemon does it.
#[tokio::test]
async fn a_daemon_whose_disk_was_full_for_a_while_goes_on() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let (aside, place) = put_aside(&site);
    let Some(disk) = Disk::mounted(&place, "size=2m") else { return };
    copy(&aside, &place);
    let daemon = site.daemon();
    fill(&place);
    let words = ["restore", "customer/1"];
    // What room there is in the log's last page may do for one.
    wait_until("there is no room for it", || {
        site.ctl(&["confirm", "customer/1"]);
        site.ctl(&words).code != 0 && site.ctl(&["confirm", "customer/1"]).code != 0
    });
    assert!(site.log().contains("the disk is full"), "{}", site.log());
    make_room(&place);
    if site.ctl(&["show", "customer/1", "--json"]).json()["state"] == "proposed" {
        site.json(&["confirm", "customer/1"]);
    }
    assert_mended(&site);
    daemon.stop();
    drop(disk);
}

#[tokio::test]
async fn a_state_that_cannot_be_written_is_refused() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let (aside, place) = put_aside(&site);
    let Some(disk) = Disk::mounted(&place, "size=2m") else { return };
    copy(&aside, &place);
    disk.again("ro");
    let refused = site.refused();
    assert_eq!(refused.code, 1, "{refused:?}");
    let told: Vec<&str> = refused.stderr.lines().collect();
    assert_eq!(told.len(), 2, "a sentence and a hint: {refused:?}");
    assert!(told[1].starts_with("hint: "), "{refused:?}");
    disk.again("rw");
    let daemon = site.daemon();
    assert_mended(&site);
    daemon.stop();
}

/// However little room there is: a key that the state has not taken is nowhere, and one that it has taken is in its place.
#[tokio::test]
async fn a_key_is_exchanged_whole_or_not_at_all_where_the_disk_is_full() {
    for are_credentials in [false, true] {
        let bench = confirmed().await;
        let site = Site::at(bench.dir.path());
        let (aside, place) = put_aside(&site);
        let Some(disk) = Disk::mounted(&place, "size=2m") else { return };
        copy(&aside, &place);
        let (keys, credentials) = (place.join("keys"), bench.dir.path().join("credentials"));
        let new = bench.dir.path().join("new-key");
        let mut words = vec!["rotate", "fingerprint-key"];
        if are_credentials {
            copy(&keys, &credentials);
            std::fs::remove_dir_all(&keys).unwrap();
            words.extend(["--to", new.to_str().unwrap()]);
        }
        let rotate = || {
            let mut command = site.erasured(&words);
            if are_credentials {
                command.env("CREDENTIALS_DIRECTORY", &credentials);
            }
            Answer::of(&mut command)
        };
        fill(&place);
        let mut refused = 0;
        let told = loop {
            let answer = rotate();
            if answer.code == 0 {
                break answer;
            }
            refused += 1;
            assert!(refused < 100 && answer.stderr.contains("\nhint: make room"), "{answer:?}");
            assert!(!new.exists() && !keys.join("fingerprint-key.next").exists(), "{answer:?}");
            make_some_room(&place, 4096);
        };
        assert!(refused > 1 && told.stderr.is_empty(), "{refused}: {told:?}");
        make_room(&place);
        if are_credentials {
            std::fs::rename(&new, credentials.join("fingerprint-key")).unwrap();
            copy(&credentials, &{
                std::fs::create_dir(&keys).unwrap();
                keys
            });
        }
        let daemon = site.daemon();
        assert_mended(&site);
        daemon.stop();
        drop(disk);
    }
}

#[tokio::test]
async fn a_state_that_is_taken_away_ends_the_daemon() {
    for is_replaced in [false, true] {
        let bench = confirmed().await;
        let site = Site::at(bench.dir.path());
        let (place, aside) = (site.state_dir(), bench.dir.path().join("aside"));
        let before = bench.dump().await;
        let mut daemon = in_the_middle(&bench, &site, async || {
            if is_replaced {
                std::fs::create_dir(&aside).unwrap();
                copy(&place, &aside);
                // At once: in between it would have been removed.
                renameat2(AT_FDCWD, &place, AT_FDCWD, &aside, RenameFlags::RENAME_EXCHANGE).unwrap();
            } else {
                std::fs::rename(&place, &aside).unwrap();
            }
        })
        .await;
        assert_eq!(daemon.ended().code(), Some(1));
        let log = site.log();
        let sentence = if is_replaced { "was replaced by another file" } else { "was removed while it was open" };
        assert!(log.contains(sentence) && log.contains("hint: what is there now"), "{log}");
        assert_eq!(bench.dump().await, before, "nothing is erased that is on no record");
        assert_writable(&bench).await;
        if !is_replaced {
            std::fs::rename(&aside, &place).unwrap();
        }
        let daemon = site.daemon();
        site.idle();
        assert_eq!(names(&bench).await.len(), 0);
        assert_eq!(site.erased().len(), 9, "each once");
        daemon.stop();
    }
}

/// Without what was written last the state is an older one: that is refused, and the marker tells as well.
#[tokio::test]
async fn a_log_that_is_lost_or_garbled_closes_the_source() {
    for is_lost in [true, false] {
        let bench = confirmed().await;
        let site = Site::at(bench.dir.path());
        let daemon = site.daemon();
        assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [7, 2, 0, 0, 0]);
        daemon.kill();
        let log = site.state_dir().join("state.db-wal");
        let bytes = std::fs::read(&log).unwrap();
        assert!(bytes.len() > 4096, "all of the run is in it");
        if is_lost {
            std::fs::remove_file(&log).unwrap();
        } else {
            std::fs::write(&log, vec![0x5a; bytes.len()]).unwrap();
        }
        let before = bench.dump().await;
        site.take_older_state();
        let daemon = site.daemon();
        assert!(problem(&site).as_str().unwrap().contains("restored from elsewhere"), "{}", problem(&site));
        let (_, run) = undone(&site, "erase", "partly");
        assert!(why(&run).contains("closed until an operator decides"), "{run}");
        assert_eq!(bench.dump().await, before);
        assert_writable(&bench).await;
        daemon.stop();
    }
}

/// A hold that was set after the copy is in no batch and in no marker: what lies beside the state tells.
#[tokio::test]
async fn an_older_copy_of_the_state_is_refused_though_no_batch_lies_between() {
    let bench = confirmed().await;
    let site = Site::at(bench.dir.path());
    let whole = copied(&bench);
    let daemon = site.daemon();
    site.json(&["hold", "customer/2", "--reason", "lawsuit", "--reference", "3 Cg 17/26"]);
    daemon.kill();
    let before = bench.dump().await;
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(site.state_dir().join(format!("state.db{suffix}"))).unwrap();
    }
    std::fs::copy(Site::at(whole.dir.path()).state_db(), site.state_db()).unwrap();
    let reopened = Answer::of(&mut site.erasured(&["reopen", "app"]));
    assert!(reopened.code == 1 && reopened.stderr.contains("is an older copy"), "{reopened:?}");
    site.take_older_state();
    let daemon = site.daemon();
    assert_eq!(site.json(&["holds"])["total"], 0, "which is what the sentence says");
    daemon.stop();
    assert_eq!(bench.dump().await, before);
    // The whole folder from one moment agrees with itself.
    Site::at(whole.dir.path()).daemon().stop();
    // Without the state, what lies beside it is enough to know that there was one, wherever the keys are.
    std::fs::remove_file(site.state_db()).unwrap();
    std::fs::remove_dir_all(site.state_dir().join("keys")).unwrap();
    let refused = site.refused();
    assert!(refused.stderr.contains("state.db.newest and no state beside it"), "{refused:?}");
    assert!(!site.state_db().exists() && !site.state_dir().join("keys.new").exists(), "nothing is made anew");
}
