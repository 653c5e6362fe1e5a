//! `erasured.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::document::{Faults, File};
use super::section::{Entry, Section, entries};
use super::similar::nearest;
use super::{duration, grant, holds, hours, notice, reasons, removal, retention, shape};
use crate::actor::Grant;
use crate::config::{Holds, Keeping, Located, Notice, Reasons, Schedule, SourceSettings};
use crate::record::{CategoryName, SourceName};

/// Databases that one daemon looks after.
const SOURCES_MAX: usize = 64;
/// Fields of a cron expression.
const CRON_FIELDS: usize = 5;
/// How long a batch may wait for the application's lock: longer, and a run would seem to hang.
const LOCK_WAIT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(600);
/// How long the daemon may hold the database: shorter and nothing gets done, longer and the application notices.
const MAX_LOCK: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_secs(10);
/// What operators call the zones that this product is mostly used in.
const ZONES_IN_GERMAN: [(&str, &str); 4] =
    [("wien", "Europe/Vienna"), ("zürich", "Europe/Zurich"), ("mez", "Europe/Vienna"), ("mesz", "Europe/Vienna")];
/// The default of `lock_wait`.
const LOCK_WAIT_DEFAULT: Duration = Duration::from_secs(5);
/// The default of `max_lock`.
const MAX_LOCK_DEFAULT: Duration = Duration::from_millis(100);

/// What `erasured.toml` says; a part is `None` after a fault in it, which has been noted.
pub struct Top {
    pub time_zone: Option<(TimeZone, String)>,
    pub schedule: Option<Schedule>,
    /// The names of all sources, those with faults among them.
    pub source_names: BTreeSet<String>,
    pub sources: Option<BTreeMap<SourceName, SourceSettings>>,
    pub grants: Option<Vec<Grant>>,
    pub holds: Option<Holds>,
    pub reasons: Option<Reasons>,
    pub retention: Option<Keeping>,
    pub notice: Option<Notice>,
}

/// Reads the file. `None` when it has a fault beyond which nothing can be told.
pub fn read(file: &File, faults: &Faults, dir: &Path, categories: &BTreeSet<CategoryName>) -> Option<Top> {
    let document = file.parse(faults)?;
    if !Section::is_version_1(file, faults, &shape::TOP, document.get_ref()) {
        return None;
    }
    let top = Section::open(file, faults, &shape::TOP, document.get_ref(), file.start());
    let named = named_sources(&top);
    Some(Top {
        time_zone: time_zone(&top),
        schedule: schedule(&top),
        source_names: named
            .iter()
            .flatten()
            .filter(|entry| entry.value.is_table())
            .map(|entry| entry.key.to_owned())
            .collect(),
        sources: named.and_then(|named| sources(&top, &named, dir)),
        grants: grant::read(&top, categories),
        holds: holds::read(&top),
        reasons: reasons::read(&top),
        retention: retention::read(&top),
        notice: notice::read(&top),
    })
}

fn time_zone(top: &Section<'_>) -> Option<(TimeZone, String)> {
    let text = top.need_text("time_zone")?;
    match TimeZone::get(&text.value) {
        Ok(zone) => {
            let name = zone.iana_name().map_or_else(|| text.value.clone(), str::to_owned);
            Some((zone, name))
        }
        Err(_) => {
            let hint = match meant_zone(&text.value) {
                Some(meant) => format!("did you mean time_zone = {meant:?}?"),
                None => "write the IANA name of a region and city: time_zone = \"Europe/Vienna\"".to_owned(),
            };
            let message = format!("{:?} is not a time zone that this machine knows", text.value);
            top.fault("unknown-time-zone", &text.place, message, hint);
            None
        }
    }
}

