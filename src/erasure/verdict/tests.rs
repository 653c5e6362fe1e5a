use jiff::civil::date;

use super::*;
use crate::config::{DateFormat, Located, Place, Since};
use crate::record::IdentityVersion;
use crate::source::{Fate, Node, RowId};

fn located<T>(value: T) -> Located<T> {
    Located::new(value, Place { file: "categories/person.toml".into(), line: 1, column: 1 })
}

/// A dependent whose rows keep the record for a year.
fn node(name: &str) -> Node {
    let since = Since {
        sql: located("written_on".into()),
        format: DateFormat::Iso,
        period: located("1 year".parse().unwrap()),
        starts: Starts::AtDate,
    };
    Node {
        name: name.into(),
        table: name.into(),
        row_id: RowId::Hidden("rowid"),
        own_key: Vec::new(),
        collations: Vec::new(),
        link: None,
        fate: Fate::Dependent(crate::config::Rule::Delete),
        changes: Vec::new(),
        replaced_references: Vec::new(),
        retention: Some(since),
        written_by_triggers: false,
        grown_by_triggers: false,
    }
}

fn mapping() -> Mapping {
    Mapping {
        category: "person".parse().unwrap(),
        key: Vec::new(),
        key_is_personal: false,
        key_types: Vec::new(),
        identity: Vec::new(),
        identity_version: IdentityVersion::of(&[]),
        label: None,
        unit: None,
        criteria: Vec::new(),
        mark: None,
        nodes: vec![node("orders"), node("invoices")],
        references: Vec::new(),
        ties: Vec::new(),
    }
}

/// What keeps the record on this day, of rows of these nodes with these dates.
fn keeps(today: Date, rows: &[(usize, &str)]) -> Option<String> {
    let row = |(node, since): &(usize, &str)| Retained { record: 0, node: *node, since: Value::text(since) };
    let rows: Vec<Retained> = rows.iter().map(row).collect();
    longest_retention(&mapping(), &rows, today, &TimeZone::UTC).map(|reason| reason.to_string())
}

#[test]
fn a_row_keeps_its_record_through_the_last_day_of_its_period() {
    let row = [(0, "2025-11-21")];
    assert_eq!(keeps(date(2026, 11, 20), &row).unwrap(), "it stays until 2026-11-21: orders");
    assert_eq!(keeps(date(2026, 11, 21), &row).unwrap(), "it stays until 2026-11-21: orders");
    assert_eq!(keeps(date(2026, 11, 22), &row), None);
}

#[test]
fn the_row_that_keeps_longest_is_named_and_the_first_of_equals() {
    let keeps = |rows: &[(usize, &str)]| keeps(date(2026, 11, 21), rows).unwrap();
    let until_december = "it stays until 2026-12-31: invoices";
    assert_eq!(keeps(&[(0, "2025-11-30"), (1, "2025-12-31"), (0, "2025-12-01")]), until_december);
    assert_eq!(keeps(&[(1, "2025-12-31"), (0, "2025-12-31")]), until_december);
    let without_end = "it stays: the period of a row of orders has no start date that can be read";
    assert_eq!(keeps(&[(1, "2025-12-31"), (0, "soon"), (1, "2026-01-31")]), without_end);
}
