//! Names stay where they are: nothing of what stands in personal columns is in any byte of the state or of the log, nor are
//! keys that are themselves personal.

use std::path::Path;

use crate::common::Bench;
use crate::process::Site;

/// Everything personal in the source begins like this.
const CANARY: &str = "kanarie";

/// For each way that a record can go there is one: see what is done with them below.
const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, email TEXT UNIQUE, last_contact_on TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT);
    CREATE INDEX orders_customer ON orders (customer_id);
    INSERT INTO customers VALUES
        (1, 'kanarie-deleted', 'kanarie-1@example.org', '2015-01-01'),
        (2, 'kanarie-anonymised', 'kanarie-2@example.org', '2015-01-01'),
        (3, 'kanarie-exchanged', 'kanarie-3@example.org', '2015-01-01'),
        (4, 'kanarie-called', 'kanarie-4@example.org', '2015-01-01'),
        (5, 'kanarie-postponed', 'kanarie-5@example.org', '2015-01-01'),
        (6, 'kanarie-undated', 'kanarie-6@example.org', 'kanarie-day'),
        (7, 'kanarie-guarded', 'kanarie-7@example.org', '2015-01-01'),
        (8, 'kanarie-clashing', 'kanarie-8@example.org', '2015-01-01'),
        (9, 'kanarie-young', 'erased-8@invalid', '2099-01-01');
    INSERT INTO orders VALUES (20, 2, 'kanarie-ship'), (80, 8, 'kanarie-ship');
    CREATE TRIGGER guard BEFORE DELETE ON customers WHEN old.id = 7
        BEGIN SELECT raise(ABORT, 'cannot delete ' || old.last_name); END;";
const CUSTOMER: &str = r#"table = "customers"
    label = "{last_name}"
    identity = ["last_name", "email"]
    triggers = ["guard"]
    [[criterion]]
    name = "inactive"
    since = "last_contact_on"
    period = "3 years"
    [erase.anonymise]
    last_name = "null"
    email = { template = "erased-{key}@invalid" }
    last_contact_on = "null"
    [[dependent]]
    table = "orders"
    column = "customer_id"
    rule = "keep"
    anonymise = { ship_name = "null" }
    "#;

fn holds(bytes: &[u8]) -> bool {
    let found = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle));
    found(CANARY.as_bytes()) || found(&CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
}

fn assert_none_in(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_none_in(&path);
        } else {
            assert!(!holds(&std::fs::read(&path).unwrap()), "there is a name in {}", path.display());
        }
    }
}

#[tokio::test]
async fn no_name_is_in_the_state_the_log_or_the_trail() {
    let bench = Bench::with_sql(SQL).await;
    bench.category("customer", CUSTOMER);
    let site = Site::at(bench.dir.path());
    // Not even for somebody who wants to know everything.
    let mut daemon = site.start(&[("ERASURED_LOG", "trace")]);
    daemon.ready();
    site.json(&["run", "prepare", "--dry-run", "--wait"]);
    site.json(&["run", "prepare", "--wait"]);
    let listed = site.ctl(&["list"]);
    assert!(holds(listed.stdout.as_bytes()), "clerks are shown who it is: {listed:?}");
    site.json(&["show", "customer/2"]);
    site.json(&["postpone", "customer/5", "--until", "2099-01-01", "--reason", "complaint"]);
    site.json(&["confirm", "customer/1", "customer/2", "customer/3", "customer/4", "customer/7", "customer/8"]);
    bench.sql("UPDATE customers SET last_name = 'kanarie-other' WHERE id = 3").await;
    bench.sql("UPDATE customers SET last_contact_on = '2099-01-01' WHERE id = 4").await;
    site.json(&["run", "erase", "--dry-run", "--wait"]);
    let run = site.json(&["run", "erase", "--wait"]);
    let counts = ["deleted", "anonymised", "returned", "withdrawn"].map(|name| run[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 3, 1], "{run}");
    for words in [&["audit", "export"][..], &["audit", "list"], &["runs"], &["status"], &["policy"]] {
        let answer = site.ctl(words);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(!holds(answer.stdout.as_bytes()), "{words:?}: {answer:?}");
    }
    assert_none_in(&site.state_dir());
    daemon.stop();
    assert_none_in(&site.state_dir());
    let log = site.log();
    let names: Vec<&str> = log.lines().filter(|line| holds(line.as_bytes())).collect();
    assert!(names.is_empty(), "there is a name in the log: {names:#?}");
    assert!(log.contains("DEBUG"), "it has told all it can");
    assert!(holds(&std::fs::read(bench.database()).unwrap()), "and it would be found if it were there");
}

