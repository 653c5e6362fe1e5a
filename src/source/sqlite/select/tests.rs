use jiff::civil::date;
use jiff::tz::TimeZone;
use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteConnection};

use super::*;
use crate::source::sqlite::connection::value;

/// Values as databases hold them, written in SQL, good and bad, and every format is asked about each.
const VALUES: [&str; 24] = [
    "NULL",
    "''",
    "0",
    "0.0",
    "'0000-00-00'",
    "'0001-01-01'",
    "'1753-01-01'",
    "'2023-02-30'",
    "'1999-12-31'",
    "'2015-06-30 22:00:00'",
    "'2030-01-01T00:00:00Z'",
    "20150630",
    "'31.12.1999'",
    "'01.01.0001'",
    "'31.12.2030'",
    "'31.12.1999 12:00'",
    "946684800",
    "946684800000",
    "1900000000",
    "1900000000000",
    "43830",
    "2451544.5",
    "2462502.5",
    "-9223372036854775807",
];

/// A date that the sieve passes over without reading it is one that would have been read, and lies where it says.
#[tokio::test]
async fn the_sieve_passes_over_nothing_that_cannot_be_read() {
    let cutoff = date(2020, 1, 1);
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let (mut before, mut after) = (0, 0);
    for (_, format) in DateFormat::WORDS {
        for text in VALUES {
            let sieves = [surely_before("s", format, cutoff), surely_after("s", format, cutoff)];
            let sql = format!("SELECT s, {}, {} FROM (SELECT {text} AS s)", sieves[0], sieves[1]);
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
            let value = value(&row, 0).unwrap();
            let day = format.read(&value, &TimeZone::UTC);
            if row.get::<bool, _>(1) {
                before += 1;
                assert!(matches!(day, Ok(Some(day)) if day < cutoff), "{text} as {format:?}");
            }
            if row.get::<bool, _>(2) {
                after += 1;
                // What is after every cutoff is not due, whether it can be read or not.
                assert!(!matches!(day, Ok(Some(day)) if day <= cutoff), "{text} as {format:?}");
            }
        }
    }
    assert!(before >= 6 && after >= 6, "{before} before, {after} after");
}
