//! Kills the daemon, over and over, and looks what is left of everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::aim::Aim;
use crate::application::{Application, BUSY_TIMEOUT, Phase};
use crate::belief::Belief;
use crate::clerks;
use crate::common::Bench;
use crate::dice::Dice;
use crate::process::Site;
use crate::reckoning::{Record, assert_none, assert_settled, assert_trail_verifies};
use crate::tell;
use crate::world::{JOURNALS, LONG_AGO, PAIRS, world};

/// Kills of one database, at most.
const OF_ONE: usize = 30;
/// One of so many is for its prepare runs.
const OF_PREPARE: usize = 4;
/// So many customers are postponed, and as many held.
const SET_ASIDE: usize = 8;
/// Aims that missed because nothing was left to do, before a database is given up.
const MISSES_MAX: usize = 3;

/// What came of it.
#[derive(Debug, Default)]
pub struct Counts {
    pub kills: usize,
    pub databases: usize,
    /// Kills by where they were.
    pub aims: BTreeMap<&'static str, usize>,
    /// Kills that left a batch without an outcome.
    pub in_flight: usize,
    pub found_committed: u64,
    pub rolled_back: u64,
    pub batches: u64,
    pub erased: usize,
    /// Confirmed, and changed, seen again or gone before they were erased.
    pub spared: usize,
    pub writes: u64,
    pub longest_ms: u64,
}

impl Counts {
    /// All of it in one sentence.
    pub fn sentence(&self) -> String {
        format!(
            "killed {} times over {} databases ({} kills with a batch in flight, of which {} were found committed and {} were \
             not): {} confirmed and unchanged records were erased once and {} others were spared, in {} batches beside {} writes \
             of the application, none of which waited longer than {} ms, and trail, ledger and every row are as they must be.",
            self.kills,
            self.databases,
            self.in_flight,
            self.found_committed,
            self.rolled_back,
            self.erased,
            self.spared,
            self.batches,
            self.writes,
            self.longest_ms
        )
    }
}

/// Kills it so often. The counts are there also when something is found to be wrong.
pub async fn kills(wanted: usize, seed: u64, counts: &mut Counts) {
    let mut dice = Dice::new(seed);
    let of_one = wanted.div_ceil(JOURNALS.len()).min(OF_ONE);
    while counts.kills < wanted {
        let journal = JOURNALS[counts.databases % JOURNALS.len()];
        let (kills, erased) = (counts.kills, counts.erased);
        Round::begin(journal, &mut dice).await.play(&mut dice, of_one.min(wanted - kills), counts).await;
        counts.databases += 1;
        tell(format_args!(
            "database {} ({journal}): {} kills, {} records erased",
            counts.databases,
            counts.kills - kills,
            counts.erased - erased
        ));
    }
    for (aim, count) in &counts.aims {
        tell(format_args!("{count:>6} at {aim}"));
    }
}

/// One database, the application that writes to it, and a daemon that is killed.
struct Round {
    bench: Bench,
    site: Site,
    application: Application,
    log: PathBuf,
    /// What was in it at the beginning.
    start: Belief,
}

impl Round {
    async fn begin(journal: &str, dice: &mut Dice) -> Self {
        let bench = world(journal).await;
        let start = Belief::read(&bench).await;
        let log = bench.dir.path().join("application.log");
        let application = Application::start(&bench.database(), &log, dice.throw());
        Self { site: Site::at(bench.dir.path()), bench, application, log, start }
    }

    async fn play(mut self, dice: &mut Dice, wanted: usize, counts: &mut Counts) {
        self.application.go_on(Phase::Coming);
        let mut aims = aims_of_prepare(dice);
        aims.truncate(wanted.div_ceil(OF_PREPARE));
        let rest = wanted - aims.len();
        self.kill("prepare", &aims, dice, counts).await;
        let (before, wanted_records) = self.decide(dice);
        self.application.go_on(Phase::Everything);
        let mut aims = aims_of_erase(dice);
        aims.truncate(rest);
        self.kill("erase", &aims, dice, counts).await;
        self.end(&before, &wanted_records, counts).await;
    }

