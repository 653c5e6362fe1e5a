//! Dates as real columns hold them.

use super::PERSON;
use crate::common::Bench;

/// Who of these people is due on 21 November 2026 after three years; the counts of what could not be read.
async fn due(format: &str, values: &[&str]) -> (Vec<String>, u64, u64) {
    let bench = Bench::with_sql(&PERSON.replace("left_on TEXT", "left_on")).await;
    for (id, value) in values.iter().enumerate() {
        bench.sql(&format!("INSERT INTO person VALUES ({id}, 'Huber', {value})")).await;
    }
    bench.category("person", &super::LEFT.replace("period", &format!("format = \"{format}\"\nperiod")));
    let (claims, tally) = bench.selected("person").await;
    let keys = claims.iter().map(|claim| values[claim.key.as_str().parse::<usize>().unwrap()].to_owned()).collect();
    (keys, tally.no_start_date, tally.unreadable_date)
}

#[tokio::test]
async fn iso_in_every_shape_in_one_column() {
    let old = [
        "'2020-05-01'",
        "'2020-05-01 10:00:00'",
        "'2020-05-01 10:00:00.123456'",
        "'2020-05-01T10:00:00.000Z'",
        "'2020-05-01T10:00:00+02:00'",
        "20200501",
        "'20200501'",
    ];
    let young = ["'2026-05-01'", "'2026-05-01 10:00:00.123456'", "'2026-05-01T10:00:00Z'", "20260501"];
    let none = ["''", "'0000-00-00'", "'2023-02-30'", "'soon'", "'0000-00-00 00:00:00'"];
    let values: Vec<&str> = old.iter().chain(&young).chain(&none).copied().chain(["NULL"]).collect();
    let (keys, no_start, unreadable) = due("iso", &values).await;
    assert_eq!(keys, old);
    assert_eq!((no_start, unreadable), (1, none.len() as u64));
}

#[tokio::test]
async fn the_last_day_of_a_period_is_not_over() {
    let values = ["'2023-11-19'", "'2023-11-20'", "'2023-11-21'", "'2023-11-20 23:59:59'"];
    assert_eq!(due("iso", &values).await.0, ["'2023-11-19'", "'2023-11-20'", "'2023-11-20 23:59:59'"]);
}

/// Midnight in Vienna is 23:00 of the day before in UTC, 22:00 in summer.
#[tokio::test]
async fn times_in_utc_are_days_in_the_zone() {
    let values = ["'2023-11-20 22:59:59'", "'2023-11-20 23:00:00'"];
    assert_eq!(due("iso", &values).await.0, values);
    assert_eq!(due("iso-utc", &values).await.0, ["'2023-11-20 22:59:59'"]);
    // In seconds: 2023-11-20T22:59:59Z and a second later.
    assert_eq!(due("unix", &["1700521199", "1700521200", "0", "''"]).await, (vec!["1700521199".to_owned()], 0, 2));
}

#[tokio::test]
async fn other_formats_say_so_and_are_not_mixed_up() {
    assert_eq!(
        due("german", &["'31.12.2019'", "'1.1.2020'", "'31.12.2025'", "'2019-12-31'", "'30.02.2019'"]).await,
        (vec!["'31.12.2019'".to_owned(), "'1.1.2020'".to_owned()], 0, 2)
    );
    // Seconds in a column of milliseconds would all be of 1970.
    assert_eq!(due("unix-ms", &["1577836800000", "1577836800", "0"]).await, (vec!["1577836800000".to_owned()], 0, 2));
    assert_eq!(
        due("julian", &["2458849.5", "'2458849.5'", "2461000.5", "0"]).await,
        (vec!["2458849.5".to_owned(), "'2458849.5'".to_owned()], 0, 1)
    );
    // Milliseconds read as seconds lie far ahead: nobody is due.
    assert_eq!(due("unix", &["1577836800000"]).await.0, Vec::<String>::new());
}
