//! `erasured init`: settings drafted from a live schema.
//!
//! It erases nothing and decides nothing: what is not plain is marked, and refused by everything that reads settings until
//! somebody has decided. Reads the database only; writes new files only.

mod below;
mod columns;
mod guess;
mod text;
mod ties;
mod words;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jiff::tz::TimeZone;

use self::columns::{Held, Values, is_doubtful};
use self::guess::{Candidate, Draft, Facts, drafts, tied};
use self::text::Start;
use self::ties::Tie;
use super::args::InitArgs;
use super::{check, output};
use crate::config::{DateFormat, Finding, UNDECIDED, causes};
use crate::record::{CategoryName, SourceName, Value};
use crate::source::{Reader, Schema, Source, SourceError, TableKind};

/// How long the database may be waited for.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Values of a date column that are looked at.
const VALUES: u32 = 500;
/// Years that dates in databases are of.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;
/// Years that dates are of which are plain numbers: any small number would be a second of 1970.
const YEARS_COUNTED: std::ops::RangeInclusive<i16> = 1985..=2100;

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
    /// Tables with something personal that no file reaches, and what that is.
    left: Vec<(String, Vec<String>)>,
    /// Tables of people for which none was written, and the number of columns that may refer to each.
    without: Vec<(String, usize)>,
}

async fn look(source: &SourceName, path: &Path) -> Result<Draughts, SourceError> {
    let mut reader = Source::at(source.clone(), path, LOCK_WAIT).reader().await?;
    let declared = reader.schema().clone();
    let (ties, unsettled) = ties(&mut reader, &declared).await?;
    let (schema, ties, without) = tied(declared, ties);
    let facts = Facts { ties, unsettled, values: values(&mut reader, &schema).await? };
    let (drafts, left) = drafts(&schema, &facts, &without);
    let url = format!("sqlite:{}", path.display());
    let mut files = vec![(PathBuf::from("erasured.toml"), text::top(source.as_str(), &url, &time_zone()))];
    let mut taken = BTreeSet::new();
    for draft in &drafts {
        let starts = starts(&mut reader, draft).await?;
        let below = below(&mut reader, draft).await?;
        let name = category_name(&draft.table.name, &mut taken);
        let file = Path::new("categories").join(format!("{name}.toml"));
        files.push((file, text::category(source.as_str(), draft, &starts, below)));
    }
    reader.close().await;
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let left = left.into_iter().map(|(table, columns)| (table.to_owned(), owned(columns))).collect();
    Ok(Draughts { files, left, without })
}

/// References that are not declared, and whose values do not speak against them; and what else may be referred to.
async fn ties(reader: &mut Reader, schema: &Schema) -> Result<(Vec<Tie>, BTreeSet<String>), SourceError> {
    let mut ties = ties::ties(schema);
    for tie in &mut ties {
        (tie.seen, tie.led) = reader.led_to((&tie.table, &tie.column), (&tie.parent, &tie.key), VALUES).await?;
    }
    Ok(ties::settled(&ties))
}

/// What kind of values the columns hold whose names say nothing.
async fn values(reader: &mut Reader, schema: &Schema) -> Result<Values, SourceError> {
    let mut values = Values::new();
    for table in schema.tables.iter().filter(|table| table.kind == TableKind::Ordinary) {
        for column in table.columns.iter().filter(|column| is_doubtful(column)) {
            let found = reader.beginnings(&table.name, &column.name, VALUES).await?;
            let dates: Vec<Value> = found.iter().map(|text| Value::text(text)).filter(|text| !is_never(text)).collect();
            let held = Held::of(&found, !dates.is_empty() && format_of(&dates).is_some());
            values.insert((table.name.to_lowercase(), column.name.to_lowercase()), held);
        }
    }
    Ok(values)
}

async fn starts<'s>(reader: &mut Reader, draft: &Draft<'s>) -> Result<Vec<Start<'s>>, SourceError> {
    let mut starts = Vec::new();
    for candidate in &draft.starts {
        let values = reader.values(&draft.table.name, candidate.column, VALUES).await?;
        starts.extend(start(*candidate, &values));
    }
    // One without values, however well it is called, is of no use to anybody.
    starts.sort_by_key(|start| start.is_empty);
    Ok(starts)
}

/// A date of what hangs on it, the first that has been written anywhere: an expression.
async fn below<'d>(reader: &mut Reader, draft: &'d Draft<'_>) -> Result<Option<&'d str>, SourceError> {
    for start in &draft.starts_below {
        let values = reader.values(start.table, start.column, VALUES).await?;
        let is_used = !reader.values(start.table, start.refers, 1).await?.is_empty();
        if is_used && !values.iter().all(is_never) && format_of(&values) == Some(DateFormat::Iso) {
            return Ok(Some(&start.expression));
        }
    }
    Ok(None)
}

/// What a date is as a start by its values; none where it may be no date at all.
fn start<'s>(candidate: Candidate<'s>, values: &[Value]) -> Option<Start<'s>> {
    let is_empty = values.iter().all(is_never);
    let format = match format_of(values) {
        // Without a value a number may be one of three formats.
        Some(_) if is_empty && candidate.is_number => None,
        format => format,
    };
    let is_one = candidate.is_date || (format.is_some() && !is_empty);
    is_one.then_some(Start { candidate, format, is_empty })
}

/// What applications write where there is no date: `''`, `0`, `0000-00-00 00:00:00`. It is never due.
fn is_never(value: &Value) -> bool {
    match value {
        Value::Integer(number) => *number == 0,
        value => value.as_str().is_some_and(|text| text.chars().all(|c| c == '0' || "-.: T".contains(c))),
    }
}

/// The one format in which every value is a date that may have been. Without any value it is the usual one.
fn format_of(values: &[Value]) -> Option<DateFormat> {
    let fits = |format: DateFormat| {
        let years = match format {
            DateFormat::Unix | DateFormat::UnixMillis => YEARS_COUNTED,
            _ => YEARS,
        };
        values.iter().filter(|value| !is_never(value)).all(|value| match format.read(value, &TimeZone::UTC) {
            Ok(day) => day.is_none_or(|day| years.contains(&day.year())),
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
    for (table, columns) in &drafted.without {
        output::talk(&format!(
            "{table} holds people too. No file was written for it: {columns} columns that declare no reference say by their \
             names that they hold its keys, and would lead nowhere"
        ));
    }
    if !drafted.left.is_empty() {
        output::talk("These hold something personal too, and no file reaches them:");
    }
    for (table, columns) in &drafted.left {
        output::talk(&format!("  {table}: {}", columns.join(", ")));
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
        assert_eq!(
            format_of(&texts(&["0000-00-00 00:00:00", "", "2019-12-31"])),
            Some(DateFormat::Iso),
            "none is a date"
        );
        assert_eq!(format_of(&[Value::Integer(1), Value::Integer(7)]), None, "keys are no dates of 1970");
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
