//! Reads the settings directory.
//!
//! Each file is first read as typed, into tables that know where they stand, and then as meant. No fault stops the reading
//! of anything else: the operator sees all of them at once. May be relied on: what is returned as [`Loaded`] has no fault
//! in it; a result without [`Settings`] has at least one. Never writes, and never opens a database.

mod brake;
mod category;
mod dependent;
mod document;
mod duration;
mod grant;
mod holds;
mod hours;
mod linked;
mod manual;
mod notice;
mod reasons;
mod removal;
mod retention;
mod rows;
mod rule;
mod section;
mod shape;
mod similar;
mod template;
mod top;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

pub use document::UNDECIDED;
use document::{Faults, File};
pub(super) use reasons::{FREE_TEXT, Flaw as ReasonsFlaw, check_name as check_reason_name};
pub(super) use rule::version as rule_version;
pub use similar::{listed, nearest};
use top::Top;
pub(super) use value::{NONE, typed_wording, value, wording};

use super::{Category, Finding, Settings, change};
use crate::record::CategoryName;

/// The file of everything but the categories.
const TOP_FILE: &str = "erasured.toml";
/// The directory of the categories.
const CATEGORIES_DIR: &str = "categories";
/// A settings file, in bytes. Thousands of lines fit.
const FILE_MAX_BYTES: u64 = 1 << 20;
/// Kinds of record that one daemon looks after.
const CATEGORIES_MAX: usize = 256;
/// Ends of files that editors and package managers leave behind.
const LEFT_BEHIND: [&str; 9] = ["~", "#", ".bak", ".orig", ".rej", ".swp", ".dpkg-new", ".dpkg-dist", ".dpkg-old"];

/// Settings without a fault, and what somebody should know all the same.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What stops nothing.
    pub warnings: Vec<Finding>,
}

/// Reads `erasured.toml` and `categories/*.toml` in `dir`.
///
/// # Errors
/// Everything that is wrong, in the order of files and lines, with the warnings among it; at least one
/// [error](Finding::is_error).
pub fn load(dir: &Path) -> Result<Loaded, Vec<Finding>> {
    let faults = Faults::default();
    // A relative path of a database must not depend on where the daemon will be standing later.
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let settings = settings(&dir, &faults);
    let mut findings = faults.into_sorted();
    let has_errors = findings.iter().any(Finding::is_error);
    match settings {
        Some(settings) if !has_errors => Ok(Loaded { settings, warnings: findings }),
        _ => {
            if !has_errors {
                let message = "the settings cannot be used, and no reason was found";
                findings
                    .push(Finding::nowhere("refused", message).hint("this is a fault of erasured: please report it"));
            }
            Err(findings)
        }
    }
}

fn settings(dir: &Path, faults: &Faults) -> Option<Settings> {
    if !dir.is_dir() {
        let message = format!("there is no settings directory {}", dir.display());
        let hint = "name it with --config DIR; it holds erasured.toml and the directory categories";
        faults.add(Finding::nowhere("no-directory", message).hint(hint));
        return None;
    }
    let files = category_files(dir, faults);
    let names: BTreeSet<CategoryName> = files.iter().flatten().map(|(name, _)| name.clone()).collect();
    let top = top(dir, faults, &names);
    let source_names = top.as_ref().map(|top| &top.source_names);
    let mut categories = BTreeMap::new();
    for (name, file) in files.as_ref()? {
        let read = read_file(dir, file, faults).and_then(|file| category::read(&file, faults, name, source_names));
        categories.extend(read.map(|category| (name.clone(), category)));
    }
    linked::note_unknown(&categories, &names, faults);
    let Top { time_zone, schedule, sources, grants, holds, reasons, retention, notice, .. } = top?;
    let (time_zone, time_zone_name) = time_zone?;
    let settings = Settings {
        time_zone,
        time_zone_name,
        schedule: schedule?,
        sources: sources?,
        grants: grants?,
        categories,
        holds: holds?,
        reasons: reasons?,
        retention: retention?,
        notice: notice?,
    };
    note_unused_sources(&settings, faults);
    Some(settings)
}

fn top(dir: &Path, faults: &Faults, categories: &BTreeSet<CategoryName>) -> Option<Top> {
    if !dir.join(TOP_FILE).exists() {
        let message = format!("there is no {TOP_FILE} in {}", dir.display());
        let hint = "it begins with version = 1, and names the time zone and a [source.NAME] for each database";
        faults.add(Finding::nowhere("no-file", message).hint(hint));
        return None;
    }
    top::read(&read_file(dir, TOP_FILE, faults)?, faults, dir, categories)
}

fn note_unused_sources(settings: &Settings, faults: &Faults) {
    for source in settings.sources.values() {
        let is_used = settings.categories.values().any(|category: &Category| category.source.value == source.name);
        if !is_used && !settings.categories.is_empty() {
            let message = format!("no category is in the source {:?}", source.name.as_str());
            let hint = format!("write source = {:?} in a category file, or leave it out", source.name.as_str());
            faults.add(Finding::warning("unused-source", &source.path.place, message).hint(hint));
        }
    }
}

