//! An office with two sources, in which people are prospects, persons, members, users and customers.

use std::fmt::Write as _;
use std::sync::Arc;

use erasured::actor::{Asker, Authorised, Grant, Identity, Permission, Reach, authorise};
use erasured::audit::CheckpointKey;
use erasured::clock::{SetClock, SharedClock};
use erasured::desk::{Board, Decided, Desk, DeskError, LinkedVerdict, Origin, Standing, Wish, With};
use erasured::jobs::{Foreseen, Future, Keys, Workshop, foresee, perform};
use erasured::record::RecordRef;
use erasured::store::{JobKind, RunId, RunReport, RunTrigger, Store, Target};

use crate::common::{Bench, key};

/// Maier (1) is due everywhere. Huber (2) is a prospect and a member whose invoice must be kept. Gruber (3) is a due
/// prospect and a person in touch.
pub const SQL: &str = "
    CREATE TABLE persons (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT, branch TEXT);
    CREATE TABLE prospects (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT,
                            person_id INTEGER REFERENCES persons (id));
    CREATE INDEX prospects_person ON prospects (person_id);
    CREATE TABLE members (no TEXT PRIMARY KEY NOT NULL, last_name TEXT, left_on TEXT,
                          prospect_id INTEGER REFERENCES prospects (id));
    CREATE INDEX members_prospect ON members (prospect_id);
    CREATE TABLE invoices (id INTEGER PRIMARY KEY, member_no TEXT REFERENCES members (no), paid_on TEXT, name TEXT);
    CREATE INDEX invoices_member ON invoices (member_no);
    CREATE TABLE users (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT);
    CREATE TABLE accounts (person_id INTEGER REFERENCES persons (id), user_id INTEGER REFERENCES users (id),
                           PRIMARY KEY (person_id, user_id)) WITHOUT ROWID;
    CREATE INDEX accounts_user ON accounts (user_id);
    INSERT INTO persons VALUES (1, 'Maier', '2019-01-01', 'graz'), (3, 'Gruber', '2026-10-01', 'linz');
    INSERT INTO prospects VALUES (1, 'Maier', '2019-02-01', 1), (2, 'Huber', '2019-02-01', NULL),
                                 (3, 'Gruber', '2019-02-01', 3), (4, 'Wagner', '2019-02-01', NULL);
    INSERT INTO members VALUES ('M-1', 'Maier', '2019-03-01', 1), ('M-2', 'Huber', '2019-03-01', 2);
    INSERT INTO invoices VALUES (1, 'M-2', '2024-05-01', 'Huber');
    INSERT INTO users VALUES (7, 'Maier', '2019-04-01');
    INSERT INTO accounts VALUES (1, 7);";

const SHOP: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT, crm_person TEXT);
    INSERT INTO customers VALUES (50, 'Maier', '2019-05-01', '1'), (51, 'Gruber', '2019-05-01', '3');";

fn category(table: &str, since: &str, rest: &str) -> String {
    format!(
        "table = \"{table}\"\nlabel = \"{{last_name}}\"\nidentity = [\"last_name\"]\n{rest}\n\
         [[criterion]]\nname = \"inactive\"\nsince = \"{since}\"\nperiod = \"3 years\"\n"
    )
}

