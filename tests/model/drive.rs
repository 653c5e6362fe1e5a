//! Lets the engine loose on a world and holds whatever it does against the oracle.

use std::collections::{BTreeMap, BTreeSet};

use erasured::erasure::{BatchPlan, Claim, Engine, Ruling, preview};
use erasured::proposal::{Outcome, WithdrawReason};
use erasured::record::{CategoryName, Fingerprint, IdentityVersion, KeyPart, KeyType, RecordKey, Value};
use erasured::source::{Mapping, Reader, Writer};

use super::foretell::{Erased, Expected};
use super::genes::Genes;
use super::oracle::Oracle;
use super::world::{Cell, Rows, World};
use super::{build, meddle, rows, write};
use crate::common::{Bench, INSTALLATION, MemoryJournal, due, key};

/// Rounds of prepare and erase; in the last ones everything that is due is confirmed.
const ROUNDS_MAX: usize = 9;
/// Rounds in which only some are confirmed.
const ROUNDS_OF_CHOICE: usize = 2;

/// What came of a case in which everything was as the oracle says: how much of each there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub batches: u64,
    pub surveys: u64,
    pub deleted: u64,
    pub anonymised: u64,
    pub ruled_out: u64,
    pub refused: u64,
    /// Dependents' rows: deleted, changed, left, shared.
    pub dependents: [u64; 4],
    /// Records that are not due because of a dependent's own period.
    pub retained: u64,
}

/// A case on its way.
pub struct Case<'g> {
    genes: &'g Genes,
    pub bench: Bench,
    pub world: World,
    pub rows: Rows,
    /// Records that have been anonymised, with the fingerprint that the plan foresaw.
    anonymised: BTreeMap<usize, Fingerprint>,
    /// Records that the database refused: they are with the clerk.
    refused: BTreeSet<RecordKey>,
    tally: Tally,
    /// Violated foreign keys before the first batch, counted.
    violations: BTreeMap<String, usize>,
}

/// Runs a case; panics where engine and oracle part. `None` where the settings do not pass `check`.
pub async fn run(genes: &Genes) -> Option<Tally> {
    let world = build::world(genes)?;
    let rows = rows::rows(genes, &world);
    let bench = Bench::with_sql(&write::sql(&world, &rows)).await;
    bench.category("record", &write::category(&world));
    for (index, table) in world.tables.iter().enumerate().filter(|(_, table)| table.is_other_category) {
        bench.category(&format!("other-{index}"), &write::other_category(table));
    }
    if std::env::var_os("MODEL_SHOW").is_some() {
        show(&write::sql(&world, &rows));
        show(&write::category(&world));
    }
    let checked = bench.check("record").await;
    let Some(mapping) = checked.mapping else {
        if std::env::var_os("MODEL_UNFIT").is_some() {
            show(&crate::common::rendered(&checked.findings));
        }
        return None;
    };
    let mut case = Case {
        genes,
        bench,
        world,
        rows,
        anonymised: BTreeMap::new(),
        refused: BTreeSet::new(),
        tally: Tally::default(),
        violations: BTreeMap::new(),
    };
    assert_eq!(case.bench.dump().await, case.dump(), "the model and the database begin alike");
    case.violations = case.violations().await;
    case.rounds(&mapping).await;
    assert_eq!(case.bench.rows("PRAGMA integrity_check").await, ["'ok'"]);
    let now = case.violations().await;
    for (violation, count) in &now {
        let before = case.violations.get(violation).copied().unwrap_or(0);
        assert!(*count <= before, "more foreign keys are violated than before: {violation}");
    }
    Some(case.tally)
}

#[expect(clippy::print_stderr, reason = "for whoever looks for the cause of a failure")]
fn show(text: &str) {
    eprintln!("{text}");
}