/// The category files, by the names of their categories; `None` where there is nothing to read. A file whose name is
/// none is noted.
fn category_files(dir: &Path, faults: &Faults) -> Option<Vec<(CategoryName, String)>> {
    let nothing = |code, message: String| {
        let hint = format!("write one file for each kind of record: {CATEGORIES_DIR}/prospect.toml");
        faults.add(Finding::nowhere(code, message).hint(hint));
        None
    };
    let below = dir.join(CATEGORIES_DIR);
    if !below.is_dir() {
        return nothing("no-directory", format!("there is no directory {CATEGORIES_DIR} in {}", dir.display()));
    }
    let listed: io::Result<Vec<_>> = fs::read_dir(&below).and_then(Iterator::collect);
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => return nothing("unreadable", format!("cannot list {}: {error}", below.display())),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut files = Vec::new();
    let mut is_any = false;
    for entry in entries {
        let file_name = entry.file_name().to_string_lossy().into_owned();
        if file_name.starts_with('.') || LEFT_BEHIND.iter().any(|end| file_name.ends_with(end)) {
            continue;
        }
        let Some(stem) = file_name.strip_suffix(".toml") else {
            note_slip(&file_name, entry.path().is_dir(), faults);
            continue;
        };
        is_any = true;
        note_taken_name(stem, &file_name, faults);
        match stem.parse::<CategoryName>() {
            Ok(name) => files.push((name, format!("{CATEGORIES_DIR}/{file_name}"))),
            Err(error) => {
                let place = File::new(&format!("{CATEGORIES_DIR}/{file_name}"), "").start();
                let finding = Finding::error(
                    "name",
                    &place,
                    format!("the file's name, without .toml, names its category: {error}"),
                );
                faults.add(finding.hint("rename the file, for example to prospect.toml"));
            }
        }
    }
    if !is_any {
        return nothing("no-category", format!("there is no category file in {}", below.display()));
    }
    if files.len() > CATEGORIES_MAX {
        return nothing("limit", format!("there are {} category files, more than {CATEGORIES_MAX}", files.len()));
    }
    Some(files)
}

/// Where rules are changed while the daemon runs, a name like `reasons.hold.enabled` must have one meaning.
fn note_taken_name(stem: &str, file_name: &str, faults: &Faults) {
    if stem == change::REASONS {
        let place = File::new(&format!("{CATEGORIES_DIR}/{file_name}"), "").start();
        let finding = Finding::error("name", &place, format!("no category can be called {stem:?}"));
        faults.add(finding.hint("rename the file: in the names of rules this word stands for standard reasons"));
    }
}

/// A file that is not read although it may have been meant to be.
fn note_slip(file_name: &str, is_directory: bool, faults: &Faults) {
    let place = File::new(&format!("{CATEGORIES_DIR}/{file_name}"), "").start();
    if is_directory {
        let finding = Finding::warning("not-read", &place, "directories below categories are not read");
        faults.add(finding.hint("put the files into categories itself"));
        return;
    }
    let end = file_name.rsplit_once('.').map(|(_, end)| end);
    let is_slip = end.is_none_or(|end| nearest(end, ["toml"]).is_some()) || file_name.to_lowercase().contains(".toml");
    if is_slip {
        let finding = Finding::warning("not-read", &place, "this file is not read: its name does not end in .toml");
        faults.add(finding.hint("rename it if it is a category, and move it away if it is none"));
    }
}

/// The file's text; `None` after noting why it cannot be read.
fn read_file(dir: &Path, name: &str, faults: &Faults) -> Option<File> {
    let start = File::new(name, "").start();
    let fault = |code, message: String, hint: &str| {
        faults.add(Finding::error(code, &start, message).hint(hint));
        None
    };
    let bytes = match read_bytes(&dir.join(name)) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            return fault("unreadable", "this is not a file".to_owned(), "put the settings into a file of this name");
        }
        Err(error) => {
            return fault(
                "unreadable",
                format!("cannot read the file: {error}"),
                "the daemon's user must be able to read it",
            );
        }
    };
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_MAX_BYTES) {
        let message = format!("the file is larger than {FILE_MAX_BYTES} bytes");
        return fault("limit", message, "no settings are so long; is it the right file?");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(File::new(name, &text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default()).into_owned();
            let place = File::new(name, &text).place(good);
            let finding = Finding::error("encoding", &place, "the file is not UTF-8 from here on");
            faults.add(finding.hint("save it as UTF-8"));
            None
        }
    }
}

/// At most one byte more than a file may have, so that the limit is seen; `None` for what is not a regular file.
fn read_bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Opening a pipe would wait for somebody to write into it.
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Whether some section of a settings file has a key of this name.
pub(super) fn is_key_of_files(key: &str) -> bool {
    shape::FILES.iter().flat_map(|shapes| shapes.iter()).any(|shape| shape.names().any(|known| known == key))
}
