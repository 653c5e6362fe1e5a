//! What clerks do, through the client, as clerks do it.

use std::collections::BTreeSet;

use crate::process::Site;
use crate::world::PAIRS;

/// A record is not asked about again before this day.
const UNTIL: &str = "2199-01-01";

/// Confirms everything of a category's first unit that is proposed now; gives how many records that are.
pub fn confirm_unit(site: &Site, category: &str) -> u64 {
    let set = ["--category", category, "--state", "proposed", "--unit", "1"];
    let listed = site.json(&["list"].into_iter().chain(set).chain(["--digest"]).collect::<Vec<_>>());
    let (digest, count) = (listed["digest"].as_str().unwrap().to_owned(), listed["records"].as_u64().unwrap());
    if count == 0 {
        return 0;
    }
    let count_text = count.to_string();
    let words = ["confirm", "--all", "--digest", &digest, "--yes-confirm", &count_text];
    let answer = site.json(&words.into_iter().chain(set).collect::<Vec<_>>());
    assert_eq!(answer["done"], count, "{answer}");
    count
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
