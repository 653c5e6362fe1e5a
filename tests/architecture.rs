//! The rules of the house, held against its source.
//!
//! The table below is the one in `lib.rs`: a room imports only what its row allows. Beside it stand the rules that no lint
//! of the compiler knows: where SQL may stand, where the time of day is read, who may print. Each rule is a function from
//! a file to faults, so that each can be shown to fail.

#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/scan.rs"]
mod scan;
#[path = "architecture/texts.rs"]
mod texts;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rules::{
    SourceFile, crates_stay_in_their_rooms, imports_keep_the_order, only_some_print, only_the_clock_tells_the_time,
    only_the_guard_is_unsafe, rooms_are_in_the_table, sql_stays_in_its_rooms,
};

/// Each room with the rooms that it may import, from the foundation up.
const ROOMS: [(&str, &[&str]); 19] = [
    ("clock", &[]),
    ("record", &[]),
    ("actor", &["record"]),
    ("systemd", &[]),
    ("api", &[]),
    ("language", &[]),
    ("config", &["clock", "record", "actor"]),
    ("proposal", &["clock", "record", "actor"]),
    ("audit", &["clock", "record", "actor"]),
    ("proof", &["clock", "record"]),
    ("source", &["clock", "record", "config", "proof"]),
    ("store", &["clock", "record", "actor", "proposal", "audit", "proof"]),
    ("erasure", &["clock", "record", "actor", "config", "proposal", "source"]),
    ("jobs", &["clock", "record", "actor", "config", "proposal", "audit", "proof", "source", "store", "erasure"]),
    ("desk", &["clock", "record", "actor", "config", "proposal", "audit", "proof", "source", "store", "erasure"]),
    ("scheduler", &["clock", "config", "store", "jobs"]),
    ("admin", &["clock", "record", "actor", "systemd", "api", "audit", "jobs", "desk", "scheduler"]),
    (
        "daemon",
        &[
            "clock",
            "record",
            "actor",
            "systemd",
            "api",
            "config",
            "proposal",
            "audit",
            "proof",
            "source",
            "store",
            "erasure",
            "jobs",
            "desk",
            "scheduler",
            "admin",
        ],
    ),
    ("ctl", &["api", "language", "audit"]),
];

/// Crates that only some rooms may name.
const CRATES: [(&str, &[&str]); 6] = [
    ("tokio_cron_scheduler", &["scheduler"]),
    ("croner", &["scheduler"]),
    ("chrono", &["scheduler"]),
    ("chrono_tz", &["scheduler"]),
    ("sqlx", &["source", "store"]),
    ("libsqlite3_sys", &["source", "store"]),
];

/// Rooms that speak SQL.
const SQL_ROOMS: [&str; 2] = ["source", "store"];

/// Rooms whose job it is to print, and the two main files.
const PRINTING: [&str; 3] = ["ctl", "daemon", "bin"];

/// The one module that may be unsafe: `guard.rs`, or what its name begins with. `guard/file.rs` below it reads the bytes of a
/// database through SQLite's own handle: to open and close the file beside it would drop every lock of this process.
const UNSAFE_MODULE: &str = "src/source/sqlite/guard";

type Rule = fn(&SourceFile) -> Vec<String>;

const RULES: [Rule; 7] = [
    imports_keep_the_order,
    rooms_are_in_the_table,
    sql_stays_in_its_rooms,
    only_the_clock_tells_the_time,
    only_some_print,
    crates_stay_in_their_rooms,
    only_the_guard_is_unsafe,
];

/// The files of `src`, without the ones that hold nothing but tests.
fn house() -> io::Result<Vec<SourceFile>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut directories = vec![root.join("src")];
    while let Some(directory) = directories.pop() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        entries.sort();
        for path in entries {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() && name != "tests" {
                directories.push(path);
            } else if (name.ends_with(".rs") && name != "tests.rs") || name.ends_with(".sql") {
                let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push(SourceFile::new(&below, &fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files)
}

#[test]
fn what_the_documents_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = vec![root.join("README.md")];
    documents.extend(fs::read_dir(root.join("docs")).expect("documents").map(|entry| entry.expect("an entry").path()));
    for path in documents.into_iter().filter(|path| path.is_file()) {
        let (document, folder) = (fs::read_to_string(&path).expect("a document"), path.parent().expect("a folder"));
        let nowhere = [documents::leads_nowhere(root, &document), documents::broken_links(folder, &document)].concat();
        assert!(nowhere.is_empty(), "{}: {nowhere:#?}", path.display());
    }
    let faulty =
        "`tests/nothing.rs`, `tests/architecture.rs::nothing`, `src/*/x.rs`, `tests/kill.sh --kills`, `tests/fuzz/`";
    assert_eq!(documents::leads_nowhere(root, faulty), ["tests/nothing.rs", "tests/architecture.rs::nothing"]);
    let faulty = "## A heading\n[a](#a-heading) [b](docs/runbook.md#back-up) [c](#nothing) [d](nothing.md) [e](docs/runbook.md#no)";
    assert_eq!(documents::broken_links(root, faulty), ["#nothing", "nothing.md", "docs/runbook.md#no"]);
}

/// What does not fit has a page of its own in `docs`.
#[test]
fn the_readme_stays_short() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let count = readme.lines().count();
    assert!(count <= 200, "{count} lines");
}

