//! Every statement on the source fails once: before it is carried out, and after it was, when nobody is told of it. The run
//! ends as far as it can, the next one does the rest, and the end is the same as if nothing had failed.
//!
//! Which statement fails is counted for a whole process, and most of a run is waiting: so the jobs are run in this very
//! process, started as many times over as there are shares of the statements to let fail.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use erasured::actor::{Asker, Authorised, Grant, Identity, Permission, Reach, authorise};
use erasured::audit::CheckpointKey;
use erasured::clock::{SetClock, SharedClock};
use erasured::desk::{Board, Desk, Reason, Wish, With};
use erasured::erasure::{Engine, EngineError, Joined};
use erasured::jobs::{Keys, Workshop, perform};
use erasured::proposal::RemovalStep;
use erasured::record::RecordKey;
use erasured::source::Surveyed;
use erasured::store::{JobKind, Run, RunOutcome, RunState, RunTrigger, Store, Target};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};

use crate::common::watched::Watched;
use crate::common::{Bench, INSTALLATION, MemoryJournal, key, rows};
use crate::process::copied_from;

/// Customers 2 and 9 have an order that stays; 3 is held, 4 is postponed, nobody has decided about 5, 6 is not due. Customers 8
/// and 9 are contacts too, and were confirmed together with them.
const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, last_contact_on TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT);
    CREATE TABLE contacts (id INTEGER PRIMARY KEY, last_name TEXT, seen_on TEXT,
                           customer_id INTEGER REFERENCES customers (id));
    CREATE INDEX orders_customer ON orders (customer_id);
    CREATE INDEX contacts_customer ON contacts (customer_id);
    INSERT INTO customers VALUES (1, 'A', '2015-01-01'), (2, 'B', '2015-01-01'), (3, 'C', '2015-01-01'),
        (4, 'D', '2015-01-01'), (5, 'E', '2015-01-01'), (6, 'F', '2099-01-01'), (8, 'H', '2015-01-01'),
        (9, 'I', '2015-01-01');
    INSERT INTO orders VALUES (20, 2, 'B'), (60, 6, 'F'), (90, 9, 'I');
    INSERT INTO contacts VALUES (18, 'H', '2015-01-01', 8), (19, 'I', '2015-01-01', 9);
    ANALYZE;";
/// Customers 10 and 11 were confirmed, 11 with a contact, and have been in touch since. Customer 12 has a contact that is held.
const CONFIRMED: &str = "
    INSERT INTO customers VALUES (10, 'J', '2015-01-01'), (11, 'K', '2015-01-01'), (12, 'L', '2015-01-01');
    INSERT INTO contacts VALUES (21, 'K', '2015-01-01', 11), (22, 'L', '2015-01-01', 12);";
const IN_TOUCH: &str = "UPDATE customers SET last_contact_on = '2099-01-01' WHERE id IN (10, 11)";
/// How many of those who were confirmed are held: customers 3 and 12, and the contact.
const HELD: u64 = 3;
/// An index for full-text search that goes by numbers of rows which are given anew when the whole file is written anew.
const SEARCH: &str = "
    CREATE TABLE notes (text TEXT);
    INSERT INTO notes VALUES ('word1'), ('word2'), ('word3');
    DELETE FROM notes WHERE text = 'word1';
    CREATE VIRTUAL TABLE found USING fts5(text, content = 'notes');
    INSERT INTO found (found) VALUES ('rebuild');";
/// Finds the third note, unless the notes have other numbers and the index for full-text search has not.
const FINDS: &str = "SELECT n.text FROM found f JOIN notes n ON n.rowid = f.rowid WHERE found MATCH 'word3'";
const CUSTOMER: &str = r#"table = "customers"
    label = "{last_name}"
    brake.share = "100 %"
    [[criterion]]
    name = "inactive"
    since = "last_contact_on"
    period = "3 years"
    [erase.anonymise]
    last_name = "null"
    last_contact_on = "null"
    [[dependent]]
    table = "orders"
    column = "customer_id"
    rule = "keep"
    anonymise = { ship_name = "null" }
    [[dependent]]
    table = "contacts"
    column = "customer_id"
    rule = "keep"
    "#;
