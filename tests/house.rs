//! The socket over the real house: a state, a source, the desk, the jobs, and the client's own words in and out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[path = "house/access.rs"]
mod access;
#[path = "house/attacks.rs"]
mod attacks;
#[path = "house/brake.rs"]
mod brake;
#[path = "house/clock.rs"]
mod clock;
#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "house/gate.rs"]
mod gate;
#[path = "house/holds.rs"]
mod holds;
#[path = "house/hours.rs"]
mod hours;
#[path = "house/many.rs"]
mod many;
#[path = "house/marks.rs"]
mod marks;
#[path = "house/matrix.rs"]
mod matrix;
#[path = "house/own_files.rs"]
mod own_files;
#[path = "house/policy.rs"]
mod policy;
#[path = "house/undecided.rs"]
mod undecided;
#[path = "house/watching.rs"]
mod watching;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use erasured::admin::{House, Listener, Server, WhoIs, WhoIsNamed, identity_named, identity_of};
use erasured::audit::{CheckpointKey, VerifierKey, verify};
use erasured::clock::{SetClock, SharedClock};
use erasured::config::Settings;
use erasured::ctl::{self, Exit};
use erasured::desk::{Board, Desk};
use erasured::jobs::{Keys, Stop, Workshop, perform};
use erasured::scheduler::Timetable;
use erasured::store::Store;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use common::{Bench, key};

/// Three customers are due, one of them with an order that stays; one user is due, and is called like a version.
const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, last_contact_on TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT);
    CREATE INDEX orders_customer ON orders (customer_id);
    CREATE TABLE users (login TEXT PRIMARY KEY NOT NULL, last_seen_on TEXT);
    INSERT INTO customers VALUES (1, 'Maier', '2020-01-01'), (2, 'Huber', '2020-02-01'), (3, 'Gruber', '2020-03-01'),
                                 (4, 'Bauer', '2026-10-01'), (5, 'Wagner', 'last summer');
    INSERT INTO orders VALUES (10, 2, 'Huber'), (11, 2, 'Huber');
    INSERT INTO users VALUES ('anna@3', '2019-01-01');";
const CUSTOMER: &str = "table = \"customers\"\nlabel = \"{last_name}\"\nidentity = [\"last_name\"]\n
    [[criterion]]\nname = \"inactive\"\nsince = \"last_contact_on\"\nperiod = \"3 years\"\n
    [erase.anonymise]\nlast_name = \"null\"\nlast_contact_on = \"null\"\n
    [[dependent]]\ntable = \"orders\"\ncolumn = \"customer_id\"\nrule = \"keep\"\nanonymise = { ship_name = \"null\" }\n";
const USER: &str = "table = \"users\"\nlabel = \"{login}\"\nidentity = [\"login\"]\n
    [[criterion]]\nname = \"unseen\"\nsince = \"last_seen_on\"\nperiod = \"1 year\"\n
    [erase.anonymise]\nlast_seen_on = \"null\"\n";

/// Nothing in these tests takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

