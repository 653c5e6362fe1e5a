//! Legal holds over the real desk, the real state and a real source: what is held is not erased, whoever comes too late is
//! told so, and a hold ends as the settings say.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests themselves do")]

#[expect(dead_code, reason = "the bench is made for other targets too")]
mod common;
#[path = "holds/ends.rs"]
mod ends;
#[path = "holds/late.rs"]
mod late;
#[path = "holds/reasons.rs"]
mod reasons;
#[cfg(feature = "failpoints")]
#[path = "holds/steps.rs"]
mod steps;

use std::sync::Arc;

use erasured::actor::{Asker, Authorised, Grant, Identity, Permission, Reach, authorise};
use erasured::audit::CheckpointKey;
use erasured::clock::{Clock as _, SetClock, SharedClock};
use erasured::desk::{
    Board, Counts, Desk, DeskError, HeldRecord, HoldRefused, JobKind, ListOrder, ProposalFilter, Reason, ReasonKind,
    RunOutcome, RunState, StateName, Target, Wanted, WhichHold, Wish,
};
use erasured::jobs::{Foreseen, Future, Keys, Workshop, foresee, perform};
use erasured::record::RecordRef;
use erasured::store::{RunTrigger, Store};
use tokio::sync::{Mutex, MutexGuard};

use common::{Bench, key};

/// Customers 1 to 3 are due, customer 2 has an order that stays; customer 4 is not due.
const SQL: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, last_name TEXT, branch TEXT, last_contact_on TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ship_name TEXT);
    CREATE INDEX orders_customer ON orders (customer_id);
    INSERT INTO customers VALUES (1, 'Maier', 'graz', '2020-01-01'), (2, 'Huber', 'graz', '2020-02-01'),
                                 (3, 'Gruber', 'linz', '2020-03-01'), (4, 'Bauer', 'linz', '2026-10-01');
    INSERT INTO orders VALUES (10, 2, 'Huber');";