#[test]
fn the_house_keeps_its_rules() {
    let files = house().unwrap();
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "no source was found");
    let faults: Vec<String> = files.iter().flat_map(|file| RULES.iter().flat_map(move |rule| rule(file))).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// systemd 252 does not know `notify-reload`: what a reload is has to be said there.
#[test]
fn the_unit_for_an_older_systemd_is_the_same_but_for_reload() {
    let lines = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(format!("{}/systemd/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        text.lines().skip_while(|line| line.starts_with('#')).map(str::to_owned).collect()
    };
    let (newer, older) = (lines("erasured.service"), lines("252/erasured.service"));
    let expected: Vec<String> = newer
        .iter()
        .flat_map(|line| match line.as_str() {
            "Type=notify-reload" => vec!["Type=notify".to_owned(), "ExecReload=/bin/kill -HUP $MAINPID".to_owned()],
            _ => vec![line.clone()],
        })
        .collect();
    assert_eq!(older, expected);
    assert_ne!(older, newer);
}

#[test]
fn no_room_imports_one_below_it() {
    for (index, (room, allowed)) in ROOMS.iter().enumerate() {
        for import in *allowed {
            let above = ROOMS[..index].iter().any(|(name, _)| name == import);
            assert!(above, "{room} imports {import}, which does not stand above it");
        }
    }
}

/// How many faults `rule` finds in a file of this path and text.
fn found(rule: Rule, path: &str, text: &str) -> usize {
    rule(&SourceFile::new(path, text)).len()
}

#[test]
fn an_import_against_the_order_is_found() {
    let rule = imports_keep_the_order;
    for (path, text, faults) in [
        ("src/record/mod.rs", "use crate::clock::Clock;", 1),
        ("src/actor/mod.rs", "use crate::record::RecordRef;", 0),
        ("src/actor/mod.rs", "use crate::{record::RecordRef, clock::{Clock, SetClock}, config};", 2),
        ("src/actor/mod.rs", "use crate::*;", 1),
        ("src/record/name.rs", "fn f() { crate::store::open() }", 1),
        ("src/record/name.rs", "// crate::store\nconst A: &str = \"crate::store\";", 0),
        ("src/record/name.rs", "#[cfg(test)]\nmod tests { use crate::clock::SetClock; }", 0),
        ("src/record/mod.rs", "use super::clock::Clock;", 1),
        ("src/record/mod.rs", "use self::name::Name;", 0),
        ("src/record/name.rs", "use super::key::Key;", 0),
        ("src/record/name.rs", "use super::super::clock::Clock;", 1),
        ("src/record/name/deep.rs", "use super::super::key::Key;", 0),
        ("src/ctl/mod.rs", "use crate::{api, audit};", 0),
        ("src/ctl/mod.rs", "use crate::record::RecordRef;", 1),
        ("src/daemon/mod.rs", "use crate::ctl;", 1),
        ("src/bin/erasured.rs", "fn main() { erasured::daemon::main() }", 0),
        ("src/bin/erasured.rs", "fn main() { erasured::store::open() }", 1),
    ] {
        assert_eq!(found(rule, path, text), faults, "{path}: {text}");
    }
}

#[test]
fn a_room_without_a_row_is_found() {
    let rule = rooms_are_in_the_table;
    assert_eq!(found(rule, "src/utils/mod.rs", ""), 1);
    assert_eq!(found(rule, "src/helpers.rs", ""), 1);
    assert_eq!(found(rule, "src/source.rs", ""), 0);
    assert_eq!(found(rule, "src/lib.rs", "pub mod clock;"), 0);
    assert_eq!(found(rule, "src/clock/mod.rs", "mod tests;"), 1);
    assert_eq!(found(rule, "src/clock/mod.rs", "#[cfg(test)]\nmod tests;"), 0);
}

#[test]
fn sql_outside_its_rooms_is_found() {
    let rule = sql_stays_in_its_rooms;
    for text in [
        "\"SELECT 1\"",
        "\"select a from b\"",
        "r#\"\n  DELETE FROM t\"#",
        "\"PRAGMA foreign_keys\"",
        "\"WITH x AS (SELECT 1) SELECT * FROM x\"",
        "\"BEGIN IMMEDIATE\"",
        "\"COMMIT\"",
        "\"CREATE TABLE t (a)\"",
        "\"UPDATE t SET a = 1\"",
        "\"INSERT INTO \\\n  t VALUES (1)\"",
    ] {
        assert_eq!(found(rule, "src/jobs/erase.rs", text), 1, "{text}");
        assert_eq!(found(rule, "src/store/runs.rs", text), 0, "{text}");
    }
    for prose in ["\"select a record\"", "\"delete\"", "\"update the settings\"", "\"begin again\"", "\"with a hint\""]
    {
        assert_eq!(found(rule, "src/jobs/erase.rs", prose), 0, "{prose}");
    }
    assert_eq!(found(rule, "src/jobs/schema.sql", ""), 1);
    assert_eq!(found(rule, "src/source/sample.sql", ""), 0);
}

#[test]
fn reading_the_time_outside_the_clock_is_found() {
    let rule = only_the_clock_tells_the_time;
    for text in ["SystemTime::now()", "jiff::Timestamp::now()", "Zoned::now()", "chrono::Utc::now()", "Local::now()"] {
        assert_eq!(found(rule, "src/store/mod.rs", text), 1, "{text}");
        assert_eq!(found(rule, "src/clock/mod.rs", text), 0, "{text}");
    }
    assert_eq!(found(rule, "src/store/mod.rs", "clock.now(); Instant::now()"), 0);
    assert_eq!(found(rule, "src/store/mod.rs", "\"SELECT date('now')\""), 1);
    assert_eq!(found(rule, "src/config/words.rs", "[\"CURRENT_TIMESTAMP\"]"), 0);
    assert_eq!(found(rule, "src/store/1.sql", "CREATE TABLE t (at TEXT DEFAULT CURRENT_TIMESTAMP);"), 1);
    assert_eq!(found(rule, "src/store/1.sql", "-- never date('now')\nCREATE TABLE t (at TEXT);"), 0);
}

#[test]
fn printing_is_found() {
    let rule = only_some_print;
    for text in ["println!(\"a\")", "eprintln!()", "print!(\"a\")", "std::io::stdout().lock()", "dbg!(1)"] {
        assert_eq!(found(rule, "src/jobs/mod.rs", text), 1, "{text}");
        assert_eq!(found(rule, "src/ctl/list.rs", text), 0, "{text}");
        assert_eq!(found(rule, "src/bin/erasured.rs", text), 0, "{text}");
    }
}

#[test]
fn a_crate_in_the_wrong_room_is_found() {
    let rule = crates_stay_in_their_rooms;
    for text in
        ["use croner::Cron;", "use chrono as c;", "tokio_cron_scheduler::Job::new()", "chrono::Duration::days(1)"]
    {
        assert_eq!(found(rule, "src/jobs/mod.rs", text), 1, "{text}");
        assert_eq!(found(rule, "src/scheduler/mod.rs", text), 0, "{text}");
    }
    assert_eq!(found(rule, "src/jobs/mod.rs", "use sqlx::Row;"), 1);
    assert_eq!(found(rule, "src/store/mod.rs", "use sqlx::Row;"), 0);
    assert_eq!(found(rule, "src/jobs/mod.rs", "let sqlx = 1; sqlx_like::f()"), 0);
}

#[test]
fn unsafe_outside_the_guard_is_found() {
    let rule = only_the_guard_is_unsafe;
    let text = "fn f() { unsafe { g() } }";
    assert_eq!(found(rule, "src/source/sqlite/mod.rs", text), 1);
    assert_eq!(found(rule, "src/source/sqlite/guard.rs", text), 0);
    assert_eq!(found(rule, "src/source/sqlite/guard/ffi.rs", text), 0);
    assert_eq!(found(rule, "src/source/sqlite/mod.rs", "#![deny(unsafe_code)] // unsafe"), 0);
}