/// The zone whose city `typed` is, or is a slip of. The city decides: regions are long, and make everything look alike.
fn meant_zone(typed: &str) -> Option<String> {
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    let typed = city(typed);
    if let Some((_, zone)) = ZONES_IN_GERMAN.iter().find(|(german, _)| *german == typed) {
        return Some((*zone).to_owned());
    }
    let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let cities: Vec<String> = known.iter().map(|name| city(name)).collect();
    let meant = nearest(&typed, cities.iter().map(String::as_str).filter(|city| city.len() > 3))?;
    known.iter().find(|name| city(name) == meant).cloned()
}

fn schedule(top: &Section<'_>) -> Option<Schedule> {
    if top.get("schedule").is_none() {
        return Some(Schedule { prepare: None, erase: None, catch_up: true });
    }
    let section = top.section("schedule", &shape::SCHEDULE)?;
    let job = |key| match section.get(key) {
        None => Some(None),
        Some(_) => section.text(key).and_then(|text| cron(&section, key, text)).map(Some),
    };
    let (prepare, erase) = (job("prepare"), job("erase"));
    let catch_up = section.boolean("catch_up", true);
    Some(Schedule { prepare: prepare?, erase: erase?, catch_up: catch_up? })
}

/// Five fields of the characters that fields are made of; what they mean is for the scheduler to say.
fn cron(section: &Section<'_>, key: &str, text: Located<String>) -> Option<Located<String>> {
    let fields: Vec<&str> = text.value.split_whitespace().collect();
    let stranger =
        text.value.chars().find(|c| !(c.is_ascii_alphanumeric() || c.is_whitespace() || "*/,-?#".contains(*c)));
    let (message, hint) = match (text.value.trim(), fields.len()) {
        ("@hourly", _) => (None, "0 * * * *"),
        ("@daily" | "@midnight", _) => (None, "0 0 * * *"),
        ("@weekly", _) => (None, "0 0 * * Sun"),
        ("@monthly", _) => (None, "0 0 1 * *"),
        (_, CRON_FIELDS) if stranger.is_none() => return Some(text),
        (_, CRON_FIELDS) => (stranger.map(|c| format!("a cron expression has no {c:?}")), "0 2 * * *"),
        (_, found) => (Some(format!("a cron expression has five fields, and this has {found}")), "0 2 * * *"),
    };
    let message = message.unwrap_or_else(|| format!("{:?} is not one of the five-field cron expressions", text.value));
    let hint = format!("minute, hour, day of month, month, day of week: {key} = \"{hint}\"");
    section.fault("cron", &text.place, message, hint);
    None
}

/// The entries of `[source.*]`; `None` when there are none, or they are no sections.
fn named_sources<'a>(top: &Section<'a>) -> Option<Vec<Entry<'a>>> {
    let hint = "add [source.crm] with url = \"sqlite:/var/lib/crm/crm.db\"";
    let Some(entry) = top.get("source") else {
        top.fault("missing-key", &top.place, "no database is named from which to erase", hint);
        return None;
    };
    let Some(table) = entry.value.as_table() else {
        top.fault("wrong-type", &entry.place, "`source` must be sections, one for each database", hint);
        return None;
    };
    let named = entries(top.file, table);
    if named.is_empty() {
        top.fault("missing-key", &entry.place, "no database is named from which to erase", hint);
    } else if named.len() > SOURCES_MAX {
        let message = format!("there are {} sources, more than {SOURCES_MAX}", named.len());
        top.fault("limit", &entry.place, message, "let another daemon look after some of them");
    } else {
        return Some(named);
    }
    None
}

fn sources(top: &Section<'_>, named: &[Entry<'_>], dir: &Path) -> Option<BTreeMap<SourceName, SourceSettings>> {
    let read: Vec<_> = named.iter().map(|entry| source(top, entry, dir)).collect();
    read.into_iter().collect::<Option<Vec<_>>>().map(|all| all.into_iter().map(|one| (one.name.clone(), one)).collect())
}