const CONTACT: &str = r#"table = "contacts"
    label = "{last_name}"
    brake.share = "100 %"
    [[criterion]]
    name = "unseen"
    since = "seen_on"
    period = "3 years"
    [erase]
    keep = ["customer_id"]
    [erase.anonymise]
    last_name = "null"
    seen_on = "null"
    [[linked]]
    category = "customer"
    column = "customer_id"
    "#;
const SETTINGS: &str = "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\n
    lock_wait = \"50 ms\"\n[source.app.removal]\nfull_text = \"secure-delete\"
    vacuum = \"00:00-24:00\"\n";

/// Which share of the statements this process is to let fail; see [`Share`].
const SHARE: &str = "ERASURED_TEST_SHARE";
/// Processes for one kind of failure. They wait for most of their time.
const SHARES: usize = 6;

/// Statements are counted for the whole process, and jobs are run in it: the tests here take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// What the log says of statements that have failed.
static FAILED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// An office whose state is open.
struct Office {
    bench: Bench,
    workshop: Workshop,
}

fn clock() -> SharedClock {
    Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap()))
}

fn leave(permission: Permission) -> Authorised {
    let identity = Identity { uid: 7, user: "vera".into(), groups: Default::default() };
    let (users, reach) = (["vera".to_owned()].into(), Reach::default());
    let grant = Grant { users, groups: Default::default(), permissions: [permission].into(), reach };
    authorise(&Asker::alone(identity), permission, &[grant], "2026-11-21".parse().unwrap(), 0).unwrap()
}

fn target(record: &str) -> Target {
    Target { record: record.parse().unwrap(), version: None }
}

impl Office {
    /// One in which nothing was done yet.
    async fn new(journal: &str, more: &str) -> Self {
        let bench = Bench::with_sql(&format!("PRAGMA journal_mode = {journal}; {SQL}{more}")).await;
        std::fs::write(bench.dir.path().join("erasured.toml"), SETTINGS).unwrap();
        bench.category("customer", CUSTOMER).category("contact", CONTACT);
        let store = Store::create(&bench.dir.path().join("state.db"), clock()).await.unwrap();
        Self::over(bench, store)
    }

    /// A copy of one that lies in this folder.
    async fn copy_of(folder: &Path) -> Self {
        let bench = copied_from(folder, "2026-11-21".parse().unwrap());
        let store = Store::open(&bench.dir.path().join("state.db"), clock()).await.unwrap();
        Self::over(bench, store)
    }

