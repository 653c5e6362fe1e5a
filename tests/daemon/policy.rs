//! Rules that are changed while the daemon runs: they survive a restart and a reload, and `plan` and `check` know of them.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::office::{CUSTOMER, office};
use crate::process::{Answer, Site};

const PERIOD: &str = "customer.inactive.period";

fn rule(site: &Site, name: &str) -> Value {
    let policy = site.json(&["policy", "list"]);
    policy["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == name).cloned().unwrap()
}

#[tokio::test]
async fn a_changed_rule_survives_a_restart_and_a_reload_and_is_known_without_the_daemon() {
    let bench = office(3).await;
    let site = Site::at(bench.dir.path());
    let mut daemon = site.daemon();
    assert_eq!(site.json(&["policy", "set", PERIOD, "50 years"])["outcome"], "holds");
    assert_eq!(site.json(&["policy", "set", "user.unseen.period", "6 months"])["outcome"], "waits");
    let same = site.ctl(&["policy", "approve", "user.unseen.period"]);
    assert_eq!(same.code, 6, "{same:?}");
    assert!(same.stderr.contains("a second person has to approve it"), "{same:?}");
    let run = site.json(&["run", "prepare", "--wait"]);
    assert_eq!(run["proposed"], 3, "users alone: {run}");

    // A reload takes the files, and what was changed stays over them.
    bench.category("customer", &CUSTOMER.replace("3 years", "4 years"));
    daemon.signal(Signal::SIGHUP);
    daemon.ready();
    let of = rule(&site, PERIOD);
    assert_eq!((&of["value"], &of["file"]), (&"50 years".into(), &"4 years".into()));
    daemon.kill();

    // Without the daemon: where a value comes from, and what would be done by it.
    let plan = Answer::of(&mut site.erasured(&["plan"]));
    assert!(plan.stderr.contains("customer.inactive.period is 50 years, set by "), "{plan:?}");
    assert!(!plan.stdout.contains("customer/"), "{plan:?}");
    let check = Answer::of(&mut site.erasured(&["check"]));
    assert!(check.stderr.contains("1 rule that was changed while the daemon ran is in force"), "{check:?}");

    let mut daemon = site.daemon();
    let of = rule(&site, PERIOD);
    assert_eq!((&of["value"], &of["set"]["aside"]), (&"50 years".into(), &Value::Null));
    assert_eq!(rule(&site, "user.unseen.period")["waiting"]["value"], "6 months");
    assert_eq!(site.json(&["run", "prepare", "--wait"])["proposed"], 0);

    // The criterion goes by another name: said in the log, by `policy` and by `check`, and the daemon goes on.
    bench.category("customer", &CUSTOMER.replace("inactive", "silent"));
    daemon.signal(Signal::SIGHUP);
    daemon.ready();
    daemon.says("a change made while running is set aside");
    let check = Answer::of(&mut site.erasured(&["check"]));
    assert!(check.stderr.contains("and the file holds: customer has no criterion \"inactive\""), "{check:?}");
    assert_eq!(site.json(&["run", "prepare", "--wait"])["proposed"], 3, "customers, as their file says");
    site.assert_trail_holds();
    daemon.stop();
}
