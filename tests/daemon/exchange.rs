//! Another fingerprint key: everybody is known as before, those who are gone included, and nobody by the key before.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use erasured::record::unhex;

use crate::common::Bench;
use crate::office::{erased, names, office};
use crate::process::{Answer, Site};

const ROTATE: [&str; 2] = ["rotate", "fingerprint-key"];
const TOLD: &str = "fingerprints are taken with another key from now on: ";

fn key(site: &Site) -> PathBuf {
    site.state_dir().join("keys/fingerprint-key")
}

fn ran(mut command: Command) -> Answer {
    Answer::of(&mut command)
}

fn rotate(site: &Site) -> String {
    let rotated = ran(site.erasured(&ROTATE));
    assert_eq!((rotated.code, rotated.stderr.as_str()), (0, ""), "{rotated:?}");
    rotated.stdout.trim().strip_prefix(TOLD).unwrap().to_owned()
}

/// Customers 1 to 6 and three users are due: 1 is deleted and 3 anonymised, 2, 4 and 5 are confirmed, 4 is held. The daemon is
/// gone again.
async fn decided() -> Bench {
    let bench = office(6).await;
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    site.json(&["confirm", "customer/1", "customer/3"]);
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [1, 1, 0, 0, 0]);
    site.json(&["confirm", "customer/2", "customer/4", "customer/5"]);
    site.json(&["hold", "customer/4", "--reason", "lawsuit", "--reference", "3 Cg 17/26"]);
    daemon.stop();
    bench
}

/// What was taken of persons, in the order of the rows that hold it.
async fn fingerprints(site: &Site) -> Vec<[u8; 32]> {
    let taken = "SELECT fingerprint FROM proposal UNION ALL SELECT fingerprint FROM hold \
                 UNION ALL SELECT before FROM ledger UNION ALL SELECT after FROM ledger WHERE after IS NOT NULL";
    let rows = site.state().rows(taken).await;
    rows.iter().map(|row| unhex(row.trim_matches(['x', '\''])).unwrap()).collect()
}

/// Whether one of the state's files holds these bytes.
fn is_in_state(site: &Site, wanted: &[u8; 32]) -> bool {
    let files =
        fs::read_dir(site.state_dir()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| fs::read(path).unwrap()).any(|file| file.windows(wanted.len()).any(|bytes| bytes == wanted))
}

#[tokio::test]
async fn everybody_is_known_under_the_new_key_and_nobody_under_the_one_before() {
    let bench = decided().await;
    let site = Site::at(bench.dir.path());
    let (before, secret) = (fingerprints(&site).await, fs::read_to_string(key(&site)).unwrap());
    assert!(before.iter().all(|digest| is_in_state(&site, digest)));
    let (first, second) = (rotate(&site), rotate(&site));
    assert_ne!(first, second);
    let now = fs::read_to_string(key(&site)).unwrap();
    assert!(now.starts_with(&secret) && now.lines().count() == 3, "the secrets before are under the new ones");
    let after = fingerprints(&site).await;
    assert_eq!(after.len(), before.len());
    for digest in &before {
        assert!(!after.contains(digest) && !is_in_state(&site, digest), "a digest of before is still there");
    }
    // One is back, and under the key of another there is somebody else by now.
    bench.sql("INSERT INTO customers VALUES (1, 'Name 1', 'mail-1@example.org', '2015-01-01')").await;
    bench.sql("UPDATE customers SET last_name = 'Another' WHERE id = 5").await;
    let daemon = site.daemon();
    let told = site.entries("fingerprint_key_changed");
    assert_eq!((told.len(), &told[0]["to"], &told[1]["to"]), (2, &first.clone().into(), &second.into()));
    assert_eq!(told[1]["from"], first);
    let run = site.json(&["run", "prepare", "--wait"]);
    // Who was anonymised is not proposed anew.
    assert_eq!((&run["proposed"], &run["came_back"]), (&1.into(), &1.into()), "{run}");
    let run = site.json(&["run", "erase", "--wait"]);
    assert_eq!((&run["deleted"], &run["held"], &run["returned"]), (&1.into(), &1.into(), &1.into()), "{run}");
    assert_eq!(names(&bench).await, ["'Name 1'", "'Name 4'", "'Another'", "'Name 6'"]);
    site.assert_trail_holds();
    daemon.stop();
}

#[tokio::test]
async fn an_exchange_that_was_cut_short_is_finished_or_forgotten() {
    let bench = decided().await;
    let site = Site::at(bench.dir.path());
    let (place, next) = (key(&site), site.state_dir().join("keys/fingerprint-key.next"));
    let old = fs::read_to_string(&place).unwrap();
    // Before the state had taken it.
    fs::write(&next, format!("{old}{}\n", "cd".repeat(32))).unwrap();
    site.daemon().stop();
    assert_eq!(fs::read_to_string(&place).unwrap(), old);
    rotate(&site);
    let new = fs::read_to_string(&place).unwrap();
    assert!(new.starts_with(&old) && !new.contains(&"cd".repeat(32)) && !next.exists());
    // After the state had taken it, and before the file was in its place.
    fs::rename(&place, &next).unwrap();
    fs::write(&place, &old).unwrap();
    let looked = ran(site.erasured(&["plan"]));
    assert_eq!((looked.code, next.exists()), (0, true), "{looked:?}");
    let daemon = site.daemon();
    let run = site.json(&["run", "erase", "--wait"]);
    assert_eq!((&run["deleted"], &run["held"]), (&2.into(), &1.into()), "{run}");
    daemon.stop();
    assert!(fs::read_to_string(&place).unwrap() == new && !next.exists());
    // The one before compares nobody any more.
    fs::write(&place, &old).unwrap();
    let refused = site.refused();
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("the state's fingerprints were taken with the key"), "{refused:?}");
    assert!(
        refused.stderr.contains("hint: restore the key of this state, from a backup as new as the state; after"),
        "{refused:?}"
    );
    // What a full disk has left of a new one says nothing about it.
    fs::write(&next, "").unwrap();
    assert_eq!(site.refused().stderr, refused.stderr);
    fs::remove_file(&next).unwrap();
    // A link stays what it is.
    let elsewhere = bench.dir.path().join("elsewhere");
    fs::write(&elsewhere, &new).unwrap();
    fs::remove_file(&place).unwrap();
    symlink(&elsewhere, &place).unwrap();
    let refused = ran(site.erasured(&ROTATE));
    assert!(refused.code == 1 && refused.stderr.contains("fingerprint-key is a link to a key"), "{refused:?}");
    assert!(place.is_symlink() && fs::read_to_string(&elsewhere).unwrap() == new);
    site.daemon().stop();
}

