use jiff::civil::date;
use jiff::tz::TimeZone;
use sqlx::Row as _;

use super::*;
use crate::config::{DateFormat, Period, Starts};
use crate::record::Value;

async fn made(seed: u64, today: Date) -> (tempfile::TempDir, SqliteConnection, SampleSummary) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let summary = create(&path, seed, today).await.unwrap();
    let connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    (folder, connection, summary)
}

async fn dump(connection: &mut SqliteConnection) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
         ORDER BY name",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut lines = Vec::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
            .bind(&table)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let quoted = columns.iter().map(|name| format!("quote({name})")).collect::<Vec<_>>().join(" || ',' || ");
        let sql = format!("SELECT '{table}: ' || {quoted} AS line FROM {table} ORDER BY 1");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *connection).await.unwrap() {
            lines.push(row.get("line"));
        }
    }
    lines
}

/// How many dates that `sql` gives are due, not due, missing, and unreadable.
async fn dates(
    connection: &mut SqliteConnection,
    sql: &'static str,
    format: DateFormat,
    period: &str,
    starts: Starts,
    today: Date,
) -> [usize; 4] {
    let period: Period = period.parse().unwrap();
    let mut counts = [0; 4];
    for row in sqlx::query(sql).fetch_all(connection).await.unwrap() {
        let value = match (row.try_get::<Option<i64>, _>(0), row.try_get::<Option<String>, _>(0)) {
            (Ok(Some(seconds)), _) => Value::Integer(seconds),
            (_, Ok(Some(text))) => Value::text(&text),
            _ => Value::Null,
        };
        let kind = match format.read(&value, &TimeZone::get("Europe/Vienna").unwrap()) {
            Ok(Some(start)) if period.due_on(start, starts).unwrap() <= today => 0,
            Ok(Some(_)) => 1,
            Ok(None) => 2,
            Err(_) => 3,
        };
        counts[kind] += 1;
    }
    counts
}

#[tokio::test]
async fn the_same_seed_gives_the_same_database() {
    let today = date(2026, 11, 21);
    let (_a, mut one, _) = made(7, today).await;
    let (_b, mut same, _) = made(7, today).await;
    let (_c, mut other, _) = made(8, today).await;
    let one = dump(&mut one).await;
    assert_eq!(one, dump(&mut same).await);
    assert_ne!(one, dump(&mut other).await);
}

#[tokio::test]
async fn it_is_sound_and_as_large_as_it_says() {
    let (_folder, mut connection, summary) = made(1, date(2026, 11, 21)).await;
    assert_eq!((summary.prospects, summary.persons, summary.members, summary.users), (200, 120, 80, 60));
    assert!(summary.orders > 80 && summary.invoices == summary.orders, "{summary:?}");
    let violations = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
    assert!(violations.is_empty());
    let integrity: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(integrity, "ok");
    for index in ["prospect_search", "person_search"] {
        let check = format!("INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)");
        sqlx::query(sqlx::AssertSqlSafe(check)).execute(&mut connection).await.unwrap();
    }
}

/// Whatever day it is, also at the turn of a year and on a leap day.
#[tokio::test]
async fn some_are_due_some_are_not_and_some_have_no_date() {
    for today in [date(2026, 11, 21), date(2027, 1, 1), date(2027, 12, 31), date(2028, 2, 29)] {
        let (_folder, mut connection, _) = made(3, today).await;
        let prospects = "SELECT last_contact_on FROM prospects WHERE status <> 'customer'";
        let found = dates(&mut connection, prospects, DateFormat::Iso, "3 years", Starts::YearEnd, today).await;
        assert_eq!([found[0], found[2], found[3]], [38, 6, 4], "prospects on {today}");
        let persons = "SELECT last_contact FROM persons";
        let found = dates(&mut connection, persons, DateFormat::German, "2 years", Starts::AtDate, today).await;
        assert_eq!([found[0], found[2], found[3]], [27, 4, 3], "persons on {today}");
        let members = "SELECT left_at FROM members";
        let found = dates(&mut connection, members, DateFormat::Iso, "18 months", Starts::AtDate, today).await;
        assert_eq!([found[0], found[2], found[3]], [21, 52, 2], "members on {today}");
        let users = "SELECT last_login FROM users";
        let found = dates(&mut connection, users, DateFormat::Unix, "1 year", Starts::AtDate, today).await;
        assert_eq!([found[0], found[2], found[3]], [11, 5, 0], "users on {today}");
    }
}

#[tokio::test]
async fn the_law_keeps_some_and_releases_others() {
    let today = date(2027, 1, 1);
    let (_folder, mut connection, _) = made(3, today).await;
    let newest = "SELECT max(invoice_date) FROM invoices JOIN prospects p ON p.id = prospect_id WHERE p.status = 'lost'
                  GROUP BY p.id";
    let found = dates(&mut connection, newest, DateFormat::Iso, "7 years", Starts::YearEnd, today).await;
    assert_eq!(found, [9, 6, 0, 0]);
    let newest = "SELECT max(paid_on) FROM fees JOIN members USING (member_no) WHERE left_at IS NOT NULL
                  GROUP BY member_no";
    let found = dates(&mut connection, newest, DateFormat::Iso, "7 years", Starts::YearEnd, today).await;
    assert_eq!(found, [6, 6, 0, 0]);
}

#[tokio::test]
async fn nothing_that_exists_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    fs::write(&path, "precious").unwrap();
    let error = create(&path, 1, date(2026, 11, 21)).await.unwrap_err();
    assert!(matches!(error, SampleError::Exists(_)));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let nowhere = folder.path().join("missing").join("crm.db");
    assert!(matches!(create(&nowhere, 1, date(2026, 11, 21)).await, Err(SampleError::File { .. })));
}