    async fn kill(&self, job: &str, aims: &[Aim], dice: &mut Dice, counts: &mut Counts) {
        let mut misses = 0;
        for aim in aims {
            if aim.kill(&self.site, job, dice) {
                *counts.aims.entry(aim.name()).or_default() += 1;
            } else {
                *counts.aims.entry("rest, for nothing led there").or_default() += 1;
                misses += 1;
            }
            counts.kills += 1;
            counts.in_flight += self.open_batches().await;
            if misses == MISSES_MAX {
                break;
            }
        }
    }

    /// Batches without an outcome in what a killed daemon has left. A state that was never finished has none.
    async fn open_batches(&self) -> usize {
        if !self.site.state_db().exists() {
            return 0;
        }
        self.site.state().rows("SELECT 1 FROM batch WHERE state = 'open'").await.len()
    }

    /// The clerks decide; gives what the application had written by then, and the records that are confirmed and not held.
    fn decide(&mut self, dice: &mut Dice) -> (Belief, BTreeSet<String>) {
        let daemon = self.site.daemon();
        self.site.idle();
        let entries = self.application.go_on(Phase::Calm);
        let before = self.start.after(&self.log, Some(entries));
        clerks::run_to_the_end(&self.site, "prepare");
        let mut customers = due(&before, "customers", "customer", "last_contact_on");
        let users = due(&before, "users", "user", "last_seen_on");
        let mut aside: Vec<String> = customers.iter().cloned().collect();
        dice.shuffle(&mut aside);
        let postponed: BTreeSet<String> = aside.drain(..SET_ASIDE).collect();
        let held: BTreeSet<String> = aside.drain(..SET_ASIDE).collect();
        clerks::postpone(&self.site, &postponed);
        customers.retain(|name| !postponed.contains(name));
        assert_eq!(
            clerks::confirm_unit(&self.site, "customer"),
            customers.len() as u64,
            "customers that are confirmed"
        );
        assert_eq!(clerks::confirm_unit(&self.site, "user"), users.len() as u64, "users that are confirmed");
        assert_eq!(clerks::confirm_pairs(&self.site), 2 * u64::try_from(PAIRS).unwrap(), "persons and members");
        clerks::hold(&self.site, &held);
        customers.retain(|name| !held.contains(name));
        daemon.stop();
        let pairs = (1..=PAIRS).flat_map(|id| [format!("person/{id}"), format!("member/M-{id}")]);
        (before, customers.into_iter().chain(users).chain(pairs).collect())
    }

    /// Lets the daemon do the rest, and holds everything against everything.
    async fn end(mut self, before: &Belief, confirmed: &BTreeSet<String>, counts: &mut Counts) {
        let site = &self.site;
        let daemon = site.daemon();
        site.idle();
        self.application.go_on(Phase::Calm);
        clerks::run_to_the_end(site, "erase");
        let fared = self.application.end();
        assert_none("the application was locked out", &fared.errors);
        assert!(
            u128::from(fared.longest_ms) < BUSY_TIMEOUT.as_millis(),
            "the application waited {} ms",
            fared.longest_ms
        );
        let runs = site.runs();
        assert!(runs.iter().all(|run| run["state"] == "done" || run["state"] == "stopped"), "{runs:?}");
        let after = self.start.after(&self.log, None);
        let record = Record::read(site).await;
        let wanted: BTreeSet<&String> = confirmed.iter().filter(|name| is_unchanged(name, before, &after)).collect();
        let missed = wanted.iter().filter(|name| !record.erased.contains_key(**name));
        assert_none("confirmed and unchanged, and not erased", &missed.map(ToString::to_string).collect::<Vec<_>>());
        let wrongly = record.erased.keys().filter(|name| !wanted.contains(name));
        assert_none("erased, and should not have been", &wrongly.cloned().collect::<Vec<_>>());
        record.assert_explains(&self.bench, &after).await;
        self.bench.assert_sound().await;
        assert_settled(&self.bench, site).await;
        assert_trail_verifies(site);
        let proposed = site.entries("proposed").len();
        assert!(proposed > 0, "nothing was ever proposed");
        daemon.stop();
        counts.found_committed += record.found_committed;
        counts.rolled_back += record.rolled_back;
        counts.batches += record.batches;
        counts.erased += record.erased.len();
        counts.spared += confirmed.len() - wanted.len();
        counts.writes += fared.committed;
        counts.longest_ms = counts.longest_ms.max(fared.longest_ms);
    }
}

