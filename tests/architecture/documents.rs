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

/// The links of a document, `[words](file.md#heading)`, that lead to no file or no heading; `folder` is where the document lies.
pub fn broken_links(folder: &Path, document: &str) -> Vec<String> {
    let links = document.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    links.filter(|link| !link.contains("://") && !leads_somewhere(folder, document, link)).map(str::to_owned).collect()
}

fn leads_somewhere(folder: &Path, document: &str, link: &str) -> bool {
    let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
    let other = (!file.is_empty()).then(|| fs::read_to_string(folder.join(file)));
    let text = match &other {
        None => document,
        Some(Ok(text)) => text,
        Some(Err(_)) => return false,
    };
    heading.is_none_or(|heading| text.lines().any(|line| anchor(line).as_deref() == Some(heading)))
}

/// What a heading is linked by: its letters, digits and hyphens, in lower case, with hyphens for blanks.
fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = heading.chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
    Some(kept.map(|one| if one == ' ' { '-' } else { one }).flat_map(char::to_lowercase).collect())
}
