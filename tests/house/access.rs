//! Who sees and decides what: grants by unit, what is assigned while the daemon runs, stand-ins, denials.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use erasured::actor::Identity;
use erasured::ctl::Exit;
use serde_json::{Value, json};

use super::common::Bench;
use super::{Living, living_over};

/// Members of three branches, one of them of none; a prospect; a user. All of them are due, but for member 9.
const SQL: &str = "
    CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, branch TEXT, left_on TEXT);
    CREATE TABLE prospects (id INTEGER PRIMARY KEY, name TEXT, branch TEXT, left_on TEXT);
    CREATE TABLE users (login TEXT PRIMARY KEY NOT NULL, seen_on TEXT);
    INSERT INTO members VALUES (1, 'Maier', 'graz', '2019-01-01'), (2, 'Huber', 'linz', '2019-01-01'),
                               (3, 'Gruber', NULL, '2019-01-01'), (4, 'Bauer', 'graz', '2019-01-01'),
                               (9, 'Wagner', 'graz', '2026-11-01');
    INSERT INTO prospects VALUES (1, 'Moser', 'graz', '2019-01-01');
    INSERT INTO users VALUES ('anna', '2019-01-01');";

fn category(table: &str) -> String {
    format!(
        "table = \"{table}\"\nlabel = \"{{name}}\"\nidentity = [\"name\"]\nunit = \"branch\"\n
        [[criterion]]\nname = \"left\"\nsince = \"left_on\"\nperiod = \"3 years\"\n
        [erase]\nkeep = [\"branch\"]\n[erase.anonymise]\nname = \"null\"\nleft_on = \"null\"\n"
    )
}

const USER: &str = "table = \"users\"\nlabel = \"{login}\"\nidentity = [\"login\"]\n
    [[criterion]]\nname = \"unseen\"\nsince = \"seen_on\"\nperiod = \"1 year\"\n
    [erase.anonymise]\nseen_on = \"null\"\n";

/// Who works there. Dora is the data protection officer, Olga the operator and auditor.
const PEOPLE: [(u32, &str, &[&str]); 6] = [
    (2001, "vera", &["clerks"]),
    (2002, "karl", &["linz"]),
    (2003, "boris", &[]),
    (2004, "dora", &["privacy"]),
    (2005, "olga", &["operators"]),
    (2006, "nora", &["nowhere"]),
];

/// What they may. Nora has permissions only for what is assigned to her.
pub const GRANTS: &str = "
    [[grant]]\ngroups = [\"clerks\"]\npermissions = [\"view\", \"decide\", \"restore\"]\nunits = [\"graz\"]\n
    [[grant]]\ngroups = [\"linz\"]\npermissions = [\"view\", \"decide\", \"mark\"]\ncategories = [\"member\"]\nunits = [\"linz\"]\n
    [[grant]]\nusers = [\"dora\"]\npermissions = [\"view\", \"decide\"]\n
    [[grant]]\nusers = [\"dora\"]\npermissions = [\"configure\"]\n
    [[grant]]\ngroups = [\"operators\"]\npermissions = [\"run\", \"audit\"]\n
    [[grant]]\ngroups = [\"nowhere\"]\npermissions = [\"view\", \"decide\"]\ncategories = [\"member\"]\nunits = []\n";

fn person(found: &(u32, &str, &[&str])) -> Identity {
    let (uid, user, groups) = *found;
    Identity { uid, user: user.to_owned(), groups: groups.iter().map(ToString::to_string).collect() }
}

/// An office over a house: whoever speaks to the socket is the one who has the chair.
pub struct Office {
    pub living: Living,
    chair: Arc<Mutex<Identity>>,
}

impl Office {
    /// An office in which everything that is due is proposed.
    pub async fn open(grants: &str) -> Self {
        let bench = Bench::with_sql(SQL).await;
        bench.category("member", &category("members")).category("prospect", &category("prospects"));
        bench.category("user", USER);
        let path = bench.dir.path().join("erasured.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{before}\n{grants}")).unwrap();
        let chair = Arc::new(Mutex::new(Identity { uid: 0, user: "nobody".into(), groups: BTreeSet::new() }));
        let peer = Arc::clone(&chair);
        let who_is = Arc::new(move |_| Ok(peer.lock().unwrap().clone()));
        // As a directory may, it knows people by names in capitals, too.
        let named =
            Arc::new(|name: &str| Ok(PEOPLE.iter().find(|(_, user, _)| user.eq_ignore_ascii_case(name)).map(person)));
        let living = living_over(bench, who_is, named).await;
        let office = Self { living, chair };
        office.prepare().await;
        office
    }

    /// Has everything proposed that is due.
    pub async fn prepare(&self) {
        let before = self.chair.lock().unwrap().clone();
        self.sit("olga");
        let run = self.living.json(&["run", "prepare", "--wait"]).await;
        assert_eq!(run["state"], "done", "{run}");
        *self.chair.lock().unwrap() = before;
    }

    /// Gives somebody the chair.
    pub fn sit(&self, user: &str) {
        let found = PEOPLE.iter().find(|(_, name, _)| *name == user).unwrap();
        *self.chair.lock().unwrap() = person(found);
    }

    /// What becomes of the words when that user says them.
    pub async fn says(&self, user: &str, words: &[&str]) -> super::Said {
        self.sit(user);
        self.living.ctl(words).await
    }

    /// The same, as JSON, where it is done.
    pub async fn json(&self, user: &str, words: &[&str]) -> Value {
        self.sit(user);
        self.living.json(words).await
    }

    /// What Dora changes.
    pub async fn dora(&self, words: &[&str]) -> Value {
        self.json("dora", &[&["access"], words].concat()).await
    }

    /// The records that the user can open, and those that are in the user's list, which must be the same; what the list and
    /// the status count must be their number.
    async fn sees(&self, user: &str) -> Vec<String> {
        let list = self.json(user, &["list"]).await;
        let listed: Vec<_> =
            list["items"].as_array().unwrap().iter().map(|item| item["record"].as_str().unwrap().to_owned()).collect();
        let mut shown = Vec::new();
        for record in ["member/1", "member/2", "member/3", "member/4", "prospect/1", "user/anna"] {
            let said = self.says(user, &["show", record]).await;
            match said.exit {
                Exit::Done => shown.push(record.to_owned()),
                exit => assert_eq!(exit, Exit::NoSuchRecord, "{user} shows {record}: {}", said.err),
            }
        }
        assert_eq!(listed, shown, "{user}: the list, and what can be shown");
        assert_eq!(list["total"], listed.len(), "{user}");
        let status = self.json(user, &["status"]).await;
        let counted: u64 =
            status["categories"].as_array().unwrap().iter().map(|of| of["proposed"].as_u64().unwrap()).sum();
        assert_eq!(counted, listed.len() as u64, "{user}: {status}");
        shown
    }
}

#[tokio::test]
async fn grants_by_unit() {
    let office = Office::open(GRANTS).await;
    assert_eq!(office.sees("vera").await, ["member/1", "member/4", "prospect/1"]);
    assert_eq!(office.sees("karl").await, ["member/2"]);
    assert_eq!(office.sees("nora").await, Vec::<String>::new());
    assert_eq!(office.sees("dora").await.len(), 6, "what has no unit needs a grant without units");
    assert_eq!(office.says("boris", &["list"]).await.exit, Exit::NotPermitted);
    office.json("vera", &["confirm", "member/1"]).await;
    let (exit, told) = {
        office.sit("vera");
        office.living.problems(&["confirm", "member/4", "member/2", "member/77", "member/3"]).await
    };
    assert_eq!(exit, Exit::NoSuchRecord);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(office.json("vera", &["show", "member/4"]).await["state"], "proposed", "all of them, or none");
}

#[tokio::test]
async fn what_is_assigned_while_the_daemon_runs() {
    let office = Office::open(GRANTS).await;
    office.dora(&["unit", "add", "nora", "linz"]).await;
    assert_eq!(office.sees("nora").await, ["member/2"], "in the categories that her grant names");
    office.dora(&["record", "add", "nora", "user/anna"]).await;
    office.dora(&["record", "add", "nora", "member/3"]).await;
    assert_eq!(office.sees("nora").await, ["member/2", "member/3", "user/anna"]);
    office.json("nora", &["confirm", "member/3"]).await;
    // Nothing is added to what a person may do.
    assert_eq!(office.says("nora", &["restore", "member/3"]).await.exit, Exit::NotPermitted);
    office.dora(&["unit", "remove", "nora", "linz"]).await;
    office.dora(&["record", "remove", "nora", "member/3"]).await;
    assert_eq!(office.sees("nora").await, ["user/anna"]);
    let list = office.dora(&["list"]).await;
    assert_eq!((&list["total"], &list["items"][0]["record"]), (&json!(1), &json!("user/anna")));
}

#[tokio::test]
async fn a_denial_beats_every_grant_and_says_who_asked_for_it() {
    let office = Office::open(GRANTS).await;
    office.dora(&["record", "add", "vera", "member/2"]).await;
    let words = ["deny", "add", "vera", "member/1", "--asked-by", "Frau  Maier", "--reason", "a neighbour"];
    office.dora(&words).await;
    office.dora(&["deny", "add", "vera", "member/2", "--asked-by", "the council", "--reason", "kin"]).await;
    assert_eq!(office.sees("vera").await, ["member/4", "prospect/1"]);
    let list = office.dora(&["list", "--user", "vera"]).await;
    let denied = &list["items"][1];
    assert_eq!(
        (&denied["kind"], &denied["asked_by"], &denied["reason"]),
        (&json!("deny"), &json!("Frau Maier"), &json!("a neighbour"))
    );
    // Who asked and why lies beside the chain, and not in it.
    let trail = office.json("olga", &["audit", "list", "--record", "member/1"]).await;
    let told = trail["items"][0]["summary"].as_str().unwrap();
    assert_eq!(told, "vera is denied a record, asked for by Frau Maier: a neighbour");
    let export = office.says("olga", &["audit", "export"]).await.out;
    assert!(export.contains("reason_digest") && !export.contains("Maier") && !export.contains("neighbour"));
    assert_eq!(office.json("olga", &["audit", "verify"]).await["intact"], true);
    office.dora(&["deny", "remove", "vera", "member/1"]).await;
    assert_eq!(office.sees("vera").await, ["member/1", "member/4", "prospect/1"]);
    // Whoever is denied a record does not find it among the entries either.
    office.living.only_grants(&format!("{GRANTS}\n[[grant]]\nusers = [\"vera\"]\npermissions = [\"configure\"]\n"));
    let hers = office.json("vera", &["access", "list"]).await;
    assert_eq!((&hers["total"], &hers["items"]), (&json!(0), &json!([])), "{hers}");
}

#[tokio::test]
async fn a_stand_in_for_a_time() {
    let office = Office::open(GRANTS).await;
    office.dora(&["unit", "add", "karl", "wels"]).await;
    office.dora(&["stand-in", "boris", "--for", "karl", "--until", "2026-11-30"]).await;
    assert_eq!(office.sees("boris").await, ["member/2"], "who may do nothing else");
    office.json("boris", &["confirm", "member/2"]).await;
    let shown = office.json("karl", &["show", "member/2"]).await;
    assert_eq!(shown["history"][1]["by"], "boris", "in his own name");
    office.dora(&["stand-in", "boris", "--for", "vera", "--until", "2026-11-22"]).await;
    office.dora(&["deny", "add", "vera", "member/1", "--asked-by", "her", "--reason", "kin"]).await;
    office.dora(&["deny", "add", "boris", "prospect/1", "--asked-by", "him", "--reason", "kin"]).await;
    office.dora(&["record", "add", "vera", "user/anna"]).await;
    let both = office.json("boris", &["list"]).await;
    let records: Vec<_> = both["items"].as_array().unwrap().iter().map(|item| item["record"].clone()).collect();
    assert_eq!(records, ["member/2", "member/4", "user/anna"]);
    // Through Karl he would have it, whatever Vera is denied.
    office.dora(&["unit", "add", "karl", "graz"]).await;
    assert_eq!(office.json("boris", &["list", "--category", "member"]).await["total"], 3);
    assert_eq!(office.says("vera", &["show", "member/1"]).await.exit, Exit::NoSuchRecord);
    assert_eq!(office.says("boris", &["show", "member/1"]).await.exit, Exit::Done);
    office.living.clock.advance_to("2026-11-22T22:59:00Z".parse().unwrap());
    assert_eq!(office.says("boris", &["show", "user/anna"]).await.exit, Exit::Done, "through the last day");
    office.living.clock.advance_to("2026-11-22T23:00:00Z".parse().unwrap());
    assert_eq!(office.says("boris", &["show", "user/anna"]).await.exit, Exit::NoSuchRecord);
    let list = office.dora(&["list", "--user", "boris"]).await;
    let standings: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["standing"].clone()).collect();
    assert_eq!(standings, ["in-force", "over", "in-force"]);
    office.dora(&["stand-in", "boris", "--for", "karl", "--end"]).await;
    assert_eq!(office.says("boris", &["list"]).await.exit, Exit::NotPermitted);
}

#[tokio::test]
async fn a_reused_key_ends_what_was_given_and_not_what_was_denied() {
    let office = Office::open(GRANTS).await;
    office.dora(&["record", "add", "nora", "member/3"]).await;
    // Not proposed: the source says whom it is about.
    office.dora(&["record", "add", "nora", "member/9"]).await;
    office.dora(&["deny", "add", "vera", "member/4", "--asked-by", "her", "--reason", "kin"]).await;
    let standing = || async {
        let list = office.dora(&["list"]).await;
        let of = |item: &Value| {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            format!("{} {}", text("record"), text("standing"))
        };
        list["items"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(standing().await, ["member/4 in-force", "member/9 in-force", "member/3 in-force"]);
    let change = "DELETE FROM members WHERE id IN (3, 4, 9);
        INSERT INTO members VALUES (3, 'Another', NULL, '2019-01-01'), (4, 'Another', 'graz', '2019-01-01'),
                                   (9, 'Another', 'graz', '2026-11-01');";
    office.living.bench.sql(change).await;
    // The old proposals are withdrawn with the people that they were about, the new ones are about others.
    office.sit("dora");
    office.living.json(&["confirm", "member/3", "member/4"]).await;
    office.sit("olga");
    office.living.json(&["run", "erase", "--wait"]).await;
    office.prepare().await;
    assert_eq!(standing().await, ["member/4 in-force", "member/9 lapsed", "member/3 lapsed"]);
    assert_eq!(office.sees("nora").await, Vec::<String>::new());
    assert_eq!(office.sees("vera").await, ["member/1", "prospect/1"]);
    let again = office.dora(&["record", "add", "nora", "member/3"]).await;
    assert_eq!((&again["ended"]["record"], &again["ended"]["standing"]), (&json!("member/3"), &json!("ended")));
    assert_eq!(office.sees("nora").await, ["member/3"]);
    std::fs::remove_file(office.living.bench.database()).unwrap();
    assert_eq!(standing().await, ["member/3 in-force", "member/4 in-force", "member/9 untold"]);
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_with_the_reason() {
    let office = Office::open(GRANTS).await;
    office.dora(&["unit", "add", "vera", "linz"]).await;
    office.dora(&["record", "add", "vera", "member/2"]).await;
    office.dora(&["deny", "add", "dora", "member/4", "--asked-by", "her", "--reason", "kin"]).await;
    let mut told = String::new();
    for words in [
        // She has it through a unit: through one that was assigned, through one that a grant names.
        ["record", "remove", "vera", "member/2"].as_slice(),
        &["record", "remove", "vera", "member/1"],
        &["record", "remove", "karl", "member/1"],
        &["unit", "remove", "vera", "graz"],
        &["unit", "remove", "vera", "wels"],
        &["unit", "add", "vera", "linz"],
        &["unit", "add", "vrea", "linz"],
        &["unit", "add", "vera", " linz"],
        &["record", "add", "vera", "member/77"],
        &["record", "add", "vera", "memebr/1"],
        &["deny", "add", "vera", "member/77", "--asked-by", "her", "--reason", "kin"],
        &["deny", "remove", "vera", "member/1"],
        // What is denied to whoever asks does not exist for them.
        &["record", "add", "vera", "member/4"],
        &["deny", "remove", "dora", "member/4"],
        &["record", "add", "dora", "member/1"],
        &["unit", "add", "dora", "graz"],
        &["stand-in", "dora", "--for", "vera", "--until", "2026-12-24"],
        &["stand-in", "vera", "--for", "vera", "--until", "2026-12-24"],
        &["stand-in", "vera", "--for", "kral", "--until", "2026-12-24"],
        &["stand-in", "vera", "--for", "karl", "--until", "2026-11-20"],
        &["stand-in", "vera", "--for", "karl", "--until", "24.12.2026"],
        &["stand-in", "vera", "--for", "karl", "--end"],
        &["show", "vrea"],
    ] {
        let said = office.says("dora", &[&["access"], words].concat()).await;
        told.push_str(&format!("{} -> {:?}\n{}", words.join(" "), said.exit, said.err));
        assert_eq!(said.out, "", "{words:?}");
    }
    insta::assert_snapshot!(told);
    assert_eq!(office.dora(&["list"]).await["total"], 2, "and the one that is about her");
    // What nobody has any more can be taken away, by whatever name.
    assert_eq!(office.json("dora", &["access", "show", "vera"]).await["entries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_a_user_may_and_through_what() {
    let office = Office::open(GRANTS).await;
    office.dora(&["unit", "add", "nora", "wels"]).await;
    office.dora(&["record", "add", "nora", "user/anna"]).await;
    office.dora(&["stand-in", "nora", "--for", "karl", "--until", "2026-11-30"]).await;
    office.dora(&["deny", "add", "karl", "member/2", "--asked-by", "her", "--reason", "kin"]).await;
    let mut said = String::new();
    for user in ["nora", "karl", "boris", "olga"] {
        said.push_str(&format!("{user}\n{}\n", office.says("dora", &["access", "show", user]).await.out));
    }
    insta::assert_snapshot!(said);
}

/// Whoever has no access cannot learn whether a record exists: not from the status, not from the body, not from the code.
#[tokio::test]
async fn what_is_not_there_and_what_is_not_theirs_are_answered_alike() {
    let office = Office::open(GRANTS).await;
    office.dora(&["deny", "add", "karl", "member/4", "--asked-by", "her", "--reason", "kin"]).await;
    office.dora(&["unit", "add", "karl", "graz"]).await;
    office.json("dora", &["confirm", "member/3"]).await;
    let routes = [
        ("GET", "/v1/proposals/RECORD", String::new()),
        ("POST", "/v1/confirm", body("")),
        ("POST", "/v1/confirm", body(",\"version\":1")),
        ("POST", "/v1/confirm", body(",\"version\":9")),
        ("POST", "/v1/mark", "{\"record\":\"RECORD\",\"reason\":\"asked for\"}".to_owned()),
        ("POST", "/v1/postpone", body("").replacen('{', "{\"until\":\"2027-06-30\",\"reason\":\"court case\",", 1)),
    ];
    office.sit("karl");
    for (verb, path, body) in &routes {
        let mut answers = BTreeSet::new();
        // Not there; of another unit; of no unit, and confirmed; denied; of another category; of none at all.
        for record in ["member/77", "member/3", "member/4", "prospect/1", "user/anna", "user/bert", "nothing/1"] {
            let answer = super::raw(
                &office.living.socket,
                verb,
                &path.replace("RECORD", record),
                &body.replace("RECORD", record),
            )
            .await;
            answers.insert((answer.0, answer.1.replace(record, "RECORD")));
        }
        assert_eq!(answers.len(), 1, "{verb} {path} {body}: {answers:#?}");
        let (_, answer) = answers.first().unwrap();
        assert!(answer.contains("\"no-such-record\""), "{verb} {path}: {answer}");
        // What is theirs is answered otherwise: the test can fail.
        let theirs = super::raw(
            &office.living.socket,
            verb,
            &path.replace("RECORD", "member/1"),
            &body.replace("RECORD", "member/1"),
        )
        .await;
        assert!(!theirs.1.contains("no-such-record"), "{verb} {path}: {}", theirs.1);
    }
}

fn body(more: &str) -> String {
    format!("{{\"records\":[{{\"record\":\"RECORD\"{more}}}]}}")
}
