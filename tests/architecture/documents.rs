//! What the documents say where something is: it is there.

use std::fs;
use std::path::Path;

/// Where the names of files in the documents begin.
const BEGINNINGS: [&str; 5] = ["src/", "tests/", "config/", "systemd/", "docs/"];

/// The files, and the tests in them (`tests/kill/erase.rs::name`), that a document names and that are not there.
pub fn leads_nowhere(root: &Path, document: &str) -> Vec<String> {
    let words = document.split('`').skip(1).step_by(2);
    let names = words.filter(|word| BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)));
    // Behind a blank stand arguments; a star stands for many.
    let names = names.filter_map(|word| word.split_whitespace().next()).filter(|name| !name.contains('*'));
    names.filter(|name| !is_there(root, name)).map(str::to_owned).collect()
}

fn is_there(root: &Path, name: &str) -> bool {
    let (path, test) = name.split_once("::").map_or((name, None), |(path, test)| (path, Some(test)));
    let path = root.join(path);
    match test {
        None => path.exists(),
        Some(test) => fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("fn {test}("))),
    }
}