/// Their keys are e-mail addresses, and all but the last two are due.
const BY_KEY: &str = "
    CREATE TABLE members (email TEXT PRIMARY KEY NOT NULL, last_name TEXT, left_on TEXT);
    CREATE TABLE fees (id INTEGER PRIMARY KEY, member TEXT REFERENCES members (email), year INTEGER);
    CREATE INDEX fees_member ON fees (member);
    INSERT INTO members VALUES
        ('kanarie-deleted@example.org', 'kanarie-1', '2015-01-01'),
        ('kanarie-shell@example.org', 'kanarie-2', '2015-01-01'),
        ('kanarie-exchanged@example.org', 'kanarie-3', '2015-01-01'),
        ('kanarie-called@example.org', 'kanarie-4', '2015-01-01'),
        ('kanarie-postponed@example.org', 'kanarie-5', '2015-01-01'),
        ('kanarie-held@example.org', 'kanarie-6', '2015-01-01'),
        ('kanarie-guarded@example.org', 'kanarie-7', '2015-01-01'),
        ('kanarie-restored@example.org', 'kanarie-8', '2015-01-01'),
        ('kanarie-denied@example.org', 'kanarie-9', '2015-01-01'),
        ('kanarie-marked@example.org', 'kanarie-10', '2099-01-01'),
        ('kanarie-undated@example.org', 'kanarie-11', 'kanarie-day');
    INSERT INTO fees VALUES (20, 'kanarie-shell@example.org', 2014);
    CREATE TRIGGER guard BEFORE DELETE ON members WHEN old.email LIKE 'kanarie-guarded%'
        BEGIN SELECT raise(ABORT, 'cannot delete ' || old.email); END;";
const MEMBER: &str = r#"table = "members"
    key_is_personal = true
    label = "{last_name}"
    identity = ["last_name"]
    triggers = ["guard"]
    [[criterion]]
    name = "left"
    since = "left_on"
    period = "3 years"
    [erase]
    remove_shells = true
    [erase.anonymise]
    last_name = "null"
    left_on = "null"
    [[dependent]]
    table = "fees"
    column = "member"
    rule = "keep"
    keep = ["id", "year"]
    "#;

fn member(name: &str) -> String {
    format!("member/kanarie-{name}@example.org")
}

/// What people do with records whose keys are personal, in three real runs behind the first.
async fn live_with_personal_keys(bench: &Bench, site: &Site) {
    site.json(&["run", "prepare", "--dry-run", "--wait"]);
    site.json(&["run", "prepare", "--wait"]);
    let listed = site.ctl(&["list", "--limit", "2"]);
    assert!(holds(listed.stdout.as_bytes()), "clerks are shown who it is: {listed:?}");
    let me = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    site.json(&["mark", &member("marked"), "--reason", "request"]);
    site.json(&["hold", &member("held"), "--reason", "lawsuit", "--reference", "3 Cg 17/26"]);
    site.json(&["postpone", &member("postponed"), "--until", "2099-01-01", "--reason", "complaint"]);
    let digest = site.json(&["list", "--category", "member", "--state", "proposed", "--digest"]);
    assert!(!holds(digest["digest"].as_str().unwrap_or_default().as_bytes()), "{digest}");
    let all: Vec<String> =
        ["deleted", "shell", "exchanged", "called", "held", "guarded", "restored", "marked"].map(member).into();
    site.json(&[vec!["confirm".to_owned()], all].concat());
    site.json(&["restore", &member("restored")]);
    for name in ["denied", "called"] {
        let asked = ["--asked-by", "the works council", "--reason", "kin"];
        site.json(&[&["access", "deny", "add", &me, &member(name)][..], &asked].concat());
    }
    assert_eq!(site.ctl(&["confirm", &member("denied")]).code, 5, "denied under its key");
    bench.sql("UPDATE members SET last_name = 'kanarie-other' WHERE email LIKE 'kanarie-exchanged%'").await;
    bench.sql("UPDATE members SET left_on = '2099-01-01' WHERE email LIKE 'kanarie-called%'").await;
    site.json(&["run", "erase", "--dry-run", "--wait"]);
    site.json(&["run", "erase", "--wait"]);
    // What kept the anonymised row goes, and the row after it, found by its sealed key.
    bench.sql("DELETE FROM fees").await;
    site.json(&["release", &member("held"), "--reason", "settled"]);
    site.json(&["run", "erase", "--wait"]);
    // A backup brings one of them back.
    bench.sql("INSERT INTO members VALUES ('kanarie-deleted@example.org', 'kanarie-1', '2015-01-01')").await;
    site.json(&["run", "prepare", "--wait"]);
}