fn source(top: &Section<'_>, entry: &Entry<'_>, dir: &Path) -> Option<SourceSettings> {
    let name = match entry.key.parse::<SourceName>() {
        Ok(name) => Some(name),
        Err(error) => {
            top.fault("name", &entry.key_place, error.to_string(), "write it like [source.crm]");
            None
        }
    };
    let DeValue::Table(table) = entry.value else {
        let message = format!("`source.{}` must be a section", entry.key);
        let is_nameless = shape::SOURCE.names().any(|key| key == entry.key);
        let name = if is_nameless { "crm" } else { entry.key };
        let hint = format!("write [source.{name}], and below it url = \"sqlite:PATH\"");
        top.fault("wrong-type", &entry.place, message, hint);
        return None;
    };
    let section = Section::open(top.file, top.faults, &shape::SOURCE, table, entry.place.clone());
    let path = section.need_text("url").and_then(|url| sqlite_path(&section, &url, dir));
    let lock_wait = span(&section, "lock_wait", LOCK_WAIT_DEFAULT, &LOCK_WAIT);
    let max_lock = span(&section, "max_lock", MAX_LOCK_DEFAULT, &MAX_LOCK);
    let hours = hours::read(&section, "hours", "then any time will do");
    let removal = removal::read(&section, hours.as_ref().and_then(Option::as_ref));
    let hours = hours?.map(|hours| hours.value);
    let (lock_wait, max_lock) = (lock_wait?, max_lock?);
    Some(SourceSettings { name: name?, path: path?, lock_wait, max_lock, hours, removal: removal? })
}

fn sqlite_path(section: &Section<'_>, url: &Located<String>, dir: &Path) -> Option<Located<PathBuf>> {
    let text = url.value.trim();
    let fault = |message: String, hint: &str| {
        section.fault("url", &url.place, message, hint);
        None
    };
    let Some(path) = text.strip_prefix("sqlite:") else {
        return match text.split_once(':') {
            Some((scheme, _)) if !scheme.contains(['/', '.']) => fault(
                format!("this version of erasured knows no databases of the kind {scheme:?}"),
                "only SQLite files: url = \"sqlite:/var/lib/crm/crm.db\"",
            ),
            _ => fault(
                "the url does not say what kind of database it is".to_owned(),
                &format!("write url = {:?}", format!("sqlite:{text}")),
            ),
        };
    };
    if path.starts_with("//") && !path.starts_with("///") {
        let hint = format!("write url = \"sqlite:{}\"", path.trim_start_matches('/'));
        return fault("a url with two slashes does not say where the path begins".to_owned(), &hint);
    }
    if path.is_empty() || path == ":memory:" || path.ends_with('/') {
        return fault("the url names no file".to_owned(), "write url = \"sqlite:/var/lib/crm/crm.db\"");
    }
    if path.starts_with('~') {
        return fault("the path begins with ~, which only shells know".to_owned(), "write the whole path");
    }
    if path.split_once('?').is_some_and(|(_, options)| options.contains('=')) {
        return fault(
            "the url has options behind a ?".to_owned(),
            "write the path alone: the daemon knows how to open it",
        );
    }
    Some(Located::new(dir.join(path), url.place.clone()))
}

fn span(section: &Section<'_>, key: &str, default: Duration, range: &RangeInclusive<Duration>) -> Option<Duration> {
    let Some(entry) = section.get(key) else { return Some(default) };
    let example = duration::written(default);
    let Some(text) = entry.value.as_str() else {
        section.note_kind(&entry, "a number with its unit, between quotes");
        return None;
    };
    match duration::read(text) {
        Some(span) if range.contains(&span) => Some(span),
        Some(_) => {
            let (least, most) = (duration::written(*range.start()), duration::written(*range.end()));
            let message = format!("`{key}` is {text}, and may be from {least} to {most}");
            section.fault(
                "limit",
                &entry.place,
                message,
                format!("write {key} = {example:?}, the default, or leave it out"),
            );
            None
        }
        None => {
            let hint = format!("a whole number with ms, s or min: {key} = {example:?}");
            section.fault("duration", &entry.place, format!("{text:?} is not a span of time"), hint);
            None
        }
    }
}