    fn over(bench: Bench, store: Store) -> Self {
        let keys = Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) };
        let workshop = Workshop { store: Arc::new(store), settings: Arc::new(bench.settings()), keys, clock: clock() };
        Self { bench, workshop }
    }

    fn desk(&self) -> Desk {
        let (store, keys) = (Arc::clone(&self.workshop.store), &self.workshop.keys);
        Desk::new(store, Board::new(self.bench.settings()), keys.fingerprint.clone(), &keys.checkpoint, clock())
    }

    /// Runs a job. Whatever is wrong with a source never ends the daemon.
    async fn run(&self, job: JobKind) -> Run {
        let store = &self.workshop.store;
        let mut turn = store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let trigger = RunTrigger::Manual { actor: leave(Permission::Run).actor().clone(), request: None };
        let id = change.queue_run(job, &trigger, false).await.unwrap();
        change.start_run(id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let run = store.run(id).await.unwrap().unwrap();
        perform(&self.workshop, &run, &|| false).await.unwrap();
        store.run(id).await.unwrap().unwrap()
    }

    async fn run_well(&self, job: JobKind, what: &str) -> Run {
        let run = self.run(job).await;
        assert!(is_done(&run), "{what}: {run:?}");
        run
    }

    async fn decide(&self) {
        let (desk, leave) = (self.desk(), leave(Permission::Decide));
        for record in ["customer/1", "customer/2", "customer/3", "customer/10"] {
            desk.decide(&leave, "r", Wish::Confirm, &[target(record)]).await.unwrap();
        }
        let reason = Reason::new("complaint under way").unwrap();
        let postpone = Wish::Postpone { until: "2199-01-01".parse().unwrap(), reason: reason.clone() };
        desk.decide(&leave, "r", postpone, &[target("customer/4")]).await.unwrap();
        let all = With { records: Vec::new(), all_linked: true };
        for record in ["contact/18", "contact/19", "contact/21", "contact/22"] {
            assert_eq!(desk.confirm_together(&leave, "r", &[target(record)], &all).await.unwrap().len(), 2);
        }
        for held in ["customer/3", "contact/22"] {
            let held = held.parse().unwrap();
            desk.hold(&self::leave(Permission::Hold), "r", &held, &reason, "3 Cg 17/26").await.unwrap();
        }
    }

    /// Closes the state, so that the folder can be copied.
    async fn closed(self) -> Bench {
        Arc::try_unwrap(self.workshop.store).unwrap().close().await;
        self.bench
    }

    /// That nobody keeps the application out, nor reads on and on.
    async fn assert_unlocked(&self, what: &str) {
        let options = SqliteConnectOptions::new().filename(self.bench.database());
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        // A connection that was dropped may take a moment to be closed.
        let locked = connection.execute("BEGIN EXCLUSIVE").await;
        assert!(locked.is_ok(), "{what}: {locked:?}");
        connection.close().await.unwrap();
    }

    /// That searches find what they should, or that it is known that they may not.
    async fn assert_finds(&self, what: &str) {
        if self.bench.rows("SELECT 1 FROM sqlite_schema WHERE name = 'found'").await.is_empty() {
            return;
        }
        let is_owed = self.workshop.store.owed().await.unwrap().iter().any(|owed| owed.step == RemovalStep::Rebuild);
        assert!(is_owed || self.bench.rows(FINDS).await == ["'word3'"], "{what}: nobody knows that searches go wrong");
    }

    /// What there is at the end: the source, what is on record about each record, and where the proposals stand.
    async fn end(&self) -> Vec<String> {
        let state = SqliteConnectOptions::new().filename(self.bench.dir.path().join("state.db")).read_only(true);
        let mut state = SqliteConnection::connect_with(&state).await.unwrap();
        let mut end: Vec<String> =
            self.bench.dump().await.into_iter().map(|(table, rows)| format!("{table}: {rows:?}")).collect();
        for sql in [
            "SELECT 'erased', r.value->>'category', k.value, r.value->>'outcome', r.value->>'dependents'
             FROM audit a, json_each(a.details, '$.records') r, json_each(r.value, '$.keys') k
             WHERE a.kind = 'erased' ORDER BY 2, 3",
            "SELECT 'ledger', category, key, outcome FROM ledger ORDER BY category, key, id",
            "SELECT 'proposal', category, key, state, outcome, postponed_count FROM proposal ORDER BY category, key, id",
            "SELECT 'open', state FROM batch WHERE state = 'open'",
            "SELECT 'owed', step, why FROM removal",
            "SELECT 'closed', closed_reason FROM source_state WHERE closed_reason IS NOT NULL",
        ] {
            end.extend(rows(&mut state, sql).await);
        }
        state.close().await.unwrap();
        let verified = self.desk().verify(&leave(Permission::Audit)).await.unwrap();
        assert!(verified.report.fault.is_none(), "{:?}", verified.report);
        self.bench.assert_sound().await;
        end
    }
}

/// A share of the statements, each of which fails in a run of its own.
#[derive(Debug, Clone, Copy)]
struct Share<'a> {
    job: JobKind,
    /// Before or after it is carried out.
    place: &'a str,
    /// How it fails, and for how long.
    how: &'a str,
    first: usize,
    /// An office to begin with, as it lies there.
    start: &'a Path,
}