const CUSTOMER: &str = "table = \"customers\"\nlabel = \"{last_name}\"\nunit = \"branch\"\nidentity = [\"last_name\"]\n
    [[criterion]]\nname = \"inactive\"\nsince = \"last_contact_on\"\nperiod = \"3 years\"\n
    [erase]\nkeep = [\"branch\"]\n[erase.anonymise]\nlast_name = \"null\"\nlast_contact_on = \"null\"\n
    [[dependent]]\ntable = \"orders\"\ncolumn = \"customer_id\"\nrule = \"keep\"\nanonymise = { ship_name = \"null\" }\n";

/// Places in a batch are armed for the whole process: tests that erase take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// An office with a desk, a state, a source, and jobs that are run when they are asked for.
struct Office {
    bench: Bench,
    store: Arc<Store>,
    clock: Arc<SetClock>,
    settings: Board,
    desk: Desk,
    keys: Keys,
    _turn: MutexGuard<'static, ()>,
}

impl Office {
    /// With this beside what every office has in `erasured.toml`.
    async fn with(settings: &str) -> Self {
        let turn = TURN.lock().await;
        let bench = Bench::with_sql(SQL).await;
        bench.category("customer", CUSTOMER);
        let clock = Arc::new(SetClock::new("2026-11-21T09:00:00Z".parse().unwrap()));
        let shared: SharedClock = Arc::clone(&clock) as SharedClock;
        let store = Arc::new(Store::create(&bench.dir.path().join("state.db"), Arc::clone(&shared)).await.unwrap());
        let board = Board::new(bench.settings());
        let keys = Keys { fingerprint: key(), checkpoint: Arc::new(CheckpointKey::from_secret(&[7; 32])) };
        let desk = Desk::new(Arc::clone(&store), board.clone(), keys.fingerprint.clone(), &keys.checkpoint, shared);
        let office = Self { bench, store, clock, settings: board, desk, keys, _turn: turn };
        office.set(settings);
        office
    }

    /// The same with everything proposed that is due.
    async fn prepared(settings: &str) -> Self {
        let office = Self::with(settings).await;
        assert_eq!(office.run(JobKind::Prepare).await.proposed, 3);
        office
    }

    /// From now on this stands in `erasured.toml` too.
    fn set(&self, settings: &str) {
        let top = "version = 1\ntime_zone = \"Europe/Vienna\"\n[source.app]\nurl = \"sqlite:app.db\"\n";
        std::fs::write(self.bench.dir.path().join("erasured.toml"), format!("{top}{settings}")).unwrap();
        self.settings.post(Arc::new(self.bench.settings()), &[]);
    }

    fn workshop(&self) -> Workshop {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock) as SharedClock);
        Workshop { store, settings: self.desk.settings(), keys: self.keys.clone(), clock }
    }

    /// Runs a job; gives what it did.
    async fn run(&self, job: JobKind) -> Counts {
        let mut turn = self.store.turn().await;
        let mut change = turn.begin().await.unwrap();
        let trigger = RunTrigger::Manual { actor: vera(Permission::Run).actor().clone(), request: None };
        let id = change.queue_run(job, &trigger, false).await.unwrap();
        change.start_run(id).await.unwrap();
        change.commit().await.unwrap();
        drop(turn);
        let run = self.store.run(id).await.unwrap().unwrap();
        perform(&self.workshop(), &run, &|| false).await.unwrap();
        let run = self.store.run(id).await.unwrap().unwrap();
        assert!(matches!(run.state, RunState::Finished { outcome: RunOutcome::Done, .. }), "{:?}", run.state);
        run.report.total()
    }

    async fn confirm(&self, keys: &[&str]) {
        let targets: Vec<_> = keys.iter().map(|key| Target { record: record(key), version: None }).collect();
        self.desk.decide(&vera(Permission::Decide), "r", Wish::Confirm, &targets).await.unwrap();
    }

    /// Vera holds a record under this reference.
    async fn hold(&self, key: &str, reference: &str) -> Result<HeldRecord, DeskError> {
        let reason = Reason::new("the heirs of Maier have asked").unwrap();
        self.desk.hold(&vera(Permission::Hold), "r-hold", &record(key), &reason, reference).await
    }

    async fn held(&self) -> Vec<HeldRecord> {
        self.desk.holds(&vera(Permission::Hold), None, 100).await.unwrap().items
    }

    async fn state(&self, key: &str) -> StateName {
        self.store.proposal(&record(key)).await.unwrap().unwrap().life.state().name()
    }

    /// What the trail says of a record, the first first.
    async fn told(&self, key: &str) -> Vec<String> {
        let filter = erasured::desk::TrailFilter { record: Some(record(key)), run: None };
        let page = self.desk.trail(&vera(Permission::Audit), filter, None, 100).await.unwrap();
        page.items.into_iter().rev().map(|told| format!("{}: {}", told.entry.kind, told.summary)).collect()
    }

    async fn customers(&self) -> Vec<String> {
        self.bench.rows("SELECT id, last_name FROM customers ORDER BY id").await
    }
}

fn record(key: &str) -> RecordRef {
    format!("customer/{key}").parse().unwrap()
}

/// Somebody who may do this with records of these units.
fn somebody(uid: u32, user: &str, permission: Permission, units: Option<&[&str]>) -> Authorised {
    let identity = Identity { uid, user: user.into(), groups: Default::default() };
    let units = units.map(|units| units.iter().map(ToString::to_string).collect());
    let grant = Grant {
        users: [user.to_owned()].into(),
        groups: Default::default(),
        permissions: [permission].into(),
        reach: Reach { units, ..Reach::default() },
    };
    authorise(&Asker::alone(identity), permission, &[grant], "2026-11-21".parse().unwrap(), 0).unwrap()
}

fn vera(permission: Permission) -> Authorised {
    somebody(1000, "vera", permission, None)
}