struct Living {
    bench: Bench,
    store: Arc<Store>,
    desk: Desk,
    clock: Arc<SetClock>,
    socket: PathBuf,
    settings: Board,
    stopping: watch::Sender<bool>,
    /// Whether queued runs are carried out.
    working: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Living {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A house with this source, in which queued runs are carried out as soon as the bell rings.
async fn living() -> Living {
    let bench = Bench::with_sql(SQL).await;
    bench.category("customer", CUSTOMER).category("user", USER);
    living_over(bench, Arc::new(identity_of), Arc::new(identity_named)).await
}

/// A house with the bench's source and settings, and users whom these two know.
async fn living_over(bench: Bench, who_is: WhoIs, who_is_named: WhoIsNamed) -> Living {
    let clock = Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap()));
    let shared: SharedClock = Arc::clone(&clock) as SharedClock;
    let store = Arc::new(Store::create(&bench.dir.path().join("state.db"), Arc::clone(&shared)).await.unwrap());
    let loaded = bench.settings();
    let timetable = watch::Sender::new(Arc::new(Timetable::from_settings(&loaded).unwrap()));
    let settings = Board::new(loaded);
    let keys = Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) };
    let (ended, stopping, working) = (watch::Sender::new(0), watch::Sender::new(false), watch::Sender::new(true));
    let bell = Arc::new(Notify::new());
    let desk = Desk::new(
        Arc::clone(&store),
        settings.clone(),
        keys.fingerprint.clone(),
        &keys.checkpoint,
        Arc::clone(&shared),
    );
    let house = House {
        desk: desk.clone(),
        timetable: timetable.subscribe(),
        ring: Box::new({
            let bell = Arc::clone(&bell);
            move || bell.notify_one()
        }),
        ended: ended.subscribe(),
        stopping: stopping.subscribe(),
        started_at: "2026-11-21T08:00:00Z".parse().unwrap(),
        who_is_named,
        own_uid: nix::unistd::geteuid().as_raw(),
    };
    let socket = bench.dir.path().join("admin.sock");
    let server = Server::knowing(Listener::bind(&socket).await.unwrap(), Arc::new(house), who_is);
    let serving = tokio::spawn(async move { server.serve(std::future::pending()).await.unwrap() });
    let work = Work { store: Arc::clone(&store), settings: settings.subscribe(), keys, clock: shared, ended };
    let running = tokio::spawn(work.go_on(bell, working.subscribe()));
    Living { bench, store, desk, clock, socket, settings, stopping, working, tasks: vec![serving, running] }
}

/// What the scheduler does in the daemon.
struct Work {
    store: Arc<Store>,
    settings: watch::Receiver<Arc<Settings>>,
    keys: Keys,
    clock: SharedClock,
    ended: watch::Sender<u64>,
}

impl Work {
    async fn go_on(self, bell: Arc<Notify>, mut working: watch::Receiver<bool>) {
        loop {
            bell.notified().await;
            working.wait_for(|working| *working).await.unwrap();
            for run in self.store.queued_runs().await.unwrap() {
                let mut turn = self.store.turn().await;
                let mut change = turn.begin().await.unwrap();
                change.start_run(run.id).await.unwrap();
                change.commit().await.unwrap();
                drop(turn);
                let workshop = Workshop {
                    store: Arc::clone(&self.store),
                    settings: Arc::clone(&self.settings.borrow()),
                    keys: self.keys.clone(),
                    clock: Arc::clone(&self.clock),
                };
                perform(&workshop, &run, &|| false).await.unwrap();
                self.ended.send_modify(|count| *count += 1);
            }
        }
    }
}

/// Waits for this where nothing can be waited for, such as between two batches; in a test with several threads.
fn at_once<T>(of: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(of))
}

/// What the client made of some words.
struct Said {
    exit: Exit,
    out: String,
    err: String,
}

impl Said {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

impl Living {
    /// What the client makes of these words, in this process.
    async fn ctl(&self, words: &[&str]) -> Said {
        let socket = self.socket.to_str().unwrap();
        let arguments = [&["erasurectl", "--lang", "en", "--socket", socket], words].concat();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let ended = ctl::run(arguments.into_iter().map(Into::into), &mut out, &mut err);
        let exit = tokio::time::timeout(PATIENCE, ended).await.unwrap_or_else(|_| panic!("{words:?} took too long"));
        Said { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
    }

    /// The daemon's JSON for these words, which do what they say.
    async fn json(&self, words: &[&str]) -> Value {
        let said = self.ctl(&[words, &["--json"]].concat()).await;
        assert_eq!(said.exit, Exit::Done, "{words:?}: {}", said.err);
        said.json()
    }

    /// One problem for each record of a decision that was refused: its record, code and sentence.
    async fn problems(&self, words: &[&str]) -> (Exit, Vec<String>) {
        let said = self.ctl(&[words, &["--json"]].concat()).await;
        let answers = said.json()["answers"].as_array().unwrap().clone();
        let told = answers.iter().map(|answer| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            format!("{}: {}", text(&answer["problem"]["code"]), text(&answer["problem"]["detail"]))
        });
        (said.exit, told.collect())
    }