const PERSON: &str = "
    [erase]\nkeep = [\"branch\"]\n[erase.anonymise]\nlast_name = \"null\"\nseen_on = \"null\"\n
    [[dependent]]\ntable = \"prospects\"\ncolumn = \"person_id\"\nrule = \"keep\"\n
    [[dependent]]\ntable = \"accounts\"\ncolumn = \"person_id\"\nrule = \"delete\"\n
    [[linked]]\ncategory = \"user\"\nthrough = \"accounts\"\ncolumn = \"person_id\"\ntheir_column = \"user_id\"\n";
const PROSPECT: &str = "
    [erase]\nkeep = [\"person_id\"]\n[erase.anonymise]\nlast_name = \"null\"\nseen_on = \"null\"\n
    [[dependent]]\ntable = \"members\"\ncolumn = \"prospect_id\"\nrule = \"keep\"\n
    [[linked]]\ncategory = \"person\"\ncolumn = \"person_id\"\n
    [[linked]]\ncategory = \"member\"\ntheir_column = \"prospect_id\"\n";
const MEMBER: &str = "
    [erase]\nkeep = [\"prospect_id\"]\n[erase.anonymise]\nlast_name = \"null\"\nleft_on = \"null\"\n
    [[dependent]]\ntable = \"invoices\"\ncolumn = \"member_no\"\nrule = \"keep\"\nkeep = [\"paid_on\"]
    anonymise = { name = \"null\" }\nsince = \"paid_on\"\nperiod = \"7 years\"\nstarts = \"year-end\"\n";
const USER: &str = "
    [erase.anonymise]\nlast_name = \"null\"\nseen_on = \"null\"\n
    [[dependent]]\ntable = \"accounts\"\ncolumn = \"user_id\"\nrule = \"delete\"\n";
const CUSTOMER: &str = "version = 1\nsource = \"shop\"\ntable = \"customers\"\nlabel = \"{last_name}\"\n
    [[criterion]]\nname = \"inactive\"\nsince = \"seen_on\"\nperiod = \"3 years\"\n
    [erase]\nkeep = [\"crm_person\"]\n[erase.anonymise]\nlast_name = \"null\"\nseen_on = \"null\"\n
    [[linked]]\ncategory = \"person\"\ncolumn = \"crm_person\"\n";

pub struct Office {
    pub bench: Bench,
    pub store: Arc<Store>,
    pub desk: Desk,
    pub workshop: Workshop,
}

/// The settings and sources, without a state.
pub async fn bench() -> Bench {
    let bench = Bench::with_sql(SQL).await;
    let settings = "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\n
        [source.shop]\nurl = \"sqlite:shop.db\"\n";
    std::fs::write(bench.dir.path().join("erasured.toml"), settings).unwrap();
    let shop = Bench::with_sql(SHOP).await;
    std::fs::copy(shop.database(), bench.dir.path().join("shop.db")).unwrap();
    bench
        .category("person", &category("persons", "seen_on", &format!("unit = \"branch\"\n{PERSON}")))
        .category("prospect", &category("prospects", "seen_on", PROSPECT))
        .category("member", &category("members", "left_on", MEMBER))
        .category("user", &category("users", "seen_on", USER))
        .file("customer", CUSTOMER);
    bench
}

impl Office {
    /// Everybody who is due is proposed.
    pub async fn open() -> Self {
        let bench = bench().await;
        let clock: SharedClock = Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap()));
        let path = bench.dir.path().join("state.db");
        let store = Arc::new(Store::create(&path, Arc::clone(&clock)).await.unwrap());
        let settings = Arc::new(bench.settings());
        let keys = Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) };
        let held = Board::new(bench.settings());
        let checkpoint = Arc::clone(&keys.checkpoint);
        let desk = Desk::new(Arc::clone(&store), held, keys.fingerprint.clone(), &checkpoint, Arc::clone(&clock));
        let workshop = Workshop { store: Arc::clone(&store), settings, keys, clock };
        let office = Self { bench, store, desk, workshop };
        let report = office.run(JobKind::Prepare).await;
        assert_eq!(report.total().named().find(|(name, _)| name == "proposed").map(|(_, n)| n), Some(9), "{report:?}");
        office
    }

    /// The same office with another setting at the top of a category's file.
    pub fn with_setting(self, category: &str, setting: &str) -> Self {
        let path = self.bench.dir.path().join(format!("categories/{category}.toml"));
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before.replacen("table =", &format!("{setting}\ntable ="), 1)).unwrap();
        let settings = Arc::new(self.bench.settings());
        let workshop = Workshop { settings, ..self.workshop };
        let held = Board::new(self.bench.settings());
        let (key, checkpoint) = (workshop.keys.fingerprint.clone(), Arc::clone(&workshop.keys.checkpoint));
        let desk = Desk::new(Arc::clone(&self.store), held, key, &checkpoint, Arc::clone(&workshop.clock));
        Self { desk, workshop, ..self }
    }

    /// A run, to its end; nothing may trouble it.
    pub async fn run(&self, job: JobKind) -> RunReport {
        let (ended, report) = self.ended(job).await;
        assert!(ended.contains("Done"), "{ended}");
        report
    }

    /// A run, and how it ended.
    pub async fn ended(&self, job: JobKind) -> (String, RunReport) {
        self.watched(job, &|_| {}).await
    }

    /// The same, looked at whenever it asks whether it is to stop.
    pub async fn watched(&self, job: JobKind, look: &(dyn Fn(RunId) + Send + Sync)) -> (String, RunReport) {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let trigger = RunTrigger::Manual { actor: leave(&[]).actor().clone(), request: None };
        let id = change.queue_run(job, &trigger, false).await.unwrap();
        change.start_run(id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let run = self.store.run(id).await.unwrap().unwrap();
        let stop = || {
            look(id);
            false
        };
        perform(&self.workshop, &run, &stop).await.unwrap();
        let run = self.store.run(id).await.unwrap().unwrap();
        (format!("{:?}", run.state), run.report)
    }

    /// What a final run would do now, a line for each record.
    pub async fn foreseen(&self) -> Vec<String> {
        let mut said = Vec::new();
        let mut watcher = |Foreseen { record, future }: Foreseen| {
            said.push(match future {
                Future::Erased(preview) => format!("{record} {}", preview.planned.outcome.as_str()),
                Future::Returned(reason) => format!("{record} returned: {reason}"),
                Future::Withdrawn(reason) => format!("{record} withdrawn: {reason}"),
                Future::Held => format!("{record} held"),
                _ => format!("{record} ?"),
            });
        };
        let _ = foresee(&self.workshop, JobKind::Erase, &mut watcher).await.unwrap();
        said.sort();
        said
    }

    pub async fn confirm(&self, record: &str, with: &[&str]) -> Result<Vec<Decided>, DeskError> {
        let with = With { records: with.iter().map(|record| target(record)).collect(), all_linked: false };
        self.desk.confirm_together(&leave(&[]), "request", &[target(record)], &with).await
    }

    pub async fn confirm_all_linked(&self, record: &str) -> Result<Vec<Decided>, DeskError> {
        let with = With { records: Vec::new(), all_linked: true };
        self.desk.confirm_together(&leave(&[]), "request", &[target(record)], &with).await
    }

    pub async fn decide(&self, wish: Wish, record: &str) {
        self.desk.decide(&leave(&[]), "request", wish, &[target(record)]).await.unwrap();
    }

    /// The verdict over a record's linked records, as text.
    pub async fn verdict(&self, leave: &Authorised, record: &str) -> String {
        let card = self.desk.show(leave, &record.parse().unwrap()).await.unwrap();
        card.linked.map_or_else(|| "nothing is linked\n".to_owned(), |verdict| written(&verdict))
    }

    /// Where the last proposal of each of these records stands, and why.
    pub async fn states(&self, records: &[&str]) -> Vec<String> {
        let mut said = Vec::new();
        for record in records {
            let proposal = self.store.proposal(&record.parse().unwrap()).await.unwrap().unwrap();
            let together = proposal.together.map(|_| " (together)").unwrap_or_default();
            let why = match proposal.life.state() {
                erasured::proposal::State::Proposed { returned: Some(reason), .. } => format!(": {reason}"),
                _ => String::new(),
            };
            said.push(format!("{record} {}{together}{why}", proposal.life.state()));
        }
        said
    }
}

pub fn target(record: &str) -> Target {
    Target { record: record.parse::<RecordRef>().unwrap(), version: None }
}

/// Leave to do anything, or only in these categories.
pub fn leave(categories: &[&str]) -> Authorised {
    let identity = Identity { uid: 7, user: "vera".into(), groups: Default::default() };
    let limit = categories.iter().map(|name| name.parse().unwrap()).collect();
    let reach = Reach { categories: (!categories.is_empty()).then_some(limit), ..Reach::default() };
    let grant = Grant {
        users: ["vera".to_owned()].into(),
        groups: Default::default(),
        permissions: [Permission::View].into(),
        reach,
    };
    authorise(&Asker::alone(identity), Permission::View, &[grant], "2026-11-21".parse().unwrap(), 0).unwrap()
}

fn written(verdict: &LinkedVerdict) -> String {
    let mut text = String::new();
    for one in &verdict.records {
        let name = one.record.as_ref().map_or_else(|| "another record".to_owned(), ToString::to_string);
        let standing = match &one.standing {
            Standing::Due { origin: Origin::Clerk } => "marked by a clerk".to_owned(),
            Standing::Due { origin } => {
                format!("due under {} since {}", origin.criterion().unwrap(), origin.due_on().unwrap())
            }
            Standing::Blocked { until, reason } => {
                format!("blocked until {}: {reason}", until.map_or("-".to_owned(), |day| day.to_string()))
            }
            Standing::Free { reason } => format!("free: {reason}"),
            Standing::Erased => "erased".to_owned(),
            Standing::Unknown { problem } => format!("unknown: {problem}"),
        };
        let outcome = |of: Option<erasured::desk::Outcome>| of.map_or("-", erasured::desk::Outcome::as_str);
        let place = if one.is_beside { "" } else { ", elsewhere" };
        writeln!(text, "{name} {standing} [{} / {}{place}]", outcome(one.alone), outcome(one.together)).unwrap();
    }
    writeln!(text, "=> {verdict}").unwrap();
    text
}