/// The records of a table's first unit that are due.
fn due(belief: &Belief, table: &str, category: &str, since: &str) -> BTreeSet<String> {
    let is_due = |row| belief.cell(table, row, since) == LONG_AGO && belief.cell(table, row, "branch_id") == 1;
    belief.rows(table).filter(|(_, row)| is_due(row)).map(|(key, _)| format!("{category}/{key}")).collect()
}

/// Whether the record is the person that it was, and still due, by what the application has written. Whoever is
/// confirmed together with another is only when the other is, too.
fn is_unchanged(name: &str, before: &Belief, after: &Belief) -> bool {
    let (category, key) = name.split_once('/').unwrap();
    let alike = |table: &str, key: &str, columns: &[&str]| match (before.row(table, key), after.row(table, key)) {
        (Some(then), Some(now)) => {
            columns.iter().all(|column| before.cell(table, then, column) == after.cell(table, now, column))
        }
        _ => false,
    };
    match category {
        "customer" => alike("customers", key, &["last_name", "email", "last_contact_on"]),
        "user" => alike("users", key, &["real_name", "last_seen_on"]),
        _ => {
            let id = key.trim_start_matches("M-");
            let columns = ["last_name", "seen_on"];
            alike("persons", id, &columns) && alike("members", &format!("M-{id}"), &columns)
        }
    }
}

fn aims_of_prepare(dice: &mut Dice) -> Vec<Aim> {
    let mut aims = vec![
        Aim::Place("prepare-proposed", 1),
        Aim::Place("prepare-proposed", 1 + dice.below(2)),
        Aim::Place("run-finishing", 1),
        Aim::Place("brake-looked", 1),
        Aim::Place("start-noted", 1),
        Aim::Start,
        Aim::Start,
        Aim::Run,
    ];
    dice.shuffle(&mut aims);
    aims
}

/// Places first, as long as there is something left for them; behind one that leaves a batch open comes a start that is killed
/// while it settles it.
fn aims_of_erase(dice: &mut Dice) -> Vec<Aim> {
    let mut places = vec![
        vec![Aim::Place("brake-looked", 1 + dice.below(2))],
        vec![Aim::Place("batch-locked", 1 + dice.below(3))],
        vec![Aim::Place("batch-planned", 1 + dice.below(3))],
        vec![Aim::Place("intent-written", 1), Aim::Place("start-noted", 1), Aim::Place("source-settled", 1)],
        vec![Aim::Place("batch-changed", 1 + dice.below(3)), Aim::Start],
        vec![Aim::Place("batch-marked", 1 + dice.below(3)), Aim::Place("source-settled", 1)],
        vec![Aim::Place("batch-committed", 1), Aim::Place("start-noted", 1), Aim::Place("source-settled", 1)],
        vec![Aim::Place("batch-committed", 1 + dice.below(3)), Aim::Start],
        vec![Aim::Place("outcome-written", 1 + dice.below(2))],
    ];
    dice.shuffle(&mut places);
    // What was confirmed together is erased first, and is few.
    places.insert(0, vec![Aim::Place("category-changed", 1 + dice.below(4))]);
    let moments = vec![Aim::Run; OF_ONE];
    let ends = (0..OF_ONE).map(|_| if dice.below(4) == 0 { Aim::Place("run-finishing", 1) } else { Aim::Start });
    let between = moments.into_iter().zip(ends).flat_map(|(moment, end)| [moment, end]);
    places.into_iter().flatten().chain(between).collect()
}