    /// Carries out one run of the job, which asks this before it goes on.
    async fn carry_out(&self, job: &str, stop: Stop<'_>) -> Value {
        self.working.send_replace(false);
        self.json(&["run", job]).await;
        let run = self.store.queued_runs().await.unwrap().remove(0);
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        change.start_run(run.id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let settings = self.settings.in_force();
        let keys = Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) };
        let clock = Arc::clone(&self.clock) as SharedClock;
        let workshop = Workshop { store: Arc::clone(&self.store), settings, keys, clock };
        perform(&workshop, &run, stop).await.unwrap();
        self.working.send_replace(true);
        self.json(&["runs", "show", &run.id.0.to_string()]).await
    }

    async fn prepared() -> Self {
        let living = living().await;
        let run = living.json(&["run", "prepare", "--wait"]).await;
        assert_eq!((&run["state"], &run["proposed"]), (&json!("done"), &json!(4)), "{run}");
        living
    }

    /// From now on there are these grants and no others.
    fn only_grants(&self, toml: &str) {
        let path = self.bench.dir.path().join("erasured.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        let without = before.split("[[grant]]").next().unwrap();
        std::fs::write(&path, format!("{without}\n{toml}")).unwrap();
        self.settings.post(Arc::new(self.bench.settings()), &[]);
    }

    /// From now on whoever runs the tests has only these grants.
    fn grant(&self, toml: &str) {
        let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap().user;
        let path = self.bench.dir.path().join("erasured.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{before}\n[[grant]]\nusers = [\"{me}\"]\n{toml}\n")).unwrap();
        self.settings.post(Arc::new(self.bench.settings()), &[]);
    }
}

