//! What somebody tries who wants more than is theirs, or whom chance has dealt an odd hand.

use std::time::Duration;

use erasured::actor::Actor;
use erasured::audit::By;
use erasured::desk::AccessWhat;
use erasured::proposal::Reason;

use super::access::{GRANTS, Office};
use super::*;

/// Long enough for a request to come as far as the write turn.
const A_MOMENT: Duration = Duration::from_millis(300);

/// The database takes `04` for 4. A record has one name, or else it would be held under one and erased under another.
#[tokio::test]
async fn a_record_has_one_name() {
    let living = Living::prepared().await;
    living.json(&["hold", "customer/4", "--reason", "a lawsuit", "--reference", "3 Cg 17/26"]).await;
    for alias in ["customer/04", "customer/%34", "customer/+4", "customer/4.0", "customer/ 4"] {
        let marked = living.ctl(&["mark", alias, "--reason", "asked for"]).await;
        assert_eq!(marked.exit, Exit::NoSuchRecord, "{alias}: {}{}", marked.out, marked.err);
        let held = living.ctl(&["hold", alias, "--reason", "a lawsuit", "--reference", "A 1"]).await;
        assert_eq!(held.exit, Exit::NoSuchRecord, "{alias}: nothing would be held: {}", held.err);
    }
    living.bench.sql("CREATE TABLE guests (name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, seen_on TEXT)").await;
    living.bench.sql("INSERT INTO guests VALUES ('Anna', '2026-01-01')").await;
    living
        .bench
        .category("guest", &USER.replace("users", "guests").replace("login", "name").replace("last_seen", "seen"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    assert_eq!(living.ctl(&["mark", "guest/anna", "--reason", "asked for"]).await.exit, Exit::NoSuchRecord);
    assert_eq!(living.ctl(&["mark", "guest/Anna", "--reason", "asked for"]).await.exit, Exit::Done);
}

/// Whoever confirms `customer/1@1` has seen one person; the next one under the key begins with another version.
#[tokio::test]
async fn a_version_is_of_one_proposal() {
    let living = Living::prepared().await;
    let shown = living.json(&["show", "customer/1"]).await;
    assert_eq!((&shown["label"], &shown["version"]), (&json!("Maier"), &json!(1)));
    living.bench.sql("UPDATE customers SET last_name = 'Neumann' WHERE id = 1").await;
    let run = living.json(&["run", "prepare", "--wait"]).await;
    assert_eq!((&run["withdrawn"], &run["proposed"]), (&json!(1), &json!(1)), "{run}");
    let (exit, told) = living.problems(&["confirm", "customer/1@1"]).await;
    assert_eq!(exit, Exit::Conflict, "{told:?}");
    let now = living.json(&["show", "customer/1"]).await;
    assert_eq!((&now["label"], &now["state"]), (&json!("Neumann"), &json!("proposed")));
    // A mark that was taken back, too.
    let first = living.json(&["mark", "customer/4", "--reason", "asked for"]).await;
    living.json(&["confirm", "customer/4"]).await;
    living.json(&["restore", "customer/4"]).await;
    let second = living.json(&["mark", "customer/4", "--reason", "asked for again"]).await;
    assert!(second["version"].as_u64() > first["version"].as_u64(), "{first} {second}");
    assert_eq!(living.json(&["show", "customer/4"]).await["version"], second["version"]);
}

/// Under the key of somebody whom Vera may see stands somebody else now, of another branch.
#[tokio::test]
async fn nobody_is_shown_whom_they_were_not_given() {
    let office = Office::open(&format!(
        "{GRANTS}\n[[grant]]\nusers = [\"vera\"]\npermissions = [\"hold\"]\nunits = [\"graz\"]\n"
    ))
    .await;
    office.json("vera", &["hold", "member/1", "--reason", "a lawsuit", "--reference", "3 Cg 17/26"]).await;
    office.living.bench.sql("UPDATE members SET name = 'Neumann', branch = 'linz' WHERE id = 1").await;
    let shown = office.json("vera", &["show", "member/1"]).await;
    assert_eq!(shown["label"], Value::Null, "{shown}");
    assert!(shown["problem"].as_str().unwrap().contains("not the same person"), "{shown}");
    for words in [["list"].as_slice(), &["show", "member/1"], &["holds"]] {
        let said = office.json("vera", words).await.to_string();
        assert!(!said.contains("Neumann"), "{words:?}: {said}");
    }
    let found = office.json("vera", &["list", "--text", "neumann"]).await;
    assert_eq!(found["items"], json!([]), "a text that is found tells what stands there");
    // Whoever sees both branches is told no label either: the proposal is not about them.
    assert_eq!(office.json("dora", &["show", "member/1"]).await["label"], Value::Null);
}

/// What waits for its turn is judged by the rules that hold when it comes.
#[tokio::test]
async fn a_rule_that_was_tightened_meanwhile_holds() {
    let living = Living::prepared().await;
    let (one, auto) = (CUSTOMER.to_owned(), format!("{CUSTOMER}\n[manual]\nauto_confirm = true\n"));
    living.bench.category("customer", &auto);
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    let turn = living.store.turn().await;
    let tighten = async {
        tokio::time::sleep(A_MOMENT).await;
        living.bench.category("customer", &format!("decisions = 2\n{one}"));
        living.settings.post(Arc::new(living.bench.settings()), &[]);
        drop(turn);
    };
    let (confirm, mark) = (["confirm", "customer/1"], ["mark", "customer/4", "--reason", "asked for"]);
    let (confirmed, marked, ()) = tokio::join!(living.json(&confirm), living.json(&mark), tighten);
    assert_eq!(confirmed["answers"][0]["state"], "proposed", "{confirmed}");
    assert_eq!(marked["state"], "proposed", "{marked}");
}

/// Nobody widens what they have themselves; what Nora has as a stand-in is hers.
#[tokio::test]
async fn nobody_widens_what_they_have_through_another() {
    let office =
        Office::open(&format!("{GRANTS}\n[[grant]]\nusers = [\"nora\"]\npermissions = [\"configure\"]\n")).await;
    office.dora(&["stand-in", "nora", "--for", "vera", "--until", "2026-11-30"]).await;
    office.dora(&["deny", "add", "vera", "member/1", "--asked-by", "her", "--reason", "kin"]).await;
    assert_eq!(office.json("nora", &["list"]).await["total"], 2);
    for words in [
        ["unit", "add", "vera", "linz"].as_slice(),
        &["record", "add", "vera", "member/2"],
        &["deny", "remove", "vera", "member/1"],
    ] {
        let said = office.says("nora", &[&["access"], words].concat()).await;
        assert_eq!(said.exit, Exit::NotPermitted, "{words:?}: {}{}", said.out, said.err);
    }
    assert_eq!(office.json("nora", &["list"]).await["total"], 2);
    // Of others, and less, she may change.
    office.json("nora", &["access", "unit", "add", "karl", "wels"]).await;
    office.json("nora", &["access", "deny", "add", "vera", "member/4", "--asked-by", "her", "--reason", "kin"]).await;
    office.living.clock.advance_to("2026-12-01T09:00:00Z".parse().unwrap());
    office.json("nora", &["access", "unit", "add", "vera", "linz"]).await;
}

/// A directory may know a user by several names; what is denied is denied under the one that the kernel's number has.
#[tokio::test]
async fn a_user_has_one_name() {
    let office = Office::open(GRANTS).await;
    let made = office.dora(&["deny", "add", "VERA", "member/1", "--asked-by", "her", "--reason", "kin"]).await;
    assert_eq!(made["made"]["user"], "vera");
    assert_eq!(office.says("vera", &["show", "member/1"]).await.exit, Exit::NoSuchRecord);
    let own = office.says("dora", &["access", "unit", "add", "Dora", "graz"]).await;
    assert_eq!(own.exit, Exit::NotPermitted, "{}{}", own.out, own.err);
    office.dora(&["stand-in", "Nora", "--for", "VERA", "--until", "2026-11-30"]).await;
    assert_eq!(office.says("nora", &["show", "member/4"]).await.exit, Exit::Done);
    assert_eq!(office.says("nora", &["show", "member/1"]).await.exit, Exit::NoSuchRecord, "as Vera does not have it");
    let list = office.json("dora", &["access", "list", "--user", "Vera"]).await;
    assert_eq!(list["total"], 1, "{list}");
    office.dora(&["deny", "remove", "Vera", "member/1"]).await;
    assert_eq!(office.says("vera", &["show", "member/1"]).await.exit, Exit::Done);
}

/// Dora is denied a record of which somebody has more than enough.
#[tokio::test]
async fn what_is_denied_is_not_there_when_access_is_taken_away() {
    let everything = "[[grant]]\nusers = [\"boris\"]\npermissions = [\"view\"]\n";
    let office = Office::open(&format!("{GRANTS}\n{everything}")).await;
    office.dora(&["deny", "add", "dora", "member/4", "--asked-by", "her", "--reason", "kin"]).await;
    for user in ["boris", "vera", "nora"] {
        let mut told = Vec::new();
        for record in ["member/4", "member/77"] {
            let said = office.says("dora", &["access", "record", "remove", user, record]).await;
            told.push((said.exit, said.err.replace(record, "RECORD")));
        }
        assert_eq!(told[0], told[1], "{user}");
    }
}

/// What the files refuse is refused while the daemon runs.
#[tokio::test]
async fn two_rules_that_contradict_each_other_are_refused_together() {
    let living = Living::prepared().await;
    living.bench.category("customer", &format!("{CUSTOMER}\n[manual]\nauto_confirm = true\n"));
    living.settings.post(Arc::new(living.bench.settings()), &[]);
    let said = living.ctl(&["policy", "set", "customer.decisions", "2"]).await;
    assert_eq!(said.exit, Exit::Refused, "{}{}", said.out, said.err);
    assert!(said.err.contains("contradict each other"), "{}", said.err);
    living.json(&["policy", "set", "customer.auto_confirm", "false"]).await;
    living.json(&["policy", "set", "customer.decisions", "2"]).await;
    let said = living.ctl(&["policy", "unset", "customer.auto_confirm"]).await;
    assert!(said.err.contains("contradict each other"), "{}{}", said.out, said.err);
}

/// Vera was let in, and is denied the record while she waits for her turn.
#[tokio::test]
async fn what_was_denied_meanwhile_is_denied() {
    let office = Office::open(&format!(
        "{GRANTS}\n[[grant]]\nusers = [\"vera\"]\npermissions = [\"mark\", \"hold\"]\nunits = [\"graz\"]\n"
    ))
    .await;
    for words in [
        ["confirm", "member/1"].as_slice(),
        &["postpone", "member/1", "--until", "2027-06-30", "--reason", "court case"],
        &["mark", "member/9", "--reason", "asked for"],
        &["hold", "member/1", "--reason", "a lawsuit", "--reference", "3 Cg 17/26"],
    ] {
        let record = words[1].parse().unwrap();
        let proposal = office.living.store.proposal(&"member/1".parse().unwrap()).await.unwrap().unwrap();
        let mut turn = office.living.store.turn().await;
        let deny = async {
            tokio::time::sleep(A_MOMENT).await;
            let by = By::request(Actor::User { uid: 2004, name: "dora".to_owned() }, "test");
            let mut change = turn.begin().await.unwrap();
            let what = AccessWhat::Deny(record, proposal.fingerprint);
            let reason = Reason::new("her\nkin").unwrap();
            change.give_access(&by, "vera", &what, Some(&reason)).await.unwrap();
            change.commit().await.unwrap();
            drop(turn);
        };
        let (said, ()) = tokio::join!(office.says("vera", words), deny);
        assert_ne!(said.exit, Exit::Done, "{words:?}: {}{}", said.out, said.err);
        office.dora(&["deny", "remove", "vera", words[1]]).await;
    }
    assert_eq!(office.json("vera", &["show", "member/1"]).await["state"], "proposed");
}
