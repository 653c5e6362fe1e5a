//! `erasurectl` against a live daemon: its exit codes, and the trail that an auditor takes home.

use nix::sys::signal::Signal;

use crate::office::{office, settings, source};
use crate::process::Site;

/// Leave for somebody who is on every machine and never runs tests: nobody else has any.
const FOR_NOBODY: &str = "[[grant]]\nusers = [\"nobody\"]\npermissions = [\"view\"]\n";

#[tokio::test]
async fn every_exit_code_means_one_thing() {
    let bench = office(3).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    for (code, words) in [
        (0, "status"),
        (0, "confirm customer/1"),
        (1, "postpone customer/2 --until 2020-01-01 --reason sorry"),
        (2, "postpone customer/2 --until 2099-01-01"),
        (2, "obliterate customer/2"),
        (2, "show 2"),
        (5, "show customer/999"),
        (5, "confirm customer/999"),
        (5, "confirm visitor/1"),
        (5, "runs show 999"),
        (6, "confirm customer/1"),
        (6, "restore customer/2"),
        (6, "confirm customer/2@7"),
    ] {
        let answer = site.ctl(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(answer.code, code, "{words}: {answer:?}");
        assert_eq!(answer.stderr.is_empty(), code == 0, "{words}: {answer:?}");
    }
    settings(&bench, &format!("{FOR_NOBODY}{}", source("")));
    daemon.signal(Signal::SIGHUP);
    daemon.says("the settings are reloaded");
    for words in ["status", "list", "confirm customer/2", "run erase", "audit export", "policy"] {
        let refused = site.ctl(&words.split(' ').collect::<Vec<_>>());
        assert_eq!((refused.code, refused.stdout.as_str()), (4, ""), "{words}: {refused:?}");
    }
    daemon.stop();
    let unreachable = site.ctl(&["status"]);
    assert_eq!((unreachable.code, unreachable.stdout.as_str()), (3, ""), "{unreachable:?}");
}

#[tokio::test]
async fn an_export_is_verified_without_the_daemon() {
    let bench = office(3).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.confirm_all();
    site.json(&["run", "erase", "--wait"]);
    let kept = |name: &str, words: &[&str]| {
        let path = bench.dir.path().join(name);
        std::fs::write(&path, site.ctl(words).stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let file = kept("trail", &["audit", "export"]);
    let checkpoints = kept("checkpoints", &["audit", "checkpoints"]);
    let key = kept("key", &["audit", "checkpoints", "--public-key"]);
    daemon.stop();
    let words = ["audit", "verify", "--file", &file, "--checkpoints", &checkpoints, "--public-key", &key];
    let whole = site.ctl(&words);
    assert_eq!(whole.code, 0, "{whole:?}");
    let trail = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, trail.replace("customer", "member")).unwrap();
    let changed = site.ctl(&words);
    assert_eq!(changed.code, 1, "{changed:?}");
}