impl Case<'_> {
    pub fn oracle(&self) -> Oracle<'_> {
        Oracle { world: &self.world, rows: &self.rows, today: self.bench.today }
    }

    async fn violations(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        let sql = "SELECT \"table\", parent, fkid FROM pragma_foreign_key_check";
        for violation in self.bench.rows(sql).await {
            *counted.entry(violation).or_insert(0) += 1;
        }
        counted
    }

    /// What the database must hold now.
    fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let shown = |values: &Vec<Cell>| values.iter().map(Cell::shown).collect::<Vec<_>>().join("|");
        self.world
            .tables
            .iter()
            .zip(&self.rows)
            .map(|(table, rows)| {
                let mut lines: Vec<String> = rows.iter().flatten().map(shown).collect();
                lines.sort();
                (table.name.clone(), lines)
            })
            .collect()
    }

    async fn rounds(&mut self, mapping: &Mapping) {
        let source = self.bench.source(&self.bench.settings());
        let mut reader = source.reader().await.unwrap();
        let mut writer = source.writer().await.unwrap();
        for round in 0..ROUNDS_MAX {
            let claims = self.claims(&mut reader, mapping).await;
            if claims.is_empty() {
                break;
            }
            assert!(round + 1 < ROUNDS_MAX, "it does not come to an end");
            let claims = self.confirmed(round, claims);
            let keys: Vec<RecordKey> = claims.iter().map(|claim| claim.key.clone()).collect();
            let surveys = self.genes.run[16] % 4;
            if surveys == 1 {
                // What the application does meanwhile is not in it.
                writer.survey(mapping, &keys, &mut reader).await.unwrap();
            }
            if round == 0 {
                self.meddle().await;
                self.violations = self.violations().await;
            }
            if surveys > 1 {
                writer.survey(mapping, &keys, &mut reader).await.unwrap();
                self.tally.surveys += u64::from(writer.is_surveyed() && mapping.surveyed().next().is_some());
            }
            let size = 1 + usize::from(self.genes.run[2] % 6);
            for batch in claims.chunks(size) {
                self.batch(&mut reader, &mut writer, mapping, batch).await;
            }
        }
        reader.close().await;
        writer.close().await;
    }

    /// The record's key in its text form; `None` where a row cannot be named.
    pub fn key(&self, row: usize) -> Option<RecordKey> {
        let table = &self.world.tables[0];
        let values = self.rows[0][row].as_ref()?;
        let mut types = Vec::new();
        let mut parts = Vec::new();
        for column in &table.key {
            let is_text = table.columns[*column].declared == "TEXT";
            types.push(if is_text { KeyType::Text } else { KeyType::Other });
            parts.push(match &values[*column] {
                Cell::Null => return None,
                Cell::Integer(integer) => KeyPart::Integer(*integer),
                Cell::Text(text) => KeyPart::Text(text.clone()),
            });
        }
        RecordKey::from_parts(&parts, &types).ok()
    }

    pub fn row_of(&self, key: &RecordKey) -> Option<usize> {
        (0..self.rows[0].len()).find(|row| self.key(*row).as_ref() == Some(key))
    }

    pub fn fingerprint(&self, row: usize) -> Option<Fingerprint> {
        let values = self.rows[0][row].as_ref()?;
        let identity: Vec<Value> = self
            .world
            .identity
            .iter()
            .map(|column| match &values[*column] {
                Cell::Null => Value::Null,
                Cell::Integer(integer) => Value::Integer(*integer),
                Cell::Text(text) => Value::text(text),
            })
            .collect();
        let version = IdentityVersion::of(&self.world.tables[0].names(&self.world.identity));
        let category: CategoryName = "record".parse().unwrap();
        Some(key().fingerprint(&category, &self.key(row)?, &version, &identity))
    }

    /// Prepares: exactly the due records are found, and those known as anonymised are passed over.
    async fn claims(&mut self, reader: &mut Reader, mapping: &Mapping) -> Vec<Claim> {
        let (found, passed_over) = due(reader, mapping, &self.bench.day()).await;
        let oracle = self.oracle();
        let expected: BTreeSet<RecordKey> =
            (0..self.rows[0].len()).filter(|row| oracle.is_due(*row)).filter_map(|row| self.key(row)).collect();
        let keys: BTreeSet<RecordKey> = found.iter().map(|claim| claim.key.clone()).collect();
        assert_eq!(keys, expected, "due");
        assert_eq!(found.len(), keys.len(), "no record is found twice");
        self.tally.retained += passed_over.retained;
        let mut claims = Vec::new();
        for claim in found {
            let row = self.row_of(&claim.key).unwrap();
            assert_eq!(Some(&claim.fingerprint), self.fingerprint(row).as_ref(), "fingerprint");
            match self.anonymised.get(&row) {
                Some(after) => assert_eq!(*after, claim.fingerprint, "an anonymised record is known again"),
                None if self.refused.contains(&claim.key) => {}
                None => claims.push(claim),
            }
        }
        claims
    }

    /// The records that the clerks confirm, in the order in which the job comes for them.
    fn confirmed(&self, round: usize, mut claims: Vec<Claim>) -> Vec<Claim> {
        if self.genes.run[3] % 2 == 1 {
            claims.reverse();
        }
        let at = self.genes.run[3 + round % 2] % 4;
        let turn = usize::from(at) % claims.len();
        claims.rotate_left(turn);
        let mask = self.genes.run[20 + round % 4];
        let mut chosen = Vec::new();
        for (index, claim) in claims.into_iter().enumerate() {
            if round >= ROUNDS_OF_CHOICE || mask >> (index % 8) & 1 == 0 {
                chosen.push(claim);
            }
        }
        chosen
    }

    /// The application goes on meanwhile.
    async fn meddle(&mut self) {
        let mut connection = self.bench.connect().await;
        for gene in &self.genes.meddling {
            meddle::meddle(&mut connection, &self.world, &mut self.rows, gene).await;
        }
        sqlx::Connection::close(connection).await.unwrap();
    }

    /// One batch: what the oracle says of it, then what the engine does, then both side by side.
    async fn batch(&mut self, reader: &mut Reader, writer: &mut Writer, mapping: &Mapping, claims: &[Claim]) {
        let before = self.rows.clone();
        let mut expected = Expected::default();
        self.foretell(claims, &mut expected);
        let after = std::mem::replace(&mut self.rows, before);
        let keys = self.to_be_erased(claims);
        let foreseen = preview(reader, mapping, &key(), &keys).await.unwrap();
        let journal = self.erase(reader, writer, mapping, claims).await;
        self.rows = after;
        let refused: Vec<RecordKey> = journal.refused.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(refused, expected.refused, "who is refused: {:?}", journal.refused);
        let ruled: BTreeMap<RecordKey, &'static str> =
            journal.ruled_out.iter().map(|(key, ruling)| (key.clone(), short(ruling))).collect();
        assert_eq!(ruled, expected.ruled_out, "who is ruled out");
        let (actual, wanted) = (self.bench.dump().await, self.dump());
        for (table, rows) in &wanted {
            assert_eq!(actual.get(table), Some(rows), "rows of {table}");
        }
        assert_eq!(actual.len(), wanted.len(), "tables");
        assert_eq!(journal.committed.len(), expected.erased.len(), "batches");
        if let ([plan], true) = (journal.committed.as_slice(), refused.is_empty()) {
            let dry: Vec<String> = foreseen.iter().map(|preview| format!("{:?}", preview.planned)).collect();
            let wet: Vec<String> = plan.records.iter().map(|planned| format!("{planned:?}")).collect();
            assert_eq!(dry, wet, "a dry run is the run");
        }
        for (plan, (records, effects)) in journal.committed.iter().zip(&expected.erased) {
            self.audit(plan, records, effects);
        }
        self.tally.ruled_out += ruled.len() as u64;
        self.tally.refused += refused.len() as u64;
        self.refused.extend(refused);
    }

    async fn erase(
        &self,
        reader: &mut Reader,
        writer: &mut Writer,
        mapping: &Mapping,
        claims: &[Claim],
    ) -> MemoryJournal {
        let mut journal = MemoryJournal::default();
        let last_committed = writer.marker(INSTALLATION).await.unwrap().map(|id| id.parse().unwrap());
        let day = self.bench.day();
        let key = key();
        let mut engine = Engine {
            reader,
            writer,
            mapping,
            day: &day,
            key: &key,
            installation: INSTALLATION,
            last_committed,
            log_pages_max: 0,
            gap: std::time::Duration::ZERO,
            released: None,
        };
        engine.erase(&mut journal, claims.to_vec()).await.unwrap();
        journal
    }

    /// What the plan says is what has happened.
    fn audit(&mut self, plan: &BatchPlan, records: &[usize], erased: &Erased) {
        let effects = &erased.effects;
        assert_eq!(plan.records.len(), records.len());
        let mut counts = vec![[0_u64; 4]; self.world.nodes.len()];
        for ((planned, row), after) in plan.records.iter().zip(records).zip(&erased.afters) {
            let is_gone = effects.gone.contains(&(0, *row));
            assert_eq!(planned.outcome, if is_gone { Outcome::Deleted } else { Outcome::Anonymised });
            assert_eq!(planned.after, *after, "fingerprint after");
            match &planned.after {
                Some(after) => {
                    self.tally.anonymised += 1;
                    self.anonymised.insert(*row, after.clone());
                }
                None => self.tally.deleted += 1,
            }
            for dependent in &planned.dependents {
                let node: usize = dependent.name.trim_start_matches("node-").parse().unwrap();
                counts[node][0] += dependent.deleted;
                counts[node][1] += dependent.changed;
                counts[node][2] += dependent.left - dependent.shared;
                counts[node][3] += dependent.shared;
            }
        }
        self.tally.batches += 1;
        for (total, more) in
            self.tally.dependents.iter_mut().zip((0..4).map(|kind| counts.iter().map(|c| c[kind]).sum::<u64>()))
        {
            *total += more;
        }
        assert_eq!(counts[1..], effects.counts[1..], "deleted, changed, left and shared, by dependent");
    }
}

fn short(ruling: &Ruling) -> &'static str {
    use erasured::proposal::ReturnReason;
    match ruling {
        Ruling::Erase(_) => "erased",
        Ruling::Withdraw(WithdrawReason::Gone) => "gone",
        Ruling::Withdraw(WithdrawReason::AnotherPerson) => "another person",
        Ruling::Withdraw(_) => "no longer due",
        Ruling::Return(ReturnReason::ChangedPerson, _) => "changed person",
        Ruling::Return(ReturnReason::OtherCriterion, _) => "other criterion",
        Ruling::Return(..) => "other",
    }
}
