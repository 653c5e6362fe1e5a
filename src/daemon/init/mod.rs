//! `erasured init`: settings drafted from a live schema.
//!
//! It erases nothing and decides nothing: what is not plain is marked, and refused by everything that reads settings until
//! somebody has decided. Reads the database only; writes new files only.

mod guess;
mod text;
mod words;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jiff::tz::TimeZone;

use self::guess::{Draft, drafts};
use self::text::Start;
use super::args::InitArgs;
use super::{check, output};
use crate::config::{DateFormat, Finding, UNDECIDED, causes};
use crate::record::{CategoryName, SourceName, Value};
use crate::source::{Reader, Source, SourceError};

/// How long the database may be waited for.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Values of a date column that are looked at.
const VALUES: u32 = 500;
/// Years that dates in databases are of.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;

/// A file to be written: its name below the folder, and its text.
type Drafted = (PathBuf, String);

pub(super) async fn run(arguments: &InitArgs) -> ExitCode {
    let dir = &arguments.config;
    let path = Path::new(arguments.url.strip_prefix("sqlite:").unwrap_or(&arguments.url));
    let Ok(path) = fs::canonicalize(path) else {
        return output::failed(
            &format!("there is no database at {}", path.display()),
            Some("name the application's file: erasured init sqlite:/var/lib/crm/crm.db"),
        );
    };
    if dir.join("erasured.toml").exists() || dir.join("categories").exists() {
        return output::failed(
            &format!("there are settings in {} already", dir.display()),
            Some("nothing was written; name a new folder with --config DIR"),
        );
    }
    let source = match &arguments.source {
        Some(name) => name.parse(),
        None => named_after(&path).parse(),
    };
    let source: SourceName = match source {
        Ok(source) => source,
        Err(error) => return output::failed(&causes(&error), Some("name the source with --source NAME")),
    };
    let drafted = match look(&source, &path).await {
        Ok(drafted) => drafted,
        Err(error) => {
            return output::failed(
                &causes(&error),
                Some("check the path, and that this user may read it and its folder"),
            );
        }
    };
    if let Err(error) = write(dir, &drafted.files) {
        return output::failed(&format!("cannot write into {}: {error}", dir.display()), None);
    }
    tell(dir, &drafted);
    ExitCode::SUCCESS
}

/// What was drafted.
struct Draughts {
    files: Vec<Drafted>,
    /// Tables that look like people and are in no file.
    left: Vec<String>,
}

async fn look(source: &SourceName, path: &Path) -> Result<Draughts, SourceError> {
    let mut reader = Source::at(source.clone(), path, LOCK_WAIT).reader().await?;
    let schema = reader.schema().clone();
    let (drafts, left) = drafts(&schema);
    let url = format!("sqlite:{}", path.display());
    let mut files = vec![(PathBuf::from("erasured.toml"), text::top(source.as_str(), &url, &time_zone()))];
    let mut taken = BTreeSet::new();
    for draft in &drafts {
        let starts = starts(&mut reader, draft).await?;
        let name = category_name(&draft.table.name, &mut taken);
        let file = Path::new("categories").join(format!("{name}.toml"));
        files.push((file, text::category(source.as_str(), draft, &starts)));
    }
    reader.close().await;
    Ok(Draughts { files, left: left.into_iter().map(str::to_owned).collect() })
}

async fn starts<'s>(reader: &mut Reader, draft: &Draft<'s>) -> Result<Vec<Start<'s>>, SourceError> {
    let mut starts = Vec::new();
    for (column, is_date) in &draft.starts {
        let values = reader.values(&draft.table.name, column, VALUES).await?;
        let format = format_of(&values);
        if *is_date || (format.is_some() && !values.is_empty()) {
            starts.push(Start { column, format });
        }
    }
    Ok(starts)
}