/// Why a hold was refused.
#[track_caller]
fn refused<T>(result: Result<T, DeskError>) -> HoldRefused {
    match result {
        Err(DeskError::Hold(_, refused)) => refused,
        Err(error) => panic!("refused otherwise: {error:?}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn what_is_held_is_not_erased_until_it_is_released() {
    let office = Office::prepared("").await;
    office.confirm(&["1", "2", "3"]).await;
    let held = office.hold("1", "3 Cg 17/26").await.unwrap();
    assert_eq!((held.label.unwrap().reveal(), held.days, held.has_changed), ("Maier", 0, false));
    office.hold("4", "3 Cg 17/26").await.unwrap();
    assert_eq!(refused(office.hold("1", "3 Cg 17/26").await), HoldRefused::HeldAlready(held.hold.id));
    let card = office.desk.show(&vera(Permission::View), &record("1")).await.unwrap();
    assert_eq!(card.blocked[0].reason, "held since 2026-11-21: the heirs of Maier have asked (3 Cg 17/26)");
    assert_eq!(card.item.held_since, Some("2026-11-21".parse().unwrap()));
    let wanted = Wanted { filter: ProposalFilter::open(), order: ListOrder::default(), text: None };
    let listing = office.desk.list(&vera(Permission::View), wanted, None, 10).await.unwrap();
    let since: Vec<_> = listing.items.iter().map(|item| item.held_since.is_some()).collect();
    assert_eq!(since, [true, false, false]);

    let mut foreseen = Vec::new();
    let mut watch = |one: Foreseen| {
        if matches!(one.future, Future::Held) {
            foreseen.push(one.record);
        }
    };
    let (dry, _) = foresee(&office.workshop(), JobKind::Erase, &mut watch).await.unwrap();
    assert_eq!(foreseen, [record("1")]);
    let counts = office.run(JobKind::Erase).await;
    for counts in [dry.total(), counts] {
        assert_eq!((counts.deleted, counts.anonymised, counts.held, counts.left), (1, 1, 1, 1));
    }
    assert_eq!(office.state("1").await, StateName::Confirmed);
    assert_eq!(office.customers().await, ["1|'Maier'", "2|NULL", "4|'Bauer'"]);

    office.desk.release(&vera(Permission::Hold), "r", &record("1"), &WhichHold::Only, None).await.unwrap();
    let counts = office.run(JobKind::Erase).await;
    assert_eq!((counts.deleted, counts.held, counts.left), (1, 0, 0));
    assert_eq!(
        office.told("1").await.iter().map(|told| told.split(':').next().unwrap()).collect::<Vec<_>>(),
        ["proposed", "confirmed", "hold_set", "hold_released", "batch_intent", "erased"]
    );
}

#[tokio::test]
async fn prepare_proposes_what_is_held() {
    let office = Office::with("").await;
    office.hold("1", "A 1").await.unwrap();
    assert_eq!(office.run(JobKind::Prepare).await.proposed, 3);
    assert_eq!(office.state("1").await, StateName::Proposed);
}

#[tokio::test]
async fn what_is_out_of_scope_cannot_be_told_from_what_is_not_there() {
    let office = Office::prepared("").await;
    let graz = somebody(1001, "kurt", Permission::Hold, Some(&["graz"]));
    let reason = Reason::new("because").unwrap();
    let said = |key: &'static str| {
        let (office, graz, reason) = (&office, &graz, &reason);
        async move {
            let error = office.desk.hold(graz, "r", &record(key), reason, "A 1").await.unwrap_err();
            format!("{error:?}").replace(&format!("{:?}", record(key)), "RECORD")
        }
    };
    assert_eq!(said("3").await, said("99").await);
    assert_eq!(said("3").await, "NoSuchRecord(RECORD)");
    office.hold("1", "A 1").await.unwrap();
    office.hold("3", "A 1").await.unwrap();
    let page = office.desk.holds(&graz, None, 1).await.unwrap();
    assert_eq!((page.total, page.items.len(), page.next), (1, 1, None));
    for key in ["3", "99"] {
        let released = office.desk.release(&graz, "r", &record(key), &WhichHold::Only, None).await;
        assert_eq!(refused(released), HoldRefused::NoSuchHold);
    }
    office.desk.release(&graz, "r", &record("1"), &WhichHold::Only, None).await.unwrap();
}
