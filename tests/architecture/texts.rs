//! What clerks read is in the catalogue, all of it, and nothing else is.
//!
//! Every text in the source that a clerk can come to read is looked up in the catalogue of `language`; every sentence of the
//! catalogue is looked up in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use erasured::language::sentences;

use super::scan::Scan;

/// Files and folders whose texts clerks come to read.
const SPOKEN: &[&str] = &[
    "src/actor/mod.rs",
    "src/admin",
    "src/audit/checkpoint.rs",
    "src/audit/verify.rs",
    "src/config/category.rs",
    "src/config/change",
    "src/config/period.rs",
    "src/config/words",
    "src/ctl",
    "src/desk",
    "src/erasure/open.rs",
    "src/erasure/verdict.rs",
    "src/jobs",
    "src/proof/header.rs",
    "src/proof/report.rs",
    "src/proof/scan.rs",
    "src/proposal",
    "src/record/key.rs",
    "src/record/name.rs",
    "src/source/error.rs",
    "src/source/shape.rs",
    "src/source/sqlite/proof/judge.rs",
    "src/store/decide.rs",
    "src/store/doubt.rs",
    "src/store/report.rs",
];
/// Files among them whose texts nobody reads there: the operator's log, the notices and the description of the interface stay
/// English.
const UNSPOKEN: [&str; 11] = [
    "src/admin/exposition.rs",
    "src/admin/house/metrics.rs",
    "src/admin/listener.rs",
    "src/admin/openapi.rs",
    "src/admin/peer.rs",
    "src/admin/routes.rs",
    "src/ctl/tongue.rs",
    "src/ctl/html.rs",
    "src/ctl/json.rs",
    "src/desk/notice.rs",
    "src/jobs/journal.rs",
];
/// The room in which every text is for people, single words too.
const CLIENT: &str = "src/ctl/";
/// Where help texts stand as comments on what they are about.
const HELP: &str = "src/ctl/args";

/// Texts of these files that no clerk reads in the source's words.
const EXCEPTIONS: [(&str, &str); 14] = [
    ("SQLite format 30", "how every database begins"),
    ("application/json", "a header of the request"),
    ("erasured", "a header of the request"),
    ("[K{line}", "moves the cursor"),
    ("{} and {last}", "joins names"),
    ("no such", "how a message of SQLite begins"),
    ("BatchId({self})", "for programmers"),
    ("read where proposals stand", OPERATORS),
    ("cannot {doing}", OPERATORS),
    ("cannot {doing} {table}: {message}", OPERATORS),
    ("{doing} {table} was to change {planned} rows and changed {changed}", OPERATORS),
    ("{count} rows of {table} {fault}", OPERATORS),
    ("cannot use the state", OPERATORS),
    ("{} of the records cannot be decided about so", "never told: every record is told of by itself"),
];

/// Why some texts stay English.
const OPERATORS: &str = "what goes wrong deep inside is for operators, with what the database says of it";

/// Sentences that others say in our name.
const FOREIGN: [(&str, &str); 14] = [
    ("Print help", "clap"),
    ("Print version", "clap"),
    ("Print this message or the help of the given subcommand(s)", "clap"),
    ("[COMMAND]", "clap"),
    ("see more with '--help'", "clap"),
    ("CURSOR", "clap, from the name of a field"),
    ("DIGEST", "clap, from the name of a field"),
    ("LANG", "clap, from the name of a field"),
    ("VALUE", "clap, from the name of a field"),
    ("invalid digit found in string", "the standard library, of a number"),
    ("number too large to fit in target type", "the standard library, of a number"),
    ("{typed} is not in {}", "clap, of a number"),
    ("already_open", "a count of a run in the trail"),
    ("partly", "the end of a run in the trail"),
];

/// What stands before a sentence for whoever reads the line: a sentence of its own.
const PREFIXES: [&str; 2] = ["error", "hint"];

/// A text as the catalogue writes it: what joins it to others is not part of it.
fn bare(text: &str) -> String {
    let text = text.trim();
    let text = PREFIXES.into_iter().find_map(|prefix| text.strip_prefix(prefix)?.strip_prefix(':')).unwrap_or(text);
    let text = text.trim_matches([' ', ',', ';', '\n']).trim_end_matches(": ").trim_start_matches(": ");
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inside.filter(|inside| !inside.contains(['(', ')'])).unwrap_or(text).to_owned()
}

/// What the text says itself, without its places.
fn said(text: &str) -> String {
    let (mut said, mut depth) = (String::new(), 0_usize);
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 => said.push(c),
            _ => {}
        }
    }
    said
}

/// Whether a text of the source is for people.
fn is_for_people(path: &str, text: &str) -> bool {
    let said = said(text);
    let has_words = said.chars().any(char::is_alphabetic);
    let is_path = text.starts_with('/') || text.contains("://");
    let is_machine_word = text.contains('_') && !text.contains([' ', '{']);
    let is_sql = ["SELECT", "FROM", "JOIN"].iter().any(|word| text.split_whitespace().any(|other| other == *word));
    has_words && !is_path && !is_machine_word && !is_sql && (path.starts_with(CLIENT) || text.contains(' '))
}