#[tokio::test]
async fn no_personal_key_is_in_the_state_the_log_or_the_trail() {
    let bench = Bench::with_sql(BY_KEY).await;
    bench.category("member", MEMBER);
    let site = Site::at(bench.dir.path());
    let mut daemon = site.start(&[("ERASURED_LOG", "trace")]);
    daemon.ready();
    live_with_personal_keys(&bench, &site).await;
    // Whoever is denied a record is not told the sums of its category; the trail tells them.
    let counts = ["proposed", "deleted", "anonymised", "returned", "withdrawn", "held"];
    let counted = |run: &serde_json::Value| counts.map(|name| run["counts"][name].as_u64().unwrap_or(0));
    let runs: Vec<_> = site.entries("run_finished").iter().map(counted).collect();
    assert_eq!(runs.len(), 6, "two of them dry: {runs:?}");
    assert_eq!([runs[1], runs[3]], [[9, 0, 0, 0, 0, 0], [0, 2, 1, 2, 1, 1]]);
    assert_eq!(runs[4], [0, 2, 0, 0, 0, 0], "the shell, and what was held");
    assert_eq!(runs[5], [1, 0, 0, 0, 0, 0], "what a backup brought back");
    let shown = site.json(&["show", &member("shell")]);
    assert_eq!((&shown["record"], &shown["state"]), (&member("shell").into(), &"erased".into()), "{shown}");
    // Whoever knows the key finds what the trail says of it, under its digest.
    let about = site.ctl(&["audit", "list", "--record", &member("shell"), "--json"]);
    assert!(about.json()["total"].as_u64().unwrap() >= 6 && !holds(about.stdout.as_bytes()), "{about:?}");
    let about = site.json(&["audit", "list", "--record", &member("called")]);
    let named = about["items"][0]["record"].as_str().unwrap().to_owned();
    assert!(named.starts_with("member/#"), "{named}");
    for record in [&member("called"), &named] {
        assert_eq!(site.ctl(&["show", record]).code, 5, "what is withdrawn is denied under its digest, too: {record}");
    }
    for words in [&["audit", "export"][..], &["audit", "list"], &["runs"], &["status"], &["policy"]] {
        let answer = site.ctl(words);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(!holds(answer.stdout.as_bytes()), "{words:?}: {answer:?}");
    }
    site.assert_trail_holds();
    assert_none_in(&site.state_dir());
    daemon.stop();
    assert_none_in(&site.state_dir());
    let log = site.log();
    let keys: Vec<&str> = log.lines().filter(|line| holds(line.as_bytes())).collect();
    assert!(keys.is_empty(), "there is a key in the log: {keys:#?}");
}

#[tokio::test]
async fn keys_that_were_personal_stay_so() {
    let bench = Bench::with_sql(BY_KEY).await;
    let harmless = MEMBER.replace("key_is_personal = true", "");
    bench.category("member", &harmless);
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    site.json(&["confirm", &member("deleted")]);
    site.json(&["run", "erase", "--wait"]);
    bench.category("member", MEMBER);
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    daemon.says("the settings are reloaded");
    // Of what was written before only the trail still has the keys, which are in its chain.
    assert_eq!(site.json(&["show", &member("deleted")])["state"], "erased");
    assert_eq!(site.json(&["show", &member("shell")])["state"], "proposed");
    assert_eq!(site.json(&["audit", "list", "--record", &member("deleted")])["total"], 4);
    site.json(&["confirm", &member("shell")]);
    let rows = "SELECT key FROM proposal UNION SELECT key FROM ledger";
    assert!(site.state().rows(rows).await.iter().all(|key| key.starts_with("'$") || key.starts_with("'#")));
    bench.category("member", &harmless);
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    daemon.says("the settings were not reloaded");
    assert_eq!(site.json(&["show", &member("shell")])["state"], "confirmed");
    daemon.stop();
    let refused = site.refused();
    assert!(refused.stderr.contains("keys of this category were personal before"), "{refused:?}");
    bench.category("member", MEMBER);
    let daemon = site.daemon();
    site.assert_trail_holds();
    daemon.stop();
}

#[tokio::test]
async fn check_says_where_a_personal_key_stays() {
    let bench = Bench::with_sql(BY_KEY).await;
    let codes = async |toml: &str| {
        bench.category("member", toml);
        let findings = bench.check("member").await.findings;
        findings.iter().map(|finding| finding.code).filter(|code| code.starts_with("personal")).collect::<Vec<_>>()
    };
    assert!(codes(MEMBER).await.is_empty());
    assert_eq!(codes(&MEMBER.replace("remove_shells = true", "")).await, ["personal-key-stays"]);
    let copied = MEMBER.replace("last_name = \"null\"", "last_name = { template = \"was {key}\" }");
    assert_eq!(codes(&copied).await, ["personal-key-copied"]);
    assert!(codes(&copied.replace("key_is_personal = true", "")).await.is_empty());
}