impl Share<'_> {
    /// Starts a process that sees to it.
    fn start(&self) -> Child {
        let Share { job, place, how, first, start } = self;
        let share = format!("{job} {place} {how} {first} {}", start.display());
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "statements::a_share", "--ignored", "--nocapture"])
            .env(SHARE, share)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Lets one statement after the other fail, until there are no more.
    #[expect(clippy::print_stdout, reason = "whoever has started this process reads what has failed")]
    async fn fail(&self) {
        let Share { job, place, how, first, start } = *self;
        let office = Office::copy_of(start).await;
        let whole = office.run_well(job, "undisturbed").await.report.total();
        let counts = [whole.deleted + whole.anonymised, whole.withdrawn, whole.returned];
        let reference = office.end().await;
        let are = |what: &str| reference.iter().filter(|line| line.starts_with(what)).count();
        let erased = if job == JobKind::Erase { 6 } else { 0 };
        let (expected, held) = if job == JobKind::Erase { ([6, 2, 1], HELD) } else { ([0; 3], 0) };
        assert_eq!((counts, whole.held), (expected, held));
        assert_eq!((are("'ledger'"), are("'open'") + are("'owed'") + are("'closed'")), (erased, 0), "{reference:?}");
        for failing in (first..).step_by(SHARES) {
            let office = Office::copy_of(start).await;
            fail::cfg(place, &format!("{}*off->{how}", failing - 1)).unwrap();
            let run = office.run(job).await;
            fail::remove(place);
            let said = failed();
            let what = format!("{job}, {place} {how}, statement {failing}: {said}{:?}", run.state);
            office.assert_unlocked(&what).await;
            office.assert_finds(&what).await;
            if is_done(&run) {
                assert_eq!(but_for_removal(office.end().await), but_for_removal(reference.clone()), "{what}");
            }
            let rest = office.run_well(job, &what).await;
            assert_eq!(office.end().await, reference, "{what}");
            let told = [&run, &rest].map(|run| run.report.total());
            let held = told.each_ref().map(|of| of.held);
            assert!(held[0] <= whole.held && held[1] == whole.held, "{what}: who is held is counted once: {held:?}");
            let told = told.map(|of| [of.deleted + of.anonymised, of.withdrawn, of.returned]);
            let told = [0, 1, 2].map(|of| told[0][of] + told[1][of]);
            assert_eq!(told, counts, "{what}: erased, withdrawn, returned are in the runs' reports");
            office.assert_finds(&what).await;
            if said.is_empty() {
                assert!(failing > SHARES, "no statement has failed");
                return;
            }
            print!("{said}");
        }
    }
}

fn is_done(run: &Run) -> bool {
    matches!(run.state, RunState::Finished { outcome: RunOutcome::Done, .. })
}

/// A run is done though something of the files is still owed, and an index for full-text search not yet written anew.
fn but_for_removal(mut end: Vec<String>) -> Vec<String> {
    end.retain(|line| !line.starts_with("'owed'") && !line.starts_with("found_"));
    end
}

/// What the log has said of statements that failed since it was asked last.
fn failed() -> String {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = String::from_utf8(std::mem::take(&mut failed)).unwrap();
    lines.lines().filter(|line| line.contains("failed at a failpoint")).map(|line| format!("{line}\n")).collect()
}

/// Keeps what the log says.
struct Kept;