/// The one format in which every value is a date that may have been. Without any value it is the usual one.
fn format_of(values: &[Value]) -> Option<DateFormat> {
    let fits = |format: DateFormat| {
        values.iter().all(|value| match format.read(value, &TimeZone::UTC) {
            Ok(day) => day.is_none_or(|day| YEARS.contains(&day.year())),
            Err(_) => false,
        })
    };
    [DateFormat::Iso, DateFormat::German, DateFormat::Julian, DateFormat::Unix, DateFormat::UnixMillis]
        .into_iter()
        .find(|format| fits(*format))
}

/// The machine's own zone, where it has a name.
fn time_zone() -> String {
    TimeZone::system().iana_name().map_or_else(|| "UTC".to_owned(), str::to_owned)
}

/// A name after the file.
fn named_after(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = words::tokens(&stem).join("-");
    if name.parse::<SourceName>().is_ok() { name } else { "app".to_owned() }
}

/// A name after the table that no other category has.
fn category_name(table: &str, taken: &mut BTreeSet<String>) -> String {
    let name = words::tokens(table).join("-");
    let name = if name.parse::<CategoryName>().is_ok() { name } else { "people".to_owned() };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| taken.insert(name.clone()));
    free.unwrap_or(name)
}

/// New files only: nothing is written over.
fn write(dir: &Path, files: &[Drafted]) -> io::Result<()> {
    fs::create_dir_all(dir.join("categories"))?;
    for (name, text) in files {
        OpenOptions::new().write(true).create_new(true).open(dir.join(name))?.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// What was written, and what somebody has to decide.
fn tell(dir: &Path, drafted: &Draughts) {
    for (name, _) in &drafted.files {
        output::data(&format!("{}", dir.join(name).display()));
    }
    let findings = check::load(dir).err().unwrap_or_default();
    let open: Vec<&Finding> = findings.iter().filter(|finding| finding.code == UNDECIDED).collect();
    output::talk("");
    match (drafted.files.len(), open.len()) {
        (1, _) => {
            output::talk(
                "No table looks like people: write categories/NAME.toml by hand, after the examples in config/.",
            );
        }
        (_, 0) => {
            output::talk("Nothing had to be left open. A guess by names is a guess all the same: read every file.")
        }
        (_, 1) => output::talk("1 decision is yours; until then nothing runs by these settings:"),
        (_, many) => output::talk(&format!("{many} decisions are yours; until then nothing runs by these settings:")),
    }
    for finding in open {
        let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        output::talk(&format!("  {place}: {}", finding.message));
    }
    if !drafted.left.is_empty() {
        output::talk(&format!("These hold people too, and hang on none of the above: {}", drafted.left.join(", ")));
    }
    output::talk("Look at every `keep` too: what stays in it stays for good. Then:");
    output::talk(&format!("  erasured check --config {}", dir.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_by_their_values() {
        let texts = |texts: &[&str]| texts.iter().map(|text| Value::text(text)).collect::<Vec<_>>();
        assert_eq!(format_of(&texts(&["2019-12-31", "2019-12-31 10:00:00"])), Some(DateFormat::Iso));
        assert_eq!(format_of(&texts(&["31.12.2019"])), Some(DateFormat::German));
        assert_eq!(format_of(&[Value::Integer(1_577_836_800)]), Some(DateFormat::Unix));
        assert_eq!(format_of(&[Value::Integer(1_577_836_800_000)]), Some(DateFormat::UnixMillis));
        assert_eq!(format_of(&[Value::Real(2_458_849.5)]), Some(DateFormat::Julian));
        assert_eq!(format_of(&texts(&["2019-12-31", "soon"])), None);
        assert_eq!(format_of(&[]), Some(DateFormat::Iso));
    }

    #[test]
    fn names_are_made_of_tables_and_files() {
        let mut taken = BTreeSet::new();
        assert_eq!(category_name("auth_user", &mut taken), "auth-user");
        assert_eq!(category_name("AuthUser", &mut taken), "auth-user-2");
        assert_eq!(category_name("顧客", &mut taken), "people");
        assert_eq!(named_after(Path::new("/x/Crm 2.db")), "crm");
    }
}