#[tokio::test]
async fn a_state_from_before_an_exchange_opens_with_the_lines_that_the_key_had() {
    let bench = decided().await;
    let site = Site::at(bench.dir.path());
    let before = ["state.db", "state.db.newest"].map(|name| site.state_dir().join(name));
    let kept = before.each_ref().map(|path| fs::read(path).unwrap());
    let old = fs::read_to_string(key(&site)).unwrap();
    rotate(&site);
    rotate(&site);
    for (path, bytes) in before.iter().zip(kept) {
        fs::write(path, bytes).unwrap();
    }
    let refused = site.refused();
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("was exchanged since this state was written"), "{refused:?}");
    assert!(refused.stderr.contains("exchanges since then: 2\nhint: restore the newest state"), "{refused:?}");
    let lines = fs::read_to_string(key(&site)).unwrap();
    assert!(lines.lines().next() == old.lines().next() && lines.lines().count() == 3);
    fs::write(key(&site), lines.lines().next().unwrap()).unwrap();
    site.daemon().stop();
}

#[tokio::test]
async fn a_state_that_knows_nobody_yet_holds_to_its_key_as_well() {
    let bench = office(1).await;
    let site = Site::at(bench.dir.path());
    site.daemon().stop();
    let old = fs::read(key(&site)).unwrap();
    rotate(&site);
    fs::write(key(&site), old).unwrap();
    let refused = site.refused();
    assert!(refused.stderr.contains("the state's fingerprints were taken with the key"), "{refused:?}");
}

#[tokio::test]
async fn records_whose_keys_are_personal_are_found_as_before() {
    let bench = office(1).await;
    let personal = "table = \"users\"\nlabel = \"{login}\"\nidentity = [\"login\"]\nkey_is_personal = true\nbrake.share = \"100 %\"\n\
                    [[criterion]]\nname = \"unseen\"\nsince = \"last_seen_on\"\nperiod = \"1 year\"\n\
                    [erase.anonymise]\nlast_seen_on = \"null\"\n";
    bench.category("user", personal);
    let site = Site::at(bench.dir.path());
    let daemon = site.daemon();
    site.json(&["run", "prepare", "--wait"]);
    site.json(&["confirm", "user/anna"]);
    daemon.stop();
    let rotated = ran(site.erasured(&ROTATE));
    assert!(rotated.stdout.ends_with("what stands for personal keys stays under the first secret\n"), "{rotated:?}");
    let daemon = site.daemon();
    assert_eq!(erased(&site.json(&["run", "erase", "--wait"])), [1, 0, 0, 0, 0]);
    let told = site.json(&["audit", "list", "--record", "user/anna"]);
    let kinds: Vec<_> = told["items"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| ["proposed", "erased"].contains(kind)).count(), 2, "{kinds:?}");
    assert_eq!(bench.rows("SELECT login FROM users ORDER BY 1").await, ["'berta'", "'clara'"]);
    daemon.stop();
}

#[tokio::test]
async fn a_key_that_is_a_credential_is_exchanged_by_whoever_keeps_it() {
    let bench = decided().await;
    let site = Site::at(bench.dir.path());
    let credentials = bench.dir.path().join("credentials");
    fs::rename(site.state_dir().join("keys"), &credentials).unwrap();
    let new = bench.dir.path().join("new-key");
    let with = |words: &[&str]| {
        let mut command = site.erasured(words);
        command.env("CREDENTIALS_DIRECTORY", &credentials);
        ran(command)
    };
    assert!(with(&ROTATE).stderr.contains("hint: --to FILE writes the new key"));
    let rotated = with(&[&ROTATE[..], &["--to", new.to_str().unwrap()]].concat());
    assert_eq!(rotated.code, 0, "{rotated:?}");
    let again = with(&[&ROTATE[..], &["--to", new.to_str().unwrap()]].concat());
    assert!(again.code == 1 && again.stderr.contains("hint: restore the key of this state"), "{again:?}");
    let start = || site.start(&[("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())]);
    assert_eq!(start().ended().code(), Some(1));
    fs::rename(&new, credentials.join("fingerprint-key")).unwrap();
    let mut daemon = start();
    daemon.ready();
    let run = site.json(&["run", "erase", "--wait"]);
    assert_eq!((&run["deleted"], &run["held"]), (&2.into(), &1.into()), "{run}");
    daemon.stop();
}
