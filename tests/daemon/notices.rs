//! What somebody outside is told, and what not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::common::Bench;
use crate::office::{CUSTOMER, office, settings, source};
use crate::process::{Site, wait_until};

/// An office whose notices go to a script with these lines.
async fn noticing(customers: usize, script: &str) -> Bench {
    let bench = office(customers).await;
    let path = bench.dir.path().join("notice");
    let dir = bench.dir.path().display();
    fs::write(&path, format!("#!/bin/sh\ncd '{dir}'\n{script}\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let notice = format!("[notice]\ncommand = [\"{}\", \"an argument\"]", path.display());
    settings(&bench, &format!("{}{notice}", source("")));
    bench
}

/// Keeps every message as a line.
const KEEP: &str = "cat >>messages";

fn messages(dir: &Path) -> Vec<Value> {
    let kept = fs::read_to_string(dir.join("messages")).unwrap_or_default();
    kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn told(dir: &Path, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    wait_until("somebody is told", || {
        found = messages(dir);
        found.len() >= count
    });
    assert_eq!(found.len(), count, "{found:?}");
    found
}

#[tokio::test]
async fn new_proposals_are_told_once_and_without_a_name() {
    let bench = noticing(5, KEEP).await;
    let (site, dir) = (Site::at(bench.dir.path()), bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let first = &told(dir, 1)[0];
    assert_eq!(first["subject"], "erasured: 8 new proposals");
    assert_eq!(first["newly_proposed"], serde_json::json!({ "customer": 5, "user": 3 }));
    assert_eq!((&first["severity"], &first["waiting"]), (&"info".into(), &8.into()));
    let text = first["text"].as_str().unwrap();
    assert!(text.starts_with("newly proposed: 5 of customer\nnewly proposed: 3 of user\nwaiting for a decision: 8,"));
    daemon.says("somebody was told how things stand");
    // Nothing is new.
    site.json(&["run", "prepare", "--wait"]);
    daemon.stop();
    let daemon = site.daemon();
    bench.sql("INSERT INTO customers VALUES (9, 'Name 9', NULL, '2015-01-01')").await;
    site.json(&["run", "prepare", "--wait"]);
    let all = told(dir, 2);
    assert_eq!(all[1]["subject"], "erasured: one new proposal");
    let kept = fs::read_to_string(dir.join("messages")).unwrap();
    assert!(!kept.contains("Name") && !kept.contains("anna"), "{kept}");
    wait_until("it is on record", || site.entries("notice_given").len() == 2);
    site.assert_trail_holds();
    daemon.stop();
}

#[tokio::test]
async fn a_brake_that_has_closed_is_told() {
    let bench = noticing(150, KEEP).await;
    bench.category("customer", &CUSTOMER.replace("brake.share = \"100 %\"", ""));
    let (site, dir) = (Site::at(bench.dir.path()), bench.dir.path());
    let daemon = site.daemon();
    site.ctl(&["run", "prepare", "--wait"]);
    let first = &told(dir, 1)[0];
    let codes: Vec<&str> =
        first["complaints"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!((&first["severity"], codes), (&"warning".into(), vec!["brake-closed", "run-partly"]));
    assert!(first["subject"].as_str().unwrap().starts_with("erasured: warning: the brake has stopped customer; run 1"));
    daemon.stop();
}

#[tokio::test]
async fn the_command_gets_nothing_of_the_daemons() {
    let bench = noticing(1, "env >environment; ls -l /proc/self/fd >open; echo \"$1\" >given; cat >>messages").await;
    let (site, dir) = (Site::at(bench.dir.path()), bench.dir.path());
    let mut daemon = site.start(&[("SECRET", "of the daemon")]);
    daemon.ready();
    site.json(&["run", "prepare", "--wait"]);
    told(dir, 1);
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(read("given"), "an argument\n");
    let environment = read("environment");
    assert!(environment.contains("PATH=") && !environment.contains("SECRET"), "{environment}");
    assert!(!environment.contains("NOTIFY_SOCKET"), "{environment}");
    let open = read("open");
    assert!(!open.contains("state") && !open.contains("app.db") && !open.contains("socket:"), "{open}");
    daemon.stop();
}

#[tokio::test]
async fn what_could_not_be_told_is_told_later() {
    let bench = noticing(1, "echo 'the post office is closed' >&2; exit 3").await;
    let (site, dir) = (Site::at(bench.dir.path()), bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    daemon.says("nobody could be told how things stand");
    assert!(site.log().contains("ended with exit status: 3: the post office is closed"), "{}", site.log());
    assert_eq!(site.entries("notice_given").len(), 0);
    daemon.stop();
    fs::write(dir.join("notice"), format!("#!/bin/sh\ncat >>'{}/messages'\n", dir.display())).unwrap();
    let daemon = site.daemon();
    assert_eq!(told(dir, 1)[0]["newly_proposed"]["customer"], 1);
    daemon.stop();
}

#[tokio::test]
async fn what_a_command_leaves_behind_holds_nobody_up() {
    // It says more than a pipe takes, and what it leaves in a session of its own holds its standard error.
    let script = "setsid sleep 600 & echo $! >started; head -c 300000 /dev/zero | tr '\\0' x >&2; exit 4";
    let bench = noticing(1, script).await;
    let (site, dir) = (Site::at(bench.dir.path()), bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    daemon.says("nobody could be told how things stand");
    assert!(site.log().contains("ended with exit status: 4: xxx"), "{}", site.log());
    daemon.stop();
    let left = fs::read_to_string(dir.join("started")).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(left), Signal::SIGKILL).unwrap();
}

/// Whether a process of this number is there, and not only waiting to be looked after.
fn is_alive(id: &str) -> bool {
    let status = fs::read_to_string(PathBuf::from(format!("/proc/{}/status", id.trim())));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[tokio::test]
async fn a_command_that_does_not_end_holds_nobody_up() {
    let bench = noticing(1, "sleep 600 & echo $! >started; wait").await;
    let (site, dir) = (Site::at(bench.dir.path()), bench.dir.path());
    let mut daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    let started = || fs::read_to_string(dir.join("started")).unwrap_or_default();
    wait_until("the command runs", || started().ends_with('\n'));
    // Others are served meanwhile.
    site.json(&["confirm", "customer/1"]);
    site.json(&["run", "erase", "--wait"]);
    assert!(is_alive(&started()));
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ended().code(), Some(0));
    wait_until("what the command has started is ended with it", || !is_alive(&started()));
}