impl std::io::Write for Kept {
    fn write(&mut self, words: &[u8]) -> std::io::Result<usize> {
        FAILED.lock().unwrap_or_else(PoisonError::into_inner).write(words)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
#[ignore = "a share of what the other tests here are about; they start it"]
async fn a_share() {
    let Ok(share) = std::env::var(SHARE) else { return };
    let words: Vec<&str> = share.splitn(5, ' ').collect();
    let [job, place, how, first, start] = words[..] else { panic!("{share}") };
    tracing_subscriber::fmt().with_writer(|| Kept).with_max_level(tracing::Level::ERROR).with_ansi(false).init();
    Share { job: job.parse().unwrap(), place, how, first: first.parse().unwrap(), start: Path::new(start) }
        .fail()
        .await;
}

/// Lets every statement of a job fail, each once in each of these ways; gives what was being done by those that did.
fn whichever_fails(job: JobKind, start: &Bench, ways: &[(&str, &str)]) -> BTreeSet<String> {
    let start = start.dir.path();
    let shares =
        ways.iter().flat_map(|(place, how)| (1..=SHARES).map(move |first| Share { job, place, how, first, start }));
    let started: Vec<(Share<'_>, Child)> = shares.map(|share| (share, share.start())).collect();
    let (mut failed, mut wrong) = (BTreeSet::new(), Vec::new());
    for (share, child) in started {
        let ended = child.wait_with_output().unwrap();
        let [said, told] = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if !ended.status.success() {
            wrong.push(format!("{share:?}:\n{told}"));
        }
        let doing = said.lines().filter_map(|line| line.split("doing=\"").nth(1)?.split('"').next());
        failed.extend(doing.map(str::to_owned));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    failed
}

/// Before a statement is carried out, and after it was.
const BEFORE: &str = "source-before";
const AFTER: &str = "source-after";
/// By SQLite's result codes: the disk fails, or a row is refused. Or the application keeps its lock for so long that what is
/// done about the first failure fails, too.
const DISK: &str = "1*return(10)->off";
const REFUSED: &str = "1*return(19)->off";
const LOCKED: &str = "2*return(5)->off";

/// An office in which everything is decided.
async fn decided(journal: &str, more: &str) -> Bench {
    let office = Office::new(journal, &format!("{CONFIRMED}{more}")).await;
    office.run_well(JobKind::Prepare, "prepare").await;
    office.decide().await;
    office.bench.sql(IN_TOUCH).await;
    office.closed().await
}

#[tokio::test]
async fn whichever_statement_of_a_final_run_fails_on_its_disk_the_end_is_the_same() {
    let _turn = TURN.lock().await;
    let failed = whichever_fails(JobKind::Erase, &decided("DELETE", SEARCH).await, &[(BEFORE, DISK), (AFTER, DISK)]);
    for doing in [
        "begin a batch",
        "change",
        "delete from",
        "verify a batch",
        "write the commit marker",
        "commit a batch",
        "read what is personal",
        "read where tables begin",
        "write the whole file anew",
    ] {
        assert!(failed.contains(doing), "{doing}: {failed:?}");
    }
}

#[tokio::test]
async fn whichever_statement_of_a_final_run_is_refused_or_locked_out_the_end_is_the_same() {
    let _turn = TURN.lock().await;
    let failed = whichever_fails(
        JobKind::Erase,
        &decided("WAL", "").await,
        &[(BEFORE, REFUSED), (BEFORE, LOCKED), (AFTER, LOCKED)],
    );
    for doing in ["roll a batch back", "read the commit marker", "move changes from the WAL to the database"] {
        assert!(failed.contains(doing), "{doing}: {failed:?}");
    }
}

#[tokio::test]
async fn whichever_statement_of_prepare_fails_nothing_is_proposed_twice() {
    let _turn = TURN.lock().await;
    let start = Office::new("WAL", "").await.closed().await;
    let failed = whichever_fails(JobKind::Prepare, &start, &[(BEFORE, DISK), (AFTER, DISK), (BEFORE, LOCKED)]);
    assert!(failed.contains("read records"), "{failed:?}");
}

/// Whatever goes wrong once a batch has the lock, the application need not wait until the run has come to its end.
#[tokio::test]
async fn a_batch_that_cannot_begin_lets_go_of_the_lock_at_once() {
    let _turn = TURN.lock().await;
    let office = Office::new("DELETE", "").await;
    // Found by looking at every order, once for all.
    office.bench.sql("DROP INDEX orders_customer").await;
    let (mapping, source) = (office.bench.mapping("customer").await, office.bench.source(&office.bench.settings()));
    let keys = [RecordKey::from_text("1")];
    for failing in 1.. {
        let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
        assert_eq!(writer.survey(&mapping, &keys, &mut reader).await.unwrap(), Surveyed::Holds);
        fail::cfg(BEFORE, &format!("{}*off->{DISK}", failing - 1)).unwrap();
        let begun = writer.begin(&mapping, &mut reader).await;
        fail::remove(BEFORE);
        let has_begun = begun.is_ok();
        if begun.is_err() {
            office.assert_unlocked(&format!("statement {failing}: {begun:?}")).await;
        }
        writer.close().await;
        reader.close().await;
        if has_begun {
            assert!(failing > 3, "to begin, to see the schema, to see that the survey holds");
            return;
        }
    }
}

/// What the source says to that is of no account: it is the state that is in the way, and nothing more may be begun.
#[tokio::test]
async fn a_journal_that_fails_stops_the_run_even_where_the_batch_cannot_be_rolled_back() {
    let _turn = TURN.lock().await;
    let office = Office::new("DELETE", "").await;
    let (mapping, source) = (office.bench.mapping("contact").await, office.bench.source(&office.bench.settings()));
    for together in [false, true] {
        let claims = office.bench.due("contact").await;
        let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
        let mut journal = Watched::new(|| ());
        journal.journal = MemoryJournal { fail_at: Some(1), ..MemoryJournal::default() };
        journal.meanwhile = Some(Box::new(|| fail::cfg(BEFORE, "return(5)").unwrap()));
        let mut engine = Engine {
            reader: &mut reader,
            writer: &mut writer,
            mapping: &mapping,
            day: &office.bench.day(),
            key: &key(),
            installation: INSTALLATION,
            last_committed: None,
            log_pages_max: 0,
            gap: Duration::ZERO,
            released: None,
        };
        let failed = if together {
            let joined = |claim| vec![Joined { category: mapping.category.clone(), claim }];
            engine.erase_joint(&mut journal, &[&mapping], claims.into_iter().map(joined).collect()).await.map(drop)
        } else {
            engine.erase(&mut journal, claims).await.map(drop)
        };
        fail::remove(BEFORE);
        assert!(matches!(failed, Err(EngineError::Journal(_))), "together: {together}: {failed:?}");
        writer.close().await;
        reader.close().await;
        office.assert_unlocked("closed").await;
        assert_eq!(office.bench.rows("SELECT count(*) FROM contacts").await, ["2"]);
    }
}

/// Erases customers while one statement of every attempt at the last of them is refused; `None` once that attempt has come
/// to its intent.
async fn refused_in_the_plan(failing: usize, together: bool) -> Option<Result<(), EngineError>> {
    let office = Office::new("DELETE", "").await;
    let (mapping, source) = (office.bench.mapping("customer").await, office.bench.source(&office.bench.settings()));
    let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
    let claims = office.bench.due("customer").await;
    let (count, culprit) = (claims.len(), claims.last().unwrap().clone());
    let arm = || fail::cfg(BEFORE, &format!("{failing}*off->{REFUSED}")).unwrap();
    let mut journal = Watched::new(|| ());
    journal.between = Box::new(|left| {
        fail::remove(BEFORE);
        if left.contains(&culprit.proposal) {
            arm();
        }
        Some(left.iter().copied().collect())
    });
    let mut engine = Engine {
        reader: &mut reader,
        writer: &mut writer,
        mapping: &mapping,
        day: &office.bench.day(),
        key: &key(),
        installation: INSTALLATION,
        last_committed: None,
        log_pages_max: 0,
        gap: Duration::ZERO,
        released: None,
    };
    arm();
    let done = if together {
        let joined = |claim| vec![Joined { category: mapping.category.clone(), claim }];
        engine.erase_joint(&mut journal, &[&mapping], claims.into_iter().map(joined).collect()).await.map(drop)
    } else {
        engine.erase(&mut journal, claims).await.map(drop)
    };
    fail::remove(BEFORE);
    writer.close().await;
    reader.close().await;
    if journal.intents.iter().any(|plan| plan.proposals.contains(&culprit.proposal)) {
        return None;
    }
    if done.is_ok() {
        let (committed, refused) = (&journal.journal.committed, &journal.journal.refused);
        assert_eq!(committed.iter().map(|plan| plan.records.len()).sum::<usize>(), count - 1, "statement {failing}");
        assert_eq!(refused.iter().map(|(key, _)| key).collect::<Vec<_>>(), [&culprit.key], "statement {failing}");
        office.bench.assert_sound().await;
    }
    Some(done)
}

#[tokio::test]
async fn a_record_for_which_there_can_be_no_plan_goes_back_alone() {
    let _turn = TURN.lock().await;
    for together in [false, true] {
        let mut planned = 0;
        for failing in 0.. {
            match refused_in_the_plan(failing, together).await {
                Some(Ok(())) => planned += 1,
                // A batch that cannot begin is nobody's fault.
                Some(Err(EngineError::Source(_))) if planned == 0 => {}
                Some(Err(error)) => panic!("statement {failing}: {error:?}"),
                None => break,
            }
        }
        assert!(planned > 3, "to look at the records, and to lay them out: {planned}");
    }
}
