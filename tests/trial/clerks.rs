//! What clerks do, through the client, as clerks do it.

use std::collections::BTreeSet;

use crate::process::{Answer, Site};
use crate::world::PAIRS;

/// A record is not asked about again before this day.
pub const UNTIL: &str = "2199-01-01";

/// Confirms everything of a category's first unit that is proposed now; gives how many records that are.
pub fn confirm_unit(site: &Site, category: &str) -> u64 {
    let (count, answer) = ask_to_confirm_unit(site, category);
    assert!(count == 0 || (answer.code == 0 && answer.json()["done"] == count), "{answer:?}");
    count
}

/// The same, where somebody may decide otherwise meanwhile: then it is none.
pub fn try_to_confirm_unit(site: &Site, category: &str) -> u64 {
    let (count, answer) = ask_to_confirm_unit(site, category);
    if answer.code == 0 { count } else { 0 }
}

fn ask_to_confirm_unit(site: &Site, category: &str) -> (u64, Answer) {
    let set = ["--category", category, "--state", "proposed", "--unit", "1"];
    let listed = site.json(&["list"].into_iter().chain(set).chain(["--digest"]).collect::<Vec<_>>());
    let (digest, count) = (listed["digest"].as_str().unwrap().to_owned(), listed["records"].as_u64().unwrap());
    let count_text = count.to_string();
    let words = ["confirm", "--all", "--digest", &digest, "--yes-confirm", &count_text, "--json"];
    (count, site.ctl(&words.into_iter().chain(set).collect::<Vec<_>>()))
}

/// Confirms every person together with their membership.
pub fn confirm_pairs(site: &Site) -> u64 {
    let persons: Vec<String> = (1..=PAIRS).map(|id| format!("person/{id}")).collect();
    let count = persons.len().to_string();
    let words = ["confirm", "--with-linked", "--yes-confirm", &count];
    let answer = site.json(&words.into_iter().chain(persons.iter().map(String::as_str)).collect::<Vec<_>>());
    answer["done"].as_u64().unwrap()
}

/// Postpones these records, far into the future.
pub fn postpone(site: &Site, records: &BTreeSet<String>) {
    let words = ["postpone", "--until", UNTIL, "--reason", "complaint under way"];
    site.json(&words.into_iter().chain(records.iter().map(String::as_str)).collect::<Vec<_>>());
}

/// Sets a legal hold on each of these records.
pub fn hold(site: &Site, records: &BTreeSet<String>) {
    for record in records {
        site.json(&["hold", record, "--reason", "lawsuit", "--reference", "3 Cg 17/26"]);
    }
}

/// Runs a job to its end, which must be a good one.
pub fn run_to_the_end(site: &Site, job: &str) {
    let answer = site.ctl(&["run", job, "--wait", "--json"]);
    let said = answer.stderr.lines().rev().nth(1).or(answer.stderr.lines().last()).unwrap_or_default();
    let is_done = answer.code == 0 && answer.json()["state"] == "done";
    assert!(is_done, "a run of {job} did not end well: {said}");
}