/// A text of the source with its escapes read.
fn unescaped(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some('\n')) => while rest.next_if(|c| c.is_whitespace()).is_some() {},
            ('\\', Some('n')) => {
                rest.next();
                text.push('\n');
            }
            ('\\', Some('r' | 't')) => drop(rest.next()),
            ('\\', Some('x')) => drop((rest.next(), rest.next(), rest.next())),
            ('\\', Some('u')) => while rest.next_if(|c| *c != '}').is_some() {},
            ('\\', Some(_)) => text.extend(rest.next()),
            _ => text.push(c),
        }
    }
    text
}

/// The end of what opens at `at` with a bracket.
fn end_of(code: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + offset;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Where no text is for people: in log messages, and in attributes that are no messages.
fn unspoken(scan: &Scan) -> Vec<std::ops::Range<usize>> {
    let code = &scan.code;
    let mut ranges = Vec::new();
    for (at, _) in code.match_indices("tracing::") {
        let open = code[at..].find(['(', '{', ';']).map_or(code.len(), |offset| at + offset);
        if code[at..open].ends_with('!') {
            ranges.push(at..end_of(code, open));
        }
    }
    for (at, _) in code.match_indices("#[") {
        let attribute = &code[at..end_of(code, at + 1)];
        if !attribute.starts_with("#[error(") {
            ranges.push(at..at + attribute.len());
        }
    }
    ranges
}

/// The texts of a file, bare.
fn texts_of(path: &str, source: &str) -> Vec<String> {
    let scan = Scan::of(source);
    let unspoken = unspoken(&scan);
    let is_spoken =
        |at: usize| scan.code[..at].ends_with("value_name = ") || !unspoken.iter().any(|range| range.contains(&at));
    let mut texts = Vec::new();
    for literal in scan.literals.iter().filter(|literal| is_spoken(literal.at)) {
        let text = unescaped(&literal.text);
        let prefix =
            PREFIXES.into_iter().find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(':')));
        texts.extend(prefix.map(str::to_owned));
        texts.push(bare(&text));
    }
    if path.starts_with(HELP) {
        texts.extend(comments(source));
    }
    texts
}

/// Help texts: what is said of what can be typed. Comments on several lines are one text, and a full stop at the end goes.
fn comments(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let (mut texts, mut open) = (Vec::new(), String::new());
    for line in code.lines().map(str::trim) {
        if let Some(more) = line.strip_prefix("///") {
            open = format!("{open}{more}");
        } else if !line.starts_with("//") && !line.starts_with("#[") && !open.is_empty() {
            let text = std::mem::take(&mut open);
            if !["const ", "fn ", "pub(super) fn "].iter().any(|item| line.starts_with(item)) {
                texts.push(text.trim().strip_suffix('.').unwrap_or(text.trim()).to_owned());
            }
        }
    }
    texts
}

fn files() -> io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<PathBuf> = SPOKEN.iter().map(|path| root.join(path)).collect();
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                for entry in fs::read_dir(&path)? {
                    open.push(entry?.path());
                }
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            if UNSPOKEN.contains(&below.as_str()) {
                continue;
            }
            files.push((below, fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

/// Texts for people that `known` lacks, ready to be pasted, by file.
fn missing(files: &[(String, String)], known: &BTreeSet<&str>) -> Vec<String> {
    let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for (path, source) in files {
        for text in texts_of(path, source) {
            let is_exception = EXCEPTIONS.iter().any(|(exception, _)| *exception == text);
            if is_for_people(path, &text)
                && !known.contains(text.as_str())
                && !is_exception
                && told.insert(text.clone())
            {
                missing.entry(path).or_default().push(format!("    ({text:?}, \"\"),"));
            }
        }
    }
    missing.into_iter().map(|(path, lines)| format!("    // {path}\n{}", lines.join("\n"))).collect()
}

#[test]
fn nothing_that_clerks_read_is_missing_from_the_catalogue() {
    let known = sentences().map(|(english, _)| english).collect();
    let missing = missing(&files().unwrap(), &known);
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn the_catalogue_knows_nothing_that_nobody_says() {
    let files = files().unwrap();
    let spoken: BTreeSet<String> = files.iter().flat_map(|(path, source)| texts_of(path, source)).collect();
    let is_said = |text: &str| spoken.contains(text) || FOREIGN.iter().any(|(foreign, _)| *foreign == text);
    let idle: Vec<&str> = sentences().map(|(english, _)| english).filter(|english| !is_said(english)).collect();
    assert!(idle.is_empty(), "the source does not say any more:\n{}", idle.join("\n"));
    let exceptions = EXCEPTIONS.iter().filter(|(text, _)| !spoken.contains(*text));
    let exceptions: Vec<&str> = exceptions.map(|(text, _)| *text).collect();
    assert!(exceptions.is_empty(), "exceptions for nothing:\n{}", exceptions.join("\n"));
}
