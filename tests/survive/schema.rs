//! A schema that changes between the check and the batch, and an older copy in the same file: caught under the lock,
//! whatever was planned.

use erasured::erasure::{Engine, EngineError, Joined, open};
use erasured::source::SourceError;

use crate::common::{Bench, INSTALLATION, MemoryJournal, key};

const SQL: &str = "
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, last_on TEXT);
    CREATE TABLE other (id INTEGER PRIMARY KEY);
    INSERT INTO people VALUES (1, 'Maier', '2019-01-01'), (2, 'Huber', '2019-01-01');";
const PERSON: &str = "table = \"people\"\nidentity = [\"name\"]\n
    [[criterion]]\nname = \"old\"\nsince = \"last_on\"\nperiod = \"3 years\"\n
    [erase.anonymise]\nname = \"null\"\nlast_on = \"null\"\n";

/// Erases one record after the other with one and the same engine; this SQL is run between the two.
async fn second_batch_after(meanwhile: &str) -> (Result<u64, EngineError>, MemoryJournal, Bench) {
    second_batch(false, async |bench, _| bench.sql(meanwhile).await).await
}

/// The same; `meanwhile` is given the bytes of the database as it was before the first.
async fn second_batch(
    is_joint: bool,
    meanwhile: impl AsyncFnOnce(&Bench, &[u8]),
) -> (Result<u64, EngineError>, MemoryJournal, Bench) {
    let bench = Bench::with_sql(SQL).await;
    bench.category("person", PERSON);
    let copy = std::fs::read(bench.database()).unwrap();
    let claims = bench.due("person").await;
    let mapping = bench.mapping("person").await;
    let source = bench.source(&bench.settings());
    let (mut reader, mut writer) = (source.reader().await.unwrap(), source.writer().await.unwrap());
    let mut engine = Engine {
        reader: &mut reader,
        writer: &mut writer,
        mapping: &mapping,
        day: &bench.day(),
        key: &key(),
        installation: INSTALLATION,
        last_committed: None,
        log_pages_max: 0,
        gap: std::time::Duration::ZERO,
        released: None,
    };
    let first = engine.erase(&mut MemoryJournal::default(), claims[..1].to_vec()).await.unwrap();
    assert_eq!(first.deleted, 1);
    meanwhile(&bench, &copy).await;
    let mut journal = MemoryJournal::default();
    let second = if is_joint {
        let joined = Joined { category: mapping.category.clone(), claim: claims[1].clone() };
        let done = engine.erase_joint(&mut journal, &[&mapping], vec![vec![joined]]).await;
        done.map(|report| report.categories.values().map(|of| of.deleted).sum())
    } else {
        engine.erase(&mut journal, claims[1..].to_vec()).await.map(|report| report.deleted)
    };
    // Whatever came of it: while both connections are open, nobody is locked out.
    bench.sql("BEGIN IMMEDIATE; COMMIT").await;
    reader.close().await;
    writer.close().await;
    (second, journal, bench)
}

#[tokio::test]
async fn our_own_marker_table_is_no_change() {
    let (second, _, bench) = second_batch_after("SELECT 1").await;
    assert_eq!(second.unwrap(), 1);
    assert_eq!(bench.rows("SELECT count(*) FROM erasured_commit").await, ["1"]);
}

#[tokio::test]
async fn statistics_gathered_anew_are_no_change() {
    let (second, ..) = second_batch_after("ANALYZE").await;
    assert_eq!(second.unwrap(), 1);
}

#[tokio::test]
async fn whatever_else_changes_in_the_schema_is_caught_before_anything_is_written() {
    for sql in [
        "ALTER TABLE people ADD COLUMN nickname TEXT",
        "ALTER TABLE people RENAME TO persons",
        "ALTER TABLE people RENAME COLUMN name TO surname",
        "ALTER TABLE other ADD COLUMN person INTEGER REFERENCES people (id)",
        "CREATE TRIGGER t AFTER DELETE ON people BEGIN INSERT INTO other VALUES (old.id); END",
        "CREATE VIEW v AS SELECT * FROM people",
        "CREATE UNIQUE INDEX i ON people (name)",
        "DROP TABLE other",
        // The table is another one, of the same columns, but for a type.
        "ALTER TABLE people RENAME TO old; CREATE TABLE people (id INTEGER PRIMARY KEY, name BLOB, last_on TEXT);
         INSERT INTO people SELECT * FROM old; DROP TABLE old",
    ] {
        let (second, journal, bench) = second_batch_after(sql).await;
        let error = second.unwrap_err();
        assert!(matches!(error, EngineError::Source(SourceError::SchemaChanged)), "{sql}: {error:?}");
        assert!(journal.calls.is_empty(), "{sql}: nothing was begun");
        let tables = bench.dump().await;
        assert!(tables.values().flatten().any(|row| row.contains("'Huber'")), "{sql}: {tables:?}");
    }
}

/// As SQLite's backup API does: an older copy in the same file, on which the next batch would put its own marker.
#[tokio::test]
async fn an_older_copy_written_back_into_the_file_is_caught_before_anything_is_written() {
    for is_joint in [false, true] {
        let restore = async |bench: &Bench, copy: &[u8]| std::fs::write(bench.database(), copy).unwrap();
        let (second, journal, bench) = second_batch(is_joint, restore).await;
        let error = second.unwrap_err();
        assert!(matches!(error, EngineError::Foreign), "{error:?}");
        assert!(journal.calls.is_empty(), "nothing was begun");
        let names = bench.rows("SELECT name FROM people ORDER BY id").await;
        assert_eq!(names, ["'Maier'", "'Huber'"], "the copy is as it was");
        let (second, ..) = second_batch(is_joint, async |_: &Bench, _: &[u8]| {}).await;
        assert_eq!(second.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_category_that_does_not_fit_is_stopped_with_the_first_of_its_errors_and_how_many_more() {
    let bench = Bench::with_sql(SQL).await;
    bench.category("person", PERSON);
    let name = "app".parse().unwrap();
    let why = async || {
        let open = open(&bench.settings(), &name).await.unwrap();
        let why = open.why_stopped(&"person".parse().unwrap()).map(ToOwned::to_owned);
        open.reader.close().await;
        why
    };
    assert_eq!(why().await, None);
    bench.sql("ALTER TABLE people ADD COLUMN email TEXT").await;
    let told = "the settings do not fit the schema: column email of people is not classified; in categories/person.toml: \
                write it into keep = [\"email\"] if it is not personal, or into anonymise with what replaces it";
    assert_eq!(why().await.as_deref(), Some(told));
    bench.sql("CREATE TRIGGER notes AFTER DELETE ON people BEGIN INSERT INTO other VALUES (old.id); END").await;
    assert!(why().await.is_some_and(|why| why.ends_with(" (and 1 more)")));
}