#[tokio::test]
async fn from_proposal_to_erasure() {
    let living = Living::prepared().await;
    let list = living.json(&["list"]).await;
    assert_eq!((&list["total"], &list["next"]), (&json!(4), &Value::Null));
    insta::assert_snapshot!(pretty(&list["items"][1]));
    let first = living.json(&["list", "--limit", "3"]).await;
    let rest = living.json(&["list", "--limit", "3", "--cursor", first["next"].as_str().unwrap()]).await;
    assert_eq!(rest["items"], json!([list["items"][3]]));
    // A key that looks like a version is written so that it does not.
    assert_eq!(list["items"][3]["record"], "user/anna%403");
    assert_eq!(living.json(&["show", "user/anna%403@1"]).await["label"], "anna@3");

    let confirmed = living.json(&["confirm", "customer/1@1", "customer/2", "user/anna%403@1"]).await;
    assert_eq!((&confirmed["done"], &confirmed["answers"][0]["version"]), (&json!(3), &json!(2)));
    assert_eq!(confirmed["answers"][0]["state"], "confirmed");
    living.json(&["restore", "user/anna%403@2"]).await;
    living.json(&["postpone", "customer/3", "--until", "2027-06-30", "--reason", "court case"]).await;
    let postponed = living.json(&["list", "--state", "postponed"]).await;
    assert_eq!(postponed["items"][0]["reason"], "court case");

    let dry = living.json(&["run", "erase", "--dry-run", "--wait"]).await;
    let run = living.json(&["run", "erase", "--wait"]).await;
    for counts in [&dry, &run] {
        assert_eq!(
            (&counts["deleted"], &counts["anonymised"], &counts["dependents"]),
            (&json!(1), &json!(1), &json!(2))
        );
    }
    assert_eq!((&run["returned"], &run["withdrawn"], &run["held"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(living.bench.rows("SELECT id, last_name FROM customers WHERE id < 4").await, ["2|NULL", "3|'Gruber'"]);
    let erased = living.json(&["show", "customer/2"]).await;
    insta::assert_snapshot!(pretty(&erased));
    assert_eq!(living.json(&["show", "customer/3"]).await["blocked"][0]["until"], "2027-06-30");
    living.clock.advance_to("2027-06-30T09:00:00Z".parse().unwrap());
    assert_eq!(living.json(&["run", "prepare", "--wait"]).await["resumed"], 1);
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1"]).await;
    let (exit, told) = living.problems(&["confirm", "customer/1", "customer/2@7", "customer/99", "customer/3"]).await;
    assert_eq!(exit, Exit::Refused, "they do not agree on a code");
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(living.json(&["show", "customer/3"]).await["state"], "proposed", "all of them, or none");
    for (words, exit, code) in [
        (["confirm", "customer/1"].as_slice(), Exit::Conflict, "conflict"),
        (&["confirm", "customer/3@2"], Exit::Conflict, "conflict"),
        (&["confirm", "customer/3@99999999999"], Exit::Conflict, "conflict"),
        (&["restore", "customer/3"], Exit::Conflict, "conflict"),
        (&["restore", "customer/99"], Exit::NoSuchRecord, "no-such-record"),
        (&["confirm", "nothing/3"], Exit::NoSuchRecord, "no-such-record"),
    ] {
        let (ended, told) = living.problems(words).await;
        assert_eq!(ended, exit, "{words:?}");
        assert!(told[0].starts_with(&format!("{code}: cannot ")), "{words:?}: {told:?}");
    }
    let mut told = String::new();
    for words in [
        ["confirm", "customer/1"].as_slice(),
        &["show", "customer/99"],
        &["list", "--category", "nothing"],
        &["list", "--cursor", "nowhere"],
        &["runs", "show", "77"],
        &["runs", "--cursor", "nowhere"],
        &["postpone", "customer/3", "--until", "2026-11-21", "--reason", "court case"],
        &["restore", "customer/3"],
    ] {
        let said = living.ctl(words).await;
        told.push_str(&format!("{} -> {:?}\n{}", words.join(" "), said.exit, said.err));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn what_is_out_of_scope_does_not_exist() {
    let living = Living::prepared().await;
    living.grant("permissions = [\"view\", \"decide\"]\ncategories = [\"user\"]");
    assert_eq!(living.json(&["list"]).await["total"], 1);
    assert_eq!(living.ctl(&["list", "--category", "customer"]).await.exit, Exit::NoSuchRecord);
    let show = |record| {
        let living = &living;
        async move { living.ctl(&["show", record]).await.err.replace(record, "RECORD") }
    };
    assert_eq!(show("customer/1").await, show("user/nobody").await);
    let (exit, told) = living.problems(&["confirm", "user/anna%403", "customer/1", "user/nobody"]).await;
    assert_eq!(exit, Exit::NoSuchRecord);
    assert_eq!(
        told,
        [
            "no-such-record: cannot confirm customer/1: there is no proposal for it",
            "no-such-record: cannot confirm user/nobody: there is no proposal for it",
        ]
    );
    assert_eq!(living.json(&["show", "user/anna%403"]).await["state"], "proposed", "all of them, or none");
    let status = living.json(&["status"]).await;
    let names: Vec<_> = status["categories"].as_array().unwrap().iter().map(|c| c["category"].clone()).collect();
    assert_eq!(names, ["user"]);
    assert_eq!(status["jobs"][0]["last_run"]["proposed"], 1, "of the one category that can be seen");
    assert_eq!(status["jobs"][0]["last_run"]["notes"], json!([]));
    let policy = living.json(&["policy"]).await;
    assert_eq!(policy["categories"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_in_the_trail() {
    let living = living().await;
    living.grant("permissions = [\"audit\"]");
    assert_eq!(living.ctl(&["run", "erase"]).await.exit, Exit::NotPermitted);
    assert_eq!(living.ctl(&["status"]).await.exit, Exit::NotPermitted);
    let trail = living.json(&["audit", "list"]).await;
    assert_eq!((&trail["total"], &trail["items"][0]["kind"]), (&json!(2), &json!("refused")));
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap().user;
    assert_eq!(trail["items"][0]["actor"], json!(me));
    assert_eq!(trail["items"][0]["summary"], "refused for want of the permission run: POST /v1/runs");
}

#[tokio::test]
async fn whoever_waits_for_a_run_is_told_when_it_ends_or_the_daemon_stops() {
    let living = living().await;
    living.working.send_replace(false);
    let queued = living.json(&["run", "prepare"]).await;
    assert_eq!((&queued["state"], &queued["trigger"], &queued["id"]), (&json!("queued"), &json!("request"), &json!(1)));
    let waiting = tokio::spawn({
        let socket = living.socket.clone();
        async move { ask(&socket, "/v1/runs/1?wait=60").await }
    });
    living.working.send_replace(true);
    let told = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(told["state"], "done");
    living.working.send_replace(false);
    living.json(&["run", "erase"]).await;
    let watch = erasured::clock::Stopwatch::start();
    living.stopping.send_replace(true);
    assert_eq!(ask(&living.socket, "/v1/runs/2?wait=60").await["state"], "queued");
    assert!(watch.elapsed() < PATIENCE, "nobody is kept waiting by a daemon that stops");
    let runs = living.json(&["runs", "--limit", "1"]).await;
    assert_eq!((&runs["total"], &runs["items"][0]["id"], &runs["next"]), (&json!(2), &json!(2), &json!("2")));
}

/// The JSON at `path`.
async fn ask(socket: &std::path::Path, path: &str) -> Value {
    serde_json::from_str(&raw(socket, "GET", path, "").await.1).unwrap()
}

/// Status and body of an answer, as they come.
async fn raw(socket: &std::path::Path, verb: &str, path: &str, body: &str) -> (u16, String) {
    use http_body_util::BodyExt as _;
    let stream = tokio::net::UnixStream::connect(socket).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(async { drop(connection.await) });
    let request = hyper::Request::builder().method(verb).uri(path).header("host", "x").body(body.to_owned()).unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_trail_is_read_exported_and_verified() {
    let living = Living::prepared().await;
    living.json(&["confirm", "customer/1", "customer/2"]).await;
    living.json(&["postpone", "customer/3", "--until", "2027-06-30", "--reason", "court case"]).await;
    living.json(&["run", "erase", "--wait"]).await;
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap().user;
    let trail = living.json(&["audit", "list"]).await;
    let told: Vec<String> = trail["items"].as_array().unwrap().iter().rev().map(|entry| written(entry, &me)).collect();
    insta::assert_snapshot!(told.join("\n"));
    let about = living.json(&["audit", "list", "--record", "customer/3"]).await;
    assert_eq!((&about["total"], &about["items"][0]["record"]), (&json!(2), &json!("customer/3")));
    assert_eq!(living.json(&["audit", "list", "--run", "18446744073709551615"]).await["total"], 0);

    let report = living.json(&["audit", "verify"]).await;
    let entries = trail["total"].as_u64().unwrap();
    assert_eq!((&report["intact"], &report["entries"]), (&json!(true), &json!(entries)));
    assert_eq!((&report["checkpoints"], &report["unsigned"]), (&json!(2), &json!(0)));
    let signed = json!({ "entries": entries, "signed": entries, "signed_at": "2026-11-21T09:00:00Z" });
    assert_eq!(living.json(&["status"]).await["audit"], signed);
    let export = living.ctl(&["audit", "export"]).await.out;
    let checkpoints = living.json(&["audit", "checkpoints"]).await;
    let key: VerifierKey = checkpoints["public_key"].as_str().unwrap().parse().unwrap();
    let notes: Vec<String> = serde_json::from_value(checkpoints["checkpoints"].clone()).unwrap();
    let verified = verify(export.lines(), &notes, &key);
    assert_eq!((verified.entries, verified.unsigned_after, verified.fault), (entries, 0, None));
}

/// Readable JSON, without the user who runs the tests.
fn pretty(value: &Value) -> String {
    let me = identity_of(nix::unistd::geteuid().as_raw()).unwrap().user;
    let text = serde_json::to_string_pretty(value).unwrap();
    let hidden = |text: String, key| text.replace(&format!("\"{key}\": \"{me}\""), &format!("\"{key}\": \"USER\""));
    ["by", "decided_by"].into_iter().fold(text, hidden)
}

/// An entry, without what differs from run to run.
fn written(entry: &Value, me: &str) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let hidden = |word: &str| {
        word.trim_end_matches([';', ':']).len() >= 8
            && word.trim_end_matches([';', ':']).bytes().all(|b| b.is_ascii_hexdigit())
    };
    let summary: Vec<String> =
        text("summary").split(' ').map(|word| if hidden(word) { "HEX".to_owned() } else { word.to_owned() }).collect();
    let actor = text("actor").replace(me, "USER");
    format!("{} {actor}: {} | {} | {}", entry["seq"], text("kind"), text("record"), summary.join(" "))
}

#[tokio::test]
async fn a_trail_that_was_altered_is_found() {
    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
    let living = Living::prepared().await;
    let options = SqliteConnectOptions::new().filename(living.bench.dir.path().join("state.db"));
    let mut state = options.connect().await.unwrap();
    for sql in [
        "DROP TRIGGER audit_is_not_changed",
        "UPDATE audit SET details = replace(details, '\"1\"', '\"4\"') WHERE seq = 5",
    ] {
        sqlx::query(sql).execute(&mut state).await.unwrap();
    }
    let said = living.ctl(&["audit", "verify", "--json"]).await;
    let report = said.json();
    assert_eq!((said.exit, &report["intact"], &report["fault"]["seq"]), (Exit::Refused, &json!(false), &json!(5)));
}

#[tokio::test]
async fn what_a_source_owes_that_is_not_in_the_settings_is_not_forgotten() {
    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
    let living = living().await;
    let options = SqliteConnectOptions::new().filename(living.bench.dir.path().join("state.db"));
    let mut state = options.connect().await.unwrap();
    let owed = "INSERT INTO removal SELECT 'old', value, '2026-11-20T09:00:00Z', 1, '2026-11-19T09:00:00Z', 1, 1, 0, NULL, \
                NULL, '2026-11-20T09:00:00Z' FROM json_each('[\"checkpoint\", \"proof\"]')";
    sqlx::query(owed).execute(&mut state).await.unwrap();
    let status = living.json(&["status"]).await;
    let source = &status["sources"][1];
    let problem = "it is not in the settings, and what was erased from it is not known to be gone";
    assert_eq!((&source["source"], &source["problem"]), (&json!("old"), &json!(problem)), "{status}");
    assert_eq!(source["removal"]["pending"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_status_says_what_is_wrong() {
    let living = Living::prepared().await;
    let status = living.json(&["status"]).await;
    let source = &status["sources"][0];
    assert_eq!((&source["source"], &source["problem"]), (&json!("app"), &Value::Null));
    assert_eq!(source["removal"]["pending"], json!([]));
    assert_eq!(status["categories"][0]["proposed"], 3);
    assert_eq!(
        status["jobs"][0]["last_run"]["notes"][0],
        "customer: 1 record has a start date that cannot be read, and cannot be proposed"
    );
    living.bench.sql("ALTER TABLE customers ADD COLUMN phone TEXT").await;
    let status = living.json(&["status"]).await;
    assert!(status["categories"][0]["problem"].as_str().unwrap().contains("phone"), "{status}");
    assert_eq!(status["categories"][1]["problem"], Value::Null);
    let run = living.ctl(&["run", "prepare", "--wait", "--json"]).await;
    assert_eq!(run.exit, Exit::Refused);
    assert_eq!((&run.json()["state"], &run.json()["problem"]["code"]), (&json!("partly"), &json!("run-incomplete")));
    std::fs::remove_file(living.bench.database()).unwrap();
    let status = living.json(&["status"]).await;
    assert!(status["sources"][0]["problem"].is_string(), "{status}");
    let list = living.json(&["list"]).await;
    assert_eq!((&list["total"], &list["items"][0]["label"]), (&json!(4), &Value::Null));
    assert!(list["items"][0]["problem"].is_string());
    assert_eq!(living.store.counts().await.unwrap().len(), 2);
}
