//! What must hold when it is over: of the trail, of the ledger, and of the two with one another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::belief::Belief;
use crate::common::Bench;
use crate::process::Site;
use crate::world::table_of;

/// Of what went wrong so much is told.
const TOLD: usize = 6;

/// What is on record about a state in which no batch is open.
pub struct Record {
    /// Every erased record, `category/key`, with what became of it.
    pub erased: BTreeMap<String, String>,
    /// Batches that were found committed at a start.
    pub found_committed: u64,
    /// Batches that were found not committed, at a start or at once.
    pub rolled_back: u64,
    /// Batches with an outcome.
    pub batches: u64,
}

/// Fails with what is wrong, where anything is.
pub fn assert_none(what: &str, wrong: &[String]) {
    let told = wrong[..wrong.len().min(TOLD)].join("\n  ");
    assert!(wrong.is_empty(), "{what} ({} in all):\n  {told}", wrong.len());
}

fn records(entry: &Value) -> Vec<(String, String)> {
    let details = &entry["details"];
    let mut found = Vec::new();
    for group in details["records"].as_array().unwrap() {
        let [category, outcome] = ["category", "outcome"].map(|name| group[name].as_str().unwrap());
        for key in group["keys"].as_array().unwrap() {
            found.push((format!("{category}/{}", key.as_str().unwrap()), outcome.to_owned()));
        }
    }
    found
}

/// The batches of a trail: what each was to do, which have ended, and what contradicts itself.
#[derive(Default)]
struct Batches {
    intents: BTreeMap<String, BTreeMap<String, String>>,
    ended: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Batches {
    fn begin(&mut self, batch: String, records: Vec<(String, String)>) {
        if let Some(before) = self.intents.insert(batch.clone(), records.into_iter().collect()) {
            self.wrong.push(format!("batch {batch} has two intents, the first with {} records", before.len()));
        }
    }

    fn end(&mut self, batch: &str, how: &str) {
        if !self.ended.insert(batch.to_owned()) {
            self.wrong.push(format!("batch {batch} is {how}, and had ended before"));
        }
    }

    /// Fails where something contradicts itself, or a batch has no end.
    fn assert_whole(&mut self) {
        let open = self.intents.keys().filter(|batch| !self.ended.contains(*batch));
        self.wrong.extend(open.map(|batch| format!("batch {batch} has no end")));
        assert_none("the trail", &self.wrong);
    }
}

impl Record {
    /// Reads the trail and the ledger of a daemon that is up, and holds them against one another.
    pub async fn read(site: &Site) -> Self {
        let mut record = Self { erased: BTreeMap::new(), found_committed: 0, rolled_back: 0, batches: 0 };
        let mut batches = Batches::default();
        for entry in site.trail() {
            let batch = entry["details"]["batch"].as_str().unwrap_or_default().to_owned();
            match entry["kind"].as_str().unwrap() {
                "batch_intent" => batches.begin(batch, records(&entry)),
                "batch_settled" if entry["details"]["settled"] == "committed" => record.found_committed += 1,
                "batch_settled" => {
                    record.rolled_back += 1;
                    batches.end(&batch, "rolled back");
                }
                "erased" => record.take_erased(&entry, &batch, &mut batches),
                _ => {}
            }
        }
        batches.assert_whole();
        record.hold_against_ledger(site).await;
        record
    }

    fn take_erased(&mut self, entry: &Value, batch: &str, batches: &mut Batches) {
        self.batches += 1;
        let told = records(entry);
        batches.end(batch, "committed");
        if batches.intents.get(batch) != Some(&told.iter().cloned().collect()) {
            batches.wrong.push(format!("batch {batch} did not end as was intended"));
        }
        for (name, outcome) in told {
            if self.erased.insert(name.clone(), outcome).is_some() {
                batches.wrong.push(format!("{name} is erased twice on the record"));
            }
        }
    }

    async fn hold_against_ledger(&self, site: &Site) {
        let mut wrong = Vec::new();
        let mut seen = BTreeSet::new();
        for row in site.now("SELECT category || '/' || key, outcome FROM ledger").await {
            let (name, outcome) = row.split_once('|').unwrap();
            let (name, outcome) = (name.trim_matches('\'').to_owned(), outcome.trim_matches('\''));
            if self.erased.get(&name).map(String::as_str) != Some(outcome) {
                wrong.push(format!("{name} is {outcome} in the ledger and {:?} in the trail", self.erased.get(&name)));
            }
            if !seen.insert(name.clone()) {
                wrong.push(format!("{name} is in the ledger twice"));
            }
        }
        wrong.extend(
            self.erased.keys().filter(|name| !seen.contains(*name)).map(|name| format!("{name} is not in the ledger")),
        );
        let erased = site.now("SELECT category || '/' || key FROM proposal WHERE state = 'erased' ORDER BY 1").await;
        let erased: Vec<&str> = erased.iter().map(|name| name.trim_matches('\'')).collect();
        if erased != self.erased.keys().map(String::as_str).collect::<Vec<_>>() {
            wrong.push(format!(
                "{} proposals are erased, and {} records in the trail",
                erased.len(),
                self.erased.len()
            ));
        }
        assert_none("the ledger", &wrong);
    }

    /// That the database holds what the application has written, less what was erased, and nothing else.
    pub async fn assert_explains(&self, bench: &Bench, belief: &Belief) {
        let mut expected = belief.clone();
        let mut wrong = Vec::new();
        for (name, outcome) in &self.erased {
            let (category, key) = name.split_once('/').unwrap();
            let table = table_of(category);
            let Some(row) = belief.row(table, key) else {
                wrong.push(format!("{name} was gone, and is {outcome} on the record"));
                continue;
            };
            let has_orders = category == "customer" && belief.referring("orders", "customer_id", &row[0]) > 0;
            let due = if has_orders { "anonymised" } else { "deleted" };
            if outcome != due {
                wrong.push(format!("{name} is {outcome}, and should be {due}"));
            }
            match category {
                "customer" => expected.erase_customer(key),
                "user" => expected.erase_user(key),
                _ => expected.erase_alone(table, key),
            }
        }
        assert_none("the trail against the application's log", &wrong);
        assert_none("rows of the database", &expected.differences(&Belief::read(bench).await));
    }
}

/// That the trail verifies, by the daemon and without one.
pub fn assert_trail_verifies(site: &Site) {
    site.assert_trail_holds();
    let [trail, checkpoints] = ["trail.jsonl", "checkpoints.txt"].map(|name| site.dir.join(name).display().to_string());
    std::fs::write(&trail, site.ctl(&["audit", "export"]).stdout).unwrap();
    std::fs::write(&checkpoints, site.ctl(&["audit", "checkpoints"]).stdout).unwrap();
    let key = site.ctl(&["audit", "checkpoints", "--public-key"]).stdout;
    let words = ["audit", "verify", "--file", &trail, "--checkpoints", &checkpoints, "--public-key", key.trim()];
    let verified = site.ctl(&words);
    assert_eq!(verified.code, 0, "the exported trail does not verify: {verified:?}");
}

/// That the source's marker carries the batch that the state knows as the last, and no batch is open.
pub async fn assert_settled(bench: &Bench, site: &Site) {
    let marker = bench.rows("SELECT batch FROM erasured_commit").await;
    let last = site.now("SELECT lower(hex(last_batch)) FROM source_state").await;
    assert_eq!(marker, last, "the marker of the source, and the last batch of the state");
    let open = site.now("SELECT count(*) FROM batch WHERE state = 'open'").await;
    assert_eq!(open, ["0"], "batches are open");
}
